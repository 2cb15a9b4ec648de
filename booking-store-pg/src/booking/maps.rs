//! Seat maps and dates: read by many, all the time, and most of all while a sale is rushed.
//!
//! However many ask, one instance reads a performance once in [`GOOD_FOR`]: who asks while a read is under way waits
//! for it, and who asks soon after gets the same answer. A map is therefore at most that old, counted from the moment its
//! read began. Own writes are in it at once: a batch that changed a performance makes the instance forget it before
//! anybody is told of the commit.

mod shared_read;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use booking_core::{
    LaneName, StoreError, Timestamp,
    hold::SeatStatus,
    id::{ConcertId, PerformanceId},
    store::{Cursor, Listing, Page, PageRequest, PerformanceFilter, SeatMap},
};
use chrono::NaiveDate;
use sqlx::{Error, Row, postgres::PgRow, query};
use uuid::Uuid;

use self::shared_read::SharedReads;
use super::{
    lists::{after, one_more},
    rows,
    save_catalog::day,
};
use crate::{
    codec::At,
    db::{Db, Statement, decode},
    trouble::damaged,
};

/// How long what was read may be told again (S5).
const GOOD_FOR: Duration = Duration::from_millis(100);

/// Performances with the seats somebody has, in one row each.
const MAPS: &str = concat!(
    "SELECT ",
    rows::performance_columns!(),
    ", c.lane, (SELECT booking_now()), s.numbers, s.untils FROM performances p \
     CROSS JOIN LATERAL (SELECT lane FROM concerts WHERE concert_id = p.concert_id OFFSET 0) AS c \
     CROSS JOIN LATERAL (SELECT coalesce(array_agg(number::integer), '{}') AS numbers, \
         coalesce(array_agg(held_until), '{}') AS untils FROM seats \
         WHERE performance_id = p.performance_id) AS s \
     WHERE p.performance_id = ANY($1)"
);

/// One page of the bookable performances of a lane. What has begun is not read; whether one is bookable is judged again
/// when it is listed.
macro_rules! dates {
    ($filter:literal, $after_at:literal, $after_id:literal, $limit:literal) => {
        concat!(
            "SELECT p.performance_id, p.starts_at FROM performances p CROSS JOIN LATERAL (SELECT lane FROM concerts WHERE concert_id = p.concert_id OFFSET 0) AS c \
             WHERE c.lane = $1 AND p.on_sale AND p.starts_at > (SELECT booking_now()) ",
            $filter, " AND (p.starts_at, p.performance_id) > (", $after_at, ", ", $after_id, ") \
             ORDER BY p.starts_at, p.performance_id LIMIT ", $limit
        )
    };
}
const DATES: &str = dates!("", "$2", "$3", "$4");
const DATES_OF_CONCERT: &str = dates!("AND p.concert_id = $5", "$2", "$3", "$4");
const DATES_OF_DAY: &str = dates!("AND p.local_date = date '1970-01-01' + $5::integer", "$2", "$3", "$4");
const DATES_OF_CONCERT_AND_DAY: &str =
    dates!("AND p.concert_id = $5 AND p.local_date = date '1970-01-01' + $6::integer", "$2", "$3", "$4");

pub(super) const STATEMENTS: &[&str] =
    &[MAPS, DATES, DATES_OF_CONCERT, DATES_OF_DAY, DATES_OF_CONCERT_AND_DAY];

/// What page is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct DatesKey {
    lane: LaneName,
    concert: Option<ConcertId>,
    date: Option<NaiveDate>,
    after: Option<(Timestamp, Uuid)>,
    limit: usize,
}

impl DatesKey {
    fn of(filter: &PerformanceFilter, page: PageRequest) -> Self {
        Self {
            lane: filter.lane.clone(),
            concert: filter.concert,
            date: filter.date,
            after: page.after.map(|after| (after.at, after.id)),
            limit: page.limit,
        }
    }
}

/// Performances of a page, and where the next one begins.
type Dates = (Vec<PerformanceId>, Option<Cursor>);

/// What this instance saw of late.
#[derive(Debug)]
pub(super) struct Maps {
    maps: SharedReads<PerformanceId, Option<Arc<SeatMap>>>,
    dates: SharedReads<DatesKey, Arc<Dates>>,
}

impl Default for Maps {
    fn default() -> Self {
        Self { maps: SharedReads::new(GOOD_FOR), dates: SharedReads::new(GOOD_FOR) }
    }
}

impl Maps {
    pub(super) fn forget(&self, touched: &BTreeSet<PerformanceId>, catalog_changed: bool) {
        self.maps.forget(touched);
        if catalog_changed {
            self.maps.forget_all();
            self.dates.forget_all();
        }
    }

    pub(super) fn forget_all(&self) {
        self.maps.forget_all();
        self.dates.forget_all();
    }

    async fn seen(&self, db: &Db, id: PerformanceId) -> Result<Option<Arc<SeatMap>>, StoreError> {
        let mut found = self.all_seen(db, &[id]).await?;
        Ok(found.remove(&id).flatten())
    }

    /// Several performances, those that are to be read in one read.
    async fn all_seen(
        &self,
        db: &Db,
        ids: &[PerformanceId],
    ) -> Result<HashMap<PerformanceId, Option<Arc<SeatMap>>>, StoreError> {
        self.maps.get(ids, |missing| read_maps(db, missing)).await
    }

    pub(super) async fn seat_map(&self, db: &Db, id: PerformanceId) -> Result<Option<SeatMap>, StoreError> {
        Ok(self.seen(db, id).await?.map(Arc::unwrap_or_clone))
    }

    pub(super) async fn listing(&self, db: &Db, id: PerformanceId) -> Result<Option<Listing>, StoreError> {
        Ok(self.seen(db, id).await?.map(|seen| seen.listing()))
    }

    pub(super) async fn listings(
        &self,
        db: &Db,
        filter: &PerformanceFilter,
        page: PageRequest,
    ) -> Result<Page<Listing>, StoreError> {
        let key = DatesKey::of(filter, page);
        let read = |_| read_dates(db, filter, page);
        let mut found = self.dates.get(std::slice::from_ref(&key), read).await?;
        let Some(dates) = found.remove(&key) else { return Ok(Page { items: Vec::new(), next: None }) };
        let (ids, next) = &*dates;
        let seen = self.all_seen(db, ids).await?;
        let listed = ids.iter().filter_map(|id| seen.get(id)?.as_ref()).filter(|seen| seen.bookable);
        Ok(Page { items: listed.map(|seen| seen.listing()).collect(), next: *next })
    }
}

/// Eleven columns of performance and lane, the clock, and the seats somebody has.
fn map_of(row: &PgRow) -> Result<SeatMap, Error> {
    let lane: &str = row.try_get(10)?;
    let now = rows::at(row, 11)?;
    let numbers: Vec<i32> = row.try_get(12)?;
    let untils: Vec<Option<At>> = row.try_get(13)?;
    let taken = numbers.into_iter().zip(untils).filter_map(|(number, until)| {
        Some((u32::try_from(number).ok()?, SeatStatus::of(until.map(|at| at.0), now)))
    });
    Ok(SeatMap::of(rows::performance(row)?, lane.parse().map_err(damaged)?, taken, now))
}

async fn read_maps(
    db: &Db,
    ids: Vec<PerformanceId>,
) -> Result<HashMap<PerformanceId, Option<Arc<SeatMap>>>, StoreError> {
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let found = db.rows(|| query(MAPS).bind(uuids.clone())).await?;
    let mut seen: HashMap<_, _> = ids.into_iter().map(|id| (id, None)).collect();
    for map in decode(&found, map_of)? {
        seen.insert(map.performance.id, Some(Arc::new(map)));
    }
    Ok(seen)
}

async fn read_dates(
    db: &Db,
    filter: &PerformanceFilter,
    page: PageRequest,
) -> Result<HashMap<DatesKey, Arc<Dates>>, StoreError> {
    let found = db.rows(|| dates(filter, page)).await?;
    let found = decode(&found, |row| {
        let id: Uuid = row.try_get(0)?;
        Ok((Cursor { at: rows::at(row, 1)?, id }, PerformanceId(id)))
    })?;
    let Page { items, next } = Page::cut(found, page);
    let key = DatesKey::of(filter, page);
    Ok(HashMap::from([(key, Arc::new((items, next)))]))
}

fn dates<'q>(filter: &PerformanceFilter, page: PageRequest) -> Statement<'q> {
    let (at, id) = after(page);
    let begin = |sql: &'static str| {
        let lane = filter.lane.as_str().to_owned();
        query(sql).bind(lane).bind(at).bind(id).bind(one_more(page.limit))
    };
    match (filter.concert, filter.date) {
        (None, None) => begin(DATES),
        (Some(concert), None) => begin(DATES_OF_CONCERT).bind(concert.0),
        (None, Some(date)) => begin(DATES_OF_DAY).bind(day(date)),
        (Some(concert), Some(date)) => begin(DATES_OF_CONCERT_AND_DAY).bind(concert.0).bind(day(date)),
    }
}
