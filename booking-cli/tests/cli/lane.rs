use std::io::{BufRead, BufReader};

use booking_server::ServeArgs;

use crate::{
    people::{Person, sale},
    server::{Folder, Server, closed, interrupt, run},
};

#[test]
fn a_lane_is_made_changed_and_shown() {
    let server = Server::start(&closed());
    let set = ["lane", "set", "hot", "--capacity", "20", "--admit-per-second", "5", "--max-waiting", "1000"];
    let ran =
        server.operator(&[&set[..], &["--claim-ttl", "30s", "--session-ttl", "10m"]].concat()).expect(0);
    assert!(ran.err.contains("the lane hot is new"), "{ran:?}");
    for part in ["open", "20", "1,000", "30s", "10m"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let shown = server.operator(&["lane", "show", "hot", "--json"]).expect(0).json();
    let of = |field: &str| shown[field].as_u64();
    assert_eq!((of("capacity"), of("admit_per_second"), of("max_waiting")), (Some(20), Some(5), Some(1_000)));
    assert_eq!((of("claim_ttl_ms"), of("session_ttl_ms")), (Some(30_000), Some(600_000)));
    let free =
        server.operator(&["lane", "set", "hot", "--admit-per-second", "none", "--json"]).expect(0).json();
    assert!(free["admit_per_second"].is_null() && free["capacity"] == 20, "{free}");
}

/// A server that starts again in mid-sale, or one more, has the flags of the first day.
#[test]
fn a_restart_leaves_the_lane_main_as_the_operator_set_it() {
    let folder = Folder::new();
    let args =
        ServeArgs { store: folder.store(), lane_capacity: Some(700), max_waiting: Some(9_000), ..closed() };
    let capacity = |server: &Server| {
        let shown = server.operator(&["lane", "show", "main", "--json"]).expect(0).json();
        (shown["capacity"].as_u64(), shown["max_waiting"].as_u64())
    };
    let server = Server::start(&args);
    assert_eq!(capacity(&server), (Some(700), Some(9_000)), "a new lane is as the flags say");
    server.operator(&["lane", "set", "main", "--capacity", "5"]).expect(0);
    drop(server);
    let server = Server::start(&args);
    assert_eq!(capacity(&server), (Some(5), Some(9_000)));
}

#[test]
fn all_lanes_are_listed_with_their_state() {
    let server = Server::start(&closed());
    server.operator(&["lane", "set", "hot", "--capacity", "7"]).expect(0);
    server.operator(&["lane", "pause", "hot"]).expect(0);
    let ran = server.operator(&["lane", "show"]).expect(0);
    for part in ["main", "hot", "paused", "open"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let lanes = server.operator(&["lane", "show", "--json"]).expect(0).json();
    assert_eq!(lanes["items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn pausing_and_closing_are_taken_back() {
    let server = Server::start(&closed());
    let does = |word: &str| server.operator(&["lane", word, "main", "--json"]).expect(0).json();
    assert_eq!(
        (does("pause")["paused"].as_bool(), does("resume")["paused"].as_bool()),
        (Some(true), Some(false))
    );
    assert_eq!(
        (does("close")["closed"].as_bool(), does("open")["closed"].as_bool()),
        (Some(true), Some(false))
    );
}

#[test]
fn a_slip_in_the_name_makes_no_lane_and_is_told_with_what_to_do() {
    let server = Server::start(&closed());
    for word in ["show", "pause", "resume", "close", "open"] {
        let ran = server.operator(&["lane", word, "mian"]).expect(3);
        assert!(ran.err.contains("`booking lane show` lists the lanes"), "{ran:?}");
    }
    let lanes = server.operator(&["lane", "show", "--json"]).expect(0).json();
    assert_eq!(lanes["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let server = Server::start(&closed());
    for wrong in [&["set", "main"][..], &["set", "main", "--capacity", "many"], &["show", "--watch"]] {
        server.operator(&[&["lane"], wrong].concat()).expect(2);
    }
    let ran = server.operator(&["lane", "set", "main", "--max-waiting", "few"]).expect(2);
    assert!(ran.err.contains("`none`"), "{ran:?}");
    let refused = server.operator(&["lane", "set", "main", "--admit-per-second", "0"]).expect(3);
    assert!(refused.err.contains("invalid_request"), "{refused:?}");
    server.operator(&["lane", "set", "new", "--admit-per-second", "0"]).expect(3);
    let lanes = server.operator(&["lane", "show", "--json"]).expect(0).json();
    assert_eq!(lanes["items"].as_array().map(Vec::len), Some(1), "what is refused makes no lane");
}

#[test]
fn a_watched_lane_tells_a_line_a_second_until_it_is_interrupted() {
    let (server, _) = sale();
    Person::enter(&server);
    let mut watching = server.start_operator(&["lane", "show", "main", "--watch"]);
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains("lane main: open, 0 waiting, 1 admitted of 1,000"), "{line}");
    }
    assert_eq!(interrupt(watching), Some(0));
}

#[test]
fn a_lane_is_watched_by_machines_as_an_object_a_line_until_they_stop_reading() {
    let (server, _) = sale();
    let mut watching = server.start_operator(&["lane", "show", "main", "--watch", "--json"]);
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let look: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!((&look["lane"], &look["admitted"]), (&"main".into(), &0.into()));
    drop(lines);
    assert_eq!(watching.wait().unwrap().code(), Some(0));
}

#[test]
fn the_lane_commands_take_the_admin_key() {
    let server = Server::start(&closed());
    let mut command = server.command(&["lane", "pause", "main"]);
    let ran = run(command.env("BOOKING_ADMIN_KEY", "not the key of this server")).expect(3);
    assert!(ran.err.contains("set BOOKING_ADMIN_KEY"), "{ran:?}");
}
