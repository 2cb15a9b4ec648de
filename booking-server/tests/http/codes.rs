use booking_api::Code;

const TESTS: [&str; 10] = [
    include_str!("admin.rs"),
    include_str!("bad_input.rs"),
    include_str!("connections.rs"),
    include_str!("best_seats.rs"),
    include_str!("faults.rs"),
    include_str!("journey.rs"),
    include_str!("ownership.rs"),
    include_str!("process.rs"),
    include_str!("queue.rs"),
    include_str!("tokens.rs"),
];

/// A code nobody has ever seen is a promise nobody checked.
#[test]
fn every_code_is_provoked_by_a_test() {
    let missing: Vec<&str> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !TESTS.iter().any(|test| test.contains(&format!("\"{code}\""))))
        .collect();
    assert!(missing.is_empty(), "no test expects {missing:?}");
}
