use async_trait::async_trait;
use booking_core::{
    Command, EndReason, LaneName, Outcome, RecordedEvent, Refusal, StoreError, Ticket,
    audit::Audit,
    catalog::{Concert, LaneRecord, Stock},
    hold::{Reservation, SeatNumber},
    id::{ConcertId, PaymentId, PerformanceId, ReservationId, UserId},
    payment::Payment,
    store::{BookingStore, Listing, Page, PageRequest, PerformanceFilter, SeatMap, Totals},
    wallet::{Entry, Wallet},
};

use crate::{
    reader::{Found, Question},
    store::{SqliteStore, wanted},
    writer::{Answer, Work},
};

#[async_trait]
impl BookingStore for SqliteStore {
    async fn execute(&self, batch: Vec<Command>) -> Result<Vec<Result<Outcome, Refusal>>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let size = batch.len();
        wanted!(self.write(Work::Execute(batch), size).await?, Answer::Executed(answers) => answers)
    }

    async fn wallet(&self, user: UserId) -> Result<Option<Wallet>, StoreError> {
        Ok(self.shared.books()?.wallet(user))
    }

    async fn entries(&self, user: UserId, page: PageRequest) -> Result<Page<Entry>, StoreError> {
        Ok(self.shared.books()?.entries_of(user, page))
    }

    async fn concert(&self, id: ConcertId) -> Result<Option<Concert>, StoreError> {
        Ok(self.shared.books()?.concert(id))
    }

    async fn concerts(&self, page: PageRequest) -> Result<Page<Concert>, StoreError> {
        Ok(self.shared.books()?.list_concerts(page))
    }

    async fn performance(&self, id: PerformanceId) -> Result<Option<Listing>, StoreError> {
        Ok(self.shared.books()?.performance(id, self.now()))
    }

    async fn performances(
        &self,
        filter: &PerformanceFilter,
        page: PageRequest,
    ) -> Result<Page<Listing>, StoreError> {
        Ok(self.shared.books()?.list_performances(filter, page, self.now()))
    }

    async fn seat_map(&self, id: PerformanceId) -> Result<Option<SeatMap>, StoreError> {
        Ok(self.shared.books()?.seat_map(id, self.now()))
    }

    async fn reservation(&self, user: UserId, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        Ok(self.shared.books()?.reservation_of(user, id, self.now()))
    }

    async fn any_reservation(&self, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        Ok(self.shared.books()?.any_reservation(id, self.now()))
    }

    async fn reservations(&self, user: UserId, page: PageRequest) -> Result<Page<Reservation>, StoreError> {
        Ok(self.shared.books()?.reservations_of(user, page, self.now()))
    }

    async fn payments(&self, user: UserId, page: PageRequest) -> Result<Page<Payment>, StoreError> {
        Ok(self.shared.books()?.payments_of(user, page))
    }

    async fn any_payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        Ok(self.shared.books()?.any_payment(id))
    }

    async fn events(&self, after: u64, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        wanted!(self.read_log(Question::Events { after, limit }).await?, Found::Events(events) => events)
    }

    async fn seat_history(
        &self,
        performance: PerformanceId,
        seat: SeatNumber,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let question = Question::SeatHistory(performance, seat);
        wanted!(self.read_log(question).await?, Found::Events(events) => events)
    }

    async fn expired_holds(&self, limit: usize) -> Result<Vec<ReservationId>, StoreError> {
        Ok(self.shared.books()?.expired_holds(limit, self.now()))
    }

    async fn pending_endings(&self, limit: usize) -> Result<Vec<(Ticket, EndReason)>, StoreError> {
        Ok(self.shared.books()?.pending_endings(limit))
    }

    async fn ack_endings(&self, tickets: &[Ticket]) -> Result<(), StoreError> {
        wanted!(self.write(Work::Forget(tickets.to_vec()), tickets.len()).await?, Answer::Done => ())
    }

    async fn lanes(&self) -> Result<Vec<LaneRecord>, StoreError> {
        // Readiness asks for them, and a store that can't save any more is not ready.
        self.check_writer()?;
        Ok(self.shared.books()?.lane_records())
    }

    async fn lane(&self, name: &LaneName) -> Result<Option<LaneRecord>, StoreError> {
        Ok(self.shared.books()?.lane_record(name))
    }

    async fn stock(&self, lane: &LaneName) -> Result<Stock, StoreError> {
        Ok(self.shared.books()?.stock(lane, self.now()))
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        Ok(self.shared.books()?.totals(self.now()))
    }

    async fn audit(&self) -> Result<Audit, StoreError> {
        wanted!(self.read_all(Question::Audit).await?, Found::Audit(audit) => audit)
    }
}
