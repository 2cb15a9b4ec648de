//! A disk that fails for a moment: nothing is acknowledged that is not kept, nothing is kept that was refused, and the
//! service goes on by itself when the disk does.

use tempfile::TempDir;

use crate::{
    crashes::calls,
    support::{
        disk::Fault,
        script::{TIDIED, Told},
        victim::{Heard, QUITS, play},
    },
};

/// Lets the disk fail from every call on; the runs that went wrong in no other way than that calls failed.
fn fail_everywhere(what: &'static str, lasts: u64, stride: usize) -> Vec<Heard> {
    fail_in("every", what, lasts, (1..=calls("every")).step_by(stride))
}

fn fail_in(script: &str, what: &'static str, lasts: u64, calls: impl Iterator<Item = u64>) -> Vec<Heard> {
    let mut runs = Vec::new();
    for at in calls {
        let folder: TempDir = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("booking.db");
        let fault = Fault { lasts, ..Fault::once(what, at) };
        let heard = play(&file, script, |command| fault.put_under(command, folder.path()));
        assert!(heard.status.success(), "{fault:?}: {heard:?}");
        heard.compare(&file).unwrap_or_else(|wrong| panic!("{fault:?}: {wrong}\n{heard:?}"));
        if heard.opened {
            assert!(heard.ended, "{fault:?}: {heard:?}");
            if lasts == 1 && script != TIDIED {
                let failed = heard.steps.iter().filter(|told| matches!(told, Told::Failed | Told::Unknown));
                assert!(failed.count() <= 1, "it goes on: {fault:?}: {heard:?}");
            }
        }
        runs.push(heard);
    }
    runs
}

fn count(runs: &[Heard], told: Told) -> usize {
    runs.iter().filter(|heard| heard.steps.contains(&told)).count()
}

#[test]
fn a_call_of_the_disk_that_fails_fails_the_commit_and_no_other() {
    let runs = fail_everywhere("eio", 1, 1);
    assert!(count(&runs, Told::Failed) + count(&runs, Told::Unknown) > runs.len() / 4);
}

#[test]
fn a_sync_that_fails_leaves_the_outcome_open_and_the_next_commit_in_order() {
    let runs = fail_everywhere("sync", 40, 3);
    assert!(count(&runs, Told::Unknown) > 5, "{}", count(&runs, Told::Unknown));
}

#[test]
fn a_commit_whose_sync_fails_once_is_undone_when_that_is_told() {
    let mut failed = 0;
    for at in 1..=calls("every") {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, fault) = (folder.path().join("booking.db"), Fault::once("sync", at));
        let heard = play(&file, "every", |command| {
            fault.put_under(command, folder.path());
            command.env(QUITS, "1");
        });
        assert!(!heard.steps.contains(&Told::Unknown), "{fault:?}: {heard:?}");
        heard.compare(&file).unwrap_or_else(|wrong| panic!("{fault:?}: {wrong}\n{heard:?}"));
        failed += usize::from(heard.steps.contains(&Told::Failed));
    }
    assert!(failed > 5, "{failed}");
}

/// What a system could not write it forgets: a log that is thrown away then takes what was moved out of it along.
#[test]
fn a_sync_that_fails_and_loses_what_it_was_to_write_loses_nothing_acknowledged() {
    let runs = fail_everywhere("lost", 1, 1);
    assert!(count(&runs, Told::Failed) > 5, "{}", count(&runs, Told::Failed));
    let runs = fail_in(TIDIED, "lost", 1, 1..=calls(TIDIED));
    // At times it is a sync of the file, after which nothing is saved.
    let failed = |heard: &Heard| heard.steps.iter().filter(|told| **told == Told::Failed).count();
    let is_stopped = |heard: &&Heard| failed(heard) > 1 && heard.steps.ends_with(&[Told::Failed]);
    let stopped = runs.iter().filter(is_stopped).count();
    assert!(stopped > 3, "{stopped} of {}", runs.len());
}

#[test]
fn a_disk_that_fails_while_a_log_is_tidied_up_loses_nothing_acknowledged() {
    for what in ["eio", "full", "sync"] {
        let runs = fail_in(TIDIED, what, 3, (1..=calls(TIDIED)).step_by(3));
        let failed = count(&runs, Told::Failed) + count(&runs, Told::Unknown);
        assert!(failed > 3, "{what}: {failed} of {}", runs.len());
    }
}

#[test]
fn a_full_disk_refuses_and_serves_again_when_there_is_room() {
    let runs = fail_everywhere("full", 1, 1);
    assert!(count(&runs, Told::Failed) > runs.len() / 4);
    assert_eq!(count(&runs, Told::Unknown), 0, "a full disk leaves nothing open");
    let runs = fail_everywhere("full", 40, 7);
    assert!(count(&runs, Told::Failed) > runs.len() / 2);
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_big_transaction_serves_the_next_one() {
    let calls = calls("big");
    let stride = usize::try_from(calls / 20).expect("a number");
    let runs = fail_in("big", "full", 1, (calls / 40..=calls).step_by(stride));
    assert!(count(&runs, Told::Failed) > runs.len() / 3);
}

#[test]
fn a_disk_that_became_read_only_refuses_until_it_is_not() {
    let runs = fail_everywhere("erofs", 30, 5);
    assert!(count(&runs, Told::Failed) + count(&runs, Told::Unknown) > runs.len() / 2);
}
