use std::sync::Arc;

use async_trait::async_trait;

use super::log::Log;
use crate::{
    audit::Audit,
    catalog::{Concert, LaneRecord, Stock},
    command::Command,
    error::StoreError,
    event::{Event, RecordedEvent},
    hold::{Reservation, SeatNumber},
    id::{ConcertId, PaymentId, PerformanceId, ReservationId, UserId},
    outcome::Outcome,
    payment::Payment,
    policy::BookingPolicy,
    refusal::Refusal,
    state::State,
    store::{BookingStore, Listing, Page, PageRequest, PerformanceFilter, SeatMap, Totals},
    sync::{Mutex, MutexGuard, lock},
    ticket::{EndReason, LaneName, Ticket},
    time::{Clock, Timestamp},
    wallet::{Entry, Wallet},
};

/// Bookings in memory, under one lock.
pub struct MemoryBooking {
    clock: Arc<dyn Clock>,
    books: Mutex<Books>,
}

/// The state and the log it is the fold of.
pub(super) struct Books {
    pub(super) state: State,
    pub(super) log: Log,
}

impl MemoryBooking {
    /// An empty store.
    pub fn new(policy: BookingPolicy, clock: Arc<dyn Clock>) -> Self {
        Self { clock, books: Mutex::new(Books { state: State::new(policy), log: Log::default() }) }
    }

    /// A store with the state that a log leads to, and with that log. Endings that were acknowledged are pending again.
    pub fn replay(policy: BookingPolicy, clock: Arc<dyn Clock>, log: Vec<RecordedEvent>) -> Self {
        let mut state = State::new(policy);
        for recorded in &log {
            state.evolve(&recorded.event);
        }
        Self { clock, books: Mutex::new(Books { state, log: log.into() }) }
    }

    /// Executes a batch; the same as [`BookingStore::execute`], for callers without an executor.
    pub fn execute_now(&self, batch: &[Command]) -> Result<Vec<Result<Outcome, Refusal>>, StoreError> {
        let mut books = lock(&self.books)?;
        let now = self.clock.now();
        Ok(batch.iter().map(|command| books.execute(command, now)).collect())
    }

    /// The books under their lock, and the instant after it was taken.
    pub(super) fn open(&self) -> Result<(MutexGuard<'_, Books>, Timestamp), StoreError> {
        let books = lock(&self.books)?;
        let now = self.clock.now();
        Ok((books, now))
    }
}

impl Books {
    fn execute(&mut self, command: &Command, at: Timestamp) -> Result<Outcome, Refusal> {
        let (outcome, events) = self.state.execute(command, at)?;
        self.note(events, at);
        Ok(outcome)
    }

    /// Adds events that the state has followed to the log.
    pub(super) fn note(&mut self, events: Vec<Event>, at: Timestamp) {
        for event in events {
            self.log.push(RecordedEvent { seq: self.log.len() as u64 + 1, at, event });
        }
    }
}

#[async_trait]
impl BookingStore for MemoryBooking {
    async fn execute(&self, batch: Vec<Command>) -> Result<Vec<Result<Outcome, Refusal>>, StoreError> {
        self.execute_now(&batch)
    }

    async fn wallet(&self, user: UserId) -> Result<Option<Wallet>, StoreError> {
        Ok(self.open()?.0.state.wallet(user))
    }

    async fn entries(&self, user: UserId, page: PageRequest) -> Result<Page<Entry>, StoreError> {
        Ok(self.open()?.0.state.entries_of(user, page))
    }

    async fn concert(&self, id: ConcertId) -> Result<Option<Concert>, StoreError> {
        Ok(self.open()?.0.state.concert(id))
    }

    async fn concerts(&self, page: PageRequest) -> Result<Page<Concert>, StoreError> {
        Ok(self.open()?.0.state.list_concerts(page))
    }

    async fn performance(&self, id: PerformanceId) -> Result<Option<Listing>, StoreError> {
        let (books, now) = self.open()?;
        Ok(books.state.performance(id, now))
    }

    async fn performances(
        &self,
        filter: &PerformanceFilter,
        page: PageRequest,
    ) -> Result<Page<Listing>, StoreError> {
        let (books, now) = self.open()?;
        Ok(books.state.list_performances(filter, page, now))
    }

    async fn seat_map(&self, id: PerformanceId) -> Result<Option<SeatMap>, StoreError> {
        let (books, now) = self.open()?;
        Ok(books.state.seat_map(id, now))
    }

    async fn reservation(&self, user: UserId, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        let (books, now) = self.open()?;
        Ok(books.state.reservation_of(user, id, now))
    }

    async fn any_reservation(&self, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        let (books, now) = self.open()?;
        Ok(books.state.any_reservation(id, now))
    }

    async fn reservations(&self, user: UserId, page: PageRequest) -> Result<Page<Reservation>, StoreError> {
        let (books, now) = self.open()?;
        Ok(books.state.reservations_of(user, page, now))
    }

    async fn payments(&self, user: UserId, page: PageRequest) -> Result<Page<Payment>, StoreError> {
        Ok(self.open()?.0.state.payments_of(user, page))
    }

    async fn any_payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        Ok(self.open()?.0.state.any_payment(id))
    }

    async fn events(&self, after: u64, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        let (books, _) = self.open()?;
        Ok(books.log.after(after).take(limit).cloned().collect())
    }

    async fn seat_history(
        &self,
        performance: PerformanceId,
        seat: SeatNumber,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let (books, _) = self.open()?;
        let moved = books.log.after(0).filter(|recorded| recorded.event.moves_seat(performance, seat));
        Ok(moved.cloned().collect())
    }

    async fn expired_holds(&self, limit: usize) -> Result<Vec<ReservationId>, StoreError> {
        let (books, now) = self.open()?;
        Ok(books.state.expired_holds(limit, now))
    }

    async fn pending_endings(&self, limit: usize) -> Result<Vec<(Ticket, EndReason)>, StoreError> {
        Ok(self.open()?.0.state.pending_endings(limit))
    }

    async fn ack_endings(&self, tickets: &[Ticket]) -> Result<(), StoreError> {
        let (mut books, _) = self.open()?;
        for ticket in tickets {
            books.state.forget_ending(ticket);
        }
        Ok(())
    }

    async fn lanes(&self) -> Result<Vec<LaneRecord>, StoreError> {
        Ok(self.open()?.0.state.lane_records())
    }

    async fn lane(&self, name: &LaneName) -> Result<Option<LaneRecord>, StoreError> {
        Ok(self.open()?.0.state.lane_record(name))
    }

    async fn stock(&self, lane: &LaneName) -> Result<Stock, StoreError> {
        let (books, now) = self.open()?;
        Ok(books.state.stock(lane, now))
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        let (books, now) = self.open()?;
        Ok(books.state.totals(now))
    }

    async fn audit(&self) -> Result<Audit, StoreError> {
        let (books, now) = self.open()?;
        Ok(books.state.audit(now))
    }
}
