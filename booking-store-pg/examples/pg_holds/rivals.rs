//! pgbench: what the server can do when the client costs next to nothing.

use std::process::Command;

use crate::world;

/// Transactions a second of a script.
pub(crate) fn pgbench(url: &str, script: &str) -> f64 {
    let file = std::env::temp_dir().join(format!("booking-pgbench-{}.sql", std::process::id()));
    std::fs::write(&file, script).expect("a script");
    let programs = std::env::var("BOOKING_TEST_PG_BIN").expect("run it by scripts/with-servers");
    let (clients, seconds) = (world::clients().to_string(), world::span().as_secs().to_string());
    let told = Command::new(format!("{programs}/pgbench"))
        .args(["-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &seconds, "-f"])
        .arg(&file)
        .arg(url)
        .output()
        .expect("pgbench");
    std::fs::remove_file(&file).ok();
    let told = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned();
    let rate = told.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.filter(|_| !told.contains("aborted")).unwrap_or_else(|| panic!("{told}"))
}
