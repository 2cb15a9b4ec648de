//! A small world on a store: the lane `main`, one performance of 50 seats, people who can pay.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use booking_core::{
    Amount, BookingPolicy, Command, Effect, Epoch, LaneName, Money, Outcome, Refusal, StoreError, Ticket,
    Timestamp,
    catalog::{self, ConcertDraft, LaneChange, PerformanceDraft},
    hold::{self, Reservation, SeatChoice},
    id::{ConcertId, EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    payment,
    store::BookingStore,
    wallet,
};
use booking_store_pg::{PgConfig, PgStore};
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub(crate) const PRICE: i64 = 1_000;

pub(crate) struct World {
    pub(crate) store: Arc<dyn BookingStore>,
    pub(crate) show: PerformanceId,
    concert: ConcertId,
    tickets: AtomicU64,
}

/// An instance with the policy that one has by default.
pub(crate) async fn store(url: String) -> Arc<PgStore> {
    PgStore::connect(PgConfig::new(url, BookingPolicy::default())).await.expect("the store opens")
}

pub(crate) fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

pub(crate) fn performance(id: PerformanceId, seats: u32) -> PerformanceDraft {
    PerformanceDraft {
        id,
        venue: "A hall".into(),
        // In the far future by any clock of a test.
        starts_at: DateTime::<Utc>::from(Timestamp::from_micros(4_000_000_000_000_000)).fixed_offset(),
        zone: None,
        price: Money::new(PRICE).expect("a price"),
        seats,
        on_sale: true,
    }
}

pub(crate) fn put(performances: Vec<PerformanceDraft>) -> Command {
    put_in(ConcertId::random(), performances)
}

fn put_in(id: ConcertId, performances: Vec<PerformanceDraft>) -> Command {
    let lane = LaneName::main();
    catalog::Command::PutConcerts(vec![ConcertDraft { id, title: "A concert".into(), lane, performances }])
        .into()
}

/// What gives these seats to a reservation that is there, for an hour.
pub(crate) fn taking(seats: &[u32]) -> String {
    format!(
        "INSERT INTO seats SELECT performance_id, unnest(ARRAY{seats:?}), reservation_id, now() + interval '1 hour' \
        FROM (SELECT * FROM reservations LIMIT 1) AS r"
    )
}

pub(crate) fn open(user: UserId) -> Command {
    wallet::Command::Open(user).into()
}

pub(crate) fn charge(user: UserId, units: i64) -> Command {
    let amount = Amount::new(units).expect("an amount");
    wallet::Command::Charge { entry: EntryId::random(), user, amount }.into()
}

pub(crate) fn pay(of: &Reservation) -> Command {
    payment::Command::Pay { reservation: of.id, ticket: of.ticket.clone() }.into()
}

pub(crate) fn refund(of: ReservationId) -> Command {
    payment::Command::Refund(PaymentId::of(of)).into()
}

pub(crate) fn reservation_of(outcome: Outcome) -> Reservation {
    match outcome.effect {
        Effect::Reservation(reservation) => reservation,
        other => panic!("not a reservation: {other:?}"),
    }
}

impl World {
    pub(crate) async fn new(store: Arc<dyn BookingStore>) -> Self {
        let (show, concert) = (PerformanceId::random(), ConcertId::random());
        let world = Self { store, show, concert, tickets: AtomicU64::new(0) };
        world.done(catalog::Command::SetLane(LaneName::main(), LaneChange::default()).into()).await;
        world.grow(50).await;
        world
    }

    /// Gives the performance this many seats.
    pub(crate) async fn grow(&self, seats: u32) {
        self.done(put_in(self.concert, vec![performance(self.show, seats)])).await;
    }

    /// Asks so much for each seat of the performance.
    pub(crate) async fn price(&self, units: i64) {
        let price = Money::new(units).expect("a price");
        self.done(put_in(self.concert, vec![PerformanceDraft { price, ..performance(self.show, 50) }])).await;
    }

    /// The same world through another instance.
    pub(crate) fn at(&self, store: Arc<dyn BookingStore>, first_ticket: u64) -> Self {
        let (show, concert) = (self.show, self.concert);
        Self { store, show, concert, tickets: AtomicU64::new(first_ticket) }
    }

    pub(crate) async fn ask(&self, command: Command) -> Result<Result<Outcome, Refusal>, StoreError> {
        let mut answers = self.store.execute(vec![command]).await?;
        assert_eq!(answers.len(), 1);
        Ok(answers.remove(0))
    }

    pub(crate) async fn done(&self, command: Command) -> Outcome {
        let told = format!("{command:?}");
        let answer = self.ask(command).await.unwrap_or_else(|error| panic!("{told}: {error}"));
        answer.unwrap_or_else(|refusal| panic!("{told}: {refusal}"))
    }

    /// A user who can pay for many seats.
    pub(crate) async fn rich(&self, n: u128) -> UserId {
        let user = user(n);
        self.done(open(user)).await;
        self.done(charge(user, 1_000 * PRICE)).await;
        user
    }

    pub(crate) fn ticket(&self, user: UserId) -> Ticket {
        let seq = self.tickets.fetch_add(1, Ordering::SeqCst) + 1;
        Ticket { lane: LaneName::main(), epoch: Epoch(u64::MAX - 3), seq, user }
    }

    pub(crate) fn place(&self, user: UserId, seats: &[u32]) -> Command {
        self.choose(user, seats.to_vec().into())
    }

    pub(crate) fn place_best(&self, user: UserId, count: u32) -> Command {
        self.choose(user, SeatChoice::Best(count))
    }

    fn choose(&self, user: UserId, choice: SeatChoice) -> Command {
        let (reservation, ticket, performance) = (ReservationId::random(), self.ticket(user), self.show);
        hold::Command::Place { reservation, ticket, performance, choice }.into()
    }

    /// Makes the user if there is none, and holds a seat.
    pub(crate) async fn hold(&self, n: u128, seat: u32) -> Reservation {
        let user = user(n);
        if self.store.wallet(user).await.expect("a read").is_none() {
            self.rich(n).await;
        }
        reservation_of(self.done(self.place(user, &[seat])).await)
    }

    pub(crate) async fn buy(&self, n: u128, seat: u32) -> Reservation {
        let held = self.hold(n, seat).await;
        self.done(pay(&held)).await;
        held
    }

    pub(crate) async fn books_are_clean(&self) {
        let audit = self.store.audit().await.expect("an audit");
        let wrong: Vec<String> = audit.violations().collect();
        assert!(wrong.is_empty() && !audit.checks.is_empty(), "{wrong:#?}");
    }
}
