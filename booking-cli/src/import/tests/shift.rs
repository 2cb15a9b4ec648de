//! Moving concerts into the future by whole weeks.

use chrono::{DateTime, Utc};

use super::*;

/// Concerts of one performance each, from starts and zones.
fn concerts(starts: &[(&str, &str)]) -> Vec<Concert> {
    let rows = starts.iter().enumerate().map(|(id, (start, zone))| format!("{id},A,Hall,{start},{zone}\n"));
    good(Format::Csv, &format!("concert_id,title,venue,start,tz\n{}", rows.collect::<String>()))
}

fn shifted(starts: &[(&str, &str)], now: &str) -> (i64, Vec<String>) {
    let mut concerts = concerts(starts);
    let weeks = shift_to_future(&mut concerts, now.parse().unwrap());
    (weeks, concerts.iter().map(|concert| concert.performances[0].starts_at.to_rfc3339()).collect())
}

fn assert_shifted(start: &str, zone: &str, now: &str, weeks: i64, expected: &str) {
    assert_eq!(shifted(&[(start, zone)], now), (weeks, vec![expected.to_owned()]), "{start} {zone} {now}");
}

#[test]
fn what_starts_more_than_a_day_from_now_stays() {
    assert_shifted("2024-09-12T19:30:00Z", "", "2024-09-11T19:29:59Z", 0, "2024-09-12T19:30:00+00:00");
    assert_shifted("2024-09-12T19:30:00Z", "", "2000-01-01T00:00:00Z", 0, "2024-09-12T19:30:00+00:00");
}

#[test]
fn what_starts_within_a_day_or_at_its_end_moves_a_week() {
    for now in ["2024-09-11T19:30:00Z", "2024-09-12T19:29:59Z", "2024-09-18T19:29:59Z"] {
        assert_shifted("2024-09-12T19:30:00Z", "", now, 1, "2024-09-19T19:30:00+00:00");
    }
    assert_shifted("2024-09-12T19:30:00Z", "", "2024-09-18T19:30:00Z", 2, "2024-09-26T19:30:00+00:00");
}

#[test]
fn all_move_by_the_weeks_of_the_earliest() {
    let starts = [("2024-10-01T20:00Z", ""), ("2024-09-12T19:30Z", ""), ("2030-01-01T20:00Z", "")];
    let (weeks, moved) = shifted(&starts, "2024-10-01T00:00:00Z");
    assert_eq!(weeks, 3);
    let expected = ["2024-10-22T20:00:00+00:00", "2024-10-03T19:30:00+00:00", "2030-01-22T20:00:00+00:00"];
    assert_eq!(moved, expected);
}

#[test]
fn with_a_zone_the_hour_stays_and_with_an_offset_the_offset() {
    let now = "2024-12-01T00:00:00Z";
    assert_shifted("2024-09-12T19:30", "America/New_York", now, 12, "2024-12-05T19:30:00-05:00");
    assert_shifted("2024-09-12T19:30-04:00", "America/New_York", now, 12, "2024-12-05T19:30:00-05:00");
    assert_shifted("2024-09-12T19:30-04:00", "", now, 12, "2024-12-05T19:30:00-04:00");
}

#[test]
fn a_time_skipped_on_the_new_date_becomes_the_first_after() {
    let now = "2025-03-07T00:00:00Z";
    assert_shifted("2025-03-02T02:30", "America/New_York", now, 1, "2025-03-09T03:00:00-04:00");
    // Samoa left out a whole day, the thirtieth of December.
    let now = "2011-12-25T00:00:00Z";
    assert_shifted("2011-12-23T12:00", "Pacific/Apia", now, 1, "2011-12-31T00:00:00+14:00");
}

#[test]
fn a_time_shown_twice_on_the_new_date_is_the_earlier() {
    let now = "2024-11-01T00:00:00Z";
    assert_shifted("2024-10-27T01:30", "America/New_York", now, 1, "2024-11-03T01:30:00-04:00");
}

#[test]
fn an_hour_won_or_lost_by_the_clocks_counts() {
    // In autumn a week by the clock is 169 hours: enough here, where 168 would not be, and not enough a little later.
    let start = "2024-10-29T19:30";
    let now = "2024-11-05T00:00:00Z";
    assert_shifted(start, "America/New_York", now, 1, "2024-11-05T19:30:00-05:00");
    let now = "2024-11-05T00:30:00Z";
    assert_shifted(start, "America/New_York", now, 2, "2024-11-12T19:30:00-05:00");
    // In spring it is 167: not enough here, where 168 would be.
    let now = "2025-03-12T00:30:00Z";
    assert_shifted("2025-03-05T20:00", "America/New_York", now, 2, "2025-03-19T20:00:00-04:00");
}

#[test]
fn shifting_again_moves_nothing_more() {
    let mut concerts = concerts(&[("2024-09-12T19:30", "America/New_York"), ("2024-09-13T19:30Z", "")]);
    let now: DateTime<Utc> = "2026-03-01T00:00:00Z".parse().unwrap();
    assert!(shift_to_future(&mut concerts, now) > 0);
    let once = concerts.clone();
    assert_eq!(shift_to_future(&mut concerts, now), 0);
    assert_eq!(concerts, once);
}

#[test]
fn ids_stay() {
    let mut concerts = concerts(&[("2024-09-12T19:30", "America/New_York")]);
    let before = ids(&concerts);
    shift_to_future(&mut concerts, "2026-03-01T00:00:00Z".parse().unwrap());
    assert_eq!(ids(&concerts), before);
}

#[test]
fn performances_stay_in_the_order_of_their_starts() {
    // Half an hour apart in summer; in winter the second comes first, for only New York's clocks went back.
    let text = "concert_id,title,venue,start,tz\n\
        1,A,Hall,2024-09-12T19:30,America/New_York\n\
        1,A,Desert,2024-09-12T17:00,America/Phoenix\n";
    let mut concerts = good(Format::Csv, text);
    assert_eq!(concerts[0].performances[0].venue, "Hall");
    shift_to_future(&mut concerts, "2024-12-01T00:00:00Z".parse().unwrap());
    assert_eq!(concerts[0].performances[0].venue, "Desert");
}

#[test]
fn nothing_to_move_moves_nothing() {
    assert_eq!(shift_to_future(&mut [], "2026-03-01T00:00:00Z".parse().unwrap()), 0);
}
