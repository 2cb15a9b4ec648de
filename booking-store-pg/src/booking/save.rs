//! Saving what a batch changed: only the rows that changed, each kind at once.

use booking_core::{ChangedRows, Event, Timestamp, hold::Reservation, wallet::Wallet};
use sqlx::{PgConnection, Row, query};
use uuid::Uuid;

use super::{
    load::{Head, micros},
    look::{named_seats, of_ticket, taken, tickets},
};
use crate::{
    codec::{At, Lists},
    db::Statement,
    trouble::Trouble,
};

const OPEN_WALLETS: &str = "\
    INSERT INTO users (user_id, balance, entries, opened_at) \
    SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::timestamptz[])";

/// Reservations, seats and the log. Every batch that changes anything writes events, so they all have this in
/// common, and holds have nothing else.
///
/// All of it is saved, or nothing if the head of the log has moved since the batch was decided: no row then. The head
/// comes first, so that whoever waits for another writer waits there. The clock is asked when the head is locked: the
/// filter is above the lock, since it can't be moved into a query that locks.
///
/// A row that should have been there to be changed and was not is a broken obligation, so what was changed is counted.
macro_rules! save {
    ($moved:literal, $are_moved:literal, $is_presumed:expr, $last_event:literal, $catalog_version:literal, $until:literal, $now:literal) => {
        concat!(
            "\
    WITH head AS (UPDATE log_head AS h SET last_event = h.last_event + cardinality($20::text[]), \
            catalog_version = h.catalog_version + $25, returns = h.returns + $26, seats_sold = h.seats_sold + $27 \
        FROM (SELECT last_event, catalog_version FROM log_head FOR NO KEY UPDATE) AS locked \
        WHERE locked.last_event = ",
            $last_event,
            "::bigint AND locked.catalog_version = ",
            $catalog_version,
            "::bigint AND (",
            $until,
            "::timestamptz IS NULL OR booking_now() < ",
            $until,
            ")",
            $is_presumed,
            " RETURNING 1), \
    made AS (INSERT INTO reservations (reservation_id, user_id, performance_id, seats, ticket_lane, \
            ticket_epoch, ticket_seq, payment_id, amount, created_at, hold_until, status, made) \
        SELECT t.id, t.user_id, t.performance_id, ($6::integer[])[t.first:t.last], t.lane, t.epoch, t.seq, t.payment_id, t.amount, \
            t.created_at, t.hold_until, t.status, ",
            $last_event,
            " + t.made \
        FROM (SELECT unnest($1::uuid[]) AS id, unnest($2::uuid[]) AS user_id, unnest($3::uuid[]) AS performance_id, \
            unnest($4::integer[]) AS first, unnest($5::integer[]) AS last, unnest($7::text[]) AS lane, \
            unnest($8::bigint[]) AS epoch, unnest($9::bigint[]) AS seq, unnest($10::uuid[]) AS payment_id, \
            unnest($11::bigint[]) AS amount, unnest($12::timestamptz[]) AS created_at, \
            unnest($13::timestamptz[]) AS hold_until, unnest($14::text[]) AS status, unnest($15::bigint[]) AS made) AS t \
        WHERE EXISTS (SELECT FROM head)), \
    ",
            $moved,
            "taken AS (UPDATE seats s SET reservation_id = t.reservation_id, held_until = t.held_until \
        FROM (SELECT t.reservation_id, t.held_until, s.ctid AS at \
            FROM (SELECT unnest($16::uuid[]) AS performance_id, unnest($17::integer[]) AS number, \
                unnest($18::uuid[]) AS reservation_id, unnest($19::timestamptz[]) AS held_until) AS t \
            CROSS JOIN LATERAL (SELECT ctid FROM seats \
                WHERE performance_id = t.performance_id AND number = t.number OFFSET 0) AS s) AS t \
        WHERE s.ctid = t.at AND EXISTS (SELECT FROM head) RETURNING 1), \
    told AS (INSERT INTO events (seq, at, event, performance_id, seats) \
        SELECT ",
            $last_event,
            " + t.n, ",
            $now,
            ", t.event, t.performance_id, ($24::integer[])[t.first:t.last] \
        FROM (SELECT unnest($20::text[]) AS event, unnest($21::uuid[]) AS performance_id, \
            unnest($22::integer[]) AS first, unnest($23::integer[]) AS last, generate_subscripts($20::text[], 1) AS n) AS t \
        WHERE EXISTS (SELECT FROM head)) \
    SELECT CASE ",
            $are_moved,
            "WHEN (SELECT count(*) FROM taken) <> cardinality($17) THEN refuse_loss('seats') END, ",
            micros!("booking_now()"),
            " FROM head"
        )
    };
}

const SAVE_HOLDS: &str = save!("", "", "", "$28", "$29", "$30", "$31");
/// The same, if what was presumed of them is true: looked for as [`look`](super::look) does, nothing is there but their users,
/// and the clock has come to their instant. An identity that is there breaks the statement off. All of this may be looked for
/// before the head is locked, for the statement sees what its head of the log had seen: who names a last event knows that it was
/// committed.
const SAVE_PRESUMED: &str = save!(
    "",
    "",
    concat!(
        " AND $31 <= booking_now() AND NOT EXISTS (SELECT FROM ",
        tickets!("$7", "$8", "$9", "$2"),
        " CROSS JOIN LATERAL ",
        of_ticket!(),
        " AS r) AND NOT EXISTS (",
        taken!(concat!("(", named_seats!("$16", "$17"), ")"), "AND number = t.number"),
        ") AND NOT EXISTS (SELECT FROM (SELECT unnest($2::uuid[]) AS user_id) AS t \
            WHERE NOT EXISTS (SELECT FROM users u WHERE u.user_id = t.user_id OFFSET 0))"
    ),
    "$28",
    "$29",
    "$30",
    "$31"
);
/// The same, and reservations that were there before. They are left out of most batches, since each table that a statement
/// may change costs it something.
const SAVE_BOOKINGS: &str = save!(
    "moved AS (UPDATE reservations r SET status = t.status \
        FROM (SELECT t.status, r.ctid AS at FROM (SELECT unnest($28::uuid[]) AS id, unnest($29::text[]) AS status) AS t \
            CROSS JOIN LATERAL (SELECT ctid FROM reservations WHERE reservation_id = t.id OFFSET 0) AS r) AS t \
        WHERE r.ctid = t.at AND EXISTS (SELECT FROM head) RETURNING 1), ",
    "WHEN (SELECT count(*) FROM moved) <> cardinality($28) THEN refuse_loss('reservations') ",
    "",
    "$30",
    "$31",
    "$32",
    "$33"
);

const SAVE_MONEY: &str = "\
    WITH moved AS (UPDATE users u SET balance = t.balance, entries = t.entries \
        FROM (SELECT t.balance, t.entries, u.ctid AS at \
            FROM (SELECT unnest($1::uuid[]) AS user_id, unnest($2::bigint[]) AS balance, \
                unnest($3::bigint[]) AS entries) AS t \
            CROSS JOIN LATERAL (SELECT ctid FROM users WHERE user_id = t.user_id OFFSET 0) AS u) AS t \
        WHERE u.ctid = t.at RETURNING 1), \
    made AS (INSERT INTO payments (payment_id, reservation_id, user_id, amount, paid_at, refunded_at) \
        SELECT unnest($4::uuid[]), unnest($5::uuid[]), unnest($6::uuid[]), unnest($7::bigint[]), unnest($8::timestamptz[]), \
            unnest($9::timestamptz[])), \
    refunded AS (UPDATE payments p SET refunded_at = t.refunded_at \
        FROM (SELECT t.refunded_at, p.ctid AS at \
            FROM (SELECT unnest($10::uuid[]) AS id, unnest($11::timestamptz[]) AS refunded_at) AS t \
            CROSS JOIN LATERAL (SELECT ctid FROM payments WHERE payment_id = t.id OFFSET 0) AS p) AS t \
        WHERE p.ctid = t.at RETURNING 1), \
    written AS (INSERT INTO wallet_entries \
            (entry_id, user_id, number, kind, payment_id, amount, balance_after, at) \
        SELECT unnest($12::uuid[]), unnest($13::uuid[]), unnest($14::bigint[]), unnest($15::text[]), unnest($16::uuid[]), \
            unnest($17::bigint[]), unnest($18::bigint[]), unnest($19::timestamptz[])), \
    ended AS (INSERT INTO ticket_endings (ticket_lane, ticket_epoch, ticket_seq, user_id, reason) \
        SELECT unnest($20::text[]), unnest($21::bigint[]), unnest($22::bigint[]), unnest($23::uuid[]), unnest($24::text[]) \
        ON CONFLICT (ticket_lane, ticket_epoch, ticket_seq, user_id) DO UPDATE SET reason = EXCLUDED.reason) \
    SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM refunded)";

pub(super) const STATEMENTS: &[&str] = &[OPEN_WALLETS, SAVE_HOLDS, SAVE_PRESUMED, SAVE_BOOKINGS, SAVE_MONEY];

/// What a batch was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Basis {
    /// Rows that were loaded.
    Loaded,
    /// Rows that are compared when it is saved.
    Presumed,
}

/// The instant of a batch and its place in the log.
pub(super) struct Place {
    /// The number of the last event before it.
    pub(super) last_event: i64,
    /// The catalogue that it was decided on.
    pub(super) catalog_version: i64,
    pub(super) now: Timestamp,
    /// When it can't be saved any more; none: its instant is later than the lock.
    pub(super) until: Option<Timestamp>,
}

impl Place {
    /// Behind the head of the log, which is locked.
    pub(super) fn of(head: &Head) -> Self {
        let Head { last_event, catalog_version, now } = *head;
        Self { last_event, catalog_version, now, until: None }
    }
}

/// The values of a column.
fn column<'a, R: 'a, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn expect(row: &sqlx::postgres::PgRow, at: usize, expected: usize, what: &str) -> Result<(), Trouble> {
    let saved: i64 = row.try_get(at)?;
    if saved == number(expected) {
        Ok(())
    } else {
        Err(Trouble::Broken(format!("{saved} of {expected} {what} were there to be saved")))
    }
}

pub(super) async fn open_wallets(connection: &mut PgConnection, opened: &[&Wallet]) -> Result<(), Trouble> {
    if opened.is_empty() {
        return Ok(());
    }
    query(OPEN_WALLETS)
        .bind(column(opened, |wallet| wallet.user.0))
        .bind(column(opened, |wallet| wallet.balance.units()))
        .bind(column(opened, |wallet| wallet.entries.cast_signed()))
        .bind(column(opened, |wallet| At(wallet.opened_at)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Reservations, seats and the log of a batch, written down for the wire. All that is open is their place in the log.
pub(super) struct Bookings(Statement<'static>);

impl Bookings {
    pub(super) fn of(changes: &ChangedRows<'_>, events: &[Event], basis: Basis) -> Result<Self, Trouble> {
        let told = told(events)?;
        let (made, moved, seats) =
            (&changes.reservations_made[..], &changes.reservations_moved[..], &changes.seats[..]);
        let of = |value: fn(&Reservation) -> Uuid| column(made, move |(_, made)| value(made));
        let seats_made: Lists = made.iter().map(|(_, made)| Some(&made.seats[..])).collect();
        let whole = |seat: u32| i32::try_from(seat).unwrap_or(i32::MAX);
        let saving = query(match basis {
            Basis::Presumed => SAVE_PRESUMED,
            Basis::Loaded if moved.is_empty() => SAVE_HOLDS,
            Basis::Loaded => SAVE_BOOKINGS,
        });
        let saving = saving
            .bind(of(|made| made.id.0))
            .bind(of(|made| made.user.0))
            .bind(of(|made| made.performance.0))
            .bind(seats_made.first)
            .bind(seats_made.last)
            .bind(seats_made.numbers)
            .bind(column(made, |(_, made)| made.ticket.lane.as_str()))
            .bind(column(made, |(_, made)| made.ticket.epoch.0.cast_signed()))
            .bind(column(made, |(_, made)| made.ticket.seq.cast_signed()))
            .bind(of(|made| made.payment.0))
            .bind(column(made, |(_, made)| made.amount.units()))
            .bind(column(made, |(_, made)| At(made.created_at)))
            .bind(column(made, |(_, made)| At(made.hold_until)))
            .bind(column(made, |(_, made)| made.status.as_str()))
            .bind(column(made, |(at, _)| number(*at) + 1))
            .bind(column(seats, |(performance, _, _)| performance.0))
            .bind(column(seats, |(_, number, _)| whole(*number)))
            .bind(column(seats, |(_, _, seat)| seat.map(|seat| seat.reservation.0)))
            .bind(column(seats, |(_, _, seat)| seat.and_then(|seat| seat.held_until).map(At)))
            .bind(told.texts)
            .bind(told.performances)
            .bind(told.seats.first)
            .bind(told.seats.last)
            .bind(told.seats.numbers)
            .bind(i64::from(changes_catalog(changes)))
            .bind(told.returns)
            .bind(changes.seats_sold);
        if moved.is_empty() {
            return Ok(Self(saving));
        }
        let (ids, statuses) =
            (column(moved, |moved| moved.id.0), column(moved, |moved| moved.status.as_str()));
        Ok(Self(saving.bind(ids).bind(statuses)))
    }

    /// Saves them, if the head of the log is still where it is said to be: the clock after it.
    pub(super) async fn save(
        self,
        connection: &mut PgConnection,
        place: &Place,
    ) -> Result<Option<Timestamp>, Trouble> {
        let saving = self.0.bind(place.last_event).bind(place.catalog_version);
        let saving = saving.bind(place.until.map(At)).bind(At(place.now));
        // All that it says, to the end: outside of a transaction it is committed only then.
        let saved = saving.fetch_all(connection).await?;
        let clock = saved.first().map(|row| row.try_get(1)).transpose()?;
        Ok(clock.map(Timestamp::from_micros))
    }
}

/// Whether holds may read other concerts and performances from now on.
pub(super) fn changes_catalog(changes: &ChangedRows<'_>) -> bool {
    let ChangedRows { concerts_added, concerts_changed, performances_added, performances_changed, .. } =
        changes;
    !(concerts_added.is_empty()
        && concerts_changed.is_empty()
        && performances_added.is_empty()
        && performances_changed.is_empty())
}

#[derive(Default)]
struct Told {
    texts: Vec<String>,
    performances: Vec<Option<Uuid>>,
    seats: Lists,
    /// Sold seats that came back.
    returns: i64,
}

fn told(events: &[Event]) -> Result<Told, Trouble> {
    let mut told = Told::default();
    for event in events {
        let text = serde_json::to_string(event);
        told.texts.push(text.map_err(|error| Trouble::Broken(format!("an event: {error}")))?);
        let moved = event.seats();
        told.performances.push(moved.map(|(performance, _)| performance.0));
        told.seats.push(moved.map(|(_, seats)| seats));
        let returned = matches!(event, Event::Hold(booking_core::hold::Event::SeatsReturned(_)));
        told.returns += i64::from(returned);
    }
    Ok(told)
}

/// Balances, the ledger, payments and endings, if any changed.
pub(super) async fn save_money(
    connection: &mut PgConnection,
    changes: &ChangedRows<'_>,
) -> Result<(), Trouble> {
    let (moved, entries) = (&changes.wallets_moved[..], &changes.entries[..]);
    let (made, refunded) = (&changes.payments_made[..], &changes.payments_refunded[..]);
    let ended = &changes.endings[..];
    if entries.is_empty() && made.is_empty() && refunded.is_empty() && ended.is_empty() {
        return Ok(());
    }
    let saved = query(SAVE_MONEY)
        .bind(column(moved, |wallet| wallet.user.0))
        .bind(column(moved, |wallet| wallet.balance.units()))
        .bind(column(moved, |wallet| wallet.entries.cast_signed()))
        .bind(column(made, |payment| payment.id.0))
        .bind(column(made, |payment| payment.reservation.0))
        .bind(column(made, |payment| payment.user.0))
        .bind(column(made, |payment| payment.amount.units()))
        .bind(column(made, |payment| At(payment.paid_at)))
        .bind(column(made, |payment| payment.refunded_at.map(At)))
        .bind(column(refunded, |payment| payment.id.0))
        .bind(column(refunded, |payment| payment.refunded_at.map(At)))
        .bind(column(entries, |entry| entry.id.0))
        .bind(column(entries, |entry| entry.user.0))
        .bind(column(entries, |entry| entry.number.cast_signed()))
        .bind(column(entries, |entry| entry.kind.as_str()))
        .bind(column(entries, |entry| entry.kind.payment().map(|payment| payment.0)))
        .bind(column(entries, |entry| entry.amount.units()))
        .bind(column(entries, |entry| entry.balance_after.units()))
        .bind(column(entries, |entry| At(entry.at)))
        .bind(column(ended, |(ticket, _)| ticket.lane.as_str()))
        .bind(column(ended, |(ticket, _)| ticket.epoch.0.cast_signed()))
        .bind(column(ended, |(ticket, _)| ticket.seq.cast_signed()))
        .bind(column(ended, |(ticket, _)| ticket.user.0))
        .bind(column(ended, |(_, reason)| reason.as_str()))
        .fetch_one(connection)
        .await?;
    expect(&saved, 0, moved.len(), "wallets")?;
    expect(&saved, 1, refunded.len(), "payments")
}
