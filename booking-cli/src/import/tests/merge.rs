//! Concerts that are named in more than one file.

use super::*;

const HEADER: &str = "concert_id,title,venue,start,price,seats\n";

/// Puts files together, each given by its rows; the concerts, and the rows that contradict a file before.
fn merged(files: &[(&str, &str)]) -> (Vec<Concert>, Vec<String>) {
    let (mut merged, mut bad) = (Merged::default(), Vec::new());
    for (file, rows) in files {
        let rows = merged.add(file, good(Format::Csv, &format!("{HEADER}{rows}")));
        bad.extend(rows.iter().map(|row| format!("{file} {row}")));
    }
    (merged.finish(), bad)
}

#[test]
fn a_concert_may_go_on_in_another_file() {
    let (concerts, bad) = merged(&[
        ("a.csv", "1,A,Hall,2024-09-14T19:30Z,700,40\n2,B,Hall,2024-09-12T19:30Z,,\n"),
        ("b.csv", "3,C,Hall,2024-09-12T19:30Z,,\n1,A,Hall,2024-09-13T19:30Z,800,50\n"),
    ]);
    assert_eq!(bad, Vec::<String>::new());
    assert_eq!(concerts.iter().map(|c| c.source_id.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!(concerts[0].performances.iter().map(|p| p.price).collect::<Vec<_>>(), [800, 700]);
}

#[test]
fn the_same_file_twice_is_the_file_once() {
    let rows = "1,A,Hall,2024-09-14T19:30Z,700,40\n1,A,Park,2024-09-12T19:30Z,,\n";
    let (twice, bad) = merged(&[("a.csv", rows), ("a.csv", rows)]);
    assert_eq!(bad, Vec::<String>::new());
    assert_eq!(twice, good(Format::Csv, &format!("{HEADER}{rows}")));
}

#[test]
fn rows_that_contradict_another_file_are_bad_and_name_it() {
    let first = ("a.csv", "1,A,Hall,2024-09-14T19:30Z,700,40\n2,B,Hall,2024-09-12T19:30Z,,\n");
    let (concerts, bad) = merged(&[
        first,
        (
            "b.csv",
            "3,C,Hall,2024-09-12T19:30Z,,\n2,Z,Hall,2024-09-13T19:30Z,,\n1,A,Hall,2024-09-14T19:30Z,700,41\n",
        ),
    ]);
    let told = [
        "b.csv line 3: the concert \"2\" has another title in a.csv:3; make them the same, or the ids different",
        "b.csv line 4: the same performance is in a.csv:2 with another price, seats or status; keep one",
    ];
    assert_eq!(bad, told);
    let (without, _) = merged(&[first, ("b.csv", "3,C,Hall,2024-09-12T19:30Z,,\n")]);
    assert_eq!(concerts, without, "what came first stays as it was");
}
