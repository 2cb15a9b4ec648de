//! Rows of the tables as values of the engine. A row that is no such value is damage, and told as such.

use std::time::Duration;

use booking_core::{
    EndReason, Epoch, LanePolicy, RecordedEvent, Ticket,
    catalog::{Concert, LaneRecord, LaneSettings, Performance},
    hold::{Reservation, Seat, SeatNumber},
    id::{ConcertId, EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    payment::Payment,
    wallet::{Entry, EntryKind, Wallet},
};
use chrono::{DateTime, FixedOffset, Utc};
use rusqlite::{Result, Row};

use crate::codec::{At, Id, Names, at, at_if_any, count, damaged, id, money, numbers_of, text, word};

/// Lane, epoch and number of a ticket, from three columns.
fn ticket(row: &Row<'_>, first: usize, user: UserId, names: &mut Names) -> Result<Ticket> {
    Ok(Ticket {
        lane: names.read(row, first)?,
        epoch: Epoch(row.get::<_, i64>(first + 1)?.cast_unsigned()),
        seq: row.get::<_, i64>(first + 2)?.cast_unsigned(),
        user,
    })
}

pub(crate) const RESERVATIONS: &str = "SELECT reservation_id, user_id, performance_id, seats, ticket_lane, \
    ticket_epoch, ticket_seq, amount, created_at, hold_until, status FROM reservations ORDER BY made";

pub(crate) fn reservation(row: &Row<'_>, names: &mut Names) -> Result<Reservation> {
    let user = UserId(id(row, 1)?);
    let own = ReservationId(id(row, 0)?);
    Ok(Reservation {
        id: own,
        user,
        performance: PerformanceId(id(row, 2)?),
        seats: numbers_of(row, 3)?,
        ticket: ticket(row, 4, user, names)?,
        payment: PaymentId::of(own),
        amount: money(row, 7)?,
        created_at: at(row, 8)?,
        hold_until: at(row, 9)?,
        status: word(row, 10)?,
    })
}

pub(crate) const PAYMENTS: &str = "SELECT payment_id, reservation_id, user_id, amount, paid_at, refunded_at \
    FROM payments ORDER BY rowid";

pub(crate) fn payment(row: &Row<'_>, _: &mut Names) -> Result<Payment> {
    Ok(Payment {
        id: PaymentId(id(row, 0)?),
        reservation: ReservationId(id(row, 1)?),
        user: UserId(id(row, 2)?),
        amount: money(row, 3)?,
        paid_at: at(row, 4)?,
        refunded_at: at_if_any(row, 5)?,
    })
}

pub(crate) const WALLETS: &str = "SELECT user_id, balance, entries, opened_at FROM users";

pub(crate) fn wallet(row: &Row<'_>, _: &mut Names) -> Result<Wallet> {
    Ok(Wallet {
        user: UserId(id(row, 0)?),
        balance: money(row, 1)?,
        entries: count(row, 2)?,
        opened_at: at(row, 3)?,
    })
}

pub(crate) const ENTRIES: &str = "SELECT entry_id, user_id, number, kind, payment_id, amount, balance_after, at \
    FROM wallet_entries ORDER BY rowid";

pub(crate) fn entry(row: &Row<'_>, _: &mut Names) -> Result<Entry> {
    let payment = row.get::<_, Option<Id>>(4)?.map(|id| PaymentId(id.0));
    let kind = text(row, 3)?;
    let kind = EntryKind::from_parts(kind, payment)
        .ok_or_else(|| damaged(3, format!("no entry is of the kind {kind:?}")))?;
    Ok(Entry {
        id: EntryId(id(row, 0)?),
        user: UserId(id(row, 1)?),
        number: count(row, 2)?,
        kind,
        amount: money(row, 5)?,
        balance_after: money(row, 6)?,
        at: at(row, 7)?,
    })
}

pub(crate) const CONCERTS: &str = "SELECT concert_id, title, lane, created_at FROM concerts";

pub(crate) fn concert(row: &Row<'_>, names: &mut Names) -> Result<Concert> {
    Ok(Concert {
        id: ConcertId(id(row, 0)?),
        title: row.get(1)?,
        lane: names.read(row, 2)?,
        created_at: at(row, 3)?,
    })
}

pub(crate) const PERFORMANCES: &str = "SELECT performance_id, concert_id, venue, starts_at, utc_offset_seconds, zone, \
    price, seats, on_sale, created_at FROM performances";

pub(crate) fn performance(row: &Row<'_>, _: &mut Names) -> Result<Performance> {
    let seconds: i32 = row.get(4)?;
    let offset =
        FixedOffset::east_opt(seconds).ok_or_else(|| damaged(4, format!("an offset of {seconds} s")))?;
    Ok(Performance {
        id: PerformanceId(id(row, 0)?),
        concert: ConcertId(id(row, 1)?),
        venue: row.get(2)?,
        starts_at: DateTime::<Utc>::from(at(row, 3)?).with_timezone(&offset),
        zone: row.get(5)?,
        price: money(row, 6)?,
        seats: count(row, 7)?,
        on_sale: row.get(8)?,
        created_at: at(row, 9)?,
    })
}

pub(crate) const SEATS: &str = "SELECT performance_id, number, reservation_id, held_until FROM seats";

pub(crate) fn seat(row: &Row<'_>, _: &mut Names) -> Result<(PerformanceId, SeatNumber, Seat)> {
    let held_until = row.get::<_, Option<At>>(3)?.map(|at| at.0);
    let seat = Seat { reservation: ReservationId(id(row, 2)?), held_until };
    Ok((PerformanceId(id(row, 0)?), count(row, 1)?, seat))
}

pub(crate) const LANES: &str = "SELECT name, capacity, max_waiting, admit_per_second, claim_ttl_ns, session_ttl_ns, \
    paused, closed, sold_out, revision FROM lanes";

pub(crate) fn lane(row: &Row<'_>, names: &mut Names) -> Result<LaneRecord> {
    let span = |column| Ok::<_, rusqlite::Error>(Duration::from_nanos(count(row, column)?));
    let most: Option<String> = row.get(2)?;
    Ok(LaneRecord {
        name: names.read(row, 0)?,
        settings: LaneSettings {
            policy: LanePolicy {
                capacity: count(row, 1)?,
                max_waiting: most.map(|most| most.parse()).transpose().map_err(|error| damaged(2, error))?,
                admit_per_second: row.get(3)?,
                claim_ttl: span(4)?,
                session_ttl: span(5)?,
            },
            paused: row.get(6)?,
            closed: row.get(7)?,
            sold_out: row.get(8)?,
            revision: count(row, 9)?,
        },
    })
}

pub(crate) const ENDINGS: &str =
    "SELECT ticket_lane, ticket_epoch, ticket_seq, user_id, reason FROM ticket_endings";

pub(crate) fn ending(row: &Row<'_>, names: &mut Names) -> Result<(Ticket, EndReason)> {
    Ok((ticket(row, 0, UserId(id(row, 3)?), names)?, word(row, 4)?))
}

/// Three columns: number, instant, and the event as JSON.
pub(crate) fn event(row: &Row<'_>) -> Result<RecordedEvent> {
    let event = serde_json::from_str(text(row, 2)?).map_err(|error| damaged(2, error))?;
    Ok(RecordedEvent { seq: count(row, 0)?, at: at(row, 1)?, event })
}
