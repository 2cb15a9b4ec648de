use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use booking_core::{
    BookingPolicy, Command, EndReason, Error, LaneName, ManualClock, Outcome, RecordedEvent, Refusal,
    StoreError, Ticket, Timestamp,
    audit::Audit,
    catalog::{Concert, LaneChange, LaneRecord, LaneSettings, Stock},
    hold::Reservation,
    id::{ConcertId, PaymentId, PerformanceId, ReservationId, UserId},
    memory::{MemoryBooking, MemoryQueue},
    payment::Payment,
    queue::{Advanced, Entered, LaneSnapshot, Place},
    store::{BookingStore, Listing, Page, PageRequest, PerformanceFilter, QueueStore, SeatMap, Totals},
    wallet::{Entry, Wallet},
};
use booking_server::{Options, system_clock};
use serde_json::json;

use crate::support::{Buyer, PRICE, SHOW, Service, options};

/// What a store does to its next calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It can't be reached.
    Down,
    /// It does what it is asked, and the answer is lost.
    AnswerLost,
    /// It breaks an obligation.
    Broken,
    /// It panics.
    Panic,
    /// It never answers.
    Silent,
    /// It does what it is asked, and never answers.
    Mute,
    /// It takes [`SLOWLY`] for each call.
    Slow,
}

/// How long a slow store takes.
pub(crate) const SLOWLY: Duration = Duration::from_millis(200);

const SECRET: &str = "postgres://booking:hunter2@10.0.0.5/booking";

/// A store that can be made to fail.
pub(crate) struct Faulty<S> {
    inner: S,
    fault: Mutex<Fault>,
    /// How often each of its calls was made.
    asked: Mutex<BTreeMap<&'static str, u64>>,
}

impl<S> Faulty<S> {
    fn new(inner: S) -> Arc<Self> {
        Arc::new(Self { inner, fault: Mutex::new(Fault::None), asked: Mutex::default() })
    }

    pub(crate) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// How often this was asked for.
    pub(crate) fn asked(&self, name: &str) -> u64 {
        self.asked.lock().unwrap().get(name).copied().unwrap_or(0)
    }

    fn before(&self, name: &'static str) -> Result<(), StoreError> {
        *self.asked.lock().unwrap().entry(name).or_default() += 1;
        let fault = *self.fault.lock().unwrap();
        match fault {
            Fault::None | Fault::AnswerLost | Fault::Silent | Fault::Mute | Fault::Slow => Ok(()),
            Fault::Down => Err(StoreError::unavailable(SECRET)),
            Fault::Broken => Err(StoreError::broken(SECRET)),
            Fault::Panic => panic!("{SECRET}"),
        }
    }

    /// Takes its time, if the store is slow.
    async fn linger(&self) {
        let is_slow = *self.fault.lock().unwrap() == Fault::Slow;
        if is_slow {
            tokio::time::sleep(SLOWLY).await;
        }
    }

    /// Never ends, if this is the fault.
    async fn stop_at(&self, fault: Fault) {
        let now = *self.fault.lock().unwrap();
        if now == fault {
            std::future::pending::<()>().await;
        }
    }

    fn after(&self) -> Result<(), StoreError> {
        let lost = *self.fault.lock().unwrap() == Fault::AnswerLost;
        if lost { Err(StoreError::unknown_outcome(SECRET)) } else { Ok(()) }
    }
}

macro_rules! port {
    ($port:ident for $inner:ty { $($name:ident($($arg:ident: $type:ty),*) -> $answer:ty, $error:ty;)* }) => {
        #[async_trait]
        impl $port for Faulty<$inner> {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$answer, $error> {
                self.before(stringify!($name))?;
                self.stop_at(Fault::Silent).await;
                self.linger().await;
                let answer = self.inner.$name($($arg),*).await?;
                self.stop_at(Fault::Mute).await;
                self.after()?;
                Ok(answer)
            })*
        }
    };
}

port!(BookingStore for MemoryBooking {
    execute(batch: Vec<Command>) -> Vec<Result<Outcome, Refusal>>, StoreError;
    wallet(user: UserId) -> Option<Wallet>, StoreError;
    entries(user: UserId, page: PageRequest) -> Page<Entry>, StoreError;
    concert(id: ConcertId) -> Option<Concert>, StoreError;
    concerts(page: PageRequest) -> Page<Concert>, StoreError;
    performance(id: PerformanceId) -> Option<Listing>, StoreError;
    performances(filter: &PerformanceFilter, page: PageRequest) -> Page<Listing>, StoreError;
    seat_map(id: PerformanceId) -> Option<SeatMap>, StoreError;
    reservation(user: UserId, id: ReservationId) -> Option<Reservation>, StoreError;
    any_reservation(id: ReservationId) -> Option<Reservation>, StoreError;
    reservations(user: UserId, page: PageRequest) -> Page<Reservation>, StoreError;
    payments(user: UserId, page: PageRequest) -> Page<Payment>, StoreError;
    any_payment(id: PaymentId) -> Option<Payment>, StoreError;
    events(after: u64, limit: usize) -> Vec<RecordedEvent>, StoreError;
    seat_history(performance: PerformanceId, seat: u32) -> Vec<RecordedEvent>, StoreError;
    expired_holds(limit: usize) -> Vec<ReservationId>, StoreError;
    pending_endings(limit: usize) -> Vec<(Ticket, EndReason)>, StoreError;
    ack_endings(tickets: &[Ticket]) -> (), StoreError;
    lanes() -> Vec<LaneRecord>, StoreError;
    lane(name: &LaneName) -> Option<LaneRecord>, StoreError;
    stock(lane: &LaneName) -> Stock, StoreError;
    totals() -> Totals, StoreError;
    audit() -> Audit, StoreError;
});

port!(QueueStore for MemoryQueue {
    enter(lane: &LaneName, user: UserId) -> Entered, Error;
    place(ticket: &Ticket) -> Place, Error;
    claim(ticket: &Ticket) -> Timestamp, Error;
    finish(ticket: &Ticket, reason: EndReason) -> (), StoreError;
    advance(lane: &LaneName) -> Advanced, Error;
    snapshot(lane: &LaneName, since: Option<u64>) -> LaneSnapshot, Error;
    configure(lane: &LaneName, settings: &LaneSettings) -> (), StoreError;
});

type Stores = (Arc<Faulty<MemoryBooking>>, Arc<Faulty<MemoryQueue>>);

pub(crate) async fn start() -> (Service, Stores) {
    with(options()).await
}

pub(crate) async fn with(options: Options) -> (Service, Stores) {
    let clock = Arc::new(ManualClock::at(system_clock()));
    let booking = Faulty::new(MemoryBooking::new(BookingPolicy::default(), Arc::new(Arc::clone(&clock))));
    let queue = Faulty::new(MemoryQueue::new(Arc::new(Arc::clone(&clock))));
    let service = Service::on(booking.clone(), queue.clone(), clock, options);
    service.engine.set_lane(&LaneName::main(), LaneChange::default()).await.unwrap();
    service.put_show(json!({})).await.expect(200);
    (service, (booking, queue))
}

async fn holding(service: &Service) -> (Buyer, String) {
    let buyer = service.buyer().await;
    let held = service.hold(&buyer, 1).await.expect(201).text("reservation_id");
    service.charge(&buyer, PRICE).await.expect(201);
    (buyer, held)
}

#[tokio::test]
async fn a_store_that_is_down_is_told_as_503_with_retry_after_and_nothing_is_done() {
    let (service, (booking, _)) = start().await;
    let (buyer, held) = holding(&service).await;
    booking.set(Fault::Down);
    for reply in [
        service.pay(&buyer, &held).await,
        service.get("/v1/wallet", &buyer.user_token).await,
        service.get("/v1/concerts", "").await,
        service.get("/health/ready", "").await,
    ] {
        let reply = reply.expect(503);
        assert_eq!((reply.code(), reply.header("retry-after")), ("store_unavailable", Some("1")));
        assert_eq!(
            (&reply.body["retryable"], &reply.body["may_have_applied"]),
            (&json!(true), &json!(false))
        );
        assert!(!reply.body.to_string().contains("hunter2"), "{reply:?}");
    }
    service.get("/health/live", "").await.expect(204);
    booking.set(Fault::None);
    service.get("/health/ready", "").await.expect(204);
    let paid = service.pay(&buyer, &held).await.expect(201);
    assert!(!paid.headers.contains_key("idempotency-replayed"));
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_stores_do_not_answer_is_not_ready_and_says_so_in_time() {
    let (service, (booking, queue)) = start().await;
    for fault in [&booking.fault, &queue.fault] {
        *fault.lock().unwrap() = Fault::Silent;
        let began = tokio::time::Instant::now();
        let refused = service.get("/health/ready", "").await.expect(503);
        assert!(refused.text("detail").contains("do not answer in time"), "{refused:?}");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        *fault.lock().unwrap() = Fault::None;
        service.get("/health/ready", "").await.expect(204);
    }
}

#[tokio::test]
async fn a_server_whose_store_is_broken_is_not_ready() {
    let (service, (booking, _)) = start().await;
    booking.set(Fault::Broken);
    assert_eq!(service.get("/health/ready", "").await.expect(503).code(), "store_unavailable");
    booking.set(Fault::None);
    service.get("/health/ready", "").await.expect(204);
}

#[tokio::test]
async fn a_lost_answer_is_told_as_such_and_the_retry_finds_the_effect() {
    let (service, (booking, _)) = start().await;
    let (buyer, held) = holding(&service).await;
    booking.set(Fault::AnswerLost);
    let lost = service.pay(&buyer, &held).await.expect(503);
    assert_eq!((lost.code(), &lost.body["may_have_applied"]), ("unknown_outcome", &json!(true)));
    booking.set(Fault::None);
    let paid = service.pay(&buyer, &held).await.expect(201);
    assert_eq!((&paid.body["balance"], paid.headers.contains_key("idempotency-replayed")), (&json!(0), true));
    let audit = service.get("/v1/admin/audit", &service.secrets.admin_key).await;
    assert_eq!(audit.body["clean"], true);
}

#[tokio::test]
async fn a_broken_or_panicking_store_is_a_500_that_tells_nothing() {
    let (service, (booking, _)) = start().await;
    for fault in [Fault::Broken, Fault::Panic] {
        booking.set(fault);
        let reply = service.get("/v1/concerts", "").await.expect(500);
        assert_eq!(reply.code(), "internal_error");
        assert!(!reply.body.to_string().contains("hunter2"), "{reply:?}");
    }
}

#[tokio::test]
async fn a_hold_is_paid_while_the_queue_store_is_down_and_the_ticket_ends_when_it_is_back() {
    let (service, (_, queue)) = start().await;
    let (buyer, held) = holding(&service).await;
    queue.set(Fault::Down);
    assert_eq!(service.hold(&buyer, 2).await.expect(503).code(), "store_unavailable");
    service.pay(&buyer, &held).await.expect(201);
    assert!(service.engine.tend().await.is_err());
    queue.set(Fault::None);
    // The queue does not know yet, but the ticket has bought: fencing holds.
    let body = json!({"performance_id": SHOW, "seats": [2]});
    let again = service.post("/v1/reservations", &buyer.queue_token, body).await.expect(401);
    assert_eq!((again.code(), &again.body["reason"]), ("token_done", &json!("completed")));
    assert_eq!(service.get("/v1/queue/status", &buyer.queue_token).await.body["status"], "admitted");
    service.engine.tend().await.unwrap();
    assert_eq!(service.get("/v1/queue/status", &buyer.queue_token).await.body["reason"], "completed");
}

#[tokio::test]
async fn who_leaves_without_the_queue_store_hears_that_something_was_done_if_it_was() {
    let (service, (_, queue)) = start().await;
    let (buyer, _) = holding(&service).await;
    let next = service.buyer().await;
    queue.set(Fault::Down);
    let leave = async || service.delete("/v1/queue/tokens", &buyer.queue_token).await;
    let half_done = leave().await.expect(503);
    assert_eq!((half_done.code(), &half_done.body["may_have_applied"]), ("unknown_outcome", &json!(true)));
    let not_done = leave().await.expect(503);
    assert_eq!(
        (not_done.code(), &not_done.body["may_have_applied"]),
        ("store_unavailable", &json!(false)),
        "the hold was given back before"
    );
    queue.set(Fault::None);
    service.hold(&next, 1).await.expect(201);
    leave().await.expect(204);
}

#[tokio::test]
async fn lane_settings_that_are_kept_are_told_as_kept_while_the_queue_store_is_down() {
    let (service, (booking, queue)) = start().await;
    queue.set(Fault::Down);
    let kept = service.change_lane(json!({"capacity": 7})).await.expect(200);
    assert_eq!((&kept.body["capacity"], &kept.body["waiting"]), (&json!(7), &json!(null)));
    service.get("/v1/admin/lanes/main", &service.secrets.admin_key).await.expect(503);
    booking.set(Fault::Down);
    assert_eq!(service.change_lane(json!({"capacity": 8})).await.expect(503).code(), "store_unavailable");
}
