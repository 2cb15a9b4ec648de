//! Loading what a batch needs, and the one lock there is.
//!
//! Whoever changes a booking holds the head of the log from the beginning of its transaction to the end: batches of all
//! instances follow each other, as their events do. So nothing that is read here can change before it is saved, and no
//! row has a lock of its own: two lock records a hold are saved, and no two transactions can wait for each other in a
//! circle. Changes of the catalogue, which may take long, have a lock of their own and take the head last.
//!
//! What was loaded before the lock is good under it if nothing within its [`Reach`] was changed in between.
//!
//! Under READ COMMITTED a statement that waits for a lock reads everything else as it was before the wait. So
//! nothing is read by the statement that takes the lock, but the clock, which is asked when the row is there.

use std::collections::{BTreeMap, BTreeSet};

use booking_core::{
    Keys, Rows, Ticket, Timestamp,
    hold::Reservation,
    id::{PerformanceId, UserId},
    payment::Payment,
};
use sqlx::{PgConnection, Row, postgres::PgRow, query, raw_sql};
use uuid::Uuid;

use super::rows;
use crate::trouble::Trouble;

/// An instant in microseconds, which reads the same in both protocols.
macro_rules! micros {
    ($instant:literal) => {
        concat!("(extract(epoch FROM ", $instant, ") * 1000000)::bigint")
    };
}

macro_rules! lock_head {
    () => {
        concat!(
            "SELECT head.last_event, head.catalog_version, ",
            micros!("booking_now()"),
            " FROM (SELECT last_event, catalog_version FROM log_head FOR NO KEY UPDATE) AS head"
        )
    };
}

/// What the users have and what the batch names: active reservations of users, reservations by identity and by payment,
/// and the last one of each ticket (of which at most one was not released, and no released one came after it).
///
/// Everywhere here and where it is saved a row is looked up by `LATERAL (… OFFSET 0)` or by its `ctid`, never joined: a
/// join is planned once, perhaps while a table is empty, and reads all of it then, for as long as the plan is kept.
const RESERVATIONS: &str = concat!(
    "SELECT r.*, head.* FROM (SELECT last_event, catalog_version, ",
    micros!("(SELECT booking_now())"),
    " FROM log_head) AS head LEFT JOIN LATERAL (SELECT ",
    rows::reservation_columns!("r"),
    ", false, NULL::bigint, NULL::timestamptz, NULL::timestamptz FROM reservations r \
     WHERE r.user_id = ANY($1) AND r.status IN ('held', 'confirmed') AND r.status <> 'released' \
     UNION ALL SELECT ",
    rows::reservation_columns!("r"),
    ", true, p.amount, p.paid_at, p.refunded_at FROM (SELECT * FROM reservations \
         WHERE reservation_id = ANY($2) \
       UNION ALL SELECT r.* FROM unnest($3::uuid[]) AS t (payment_id) \
         CROSS JOIN LATERAL (SELECT reservation_id FROM payments WHERE payment_id = t.payment_id OFFSET 0) AS p \
         CROSS JOIN LATERAL (SELECT * FROM reservations WHERE reservation_id = p.reservation_id OFFSET 0) AS r \
       UNION ALL SELECT r.* \
         FROM unnest($4::text[], $5::bigint[], $6::bigint[], $7::uuid[]) AS t (lane, epoch, seq, user_id) \
         CROSS JOIN LATERAL ((SELECT * FROM reservations \
             WHERE user_id = t.user_id AND ticket_epoch = t.epoch AND ticket_seq = t.seq AND ticket_lane = t.lane \
             AND status <> 'released') \
           UNION ALL (SELECT * FROM reservations \
             WHERE user_id = t.user_id AND ticket_epoch = t.epoch AND ticket_seq = t.seq AND ticket_lane = t.lane \
             AND status = 'released' ORDER BY made DESC LIMIT 1)) AS r) AS r \
     LEFT JOIN LATERAL (SELECT amount, paid_at, refunded_at FROM payments \
         WHERE reservation_id = r.reservation_id OFFSET 0) AS p ON true) AS r ON true"
);

/// Wallets of users, and seats that somebody has: whose they are, and until when.
const WALLETS_AND_SEATS: &str = "\
    SELECT of.*, head.last_event FROM log_head AS head LEFT JOIN LATERAL ( \
        SELECT user_id, balance, entries, opened_at, NULL::uuid AS performance_id, NULL::integer AS number, \
            NULL::uuid AS reservation_id, NULL::timestamptz AS held_until \
        FROM users WHERE user_id = ANY($1) \
        UNION ALL SELECT NULL, NULL, NULL, NULL, s.performance_id, s.number, s.reservation_id, s.held_until \
        FROM unnest($2::uuid[], $3::integer[]) AS t (performance_id, number) \
        CROSS JOIN LATERAL (SELECT * FROM seats WHERE performance_id = t.performance_id AND number = t.number \
            AND reservation_id IS NOT NULL OFFSET 0) AS s) AS of ON true";

/// Every seat of some performances that somebody has.
const HALLS: &str = "\
    SELECT of.*, head.last_event FROM log_head AS head LEFT JOIN LATERAL ( \
        SELECT s.performance_id, s.number, s.reservation_id, s.held_until \
        FROM unnest($1::uuid[]) AS t (performance_id) \
        CROSS JOIN LATERAL (SELECT * FROM seats WHERE performance_id = t.performance_id \
            AND reservation_id IS NOT NULL OFFSET 0) AS s) AS of ON true";

const ENTRIES: &str = "\
    SELECT entry_id, user_id, number, kind, payment_id, amount, balance_after, at FROM wallet_entries \
    WHERE entry_id = ANY($1)";

/// The clock is read outside of the query that locks, so after the lock is held: what is decided at this instant is
/// decided on rows that nobody else can change any more.
const LOCK_HEAD: &str = lock_head!();
/// Both in one round trip.
const BEGIN_AND_LOCK_HEAD: &str = concat!("BEGIN; ", lock_head!());

const CLOCK: &str = "SELECT booking_now()";

pub(super) const STATEMENTS: &[&str] = &[RESERVATIONS, WALLETS_AND_SEATS, HALLS, ENTRIES, LOCK_HEAD, CLOCK];

/// The head of the log, and the clock of the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) last_event: i64,
    pub(super) catalog_version: i64,
    pub(super) now: Timestamp,
}

impl Head {
    fn of(row: &PgRow, first: usize) -> Result<Self, sqlx::Error> {
        let now = Timestamp::from_micros(row.try_get(first + 2)?);
        Ok(Self { last_event: row.try_get(first)?, catalog_version: row.try_get(first + 1)?, now })
    }
}

/// Begins a transaction with the lock of the log, and reads the clock after it.
pub(super) async fn begin(connection: &mut PgConnection) -> Result<Head, Trouble> {
    let row = raw_sql(BEGIN_AND_LOCK_HEAD).fetch_one(connection).await?;
    Ok(Head::of(&row, 0)?)
}

/// The same in a transaction that has begun.
pub(super) async fn lock_head(connection: &mut PgConnection) -> Result<Head, Trouble> {
    let row = query(LOCK_HEAD).fetch_one(connection).await?;
    Ok(Head::of(&row, 0)?)
}

/// Reads the clock, for changes of the catalogue, which are decided before the head is locked.
pub(super) async fn clock(connection: &mut PgConnection) -> Result<Timestamp, Trouble> {
    let row = query(CLOCK).fetch_one(connection).await?;
    Ok(rows::at(&row, 0)?)
}

/// Everything but the catalogue that a batch needs, as it was when it was loaded.
pub(super) struct Loaded {
    pub(super) rows: Rows,
    /// As it was seen first.
    pub(super) head: Head,
    /// Nothing was committed between the first statement and the last: the rows are of one view.
    pub(super) of_one_view: bool,
    pub(super) reach: Reach,
}

/// What a batch may read and change: the users and seats that it names, and those that the reservations it names lead to.
/// Such links never change, and everything else belongs to a user.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    users: BTreeSet<UserId>,
    seats: BTreeSet<(PerformanceId, u32)>,
    /// Performances of which it reaches every seat.
    halls: BTreeSet<PerformanceId>,
}

impl Reach {
    pub(super) fn of(keys: &Keys) -> Self {
        Self { users: keys.users.clone(), seats: keys.seats.clone(), halls: keys.all_seats.clone() }
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        !self.users.is_disjoint(&other.users)
            || !self.seats.is_disjoint(&other.seats)
            || !self.halls.is_disjoint(&other.halls)
            || self.enters(&other.halls)
            || other.enters(&self.halls)
    }

    fn enters(&self, halls: &BTreeSet<PerformanceId>) -> bool {
        !halls.is_empty() && self.seats.iter().any(|(performance, _)| halls.contains(performance))
    }
}

/// Loads everything but the catalogue.
pub(super) async fn load(connection: &mut PgConnection, keys: &Keys) -> Result<Loaded, Trouble> {
    let mut rows = Rows::default();
    let mut reach = Reach::of(keys);
    let head = load_reservations(connection, keys, &mut rows, &mut reach).await?;
    let last_event = load_wallets_and_seats(connection, &reach, &mut rows).await?;
    let of_halls = load_halls(connection, &reach, &mut rows).await?;
    load_entries(connection, keys, &mut rows).await?;
    let of_one_view =
        [last_event, of_halls].into_iter().flatten().all(|last_event| last_event == head.last_event);
    Ok(Loaded { rows, head, of_one_view, reach })
}

fn uuids<T>(ids: impl IntoIterator<Item = T>, uuid: impl Fn(T) -> Uuid) -> Vec<Uuid> {
    ids.into_iter().map(uuid).collect()
}

async fn load_reservations(
    connection: &mut PgConnection,
    keys: &Keys,
    into: &mut Rows,
    reach: &mut Reach,
) -> Result<Head, Trouble> {
    let Keys { users, tickets, reservations: ids, payments: paid, .. } = keys;
    let of_tickets = |column: fn(&Ticket) -> i64| tickets.iter().map(column).collect::<Vec<_>>();
    let found = query(RESERVATIONS)
        .bind(uuids(users, |user| user.0))
        .bind(uuids(ids, |id| id.0))
        .bind(uuids(paid, |id| id.0))
        .bind(tickets.iter().map(|ticket| ticket.lane.as_str()).collect::<Vec<_>>())
        .bind(of_tickets(|ticket| ticket.epoch.0.cast_signed()))
        .bind(of_tickets(|ticket| ticket.seq.cast_signed()))
        .bind(uuids(tickets, |ticket| ticket.user.0))
        .fetch_all(connection)
        .await?;
    // By the event that made them: of the reservations of a ticket, the last one comes last.
    let mut reservations: BTreeMap<i64, Reservation> = BTreeMap::new();
    let mut payments: BTreeMap<i64, Payment> = BTreeMap::new();
    for row in &found {
        if row.try_get::<Option<Uuid>, _>(0)?.is_none() {
            continue; // The head alone.
        }
        let (made, reservation) = rows::reservation(row)?;
        if row.try_get(13)? {
            reach.seats.extend(reservation.seats.iter().map(|number| (reservation.performance, *number)));
            reach.users.insert(reservation.user);
        }
        if let Some(amount) = row.try_get::<Option<i64>, _>(14)? {
            payments.insert(made, rows::payment_of(&reservation, amount, row, 15)?);
        }
        reservations.insert(made, reservation);
    }
    into.reservations.extend(reservations.into_values());
    into.payments.extend(payments.into_values());
    let row = found.first().ok_or_else(|| Trouble::Broken("the log has no head".into()))?;
    Ok(Head::of(row, 17)?)
}

/// The last event by then; none if there was nothing to load. A number no performance can have is no seat.
async fn load_wallets_and_seats(
    connection: &mut PgConnection,
    reach: &Reach,
    into: &mut Rows,
) -> Result<Option<i64>, Trouble> {
    let seats = reach.seats.iter();
    let known = seats.filter_map(|(performance, number)| Some((performance.0, i32::try_from(*number).ok()?)));
    let (performances, numbers): (Vec<Uuid>, Vec<i32>) = known.unzip();
    if reach.users.is_empty() && performances.is_empty() {
        return Ok(None);
    }
    let found = query(WALLETS_AND_SEATS)
        .bind(uuids(&reach.users, |user| user.0))
        .bind(performances)
        .bind(numbers)
        .fetch_all(connection)
        .await?;
    for row in &found {
        if row.try_get::<Option<Uuid>, _>(0)?.is_some() {
            into.wallets.push(rows::wallet(row)?);
        } else if row.try_get::<Option<Uuid>, _>(4)?.is_some() {
            into.seats.push(rows::seat(row, 4)?);
        }
    }
    let row = found.first().ok_or_else(|| Trouble::Broken("the log has no head".into()))?;
    Ok(Some(row.try_get(8)?))
}

async fn load_halls(
    connection: &mut PgConnection,
    reach: &Reach,
    into: &mut Rows,
) -> Result<Option<i64>, Trouble> {
    if reach.halls.is_empty() {
        return Ok(None);
    }
    let mut last_event = None;
    let found = query(HALLS).bind(uuids(&reach.halls, |id| id.0)).fetch_all(connection).await?;
    for row in &found {
        last_event = Some(row.try_get(4)?);
        if row.try_get::<Option<Uuid>, _>(0)?.is_some() {
            into.seats.push(rows::seat(row, 0)?);
        }
    }
    Ok(last_event)
}

async fn load_entries(connection: &mut PgConnection, keys: &Keys, into: &mut Rows) -> Result<(), Trouble> {
    if keys.entries.is_empty() {
        return Ok(());
    }
    let found = query(ENTRIES).bind(uuids(&keys.entries, |id| id.0)).fetch_all(connection).await?;
    for row in &found {
        into.entries.push(rows::entry(row)?);
    }
    Ok(())
}
