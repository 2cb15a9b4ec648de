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
    catalog::Performance,
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
const SIGHTINGS: &str = concat!(
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
    &[SIGHTINGS, DATES, DATES_OF_CONCERT, DATES_OF_DAY, DATES_OF_CONCERT_AND_DAY];

/// A performance as it was seen.
#[derive(Debug)]
struct Sighting {
    performance: Performance,
    lane: LaneName,
    bookable: bool,
    seats: Vec<SeatStatus>,
}

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
    sightings: SharedReads<PerformanceId, Option<Arc<Sighting>>>,
    dates: SharedReads<DatesKey, Arc<Dates>>,
}

impl Default for Maps {
    fn default() -> Self {
        Self { sightings: SharedReads::new(GOOD_FOR), dates: SharedReads::new(GOOD_FOR) }
    }
}

impl Maps {
    pub(super) fn forget(&self, touched: &BTreeSet<PerformanceId>, catalog_changed: bool) {
        self.sightings.forget(touched);
        if catalog_changed {
            self.sightings.forget_all();
            self.dates.forget_all();
        }
    }

    pub(super) fn forget_all(&self) {
        self.sightings.forget_all();
        self.dates.forget_all();
    }

    async fn sighting(&self, db: &Db, id: PerformanceId) -> Result<Option<Arc<Sighting>>, StoreError> {
        let mut found = self.sighted(db, &[id]).await?;
        Ok(found.remove(&id).flatten())
    }

    /// Several performances, those that are to be read in one read.
    async fn sighted(
        &self,
        db: &Db,
        ids: &[PerformanceId],
    ) -> Result<HashMap<PerformanceId, Option<Arc<Sighting>>>, StoreError> {
        self.sightings.get(ids, |missing| read_sightings(db, missing)).await
    }

    pub(super) async fn seat_map(&self, db: &Db, id: PerformanceId) -> Result<Option<SeatMap>, StoreError> {
        let sighting = self.sighting(db, id).await?;
        Ok(sighting.map(|seen| SeatMap {
            performance: seen.performance.clone(),
            lane: seen.lane.clone(),
            bookable: seen.bookable,
            seats: seen.seats.clone(),
        }))
    }

    pub(super) async fn listing(&self, db: &Db, id: PerformanceId) -> Result<Option<Listing>, StoreError> {
        Ok(self.sighting(db, id).await?.map(|seen| seen.listing()))
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
        let seen = self.sighted(db, ids).await?;
        let listed = ids.iter().filter_map(|id| seen.get(id)?.as_ref()).filter(|seen| seen.bookable);
        Ok(Page { items: listed.map(|seen| seen.listing()).collect(), next: *next })
    }
}

impl Sighting {
    /// Eleven columns of performance and lane, the clock, and the seats somebody has.
    fn of(row: &PgRow) -> Result<Self, Error> {
        let performance = rows::performance(row)?;
        let lane: &str = row.try_get(10)?;
        let now = rows::at(row, 11)?;
        let numbers: Vec<i32> = row.try_get(12)?;
        let untils: Vec<Option<At>> = row.try_get(13)?;
        let mut seats = vec![SeatStatus::Available; usize::try_from(performance.seats).map_err(damaged)?];
        for (number, until) in numbers.into_iter().zip(untils) {
            let seat = rows::seat_status(until.map(|at| at.0), now);
            let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
            if let Some(status) = at.and_then(|at| seats.get_mut(at)) {
                *status = seat;
            }
        }
        let lane = lane.parse().map_err(damaged)?;
        Ok(Self { bookable: performance.bookable_at(now), performance, lane, seats })
    }

    fn listing(&self) -> Listing {
        let free = self.seats.iter().filter(|status| **status == SeatStatus::Available).count();
        let seats_available = if self.bookable { u32::try_from(free).unwrap_or(u32::MAX) } else { 0 };
        Listing { performance: self.performance.clone(), lane: self.lane.clone(), seats_available }
    }
}

async fn read_sightings(
    db: &Db,
    ids: Vec<PerformanceId>,
) -> Result<HashMap<PerformanceId, Option<Arc<Sighting>>>, StoreError> {
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let found = db.rows(|| query(SIGHTINGS).bind(uuids.clone())).await?;
    let mut seen: HashMap<_, _> = ids.into_iter().map(|id| (id, None)).collect();
    for sighting in decode(&found, Sighting::of)? {
        seen.insert(sighting.performance.id, Some(Arc::new(sighting)));
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
