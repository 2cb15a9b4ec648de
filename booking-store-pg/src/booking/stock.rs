//! Whether anything is left to sell in a lane. Every instance asks many times a second, so what was found once is used
//! again: a seat that is not sold is looked for where one was found last, and that nothing is left stays true until a
//! sold seat comes back or the catalogue changes, both of which the head of the log counts. A database that has gone back counts
//! up to the same numbers again, so that is good only while no connection is lost.
//!
//! Millions of sold seats take longer to look through than a call may take. So they are looked through by portions, and who
//! asks again goes on where the last call gave up.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use booking_core::{LaneName, StoreError, catalog::Stock};
use sqlx::{Row, query};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{db::Db, trouble::Trouble};

/// The counters, whether anything is bookable, and whether the performance of the last time still has an unsold seat.
/// A seat is sold if it is somebody's without an end, and all are sold if that many are.
const GLANCE: &str = "\
    SELECT head.catalog_version, head.returns, \
        EXISTS (SELECT FROM concerts c CROSS JOIN LATERAL (SELECT on_sale, starts_at FROM performances \
                WHERE concert_id = c.concert_id OFFSET 0) AS p \
            WHERE c.lane = $1 AND p.on_sale AND p.starts_at > (SELECT booking_now())), \
        EXISTS (SELECT FROM (SELECT performance_id, concert_id, on_sale, starts_at, seats FROM performances \
                WHERE performance_id = $2 OFFSET 0) AS p \
            CROSS JOIN LATERAL (SELECT lane FROM concerts WHERE concert_id = p.concert_id OFFSET 0) AS c \
            WHERE c.lane = $1 AND p.on_sale AND p.starts_at > (SELECT booking_now()) \
            AND p.seats > (SELECT count(*) FROM seats s WHERE s.performance_id = p.performance_id \
                AND s.held_until IS NULL)) \
    FROM log_head AS head";
/// Among the performances behind one, in the order of their identities, as many as have so many seats: one with an unsold seat,
/// the last of them, and whether there are more.
const SEARCH: &str = "\
    WITH behind AS MATERIALIZED (SELECT performance_id, seats, sum(seats) OVER (ORDER BY performance_id) - seats AS before \
        FROM concerts c CROSS JOIN LATERAL (SELECT performance_id, on_sale, starts_at, seats FROM performances \
            WHERE concert_id = c.concert_id OFFSET 0) AS p \
        WHERE c.lane = $1 AND p.on_sale AND p.starts_at > (SELECT booking_now()) \
            AND ($2::uuid IS NULL OR p.performance_id > $2)) \
    SELECT (SELECT performance_id FROM behind AS p WHERE before < $3 \
            AND p.seats > (SELECT count(*) FROM seats s WHERE s.performance_id = p.performance_id \
                AND s.held_until IS NULL) LIMIT 1), \
        (SELECT performance_id FROM behind WHERE before < $3 ORDER BY performance_id DESC LIMIT 1), \
        EXISTS (SELECT FROM behind WHERE before >= $3)";

pub(super) const STATEMENTS: &[&str] = &[GLANCE, SEARCH];

/// How much is searched.
#[derive(Clone, Copy, Debug)]
struct Portions {
    /// Seats that one statement looks through: less than half a second of work where they lie scattered, next to millions.
    seats: i64,
    /// After this no other portion is begun in a call.
    within: Duration,
}

const PORTIONS: Portions = Portions { seats: 100_000, within: Duration::from_secs(1) };

/// What was found in a lane: at these counters, in this life of the connections.
#[derive(Clone, Copy, Debug)]
struct Found {
    counters: Counters,
    life: u64,
    searched: Searched,
}

#[derive(Clone, Copy, Debug)]
enum Searched {
    /// All before this performance are sold out. It had an unsold seat, or was the last that was looked at.
    UpTo(Uuid),
    /// All are sold out.
    All,
}

impl Searched {
    /// Where the search stands, unless it is over.
    fn upto(self) -> Option<Uuid> {
        match self {
            Self::UpTo(performance) => Some(performance),
            Self::All => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counters {
    catalog_version: i64,
    returns: i64,
}

/// What this instance found last, by lane.
#[derive(Debug)]
pub(super) struct Stocks {
    found: Mutex<HashMap<LaneName, Found>>,
    portions: Mutex<Portions>,
}

impl Default for Stocks {
    fn default() -> Self {
        Self { found: Mutex::default(), portions: Mutex::new(PORTIONS) }
    }
}

impl Stocks {
    fn found(&self) -> MutexGuard<'_, HashMap<LaneName, Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn portions(&self) -> Portions {
        *self.portions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn search_by(&self, seats: i64, within: Duration) {
        *self.portions.lock().unwrap_or_else(PoisonError::into_inner) = Portions { seats, within };
    }
}

pub(super) async fn stock(db: &Db, stocks: &Stocks, lane: &LaneName) -> Result<Stock, StoreError> {
    let began = Instant::now();
    let last = stocks.found().get(lane).copied();
    let hint = last.and_then(|found| found.searched.upto());
    // What is read when a connection was lost may be of another life than what is read next.
    let (life, (counters, bookable, unsold)) = loop {
        let life = db.life();
        let glanced = glance(db, lane, hint).await?;
        if life == db.life() {
            break (life, glanced);
        }
    };
    if unsold || !bookable {
        return Ok(Stock { bookable, unsold });
    }
    let is_same = |found: &Found| found.counters == counters && found.life == life;
    let portions = stocks.portions();
    let mut searched = last.filter(is_same).map(|found| found.searched);
    // The counters were read before the search: what changed meanwhile is found the next time.
    loop {
        if matches!(searched, Some(Searched::All)) {
            return Ok(Stock { bookable, unsold: false });
        }
        let behind = searched.and_then(Searched::upto);
        let (unsold, now) = search(db, lane, behind, portions.seats).await?;
        if life != db.life() {
            return Err(StoreError::unavailable("a connection was lost while an unsold seat was looked for"));
        }
        stocks.found().insert(lane.clone(), Found { counters, life, searched: now });
        if unsold {
            return Ok(Stock { bookable, unsold });
        }
        searched = Some(now);
        if now.upto().is_some() && began.elapsed() >= portions.within {
            return Err(StoreError::unavailable(format!(
                "lane {lane} has many seats; it is still looked for one unsold"
            )));
        }
    }
}

/// The counters, whether anything is bookable, and whether this performance has an unsold seat.
async fn glance(
    db: &Db,
    lane: &LaneName,
    performance: Option<Uuid>,
) -> Result<(Counters, bool, bool), StoreError> {
    let row = db.row(|| query(GLANCE).bind(lane.as_str()).bind(performance)).await?;
    let row = row.ok_or_else(|| StoreError::broken("the log has no head"))?;
    let read = || -> Result<_, sqlx::Error> {
        let counters = Counters { catalog_version: row.try_get(0)?, returns: row.try_get(1)? };
        Ok((counters, row.try_get(2)?, row.try_get(3)?))
    };
    read().map_err(|error| Trouble::from(error).to_store_error())
}

/// Looks through a portion of the performances behind this one: whether a seat is unsold, and how far that is known.
async fn search(
    db: &Db,
    lane: &LaneName,
    behind: Option<Uuid>,
    seats: i64,
) -> Result<(bool, Searched), StoreError> {
    let row = db.row(|| query(SEARCH).bind(lane.as_str()).bind(behind).bind(seats)).await?;
    let row = row.ok_or_else(|| StoreError::broken("a search found no row"))?;
    let read = || -> Result<_, sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)) };
    let (unsold, last, are_more): (Option<Uuid>, Option<Uuid>, bool) =
        read().map_err(|error| Trouble::from(error).to_store_error())?;
    let upto = unsold.or(last.filter(|_| are_more));
    Ok((unsold.is_some(), upto.map_or(Searched::All, Searched::UpTo)))
}
