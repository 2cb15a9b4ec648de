//! Locking and loading what a batch needs.
//!
//! Locks are taken in one global order, so that no two transactions ever wait for each other in a circle: the catalogue
//! (of those that change it), users ascending, seats ascending by performance and number, the head of the log. All
//! row locks are `FOR NO KEY UPDATE`: they exclude each other, but not the checks of foreign keys.
//!
//! Reservations, payments and ledger lines need no lock of their own: every event that makes or moves one is decided
//! by a transaction that holds its user's row, because that user is named by the command or, where it is not, found
//! by the reservation and locked before the reservation is read for good ([`Missed`]).
//!
//! Under READ COMMITTED a statement that waits for a lock reads everything else as it was before the wait. So
//! what a user has is read by another statement than the one that locks the user.

use std::collections::{BTreeMap, BTreeSet};

use booking_core::{
    Rows, Ticket, Timestamp,
    hold::Reservation,
    id::{PerformanceId, UserId},
    payment::Payment,
};
use sqlx::{PgConnection, Row, query};
use uuid::Uuid;

use super::{rows, wanted::Wanted};
use crate::{codec::At, trouble::Trouble};

/// Whose the reservations and payments are of which the commands do not say it. Such links never change, so they are
/// read without a lock.
const OWNERS: &str = "\
    SELECT reservation_id, user_id FROM reservations WHERE reservation_id = ANY($1) \
    UNION ALL SELECT reservation_id, user_id FROM payments WHERE payment_id = ANY($2)";

const LOCK_USERS: &str = "\
    SELECT user_id, balance, entries, opened_at FROM users WHERE user_id = ANY($1) \
    ORDER BY user_id FOR NO KEY UPDATE";

/// What the users have and what the batch names: active reservations of users, reservations by identity, and the last
/// one of each ticket (of which at most one was not released, and no released one came after it).
const RESERVATIONS: &str = concat!(
    "SELECT ",
    rows::reservation_columns!("r"),
    ", false, NULL::bigint, NULL::timestamptz, NULL::timestamptz FROM reservations r \
     WHERE r.user_id = ANY($1) AND r.status IN ('held', 'confirmed') \
     UNION ALL SELECT ",
    rows::reservation_columns!("r"),
    ", true, p.amount, p.paid_at, p.refunded_at FROM reservations r \
     LEFT JOIN payments p ON p.reservation_id = r.reservation_id WHERE r.reservation_id = ANY($2) \
     UNION ALL SELECT ",
    rows::reservation_columns!("r"),
    ", true, p.amount, p.paid_at, p.refunded_at \
     FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::uuid[]) AS t (lane, epoch, seq, user_id) \
     CROSS JOIN LATERAL ((SELECT * FROM reservations \
         WHERE ticket_seq = t.seq AND ticket_epoch = t.epoch AND user_id = t.user_id AND ticket_lane = t.lane \
         AND status <> 'released') \
       UNION ALL (SELECT * FROM reservations \
         WHERE ticket_seq = t.seq AND ticket_epoch = t.epoch AND user_id = t.user_id AND ticket_lane = t.lane \
         AND status = 'released' ORDER BY made DESC LIMIT 1)) AS r \
     LEFT JOIN payments p ON p.reservation_id = r.reservation_id"
);

const ENTRIES: &str = "\
    SELECT entry_id, user_id, number, kind, payment_id, amount, balance_after, at FROM wallet_entries \
    WHERE entry_id = ANY($1)";

const LOCK_SEATS: &str = "\
    SELECT s.performance_id, s.number, s.reservation_id, s.held_until \
    FROM unnest($1::uuid[], $2::integer[]) AS t (performance_id, number) \
    JOIN seats s ON s.performance_id = t.performance_id AND s.number = t.number \
    ORDER BY s.performance_id, s.number FOR NO KEY UPDATE OF s";

/// The clock is read outside of the query that locks, so after the lock is held. It is the last lock, so what is
/// decided at this instant is decided on rows that nobody else can change any more.
const LOCK_HEAD: &str = "\
    SELECT head.last_event, head.catalog_version, booking_now() \
    FROM (SELECT last_event, catalog_version FROM log_head FOR NO KEY UPDATE) AS head";

const CLOCK: &str = "SELECT booking_now()";

pub(super) const STATEMENTS: &[&str] =
    &[OWNERS, LOCK_USERS, RESERVATIONS, ENTRIES, LOCK_SEATS, LOCK_HEAD, CLOCK];

/// Loading found reservations of users who are not locked: it must begin again with these locked as well.
pub(super) struct Missed(pub(super) BTreeSet<UserId>);

/// The head of the log, locked.
pub(super) struct Head {
    pub(super) last_event: i64,
    pub(super) catalog_version: i64,
    pub(super) now: Timestamp,
}

fn uuids<T>(ids: impl IntoIterator<Item = T>, uuid: impl Fn(T) -> Uuid) -> Vec<Uuid> {
    ids.into_iter().map(uuid).collect()
}

/// Adds the owners of what has no named owner to the users, and gives the reservations of the payments.
pub(super) async fn find_owners(
    connection: &mut PgConnection,
    wanted: &mut Wanted,
) -> Result<Vec<Uuid>, Trouble> {
    if wanted.unowned.is_empty() && wanted.unowned_payments.is_empty() {
        return Ok(Vec::new());
    }
    let found = query(OWNERS)
        .bind(uuids(&wanted.unowned, |id| id.0))
        .bind(uuids(&wanted.unowned_payments, |id| id.0))
        .fetch_all(connection)
        .await?;
    let mut reservations = Vec::new();
    for row in found {
        reservations.push(row.try_get(0)?);
        wanted.users.insert(UserId(row.try_get(1)?));
    }
    Ok(reservations)
}

/// Locks the users and loads their wallets.
pub(super) async fn lock_users(
    connection: &mut PgConnection,
    users: &BTreeSet<UserId>,
    into: &mut Rows,
) -> Result<(), Trouble> {
    if users.is_empty() {
        return Ok(());
    }
    let found = query(LOCK_USERS).bind(uuids(users, |user| user.0)).fetch_all(connection).await?;
    for row in &found {
        into.wallets.push(rows::wallet(row)?);
    }
    Ok(())
}

/// Loads reservations with their payments, and gives the seats of those the batch names.
pub(super) async fn load_reservations(
    connection: &mut PgConnection,
    wanted: &Wanted,
    more: Vec<Uuid>,
    into: &mut Rows,
) -> Result<Result<BTreeSet<(PerformanceId, u32)>, Missed>, Trouble> {
    let keys = &wanted.keys;
    let mut ids = uuids(&keys.reservations, |id| id.0);
    ids.extend(more);
    if keys.users.is_empty() && ids.is_empty() && keys.tickets.is_empty() {
        return Ok(Ok(BTreeSet::new()));
    }
    let of_tickets = |column: fn(&Ticket) -> i64| keys.tickets.iter().map(column).collect::<Vec<_>>();
    let found = query(RESERVATIONS)
        .bind(uuids(&keys.users, |user| user.0))
        .bind(ids)
        .bind(keys.tickets.iter().map(|ticket| ticket.lane.as_str().to_owned()).collect::<Vec<_>>())
        .bind(of_tickets(|ticket| ticket.epoch.0.cast_signed()))
        .bind(of_tickets(|ticket| ticket.seq.cast_signed()))
        .bind(uuids(&keys.tickets, |ticket| ticket.user.0))
        .fetch_all(connection)
        .await?;
    // By the event that made them: of the reservations of a ticket, the last one comes last.
    let mut reservations: BTreeMap<i64, Reservation> = BTreeMap::new();
    let mut payments: BTreeMap<i64, Payment> = BTreeMap::new();
    let (mut seats, mut missed) = (BTreeSet::new(), BTreeSet::new());
    for row in &found {
        let (made, reservation) = rows::reservation(row)?;
        if row.try_get(13)? {
            seats.extend(reservation.seats.iter().map(|number| (reservation.performance, *number)));
            missed.extend(Some(reservation.user).filter(|user| !wanted.users.contains(user)));
        }
        if let Some(amount) = row.try_get::<Option<i64>, _>(14)? {
            payments.insert(made, payment_of(&reservation, amount, row)?);
        }
        reservations.insert(made, reservation);
    }
    into.reservations.extend(reservations.into_values());
    into.payments.extend(payments.into_values());
    Ok(if missed.is_empty() { Ok(seats) } else { Err(Missed(missed)) })
}

fn payment_of(
    reservation: &Reservation,
    amount: i64,
    row: &sqlx::postgres::PgRow,
) -> Result<Payment, sqlx::Error> {
    Ok(Payment {
        id: reservation.payment,
        reservation: reservation.id,
        user: reservation.user,
        amount: booking_core::Money::new(amount).map_err(crate::trouble::damaged)?,
        paid_at: rows::at(row, 15)?,
        refunded_at: row.try_get::<Option<At>, _>(16)?.map(|at| at.0),
    })
}

pub(super) async fn load_entries(
    connection: &mut PgConnection,
    wanted: &Wanted,
    into: &mut Rows,
) -> Result<(), Trouble> {
    if wanted.keys.entries.is_empty() {
        return Ok(());
    }
    let ids = uuids(&wanted.keys.entries, |id| id.0);
    let found = query(ENTRIES).bind(ids).fetch_all(connection).await?;
    for row in &found {
        into.entries.push(rows::entry(row)?);
    }
    Ok(())
}

/// Locks seats and loads those that somebody has. A number no performance can have is no seat.
pub(super) async fn lock_seats(
    connection: &mut PgConnection,
    seats: &BTreeSet<(PerformanceId, u32)>,
    into: &mut Rows,
) -> Result<(), Trouble> {
    let known =
        seats.iter().filter_map(|(performance, number)| Some((performance.0, i32::try_from(*number).ok()?)));
    let (performances, numbers): (Vec<Uuid>, Vec<i32>) = known.unzip();
    if performances.is_empty() {
        return Ok(());
    }
    let found = query(LOCK_SEATS).bind(performances).bind(numbers).fetch_all(connection).await?;
    for row in &found {
        let (performance, number, seat) = rows::seat(row)?;
        into.seats.extend(seat.map(|seat| (performance, number, seat)));
    }
    Ok(())
}

/// Locks the head of the log, the last lock there is, and reads the clock after it.
pub(super) async fn lock_head(connection: &mut PgConnection) -> Result<Head, Trouble> {
    let row = query(LOCK_HEAD).fetch_one(connection).await?;
    Ok(Head { last_event: row.try_get(0)?, catalog_version: row.try_get(1)?, now: rows::at(&row, 2)? })
}

/// Reads the clock, after all locks that decide are held.
pub(super) async fn clock(connection: &mut PgConnection) -> Result<Timestamp, Trouble> {
    let row = query(CLOCK).fetch_one(connection).await?;
    Ok(rows::at(&row, 0)?)
}
