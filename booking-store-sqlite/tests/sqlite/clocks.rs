//! Clocks that do more than tell the time: so something happens between two steps of the store.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};

use booking_core::{Clock, Epoch, store::BookingStore};
use booking_store_sqlite::{SqliteConfig, SqliteStore};
use pollster::block_on;
use rusqlite::Connection;

use crate::support::{
    harness::START,
    world::{SHOW, ask, done, open, open_wallet, place, policy, sell, user, violations},
};

#[test]
fn an_audit_is_of_an_instant_after_all_that_it_sees() {
    let folder = tempfile::tempdir().expect("a folder");
    let (passed, selling) = (AtomicU64::new(0), Arc::new(OnceLock::<Weak<SqliteStore>>::new()));
    // While the audit looks at the clock, the hold of seat 2 runs out and the next one has it.
    let clock = {
        let selling = Arc::clone(&selling);
        move || {
            let now = START.after(Duration::from_secs(passed.load(Ordering::SeqCst)));
            if thread::current().name() == Some("booking-audit") {
                let store = selling.get().and_then(Weak::upgrade).expect("a store");
                passed.store(3_600, Ordering::SeqCst);
                done(&store, place(3, 2, Epoch(7)));
            }
            now
        }
    };
    let config = SqliteConfig::new(folder.path().join("booking.db"), policy());
    let store = SqliteStore::open(&config, Arc::new(clock)).expect("it is made");
    sell(&store);
    done(&store, open_wallet(3));
    selling.set(Arc::downgrade(&store)).expect("once");
    assert_eq!(violations(&store), Vec::<String>::new());
}

/// A store, and what makes whoever looks at the clock next panic.
fn fragile(file: &Path) -> (Arc<SqliteStore>, Arc<AtomicBool>) {
    let breaks = Arc::new(AtomicBool::new(false));
    let clock: Arc<dyn Clock> = {
        let breaks = Arc::clone(&breaks);
        Arc::new(move || {
            assert!(!breaks.swap(false, Ordering::SeqCst), "planted");
            START
        })
    };
    let store = SqliteStore::open(&SqliteConfig::new(file, policy()), clock).expect("it is made");
    (store, breaks)
}

#[test]
fn a_store_whose_thread_has_gone_is_not_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, breaks) = fragile(&folder.path().join("booking.db"));
    sell(&store);
    block_on(store.lanes()).expect("it is ready");
    breaks.store(true, Ordering::SeqCst);
    ask(&store, open_wallet(7)).expect_err("who decides it is gone");
    let told = Instant::now();
    // It is told while the thread still ends.
    while block_on(store.lanes()).is_ok() {
        assert!(told.elapsed() < Duration::from_secs(5), "nobody should send work");
        thread::yield_now();
    }
}

/// How many calls were given to the saver.
fn written(store: &SqliteStore) -> u64 {
    store.batch_sizes().iter().map(|(_, sizes)| sizes.jobs()).sum()
}

#[test]
fn what_is_written_and_can_not_be_shown_is_told_as_unknown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("booking.db");
    let (store, breaks) = fragile(&file);
    sell(&store);
    let hand = Connection::open(&file).expect("a database");
    hand.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
    let before = written(&store);
    let mut call = store.execute(vec![open_wallet(7)]);
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    while written(&store) == before {
        thread::yield_now();
    }
    breaks.store(true, Ordering::SeqCst);
    catch_unwind(AssertUnwindSafe(|| block_on(store.seat_map(SHOW)))).expect_err("under the lock");
    hand.execute_batch("ROLLBACK").expect("the file is let go");
    let told = block_on(call).expect_err("memory can't follow");
    assert!(told.may_have_applied(), "{told:?}");
    block_on(store.lanes()).expect_err("nobody should send work");
    drop(store);
    let wallet = block_on(open(&file).expect("it is whole").wallet(user(7)));
    assert!(wallet.expect("a read").is_some(), "it was done");
}
