use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::{
    audit::Audit,
    catalog::{Concert, LaneRecord, Stock},
    command::Command,
    error::StoreError,
    event::RecordedEvent,
    hold::{Reservation, SeatNumber},
    id::{ConcertId, PaymentId, PerformanceId, ReservationId, UserId},
    memory::MemoryBooking,
    outcome::Outcome,
    payment::Payment,
    refusal::Refusal,
    store::{BookingStore, Listing, Page, PageRequest, PerformanceFilter, SeatMap, Totals},
    ticket::{EndReason, LaneName, Ticket},
    wallet::{Entry, Wallet},
};

type Meanwhile = Box<dyn FnOnce() + Send>;

/// The booking store as an instance sees it that is stopped (SIGSTOP) the first time that it has read a stock, and goes on
/// when other things have happened (I23).
pub(super) struct StoppedBooking {
    inner: Arc<MemoryBooking>,
    meanwhile: Mutex<Option<Meanwhile>>,
    tells_stock: bool,
}

impl StoppedBooking {
    pub(super) fn over(inner: Arc<MemoryBooking>, meanwhile: impl FnOnce() + Send + 'static) -> Self {
        Self { inner, meanwhile: Mutex::new(Some(Box::new(meanwhile))), tells_stock: true }
    }

    /// The booking store as an instance sees it that can't read any stock.
    pub(super) fn without_stock(inner: Arc<MemoryBooking>) -> Self {
        Self { inner, meanwhile: Mutex::new(None), tells_stock: false }
    }

    pub(super) fn failure() -> StoreError {
        StoreError::unavailable("the stock could not be read in time")
    }

    fn stop(&self) {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(happens) = meanwhile {
            happens();
        }
    }
}

/// Every call but `stock`, as the port has it.
macro_rules! passed_on {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl BookingStore for StoppedBooking {
            async fn stock(&self, lane: &LaneName) -> Result<Stock, StoreError> {
                if !self.tells_stock {
                    return Err(Self::failure());
                }
                let stock = self.inner.stock(lane).await;
                self.stop();
                stock
            }

            $(async fn $name(&self, $($arg: $type),*) -> Result<$answer, StoreError> {
                self.inner.$name($($arg),*).await
            })*
        }
    };
}

passed_on! {
    execute(batch: Vec<Command>) -> Vec<Result<Outcome, Refusal>>;
    wallet(user: UserId) -> Option<Wallet>;
    entries(user: UserId, page: PageRequest) -> Page<Entry>;
    concert(id: ConcertId) -> Option<Concert>;
    concerts(page: PageRequest) -> Page<Concert>;
    performance(id: PerformanceId) -> Option<Listing>;
    performances(filter: &PerformanceFilter, page: PageRequest) -> Page<Listing>;
    seat_map(id: PerformanceId) -> Option<SeatMap>;
    reservation(user: UserId, id: ReservationId) -> Option<Reservation>;
    any_reservation(id: ReservationId) -> Option<Reservation>;
    reservations(user: UserId, page: PageRequest) -> Page<Reservation>;
    payments(user: UserId, page: PageRequest) -> Page<Payment>;
    any_payment(id: PaymentId) -> Option<Payment>;
    events(after: u64, limit: usize) -> Vec<RecordedEvent>;
    seat_history(performance: PerformanceId, seat: SeatNumber) -> Vec<RecordedEvent>;
    expired_holds(limit: usize) -> Vec<ReservationId>;
    pending_endings(limit: usize) -> Vec<(Ticket, EndReason)>;
    ack_endings(tickets: &[Ticket]) -> ();
    lanes() -> Vec<LaneRecord>;
    lane(name: &LaneName) -> Option<LaneRecord>;
    totals() -> Totals;
    audit() -> Audit;
}
