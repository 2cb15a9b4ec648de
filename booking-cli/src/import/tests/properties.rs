//! What holds for any bytes, any start and any now.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use booking_core::catalog::MOST_SEATS;

use super::super::start;
use super::*;

/// Readable content, damaged: some bytes of a sample replaced, so that more than the first byte is looked at.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let damage = prop::collection::vec((any::<prop::sample::Index>(), damage_byte()), 0..8);
    let sample = prop::sample::select(vec![JSONL, CSV, JSONLD]);
    (sample, damage, 1_usize..4).prop_map(|(sample, damage, times)| {
        let mut bytes = format!("{sample}\n").repeat(times).into_bytes();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

/// The bytes that mean something to one of the formats, more often than others.
fn damage_byte() -> impl Strategy<Value = u8> {
    prop_oneof![prop::sample::select(b"\"\\,:{}[]\r\n\t -+TZ0\xEF\xFF\0".to_vec()), any::<u8>()]
}

/// Values of JSON put where concerts, performances, events and their fields are expected.
fn odd_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<f64>().prop_map(|number| serde_json::json!(number).to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::json!(text).to_string()),
        Just("\"2024-09-12T19:30Z\"".to_owned()),
        Just("\"MusicEvent\"".to_owned()),
    ];
    let name = prop::sample::select(vec![
        "id",
        "title",
        "performances",
        "venue",
        "start",
        "tz",
        "price",
        "seats",
        "status",
        "Price",
        "@type",
        "@graph",
        "name",
        "startDate",
        "location",
        "offers",
        "eventStatus",
        "maximumAttendeeCapacity",
    ]);
    leaf.prop_recursive(4, 64, 8, move |inner| {
        let list =
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(",")));
        let fields = prop::collection::vec((name.clone(), inner), 0..8).prop_map(|fields| {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", fields.join(","))
        });
        prop_oneof![list, fields]
    })
}

/// Reads in every format, and asserts what every reading promises.
fn read_all(bytes: &[u8]) {
    for format in FORMATS {
        let defaults = Defaults::default();
        let reading = read(format, bytes, &defaults);
        assert_eq!(reading, read(format, bytes, &defaults), "the same bytes give the same reading");
        assert!(!reading.concerts.is_empty() || !reading.bad.is_empty(), "nothing read and nothing bad");
        let lines = 1 + bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
        assert!(reading.bad.iter().all(|bad| (1..=lines).contains(&bad.line)), "{:?}", reading.bad);
        assert!(reading.bad.is_sorted_by_key(|bad| bad.line));
        assert!(reading.bad.iter().all(|bad| !bad.reason.chars().any(char::is_control)), "{:?}", reading.bad);
        for concert in &reading.concerts {
            assert!(!concert.performances.is_empty());
            assert!(concert.performances.is_sorted_by_key(|performance| performance.starts_at));
            assert!(
                concert
                    .performances
                    .iter()
                    .all(|p| p.price <= MAX_PRICE && (1..=MOST_SEATS).contains(&p.seats))
            );
        }
    }
    let _ = Format::detect("-".as_ref(), bytes);
}

/// None, and some that change their clocks: by an hour, by half of one, and around Ramadan.
const ZONES: [&str; 4] = ["", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"];

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        read_all(text.as_bytes());
    }

    #[test]
    fn no_damage_panics(bytes in damaged()) {
        read_all(&bytes);
    }

    #[test]
    fn no_json_panics(json in odd_json()) {
        read_all(json.as_bytes());
    }

    #[test]
    fn no_csv_panics(rows in prop::collection::vec("[ \",\r\n0-9a-zé:TZ-]{0,60}", 0..6)) {
        read_all(format!("concert_id,title,venue,start,price,seats,tz,status\n{}", rows.join("\n")).as_bytes());
    }

    #[test]
    fn no_start_panics(
        text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?[0-9:.Zz+é -]{0,20}",
        zone in "(Europe/Paris|UTC|é|)",
    ) {
        let _ = start::parse(Some(&text), Some(&zone));
    }

    /// 253 402 300 799 is the last second of the year 9999; a day is left out at either end for the offsets.
    #[test]
    fn a_start_reads_back_as_the_moment_it_was(
        seconds in 86_400_i64..253_402_214_399,
        minutes in -840_i32..=840,
    ) {
        let offset = FixedOffset::east_opt(minutes * 60).unwrap();
        let at = DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&offset);
        for text in [at.to_rfc3339(), at.format("%Y-%m-%d %H:%M:%S %z").to_string()] {
            let start = start::parse(Some(&text), None).unwrap();
            prop_assert_eq!(start.at, at);
            prop_assert_eq!(start.at.offset(), at.offset());
        }
    }

    #[test]
    fn a_moment_reads_back_in_any_zone(
        seconds in 86_400_i64..4_102_444_800,
        zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
    ) {
        let at = DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&zone).fixed_offset();
        // A few zones were off by seconds until the seventies, which no file can write.
        prop_assume!(at.offset().local_minus_utc() % 60 == 0);
        let start = start::parse(Some(&at.to_rfc3339()), Some(zone.name())).unwrap();
        prop_assert_eq!(start.at, at);
        prop_assert_eq!(start.zone.as_deref(), Some(zone.name()));
    }

    #[test]
    fn the_shift_is_the_smallest_that_puts_all_in_the_future(
        starts in prop::collection::vec((86_400_i64..2_000_000_000, prop::sample::select(ZONES.to_vec())), 1..6),
        now in 0_i64..4_000_000_000,
    ) {
        let rows = starts.iter().map(|(seconds, zone)| {
            let utc = DateTime::from_timestamp(*seconds, 0).unwrap();
            let at = match zone.parse::<chrono_tz::Tz>() {
                Ok(zone) => utc.with_timezone(&zone).fixed_offset(),
                Err(_) => utc.fixed_offset(),
            };
            format!("1,A,Hall,{},{zone}\n", at.to_rfc3339())
        });
        let text = format!("concert_id,title,venue,start,tz\n{}", rows.collect::<String>());
        let before = good(Format::Csv, &text);
        let now: DateTime<Utc> = DateTime::from_timestamp(now, 0).unwrap();
        let mut after = before.clone();
        let weeks = shift_to_future(&mut after, now);
        prop_assert!(weeks >= 0);
        prop_assert_eq!(weeks == 0, before == after);
        let starts = |concerts: &[Concert]| -> Vec<_> {
            let mut all: Vec<_> = concerts.iter().flat_map(|c| &c.performances).map(|p| p.starts_at).collect();
            all.sort();
            all
        };
        let floor = now + TimeDelta::days(1);
        prop_assert!(starts(&after).iter().all(|start| *start > floor));
        if weeks > 0 {
            // One week less would have left the earliest behind, give or take the hour that clocks are changed by.
            let earliest = starts(&after)[0];
            prop_assert!(earliest - TimeDelta::weeks(1) <= floor + TimeDelta::hours(1));
        }
        for performance in before.iter().flat_map(|c| &c.performances) {
            let mut moved = after.iter().flat_map(|c| &c.performances);
            let moved = moved.find(|p| p.performance_id == performance.performance_id).unwrap();
            let by = moved.starts_at.naive_local() - performance.starts_at.naive_local();
            let beyond = by - TimeDelta::weeks(weeks);
            prop_assert!(beyond >= TimeDelta::zero() && beyond <= TimeDelta::hours(1), "{beyond}");
        }
    }

    #[test]
    fn no_now_makes_a_shift_panic(milliseconds in any::<i64>()) {
        let now = DateTime::from_timestamp_millis(milliseconds).unwrap_or(DateTime::<Utc>::MAX_UTC);
        shift_to_future(&mut good(Format::Csv, CSV), now);
    }
}
