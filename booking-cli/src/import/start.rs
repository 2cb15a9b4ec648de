//! The start of a performance: a date and time with a UTC offset, a time zone, or both.
//!
//! Read by hand rather than by a format string, because files write the same moment in many ways, and because each way
//! to be wrong has its own remedy.

use std::str::FromStr;

use chrono::{
    DateTime, Datelike, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone,
};
use chrono_tz::Tz;

use super::fault::{Fault, shown};
use super::fields::present;

/// An instant as seen on the clock of its place. `zone` is the IANA name, if the file gives one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) at: DateTime<FixedOffset>,
    pub(super) zone: Option<String>,
}

/// Reads `text` such as `2024-09-12T19:30:00-04:00`, or without an offset if `zone` says where. An offset must be the
/// one in force in the zone. Of a time that the clock shows twice, the earlier is meant.
pub(super) fn parse(text: Option<&str>, zone: Option<&str>) -> Result<Start, Fault> {
    let text = present(text).ok_or(Fault::NoStart)?;
    let zone = present(zone).map(parse_zone).transpose()?;
    let (local, offset) = parse_text(text)?;
    let at = match (offset, zone) {
        (Some(offset), None) => at_offset(local, offset, text)?,
        (Some(offset), Some(zone)) => agreeing(at_offset(local, offset, text)?, zone, text)?,
        (None, Some(zone)) => in_zone(local, zone, text)?,
        (None, None) => return Err(Fault::NoOffset { found: shown(text) }),
    };
    // Both years count: a local time may be of 9999 and its instant of 10000.
    if !is_year_in_range(local.year()) || !is_year_in_range(at.naive_utc().year()) {
        return Err(Fault::YearOutOfRange { found: shown(text) });
    }
    let zone = zone.map(|zone| zone.name().to_owned());
    Ok(Start { at, zone })
}

fn is_year_in_range(year: i32) -> bool {
    (1970..=9999).contains(&year)
}

fn parse_zone(name: &str) -> Result<Tz, Fault> {
    name.parse().map_err(|_| Fault::UnknownZone { found: shown(name) })
}

fn at_offset(local: NaiveDateTime, offset: FixedOffset, text: &str) -> Result<DateTime<FixedOffset>, Fault> {
    let at = offset.from_local_datetime(&local).single();
    at.ok_or_else(|| Fault::YearOutOfRange { found: shown(text) })
}

fn agreeing(at: DateTime<FixedOffset>, zone: Tz, text: &str) -> Result<DateTime<FixedOffset>, Fault> {
    let actual = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    if actual == *at.offset() {
        return Ok(at);
    }
    Err(Fault::Disagree { found: shown(text), zone: zone.name(), actual })
}

fn in_zone(local: NaiveDateTime, zone: Tz, text: &str) -> Result<DateTime<FixedOffset>, Fault> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Ok(at.fixed_offset()),
        MappedLocalTime::None => Err(Fault::SkippedTime { found: shown(text), zone: zone.name() }),
    }
}

/// Splits `text` into a local time and, if it has one, an offset.
fn parse_text(text: &str) -> Result<(NaiveDateTime, Option<FixedOffset>), Fault> {
    let unreadable = || Fault::UnreadableStart { found: shown(text) };
    let (date, rest) = text.split_at_checked("YYYY-MM-DD".len()).ok_or_else(unreadable)?;
    let date = parse_date(date).ok_or_else(unreadable)?;
    if rest.is_empty() {
        return Err(Fault::DateOnly { found: shown(text) });
    }
    let rest = rest.strip_prefix(['T', 't', ' ']).ok_or_else(unreadable)?;
    let end = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
    let (time, offset) = rest.split_at(end);
    let time = parse_time(time).ok_or_else(unreadable)?;
    let offset = match offset.trim_start() {
        "" => None,
        offset => Some(parse_offset(offset).ok_or_else(unreadable)?),
    };
    Ok((date.and_time(time), offset))
}

/// `2024-09-12`
fn parse_date(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let day = digits(parts.next()?, 2)?;
    match parts.next() {
        None => NaiveDate::from_ymd_opt(year, month, day),
        Some(_) => None,
    }
}

/// `19:30`, `19:30:00`, or with a fraction of a second that must be zero: `19:30:00.000`
fn parse_time(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = match text.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = parts.next().map(|second| digits(second, 2));
    let fraction_is_zero = fraction.is_none_or(|zeros| {
        let follows_seconds = second.is_some();
        follows_seconds && !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0')
    });
    if parts.next().is_some() || !fraction_is_zero {
        return None;
    }
    NaiveTime::from_hms_opt(hour, minute, second.unwrap_or(Some(0))?)
}

/// `Z`, `-08:00`, `-0800` or `-08`. No place on earth is further than 14 hours from UTC.
fn parse_offset(text: &str) -> Option<FixedOffset> {
    const LARGEST_SECONDS: i32 = 14 * 3600;
    if text.eq_ignore_ascii_case("z") {
        return FixedOffset::east_opt(0);
    }
    let (sign, text) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match text.len() {
        2 => (text, "00"),
        4 => text.split_at_checked(2)?,
        5 => text.split_once(':')?,
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (digits(hours, 2)?, digits(minutes, 2)?);
    let seconds = hours * 3600 + minutes * 60;
    if minutes > 59 || seconds > LARGEST_SECONDS {
        return None;
    }
    FixedOffset::east_opt(sign * seconds)
}

/// A number of exactly `count` digits. The standard parser would let a sign pass.
fn digits<T: FromStr>(text: &str, count: usize) -> Option<T> {
    let exact = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    exact.then(|| text.parse().ok()).flatten()
}
