//! Moving past concerts into the future, so that a season of last year can be sold in a demo.

use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

use super::collect::sort_by_start;
use super::{Concert, Performance};

/// Moves all performances by the same whole number of weeks, the smallest that puts every start more than a day after
/// `now`, and returns it: 0, and nothing moved, if that is so already. Never moves backward.
///
/// Weekday and time of day stay as a visitor's clock shows them. Where the time zone is known, the UTC offset follows
/// its rules; a time that the clocks skip on the new date becomes the first one after. Where only an offset is known,
/// the offset stays. Ids stay, because they are made from the unshifted start.
///
/// A file spread over thousands of years may end up beyond the year 9999.
pub fn shift_to_future(concerts: &mut [Concert], now: DateTime<Utc>) -> i64 {
    let floor = now.checked_add_signed(TimeDelta::days(1));
    let weeks = weeks_needed(concerts, floor.unwrap_or(DateTime::<Utc>::MAX_UTC));
    if weeks > 0 {
        for concert in concerts {
            for performance in &mut concert.performances {
                performance.starts_at = moved(performance, weeks);
            }
            // In different zones an hour more or less can change the order.
            sort_by_start(&mut concert.performances);
        }
    }
    weeks
}

fn weeks_needed(concerts: &[Concert], floor: DateTime<Utc>) -> i64 {
    let earliest = |weeks| {
        let performances = concerts.iter().flat_map(|concert| &concert.performances);
        performances.map(|performance| moved(performance, weeks)).min()
    };
    let Some(unmoved) = earliest(0) else {
        return 0;
    };
    // A clock change can make a move longer or shorter than its weeks, by up to a day where a zone crossed the date
    // line. So the estimate starts one week low and is tried out; two more weeks than the estimate always suffice.
    let estimate = floor.signed_duration_since(unmoved).num_weeks();
    let lowest = estimate.saturating_sub(1).max(0);
    let highest = lowest.saturating_add(3);
    (lowest..highest).find(|&weeks| earliest(weeks).is_some_and(|start| start > floor)).unwrap_or(highest)
}

/// The start of `performance` so many weeks later. Unmoved if that is beyond what can be counted.
fn moved(performance: &Performance, weeks: i64) -> DateTime<FixedOffset> {
    let start = performance.starts_at;
    if weeks == 0 {
        return start;
    }
    let local = TimeDelta::try_weeks(weeks).and_then(|by| start.naive_local().checked_add_signed(by));
    let zone: Option<Tz> = performance.zone.as_deref().and_then(|name| name.parse().ok());
    let moved = local.and_then(|local| match zone {
        Some(zone) => in_zone(local, zone),
        None => start.offset().from_local_datetime(&local).single(),
    });
    moved.unwrap_or(start)
}

fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<DateTime<FixedOffset>> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(at.fixed_offset()),
        MappedLocalTime::None => GapInfo::new(&local, &zone)?.end.map(|end| end.fixed_offset()),
    }
}
