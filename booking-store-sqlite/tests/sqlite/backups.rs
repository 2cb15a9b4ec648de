//! Copies, made while the store is at work.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use booking_core::{
    Epoch, LaneName, Refusal,
    catalog::LaneSettings,
    store::{BookingStore, QueueStore},
};
use booking_store_sqlite::{OpenError, backup};
use pollster::block_on;
use rusqlite::Connection;

use crate::support::{
    disk::Fault,
    victim,
    world::{
        all_done, charge, open, open_wallet, pay, place, put_show, sell, set_lane, ticket, user, violations,
    },
};

#[test]
fn a_copy_made_while_serving_is_whole_and_as_it_was_at_one_instant() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("booking.db")).expect("it is made");
    all_done(&store, [set_lane(), put_show(20_000)]);
    let (sold, stop, epoch) = (AtomicU64::new(0), AtomicBool::new(false), Epoch(1));
    let buy = || {
        for n in (1..20_000).take_while(|_| !stop.load(Ordering::SeqCst)) {
            let seat = u32::try_from(n).expect("a seat");
            let commands = [open_wallet(n), charge(n), place(n, seat, epoch), pay(n, seat, epoch)];
            all_done(&store, commands);
            sold.store(n, Ordering::SeqCst);
        }
    };
    thread::scope(|scope| {
        scope.spawn(buy);
        let mut last = 0;
        for round in 0..5 {
            while sold.load(Ordering::SeqCst) < last + 20 {
                thread::yield_now();
            }
            let (before, copy) =
                (sold.load(Ordering::SeqCst), folder.path().join(format!("copy-{round}.db")));
            let made = backup(&folder.path().join("booking.db"), &copy);
            let after = sold.load(Ordering::SeqCst);
            made.unwrap_or_else(|error| {
                stop.store(true, Ordering::SeqCst);
                panic!("{error}")
            });
            let copied = open(&copy).expect("a copy opens, with all its checks");
            assert_eq!(violations(&copied), Vec::<String>::new());
            let is_there = |n| block_on(copied.wallet(user(n))).expect("a read").is_some();
            assert!(is_there(before) && !is_there(after + 2), "copied between {before} and {after}");
            last = after;
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert_eq!(violations(&store), Vec::<String>::new());
}

#[test]
fn who_waited_enters_a_restored_copy_anew_and_old_tickets_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, copy) = (folder.path().join("booking.db"), folder.path().join("copy.db"));
    let store = open(&file).expect("it is made");
    sell(&store);
    let (main, settings) = (LaneName::main(), LaneSettings { revision: 1, ..LaneSettings::default() });
    block_on(store.configure(&main, &settings)).expect("configured");
    let old = block_on(store.enter(&main, user(1))).expect("a place").ticket;
    backup(&file, &copy).expect("copied");
    let restored = open(&copy).expect("it opens");
    assert!(matches!(block_on(restored.place(&old)), Err(booking_core::Error::Refused(Refusal::QueueReset))));
    block_on(restored.configure(&main, &settings)).expect("configured");
    let new = block_on(restored.enter(&main, user(1))).expect("a place").ticket;
    assert!(new.epoch != old.epoch && new.seq == 1);
    assert!(block_on(restored.place(&ticket(1, old.epoch))).is_err());
}

#[test]
fn a_copy_never_replaces_a_file_and_is_of_our_files_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, other) = (folder.path().join("booking.db"), folder.path().join("other.db"));
    drop(open(&file).expect("it is made"));
    fs::write(&other, "dear diary").expect("written");
    let refused = backup(&file, &other).expect_err("there is a file").to_string();
    assert!(refused.contains("other.db") && refused.contains("not overwritten"), "{refused}");
    assert_eq!(fs::read(&other).expect("a file"), b"dear diary");
    let refused = backup(&other, &folder.path().join("copy.db"));
    assert!(matches!(refused, Err(OpenError::Unusable { .. } | OpenError::Foreign { .. })), "{refused:?}");
    let nothing = backup(&folder.path().join("nothing.db"), &folder.path().join("copy.db"));
    assert!(matches!(nothing, Err(OpenError::Unusable { .. })), "{nothing:?}");
    assert!(!folder.path().join("copy.db").exists());
}

#[test]
fn a_copy_is_not_made_where_the_log_of_another_file_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, copy) = (folder.path().join("booking.db"), folder.path().join("copy.db"));
    drop(open(&file).expect("it is made"));
    fs::write(folder.path().join("copy.db-wal"), "of another file").expect("written");
    let refused = backup(&file, &copy).expect_err("there is a log").to_string();
    assert!(refused.contains("copy.db-wal") && refused.contains("move"), "{refused}");
    assert!(!copy.exists());
}

#[test]
fn a_database_of_another_program_is_not_even_recovered() {
    let folder = tempfile::tempdir().expect("a folder");
    let [theirs, found] = ["theirs.db", "found.db"].map(|name| folder.path().join(name));
    let file = Connection::open(&theirs).expect("a database");
    let songs = "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('la')";
    file.execute_batch(&format!("PRAGMA journal_mode = WAL; {songs}")).expect("songs");
    let log = |path: &Path| path.with_extension("db-wal");
    fs::copy(&theirs, &found).and_then(|_| fs::copy(log(&theirs), log(&found))).expect("copied");
    let bytes = || [&found, &log(&found)].map(|path| fs::read(path).expect("a file"));
    let before = bytes();
    let refused = backup(&found, &folder.path().join("copy.db"));
    assert!(matches!(refused, Err(OpenError::Foreign { .. })), "{refused:?}");
    assert_eq!(bytes(), before, "it is left as it is");
}

/// Copies a file with a queue over a disk with this fault. Whether it was told that it is done, which it then is, and
/// how many calls changed files.
fn copied_on(file: &Path, fault: &Fault) -> (bool, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let (copy, count) = (folder.path().join("copy.db"), folder.path().join("count"));
    let told = victim::copy(file, &copy, |command| {
        fault.put_under(command, folder.path());
        command.env("DISK_COUNT", &count);
    });
    assert!(copy.exists() || !told, "{fault:?}");
    if copy.exists() {
        let copied = open(&copy).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        let lane = block_on(copied.snapshot(&LaneName::main(), None));
        assert!(lane.is_err(), "it has the queue: {fault:?}: {lane:?}");
    }
    (told, fs::read_to_string(count).expect("a count").parse().expect("a number"))
}

#[test]
fn a_copy_on_a_disk_that_fails_is_whole_and_without_the_queue_or_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("booking.db");
    let store = open(&file).expect("it is made");
    sell(&store);
    let (main, settings) = (LaneName::main(), LaneSettings { revision: 1, ..LaneSettings::default() });
    block_on(store.configure(&main, &settings)).expect("configured");
    block_on(store.enter(&main, user(1))).expect("a place");
    drop(store);
    let (told, calls) = copied_on(&file, &Fault::once("none", 0));
    assert!(told && calls > 20, "{calls} calls");
    for what in ["full", "eio"] {
        let fault = |at| Fault { lasts: 1_000_000, ..Fault::once(what, at) };
        let made = (1..=calls).filter(|at| copied_on(&file, &fault(*at)).0).count();
        assert!(made * 3 < (1..=calls).count(), "{made} of {calls} were made: {what}");
    }
}
