//! A booking store that is timed, and the one step that some stores take for both ports.

use std::sync::Arc;

use async_trait::async_trait;
use booking_core::{
    Command, EndReason, Error, LaneName, Outcome, RecordedEvent, Refusal, StoreError, Ticket,
    audit::Audit,
    catalog::{Concert, LaneRecord, Stock},
    hold::{Reservation, SeatNumber},
    id::{ConcertId, PaymentId, PerformanceId, ReservationId, UserId},
    payment::Payment,
    store::{BookingStore, JointStore, Listing, Page, PageRequest, PerformanceFilter, SeatMap, Totals},
    wallet::{Entry, Wallet},
};

use super::{Call, Metrics};

pub(super) struct Measured {
    pub(super) store: Arc<dyn BookingStore>,
    pub(super) metrics: Arc<Metrics>,
}

/// A joint store; its steps count among the batches that are executed.
pub(super) struct MeasuredJoint {
    pub(super) store: Arc<dyn JointStore>,
    pub(super) metrics: Arc<Metrics>,
}

#[async_trait]
impl JointStore for MeasuredJoint {
    async fn book(&self, claim: Option<&Ticket>, command: Command) -> Result<Outcome, Error> {
        let asked = self.store.book(claim, command);
        let answer = self.metrics.timed(Call::Execute, asked, super::queue::failed).await;
        self.metrics.happened.see(&answer);
        answer
    }
}

/// Every call but `execute`, which is also looked at: the call as the port has it, and what it counts as.
macro_rules! timed {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty as $call:ident;)*) => {
        #[async_trait]
        impl BookingStore for Measured {
            async fn execute(&self, batch: Vec<Command>) -> Result<Vec<Result<Outcome, Refusal>>, StoreError> {
                let asked = self.store.execute(batch);
                let answer = self.metrics.timed(Call::Execute, asked, Result::is_err).await;
                if let Ok(answers) = &answer {
                    self.metrics.happened.see(answers.iter().flatten());
                }
                answer
            }

            $(async fn $name(&self, $($arg: $type),*) -> Result<$answer, StoreError> {
                self.metrics.timed(Call::$call, self.store.$name($($arg),*), Result::is_err).await
            })*
        }
    };
}

timed! {
    wallet(user: UserId) -> Option<Wallet> as Read;
    entries(user: UserId, page: PageRequest) -> Page<Entry> as Read;
    concert(id: ConcertId) -> Option<Concert> as Read;
    concerts(page: PageRequest) -> Page<Concert> as Read;
    performance(id: PerformanceId) -> Option<Listing> as Read;
    performances(filter: &PerformanceFilter, page: PageRequest) -> Page<Listing> as Read;
    seat_map(id: PerformanceId) -> Option<SeatMap> as Read;
    reservation(user: UserId, id: ReservationId) -> Option<Reservation> as Read;
    any_reservation(id: ReservationId) -> Option<Reservation> as Read;
    reservations(user: UserId, page: PageRequest) -> Page<Reservation> as Read;
    payments(user: UserId, page: PageRequest) -> Page<Payment> as Read;
    any_payment(id: PaymentId) -> Option<Payment> as Read;
    events(after: u64, limit: usize) -> Vec<RecordedEvent> as Read;
    seat_history(performance: PerformanceId, seat: SeatNumber) -> Vec<RecordedEvent> as Read;
    expired_holds(limit: usize) -> Vec<ReservationId> as Tend;
    pending_endings(limit: usize) -> Vec<(Ticket, EndReason)> as Tend;
    ack_endings(tickets: &[Ticket]) -> () as Tend;
    lanes() -> Vec<LaneRecord> as Read;
    lane(name: &LaneName) -> Option<LaneRecord> as Read;
    stock(lane: &LaneName) -> Stock as Tend;
    totals() -> Totals as Read;
    audit() -> Audit as Audit;
}
