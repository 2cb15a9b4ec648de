//! Starts: every way to write one, and every way to be wrong.

use super::super::start::parse;

/// The start as RFC 3339, or the fault.
fn read(text: &str, zone: &str) -> String {
    match parse(Some(text), Some(zone)) {
        Ok(start) => start.at.to_rfc3339(),
        Err(fault) => fault.to_string(),
    }
}

fn assert_fault(text: &str, zone: &str, part: &str) {
    let fault = parse(Some(text), Some(zone)).expect_err(text).to_string();
    assert!(fault.contains(part), "{text} {zone}: {fault}");
}

#[test]
fn offsets_are_accepted_in_every_spelling() {
    for text in [
        "2024-09-12T19:30:00-08:00",
        "2024-09-12T19:30:00-0800",
        "2024-09-12T19:30:00-08",
        "2024-09-12T19:30-08",
        "2024-09-12 19:30:00 -0800",
        "2024-09-12t19:30:00.000-08:00",
        "  2024-09-12T19:30:00-08:00  ",
    ] {
        assert_eq!(read(text, ""), "2024-09-12T19:30:00-08:00", "{text}");
    }
    for text in
        ["2024-09-12T19:30:00Z", "2024-09-12T19:30z", "2024-09-12 19:30 Z", "2024-09-12T19:30:00-00:00"]
    {
        assert_eq!(read(text, ""), "2024-09-12T19:30:00+00:00", "{text}");
    }
    assert_eq!(read("2024-09-12T19:30:15+05:45", ""), "2024-09-12T19:30:15+05:45");
    assert_eq!(read("2024-09-12T19:30:00+14:00", ""), "2024-09-12T19:30:00+14:00");
}

#[test]
fn no_start_is_named() {
    for text in [None, Some(""), Some("  ")] {
        assert_eq!(parse(text, Some("Europe/Paris")).unwrap_err().to_string(), "no start time");
    }
}

#[test]
fn a_date_alone_is_not_a_start() {
    assert_fault("2024-09-12", "", "is a date without a time of day");
    assert_fault("2024-09-12", "Europe/Paris", "is a date without a time of day");
}

#[test]
fn what_is_not_a_date_and_time_is_named_with_an_example() {
    for text in [
        "soon",
        "12/09/2024 19:30",
        "2024-9-12T19:30Z",
        "2024-13-01T19:30Z",
        "2024-02-30T19:30Z",
        "2023-02-29T19:30Z",
        "2024-09-12T",
        "2024-09-12T24:00Z",
        "2024-09-12T19:60Z",
        "2024-09-12T19:30:60Z",
        "2024-09-12T7:30PM",
        "2024-09-12T19Z",
        "2024-09-12T19:30:00.5Z",
        "2024-09-12T19:30.0Z",
        "2024-09-12T19:30:00.Z",
        "2024-09-12T19:30:00:00Z",
        "2024-09-12T19:30:00+24:00",
        "2024-09-12T19:30:00+14:01",
        "2024-09-12T19:30:00+01:60",
        "2024-09-12T19:30:00+1",
        "2024-09-12T19:30:00+001",
        "2024-09-12T19:30:00+01:000",
        "2024-09-12T19:30:00Zulu",
        "2024-09-12T19:30:00-é",
        "2024-09-12_19:30Z",
        "2024-09-1é19:30Z",
        "+2024-09-1T19:30Z",
        "2024-09-12T+9:30Z",
        "12024-09-12T19:30Z",
        "١٢٣٤-٠٩-١٢T19:30Z",
    ] {
        assert_fault(text, "", "is not a date and time; write it like 2024-09-12T19:30:00-04:00");
    }
}

#[test]
fn a_time_without_offset_is_of_the_zone() {
    assert_eq!(read("2024-07-01T19:30", "Europe/Paris"), "2024-07-01T19:30:00+02:00");
    assert_eq!(read("2024-01-01T19:30", "Europe/Paris"), "2024-01-01T19:30:00+01:00");
    assert_eq!(read("2024-01-01 19:30:00", " Asia/Kolkata "), "2024-01-01T19:30:00+05:30");
    let start = parse(Some("2024-07-01T19:30"), Some(" Europe/Paris ")).unwrap();
    assert_eq!(start.zone.as_deref(), Some("Europe/Paris"));
    assert_fault("2024-07-01T19:30", "", "has no UTC offset or time zone");
}

#[test]
fn a_time_that_the_clocks_skip_is_bad() {
    assert_fault("2024-03-10T02:30", "America/New_York", "does not exist in America/New_York");
    assert_fault("2011-12-30T12:00", "Pacific/Apia", "does not exist in Pacific/Apia");
}

#[test]
fn of_a_time_that_the_clocks_show_twice_the_earlier_is_meant() {
    assert_eq!(read("2024-11-03T01:30", "America/New_York"), "2024-11-03T01:30:00-04:00");
    assert_eq!(read("2024-11-03T01:30-05:00", "America/New_York"), "2024-11-03T01:30:00-05:00");
}

#[test]
fn an_offset_must_be_the_one_of_the_zone_at_that_moment() {
    assert_eq!(read("2024-07-01T19:30-04:00", "America/New_York"), "2024-07-01T19:30:00-04:00");
    assert_eq!(
        read("2024-07-01T19:30-05:00", "America/New_York"),
        "start \"2024-07-01T19:30-05:00\" and time zone America/New_York disagree; \
         the UTC offset there is -04:00 at that moment"
    );
    assert_fault("2024-07-01T19:30Z", "America/New_York", "disagree");
    assert_eq!(read("2024-07-01T19:30Z", "UTC"), "2024-07-01T19:30:00+00:00");
    // What the clocks skip exists in neither offset.
    assert_fault("2024-03-10T02:30-05:00", "America/New_York", "disagree");
    assert_fault("2024-03-10T02:30-04:00", "America/New_York", "disagree");
}

#[test]
fn an_unknown_zone_is_named() {
    for zone in ["EDT5", "New York", "America/Gotham", "+02:00"] {
        assert_fault(
            "2024-07-01T19:30-04:00",
            zone,
            &format!("unknown time zone {zone:?}; use an IANA name"),
        );
    }
}

#[test]
fn years_beyond_the_range_are_bad_in_either_clock() {
    for text in [
        "1969-12-31T23:59Z",
        "0024-09-12T19:30Z",
        "0000-01-01T00:00Z",
        "1970-01-01T00:00+01:00",
        "1969-12-31T23:30-01:00",
        "9999-12-31T23:30-01:00",
    ] {
        assert_fault(text, "", "its year may be 1970 to 9999");
    }
    assert_eq!(read("1970-01-01T00:00Z", ""), "1970-01-01T00:00:00+00:00");
    assert_eq!(read("9999-12-31T23:59:59Z", ""), "9999-12-31T23:59:59+00:00");
    assert_fault("9999-12-31T23:30", "America/New_York", "its year may be 1970 to 9999");
}
