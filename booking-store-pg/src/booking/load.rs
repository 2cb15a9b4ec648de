//! Loading what a batch needs, and the one lock there is.
//!
//! Whoever changes a booking holds the head of the log from before anything is changed to the end of its transaction: batches of all
//! instances follow each other, as their events do. So nothing that is read here can change before it is saved, and no
//! row has a lock of its own: two lock records a hold are saved, and no two transactions can wait for each other in a
//! circle. Changes of the catalogue, which may take long, have a lock of their own and take the head last.
//!
//! What was loaded before the lock is good under it if nothing within its [`Reach`] was changed in between. Holds don't
//! even wait for the lock to be decided: see [`ahead`](super::ahead).
//!
//! Under READ COMMITTED a statement that waits for a lock reads everything else as it was before the wait. So
//! nothing is read by the statement that takes the lock, but the clock, which is asked when the row is there.

use std::collections::BTreeMap;

use booking_core::{Keys, Reach, Rows, Timestamp, hold::Reservation, payment::Payment};
use sqlx::{PgConnection, Row, ValueRef, postgres::PgRow, query, raw_sql};
use uuid::Uuid;

use super::{
    look::{self, Whom},
    rows,
};
use crate::trouble::Trouble;

/// An instant in microseconds, which reads the same in both protocols.
macro_rules! micros {
    ($instant:literal) => {
        concat!("(extract(epoch FROM ", $instant, ") * 1000000)::bigint")
    };
}

pub(super) use micros;

macro_rules! lock_head {
    () => {
        concat!(
            "SELECT head.last_event, head.catalog_version, ",
            micros!("booking_now()"),
            " FROM (SELECT last_event, catalog_version FROM log_head FOR NO KEY UPDATE) AS head"
        )
    };
}

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

pub(super) const STATEMENTS: &[&str] = &[ENTRIES, LOCK_HEAD, CLOCK];

/// The head of the log, and the clock of the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) last_event: i64,
    pub(super) catalog_version: i64,
    pub(super) now: Timestamp,
}

impl Head {
    /// Three columns: the last event, the version of the catalogue, and the clock.
    fn of(row: &PgRow, columns: [usize; 3]) -> Result<Self, sqlx::Error> {
        let [last_event, catalog_version, now] = columns;
        let now = Timestamp::from_micros(row.try_get(now)?);
        Ok(Self { last_event: row.try_get(last_event)?, catalog_version: row.try_get(catalog_version)?, now })
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
    Ok(Head::of(&row, [0, 1, 2])?)
}

/// The same in a transaction that has begun.
pub(super) async fn lock_head(connection: &mut PgConnection) -> Result<Head, Trouble> {
    let row = query(LOCK_HEAD).fetch_one(connection).await?;
    Ok(Head::of(&row, [0, 1, 2])?)
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

/// Loads everything but the catalogue.
pub(super) async fn load(connection: &mut PgConnection, keys: &Keys, whom: Whom) -> Result<Loaded, Trouble> {
    let found = look::look(connection, keys, whom).await?;
    let mut loaded = loaded(&found, keys)?;
    load_entries(connection, keys, &mut loaded.rows).await?;
    Ok(loaded)
}

pub(super) fn uuids<T>(ids: impl IntoIterator<Item = T>, uuid: impl Fn(T) -> Uuid) -> Vec<Uuid> {
    ids.into_iter().map(uuid).collect()
}

/// The rows by what they are.
fn loaded(found: &[PgRow], keys: &Keys) -> Result<Loaded, Trouble> {
    let (mut into, mut reach, mut head) = (Rows::default(), Reach::of(keys), None);
    // By the event that made them: of the reservations of a ticket, the last one comes last.
    let mut reservations: BTreeMap<i64, Reservation> = BTreeMap::new();
    let mut payments: BTreeMap<i64, Payment> = BTreeMap::new();
    for row in found {
        if row.try_get_raw(look::RESERVATION)?.is_null() {
            head = Some(Head::of(row, look::HEAD)?);
            into.wallets = rows::wallets(row, look::WALLETS)?;
            into.seats = rows::seats(row, look::SEATS)?;
            continue;
        }
        let (made, reservation) = rows::reservation(row)?;
        if row.try_get(look::IS_NAMED)? {
            reach.follow(&reservation);
        }
        if let Some(amount) = row.try_get::<Option<i64>, _>(look::PAYMENT)? {
            payments.insert(made, rows::payment_of(&reservation, amount, row, look::PAYMENT + 1)?);
        }
        reservations.insert(made, reservation);
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
