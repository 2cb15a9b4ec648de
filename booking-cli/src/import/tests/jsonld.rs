//! schema.org events: where they are found, what their fields may look like, and where a fault stands.

use super::*;

const FORMAT: Format = Format::JsonLd;

/// An event with some more fields, which take the place of the usual ones: of two fields of one name the last counts.
fn event(fields: &str) -> String {
    let usual = r#""@type": "MusicEvent", "name": "A title", "startDate": "2024-09-12T19:30:00-04:00",
        "location": {"@type": "Place", "name": "Hall"}"#
        .replace('\n', " ");
    let comma = if fields.is_empty() { "" } else { ", " };
    format!("{{{usual}{comma}{fields}}}")
}

#[test]
fn events_of_one_name_are_one_concert() {
    let text = format!(
        "[{}, {}, {}]",
        event(r#""name": " A   title ""#),
        event(r#""startDate": "2024-09-11T19:30:00-0400""#),
        event(r#""name": "B title""#)
    );
    let concerts = good(FORMAT, &text);
    assert_eq!(concerts.iter().map(|c| c.performances.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((concerts[0].source_id.as_str(), concerts[0].title.as_str()), ("A title", "A title"));
    assert!(concerts[0].performances[0].starts_at < concerts[0].performances[1].starts_at);
}

#[test]
fn events_are_found_alone_in_lists_and_in_graphs() {
    let event = event("");
    for text in [
        event.clone(),
        format!("[{event}]"),
        format!(r#"{{"@context": "https://schema.org", "@graph": [{event}]}}"#),
        format!(r#"{{"@graph": {event}}}"#),
        format!(r#"[{{"@graph": [{event}]}}, [{event}]]"#),
    ] {
        only_performance(FORMAT, &text);
    }
}

#[test]
fn objects_that_are_no_events_are_passed_over() {
    let text = format!(
        r#"{{"@graph": [{{"@type": "Place", "name": "Hall"}}, {{"@id": "x"}}, {{"@type": ["Organization"]}},
            {{"@type": "Course", "startDate": "2024-09-12"}}, {}]}}"#,
        event("")
    );
    assert_eq!(only_performance(FORMAT, &text).line, 2);
}

#[test]
fn any_type_of_event_counts() {
    for name in [
        r#""Event""#,
        r#""TheaterEvent""#,
        r#""Festival""#,
        r#""https://schema.org/MusicEvent""#,
        r#""http://schema.org/Event""#,
        r#""schema:MusicEvent""#,
        r#"["Thing", "MusicEvent"]"#,
    ] {
        only_performance(FORMAT, &event(&format!(r#""@type": {name}"#)));
    }
    for name in [r#""EventVenue""#, r#""https://example.org/Event""#, r#""eventful""#, "[]"] {
        let text = event(&format!(r#""@type": {name}"#));
        assert_only_fault(FORMAT, &text, "line 1: no concerts found");
    }
}

#[test]
fn a_dated_object_without_a_type_is_bad() {
    let text = r#"{"name": "A", "startDate": "2024-09-12T19:30Z", "location": "Hall"}"#;
    assert_only_fault(FORMAT, text, "line 1: has a startDate but no @type");
}

#[test]
fn what_is_no_object_is_bad_where_it_stands() {
    let text = format!("[\n\"text\",\n{},\n7]", event(""));
    assert_eq!(faults(FORMAT, &text), ["line 2: not a JSON object", "line 4: not a JSON object"]);
    assert_only_fault(FORMAT, "null", "line 1: not a JSON object");
}

#[test]
fn an_event_is_named_by_the_line_it_begins_on() {
    let text = format!("\n[\n\n  {},\n {{\n\n\"@type\":\n\"Event\"\n}}\n]", event(""));
    let reading = reading(FORMAT, &text);
    assert_eq!(reading.concerts[0].performances[0].line, 4);
    assert_eq!(reading.bad.iter().map(ToString::to_string).collect::<Vec<_>>(), ["line 5: no name"]);
}

#[test]
fn a_syntax_error_names_its_line_and_column() {
    assert_only_fault(FORMAT, "[\n{\n  \"a\" 1}]", "line 3: not valid JSON at column 7: expected `:`");
    assert_only_fault(
        FORMAT,
        "[\n{\"a\": 1}",
        "line 2: not valid JSON at column 8: EOF while parsing a list",
    );
    let lines = format!("{}\n{}\n", event(""), event(""));
    let fault = "line 2: not valid JSON at column 1: trailing characters (if it holds one concert a line, \
        name the file .jsonl)";
    assert_only_fault(FORMAT, &lines, fault);
}

#[test]
fn a_fault_in_a_string_leaves_the_other_events() {
    let text = format!("[{},\n  {{\"a\":\n \"\\ud800\"}}, {{\"\\udfff\": 1}}]", event(""));
    let reading = reading(FORMAT, &text);
    assert_eq!(reading.concerts.len(), 1);
    let places: Vec<usize> = reading.bad.iter().map(|bad| bad.line).collect();
    assert_eq!(places, [3, 3]);
    assert!(reading.bad[1].reason.starts_with("not valid JSON at column 2"), "{:?}", reading.bad);
}

#[test]
fn a_file_that_is_not_utf_8_is_named_by_the_line() {
    let reading = read(FORMAT, b"[\n{\"name\":\n\"Caf\xE9\"}]", &Defaults::default());
    assert_eq!(reading.bad[0].to_string(), "line 3: not valid UTF-8; save the file as UTF-8");
}

#[test]
fn deep_nesting_is_a_bad_row() {
    for text in ["[".repeat(200_000), format!("{}{}", "[".repeat(200_000), "]".repeat(200_000))] {
        let faults = faults(FORMAT, &text);
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
    let graphs = format!("{}1{}", r#"{"@graph":"#.repeat(50_000), "}".repeat(50_000));
    assert_eq!(faults(FORMAT, &graphs).len(), 1);
}

#[test]
fn a_location_may_be_a_place_a_list_or_a_plain_name() {
    for (location, venue) in [
        (r#"{"@type": "Place", "name": " Big  Hall ", "address": {}}"#, "Big Hall"),
        (r#"[{"name": "First"}, {"name": "Second"}]"#, "First"),
        (r#""Plain hall""#, "Plain hall"),
        (r#"["Plain hall"]"#, "Plain hall"),
        (r#"{"@type": "VirtualLocation", "name": "Stream"}"#, "Stream"),
        (r#"{"@type": "VirtualLocation", "url": "https://example.org"}"#, "Online"),
    ] {
        let text = event(&format!(r#""location": {location}"#));
        assert_eq!(only_performance(FORMAT, &text).venue, venue, "{location}");
    }
    for (location, fault) in [
        ("null", "line 1: no location"),
        ("[]", "line 1: no location"),
        (r#""""#, "line 1: no location"),
        ("{}", "line 1: no location name"),
        (r#"{"name": 1}"#, "line 1: name is not text"),
        ("7", "line 1: location is not text"),
    ] {
        assert_only_fault(FORMAT, &event(&format!(r#""location": {location}"#)), fault);
    }
}

#[test]
fn the_start_date_needs_a_time_and_an_offset() {
    for (start, fault) in [
        ("null", "line 1: no start time"),
        (r#""""#, "line 1: no start time"),
        (r#""2024-09-12""#, r#"line 1: start "2024-09-12" is a date without a time of day"#),
        (r#""2024-09-12T19:30:00""#, r#"line 1: start "2024-09-12T19:30:00" has no UTC offset or time zone"#),
        ("20240912", "line 1: startDate is not text"),
    ] {
        assert_only_fault(FORMAT, &event(&format!(r#""startDate": {start}"#)), fault);
    }
}

#[test]
fn the_status_may_be_a_url_or_a_word() {
    for (status, on_sale) in [
        ("null", true),
        (r#""""#, true),
        (r#""EventScheduled""#, true),
        (r#""https://schema.org/EventRescheduled""#, true),
        (r#""http://schema.org/EventMovedOnline""#, true),
        (r#""schema:EventScheduled""#, true),
        (r#""EventPostponed""#, false),
        (r#""https://schema.org/EventCancelled""#, false),
        (r#"["EventRescheduled", "https://schema.org/EventMovedOnline"]"#, true),
        (r#"["EventMovedOnline", "EventCancelled"]"#, false),
    ] {
        let text = event(&format!(r#""eventStatus": {status}"#));
        assert_eq!(only_performance(FORMAT, &text).on_sale, on_sale, "{status}");
    }
    for status in
        [r#""Scheduled""#, r#""ftp://schema.org/EventScheduled""#, r#""https://schema.org/""#, r#"["no"]"#]
    {
        assert_only_fault(FORMAT, &event(&format!(r#""eventStatus": {status}"#)), "line 1: unknown status ");
    }
    for status in ["1", "[1]"] {
        assert_only_fault(
            FORMAT,
            &event(&format!(r#""eventStatus": {status}"#)),
            "line 1: eventStatus is not text",
        );
    }
}

#[test]
fn the_price_is_that_of_the_first_offer_that_has_one() {
    for (offers, price) in [
        (r#"{"price": 700, "priceCurrency": "KRW"}"#, 700),
        (r#"{"price": "700", "priceCurrency": "KRW"}"#, 700),
        (r#"{"@type": "AggregateOffer", "lowPrice": 300, "highPrice": 900, "priceCurrency": "KRW"}"#, 300),
        (r#"{"price": null, "lowPrice": "300", "priceCurrency": "KRW"}"#, 300),
        (r#"[{"url": "x"}, {"price": ""}, {"price": 5, "priceCurrency": "KRW"}, {"price": 6}]"#, 5),
        (r#"{"url": "x"}"#, DEFAULT_PRICE),
        ("[]", DEFAULT_PRICE),
        ("null", DEFAULT_PRICE),
    ] {
        let text = event(&format!(r#""offers": {offers}"#));
        assert_eq!(only_performance(FORMAT, &text).price, price, "{offers}");
    }
}

/// An event with this offer.
fn offered(price: &str, currency: &str) -> String {
    event(&format!(r#""offers": {{"price": {price}, "priceCurrency": {currency}}}"#))
}

#[test]
fn a_price_is_converted_to_the_minor_unit_by_its_currency() {
    for (price, currency, minor) in [
        (r#""20""#, "EUR", 2_000),
        (r#""19.99""#, "EUR", 1_999),
        ("19.99", "USD", 1_999),
        ("45.0", "EUR", 4_500),
        (r#""45.5""#, "eur", 4_550),
        (r#""45.5000""#, "EUR", 4_550),
        (r#""0.07""#, "HUF", 7),
        ("50000", "KRW", 50_000),
        (r#""50000.00""#, "JPY", 50_000),
        (r#""1.234""#, "KWD", 1_234),
        (r#""1.5""#, "BHD", 1_500),
        (r#""10000000000.00""#, "EUR", MAX_PRICE),
        ("0", "EUR", 0),
    ] {
        let text = offered(price, &format!("\"{currency}\""));
        assert_eq!(only_performance(FORMAT, &text).price, minor, "{price} {currency}");
    }
}

#[test]
fn a_price_that_its_currency_does_not_have_is_refused() {
    for (price, currency, fault) in [
        (r#""19.999""#, r#""EUR""#, r#"line 1: price "19.999" is finer than the smallest unit of EUR"#),
        ("0.5", r#""JPY""#, r#"line 1: price "0.5" is finer"#),
        (r#""10000000000.01""#, r#""EUR""#, r#"line 1: price "10000000000.01" is out of range"#),
        (r#""99999999999999999999999""#, r#""JPY""#, "line 1: price \"99999999999999999999999\" is out"),
        (r#""20""#, r#""€""#, r#"line 1: priceCurrency "€" is no currency"#),
        (r#""20""#, "978", "line 1: priceCurrency is not text"),
        (r#""free""#, r#""EUR""#, r#"line 1: price "free" is no number"#),
        (r#""19,99""#, r#""EUR""#, r#"line 1: price "19,99" is no number"#),
        (r#""1.""#, r#""EUR""#, r#"line 1: price "1." is no number"#),
        ("-1", r#""EUR""#, r#"line 1: price "-1" is no number"#),
        ("{}", r#""EUR""#, r#"line 1: price "{}" is no number"#),
    ] {
        assert_only_fault(FORMAT, &offered(price, currency), fault);
    }
}

#[test]
fn a_price_without_a_currency_is_refused_unless_a_price_is_given_for_it() {
    for currency in ["null", r#""""#] {
        let text = offered(r#""20""#, currency);
        assert_only_fault(FORMAT, &text, r#"line 1: price "20" has no priceCurrency"#);
        assert!(faults(FORMAT, &text)[0].contains("--price in minor units"));
        let given = Defaults { price: Some(1_999), seats: None };
        assert_eq!(read(FORMAT, text.as_bytes(), &given).concerts[0].performances[0].price, 1_999);
        assert_eq!(only_performance(FORMAT, &offered("0.00", currency)).price, 0, "it is free anywhere");
    }
}

#[test]
fn seats_are_the_capacity_of_the_event_or_of_its_place() {
    let place = r#""location": {"name": "Hall", "maximumAttendeeCapacity": 300}"#;
    for (fields, seats) in [
        (r#""maximumAttendeeCapacity": 20"#.to_owned(), 20),
        (place.to_owned(), 300),
        (format!(r#"{place}, "maximumAttendeeCapacity": "20""#), 20),
        (format!(r#"{place}, "maximumAttendeeCapacity": """#), 300),
    ] {
        assert_eq!(only_performance(FORMAT, &event(&fields)).seats, seats, "{fields}");
    }
    assert_only_fault(
        FORMAT,
        &event(r#""maximumAttendeeCapacity": 0"#),
        "line 1: seats \"0\" is out of range",
    );
}
