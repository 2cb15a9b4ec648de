//! The configuration as a process sees it: the environment is between flags and file.

use std::process::{Command, Output};

/// `--print-config` with this file and this environment.
fn print(file: &str, environment: &[(&str, &str)], flags: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("booking.toml");
    std::fs::write(&path, file).unwrap();
    Command::new(env!("CARGO_BIN_EXE_booking-server"))
        .env("BOOKING_CONFIG", &path)
        .envs(environment.iter().copied())
        .arg("--print-config")
        .args(flags)
        .output()
        .unwrap()
}

#[test]
fn a_flag_goes_before_the_environment_that_before_the_file_and_that_before_the_default() {
    let file = "lane-capacity = 1\nmax-waiting = 1\nadmit-per-second = 1\nopen-signup = true\n";
    let environment = [
        ("BOOKING_LANE_CAPACITY", "2"),
        ("BOOKING_MAX_WAITING", "2"),
        ("BOOKING_OPEN_SIGNUP", "false"),
        ("BOOKING_ADMIN_KEY", "an admin key of a test"),
    ];
    let output = print(file, &environment, &["--lane-capacity", "3"]);
    let told = String::from_utf8(output.stdout).unwrap();
    for line in [
        "lane-capacity = 3 # flag",
        "max-waiting = 2 # BOOKING_MAX_WAITING",
        "open-signup = false # BOOKING_OPEN_SIGNUP",
        "admit-per-second = 1 # file",
        "hold-ttl = \"5m\" # default",
        "# BOOKING_ADMIN_KEY is set in the environment",
    ] {
        assert!(told.lines().any(|told| told == line), "{line} is not in\n{told}");
    }
    assert!(output.status.success() && !told.contains("an admin key"), "{told}");
}

#[test]
fn a_file_that_makes_no_sense_is_exit_code_2_and_one_sentence() {
    let output = print("hold_ttl = \"5m\"", &[], &[]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.starts_with("error: ") && told.contains("did you mean hold-ttl?"), "{told}");
}
