//! A process that is killed at any point, and a machine that stops, lose nothing that was acknowledged.

use std::path::Path;

use tempfile::TempDir;

use crate::support::{
    disk::Fault,
    script::{TIDIED, Told, script},
    victim::{Crowd, Heard, missing, play},
    world::{open, violations},
};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Plays the script on a new file over a disk with this fault.
fn play_on(script: &str, fault: &Fault) -> (TempDir, Heard) {
    let folder = folder();
    let heard = play(&file(&folder), script, |command| fault.put_under(command, folder.path()));
    (folder, heard)
}

fn file(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("booking.db")
}

/// How many calls change files in a run of a script: its length in faults.
pub(crate) fn calls(name: &str) -> u64 {
    let folder = folder();
    let count = folder.path().join("count");
    let heard = play(&file(&folder), name, |command| {
        Fault::once("none", 0).put_under(command, folder.path());
        command.env("DISK_COUNT", &count);
    });
    assert_eq!(heard.steps, vec![Told::Done; script(name).len()], "{heard:?}");
    assert!(heard.ended && heard.status.success(), "{heard:?}");
    heard.compare(&file(&folder)).expect("a run without a fault is as it was told");
    let counted = std::fs::read_to_string(count).expect("a count").parse().expect("a number");
    assert!(counted > 100, "only {counted} calls were counted");
    counted
}

/// Ends the process at every call that changes a file, from making the file to closing it.
fn end_everywhere(script: &str, how: &'static str) {
    let calls = calls(script);
    let mut killed = 0;
    for at in 1..=calls {
        let (folder, heard) = play_on(script, &Fault::once(how, at));
        killed += u64::from(heard.status.code().is_none());
        heard.compare(&file(&folder)).unwrap_or_else(|wrong| panic!("{how} at {at}: {wrong}\n{heard:?}"));
    }
    // The last calls of a run may be fewer: how SQLite closes depends on who is last.
    // And how often a log is tidied up depends on who is faster.
    let most = if script == TIDIED { 6 } else { 9 };
    assert!(killed * 10 >= calls * most, "{killed} of {calls} runs were ended");
    println!("{killed} processes ended");
}

#[test]
fn a_process_killed_before_any_call_that_changes_a_file_loses_nothing_acknowledged() {
    end_everywhere("every", "kill");
}

#[test]
fn a_process_killed_in_the_middle_of_any_write_loses_nothing_acknowledged() {
    end_everywhere("every", "torn");
}

#[test]
fn a_machine_that_stops_at_any_call_loses_nothing_acknowledged() {
    end_everywhere("every", "power");
}

#[test]
fn a_process_killed_while_its_log_is_tidied_up_loses_nothing_acknowledged() {
    end_everywhere(TIDIED, "torn");
}

#[test]
fn a_machine_that_stops_while_a_log_is_tidied_up_loses_nothing_acknowledged() {
    end_everywhere(TIDIED, "power");
}

#[test]
fn a_disk_that_only_says_it_synced_is_found_out() {
    let calls = calls("every");
    let lost = (calls / 2..=calls).step_by(10).filter(|at| {
        let (folder, heard) = play_on("every", &Fault { lies: true, ..Fault::once("power", *at) });
        heard.compare(&file(&folder)).is_err()
    });
    assert!(lost.count() > 0, "losing what was not synced must show");
}

/// Numbers that look like chance, the same in every run.
fn chances() -> impl Iterator<Item = usize> {
    (1_u64..).map(|n| usize::try_from(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56).unwrap_or(0))
}

fn survives(path: &Path, told: &[String]) {
    let store = open(path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(missing(&store, told), Vec::<String>::new());
    assert_eq!(violations(&store), Vec::<String>::new());
}

#[test]
fn a_process_killed_under_load_again_and_again_keeps_all_it_acknowledged() {
    let folder = folder();
    let mut told = Vec::new();
    for (round, chance) in (0..25).zip(chances()) {
        let last = Crowd::start(&file(&folder), 1 + round * 400).kill_after(1 + 2 * chance);
        survives(&file(&folder), &last);
        told.extend(last);
    }
    survives(&file(&folder), &told);
    assert!(told.len() > 3_000, "{} answers", told.len());
}
