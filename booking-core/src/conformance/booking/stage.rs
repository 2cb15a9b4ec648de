//! A small world on a fresh store, and short words for what people do in it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub(super) use super::words::*;
use super::{BookingHarness, Factory};
use crate::{
    catalog::{self, ConcertDraft, LaneChange, MOST_SEATS},
    command::Command,
    conformance::tools::wait,
    error::StoreError,
    event::RecordedEvent,
    hold::{Reservation, ReservationStatus, SeatNumber, SeatStatus},
    id::{ConcertId, EntryId, PerformanceId, ReservationId, UserId},
    outcome::Outcome,
    payment::Payment,
    policy::BookingPolicy,
    refusal::Refusal,
    store::{BookingStore, PageRequest, SeatMap},
    ticket::{EndReason, Epoch, LaneName, Ticket},
    time::Timestamp,
    wallet::{Entry, Wallet},
};

/// How many seats the stage's performance has.
pub(super) const SEATS: SeatNumber = 50;
/// As long as a hold lasts under the default policy.
pub(super) const TTL: Duration = Duration::from_mins(5);
/// As much as any list of a case has.
pub(super) const ALL: usize = 1_000_000;

/// A fresh store with the lane `main` and one performance of [`SEATS`] seats that begins in 30 days.
pub(super) struct Stage {
    harness: Arc<dyn BookingHarness>,
    pub(super) store: Arc<dyn BookingStore>,
    pub(super) concert: ConcertId,
    pub(super) show: PerformanceId,
    numbers: Arc<AtomicU64>,
}

/// A policy that lets one user hold much at once.
pub(super) fn generous() -> BookingPolicy {
    BookingPolicy {
        live_reservations_per_user: 100,
        seats_per_user: usize::try_from(MOST_SEATS).unwrap_or(usize::MAX),
        ..BookingPolicy::default()
    }
}

fn told<T>(answer: Result<T, StoreError>) -> T {
    answer.unwrap_or_else(|error| panic!("the store failed: {error}"))
}

impl Stage {
    /// The stage under the default policy.
    pub(super) fn new(make: &Factory) -> Self {
        Self::under(make, BookingPolicy::default())
    }

    /// The stage under a policy.
    pub(super) fn under(make: &Factory, policy: BookingPolicy) -> Self {
        let stage = Self::empty(make, policy);
        stage.done(set_lane(&LaneName::main(), LaneChange::default()));
        let show = performance(stage.show, stage.begins(), SEATS);
        stage.put(concert(stage.concert, &LaneName::main(), vec![show]));
        stage
    }

    /// A store with nothing in it.
    pub(super) fn empty(make: &Factory, policy: BookingPolicy) -> Self {
        let harness: Arc<dyn BookingHarness> = Arc::from(make(policy));
        Self {
            store: harness.store(),
            harness,
            concert: ConcertId::random(),
            show: PerformanceId::random(),
            numbers: Arc::default(),
        }
    }

    /// The same world, seen through another instance.
    pub(super) fn elsewhere(&self) -> Self {
        Self {
            store: self.harness.another(),
            harness: Arc::clone(&self.harness),
            numbers: Arc::clone(&self.numbers),
            ..*self
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.harness.now()
    }

    pub(super) fn advance(&self, by: Duration) {
        self.harness.advance(by);
    }

    /// Moves the clock to an instant to come.
    pub(super) fn advance_to(&self, instant: Timestamp) {
        self.advance(instant.since(self.now()));
    }

    /// An instant 30 days from now.
    pub(super) fn begins(&self) -> Timestamp {
        self.now().after(Duration::from_hours(30 * 24))
    }

    /// What the store answers to a read.
    pub(super) fn read<T: Send>(&self, work: impl Future<Output = Result<T, StoreError>> + Send) -> T {
        told(wait(|work| self.harness.block_on(work), work))
    }

    /// Executes a batch: one answer a command.
    pub(super) fn execute(&self, batch: Vec<Command>) -> Vec<Result<Outcome, Refusal>> {
        let commands = batch.len();
        let answers = self.read(self.store.execute(batch));
        assert_eq!(answers.len(), commands, "one answer a command");
        answers
    }

    /// Executes one command.
    pub(super) fn ask(&self, command: impl Into<Command>) -> Result<Outcome, Refusal> {
        self.execute(vec![command.into()]).remove(0)
    }

    /// Executes one command that no rule is against.
    pub(super) fn done(&self, command: impl Into<Command>) -> Outcome {
        let command = command.into();
        let told = format!("{command:?}");
        self.ask(command).unwrap_or_else(|refusal| panic!("{told} was refused: {refusal}"))
    }

    pub(super) fn put(&self, draft: ConcertDraft) {
        self.done(catalog::Command::PutConcerts(vec![draft]));
    }

    /// One more performance of the stage's concert.
    pub(super) fn another_show(&self) -> PerformanceId {
        let show = PerformanceId::random();
        let draft = performance(show, self.begins(), SEATS);
        self.put(concert(self.concert, &LaneName::main(), vec![draft]));
        show
    }

    /// A user with an empty wallet.
    pub(super) fn user(&self) -> UserId {
        let user = UserId::random();
        self.done(open(user));
        user
    }

    /// Puts money into a wallet.
    pub(super) fn charge(&self, user: UserId, units: i64) {
        self.done(charge(EntryId::random(), user, units));
    }

    /// A new ticket of the user's.
    pub(super) fn ticket(&self, user: UserId) -> Ticket {
        let seq = self.numbers.fetch_add(1, Ordering::SeqCst) + 1;
        Ticket { lane: LaneName::main(), epoch: Epoch(7), seq, user }
    }

    /// A ticket of a new user without money.
    pub(super) fn guest(&self) -> Ticket {
        self.ticket(self.user())
    }

    /// A ticket of a new user who can pay for this many seats.
    pub(super) fn buyer(&self, seats: i64) -> Ticket {
        let ticket = self.guest();
        self.charge(ticket.user, seats * PRICE);
        ticket
    }

    /// Asks for seats of the stage's performance.
    pub(super) fn hold(&self, ticket: &Ticket, seats: &[SeatNumber]) -> Result<Reservation, Refusal> {
        self.hold_in(self.show, ticket, seats)
    }

    pub(super) fn hold_in(
        &self,
        show: PerformanceId,
        ticket: &Ticket,
        seats: &[SeatNumber],
    ) -> Result<Reservation, Refusal> {
        self.ask(place(ReservationId::random(), ticket, show, seats)).map(|outcome| reservation_of(&outcome))
    }

    /// Holds seats that nobody has.
    pub(super) fn held(&self, ticket: &Ticket, seats: &[SeatNumber]) -> Reservation {
        self.hold(ticket, seats).unwrap_or_else(|refusal| panic!("{seats:?} were refused: {refusal}"))
    }

    /// Pays with the ticket that made the reservation.
    pub(super) fn pay(&self, reservation: &Reservation) -> Result<Payment, Refusal> {
        self.ask(pay(reservation.id, &reservation.ticket)).map(|outcome| payment_of(&outcome))
    }

    /// Holds and pays.
    pub(super) fn bought(&self, ticket: &Ticket, seats: &[SeatNumber]) -> (Reservation, Payment) {
        let held = self.held(ticket, seats);
        let paid = self.pay(&held).unwrap_or_else(|refusal| panic!("paying was refused: {refusal}"));
        (held, paid)
    }

    pub(super) fn wallet(&self, user: UserId) -> Wallet {
        self.read(self.store.wallet(user)).expect("the user has a wallet")
    }

    pub(super) fn balance(&self, user: UserId) -> i64 {
        self.wallet(user).balance.units()
    }

    pub(super) fn entries(&self, user: UserId) -> Vec<Entry> {
        self.read(self.store.entries(user, PageRequest::first(ALL))).items
    }

    pub(super) fn payments(&self, user: UserId) -> Vec<Payment> {
        self.read(self.store.payments(user, PageRequest::first(ALL))).items
    }

    pub(super) fn reservations(&self, user: UserId) -> Vec<Reservation> {
        self.read(self.store.reservations(user, PageRequest::first(ALL))).items
    }

    pub(super) fn status(&self, of: &Reservation) -> ReservationStatus {
        let found = self.read(self.store.reservation(of.user, of.id));
        found.expect("the reservation exists").status
    }

    pub(super) fn seat_map(&self) -> SeatMap {
        self.read(self.store.seat_map(self.show)).expect("the performance exists")
    }

    /// What a seat of the stage's performance is.
    pub(super) fn seat(&self, number: SeatNumber) -> SeatStatus {
        self.seat_map().seats[usize::try_from(number - 1).unwrap_or(usize::MAX)]
    }

    pub(super) fn available(&self) -> Vec<SeatNumber> {
        self.seat_map().available().collect()
    }

    pub(super) fn events(&self) -> Vec<RecordedEvent> {
        self.read(self.store.events(0, ALL))
    }

    pub(super) fn history(&self, seat: SeatNumber) -> Vec<RecordedEvent> {
        self.read(self.store.seat_history(self.show, seat))
    }

    pub(super) fn expired(&self) -> Vec<ReservationId> {
        self.read(self.store.expired_holds(ALL))
    }

    pub(super) fn endings(&self) -> Vec<(Ticket, EndReason)> {
        let mut endings = self.read(self.store.pending_endings(ALL));
        endings.sort();
        endings
    }

    /// The audit finds nothing wrong, and looked.
    pub(super) fn books_are_clean(&self) {
        let audit = self.read(self.store.audit());
        let wrong: Vec<String> = audit.violations().collect();
        assert!(wrong.is_empty(), "the audit found: {wrong:#?}");
        assert!(!audit.checks.is_empty(), "the audit checked something");
    }
}
