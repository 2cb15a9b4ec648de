use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::{
    people::{Person, sale, seed},
    server::{Server, closed, interrupt, open},
};

fn types(text: &str) -> Vec<String> {
    let kind = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["type"].as_str().unwrap().to_owned()
    };
    text.lines().map(kind).collect()
}

#[test]
fn the_log_is_printed_as_an_object_a_line_and_from_any_number_on() {
    let (server, show) = sale();
    let person = Person::enter(&server);
    person.pay(&person.hold(show, 17));
    let all = types(&server.operator(&["events", "--json"]).expect(0).out);
    let expected = [
        "lane_set",
        "concert_added",
        "performance_added",
        "wallet_opened",
        "wallet_charged",
        "seats_held",
        "wallet_debited",
        "seats_sold",
        "payment_made",
    ];
    assert_eq!(all, expected);
    assert_eq!(types(&server.operator(&["events", "--json", "--after", "7"]).expect(0).out), all[7..]);
}

#[test]
fn people_read_the_log_line_by_line() {
    let (server, show) = sale();
    let person = Person::enter(&server);
    let held = person.hold(show, 17);
    let ran = server.operator(&["events"]).expect(0);
    for part in [
        format!("seats_held          seat 17 of performance {show}, user {}", person.id),
        format!("reservation {}", held.reservation_id),
        "lane main, capacity 1000".into(),
        "performance_added".into(),
        "50,000 of user".into(),
    ] {
        assert!(ran.out.contains(&part), "{part}: {}", ran.out);
    }
}

#[test]
fn a_log_of_many_pages_is_printed_whole() {
    let server = Server::start(&closed());
    server.operator(&["seed", "--concerts", "500", "--performances", "3"]).expect(0);
    let printed = server.operator(&["events", "--json"]).expect(0).out;
    let numbers = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64());
    assert!(numbers.eq((1..=2_001).map(Some)));
}

#[test]
fn who_follows_sees_what_happens_later_and_ends_on_ctrl_c() {
    let server = Server::start(&open());
    let mut following = server.start_operator(&["events", "--follow", "--json", "--after", "1"]);
    let show = seed(&server);
    let person = Person::enter(&server);
    person.hold(show, 3);
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let seen: String = (0..5).map(|_| lines.next().unwrap().unwrap() + "\n").collect();
    let expected = ["concert_added", "performance_added", "wallet_opened", "wallet_charged", "seats_held"];
    assert_eq!(types(&seen), expected);
    assert_eq!(interrupt(following), Some(0));
}

#[test]
fn a_closed_pipe_ends_the_log_without_an_error() {
    let (server, show) = sale();
    let mut following = server.start_operator(&["events", "--follow"]);
    drop(following.stdout.take());
    Person::enter(&server).hold(show, 3);
    let output = following.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
