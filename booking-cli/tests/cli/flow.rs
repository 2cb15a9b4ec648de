use booking_server::ServeArgs;

use crate::server::{Server, closed, open, run};

#[test]
fn a_few_people_buy_and_the_audit_is_clean() {
    let server = Server::start(&open());
    server.operator(&["seed"]).expect(0);
    let json = server.operator(&["flow", "--users", "30", "--concurrency", "8", "--json"]).expect(0).json();
    assert_eq!((&json["bought"], &json["paid"]), (&30.into(), &1_500_000.into()));
    assert_eq!((&json["audit"]["clean"], &json["unexpected"]), (&true.into(), &serde_json::json!([])));
}

#[test]
fn no_seat_left_is_no_failure_and_no_more_seats_are_sold_than_there_are() {
    let server = Server::start(&open());
    server.operator(&["seed", "--concerts", "1", "--performances", "2", "--seats", "5"]).expect(0);
    let json = server.operator(&["flow", "--users", "40", "--json"]).expect(0).json();
    assert_eq!((&json["bought"], &json["audit"]["clean"]), (&10.into(), &true.into()));
    let ran = server.operator(&["flow", "--users", "5"]).expect(0);
    assert!(ran.out.contains("the audit is clean"), "{ran:?}");
}

#[test]
fn a_small_lane_makes_people_wait_and_all_get_their_seat() {
    let args = ServeArgs { lane_capacity: Some(2), ..open() };
    let server = Server::start(&args);
    server.operator(&["seed"]).expect(0);
    let json = server.operator(&["flow", "--users", "12", "--concurrency", "6", "--json"]).expect(0).json();
    assert_eq!(json["bought"], 12);
}

#[test]
fn free_concerts_are_bought_without_a_charge() {
    let server = Server::start(&open());
    server.operator(&["seed", "--price", "0"]).expect(0);
    let json = server.operator(&["flow", "--users", "5", "--json"]).expect(0).json();
    assert_eq!(
        (&json["bought"], &json["paid"], &json["audit"]["clean"]),
        (&5.into(), &0.into(), &true.into())
    );
}

#[test]
fn the_keys_stand_in_for_open_sign_up_and_open_charges() {
    let server = Server::start(&closed());
    server.operator(&["seed"]).expect(0);
    let mut command = server.command(&["flow", "--users", "5", "--json"]);
    command.env("BOOKING_ADMIN_KEY", &server.secrets.admin_key);
    command.env("BOOKING_SERVICE_KEY", &server.secrets.service_key);
    assert_eq!(run(&mut command).expect(0).json()["bought"], 5);
}

#[test]
fn a_missing_key_ends_the_run_and_is_named() {
    let server = Server::start(&closed());
    server.operator(&["seed"]).expect(0);
    let ran = server.anybody(&["flow", "--users", "100"]).expect(3);
    assert!(ran.err.contains("set BOOKING_ADMIN_KEY") && ran.err.contains("--open-signup"), "{ran:?}");
    let ran = server.operator(&["flow", "--users", "100"]).expect(3);
    assert!(ran.err.contains("set BOOKING_SERVICE_KEY") && ran.err.contains("--open-charges"), "{ran:?}");
}

#[test]
fn without_the_admin_key_the_purchases_are_made_and_the_missing_audit_is_told() {
    let server = Server::start(&open());
    server.operator(&["seed"]).expect(0);
    let ran = server.anybody(&["flow", "--users", "5"]).expect(0);
    assert!(ran.out.contains("bought") && ran.err.contains("not audited"), "{ran:?}");
    assert!(server.anybody(&["flow", "--users", "5", "--json"]).expect(0).json()["audit"].is_null());
}

#[test]
fn a_lane_without_concerts_is_told() {
    let server = Server::start(&open());
    let ran = server.operator(&["flow", "--users", "5"]).expect(2);
    assert!(ran.err.contains("booking seed"), "{ran:?}");
}
