//! CSV: the header, quoting, and which line a row is on.

use super::*;

const FORMAT: Format = Format::Csv;
const HEADER: &str = "concert_id,title,venue,start\n";

fn rows(rows: &str) -> String {
    format!("{HEADER}{rows}")
}

#[test]
fn columns_may_come_in_any_order_and_case_with_others_between() {
    let text = "Seats, start ,colour,VENUE,title,tz,price,status,concert_id\n\
        40,2024-09-12T19:30,red,Hall,\"A, B\",America/New_York,700,EventPostponed,7\n";
    let concerts = good(FORMAT, text);
    assert_eq!((concerts[0].source_id.as_str(), concerts[0].title.as_str()), ("7", "A, B"));
    let performance = &concerts[0].performances[0];
    assert_eq!(performance.starts_at.to_rfc3339(), "2024-09-12T19:30:00-04:00");
    assert_eq!(performance.zone.as_deref(), Some("America/New_York"));
    assert_eq!((performance.price, performance.seats, performance.on_sale), (700, 40, false));
    assert_eq!((performance.venue.as_str(), performance.line), ("Hall", 2));
}

#[test]
fn missing_columns_are_named_together_once() {
    let text = "concert_id,name,start\n1,A,2024-09-12T19:30Z\n2,B,2024-09-12T19:30Z\n";
    assert_only_fault(FORMAT, text, "line 1: the header lacks title, venue;");
    assert_only_fault(FORMAT, "\n\na;b\n", "line 3: the header lacks concert_id, title, venue, start;");
}

#[test]
fn a_column_named_twice_is_refused() {
    for (name, column) in [("title", "Title"), ("price", " price,price")] {
        let text = format!("concert_id,title,venue,start,{column}\n1,A,Hall,2024-09-12T19:30Z,B\n");
        assert_only_fault(FORMAT, &text, &format!("line 1: the header names the column {name} twice"));
    }
    let unknown_twice = "concert_id,title,venue,start,note,note\n1,A,Hall,2024-09-12T19:30Z,x,y\n";
    good(FORMAT, unknown_twice);
}

#[test]
fn a_row_with_a_wrong_number_of_fields_is_bad() {
    let text = rows("1,A,Hall\n1,A,B,Hall,2024-09-12T19:30Z\n1,A,Hall,2024-09-12T19:30Z\n");
    let expected = [
        "line 2: 3 fields where the header has 4; put quotes around a field with a comma in it",
        "line 3: 5 fields where the header has 4; put quotes around a field with a comma in it",
    ];
    assert_eq!(faults(FORMAT, &text), expected);
    assert_eq!(reading(FORMAT, &text).concerts.len(), 1);
}

#[test]
fn quotes_hold_commas_quotes_and_line_breaks() {
    let text = rows("1,\"Say \"\"Ah\"\",\n  Doctor\",Hall,2024-09-12T19:30Z\n2,B,Hall,\n");
    let reading = reading(FORMAT, &text);
    assert_eq!(reading.concerts[0].title, "Say \"Ah\", Doctor");
    assert_eq!(reading.bad[0].to_string(), "line 4: no start time");
}

#[test]
fn rows_are_named_by_the_physical_line_they_begin_on() {
    for end in ["\n", "\r\n", "\r"] {
        let text = [
            "",
            "concert_id,title,venue,start",
            "",
            "1,A,Hall,2024-09-12T19:30Z",
            "",
            "  ",
            "2,\"B",
            "",
            "B\",Hall,2024-09-12T19:30Z",
            "3,C,Hall,",
            ",,,",
            "4,D,Hall,2024-09-12T19:30Z",
        ]
        .join(end);
        let reading = reading(FORMAT, &text);
        let lines: Vec<usize> = reading.concerts.iter().map(|c| c.performances[0].line).collect();
        assert_eq!(lines, [4, 7, 12], "{end:?}");
        assert_eq!(reading.bad.iter().map(|b| b.line).collect::<Vec<_>>(), [10], "{end:?}");
    }
}

#[test]
fn a_quote_left_open_tells_how_far_it_reaches() {
    let text = rows("1,\"A,Hall,2024-09-12T19:30Z\n2,B,Hall,2024-09-12T19:30Z\n3,C,Hall,2024-09-12T19:30Z\n");
    let faults = faults(FORMAT, &text);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].starts_with("line 2: 2 fields where the header has 4"), "{faults:?}");
    assert!(faults[0].ends_with("(the row runs to line 4; check its quotes)"), "{faults:?}");
}

#[test]
fn a_row_that_is_not_utf_8_is_one_bad_row() {
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.extend_from_slice(b"1,Caf\xE9,Hall,2024-09-12T19:30Z\n2,Caf\xC3\xA9,Hall,2024-09-12T19:30Z\n");
    let reading = read(FORMAT, &bytes, &Defaults::default());
    assert_eq!(reading.concerts.len(), 1);
    assert_eq!(reading.concerts[0].title, "Café");
    assert_eq!(reading.bad.len(), 1);
    assert_eq!(reading.bad[0].to_string(), "line 2: not valid UTF-8; save the file as UTF-8");
    let reading = read(FORMAT, b"concert_id,\xE9\n1,2\n", &Defaults::default());
    assert_eq!(reading.bad[0].to_string(), "line 1: not valid UTF-8; save the file as UTF-8");
}

#[test]
fn each_required_field_must_hold_something() {
    for (row, fault) in [
        (",A,Hall,2024-09-12T19:30Z", "line 2: no concert_id"),
        ("1,  ,Hall,2024-09-12T19:30Z", "line 2: no title"),
        ("1,A,\u{a0},2024-09-12T19:30Z", "line 2: no venue"),
        ("1,A,Hall, ", "line 2: no start time"),
    ] {
        assert_only_fault(FORMAT, &rows(row), fault);
    }
}

#[test]
fn names_are_trimmed_folded_and_limited() {
    let long = "é".repeat(300);
    let text = rows(&format!("1,\"  Mozart,  \t Wolfgang\u{a0}\u{a0}Amadeus \",{long},2024-09-12T19:30Z\n"));
    let concerts = good(FORMAT, &text);
    assert_eq!(concerts[0].title, "Mozart, Wolfgang Amadeus");
    assert_eq!(concerts[0].performances[0].venue, long);
    let text = rows(&format!("1,A,{long}é,2024-09-12T19:30Z\n"));
    assert_only_fault(FORMAT, &text, "line 2: venue is longer than 300 characters");
    for control in ['\0', '\u{1b}', '\u{7f}', '\u{9b}'] {
        let text = rows(&format!("1,A{control}[2J,Hall,2024-09-12T19:30Z\n"));
        assert_only_fault(FORMAT, &text, "line 2: title has a control character in it");
    }
}

#[test]
fn a_bad_row_quotes_no_control_characters_and_no_long_text() {
    let text = rows(&format!("1,A,Hall,\u{1b}[2J{}\n", "x".repeat(10_000)));
    let fault = faults(FORMAT, &text).remove(0);
    assert!(!fault.contains('\u{1b}'), "{fault}");
    assert!(fault.len() < 250, "{fault}");
}

#[test]
fn a_bad_row_does_not_set_the_title_of_its_concert() {
    let text = rows("1,Misspelt,Hall,\n1,Right,Hall,2024-09-12T19:30Z\n1,Wrong,Hall,2024-09-13T19:30Z\n");
    let expected = [
        "line 2: no start time",
        "line 4: the concert \"1\" has another title on line 3; make them the same, or the ids different",
    ];
    assert_eq!(faults(FORMAT, &text), expected);
}

#[test]
fn the_status_tells_whether_seats_are_sold() {
    let with =
        |status: &str| format!("concert_id,title,venue,start,status\n1,A,Hall,2024-09-12T19:30Z,{status}\n");
    for status in ["", " ", "EventScheduled", "EventRescheduled", " EventMovedOnline "] {
        assert!(only_performance(FORMAT, &with(status)).on_sale, "{status}");
    }
    for status in ["EventCancelled", "EventPostponed", "https://schema.org/EventCancelled"] {
        assert!(!only_performance(FORMAT, &with(status)).on_sale, "{status}");
    }
    assert_only_fault(FORMAT, &with("sold out"), "line 2: unknown status \"sold out\"; use EventScheduled,");
}

#[test]
fn prices_and_seats_may_be_empty_but_not_odd() {
    let with = |terms: &str| {
        format!("concert_id,title,venue,start,price,seats\n1,A,Hall,2024-09-12T19:30Z,{terms}\n")
    };
    let performance = only_performance(FORMAT, &with(", "));
    assert_eq!((performance.price, performance.seats), (DEFAULT_PRICE, DEFAULT_SEATS));
    let performance = only_performance(FORMAT, &with("0, 1"));
    assert_eq!((performance.price, performance.seats), (0, 1));
    assert_only_fault(FORMAT, &with("50000.0,"), "line 2: price \"50000.0\" is not a whole number");
    assert_only_fault(FORMAT, &with("1e3,"), "line 2: price \"1e3\" is not a whole number");
    assert_only_fault(FORMAT, &with("$5,"), "line 2: price \"$5\" is not a whole number");
    assert_only_fault(FORMAT, &with("5,many"), "line 2: seats \"many\" is not a whole number");
}
