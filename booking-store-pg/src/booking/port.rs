//! The port itself: each call is made of what the other modules do.

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

use super::{PgStore, audit, lists, stock};

#[async_trait]
impl BookingStore for PgStore {
    async fn execute(&self, batch: Vec<Command>) -> Result<Vec<Result<Outcome, Refusal>>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.counter(&batch).execute(batch).await
    }

    async fn wallet(&self, user: UserId) -> Result<Option<Wallet>, StoreError> {
        lists::wallet(&self.shared.db, user).await
    }

    async fn entries(&self, user: UserId, page: PageRequest) -> Result<Page<Entry>, StoreError> {
        lists::entries(&self.shared.db, user, page).await
    }

    async fn concert(&self, id: ConcertId) -> Result<Option<Concert>, StoreError> {
        lists::concert(&self.shared.db, id).await
    }

    async fn concerts(&self, page: PageRequest) -> Result<Page<Concert>, StoreError> {
        lists::concerts(&self.shared.db, page).await
    }

    async fn performance(&self, id: PerformanceId) -> Result<Option<Listing>, StoreError> {
        self.shared.maps.listing(&self.shared.db, id).await
    }

    async fn performances(
        &self,
        filter: &PerformanceFilter,
        page: PageRequest,
    ) -> Result<Page<Listing>, StoreError> {
        self.shared.maps.listings(&self.shared.db, filter, page).await
    }

    async fn seat_map(&self, id: PerformanceId) -> Result<Option<SeatMap>, StoreError> {
        self.shared.maps.seat_map(&self.shared.db, id).await
    }

    async fn reservation(&self, user: UserId, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        lists::reservation(&self.shared.db, user, id).await
    }

    async fn any_reservation(&self, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        lists::any_reservation(&self.shared.db, id).await
    }

    async fn reservations(&self, user: UserId, page: PageRequest) -> Result<Page<Reservation>, StoreError> {
        lists::reservations(&self.shared.db, user, page).await
    }

    async fn payments(&self, user: UserId, page: PageRequest) -> Result<Page<Payment>, StoreError> {
        lists::payments(&self.shared.db, user, page).await
    }

    async fn any_payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        lists::any_payment(&self.shared.db, id).await
    }

    async fn events(&self, after: u64, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        lists::events(&self.shared.db, after, limit).await
    }

    async fn seat_history(
        &self,
        performance: PerformanceId,
        seat: SeatNumber,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        lists::seat_history(&self.shared.db, performance, seat).await
    }

    async fn expired_holds(&self, limit: usize) -> Result<Vec<ReservationId>, StoreError> {
        lists::expired_holds(&self.shared.db, limit).await
    }

    async fn pending_endings(&self, limit: usize) -> Result<Vec<(Ticket, EndReason)>, StoreError> {
        lists::pending_endings(&self.shared.db, limit).await
    }

    async fn ack_endings(&self, tickets: &[Ticket]) -> Result<(), StoreError> {
        lists::ack_endings(&self.shared.db, tickets).await
    }

    async fn lanes(&self) -> Result<Vec<LaneRecord>, StoreError> {
        lists::lanes(&self.shared.db).await
    }

    async fn lane(&self, name: &LaneName) -> Result<Option<LaneRecord>, StoreError> {
        lists::lane(&self.shared.db, name).await
    }

    async fn stock(&self, lane: &LaneName) -> Result<Stock, StoreError> {
        stock::stock(&self.shared.db, &self.shared.stocks, lane).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        lists::totals(&self.shared.db).await
    }

    async fn audit(&self) -> Result<Audit, StoreError> {
        audit::audit(&self.shared.db, self.shared.policy.max_balance).await
    }
}
