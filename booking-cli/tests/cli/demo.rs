use crate::server::{booking, run};

#[test]
fn a_small_demo_ends_clean() {
    let ran = run(&mut booking(&["demo", "--exit", "--buyers", "80", "--listen", "127.0.0.1:0"])).expect(0);
    for part in ["Ada signs up", "1–50", "seat_taken", "1–16, 18–50", "50 of 50", "the audit is clean"]
    {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert!(!ran.out.contains("VIOLATED"), "{}", ran.out);
}

#[test]
fn fewer_buyers_than_seats_all_get_one() {
    let arguments = ["demo", "--exit", "--buyers", "7", "--listen", "127.0.0.1:0", "--json"];
    let json = run(&mut booking(&arguments)).expect(0).json();
    assert_eq!((&json["ok"], &json["rush"]["seats_paid"]), (&true.into(), &7.into()));
    assert_eq!(json["audit"]["clean"], true);
    assert_eq!(json["story"].as_array().map(Vec::len), Some(16));
}

#[test]
fn a_busy_port_is_told_and_another_taken() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap();
    let arguments = ["demo", "--exit", "--buyers", "3", "--listen", &address.to_string()];
    let ran = run(&mut booking(&arguments)).expect(0);
    assert!(ran.err.contains(&format!("port {} is busy", address.port())), "{ran:?}");
}
