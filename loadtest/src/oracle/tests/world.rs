//! A small run in which everything is right. Person 0 comes first and buys seat 1; person 1 waits, is admitted then, is told
//! that seat 1 is taken, holds seat 2 and gives it back. Person 2 tries what nobody may do.

use std::collections::BTreeMap;

use booking_api::{AuditReport, Code, Entry, Payment, PaymentDue, PlaceStatus, Reservation};
use booking_core::{
    Epoch, Event, LaneName, Money, RecordedEvent, Ticket, Timestamp,
    hold::{self, ReservationStatus, SeatsOf},
    id::{EntryId, PaymentId, PerformanceId, ReservationId, UserId, from_idempotency_key},
    payment::{self, PaymentStatus},
    wallet::{self, EntryKind},
};
use uuid::Uuid;

use super::super::{Account, Books, Evidence, Terms};
use crate::{
    history::{
        Act, ChargedFact, Fact, Heard, HeldFact, Micros, PaidFact, PlaceFact, Probe, Sample, Seen, TicketId,
    },
    person::key_text,
};

pub(super) const EPOCH: u64 = 7;
pub(super) const PRICE: i64 = 100;
pub(super) const SHOW: Uuid = Uuid::from_u128(0xF1);
/// The store's clock when the run begins.
const BEGAN: i64 = 1_700_000_000_000_000;
const HOLD: i64 = 5_000_000;

pub(super) fn user(person: u32) -> Uuid {
    Uuid::from_u128(0xA0 + u128::from(person))
}

pub(super) fn reservation(person: u32, key: u32) -> Uuid {
    from_idempotency_key(UserId(user(person)), "reservation", &key_text(key))
}

pub(super) fn entry(person: u32, key: u32) -> Uuid {
    from_idempotency_key(UserId(user(person)), "charge", &key_text(key))
}

fn payment_of(reservation: Uuid) -> Uuid {
    PaymentId::of(ReservationId(reservation)).0
}

/// An instant of the store, so many milliseconds into the run.
fn at(ms: i64) -> Timestamp {
    Timestamp::from_micros(BEGAN + ms * 1_000)
}

/// A record: sent at `ms`, answered 10 ms later.
pub(super) fn seen(person: u32, ms: Micros, act: Act, heard: Heard) -> Seen {
    let sent = ms * 1_000;
    Seen { person, host: 0, due: sent, sent, answered: sent + 10_000, act, heard }
}

pub(super) fn place(person: u32, order: u64, status: PlaceStatus, rank: Option<u64>) -> Heard {
    Heard::Acknowledged(Fact::Place(PlaceFact {
        ticket: TicketId { epoch: EPOCH, order },
        user: user(person),
        status,
        rank: rank.map(|rank| (rank, rank - 1)),
        reason: None,
    }))
}

pub(super) fn held(person: u32, key: u32, seat: u32, ms: i64) -> HeldFact {
    HeldFact {
        reservation: reservation(person, key),
        performance: SHOW,
        seat,
        amount: PRICE,
        created_at: at(ms).micros(),
        until: at(ms).micros() + HOLD,
        status: ReservationStatus::Held,
        replayed: false,
    }
}

fn history() -> Vec<Seen> {
    use PlaceStatus::{Admitted, Done, Waiting};
    let hold = |key, seat| Act::Hold { key, performance: SHOW, seat };
    let charged = |person| {
        Heard::Acknowledged(Fact::Charged(ChargedFact {
            entry: entry(person, 1),
            amount: PRICE,
            balance: PRICE,
        }))
    };
    let paid = PaidFact {
        payment: payment_of(reservation(0, 2)),
        reservation: reservation(0, 2),
        amount: PRICE,
        balance: 0,
        paid_at: at(2_505).micros(),
        replayed: false,
    };
    vec![
        seen(0, 0, Act::Enter, place(0, 1, Waiting, Some(1))),
        seen(1, 100, Act::Enter, place(1, 2, Waiting, Some(2))),
        seen(0, 1_000, Act::Status, place(0, 1, Admitted, None)),
        seen(1, 1_500, Act::Status, place(1, 2, Waiting, Some(1))),
        seen(0, 2_000, Act::Charge { key: 1, amount: PRICE }, charged(0)),
        seen(0, 2_200, hold(2, 1), Heard::Acknowledged(Fact::Held(held(0, 2, 1, 2_205)))),
        seen(
            2,
            2_300,
            Act::Probe(Probe::PayForeign(reservation(0, 2))),
            Heard::Refused(Code::UnknownReservation),
        ),
        seen(
            2,
            2_350,
            Act::Probe(Probe::ForgedToken { performance: SHOW }),
            Heard::Refused(Code::InvalidToken),
        ),
        seen(0, 2_500, Act::Pay(reservation(0, 2)), Heard::Acknowledged(Fact::Paid(paid))),
        seen(0, 2_600, Act::Status, place(0, 1, Done, None)),
        seen(1, 4_000, Act::Status, place(1, 2, Admitted, None)),
        seen(1, 4_100, Act::Charge { key: 1, amount: PRICE }, charged(1)),
        seen(1, 4_200, hold(2, 1), Heard::Refused(Code::SeatTaken)),
        seen(1, 4_300, hold(3, 2), Heard::Acknowledged(Fact::Held(held(1, 3, 2, 4_305)))),
        seen(1, 4_400, Act::Release(reservation(1, 3)), Heard::Acknowledged(Fact::Plain)),
    ]
}

pub(super) fn seats_of(person: u32, key: u32, seat: u32, ms: i64) -> SeatsOf {
    SeatsOf {
        reservation: ReservationId(reservation(person, key)),
        user: UserId(user(person)),
        performance: PerformanceId(SHOW),
        seats: [seat].into_iter().collect(),
        at: at(ms),
    }
}

pub(super) fn logged_hold(person: u32, key: u32, seat: u32, ms: i64) -> Event {
    let id = reservation(person, key);
    let made = hold::Reservation {
        id: ReservationId(id),
        user: UserId(user(person)),
        performance: PerformanceId(SHOW),
        seats: [seat].into_iter().collect(),
        ticket: Ticket { lane: LaneName::main(), epoch: Epoch(EPOCH), seq: 1, user: UserId(user(person)) },
        payment: PaymentId(payment_of(id)),
        amount: money(PRICE),
        created_at: at(ms),
        hold_until: Timestamp::from_micros(at(ms).micros() + HOLD),
        status: ReservationStatus::Held,
    };
    hold::Event::SeatsHeld(made.into()).into()
}

pub(super) fn money(units: i64) -> Money {
    Money::new(units).unwrap()
}

pub(super) fn logged_charge(person: u32, key: u32) -> Event {
    let (id, kind) = (EntryId(entry(person, key)), EntryKind::Charge);
    wallet::Event::WalletCharged(line(person, id, 1, kind, PRICE)).into()
}

fn line(person: u32, id: EntryId, number: u64, kind: EntryKind, after: i64) -> wallet::Entry {
    wallet::Entry {
        id,
        user: UserId(user(person)),
        number,
        kind,
        amount: money(PRICE),
        balance_after: money(after),
        at: at(2_005),
    }
}

pub(super) fn logged_sale() -> [Event; 3] {
    let payment = PaymentId(payment_of(reservation(0, 2)));
    let debit = line(0, EntryId::debit_of(payment), 2, EntryKind::Debit(payment), 0);
    let made = payment::Payment {
        id: payment,
        reservation: ReservationId(reservation(0, 2)),
        user: UserId(user(0)),
        amount: money(PRICE),
        paid_at: at(2_505),
        refunded_at: None,
    };
    [
        wallet::Event::WalletDebited(debit).into(),
        hold::Event::SeatsSold(seats_of(0, 2, 1, 2_505)).into(),
        payment::Event::PaymentMade(made).into(),
    ]
}

/// Adds an event to the log.
pub(super) fn log(evidence: &mut Evidence, event: Event) {
    let seq = evidence.books.events.len() as u64 + 1;
    evidence.books.events.push(RecordedEvent { seq, at: at(0), event });
}

pub(super) fn wire_entry(
    id: Uuid,
    number: u64,
    kind: &str,
    amount: i64,
    after: i64,
    payment: Option<Uuid>,
) -> Entry {
    Entry {
        entry_id: id,
        number,
        kind: kind.into(),
        amount,
        balance_after: after,
        payment_id: payment,
        at: at(0).into(),
    }
}

fn wire_reservation(person: u32, key: u32, seat: u32, status: ReservationStatus) -> Reservation {
    let id = reservation(person, key);
    Reservation {
        reservation_id: id,
        performance_id: SHOW,
        seats: vec![seat],
        status,
        amount: PRICE,
        created_at: at(0).into(),
        hold_expires_at: at(0).into(),
        payment: Some(PaymentDue { payment_id: payment_of(id), status: PaymentStatus::Paid }),
    }
}

fn accounts() -> BTreeMap<u32, Account> {
    let payment = payment_of(reservation(0, 2));
    let buyer = Account {
        balance: 0,
        entries: vec![
            wire_entry(entry(0, 1), 1, "charge", PRICE, PRICE, None),
            wire_entry(payment, 2, "debit", PRICE, 0, Some(payment)),
        ],
        payments: vec![Payment {
            payment_id: payment,
            reservation_id: reservation(0, 2),
            amount: PRICE,
            status: PaymentStatus::Paid,
            paid_at: at(2_505).into(),
            refunded_at: None,
        }],
        reservations: vec![wire_reservation(0, 2, 1, ReservationStatus::Confirmed)],
        ticket: Some(PlaceStatus::Done),
    };
    let other = Account {
        balance: PRICE,
        entries: vec![wire_entry(entry(1, 1), 1, "charge", PRICE, PRICE, None)],
        payments: Vec::new(),
        reservations: vec![wire_reservation(1, 3, 2, ReservationStatus::Released)],
        ticket: Some(PlaceStatus::Admitted),
    };
    BTreeMap::from([(0, buyer), (1, other)])
}

/// The run in which everything is right.
pub(super) fn clean() -> Evidence {
    let sample = |ms: Micros, waiting, admitted| {
        let sent = ms * 1_000;
        Sample { sent, answered: sent + 1_000, waiting, admitted, entered: waiting + admitted, open: true }
    };
    let books = Books {
        events: Vec::new(),
        audit: AuditReport { clean: true, checks: Vec::new() },
        accounts: accounts(),
    };
    let mut evidence = Evidence {
        terms: Terms {
            capacity: 1,
            claim_ttl: 60_000_000,
            opened: None,
            performances: vec![SHOW],
            price: PRICE,
        },
        users: (0..3).map(|person| (person, user(person))).collect(),
        history: history(),
        samples: vec![sample(500, 1, 1), sample(2_700, 1, 0), sample(3_900, 0, 1)],
        books,
    };
    log(&mut evidence, logged_charge(0, 1));
    log(&mut evidence, logged_hold(0, 2, 1, 2_205));
    for event in logged_sale() {
        log(&mut evidence, event);
    }
    log(&mut evidence, logged_charge(1, 1));
    log(&mut evidence, logged_hold(1, 3, 2, 4_305));
    log(&mut evidence, hold::Event::HoldReleased(seats_of(1, 3, 2, 4_405)).into());
    evidence
}

/// What a person heard of the payment.
pub(super) fn paid(evidence: &mut Evidence, person: u32) -> &mut PaidFact {
    let mut facts = evidence.history.iter_mut().filter(|seen| seen.person == person);
    facts
        .find_map(
            |seen| {
                if let Heard::Acknowledged(Fact::Paid(paid)) = &mut seen.heard { Some(paid) } else { None }
            },
        )
        .unwrap()
}

/// What a person heard of the hold.
pub(super) fn held_by(evidence: &mut Evidence, person: u32) -> &mut HeldFact {
    let mut facts = evidence.history.iter_mut().filter(|seen| seen.person == person);
    facts
        .find_map(
            |seen| {
                if let Heard::Acknowledged(Fact::Held(held)) = &mut seen.heard { Some(held) } else { None }
            },
        )
        .unwrap()
}

/// The record of what a person asked at that millisecond.
pub(super) fn record(evidence: &mut Evidence, person: u32, ms: Micros) -> &mut Seen {
    evidence.history.iter_mut().find(|seen| seen.person == person && seen.sent == ms * 1_000).unwrap()
}
