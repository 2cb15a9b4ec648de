//! `booking migrate` against a real PostgreSQL, which `scripts/with-servers` starts.

use std::process::Command;

fn var(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests by `scripts/with-servers cargo test`"))
}

fn new_database() -> String {
    let (server, name) = (var("BOOKING_TEST_PG"), format!("cli_{}", std::process::id()));
    let made = Command::new(format!("{}/createdb", var("BOOKING_TEST_PG_BIN")))
        .args(["--maintenance-db", &server, &name])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (before, _) = server.rsplit_once('/').unwrap();
    format!("{before}/{name}")
}

fn migrate(arguments: &[&str]) -> (Option<i32>, String) {
    let told = Command::new(env!("CARGO_BIN_EXE_booking")).arg("migrate").args(arguments).output().unwrap();
    let text = [told.stdout, told.stderr].concat();
    (told.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn a_schema_is_checked_migrated_and_checked_again() {
    let store = new_database();
    let (code, told) = migrate(&["--store", &store, "--check"]);
    assert!(code == Some(1) && told.contains("version 0") && told.contains("run booking migrate"), "{told}");
    let (code, told) = migrate(&["--store", &store]);
    assert!(code == Some(0) && told.contains("up to date"), "{told}");
    let (code, told) = migrate(&["--store", &store, "--check", "--json"]);
    assert!(code == Some(0) && told.contains(r#""schema": "current""#), "{told}");
}

#[test]
fn what_has_no_schema_is_refused_without_telling_what_may_be_secret() {
    let (code, told) = migrate(&["--store", "mysql://admin:hunter2@db/booking"]);
    assert!(code == Some(2) && told.contains("mysql:") && !told.contains("hunter2"), "{told}");
    let (code, told) = migrate(&["--store", "postgres://admin:hunter2@127.0.0.1:1/booking", "--check"]);
    assert!(code == Some(3) && told.contains("connect") && !told.contains("hunter2"), "{told}");
}
