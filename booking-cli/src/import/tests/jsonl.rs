//! JSON Lines: the shape of a line, and faults that stay where they are.

use super::*;

const FORMAT: Format = Format::JsonLines;

fn line(id: &str, performances: &str) -> String {
    format!(r#"{{"id": {id}, "title": "A title", "performances": [{performances}]}}"#)
}

const SHOW: &str = r#"{"venue": "Hall", "start": "2024-09-12T19:30:00-04:00"}"#;

#[test]
fn a_line_is_a_concert_with_its_performances() {
    let performances = r#"{"venue": "Hall", "start": "2024-09-12T19:30:00-04:00", "tz": "America/New_York",
        "price": 700, "seats": 40}, {"venue": "Park", "start": "2024-09-14T12:00:00Z", "price": "800", "seats": "5"}"#;
    let concerts = good(FORMAT, &line("\"14934\"", &performances.replace('\n', " ")));
    assert_eq!(concerts.len(), 1);
    assert_eq!((concerts[0].source_id.as_str(), concerts[0].title.as_str()), ("14934", "A title"));
    let [first, second] = concerts[0].performances.as_slice() else { panic!("{concerts:?}") };
    assert_eq!((first.venue.as_str(), first.price, first.seats), ("Hall", 700, 40));
    assert_eq!(first.starts_at.to_rfc3339(), "2024-09-12T19:30:00-04:00");
    assert_eq!(first.zone.as_deref(), Some("America/New_York"));
    assert_eq!((second.venue.as_str(), second.price, second.seats), ("Park", 800, 5));
    assert_eq!((second.zone.as_deref(), second.on_sale, second.line), (None, true, 1));
}

#[test]
fn fields_of_public_data_that_are_not_needed_are_ignored() {
    let text = r#"{"guid": "x", "id": 1, "works": [{"composer": null}], "title": "A", "season": {}, "performances":
        [{"eventType": 3, "venue": "Hall", "date": "1999-01-01", "time": "7:30PM", "start": "2024-09-12T19:30Z"}]}"#;
    let performance = only_performance(FORMAT, &text.replace('\n', " "));
    assert_eq!(performance.starts_at.to_rfc3339(), "2024-09-12T19:30:00+00:00");
}

#[test]
fn an_id_may_be_text_or_a_whole_number_and_both_are_the_same() {
    let text = [line("14934", SHOW), line("\" 14934 \"", SHOW)].join("\n");
    assert_eq!(only_performance(FORMAT, &text).line, 1);
    assert_eq!(good(FORMAT, &line("-3", SHOW))[0].source_id, "-3");
    for (id, fault) in [
        ("null", "line 1: no id"),
        ("\" \"", "line 1: no id"),
        ("1.5", "line 1: id is not text"),
        ("123456789012345678901234567890", "line 1: id is not text"),
        ("[1]", "line 1: id is not text"),
        (r#""a\nb""#, "line 1: id has a control character"),
    ] {
        assert_only_fault(FORMAT, &line(id, SHOW), fault);
    }
}

#[test]
fn blank_lines_are_skipped_and_counted() {
    let text = format!("\n  \n{}\n\r\n\noops\n", line("1", SHOW));
    assert_eq!(reading(FORMAT, &text).concerts[0].performances[0].line, 3);
    assert_only_fault(FORMAT, &text, "line 6: not valid JSON at column 1: expected value");
}

#[test]
fn a_bad_performance_leaves_the_others() {
    let text = line(
        "1",
        &format!(r#"{SHOW}, {{"venue": "Hall", "start": null}}, 7, {{"start": "2024-09-12T20:00Z"}}"#),
    );
    let expected = [
        "line 1: performance 2: no start time",
        "line 1: performance 3: not a JSON object",
        "line 1: performance 4: no venue",
    ];
    assert_eq!(faults(FORMAT, &text), expected);
    assert_eq!(reading(FORMAT, &text).concerts[0].performances.len(), 1);
}

#[test]
fn a_performance_without_a_start_is_bad_even_with_date_and_time() {
    for start in ["", r#", "start": null"#, r#", "start": """#, r#", "start": "  ""#] {
        let show = format!(
            r#"{{"venue": "Hall", "date": "2024-09-12", "time": "7:30PM", "tz": "America/New_York"{start}}}"#
        );
        assert_only_fault(FORMAT, &line("1", &show), "line 1: performance 1: no start time");
    }
}

#[test]
fn a_start_without_offset_needs_a_zone() {
    let show = |tz: &str| format!(r#"{{"venue": "Hall", "start": "2024-09-12T19:30:00"{tz}}}"#);
    let performance = only_performance(FORMAT, &line("1", &show(r#", "tz": "America/New_York""#)));
    assert_eq!(performance.starts_at.to_rfc3339(), "2024-09-12T19:30:00-04:00");
    for absent in ["", r#", "tz": null"#, r#", "tz": """#] {
        let fault = r#"line 1: performance 1: start "2024-09-12T19:30:00" has no UTC offset or time zone"#;
        assert_only_fault(FORMAT, &line("1", &show(absent)), fault);
    }
    assert_only_fault(FORMAT, &line("1", &show(r#", "tz": 4"#)), "line 1: performance 1: tz is not text");
}

#[test]
fn a_concert_without_performances_is_bad() {
    for performances in ["", r#", "performances": null"#, r#", "performances": []"#] {
        let text = format!(r#"{{"id": 1, "title": "A"{performances}}}"#);
        assert_only_fault(FORMAT, &text, "line 1: no performances");
    }
    let text = r#"{"id": 1, "title": "A", "performances": {"venue": "Hall"}}"#;
    assert_only_fault(FORMAT, text, "line 1: performances is not a list");
}

#[test]
fn lines_of_one_id_are_merged_if_their_titles_agree() {
    let other = r#"{"venue": "Hall", "start": "2024-09-10T19:30:00-04:00"}"#;
    let text = [line("1", SHOW), line("2", SHOW), line("1", other)].join("\n");
    let concerts = good(FORMAT, &text);
    assert_eq!(concerts.len(), 2);
    assert_eq!(concerts[0].performances.iter().map(|p| p.line).collect::<Vec<_>>(), [3, 1]);

    let text = [line("1", SHOW), line("1", other).replace("A title", "Another")].join("\n");
    assert_only_fault(FORMAT, &text, r#"line 2: the concert "1" has another title on line 1"#);
    assert_eq!(reading(FORMAT, &text).concerts[0].performances.len(), 1);
}

#[test]
fn a_broken_line_leaves_the_others() {
    let good_line = line("1", SHOW);
    for (broken, fault) in [
        ("{\"id\": 1", "line 2: not valid JSON at column 8: EOF while parsing an object"),
        ("[]", "line 2: not a JSON object"),
        ("\"text\"", "line 2: not a JSON object"),
        ("{} {}", "line 2: not valid JSON at column 4: trailing characters"),
        ("{}", "line 2: no id"),
        (r#"{"id": 1}"#, "line 2: no title"),
        (r#"{"id": 1, "title": ["A"]}"#, "line 2: title is not text"),
    ] {
        let text = format!("{good_line}\n{broken}\n{}", good_line.replace("\"id\": 1", "\"id\": 3"));
        assert_only_fault(FORMAT, &text, fault);
        assert_eq!(reading(FORMAT, &text).concerts.len(), 2);
    }
}

#[test]
fn a_line_that_is_not_utf_8_is_one_bad_row() {
    let mut bytes = line("1", SHOW).into_bytes();
    bytes.extend_from_slice(b"\n{\"id\": \"caf\xE9\"}\n");
    bytes.extend_from_slice(line("2", SHOW).as_bytes());
    let reading = read(FORMAT, &bytes, &Defaults::default());
    assert_eq!(reading.concerts.len(), 2);
    assert_eq!(reading.bad.len(), 1);
    assert_eq!(reading.bad[0].to_string(), "line 2: not valid UTF-8; save the file as UTF-8");
}

#[test]
fn deep_nesting_is_a_bad_row() {
    let text = format!("{{\"id\": {}", "[".repeat(200_000));
    assert_only_fault(FORMAT, &text, "line 1: not valid JSON at column");
}

#[test]
fn prices_and_seats_are_whole_numbers_within_their_range() {
    let show = |field: &str, value: &str| {
        line("1", &format!(r#"{{"venue": "Hall", "start": "2024-09-12T19:30Z", "{field}": {value}}}"#))
    };
    for absent in ["null", "\"\"", "\" \""] {
        assert_eq!(only_performance(FORMAT, &show("price", absent)).price, DEFAULT_PRICE);
        assert_eq!(only_performance(FORMAT, &show("seats", absent)).seats, DEFAULT_SEATS);
    }
    for value in ["50000.0", "1e3", "-1", "\"+1\"", "\"12.50\"", "true", "[1]", "1e400"] {
        for field in ["price", "seats"] {
            let faults = faults(FORMAT, &show(field, value));
            assert_eq!(faults.len(), 1, "{field} {value}");
        }
    }
    assert_only_fault(
        FORMAT,
        &show("price", "1e3"),
        r#"line 1: performance 1: price "1000.0" is not a whole number"#,
    );
    assert_only_fault(
        FORMAT,
        &show("price", "1000000000001"),
        "line 1: performance 1: price \"1000000000001\" is out of range",
    );
    assert_only_fault(FORMAT, &show("seats", "0"), "line 1: performance 1: seats \"0\" is out of range");
    assert_only_fault(
        FORMAT,
        &show("seats", "20001"),
        "line 1: performance 1: seats \"20001\" is out of range",
    );
}
