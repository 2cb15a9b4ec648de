//! Whether anything is left to sell in a lane. Every instance asks many times a second, so what was found once is used
//! again: a seat that is not sold is looked for where one was found last, and that nothing is left stays true until a
//! sold seat comes back or the catalogue changes, both of which the head of the log counts. A database that has gone back counts
//! up to the same numbers again, so that is good only while no connection is lost.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use booking_core::{LaneName, StoreError, catalog::Stock};
use sqlx::{Row, postgres::PgRow, query};
use uuid::Uuid;

use crate::{
    db::{Db, decode},
    trouble::Trouble,
};

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
const SEARCH: &str = "\
    SELECT p.performance_id FROM concerts c CROSS JOIN LATERAL ( \
        SELECT performance_id, on_sale, starts_at, seats FROM performances WHERE concert_id = c.concert_id OFFSET 0) AS p \
    WHERE c.lane = $1 AND p.on_sale AND p.starts_at > (SELECT booking_now()) \
        AND p.seats > (SELECT count(*) FROM seats s WHERE s.performance_id = p.performance_id \
            AND s.held_until IS NULL) LIMIT 1";

pub(super) const STATEMENTS: &[&str] = &[GLANCE, SEARCH];

/// What was found in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// This performance had an unsold seat.
    Unsold(Uuid),
    /// There was none at these counters, in this life of the connections.
    Nothing(Counters, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counters {
    catalog_version: i64,
    returns: i64,
}

/// What this instance found last, by lane.
#[derive(Debug, Default)]
pub(super) struct Stocks(Mutex<HashMap<LaneName, Found>>);

impl Stocks {
    fn found(&self) -> MutexGuard<'_, HashMap<LaneName, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn stock(db: &Db, stocks: &Stocks, lane: &LaneName) -> Result<Stock, StoreError> {
    let last = stocks.found().get(lane).copied();
    let hint = match last {
        Some(Found::Unsold(performance)) => performance,
        Some(Found::Nothing(..)) | None => Uuid::nil(),
    };
    let life = db.life();
    let row = db.row(|| query(GLANCE).bind(lane.as_str()).bind(hint)).await?;
    let row = row.ok_or_else(|| StoreError::broken("the log has no head"))?;
    let (counters, bookable, unsold) = glance(&row).map_err(|error| Trouble::from(error).to_store_error())?;
    let is_known = last == Some(Found::Nothing(counters, life)) && life == db.life();
    if unsold || !bookable || is_known {
        return Ok(Stock { bookable, unsold });
    }
    // The counters were read before the search: what changed meanwhile is found the next time.
    let found = db.rows(|| query(SEARCH).bind(lane.as_str())).await?;
    let unsold: Option<Uuid> = decode(&found, |row| row.try_get(0))?.pop();
    stocks.found().insert(lane.clone(), unsold.map_or(Found::Nothing(counters, life), Found::Unsold));
    Ok(Stock { bookable, unsold: unsold.is_some() })
}

fn glance(row: &PgRow) -> Result<(Counters, bool, bool), sqlx::Error> {
    let counters = Counters { catalog_version: row.try_get(0)?, returns: row.try_get(1)? };
    Ok((counters, row.try_get(2)?, row.try_get(3)?))
}
