//! `booking history`, `release` and `refund`: what operators do for one person.

use std::time::{Duration, Instant};

use booking_core::hold::ReservationStatus;
use booking_server::ServeArgs;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    people::{Person, sale, seed},
    server::{Server, open},
};

fn events(server: &Server) -> usize {
    server.operator(&["events", "--json"]).expect(0).out.lines().count()
}

/// What happened, in order.
fn moments(history: &Value) -> Vec<&str> {
    history["items"].as_array().unwrap().iter().map(|moment| moment["what"].as_str().unwrap()).collect()
}

#[test]
fn the_history_of_a_seat_tells_whose_it_was_and_why_not_any_more() {
    let (server, show) = sale();
    let (first, second) = (Person::enter(&server), Person::enter(&server));
    let given_back = first.hold(show, 17);
    server.operator(&["release", &given_back.reservation_id.to_string()]).expect(0);
    let sold = second.hold(show, 17);
    let paid = second.pay(&sold);
    server.operator(&["refund", &paid.payment.payment_id.to_string()]).expect(0);
    let arguments = ["history", &show.to_string(), "17"];
    let ran = server.operator(&arguments).expect(0);
    for part in [
        first.id.to_string(),
        second.id.to_string(),
        sold.reservation_id.to_string(),
        "given back by the owner or an operator".into(),
        "50,000 due as payment".into(),
        "UTC  refunded".into(),
    ] {
        assert!(ran.out.contains(&part), "{part}: {}", ran.out);
    }
    let json = server.operator(&[&arguments[..], &["--json"]].concat()).expect(0).json();
    assert_eq!(moments(&json), ["held", "released", "held", "sold", "refunded"]);
    assert_eq!(json["items"][3]["user_id"], second.id.to_string());
    let other = server.operator(&["history", &show.to_string(), "18"]).expect(0);
    assert!(other.out.contains("nobody ever had this seat"), "{other:?}");
}

#[test]
fn the_history_of_a_user_tells_that_the_hold_ran_out_and_who_came_next() {
    let server = Server::start(&ServeArgs { hold_ttl: Duration::from_millis(300), ..open() });
    let show = seed(&server);
    let (slow, quick) = (Person::enter(&server), Person::enter(&server));
    let lost = slow.hold(show, 17);
    let since = Instant::now();
    while slow.look(&lost).status != ReservationStatus::Expired {
        assert!(since.elapsed() < Duration::from_secs(30), "the hold does not run out");
    }
    let won = quick.hold(show, 17);
    let json = server.operator(&["history", "--user", &slow.id.to_string(), "--json"]).expect(0).json();
    let told = moments(&json);
    assert_eq!(told[..4], ["charged", "held", "ran out", "held"]);
    assert_eq!(json["items"][3]["user_id"], quick.id.to_string());
    assert_eq!(json["items"][3]["reservation_id"], won.reservation_id.to_string());
    let ran_out: chrono::DateTime<chrono::Utc> = json["items"][2]["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(ran_out, lost.hold_expires_at, "at the end of the hold, whenever that was written down");
    let ran = server.operator(&["history", "--user", &slow.id.to_string()]).expect(0);
    assert!(ran.out.contains("not paid in time"), "{ran:?}");
}

#[test]
fn the_history_of_a_user_tells_every_movement_of_money() {
    let (server, show) = sale();
    let person = Person::enter(&server);
    let paid = person.pay(&person.hold(show, 5));
    server.operator(&["refund", &paid.payment.payment_id.to_string()]).expect(0);
    let json = server.operator(&["history", "--user", &person.id.to_string(), "--json"]).expect(0).json();
    let mut told = moments(&json);
    told.sort_unstable();
    assert_eq!(told, ["charged", "held", "money back", "paid", "refunded", "sold"]);
    let nobody = Uuid::nil().to_string();
    let ran = server.operator(&["history", "--user", &nobody]).expect(3);
    assert!(ran.err.contains("unknown_user") && ran.err.contains("wallet_opened"), "{ran:?}");
}

#[test]
fn a_dry_release_changes_nothing_and_tells_what_the_release_then_does() {
    let (server, show) = sale();
    let person = Person::enter(&server);
    let held = person.hold(show, 17);
    let release = ["release", &held.reservation_id.to_string()];
    let dry = [&release[..], &["--dry-run"]].concat();
    let before = events(&server);
    let ran = server.operator(&dry).expect(0);
    assert!(ran.out.contains("dry run: seat 17") && ran.out.contains(&person.id.to_string()), "{ran:?}");
    assert_eq!((events(&server), person.look(&held).status), (before, ReservationStatus::Held));
    let json = server.operator(&[&release[..], &["--json"]].concat()).expect(0).json();
    assert_eq!((&json["changes"], &json["reservation"]["status"]), (&true.into(), &"released".into()));
    for again in [&release[..], &dry] {
        let ran = server.operator(again).expect(0);
        assert!(ran.out.contains("nothing to do"), "{ran:?}");
    }
    assert_eq!(person.look(&held).status, ReservationStatus::Released);
}

#[test]
fn a_dry_refund_changes_nothing_and_tells_what_the_refund_then_does() {
    let (server, show) = sale();
    let person = Person::enter(&server);
    let held = person.hold(show, 17);
    let payment = person.pay(&held).payment.payment_id.to_string();
    let dry = ["refund", &payment, "--dry-run"];
    let before = events(&server);
    let ran = server.operator(&dry).expect(0);
    assert!(ran.out.contains("would get 50,000 back, which makes a balance of 50,000"), "{ran:?}");
    assert_eq!((events(&server), person.look(&held).status), (before, ReservationStatus::Confirmed));
    let json = server.operator(&["refund", &payment, "--json"]).expect(0).json();
    assert_eq!((&json["changes"], &json["balance"]), (&true.into(), &50_000.into()));
    assert_eq!((&json["seats"], &json["user_id"]), (&serde_json::json!([17]), &person.id.to_string().into()));
    assert!(server.operator(&dry).expect(0).out.contains("nothing to do"));
    assert_eq!(server.operator(&["audit", "--json"]).expect(0).json()["clean"], true);
}

#[test]
fn what_can_not_be_given_back_is_refused_with_what_to_do() {
    let (server, show) = sale();
    let person = Person::enter(&server);
    let held = person.hold(show, 17);
    person.pay(&held);
    let (held, nobody) = (held.reservation_id.to_string(), Uuid::nil().to_string());
    let cases = [
        (["release", &held], "booking refund PAYMENT"),
        (["release", &nobody], "booking history --user USER"),
        (["refund", &nobody], "booking events"),
        (["refund", &held], "unknown_payment"),
    ];
    for (arguments, hint) in cases {
        for dry_run in [&[][..], &["--dry-run"]] {
            let ran = server.operator(&[&arguments[..], dry_run].concat()).expect(3);
            assert!(ran.err.contains(hint), "{arguments:?}: {ran:?}");
        }
    }
}

#[test]
fn what_the_desk_asks_for_is_checked_before_anything_is_sent() {
    let (server, show) = sale();
    let show = show.to_string();
    let user = Uuid::nil().to_string();
    let wrong: [&[&str]; 6] = [
        &["history"],
        &["history", &show],
        &["history", &show, "x"],
        &["history", &show, "1", "--user", &user],
        &["release", "17"],
        &["refund"],
    ];
    for arguments in wrong {
        server.operator(arguments).expect(2);
    }
    let ran = server.operator(&["history", &show, "51"]).expect(3);
    assert!(ran.err.contains("unknown_seat"), "{ran:?}");
    let ran = server.operator(&["history", &user, "1"]).expect(3);
    assert!(ran.err.contains("performance_added"), "{ran:?}");
}
