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
use sqlx::{PgConnection, Row, ValueRef, postgres::PgRow, query, raw_sql};
use uuid::Uuid;

use super::rows;
use crate::trouble::Trouble;

/// An instant in microseconds, which reads the same in both protocols.
macro_rules! micros {
    ($instant:literal) => {
        concat!("(extract(epoch FROM ", $instant, ") * 1000000)::bigint")
    };
}

/// Columns that a kind of row does not have.
macro_rules! nulls {
    (3) => {
        "NULL, NULL, NULL"
    };
    (4) => {
        "NULL, NULL, NULL, NULL"
    };
    (7) => {
        concat!(nulls!(4), ", ", nulls!(3))
    };
    (8) => {
        concat!(nulls!(4), ", ", nulls!(4))
    };
    (17) => {
        concat!(nulls!(3), ", ", nulls!(7), ", ", nulls!(7))
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

/// All that a batch needs but the catalogue and the ledger, of one view: active reservations of users, reservations by
/// identity, by payment and by ticket (of whose reservations at most one was not released, and no released one came
/// after it), what those that are named lead to, wallets, seats that somebody has (whose they are, and until when), and
/// the head of the log.
///
/// What a user has and what a ticket made stand next to each other in one index, so they are found by one descent.
///
/// Everywhere here and where it is saved a row is looked up by `LATERAL (… OFFSET 0)` or by its `ctid`, never joined: a
/// join is planned once, perhaps while a table is empty, and reads all of it then, for as long as the plan is kept.
const LOOK: &str = concat!(
    "WITH found AS MATERIALIZED ( \
        SELECT r.*, true AS is_named FROM reservations r WHERE reservation_id = ANY($1) \
        UNION ALL SELECT r.*, true FROM unnest($2::uuid[]) AS t (payment_id) \
            CROSS JOIN LATERAL (SELECT reservation_id FROM payments WHERE payment_id = t.payment_id OFFSET 0) AS p \
            CROSS JOIN LATERAL (SELECT * FROM reservations WHERE reservation_id = p.reservation_id OFFSET 0) AS r \
        UNION ALL SELECT r.* \
            FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::uuid[]) AS t (lane, epoch, seq, user_id) \
            CROSS JOIN LATERAL ((SELECT r.*, (ticket_epoch, ticket_seq, ticket_lane) = (t.epoch, t.seq, t.lane) \
                FROM reservations r WHERE user_id = t.user_id AND status <> 'released' \
                AND (status IN ('held', 'confirmed') \
                    OR (ticket_epoch, ticket_seq, ticket_lane) = (t.epoch, t.seq, t.lane))) \
            UNION ALL (SELECT r.*, true FROM reservations r \
                WHERE user_id = t.user_id AND ticket_epoch = t.epoch AND ticket_seq = t.seq AND ticket_lane = t.lane \
                AND status = 'released' ORDER BY made DESC LIMIT 1)) AS r \
        UNION ALL SELECT r.*, false FROM reservations r \
            WHERE user_id = ANY($7) AND status IN ('held', 'confirmed') AND status <> 'released') \
    SELECT ",
    rows::reservation_columns!("r"),
    ", r.is_named, p.amount, p.paid_at, p.refunded_at, \
        NULL::uuid, NULL::bigint, NULL::bigint, NULL::timestamptz, \
        NULL::uuid, NULL::integer, NULL::uuid, NULL::timestamptz, NULL::bigint, NULL::bigint, NULL::bigint \
    FROM found AS r LEFT JOIN LATERAL (SELECT amount, paid_at, refunded_at FROM payments \
        WHERE reservation_id = r.reservation_id AND r.is_named OFFSET 0) AS p ON true \
    UNION ALL SELECT ",
    nulls!(17),
    ", u.*, ",
    nulls!(7),
    " FROM (SELECT unnest($8::uuid[]) AS user_id UNION SELECT user_id FROM found WHERE is_named) AS t \
        CROSS JOIN LATERAL (SELECT user_id, balance, entries, opened_at FROM users \
            WHERE user_id = t.user_id OFFSET 0) AS u \
    UNION ALL SELECT ",
    nulls!(17),
    ", ",
    nulls!(4),
    ", s.*, ",
    nulls!(3),
    " FROM (SELECT performance_id, number FROM unnest($9::uuid[], $10::integer[]) AS t (performance_id, number) \
            UNION SELECT performance_id, unnest(seats) FROM found WHERE is_named) AS t \
        CROSS JOIN LATERAL (SELECT performance_id, number, reservation_id, held_until FROM seats \
            WHERE performance_id = t.performance_id AND number = t.number \
            AND reservation_id IS NOT NULL OFFSET 0) AS s \
    UNION ALL SELECT ",
    nulls!(17),
    ", ",
    nulls!(4),
    ", s.*, ",
    nulls!(3),
    " FROM unnest($11::uuid[]) AS t (performance_id) \
        CROSS JOIN LATERAL (SELECT performance_id, number, reservation_id, held_until FROM seats \
            WHERE performance_id = t.performance_id AND reservation_id IS NOT NULL OFFSET 0) AS s \
    UNION ALL SELECT ",
    nulls!(17),
    ", ",
    nulls!(8),
    ", last_event, catalog_version, ",
    micros!("(SELECT booking_now())"),
    " FROM log_head"
);

const ENTRIES: &str = "\
    SELECT entry_id, user_id, number, kind, payment_id, amount, balance_after, at FROM wallet_entries \
    WHERE entry_id = ANY($1)";

/// The clock is read outside of the query that locks, so after the lock is held: what is decided at this instant is
/// decided on rows that nobody else can change any more.
const LOCK_HEAD: &str = lock_head!();
/// Both in one round trip, which is not planned each time.
const BEGIN_AND_LOCK_HEAD: &str = "BEGIN; EXECUTE lock_head";
const PREPARE_LOCK_HEAD: &str = concat!("PREPARE lock_head AS ", lock_head!());

const CLOCK: &str = "SELECT booking_now()";

/// Where the columns of a wallet, a seat and the head begin in what a look finds.
const WALLET: usize = 17;
const SEAT: usize = 21;
const HEAD: usize = 25;

pub(super) const STATEMENTS: &[&str] = &[LOOK, ENTRIES, LOCK_HEAD, CLOCK];

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

/// Makes a new connection ready for [`begin`].
pub(super) async fn prepare_begin(connection: &mut PgConnection) -> Result<(), Trouble> {
    raw_sql(PREPARE_LOCK_HEAD).execute(connection).await?;
    Ok(())
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
    pub(super) head: Head,
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
    let found = look(connection, keys).await?;
    let mut loaded = loaded(&found, keys)?;
    load_entries(connection, keys, &mut loaded.rows).await?;
    Ok(loaded)
}

fn uuids<T>(ids: impl IntoIterator<Item = T>, uuid: impl Fn(T) -> Uuid) -> Vec<Uuid> {
    ids.into_iter().map(uuid).collect()
}

async fn look(connection: &mut PgConnection, keys: &Keys) -> Result<Vec<PgRow>, Trouble> {
    let Keys { users, tickets, reservations, payments, seats, all_seats, .. } = keys;
    let of_tickets = |column: fn(&Ticket) -> i64| tickets.iter().map(column).collect::<Vec<_>>();
    let with_ticket: BTreeSet<UserId> = tickets.iter().map(|ticket| ticket.user).collect();
    // A number no performance can have is no seat.
    let known = seats.iter().filter_map(|(of, number)| Some((of.0, i32::try_from(*number).ok()?)));
    let (performances, numbers): (Vec<Uuid>, Vec<i32>) = known.unzip();
    let found = query(LOOK)
        .bind(uuids(reservations, |id| id.0))
        .bind(uuids(payments, |id| id.0))
        .bind(tickets.iter().map(|ticket| ticket.lane.as_str()).collect::<Vec<_>>())
        .bind(of_tickets(|ticket| ticket.epoch.0.cast_signed()))
        .bind(of_tickets(|ticket| ticket.seq.cast_signed()))
        .bind(uuids(tickets, |ticket| ticket.user.0))
        .bind(uuids(users.difference(&with_ticket), |user| user.0))
        .bind(uuids(users, |user| user.0))
        .bind(performances)
        .bind(numbers)
        .bind(uuids(all_seats, |id| id.0))
        .fetch_all(connection)
        .await?;
    Ok(found)
}

/// The rows by what they are, which shows by the columns that they have.
fn loaded(found: &[PgRow], keys: &Keys) -> Result<Loaded, Trouble> {
    let has = |row: &PgRow, at| row.try_get_raw(at).map(|value| !value.is_null());
    let (mut into, mut reach, mut head) = (Rows::default(), Reach::of(keys), None);
    // By the event that made them: of the reservations of a ticket, the last one comes last.
    let mut reservations: BTreeMap<i64, Reservation> = BTreeMap::new();
    let mut payments: BTreeMap<i64, Payment> = BTreeMap::new();
    for row in found {
        if has(row, WALLET)? {
            into.wallets.push(rows::wallet(row, WALLET)?);
        } else if has(row, SEAT)? {
            into.seats.push(rows::seat(row, SEAT)?);
        } else if has(row, HEAD)? {
            head = Some(Head::of(row, HEAD)?);
        } else {
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
    }
    into.reservations.extend(reservations.into_values());
    into.payments.extend(payments.into_values());
    let head = head.ok_or_else(|| Trouble::Broken("the log has no head".into()))?;
    Ok(Loaded { rows: into, head, reach })
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
