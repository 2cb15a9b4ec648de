use booking_core::{
    hold::SeatStatus,
    store::{Listing, PageRequest, SeatMap},
};
use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::list::{self, InvalidPage};

/// A concert (S1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::concert))]
pub struct Concert {
    /// Its identity.
    pub concert_id: Uuid,
    /// Its name.
    pub title: String,
    /// The lane whose queue token leads to it.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::lane))]
    pub lane: String,
}

impl From<booking_core::catalog::Concert> for Concert {
    fn from(concert: booking_core::catalog::Concert) -> Self {
        Self { concert_id: concert.id.0, title: concert.title, lane: concert.lane.into() }
    }
}

/// One dated show of a concert (S2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::performance))]
pub struct Performance {
    /// Its identity.
    pub performance_id: Uuid,
    /// The concert it shows.
    pub concert_id: Uuid,
    /// Where it is.
    pub venue: String,
    /// The calendar date at its place.
    pub date: NaiveDate,
    /// When it begins, with the offset of its place.
    pub starts_at: DateTime<FixedOffset>,
    /// The IANA name of its time zone, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What one seat costs, in the currency's minor unit.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub price: i64,
    /// How many seats it has, numbered from 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 20_000))]
    pub seats_total: u32,
    /// How many can be held.
    pub seats_available: u32,
}

impl From<Listing> for Performance {
    fn from(listing: Listing) -> Self {
        let performance = listing.performance;
        Self {
            performance_id: performance.id.0,
            concert_id: performance.concert.0,
            date: performance.local_date(),
            venue: performance.venue,
            starts_at: performance.starts_at,
            zone: performance.zone,
            price: performance.price.units(),
            seats_total: performance.seats,
            seats_available: listing.seats_available,
        }
    }
}

/// `GET /v1/performances`: the local date and the part of the list that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct PerformancesQuery {
    /// `YYYY-MM-DD`, the date at the performance's place.
    #[serde(default, deserialize_with = "crate::instant::date")]
    #[cfg_attr(feature = "openapi", param(nullable = false))]
    pub date: Option<NaiveDate>,
    /// This many at most, 1 to 1,000; 100 by default.
    #[cfg_attr(feature = "openapi", param(schema_with = crate::openapi::limit, required = false))]
    pub limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[cfg_attr(feature = "openapi", param(schema_with = crate::openapi::cursor, required = false))]
    pub cursor: Option<String>,
}

impl PerformancesQuery {
    /// The page this asks for.
    pub fn page(&self) -> Result<PageRequest, InvalidPage> {
        list::page(self.limit, self.cursor.as_deref())
    }
}

/// `GET /v1/performances/{id}/seats`: which seats are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct SeatsQuery {
    /// The whole map instead of the available numbers only.
    #[serde(default)]
    pub all: bool,
}

/// The seats of a performance (S3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::seats))]
pub struct Seats {
    /// The performance.
    pub performance_id: Uuid,
    /// How many seats it has, numbered from 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 20_000))]
    pub seats_total: u32,
    /// The numbers that can be held, ascending (S5).
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::seats))]
    pub available: Vec<u32>,
    /// With `?all=true`: every seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<Vec<SeatOfMap>>,
}

/// One seat of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::seat_of_map))]
pub struct SeatOfMap {
    /// Its number.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub seat: u32,
    /// What it is.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::seat_status))]
    pub status: SeatStatus,
}

/// What is different since the event before on `GET /v1/performances/{id}/seats/events` (S6): every seat that became
/// something else, under what it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::seat_changes))]
pub struct SeatChanges {
    /// Numbers that can be held now, ascending.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::seats))]
    pub available: Vec<u32>,
    /// Numbers somebody holds now, ascending.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::seats))]
    pub held: Vec<u32>,
    /// Numbers that are sold now, ascending.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::seats))]
    pub sold: Vec<u32>,
}

impl SeatChanges {
    /// What is different between two maps of the same seats.
    pub fn between(before: &SeatMap, now: &SeatMap) -> Self {
        let mut changes = Self::default();
        for (seat, (before, now)) in (1..).zip(before.seats.iter().zip(&now.seats)) {
            if before != now {
                match now {
                    SeatStatus::Available => changes.available.push(seat),
                    SeatStatus::Held => changes.held.push(seat),
                    SeatStatus::Sold => changes.sold.push(seat),
                }
            }
        }
        changes
    }

    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.available.is_empty() && self.held.is_empty() && self.sold.is_empty()
    }
}

impl Seats {
    /// The available numbers, or the whole map.
    pub fn of(map: &SeatMap, all: bool) -> Self {
        let numbered = || (1..).zip(&map.seats).map(|(seat, status)| SeatOfMap { seat, status: *status });
        Self {
            performance_id: map.performance.id.0,
            seats_total: map.performance.seats,
            available: map.available().collect(),
            seats: all.then(|| numbered().collect()),
        }
    }
}
