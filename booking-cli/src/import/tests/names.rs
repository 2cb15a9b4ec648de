//! Columns and fields that nobody reads: what looks like a misspelling is refused, the others are told.

use super::*;

/// A header of everything needed and this, and a row for it.
fn with_columns(columns: &str) -> String {
    let fields = ",x".repeat(columns.split(',').count());
    format!("concert_id,title,venue,start,{columns}\n1,A,Hall,2024-09-12T19:30Z{fields}\n")
}

/// A concert with these fields of its own, and one performance with these.
fn line(concert: &str, performance: &str) -> String {
    let needed = r#""venue": "Hall", "start": "2024-09-12T19:30Z""#;
    format!(r#"{{"id": 1, "title": "A"{concert}, "performances": [{{{needed}{performance}}}]}}"#)
}

fn ignored(format: Format, text: &str) -> Vec<String> {
    let reading = reading(format, text);
    assert_eq!(reading.bad, [], "{text}");
    reading.ignored.into_iter().collect()
}

#[test]
fn a_column_that_looks_like_a_misspelling_is_refused_with_the_names_there_are() {
    for (column, meant) in [
        ("Price (KRW)", "price"),
        ("prices", "price"),
        ("pirce", "price"),
        ("Pric", "price"),
        ("ticketPrice", "price"),
        ("unit_price", "price"),
        ("seat", "seats"),
        ("Seats (max)", "seats"),
        ("seat count", "seats"),
        ("setas", "seats"),
        ("start_tz", "tz"),
        ("eventStatus", "status"),
        ("stauts", "status"),
        ("sta-tus", "status"),
    ] {
        let told = format!("line 1: no such column: {column:?} (did you mean {meant}?); rename or remove");
        assert_only_fault(Format::Csv, &with_columns(column), &told);
    }
    let fault = faults(Format::Csv, &with_columns("Price (KRW),seat,colour")).remove(0);
    let all = "\"Price (KRW)\" (did you mean price?), \"seat\" (did you mean seats?); rename or remove what is wrong: \
        known are concert_id, title, venue, start, price, seats, tz and status";
    assert!(fault.ends_with(all), "{fault}");
}

#[test]
fn other_columns_are_told_once() {
    let columns = "colour,note,note,timezone,place,state,time,season,organizer,prizegiving, Genre ";
    let all = ["Genre", "colour", "note", "organizer", "place", "prizegiving", "season", "state", "time"];
    assert_eq!(ignored(Format::Csv, &with_columns(columns)), [&all[..], &["timezone"]].concat());
    assert!(ignored(Format::Csv, CSV).is_empty());
}

#[test]
fn what_is_like_a_column_that_is_there_is_only_told() {
    let text = "concert_id,title,venue,start,price,Price (KRW)\n1,A,Hall,2024-09-12T19:30Z,700,70000\n";
    assert_eq!(ignored(Format::Csv, text), ["Price (KRW)"]);
    let text = line("", r#", "price": 700, "min_price": 600"#);
    assert_eq!(ignored(Format::JsonLines, &text), ["performances[].min_price"]);
}

#[test]
fn a_field_of_a_performance_that_looks_like_a_misspelling_is_refused() {
    for (field, meant) in
        [("Price", "price"), ("price_krw", "price"), ("seat", "seats"), ("eventStatus", "status")]
    {
        let text = line("", &format!(r#", "{field}": 7"#));
        let told = format!("line 1: performance 1: no such field: {field:?} (did you mean {meant}?); ");
        assert_only_fault(Format::JsonLines, &text, &told);
    }
    let fault = faults(Format::JsonLines, &line("", r#", "seat": 7"#)).remove(0);
    assert!(fault.ends_with("known are venue, start, price, seats, tz and status"), "{fault}");
}

/// A price for all performances of a concert, written once, is read by nobody.
#[test]
fn a_field_of_the_concert_that_performances_should_have_is_refused() {
    for field in ["price", "Price (KRW)", "prices"] {
        let text = line(&format!(r#", "{field}": 7"#), "");
        let told =
            format!("line 1: the concert has {field:?}, which nobody reads there; give each performance");
        assert_only_fault(Format::JsonLines, &text, &told);
        let text = line(&format!(r#", "{field}": 7"#), r#", "price": 7"#);
        assert_eq!(ignored(Format::JsonLines, &text), [field]);
    }
}

#[test]
fn other_fields_are_told_once_by_where_they_are() {
    let concert = r#", "guid": "x", "orchestra": "y", "season": {}, "works": [{"price": 5}]"#;
    let performance = r#", "eventType": 3, "date": "1999-01-01", "time": "7:30PM", "location": "Here""#;
    let one = line(concert, performance);
    let other = line(r#", "works": null"#, r#", "date": null"#).replace("\"id\": 1", "\"id\": 2");
    let all = ["guid", "orchestra", "performances[].date", "performances[].eventType"];
    let more = ["performances[].location", "performances[].time", "season", "works"];
    assert_eq!(ignored(Format::JsonLines, &format!("{one}\n{other}\n")), [all, more].concat());
}

#[test]
fn a_misspelt_field_leaves_the_other_lines() {
    let other = line("", "").replace("\"id\": 1", "\"id\": 2");
    let text = format!("{}\n{other}\n", line("", r#", "Price": 7"#));
    assert_only_fault(Format::JsonLines, &text, "line 1: performance 1: no such field");
    assert_eq!(reading(Format::JsonLines, &text).concerts.len(), 1);
}

/// schema.org has hundreds of fields, and a page its own.
#[test]
fn fields_of_json_ld_that_nobody_reads_are_no_matter() {
    let event = r#"{"@type": "Event", "name": "A", "location": "Hall", "startDate": "2024-09-12T19:30Z",
        "priceRange": "$$", "performer": "B"}"#;
    assert!(ignored(Format::JsonLd, event).is_empty());
}

#[test]
fn a_name_is_quoted_without_control_characters_and_cut_short() {
    let long = "x".repeat(10_000);
    let fault = faults(Format::Csv, &with_columns(&format!("price \u{1b}[2J{long}"))).remove(0);
    assert!(!fault.contains('\u{1b}') && fault.len() < 300, "{fault}");
}
