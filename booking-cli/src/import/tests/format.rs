//! Telling the format of a file.

use std::path::Path;

use super::*;

fn detected(name: &str, content: &str) -> Option<Format> {
    Format::detect(Path::new(name), content.as_bytes()).ok()
}

#[test]
fn the_extension_tells_the_format_whatever_the_content() {
    for (name, format) in [
        ("a.jsonl", Format::JsonLines),
        ("a.ndjson", Format::JsonLines),
        ("a.csv", Format::Csv),
        ("a.CSV", Format::Csv),
        ("a.jsonld", Format::JsonLd),
        ("a.json", Format::JsonLd),
        ("folder.csv/a.json", Format::JsonLd),
    ] {
        assert_eq!(detected(name, "anything"), Some(format), "{name}");
    }
}

#[test]
fn without_a_known_extension_the_content_tells_the_format() {
    for (format, text) in SAMPLES {
        for name in ["-", "concerts", "concerts.txt"] {
            assert_eq!(detected(name, text), Some(format), "{name}");
            assert_eq!(detected(name, &format!("\u{feff}\r\n {text}")), Some(format), "{name}");
        }
    }
}

#[test]
fn an_object_is_json_ld_if_it_has_keywords_or_many_lines() {
    assert_eq!(detected("-", r#"{"@type": "Event", "name": "A"}"#), Some(Format::JsonLd));
    assert_eq!(detected("-", "{\n\"@graph\": []\n}"), Some(Format::JsonLd));
    assert_eq!(detected("-", "{"), Some(Format::JsonLd));
    assert_eq!(detected("-", "{}"), Some(Format::JsonLines));
    assert_eq!(detected("-", "{\"id\": oops}\n{\"id\": 2}"), Some(Format::JsonLines));
}

#[test]
fn a_header_is_known_by_its_concert_id_wherever_it_stands() {
    assert_eq!(detected("-", "title,\"Concert_ID\" ,venue\n"), Some(Format::Csv));
    assert_eq!(detected("-", "title,venue\n"), None);
}

#[test]
fn an_unknown_format_is_told_what_is_accepted() {
    for content in ["", "\n", "\u{feff}", "<html>", "\0\0\0"] {
        let error = Format::detect(Path::new("concerts.xlsx"), content.as_bytes()).unwrap_err();
        let message = error.to_string();
        for name in [".jsonl", ".ndjson", ".csv", ".jsonld", ".json"] {
            assert!(message.contains(name), "{message}");
        }
    }
}
