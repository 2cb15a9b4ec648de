//! One purchase, as examples: each answer follows from the request before it. They are values of the wire types, so
//! they can't fall behind them.

use booking_core::{
    Event, RecordedEvent, Timestamp,
    hold::{self, ReservationStatus, SeatStatus, SeatsOf},
    id::{PerformanceId, ReservationId, UserId},
    payment::PaymentStatus,
    wallet,
};
use chrono::{DateTime, FixedOffset, Offset, Utc};
use uuid::{Uuid, uuid};

use crate::{
    AuditCheck, AuditReport, ChargeMade, Concert, ConcertInput, ConcertsPut, CreateCharge, CreatePayment,
    CreateReservation, CreateUser, EnterQueue, Entry, Events, LaneChange, LaneStatus, OwnedPayment,
    OwnedReservation, Payment, PaymentDue, PaymentMade, Performance, PerformanceInput, PlaceStatus,
    PutConcerts, QueuePlace, QueueToken, Refund, Release, Reservation, SeatChanges, SeatHistory, Seats,
    UserCreated, Wallet,
};

const USER: Uuid = uuid!("0196b5d2-6f2a-7c31-9a54-3b0d1c8e7f10");
const CONCERT: Uuid = uuid!("5f0c7a3e-2b64-5d18-8f3a-6e1d9b7c4a21");
/// The performance of the examples.
pub const PERFORMANCE: Uuid = uuid!("a4d1e6b8-93c5-5f70-b2e4-7c8f0a1d3e55");
const RESERVATION: Uuid = uuid!("0196b5d4-11b7-7e02-8c6d-94f2a5b3c7d8");
const PAYMENT: Uuid = uuid!("2c9e4f71-5a08-5b36-9d12-e7f3c6a8b094");
const ENTRY: Uuid = uuid!("8b3d5e90-7f14-5c62-a0e9-1d4b6c8f2a73");
const USER_TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJib29raW5nLnVzZXIifQ.c2lnbmF0dXJl";
const QUEUE_TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJib29raW5nLnF1ZXVlIn0.c2lnbmF0dXJl";
const PRICE: i64 = 132_000;
const CHARGED: i64 = 150_000;

/// So many seconds after the sale began.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_932_807_600 + seconds, 0).unwrap_or_default()
}

fn begins() -> DateTime<FixedOffset> {
    let seoul = FixedOffset::east_opt(9 * 3_600).unwrap_or(Utc.fix());
    DateTime::from_timestamp(1_935_657_000, 0).unwrap_or_default().with_timezone(&seoul)
}

pub(crate) fn create_user() -> CreateUser {
    CreateUser::default()
}

pub(crate) fn user_created() -> UserCreated {
    UserCreated { user_id: USER, user_token: USER_TOKEN.into(), expires_at: at(86_400) }
}

pub(crate) fn enter_queue() -> EnterQueue {
    EnterQueue { lane: Some("main".into()) }
}

/// A place of somebody who waits.
pub fn queue_place() -> QueuePlace {
    QueuePlace {
        user_id: USER,
        lane: "main".into(),
        order: 4_213,
        status: PlaceStatus::Waiting,
        rank: Some(212),
        ahead: Some(211),
        estimated_wait_seconds: Some(21),
        poll_after_ms: Some(2_000),
        expires_at: None,
        reason: None,
    }
}

pub(crate) fn queue_token() -> QueueToken {
    QueueToken { queue_token: QUEUE_TOKEN.into(), place: queue_place() }
}

pub(crate) fn concert() -> Concert {
    Concert { concert_id: CONCERT, title: "Mozart: Requiem".into(), lane: "main".into() }
}

pub(crate) fn performance() -> Performance {
    Performance {
        performance_id: PERFORMANCE,
        concert_id: CONCERT,
        venue: "Seoul Arts Center, Concert Hall".into(),
        date: begins().date_naive(),
        starts_at: begins(),
        zone: Some("Asia/Seoul".into()),
        price: PRICE,
        seats_total: 50,
        seats_available: 3,
    }
}

pub(crate) fn seats() -> Seats {
    Seats { performance_id: PERFORMANCE, seats_total: 50, available: vec![17, 18, 42], seats: None }
}

pub(crate) fn create_reservation() -> CreateReservation {
    CreateReservation::seats(PERFORMANCE, vec![17])
}

pub(crate) fn reservation() -> Reservation {
    Reservation {
        reservation_id: RESERVATION,
        performance_id: PERFORMANCE,
        seats: vec![17],
        status: ReservationStatus::Held,
        amount: PRICE,
        created_at: at(60),
        hold_expires_at: at(360),
        payment: Some(PaymentDue { payment_id: PAYMENT, status: PaymentStatus::Due }),
    }
}

pub(crate) fn create_charge() -> CreateCharge {
    CreateCharge { amount: CHARGED, user_id: None }
}

pub(crate) fn charge_made() -> ChargeMade {
    ChargeMade { entry_id: ENTRY, amount: CHARGED, balance: CHARGED }
}

pub(crate) fn wallet() -> Wallet {
    Wallet { user_id: USER, balance: CHARGED }
}

pub(crate) fn entry() -> Entry {
    Entry {
        entry_id: ENTRY,
        number: 1,
        kind: "charge".into(),
        amount: CHARGED,
        balance_after: CHARGED,
        payment_id: None,
        at: at(90),
    }
}

pub(crate) fn create_payment() -> CreatePayment {
    CreatePayment { reservation_id: RESERVATION }
}

pub(crate) fn payment() -> Payment {
    Payment {
        payment_id: PAYMENT,
        reservation_id: RESERVATION,
        amount: PRICE,
        status: PaymentStatus::Paid,
        paid_at: at(120),
        refunded_at: None,
    }
}

pub(crate) fn payment_made() -> PaymentMade {
    PaymentMade { payment: payment(), balance: CHARGED - PRICE }
}

pub(crate) fn put_concerts() -> PutConcerts {
    let (Concert { concert_id, title, lane }, shown) = (concert(), performance());
    let performance = PerformanceInput {
        performance_id: shown.performance_id,
        venue: shown.venue,
        starts_at: shown.starts_at,
        zone: shown.zone,
        price: shown.price,
        seats: shown.seats_total,
        on_sale: true,
    };
    PutConcerts { concerts: vec![ConcertInput { concert_id, title, lane, performances: vec![performance] }] }
}

pub(crate) fn concerts_put() -> ConcertsPut {
    ConcertsPut { added: 2, changed: 0, unchanged: 0 }
}

pub(crate) fn lane_change() -> LaneChange {
    LaneChange { capacity: Some(500), admit_per_second: Some(Some(50)), ..LaneChange::default() }
}

pub(crate) fn lane_status() -> LaneStatus {
    LaneStatus {
        lane: "main".into(),
        capacity: 500,
        max_waiting: None,
        admit_per_second: Some(50),
        claim_ttl_ms: 60_000,
        session_ttl_ms: 900_000,
        paused: false,
        closed: false,
        sold_out: false,
        waiting: Some(3_501),
        admitted: Some(500),
        entered: Some(4_213),
    }
}

pub(crate) fn refund() -> Refund {
    Refund { payment_id: PAYMENT, dry_run: false }
}

pub(crate) fn release() -> Release {
    Release { dry_run: true }
}

pub(crate) fn owned_reservation() -> OwnedReservation {
    OwnedReservation { user_id: USER, reservation: reservation() }
}

pub(crate) fn owned_payment() -> OwnedPayment {
    OwnedPayment { user_id: USER, payment: payment() }
}

pub(crate) fn seat_history() -> SeatHistory {
    let seats = SeatsOf {
        reservation: ReservationId(RESERVATION),
        user: UserId(USER),
        performance: PerformanceId(PERFORMANCE),
        seats: [17].as_slice().into(),
        at: Timestamp::from(at(120)),
    };
    let event =
        RecordedEvent { seq: 9, at: Timestamp::from(at(120)), event: hold::Event::SeatsSold(seats).into() };
    SeatHistory { items: vec![event] }
}

pub(crate) fn opened() -> Event {
    wallet::Event::WalletOpened { user: UserId(USER), at: Timestamp::from(at(0)) }.into()
}

pub(crate) fn events() -> Events {
    let event = RecordedEvent { seq: 4, at: Timestamp::from(at(0)), event: opened() };
    Events { items: vec![event], next_after: 4 }
}

pub(crate) fn audit_report() -> AuditReport {
    let check = AuditCheck {
        invariant: "I6".into(),
        statement: "every balance is the sum of its entries".into(),
        checked: 1_000,
        violations: Vec::new(),
    };
    AuditReport { clean: true, checks: vec![check] }
}

/// Somebody holds seat 17, and seats 18 and 42 are sold.
pub fn seat_changes() -> SeatChanges {
    SeatChanges { available: Vec::new(), held: vec![17], sold: vec![18, 42] }
}

/// What the whole map of a performance shows.
pub(crate) fn seat_of_map() -> crate::SeatOfMap {
    crate::SeatOfMap { seat: 17, status: SeatStatus::Available }
}
