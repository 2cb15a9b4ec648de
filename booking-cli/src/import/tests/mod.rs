//! What every format shares: identity, merging, defaults, and the ends of a file. The formats have files of their own.

mod csv;
mod format;
mod jsonl;
mod jsonld;
mod merge;
mod names;
mod page;
mod properties;
mod shift;
mod start;

use booking_core::catalog::MOST_SEATS;

use super::*;

fn reading(format: Format, text: &str) -> Reading {
    read(format, text.as_bytes(), &Defaults::default())
}

/// The concerts of a text in which nothing is bad.
fn good(format: Format, text: &str) -> Vec<Concert> {
    let reading = reading(format, text);
    assert_eq!(reading.bad, [], "{text}");
    reading.concerts
}

/// The bad rows of a text, as people see them.
fn faults(format: Format, text: &str) -> Vec<String> {
    reading(format, text).bad.iter().map(ToString::to_string).collect()
}

/// Asserts that there is one bad row, and that it begins with `beginning`.
fn assert_only_fault(format: Format, text: &str, beginning: &str) {
    let faults = faults(format, text);
    assert_eq!(faults.len(), 1, "{text}: {faults:?}");
    assert!(faults[0].starts_with(beginning), "{text}: {faults:?}");
}

/// The only performance of a text in which nothing is bad.
fn only_performance(format: Format, text: &str) -> Performance {
    let mut concerts = good(format, text);
    assert_eq!(concerts.len(), 1, "{text}");
    assert_eq!(concerts[0].performances.len(), 1, "{text}");
    concerts.remove(0).performances.remove(0)
}

const FORMATS: [Format; 3] = [Format::JsonLines, Format::Csv, Format::JsonLd];

/// One concert with two performances, in each format. In JSON-LD its id is its name.
const JSONL: &str = concat!(
    r#"{"id": "Nachtmusik", "title": "Nachtmusik", "performances": ["#,
    r#"{"venue": "Hall", "start": "2024-09-12T19:30:00-04:00"}, "#,
    r#"{"venue": "Hall", "start": "2024-09-13T14:00:00-04:00"}]}"#
);
const CSV: &str = "concert_id,title,venue,start\n\
    Nachtmusik,Nachtmusik,Hall,2024-09-12T19:30:00-04:00\n\
    Nachtmusik,Nachtmusik,Hall,2024-09-13T14:00:00-04:00\n";
const JSONLD: &str = r#"[
{"@type": "Event", "name": "Nachtmusik", "location": "Hall", "startDate": "2024-09-12T19:30:00-04:00"},
{"@type": "Event", "name": "Nachtmusik", "location": "Hall", "startDate": "2024-09-13T14:00:00-04:00"}
]"#;
const SAMPLES: [(Format, &str); 3] =
    [(Format::JsonLines, JSONL), (Format::Csv, CSV), (Format::JsonLd, JSONLD)];

fn ids(concerts: &[Concert]) -> Vec<(Uuid, Vec<Uuid>)> {
    let performances = |concert: &Concert| concert.performances.iter().map(|p| p.performance_id).collect();
    concerts.iter().map(|concert| (concert.concert_id, performances(concert))).collect()
}

#[test]
fn the_same_concert_has_the_same_ids_in_every_format() {
    let expected = ids(&good(Format::JsonLines, JSONL));
    for (format, text) in SAMPLES {
        assert_eq!(ids(&good(format, text)), expected, "{format:?}");
    }
}

/// Were one of these to change, a second import would add every concert anew.
#[test]
fn ids_never_change() {
    let concerts = good(Format::Csv, CSV);
    assert_eq!(concerts[0].concert_id.to_string(), "1e42cc1c-73e9-55f9-8785-39a888494ab7");
    assert_eq!(
        concerts[0].performances[0].performance_id.to_string(),
        "c1b7d04f-a2f2-57db-9422-44fb7d19162d"
    );
}

#[test]
fn the_id_of_a_performance_does_not_depend_on_how_its_start_is_written() {
    let with_start = |start: &str| format!("concert_id,title,venue,start\n1,A,Hall,{start}\n");
    let expected = ids(&good(Format::Csv, &with_start("2024-09-12T19:30:00-04:00")));
    for start in ["2024-09-12 19:30-0400", "2024-09-12T23:30:00Z", "2024-09-13T01:30+02"] {
        assert_eq!(ids(&good(Format::Csv, &with_start(start))), expected, "{start}");
    }
}

#[test]
fn id_start_and_venue_each_make_another_performance() {
    let text = "concert_id,title,venue,start\n\
        1,A,Hall,2024-09-12T14:00Z\n\
        1,A,Hall,2024-09-12T19:30Z\n\
        1,A,Park,2024-09-12T14:00Z\n\
        2,A,Hall,2024-09-12T14:00Z\n";
    let concerts = good(Format::Csv, text);
    let mut ids: Vec<Uuid> =
        concerts.iter().flat_map(|concert| &concert.performances).map(|p| p.performance_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    assert_eq!(concerts.len(), 2);
}

#[test]
fn concerts_keep_the_order_of_the_file_and_performances_that_of_their_starts() {
    let text = "concert_id,title,venue,start\n\
        9,Later id first,Hall,2024-12-01T20:00Z\n\
        1,Earlier id second,Hall,2024-01-01T20:00Z\n\
        9,Later id first,Hall,2024-11-01T20:00Z\n\
        9,Later id first,Hall,2024-11-01T20:00+01:00\n";
    let concerts = good(Format::Csv, text);
    assert_eq!(concerts.iter().map(|c| c.source_id.as_str()).collect::<Vec<_>>(), ["9", "1"]);
    assert_eq!(concerts[0].performances.iter().map(|p| p.line).collect::<Vec<_>>(), [5, 4, 2]);
}

#[test]
fn a_performance_repeated_with_the_same_terms_is_read_once() {
    let row = "1,A,Hall,2024-09-12T19:30:00-04:00,700,40\n";
    let again_elsewhere_written = "1, A ,Hall,2024-09-12T23:30Z,700,40\n";
    let text = format!("concert_id,title,venue,start,price,seats\n{row}{row}{again_elsewhere_written}");
    assert_eq!(only_performance(Format::Csv, &text).line, 2);
}

#[test]
fn a_performance_repeated_with_other_terms_is_bad_and_names_the_first() {
    let first = "1,A,Hall,2024-09-12T19:30Z,700,40,EventScheduled";
    for second in [
        "1,A,Hall,2024-09-12T19:30Z,701,40,EventScheduled",
        "1,A,Hall,2024-09-12T19:30Z,700,41,EventScheduled",
        "1,A,Hall,2024-09-12T19:30Z,700,40,EventCancelled",
    ] {
        let text = format!("concert_id,title,venue,start,price,seats,status\n{first}\n{second}\n");
        assert_only_fault(Format::Csv, &text, "line 3: the same performance is on line 2 with another price");
        assert_eq!(reading(Format::Csv, &text).concerts[0].performances[0].price, 700);
    }
}

#[test]
fn a_concert_without_a_good_performance_is_left_out() {
    let text = "concert_id,title,venue,start\n1,A,Hall,\n2,B,Hall,2024-09-12T19:30Z\n";
    let reading = reading(Format::Csv, text);
    assert_eq!(reading.concerts.len(), 1);
    assert_eq!(reading.bad.len(), 1);
}

#[test]
fn what_no_row_gives_comes_from_the_defaults() {
    for (format, text) in SAMPLES {
        let plain = &good(format, text)[0].performances[0];
        assert_eq!((plain.price, plain.seats, plain.on_sale), (DEFAULT_PRICE, DEFAULT_SEATS, true));
        let defaults = Defaults { price: Some(0), seats: Some(7) };
        let given = &read(format, text.as_bytes(), &defaults).concerts[0].performances[0];
        assert_eq!((given.price, given.seats), (0, 7), "{format:?}");
    }
}

#[test]
fn what_a_row_gives_wins_over_the_defaults() {
    let text = "concert_id,title,venue,start,price,seats\n1,A,Hall,2024-09-12T19:30Z,700,40\n";
    let defaults = Defaults { price: Some(1), seats: Some(2) };
    let performance = &read(Format::Csv, text.as_bytes(), &defaults).concerts[0].performances[0];
    assert_eq!((performance.price, performance.seats), (700, 40));
}

#[test]
fn a_file_without_concerts_is_at_fault() {
    for format in FORMATS {
        for text in ["", "\n\n", "  \r\n\t", "\u{feff}", "\u{feff}\n"] {
            assert_only_fault(format, text, "line 1: no concerts found; expected ");
        }
    }
    assert_only_fault(Format::Csv, "concert_id,title,venue,start\n\n", "line 1: no concerts found");
    for text in ["[]", "{}", r#"{"@graph": []}"#, r#"[{"@type": "Place", "name": "Hall"}]"#] {
        assert_only_fault(Format::JsonLd, text, "line 1: no concerts found");
    }
}

#[test]
fn a_byte_order_mark_is_tolerated() {
    for (format, text) in SAMPLES {
        assert_eq!(good(format, &format!("\u{feff}{text}")), good(format, text), "{format:?}");
    }
}

#[test]
fn line_ends_of_windows_are_tolerated() {
    for (format, text) in SAMPLES {
        assert_eq!(good(format, &text.replace('\n', "\r\n")), good(format, text), "{format:?}");
    }
}

#[test]
fn utf_16_is_named_once_for_what_it_is() {
    for format in FORMATS {
        for mark in [b"\xFF\xFE", b"\xFE\xFF"] {
            let bytes = [mark, b"a\0\n\0b\0\n\0".as_slice()].concat();
            let reading = read(format, &bytes, &Defaults::default());
            assert_eq!(reading.bad.len(), 1);
            assert_eq!(reading.bad[0].to_string(), "line 1: the file is UTF-16; save it as UTF-8");
        }
    }
}

#[test]
fn flags_follow_the_rules_of_rows() {
    assert_eq!(parse_price("0"), Ok(0));
    assert_eq!(parse_price(" 1000000000000 "), Ok(MAX_PRICE));
    assert_eq!(parse_seats("20000"), Ok(MOST_SEATS));
    for text in ["", "-1", "+1", "1.0", "1e3", "1,000", "٣"] {
        assert!(parse_price(text).unwrap_err().contains("digits only"), "{text}");
        assert!(parse_seats(text).unwrap_err().contains("digits only"), "{text}");
    }
    for text in ["1000000000001", "99999999999999999999999"] {
        assert!(parse_price(text).unwrap_err().contains("0 to 1000000000000"), "{text}");
    }
    for text in ["0", "20001", "4294967297"] {
        assert!(parse_seats(text).unwrap_err().contains("1 to 20000"), "{text}");
    }
}
