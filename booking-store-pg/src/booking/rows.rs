//! Rows of the tables as values of the engine. A row that is no such value is damage, and told as such.

use std::time::Duration;

use booking_core::{
    Epoch, Event, LaneName, LanePolicy, Money, RecordedEvent, Ticket, Timestamp,
    catalog::{Concert, LaneRecord, LaneSettings, Performance},
    hold::{self, Reservation, Seat, Seats},
    id::{ConcertId, EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    payment::Payment,
    wallet::{Entry, EntryKind, Wallet},
};
use chrono::{DateTime, FixedOffset, Utc};
use sqlx::{Decode, Error, Postgres, Row, Type, postgres::PgRow};
use uuid::Uuid;

use crate::{
    codec::{At, count, word},
    trouble::damaged,
};

/// The columns of a reservation, as [`reservation`] reads them.
macro_rules! reservation_columns {
    ($of:literal) => {
        concat!(
            $of,
            ".reservation_id, ",
            $of,
            ".user_id, ",
            $of,
            ".performance_id, ",
            $of,
            ".seats, ",
            $of,
            ".ticket_lane, ",
            $of,
            ".ticket_epoch, ",
            $of,
            ".ticket_seq, ",
            $of,
            ".amount, ",
            $of,
            ".created_at, ",
            $of,
            ".hold_until, ",
            $of,
            ".status, ",
            $of,
            ".made"
        )
    };
}

/// The columns of a performance, as [`performance`] reads them.
macro_rules! performance_columns {
    () => {
        "p.performance_id, p.concert_id, p.venue, p.starts_at, p.utc_offset_seconds, p.zone, p.price, p.seats, \
         p.on_sale, p.created_at"
    };
}

/// The columns of a lane, as [`lane`] reads them.
macro_rules! lane_columns {
    () => {
        "name, capacity, max_waiting::text, admit_per_second, claim_ttl_ns, session_ttl_ns, paused, closed, sold_out, \
         revision"
    };
}

pub(super) use {lane_columns, performance_columns, reservation_columns};

pub(super) fn get<'r, T: Decode<'r, Postgres> + Type<Postgres>>(
    row: &'r PgRow,
    at: usize,
) -> Result<T, Error> {
    row.try_get(at)
}

pub(super) fn at(row: &PgRow, column: usize) -> Result<Timestamp, Error> {
    get::<At>(row, column).map(|at| at.0)
}

fn small_count(row: &PgRow, column: usize) -> Result<u32, Error> {
    let number: i32 = get(row, column)?;
    u32::try_from(number).map_err(|_| damaged(format_args!("a count of {number}")))
}

fn money(row: &PgRow, column: usize) -> Result<Money, Error> {
    Money::new(get(row, column)?).map_err(damaged)
}

fn lane_name(row: &PgRow, column: usize) -> Result<LaneName, Error> {
    let name: &str = get(row, column)?;
    name.parse().map_err(damaged)
}

/// Three columns: lane, epoch and number of a ticket of this user.
pub(super) fn ticket(row: &PgRow, columns: [usize; 3], user: UserId) -> Result<Ticket, Error> {
    let [lane, epoch, seq] = columns;
    Ok(Ticket {
        lane: lane_name(row, lane)?,
        epoch: Epoch(get::<i64>(row, epoch)?.cast_unsigned()),
        seq: get::<i64>(row, seq)?.cast_unsigned(),
        user,
    })
}

/// Twelve columns from 0, and the number of the event that made it.
pub(super) fn reservation(row: &PgRow) -> Result<(i64, Reservation), Error> {
    let seats: Vec<i32> = get(row, 3)?;
    let seats: Result<Seats, _> = seats.into_iter().map(u32::try_from).collect();
    let user = UserId(get(row, 1)?);
    let id = ReservationId(get(row, 0)?);
    let reservation = Reservation {
        id,
        user,
        performance: PerformanceId(get(row, 2)?),
        seats: seats.map_err(damaged)?,
        ticket: ticket(row, [4, 5, 6], user)?,
        payment: PaymentId::of(id),
        amount: money(row, 7)?,
        created_at: at(row, 8)?,
        hold_until: at(row, 9)?,
        status: word(get(row, 10)?)?,
    };
    Ok((get(row, 11)?, reservation))
}

/// Six columns from `first`.
pub(super) fn payment(row: &PgRow, first: usize) -> Result<Payment, Error> {
    Ok(Payment {
        id: PaymentId(get(row, first)?),
        reservation: ReservationId(get(row, first + 1)?),
        user: UserId(get(row, first + 2)?),
        amount: money(row, first + 3)?,
        paid_at: at(row, first + 4)?,
        refunded_at: get::<Option<At>>(row, first + 5)?.map(|at| at.0),
    })
}

/// The payment of a reservation: three columns, of which the last two begin at `first`.
pub(super) fn payment_of(
    reservation: &Reservation,
    amount: i64,
    row: &PgRow,
    first: usize,
) -> Result<Payment, Error> {
    Ok(Payment {
        id: reservation.payment,
        reservation: reservation.id,
        user: reservation.user,
        amount: Money::new(amount).map_err(damaged)?,
        paid_at: at(row, first)?,
        refunded_at: get::<Option<At>>(row, first + 1)?.map(|at| at.0),
    })
}

/// Four columns from 0: user, balance, number of entries, and since when.
pub(super) fn wallet(row: &PgRow) -> Result<Wallet, Error> {
    wallet_of(get(row, 0)?, get(row, 1)?, get(row, 2)?, get(row, 3)?)
}

/// The same as lists, from `first`.
pub(super) fn wallets(row: &PgRow, first: usize) -> Result<Vec<Wallet>, Error> {
    let (users, balances) = (list(row, first)?, list(row, first + 1)?);
    let (entries, opened_at) = (list(row, first + 2)?, list(row, first + 3)?);
    let each = users.into_iter().zip(balances).zip(entries).zip(opened_at);
    each.map(|(((user, balance), entries), at)| wallet_of(user, balance, entries, at)).collect()
}

fn wallet_of(user: Uuid, balance: i64, entries: i64, opened_at: At) -> Result<Wallet, Error> {
    Ok(Wallet {
        user: UserId(user),
        balance: Money::new(balance).map_err(damaged)?,
        entries: u64::try_from(entries).map_err(|_| damaged(format_args!("a count of {entries}")))?,
        opened_at: opened_at.0,
    })
}

/// A column that is a list, which is missing if it is empty.
pub(super) fn list<T>(row: &PgRow, at: usize) -> Result<Vec<T>, Error>
where
    Vec<T>: for<'r> Decode<'r, Postgres> + Type<Postgres>,
{
    Ok(row.try_get::<Option<Vec<T>>, _>(at)?.unwrap_or_default())
}

/// Eight columns from 0.
pub(super) fn entry(row: &PgRow) -> Result<Entry, Error> {
    let payment = get::<Option<Uuid>>(row, 4)?.map(PaymentId);
    let kind: &str = get(row, 3)?;
    let kind = EntryKind::from_parts(kind, payment)
        .ok_or_else(|| damaged(format_args!("no entry is of the kind {kind:?}")))?;
    Ok(Entry {
        id: EntryId(get(row, 0)?),
        user: UserId(get(row, 1)?),
        number: count(row, 2)?,
        kind,
        amount: money(row, 5)?,
        balance_after: money(row, 6)?,
        at: at(row, 7)?,
    })
}

/// Four columns from `first`.
pub(super) fn concert(row: &PgRow, first: usize) -> Result<Concert, Error> {
    Ok(Concert {
        id: ConcertId(get(row, first)?),
        title: get(row, first + 1)?,
        lane: lane_name(row, first + 2)?,
        created_at: at(row, first + 3)?,
    })
}

/// Ten columns from 0.
pub(super) fn performance(row: &PgRow) -> Result<Performance, Error> {
    let offset: i32 = get(row, 4)?;
    let offset =
        FixedOffset::east_opt(offset).ok_or_else(|| damaged(format_args!("an offset of {offset} s")))?;
    Ok(Performance {
        id: PerformanceId(get(row, 0)?),
        concert: ConcertId(get(row, 1)?),
        venue: get(row, 2)?,
        starts_at: DateTime::<Utc>::from(at(row, 3)?).with_timezone(&offset),
        zone: get(row, 5)?,
        price: money(row, 6)?,
        seats: small_count(row, 7)?,
        on_sale: get(row, 8)?,
        created_at: at(row, 9)?,
    })
}

/// A seat that somebody has, where it is.
type TakenSeat = (PerformanceId, u32, Seat);

/// Four columns from 0: performance, number, reservation, and until when.
pub(super) fn seat(row: &PgRow) -> Result<TakenSeat, Error> {
    seat_of(get(row, 0)?, get(row, 1)?, get(row, 2)?, get(row, 3)?)
}

/// The same as lists, from `first`.
pub(super) fn seats(row: &PgRow, first: usize) -> Result<Vec<TakenSeat>, Error> {
    let (performances, numbers) = (list(row, first)?, list(row, first + 1)?);
    let (reservations, untils) = (list(row, first + 2)?, list(row, first + 3)?);
    let each = performances.into_iter().zip(numbers).zip(reservations).zip(untils);
    each.map(|(((of, number), reservation), until)| seat_of(of, number, reservation, until)).collect()
}

fn seat_of(of: Uuid, number: i32, reservation: Uuid, held_until: Option<At>) -> Result<TakenSeat, Error> {
    let number = u32::try_from(number).map_err(|_| damaged(format_args!("a count of {number}")))?;
    let held_until = held_until.map(|at| at.0);
    Ok((PerformanceId(of), number, Seat { reservation: ReservationId(reservation), held_until }))
}

/// Ten columns from 0.
pub(super) fn lane(row: &PgRow) -> Result<LaneRecord, Error> {
    let span = |column| Ok::<_, Error>(Duration::from_nanos(count(row, column)?));
    let most: Option<&str> = get(row, 2)?;
    let rate: Option<i64> = get(row, 3)?;
    Ok(LaneRecord {
        name: lane_name(row, 0)?,
        settings: LaneSettings {
            policy: LanePolicy {
                capacity: count(row, 1)?,
                max_waiting: most.map(str::parse).transpose().map_err(damaged)?,
                admit_per_second: rate.map(u32::try_from).transpose().map_err(damaged)?,
                claim_ttl: span(4)?,
                session_ttl: span(5)?,
            },
            paused: get(row, 6)?,
            closed: get(row, 7)?,
            sold_out: get(row, 8)?,
            revision: count(row, 9)?,
        },
    })
}

/// Entries of the log, as [`event`] reads them: those of reservations that this condition is true of, and those of `events` of which
/// that is.
macro_rules! log {
    ($of_reservations:expr, $of_events:expr) => {
        concat!(
            "(SELECT ",
            rows::reservation_columns!("r"),
            ", r.created_at AS at, NULL::text AS event FROM reservations r WHERE ",
            $of_reservations,
            ") UNION ALL (SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, seq, at, event \
                FROM events WHERE ",
            $of_events,
            ")"
        )
    };
}

pub(super) use log;

/// Twelve columns of a reservation, of which the last is the number in the log, the instant, and the event as text: if there is
/// none, it is the reservation that tells it; else there is no reservation.
pub(super) fn event(row: &PgRow) -> Result<RecordedEvent, Error> {
    let event = if let Some(text) = get::<Option<&str>>(row, 13)? {
        serde_json::from_str(text).map_err(damaged)?
    } else {
        Event::Hold(hold::Event::made(reservation(row)?.1))
    };
    Ok(RecordedEvent { seq: count(row, 11)?, at: at(row, 12)?, event })
}
