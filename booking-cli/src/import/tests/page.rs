//! Keeps `docs/import.md` and what the README says of imports true.

use std::{fs, path::Path};

use super::super::{csv, jsonl};
use super::*;

fn page(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The examples of a page that are marked as this language.
fn examples<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    page.split(&begin).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// The part of a page below this heading.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{heading}"));
    rest.split("\n## ").next().unwrap_or_default()
}

/// The names that the tables of a section begin their rows with.
fn tabled(section: &str) -> Vec<&str> {
    section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

/// What a performance is sold as, whatever the format: title, venue, start, price, seats, and whether it is on sale.
fn sold(concerts: &[Concert]) -> Vec<String> {
    let of = |concert: &Concert| {
        let title = concert.title.clone();
        let one = move |p: &Performance| {
            let start = p.starts_at.to_rfc3339();
            format!("{title}, {}, {start}, {}, {}, {}", p.venue, p.price, p.seats, p.on_sale)
        };
        concert.performances.iter().map(one).collect::<Vec<_>>()
    };
    concerts.iter().flat_map(of).collect()
}

#[test]
fn the_examples_of_the_page_are_read_and_say_the_same() {
    let page = page("docs/import.md");
    let expected = [
        "Mozart, Mahler, Great Hall, 2031-05-04T19:30:00+09:00, 50000, 400, true",
        "Mozart, Mahler, Great Hall, 2031-05-05T19:30:00+09:00, 60000, 50, false",
    ];
    for (language, format) in [("csv", Format::Csv), ("jsonl", Format::JsonLines), ("jsonld", Format::JsonLd)]
    {
        let [example] = examples(&page, language)[..] else { panic!("one example of {language}") };
        let reading = reading(format, example);
        assert_eq!((reading.bad, reading.ignored.len()), (Vec::new(), 0), "{language}");
        assert_eq!(sold(&reading.concerts), expected, "{language}");
        assert_eq!(Format::detect("-".as_ref(), example.as_bytes()), Ok(format));
    }
}

#[test]
fn the_page_names_the_columns_and_fields_there_are() {
    let page = page("docs/import.md");
    assert_eq!(tabled(section(&page, "CSV")), csv::COLUMNS);
    let fields = [&jsonl::OF_CONCERT[..], &jsonl::OF_PERFORMANCE[..]].concat();
    assert_eq!(tabled(section(&page, "JSON Lines")), fields);
}

#[test]
fn the_page_names_the_defaults_and_limits() {
    let page = page("docs/import.md");
    for number in [DEFAULT_PRICE, DEFAULT_SEATS.into(), MOST_SEATS.into(), MAX_PRICE] {
        assert!(page.contains(&format!("`{number}`")), "{number}");
    }
}

#[test]
fn the_page_names_each_status_by_what_it_does() {
    let page = page("docs/import.md");
    let row = |word: &str| {
        let is_row = |line: &&str| line.starts_with("| `Event") && line.contains(word);
        page.lines().find(is_row).unwrap_or_else(|| panic!("{word}"))
    };
    for word in ["EventScheduled", "EventRescheduled", "EventMovedOnline", "EventPostponed", "EventCancelled"]
    {
        let on_sale = super::super::fields::on_sale(Some(word)).unwrap();
        assert_eq!(row(word).contains("| on sale |"), on_sale, "{word}");
    }
}

#[test]
fn the_example_of_the_readme_is_read() {
    let page = page("README.md");
    let examples = examples(&page, "csv");
    assert!(!examples.is_empty());
    for example in examples {
        let reading = reading(Format::Csv, example);
        assert_eq!((reading.bad, reading.ignored.len()), (Vec::new(), 0), "{example}");
    }
}
