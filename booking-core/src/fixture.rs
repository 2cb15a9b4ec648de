//! A small world for the unit tests: the lane `main`, one concert with one performance of 50 seats at 1,000 each, and
//! the users 1 to 4 with empty wallets.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use uuid::Uuid;

use crate::{
    catalog::{self, ConcertDraft, LaneChange, PerformanceDraft},
    command::Command,
    engine::{Answer, Paid},
    event::Event,
    hold::{self, Reservation, SeatChoice, SeatNumber, SeatStatus},
    id::{ConcertId, EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    money::{Amount, Money},
    outcome::{Effect, Outcome},
    payment,
    policy::BookingPolicy,
    refusal::Refusal,
    state::State,
    ticket::{Epoch, LaneName, Ticket},
    time::Timestamp,
    wallet::{self, Entry},
};

/// When every world begins.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
/// The shortest step of time.
pub(crate) const MICRO: Duration = Duration::from_micros(1);
/// How long a hold lasts by default.
pub(crate) const HOLD_TTL: Duration = Duration::from_mins(5);
/// How long it is until the performance begins.
pub(crate) const LEAD: Duration = Duration::from_hours(30 * 24);
/// What a seat costs.
pub(crate) const PRICE: i64 = 1_000;

/// The span up to the last microsecond before its end.
pub(crate) fn just_before(end: Duration) -> Duration {
    end.saturating_sub(MICRO)
}

pub(crate) fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

pub(crate) fn concert(n: u128) -> ConcertId {
    ConcertId(Uuid::from_u128(0x1000 + n))
}

pub(crate) fn performance(n: u128) -> PerformanceId {
    PerformanceId(Uuid::from_u128(0x2000 + n))
}

pub(crate) fn reservation(n: u128) -> ReservationId {
    ReservationId(Uuid::from_u128(0x3000 + n))
}

pub(crate) fn entry(n: u128) -> EntryId {
    EntryId(Uuid::from_u128(0x4000 + n))
}

/// The payment of reservation `n`.
pub(crate) fn payment(n: u128) -> PaymentId {
    PaymentId::of(reservation(n))
}

pub(crate) fn lane(name: &str) -> LaneName {
    name.parse().unwrap()
}

/// Number `seq` of the lane `main`, given to user `of`.
pub(crate) fn ticket(of: u128, seq: u64) -> Ticket {
    Ticket { lane: LaneName::main(), epoch: Epoch(1), seq, user: user(of) }
}

pub(crate) fn money(units: i64) -> Money {
    Money::new(units).unwrap()
}

/// An instant as an operator in Seoul writes it.
pub(crate) fn in_seoul(at: Timestamp) -> DateTime<FixedOffset> {
    DateTime::<Utc>::from(at).with_timezone(&FixedOffset::east_opt(9 * 3_600).unwrap())
}

pub(crate) fn performance_draft(n: u128) -> PerformanceDraft {
    PerformanceDraft {
        id: performance(n),
        venue: "Hall".into(),
        starts_at: in_seoul(START.after(LEAD)),
        zone: Some("Asia/Seoul".into()),
        price: money(PRICE),
        seats: 50,
        on_sale: true,
    }
}

/// Concert 1 with performance 1.
pub(crate) fn draft() -> ConcertDraft {
    ConcertDraft {
        id: concert(1),
        title: "A concert".into(),
        lane: LaneName::main(),
        performances: vec![performance_draft(1)],
    }
}

/// The default policy, but for how many live reservations a user may have, and how many seats.
pub(crate) fn policy(live_reservations_per_user: usize, seats_per_user: usize) -> BookingPolicy {
    BookingPolicy { live_reservations_per_user, seats_per_user, ..BookingPolicy::default() }
}

pub(crate) fn place(r: u128, ticket: &Ticket, n: u128, seats: &[SeatNumber]) -> Command {
    choose(r, ticket, n, SeatChoice::Exact(seats.into()))
}

pub(crate) fn place_best(r: u128, ticket: &Ticket, n: u128, count: u32) -> Command {
    choose(r, ticket, n, SeatChoice::Best(count))
}

fn choose(r: u128, ticket: &Ticket, n: u128, choice: SeatChoice) -> Command {
    let (reservation, performance) = (reservation(r), performance(n));
    hold::Command::Place { reservation, ticket: ticket.clone(), performance, choice }.into()
}

pub(crate) fn pay(r: u128, ticket: &Ticket) -> Command {
    payment::Command::Pay { reservation: reservation(r), ticket: ticket.clone() }.into()
}

pub(crate) fn charge(e: u128, of: u128, units: i64) -> Command {
    let amount = Amount::new(units).unwrap();
    wallet::Command::Charge { entry: entry(e), user: user(of), amount }.into()
}

pub(crate) fn release(r: u128, of: u128) -> Command {
    hold::Command::Release { reservation: reservation(r), user: user(of) }.into()
}

pub(crate) fn mark_sold_out(name: &str, revision: u64, sold_out: bool) -> Command {
    catalog::Command::MarkSoldOut { lane: lane(name), revision, sold_out }.into()
}

/// A state, and a clock that moves when it is told to.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    /// All that happened.
    pub(crate) log: Vec<Event>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(BookingPolicy::default())
    }

    pub(crate) fn with(policy: BookingPolicy) -> Self {
        let mut world = Self { state: State::new(policy), now: START, log: Vec::new() };
        world.run(&catalog::Command::SetLane(LaneName::main(), LaneChange::default()).into()).unwrap();
        world.put(draft());
        for n in 1..=4 {
            world.run(&wallet::Command::Open(user(n)).into()).unwrap();
        }
        world
    }

    pub(crate) fn pass(&mut self, span: Duration) {
        self.now = self.now.after(span);
    }

    /// Executes a command. One that is refused or replayed must change nothing, any other must change something.
    pub(crate) fn run(&mut self, command: &Command) -> Result<Outcome, Refusal> {
        let before = self.state.clone();
        match self.state.execute(command, self.now) {
            Ok((outcome, events)) => {
                assert_eq!(outcome.replayed, self.state == before, "{command:?}: {outcome:?}");
                self.log.extend(events);
                Ok(outcome)
            }
            Err(refusal) => {
                assert_eq!(self.state, before, "the refused {command:?} changed something");
                Err(refusal)
            }
        }
    }

    /// Imports a concert; how many things were added and changed.
    pub(crate) fn put(&mut self, draft: ConcertDraft) -> (u64, u64) {
        match self.run(&catalog::Command::PutConcerts(vec![draft]).into()).unwrap().effect {
            Effect::Catalog(changes) => (changes.added, changes.changed),
            other => panic!("{other:?}"),
        }
    }

    fn reserved(answer: Outcome) -> Answer<Reservation> {
        match answer.effect {
            Effect::Reservation(value) => Answer { value, replayed: answer.replayed },
            other => panic!("{other:?}"),
        }
    }

    fn paid(answer: Outcome) -> Answer<Paid> {
        match answer.effect {
            Effect::Payment { payment, balance } => {
                Answer { value: Paid { payment, balance }, replayed: answer.replayed }
            }
            other => panic!("{other:?}"),
        }
    }

    /// Holds seats of performance 1 as reservation `r`.
    pub(crate) fn hold(
        &mut self,
        r: u128,
        ticket: &Ticket,
        seats: &[SeatNumber],
    ) -> Result<Answer<Reservation>, Refusal> {
        self.run(&place(r, ticket, 1, seats)).map(Self::reserved)
    }

    /// Holds the best `count` adjacent seats of performance 1 as reservation `r`.
    pub(crate) fn hold_best(
        &mut self,
        r: u128,
        ticket: &Ticket,
        count: u32,
    ) -> Result<Answer<Reservation>, Refusal> {
        self.run(&place_best(r, ticket, 1, count)).map(Self::reserved)
    }

    pub(crate) fn release(&mut self, r: u128, of: u128) -> Result<Answer<Reservation>, Refusal> {
        self.run(&release(r, of)).map(Self::reserved)
    }

    /// What the sweep does.
    pub(crate) fn expire(&mut self, r: u128) -> Answer<Reservation> {
        Self::reserved(self.run(&hold::Command::Expire(reservation(r)).into()).unwrap())
    }

    pub(crate) fn pay(&mut self, r: u128, ticket: &Ticket) -> Result<Answer<Paid>, Refusal> {
        self.run(&pay(r, ticket)).map(Self::paid)
    }

    /// Gives the payment of reservation `r` back.
    pub(crate) fn refund(&mut self, r: u128) -> Result<Answer<Paid>, Refusal> {
        self.run(&payment::Command::Refund(payment(r)).into()).map(Self::paid)
    }

    pub(crate) fn charge(&mut self, e: u128, of: u128, units: i64) -> Result<Answer<Entry>, Refusal> {
        let answer = self.run(&charge(e, of, units))?;
        match answer.effect {
            Effect::Entry(value) => Ok(Answer { value, replayed: answer.replayed }),
            other => panic!("{other:?}"),
        }
    }

    /// User `of` buys seats of performance 1 with `ticket`, charging the wallet first.
    pub(crate) fn buy(&mut self, r: u128, ticket: &Ticket, seats: &[SeatNumber]) {
        let due = self.hold(r, ticket, seats).unwrap().value.amount.units();
        let charge = wallet::Command::Charge {
            entry: entry(0x100 + r),
            user: ticket.user,
            amount: Amount::new(due).unwrap(),
        };
        self.run(&charge.into()).unwrap();
        self.pay(r, ticket).unwrap();
    }

    pub(crate) fn balance(&self, of: u128) -> i64 {
        self.state.wallets[&user(of)].balance.units()
    }

    /// What a seat of performance 1 is now.
    pub(crate) fn seat(&self, number: SeatNumber) -> SeatStatus {
        let seat = self.state.seats.get(&performance(1)).and_then(|seats| seats.get(&number));
        seat.map_or(SeatStatus::Available, |seat| seat.status_at(self.now))
    }
}
