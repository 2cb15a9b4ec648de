//! The write-ahead log of a file that is open.

use std::{
    fs::File,
    io::Read,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use booking_core::{Command, store::BookingStore};
use booking_store_sqlite::SqliteStore;
use pollster::block_on;

use crate::support::world::{open, open_wallet, user};

/// What a log has in its header that is another each time it begins anew.
fn life(file: &Path) -> [u8; 8] {
    let mut header = [0; 24];
    let mut log = File::open(file.with_extension("db-wal")).expect("a log");
    log.read_exact(&mut header).expect("a header");
    header[16..].try_into().expect("eight bytes")
}

/// Somebody, in no order, so that each commit of many changes many pages.
fn somebody(n: u64) -> u64 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 1
}

fn open_wallets(store: &SqliteStore, numbers: std::ops::Range<u64>) {
    let batch: Vec<Command> = numbers.map(|n| open_wallet(somebody(n))).collect();
    for answer in block_on(store.execute(batch)).expect("a store") {
        answer.expect("no refusal");
    }
}

/// Opens wallets, so many in each commit of so many callers, until the log begins anew, and looks for them in the file.
fn the_log_begins_anew(in_each: u64, callers: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("booking.db");
    let store = open(&path).expect("a store");
    open_wallets(&store, 0..in_each);
    let (first, begin, commits) = (life(&path), Instant::now(), AtomicU64::new(1));
    thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                while life(&path) == first {
                    let commit = commits.fetch_add(1, Ordering::Relaxed);
                    assert!(
                        begin.elapsed() < Duration::from_mins(1),
                        "{commit} commits, and the log goes on"
                    );
                    open_wallets(&store, commit * in_each..(commit + 1) * in_each);
                }
            });
        }
    });
    let opened = commits.into_inner() * in_each;
    assert!(opened > 10_000, "it is not moved for a few pages: {opened}");
    drop(store);
    let store = open(&path).expect("all of it is there, and as it should be");
    for n in 0..opened {
        assert!(block_on(store.wallet(user(somebody(n)))).expect("a store").is_some(), "the wallet of {n}");
    }
}

#[test]
fn a_long_log_begins_anew_while_others_are_written_and_nothing_of_it_is_lost() {
    the_log_begins_anew(300, 1);
}

/// Each of them is more than is moved between two, and the next one is decided already.
#[test]
fn a_log_of_big_commits_begins_anew_as_well() {
    the_log_begins_anew(2_000, 4);
}
