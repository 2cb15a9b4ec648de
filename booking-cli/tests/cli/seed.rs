use crate::server::{Server, closed};

#[test]
fn seeding_twice_changes_nothing() {
    let server = Server::start(&closed());
    let first = server.operator(&["seed", "--json"]).expect(0).json();
    assert_eq!((&first["added"], &first["changed"], &first["unchanged"]), (&9.into(), &0.into(), &0.into()));
    let concerts = server.concerts();
    let again = server.operator(&["seed", "--json"]).expect(0).json();
    assert_eq!((&again["added"], &again["changed"], &again["unchanged"]), (&0.into(), &0.into(), &3.into()));
    assert_eq!(server.concerts(), concerts);
}

#[test]
fn more_seats_are_a_change_and_fewer_are_none() {
    let server = Server::start(&closed());
    server.operator(&["seed", "--concerts", "1"]).expect(0);
    let seats = |seats: &str| {
        server.operator(&["seed", "--concerts", "1", "--seats", seats, "--json"]).expect(0).json()
    };
    assert_eq!(seats("60")["changed"], 2);
    assert_eq!(seats("10")["changed"], 0);
}

#[test]
fn seats_that_stay_although_fewer_were_asked_for_are_told() {
    let server = Server::start(&closed());
    let told = |concerts: &str, seats: &str| {
        let arguments = ["seed", "--performances", "1", "--concerts", concerts, "--seats", seats];
        server.operator(&arguments).expect(0).err
    };
    assert!(!told("1", "60").contains("shrink"));
    assert!(!told("1", "60").contains("shrink"));
    let one = told("1", "59");
    assert!(one.contains("note: seats never shrink: 1 performance keeps more seats than asked for"), "{one}");
    // The second concert is new.
    let one_of_two = told("2", "10");
    assert!(one_of_two.contains("1 performance keeps"), "{one_of_two}");
    let both = told("2", "9");
    assert!(both.contains("2 performances keep"), "{both}");
}

#[test]
fn many_dummy_concerts_go_in_many_requests() {
    let server = Server::start(&closed());
    let arguments = ["seed", "--concerts", "500", "--performances", "3", "--json"];
    let seeded = server.operator(&arguments).expect(0).json();
    assert_eq!((&seeded["added"], seeded["concerts"].as_array().map(Vec::len)), (&2_000.into(), Some(500)));
    let again = server.operator(&arguments).expect(0).json();
    assert_eq!((&again["added"], &again["unchanged"]), (&0.into(), &500.into()));
}

#[test]
fn a_concert_too_long_for_one_request_counts_once() {
    let server = Server::start(&closed());
    let arguments = ["seed", "--concerts", "1", "--performances", "1000", "--json"];
    assert_eq!(server.operator(&arguments).expect(0).json()["added"], 1_001);
    let again = server.operator(&arguments).expect(0).json();
    assert_eq!((&again["added"], &again["changed"], &again["unchanged"]), (&0.into(), &0.into(), &1.into()));
}

#[test]
fn a_lane_of_its_own_is_made_and_has_concerts_of_its_own() {
    let server = Server::start(&closed());
    server.operator(&["seed", "--concerts", "2"]).expect(0);
    let ran = server.operator(&["seed", "--concerts", "2", "--lane", "hot"]).expect(0);
    assert!(ran.err.contains("the lane hot is new"), "{ran:?}");
    let again = server.operator(&["seed", "--concerts", "2", "--lane", "hot"]).expect(0);
    assert!(!again.err.contains("new"), "{again:?}");
    let lanes: Vec<String> = server.concerts().into_iter().map(|concert| concert.lane).collect();
    assert_eq!(lanes.iter().filter(|lane| *lane == "hot").count(), 2);
    assert_eq!(lanes.len(), 4);
}

#[test]
fn people_get_a_table_of_what_was_added() {
    let server = Server::start(&closed());
    let ran = server.operator(&["seed", "--concerts", "30", "--performances", "1"]).expect(0);
    for part in ["Midnight Orchestra", "50,000", "and 10 more performances", "60 added, 0 changed"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
}
