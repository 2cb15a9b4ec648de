//! A lane and a performance on a fresh store, and short words for what buyers do.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::{Factory, JointHarness};
use crate::{
    catalog::{self, ConcertDraft, LaneChange, PerformanceDraft},
    command::Command,
    conformance::tools::wait,
    engine::{Answer, Engine, Paid},
    error::{Error, StoreError},
    hold::{self, Reservation, SeatNumber, SeatStatus},
    id::{ConcertId, EntryId, PerformanceId, ReservationId, UserId},
    money::{Amount, Money},
    outcome::Outcome,
    payment,
    policy::BookingPolicy,
    queue::Place,
    refusal::Refusal,
    store::{BookingStore, JointStore, QueueStore},
    ticket::{EndReason, Epoch, LaneName, Ticket},
    time::Timestamp,
    wallet,
};

pub(super) const CLAIM: Duration = Duration::from_mins(1);
pub(super) const SESSION: Duration = Duration::from_mins(15);
pub(super) const SEATS: SeatNumber = 50;
const PRICE: i64 = 1_000;

pub(super) struct Stage {
    harness: Arc<dyn JointHarness>,
    pub(super) booking: Arc<dyn BookingStore>,
    queue: Arc<dyn QueueStore>,
    joint: Arc<dyn JointStore>,
    /// Over the two ports, one after the other.
    apart: Engine,
    show: PerformanceId,
}

fn ruled<T>(answer: Result<T, Error>) -> Result<T, Refusal> {
    answer.map_err(|error| match error {
        Error::Refused(refusal) => refusal,
        Error::Store(error) => panic!("the store failed: {error}"),
    })
}

pub(super) fn pay(of: &Reservation) -> Command {
    payment::Command::Pay { reservation: of.id, ticket: of.ticket.clone() }.into()
}

impl Stage {
    /// The lane `main` that admits so many at once, with one performance of [`SEATS`] seats.
    pub(super) fn new(make: &Factory, capacity: u32) -> Self {
        let harness: Arc<dyn JointHarness> = Arc::from(make(BookingPolicy::default()));
        let (booking, queue, joint) = (harness.booking(), harness.queue(), harness.joint());
        let apart = Engine::new(Arc::clone(&booking), Arc::clone(&queue));
        let stage = Self { harness, booking, queue, joint, apart, show: PerformanceId::random() };
        let change = LaneChange {
            capacity: Some(capacity),
            claim_ttl: Some(CLAIM),
            session_ttl: Some(SESSION),
            ..LaneChange::default()
        };
        ruled(stage.wait(stage.apart.set_lane(&LaneName::main(), change))).expect("a lane");
        let performance = PerformanceDraft {
            id: stage.show,
            venue: "A hall".into(),
            starts_at: DateTime::<Utc>::from(stage.now().after(Duration::from_hours(720))).fixed_offset(),
            zone: None,
            price: Money::new(PRICE).expect("a price"),
            seats: SEATS,
            on_sale: true,
        };
        let (title, lane, performances) = ("A concert".into(), LaneName::main(), vec![performance]);
        let draft = ConcertDraft { id: ConcertId::random(), title, lane, performances };
        stage.alone(catalog::Command::PutConcerts(vec![draft])).expect("a concert");
        stage
    }

    fn wait<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        wait(|work| self.harness.block_on(work), work)
    }

    pub(super) fn read<T: Send>(&self, work: impl Future<Output = Result<T, StoreError>> + Send) -> T {
        self.wait(work).unwrap_or_else(|error| panic!("the store failed: {error}"))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.harness.now()
    }

    pub(super) fn move_clock(&self, by: Duration) {
        self.harness.advance(by);
    }

    /// A ticket of a new user who can pay for one seat.
    pub(super) fn buyer(&self) -> Ticket {
        let user = UserId::random();
        let amount = Amount::new(PRICE).expect("an amount");
        self.alone(wallet::Command::Open(user)).expect("a wallet");
        self.alone(wallet::Command::Charge { entry: EntryId::random(), user, amount }).expect("a charge");
        ruled(self.wait(self.apart.enter(&LaneName::main(), user))).expect("a number").ticket
    }

    /// The same number in a life of the lane that is gone, which nobody can tell to it.
    pub(super) fn of_another_life(ticket: &Ticket) -> Ticket {
        Ticket { epoch: Epoch(ticket.epoch.0 ^ 1), ..ticket.clone() }
    }

    /// The command that holds a seat.
    pub(super) fn place(&self, reservation: ReservationId, ticket: &Ticket, seat: SeatNumber) -> Command {
        let (ticket, choice) = (ticket.clone(), vec![seat].into());
        hold::Command::Place { reservation, ticket, performance: self.show, choice }.into()
    }

    /// Executes a command by the booking port alone.
    pub(super) fn alone(&self, command: impl Into<Command>) -> Result<Outcome, Refusal> {
        self.read(self.booking.execute(vec![command.into()])).remove(0)
    }

    /// One step: the claim, if there is one, and the command.
    pub(super) fn book(&self, claim: Option<&Ticket>, command: Command) -> Result<Outcome, Refusal> {
        ruled(self.wait(self.joint.book(claim, command)))
    }

    /// Claims and holds a seat in one step.
    pub(super) fn hold(&self, ticket: &Ticket, seat: SeatNumber) -> Result<Answer<Reservation>, Refusal> {
        self.hold_as(ReservationId::random(), ticket, seat)
    }

    pub(super) fn hold_as(
        &self,
        id: ReservationId,
        ticket: &Ticket,
        seat: SeatNumber,
    ) -> Result<Answer<Reservation>, Refusal> {
        let outcome = self.book(Some(ticket), self.place(id, ticket, seat))?;
        match outcome.effect {
            crate::Effect::Reservation(value) => Ok(Answer { value, replayed: outcome.replayed }),
            other => panic!("a hold answers with a reservation, not {other:?}"),
        }
    }

    /// Holds a seat that nobody has.
    pub(super) fn held(&self, ticket: &Ticket, seat: SeatNumber) -> Reservation {
        self.hold(ticket, seat).unwrap_or_else(|refusal| panic!("seat {seat} was refused: {refusal}")).value
    }

    pub(super) fn pay(&self, of: &Reservation) -> Result<Answer<Paid>, Refusal> {
        let outcome = self.book(None, pay(of))?;
        match outcome.effect {
            crate::Effect::Payment { payment, balance } => {
                Ok(Answer { value: Paid { payment, balance }, replayed: outcome.replayed })
            }
            other => panic!("a payment answers with a payment, not {other:?}"),
        }
    }

    /// Where a ticket stands that the lane knows.
    pub(super) fn standing(&self, ticket: &Ticket) -> Place {
        let place = ruled(self.wait(self.queue.place(ticket)));
        place.unwrap_or_else(|refusal| panic!("{ticket:?} was refused: {refusal}"))
    }

    pub(super) fn is_admitted(&self, ticket: &Ticket) -> bool {
        matches!(self.standing(ticket), Place::Admitted { .. })
    }

    pub(super) fn rank(&self, ticket: &Ticket) -> Option<u64> {
        match self.standing(ticket) {
            Place::Waiting { rank, .. } => Some(rank),
            Place::Admitted { .. } | Place::Done(_) => None,
        }
    }

    /// How many hold a slot.
    pub(super) fn admitted(&self) -> u64 {
        ruled(self.wait(self.queue.snapshot(&LaneName::main(), None))).expect("the lane is there").admitted
    }

    pub(super) fn seat(&self, number: SeatNumber) -> SeatStatus {
        let map = self.read(self.booking.seat_map(self.show)).expect("the performance is there");
        map.seats[usize::try_from(number - 1).unwrap_or(usize::MAX)]
    }

    pub(super) fn endings(&self) -> Vec<(Ticket, EndReason)> {
        self.read(self.booking.pending_endings(1_000))
    }

    pub(super) fn events(&self) -> usize {
        self.read(self.booking.events(0, 100_000)).len()
    }

    /// The audit finds nothing wrong, and looked.
    pub(super) fn books_are_clean(&self) {
        let audit = self.read(self.booking.audit());
        let wrong: Vec<String> = audit.violations().collect();
        assert!(wrong.is_empty() && !audit.checks.is_empty(), "the audit found: {wrong:#?}");
    }
}
