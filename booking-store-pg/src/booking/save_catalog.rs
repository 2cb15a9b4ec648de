//! Saving concerts, performances and lanes. Whoever saves concerts and performances holds the lock of the
//! catalogue, and whoever saves lanes the head of the log, so that no two of them meet.

use std::time::Duration;

use booking_core::{
    ChangedRows,
    catalog::{Concert, LaneRecord, Performance},
};
use chrono::NaiveDate;
use sqlx::{PgConnection, query};

use crate::{
    codec::{At, column},
    trouble::Trouble,
};

/// Taken before everything else; a number of our own, like the one of the schema.
pub(super) const LOCK: &str = "BEGIN; SELECT pg_advisory_xact_lock(7230592)";

const SAVE_LANES: &str = "\
    INSERT INTO lanes (name, capacity, max_waiting, admit_per_second, claim_ttl_ns, session_ttl_ns, paused, closed, \
        sold_out, revision) \
    SELECT t.name, t.capacity, t.max_waiting::numeric, t.rate, t.claim, t.session, t.paused, t.closed, t.sold_out, \
        t.revision \
    FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[], \
        $8::boolean[], $9::boolean[], $10::bigint[]) \
        AS t (name, capacity, max_waiting, rate, claim, session, paused, closed, sold_out, revision) \
    ON CONFLICT (name) DO UPDATE SET capacity = EXCLUDED.capacity, max_waiting = EXCLUDED.max_waiting, \
        admit_per_second = EXCLUDED.admit_per_second, claim_ttl_ns = EXCLUDED.claim_ttl_ns, \
        session_ttl_ns = EXCLUDED.session_ttl_ns, paused = EXCLUDED.paused, closed = EXCLUDED.closed, \
        sold_out = EXCLUDED.sold_out, revision = EXCLUDED.revision";

const SAVE_CONCERTS: &str = "\
    INSERT INTO concerts (concert_id, title, lane, created_at) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) \
    ON CONFLICT (concert_id) DO UPDATE SET title = EXCLUDED.title, lane = EXCLUDED.lane";

const SAVE_PERFORMANCES: &str = "\
    INSERT INTO performances (performance_id, concert_id, venue, starts_at, utc_offset_seconds, local_date, zone, \
        price, seats, on_sale, created_at) \
    SELECT t.id, t.concert_id, t.venue, t.starts_at, t.utc_offset, date '1970-01-01' + t.day, t.zone, t.price, \
        t.seats, t.on_sale, t.created_at \
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::integer[], $6::integer[], $7::text[], \
        $8::bigint[], $9::integer[], $10::boolean[], $11::timestamptz[]) \
        AS t (id, concert_id, venue, starts_at, utc_offset, day, zone, price, seats, on_sale, created_at) \
    ON CONFLICT (performance_id) DO UPDATE SET venue = EXCLUDED.venue, starts_at = EXCLUDED.starts_at, \
        utc_offset_seconds = EXCLUDED.utc_offset_seconds, local_date = EXCLUDED.local_date, zone = EXCLUDED.zone, \
        price = EXCLUDED.price, seats = EXCLUDED.seats, on_sale = EXCLUDED.on_sale";

pub(super) const STATEMENTS: &[&str] = &[SAVE_LANES, SAVE_CONCERTS, SAVE_PERFORMANCES];

/// Saves lanes, concerts and performances.
pub(super) async fn save(connection: &mut PgConnection, changes: &ChangedRows<'_>) -> Result<(), Trouble> {
    save_lanes(connection, &changes.lanes).await?;
    let concerts = [&changes.concerts_added[..], &changes.concerts_changed[..]].concat();
    save_concerts(connection, &concerts).await?;
    let performances = [&changes.performances_added[..], &changes.performances_changed[..]].concat();
    save_performances(connection, &performances).await
}

async fn save_lanes(connection: &mut PgConnection, lanes: &[LaneRecord]) -> Result<(), Trouble> {
    if lanes.is_empty() {
        return Ok(());
    }
    // A span of a policy is 30 days at most, which is far less than 64 bits of nanoseconds.
    let nanos = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    query(SAVE_LANES)
        .bind(column(lanes, |lane| lane.name.as_str()))
        .bind(column(lanes, |lane| i64::from(lane.settings.policy.capacity)))
        .bind(column(lanes, |lane| lane.settings.policy.max_waiting.map(|most| most.to_string())))
        .bind(column(lanes, |lane| lane.settings.policy.admit_per_second.map(i64::from)))
        .bind(column(lanes, |lane| nanos(lane.settings.policy.claim_ttl)))
        .bind(column(lanes, |lane| nanos(lane.settings.policy.session_ttl)))
        .bind(column(lanes, |lane| lane.settings.paused))
        .bind(column(lanes, |lane| lane.settings.closed))
        .bind(column(lanes, |lane| lane.settings.sold_out))
        .bind(column(lanes, |lane| lane.settings.revision.cast_signed()))
        .execute(connection)
        .await?;
    Ok(())
}

async fn save_concerts(connection: &mut PgConnection, concerts: &[&Concert]) -> Result<(), Trouble> {
    if concerts.is_empty() {
        return Ok(());
    }
    query(SAVE_CONCERTS)
        .bind(column(concerts, |concert| concert.id.0))
        .bind(column(concerts, |concert| concert.title.as_str()))
        .bind(column(concerts, |concert| concert.lane.as_str()))
        .bind(column(concerts, |concert| At(concert.created_at)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Days since 1970, which can name any date there is.
pub(super) fn day(date: NaiveDate) -> i32 {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).unwrap_or(i32::MAX)
}

async fn save_performances(
    connection: &mut PgConnection,
    performances: &[&Performance],
) -> Result<(), Trouble> {
    if performances.is_empty() {
        return Ok(());
    }
    query(SAVE_PERFORMANCES)
        .bind(column(performances, |of| of.id.0))
        .bind(column(performances, |of| of.concert.0))
        .bind(column(performances, |of| of.venue.as_str()))
        .bind(column(performances, |of| At(of.begins())))
        .bind(column(performances, |of| of.starts_at.offset().local_minus_utc()))
        .bind(column(performances, |of| day(of.local_date())))
        .bind(column(performances, |of| of.zone.as_deref()))
        .bind(column(performances, |of| of.price.units()))
        .bind(column(performances, |of| i32::try_from(of.seats).unwrap_or(i32::MAX)))
        .bind(column(performances, |of| of.on_sale))
        .bind(column(performances, |of| At(of.created_at)))
        .execute(connection)
        .await?;
    Ok(())
}
