//! Clocks that do more than tell the time: so something happens between two steps of the store.

use std::{
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use booking_core::Epoch;
use booking_store_sqlite::{SqliteConfig, SqliteStore};

use crate::support::{
    harness::START,
    world::{done, open_wallet, place, policy, sell, violations},
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
