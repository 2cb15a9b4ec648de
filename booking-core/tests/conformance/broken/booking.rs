//! A booking store around the one in memory, which a fault may bend at every call.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use booking_core::{
    BookingPolicy, Clock, Command, EndReason, LaneName, Outcome, RecordedEvent, Refusal, StoreError, Ticket,
    audit::Audit,
    catalog::{Concert, LaneRecord, Stock},
    conformance::booking::{BookingHarness, CASES, Factory},
    hold::{Reservation, SeatNumber},
    id::{ConcertId, PaymentId, PerformanceId, ReservationId, UserId},
    memory::MemoryBooking,
    payment::Payment,
    store::{BookingStore, Listing, Page, PageRequest, PerformanceFilter, SeatMap, Totals},
    wallet::{Entry, Wallet},
};

use crate::harness;

pub(super) type Answers = Result<Vec<Result<Outcome, Refusal>>, StoreError>;

/// What a broken store does otherwise; what a fault leaves out is right.
pub(super) trait BookingFault: Send + Sync + 'static {
    fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
        right.store().execute_now(&batch)
    }

    /// Whether [`Self::events`] does anything: copying a whole log takes long.
    const BENDS_THE_LOG: bool = false;

    fn events(&self, log: Vec<RecordedEvent>) -> Vec<RecordedEvent> {
        log
    }

    fn page(&self, page: PageRequest) -> PageRequest {
        page
    }

    fn reservation(&self, right: &Right, user: UserId, id: ReservationId) -> Option<Reservation> {
        now(right.store().reservation(user, id))
    }

    fn seat_map(&self, map: SeatMap) -> SeatMap {
        map
    }

    fn expired_holds(&self, right: &Right, limit: usize) -> Vec<ReservationId> {
        now(right.store().expired_holds(limit))
    }

    fn pending_endings(&self, _: &Right, endings: Vec<(Ticket, EndReason)>) -> Vec<(Ticket, EndReason)> {
        endings
    }

    fn filter(&self, filter: &PerformanceFilter) -> PerformanceFilter {
        filter.clone()
    }

    fn stock(&self, _known: bool, stock: Stock) -> Stock {
        stock
    }

    fn totals(&self, totals: Totals) -> Totals {
        totals
    }

    fn lanes(&self, lanes: Vec<LaneRecord>) -> Vec<LaneRecord> {
        lanes
    }

    fn forgets(&self, _acknowledged: &Ticket) -> bool {
        true
    }

    fn audit(&self, audit: Audit) -> Audit {
        audit
    }
}

/// What a store in memory answers; it never waits.
pub(super) fn now<T>(answer: impl Future<Output = Result<T, StoreError>>) -> T {
    pollster::block_on(answer).expect("the store in memory answers")
}

/// The store that is right, and the means to rewrite its past.
pub(super) struct Right {
    policy: BookingPolicy,
    clock: Arc<dyn Clock>,
    store: Mutex<Arc<MemoryBooking>>,
    acknowledged: Mutex<BTreeSet<Ticket>>,
    /// For faults that must not be mixed with a missing lock.
    pub(super) turn: Mutex<()>,
}

impl Right {
    pub(super) fn store(&self) -> Arc<MemoryBooking> {
        Arc::clone(&self.store.lock().unwrap())
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &self.clock
    }

    pub(super) fn policy(&self) -> BookingPolicy {
        self.policy.clone()
    }

    pub(super) fn log(&self) -> Vec<RecordedEvent> {
        now(self.store().events(0, usize::MAX))
    }

    /// A store as it would be had the log been this one.
    pub(super) fn as_of(&self, log: Vec<RecordedEvent>) -> Arc<MemoryBooking> {
        let numbered = (1..).zip(log).map(|(seq, recorded)| RecordedEvent { seq, ..recorded }).collect();
        let store = MemoryBooking::replay(self.policy.clone(), Arc::clone(&self.clock), numbered);
        let acknowledged: Vec<Ticket> = self.acknowledged.lock().unwrap().iter().cloned().collect();
        now(store.ack_endings(&acknowledged));
        Arc::new(store)
    }

    /// From now on, this is the store.
    pub(super) fn become_store(&self, store: Arc<MemoryBooking>) {
        *self.store.lock().unwrap() = store;
    }
}

struct Broken<F> {
    right: Right,
    fault: F,
}

/// A harness of a store with this fault, whose clock may be bent as well.
pub(super) fn with_fault_and_clock<F: BookingFault>(
    policy: BookingPolicy,
    fault: F,
    bend: impl FnOnce(Arc<dyn Clock>) -> Arc<dyn Clock>,
) -> Box<dyn BookingHarness> {
    let clock = harness::clock();
    let wrong = bend(clock.clone());
    let empty = Arc::new(MemoryBooking::new(policy.clone(), Arc::clone(&wrong)));
    let right = Right {
        policy,
        clock: wrong,
        store: Mutex::new(empty),
        acknowledged: Mutex::default(),
        turn: Mutex::default(),
    };
    Box::new(harness::Booking { clock, store: Arc::new(Broken { right, fault }) })
}

/// The suite finds the fault, by this case among others.
pub(super) fn rejected<F: BookingFault>(expected: &str, fault: impl Fn() -> F + 'static) {
    rejected_at(expected, &move |policy| with_fault_and_clock(policy, fault(), |clock| clock));
}

pub(super) fn rejected_at(expected: &str, make: &Factory) {
    super::judge(CASES, make, expected);
}

#[test]
fn a_wrapper_without_a_fault_passes() {
    struct NoFault;
    impl BookingFault for NoFault {}
    let failed = super::failures(CASES, &|policy| with_fault_and_clock(policy, NoFault, |clock| clock));
    assert_eq!(failed, [""; 0]);
}

#[async_trait]
impl<F: BookingFault> BookingStore for Broken<F> {
    async fn execute(&self, batch: Vec<Command>) -> Answers {
        self.fault.execute(&self.right, batch)
    }

    async fn wallet(&self, user: UserId) -> Result<Option<Wallet>, StoreError> {
        self.right.store().wallet(user).await
    }

    async fn entries(&self, user: UserId, page: PageRequest) -> Result<Page<Entry>, StoreError> {
        self.right.store().entries(user, page).await
    }

    async fn concert(&self, id: ConcertId) -> Result<Option<Concert>, StoreError> {
        self.right.store().concert(id).await
    }

    async fn concerts(&self, page: PageRequest) -> Result<Page<Concert>, StoreError> {
        self.right.store().concerts(self.fault.page(page)).await
    }

    async fn performance(&self, id: PerformanceId) -> Result<Option<Listing>, StoreError> {
        self.right.store().performance(id).await
    }

    async fn performances(
        &self,
        filter: &PerformanceFilter,
        page: PageRequest,
    ) -> Result<Page<Listing>, StoreError> {
        self.right.store().performances(&self.fault.filter(filter), self.fault.page(page)).await
    }

    async fn seat_map(&self, id: PerformanceId) -> Result<Option<SeatMap>, StoreError> {
        Ok(self.right.store().seat_map(id).await?.map(|map| self.fault.seat_map(map)))
    }

    async fn reservation(&self, user: UserId, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        Ok(self.fault.reservation(&self.right, user, id))
    }

    async fn any_reservation(&self, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        let owner = self.right.store().any_reservation(id).await?.map(|reservation| reservation.user);
        Ok(owner.and_then(|user| self.fault.reservation(&self.right, user, id)))
    }

    async fn reservations(&self, user: UserId, page: PageRequest) -> Result<Page<Reservation>, StoreError> {
        self.right.store().reservations(user, self.fault.page(page)).await
    }

    async fn payments(&self, user: UserId, page: PageRequest) -> Result<Page<Payment>, StoreError> {
        self.right.store().payments(user, self.fault.page(page)).await
    }

    async fn any_payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        self.right.store().any_payment(id).await
    }

    async fn events(&self, after: u64, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        if !F::BENDS_THE_LOG {
            return self.right.store().events(after, limit).await;
        }
        let log = self.fault.events(self.right.log());
        Ok(log.into_iter().filter(|recorded| recorded.seq > after).take(limit).collect())
    }

    async fn seat_history(
        &self,
        performance: PerformanceId,
        seat: SeatNumber,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let log = self.fault.events(self.right.log());
        Ok(log.into_iter().filter(|recorded| recorded.event.moves_seat(performance, seat)).collect())
    }

    async fn expired_holds(&self, limit: usize) -> Result<Vec<ReservationId>, StoreError> {
        Ok(self.fault.expired_holds(&self.right, limit))
    }

    async fn pending_endings(&self, limit: usize) -> Result<Vec<(Ticket, EndReason)>, StoreError> {
        let endings = self.right.store().pending_endings(limit).await?;
        Ok(self.fault.pending_endings(&self.right, endings))
    }

    async fn ack_endings(&self, tickets: &[Ticket]) -> Result<(), StoreError> {
        let forgotten: Vec<Ticket> =
            tickets.iter().filter(|ticket| self.fault.forgets(ticket)).cloned().collect();
        self.right.acknowledged.lock().unwrap().extend(forgotten.iter().cloned());
        self.right.store().ack_endings(&forgotten).await
    }

    async fn lanes(&self) -> Result<Vec<LaneRecord>, StoreError> {
        Ok(self.fault.lanes(self.right.store().lanes().await?))
    }

    async fn lane(&self, name: &LaneName) -> Result<Option<LaneRecord>, StoreError> {
        self.right.store().lane(name).await
    }

    async fn stock(&self, lane: &LaneName) -> Result<Stock, StoreError> {
        let known = self.right.store().lane(lane).await?.is_some();
        Ok(self.fault.stock(known, self.right.store().stock(lane).await?))
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        Ok(self.fault.totals(self.right.store().totals().await?))
    }

    async fn audit(&self) -> Result<Audit, StoreError> {
        Ok(self.fault.audit(self.right.store().audit().await?))
    }
}
