use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::Stdio,
    thread::JoinHandle,
};

use booking_api::client::Client;

use crate::server::{Folder, Ran, Server, booking, closed, run};

const CSV: &str = "concert_id,title,venue,start,price,seats\n\
    1,First Night,Hall,2999-09-12T19:30:00+09:00,700,40\n\
    1,First Night,Hall,2999-09-13T19:30:00+09:00,700,40\n\
    2,Second Night,Park,2999-10-01T20:00:00+09:00,,\n";
const BAD: &str = "concert_id,title,venue,start\n\
    7,Good,Hall,2999-09-12T19:30:00+09:00\n\
    8,No start,Hall,\n\
    9,Bad start,Hall,tomorrow\n";
const PAST: &str = "concert_id,title,venue,start\n\
    5,Long Ago,Hall,2001-09-12T19:30:00+09:00\n";

fn server_and_folder() -> (Server, Folder) {
    (Server::start(&closed()), Folder::new())
}

fn counts(ran: &Ran) -> [u64; 3] {
    let json = ran.json();
    ["added", "changed", "unchanged"].map(|name| json[name].as_u64().unwrap())
}

#[test]
fn importing_twice_changes_nothing() {
    let (server, folder) = server_and_folder();
    let file = folder.file("concerts.csv", CSV);
    assert_eq!(counts(&server.operator(&["import", &file, "--json"]).expect(0)), [5, 0, 0]);
    assert_eq!(counts(&server.operator(&["import", &file, "--json"]).expect(0)), [0, 0, 2]);
    let ran = server.operator(&["import", &file]).expect(0);
    assert!(ran.out.contains("0 added, 0 changed; concerts without any change: 2"), "{ran:?}");
}

#[test]
fn a_changed_price_is_a_change() {
    let (server, folder) = server_and_folder();
    server.operator(&["import", &folder.file("a.csv", CSV)]).expect(0);
    let dearer = folder.file("b.csv", &CSV.replace("700", "900"));
    assert_eq!(counts(&server.operator(&["import", &dearer, "--json"]).expect(0)), [0, 2, 1]);
    let cheaper = server.operator(&["import", &dearer, "--price", "5", "--json"]).expect(0);
    assert_eq!(counts(&cheaper), [0, 1, 1]);
}

#[test]
fn one_bad_row_stops_the_import_of_everything_and_every_bad_row_is_named() {
    let (server, folder) = server_and_folder();
    let (good, bad) = (folder.file("good.csv", CSV), folder.file("bad.csv", BAD));
    let ran = server.operator(&["import", &good, &bad]).expect(2);
    assert!(ran.err.contains(&format!("{bad}:3: no start")), "{ran:?}");
    assert!(ran.err.contains(&format!("{bad}:4: ")), "{ran:?}");
    assert!(ran.err.contains("2 bad rows; nothing was imported"), "{ran:?}");
    assert_eq!(ran.out, "");
    assert_eq!(server.concerts(), []);
}

#[test]
fn the_good_rows_are_imported_with_skip_invalid_and_the_bad_ones_named() {
    let (server, folder) = server_and_folder();
    let bad = folder.file("bad.csv", BAD);
    let ran = server.operator(&["import", &bad, "--skip-invalid"]).expect(0);
    assert!(ran.err.contains(&format!("{bad}:3: ")) && ran.err.contains(&format!("{bad}:4: ")), "{ran:?}");
    let titles: Vec<_> = server.concerts().into_iter().map(|concert| concert.title).collect();
    assert_eq!(titles, ["Good"]);
}

#[test]
fn bad_rows_are_in_the_document_for_machines_too() {
    let (server, folder) = server_and_folder();
    let bad = folder.file("bad.csv", BAD);
    let json = server.operator(&["import", &bad, "--json"]).expect(2).json();
    assert_eq!((&json["imported"], &json["added"]), (&false.into(), &0.into()));
    assert_eq!(json["files"][0]["bad_rows"][0]["line"], 3);
}

#[test]
fn files_that_hold_no_concert_or_are_none_are_bad_input() {
    let (server, folder) = server_and_folder();
    let empty = folder.file("empty.csv", "");
    server.operator(&["import", &empty]).expect(2);
    server.operator(&["import", &empty, "--skip-invalid"]).expect(2);
    let unknown = folder.file("concerts.txt", "hello");
    let ran = server.operator(&["import", &unknown]).expect(2);
    assert!(ran.err.contains("unknown format") && ran.err.contains("--format"), "{ran:?}");
    let ran = server.operator(&["import", "nowhere.csv"]).expect(2);
    assert!(ran.err.contains("nowhere.csv can't be read"), "{ran:?}");
    assert_eq!(server.concerts(), []);
}

#[test]
fn past_dates_are_told_and_moved_when_asked() {
    let (server, folder) = server_and_folder();
    let past = folder.file("past.csv", PAST);
    let moved = server.operator(&["import", &past, "--shift-to-future", "--json"]).expect(0);
    assert!(moved.json()["shifted_weeks"].as_u64() > Some(1_000), "{moved:?}");
    assert!(!moved.err.contains("--shift-to-future"), "{moved:?}");
    // The same performance, so what is known and still to come is not moved back.
    let told = server.operator(&["import", &past, "--json"]).expect(0);
    assert!(told.err.contains("1 of 1 performance can't be booked"), "{told:?}");
    assert_eq!(counts(&told), [0, 0, 1]);
}

#[test]
fn standard_input_is_read_and_the_format_may_be_named() {
    let server = Server::start(&closed());
    let mut command = server.command(&["import", "-", "--format", "csv", "--json"]);
    command.env("BOOKING_ADMIN_KEY", &server.secrets.admin_key);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(CSV.as_bytes()).unwrap();
    let ran = Ran::of(&child.wait_with_output().unwrap()).expect(0);
    assert_eq!(counts(&ran), [5, 0, 0]);
}

#[test]
fn more_concerts_than_fit_one_request_are_all_imported() {
    let (server, folder) = server_and_folder();
    let row = |id: u32| format!("{id},Concert {id},Hall,2999-09-12T19:30:00+09:00\n");
    let rows: String = (0..1_000).map(row).collect();
    let file = folder.file("many.csv", &format!("concert_id,title,venue,start\n{rows}"));
    assert_eq!(counts(&server.operator(&["import", &file, "--json"]).expect(0)), [2_000, 0, 0]);
    assert_eq!(counts(&server.operator(&["import", &file, "--json"]).expect(0)), [0, 0, 1_000]);
}

/// Something that answers one request after the other with these statuses and bodies.
fn answering(answers: Vec<(&'static str, String)>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let other = std::thread::spawn(move || {
        for (status, body) in answers {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink()).unwrap();
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            reader.get_mut().write_all((head + &body).as_bytes()).unwrap();
        }
    });
    (url, other)
}

#[test]
fn an_import_that_fails_halfway_tells_how_far_it_came_and_what_to_do() {
    let (server, folder) = server_and_folder();
    let lanes = server.wait(Client::new(&server.url).lanes(&server.secrets.admin_key)).unwrap();
    let row = |id: u32| format!("{id},Concert {id},Hall,2999-09-12T19:30:00+09:00\n");
    let rows: String = (0..1_000).map(row).collect();
    let file = folder.file("many.csv", &format!("concert_id,title,venue,start\n{rows}"));
    let (lanes, put) = (serde_json::to_string(&lanes).unwrap(), r#"{"added":9,"changed":0,"unchanged":0}"#);
    let fails_after = |applied: usize| {
        let mut answers = vec![("200 OK", lanes.clone())];
        answers.extend((0..applied).map(|_| ("200 OK", put.to_owned())));
        answers.push(("502 Bad Gateway", "gone".to_owned()));
        let (url, other) = answering(answers);
        let mut command = booking(&["import", &file, "--url", &url]);
        let ran = run(command.env("BOOKING_ADMIN_KEY", "0123456789abcdef")).expect(3);
        other.join().unwrap();
        ran.err
    };
    let halfway = fails_after(2);
    assert!(halfway.contains("502") && halfway.contains("; 2 of "), "{halfway}");
    assert!(halfway.contains("requests were applied; run the same command again to finish"), "{halfway}");
    let at_once = fails_after(0);
    assert!(at_once.contains("502") && !at_once.contains("applied"), "{at_once}");
}

#[test]
fn a_concert_of_several_files_is_one_concert() {
    let (server, folder) = server_and_folder();
    let first = folder.file("a.csv", CSV);
    let more = CSV.replace("2999-09-13", "2999-09-14");
    let second = folder.file("b.csv", &more);
    let ran = server.operator(&["import", &first, &second, &first, "--json"]).expect(0);
    // Two concerts, and four performances of which the second file brings one.
    assert_eq!(counts(&ran), [6, 0, 0]);
}

#[test]
fn files_that_contradict_each_other_are_refused_by_file_and_line_before_anything_is_sent() {
    let (server, folder) = server_and_folder();
    let (first, other) =
        (folder.file("a.csv", CSV), folder.file("b.csv", &CSV.replace("2,Second", "2,Third")));
    let dearer = folder.file("c.csv", &CSV.replace("09-13T19:30:00+09:00,700", "09-13T19:30:00+09:00,900"));
    let ran = server.operator(&["import", &first, &other, &dearer]).expect(2);
    let title = format!("{other}:4: the concert \"2\" has another title in {first}:4;");
    let terms = format!("{dearer}:3: the same performance is in {first}:3 with another price");
    assert!(ran.err.contains(&title) && ran.err.contains(&terms), "{ran:?}");
    assert!(ran.err.contains("2 bad rows; nothing was imported"), "{ran:?}");
    assert_eq!(server.concerts(), []);
    let ran = server.operator(&["import", &first, &other, &dearer, "--skip-invalid", "--json"]).expect(0);
    assert_eq!(counts(&ran), [5, 0, 0]);
}

#[test]
fn seats_that_stay_although_a_file_has_fewer_are_told() {
    let (server, folder) = server_and_folder();
    server.operator(&["import", &folder.file("a.csv", CSV)]).expect(0);
    let ran = server.operator(&["import", &folder.file("b.csv", &CSV.replace(",40", ",39"))]).expect(0);
    assert!(ran.err.contains("2 performances keep more seats than asked for"), "{ran:?}");
}

#[test]
fn without_the_admin_key_nothing_is_imported_but_bad_rows_are_named() {
    let (server, folder) = server_and_folder();
    let ran = server.anybody(&["import", &folder.file("a.csv", CSV)]).expect(2);
    assert!(ran.err.contains("BOOKING_ADMIN_KEY is not set"), "{ran:?}");
    let ran = server.anybody(&["import", &folder.file("b.csv", BAD)]).expect(2);
    assert!(ran.err.contains("b.csv:3: "), "{ran:?}");
    assert_eq!(server.concerts(), []);
}

#[test]
fn a_misspelt_column_stops_the_import_before_it_sells_at_the_default_price() {
    let (server, folder) = server_and_folder();
    let file = folder.file("a.csv", &CSV.replace("price,seats", "Price (KRW),seat"));
    for arguments in [&["import", &file][..], &["import", &file, "--skip-invalid"]] {
        let ran = server.operator(arguments).expect(2);
        let told = format!(
            "{file}:1: no such column: \"Price (KRW)\" (did you mean price?), \"seat\" (did you mean seats?)"
        );
        assert!(ran.err.contains(&told), "{ran:?}");
    }
    assert_eq!(server.concerts(), []);
}

#[test]
fn columns_and_fields_that_nobody_reads_are_told_once_a_file_and_to_machines_too() {
    let (server, folder) = server_and_folder();
    let csv = folder.file("a.csv", &format!("c\u{1b}[2J,{}", CSV.trim_end().replace('\n', "\n,")));
    let jsonl = folder.file(
        "b.jsonl",
        r#"{"id": 9, "title": "A", "genre": 1, "performances": [{"venue": "Hall", "start": "2999-01-01T20:00Z", "date": 2}]}"#,
    );
    let plain = folder.file("c.csv", CSV);
    for _ in 0..2 {
        let ran = server.operator(&["import", &csv, &jsonl, &plain, "--json"]).expect(0);
        let told = |file: &str, names: &str| {
            format!("note: {file} has unknown columns or fields, which are ignored: {names}\n")
        };
        let expected = told(&csv, r#""c\u{1b}[2J""#) + &told(&jsonl, r#""genre", "performances[].date""#);
        assert_eq!(ran.err, expected);
        let json = ran.json();
        assert_eq!(json["files"][0]["ignored"], serde_json::json!(["c\u{1b}[2J"]));
        assert_eq!(json["files"][1]["ignored"], serde_json::json!(["genre", "performances[].date"]));
        assert_eq!(json["files"][2]["ignored"], serde_json::json!([]));
    }
    let again = server.operator(&["import", &csv, &jsonl, &plain, "--json"]).expect(0);
    assert_eq!(counts(&again), [0, 0, 3]);
}

#[test]
fn of_very_many_names_that_nobody_reads_some_are_told_and_how_many_more() {
    let (server, folder) = server_and_folder();
    let names: Vec<String> = (0..25).map(|number| format!("c{number}")).collect();
    let row = format!("1,A,Hall,2999-01-01T20:00Z{}", ",".repeat(25));
    let file = folder.file("a.csv", &format!("concert_id,title,venue,start,{}\n{row}\n", names.join(",")));
    let ran = server.operator(&["import", &file]).expect(0);
    assert!(ran.err.ends_with("\"c4\" and 5 more (--json lists them all)\n"), "{ran:?}");
}

/// As `docs/import.md` says.
#[test]
fn importing_again_without_the_lane_moves_concerts_to_main() {
    let (server, folder) = server_and_folder();
    let file = folder.file("a.csv", CSV);
    let lanes = || server.concerts().into_iter().map(|concert| concert.lane).collect::<Vec<_>>();
    server.operator(&["import", &file, "--lane", "hot"]).expect(0);
    assert_eq!(lanes(), ["hot", "hot"]);
    assert_eq!(counts(&server.operator(&["import", &file, "--json"]).expect(0)), [0, 2, 0]);
    assert_eq!(lanes(), ["main", "main"]);
}
