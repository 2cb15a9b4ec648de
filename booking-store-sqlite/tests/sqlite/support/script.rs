//! A run of single calls, the same every time, and how to see afterwards whether each was done.

use booking_core::{
    Command, EndReason, Epoch, Error, LaneName, StoreError, Ticket,
    catalog::LaneSettings,
    hold::ReservationStatus,
    queue::Place,
    store::{BookingStore, JointStore, PageRequest, QueueStore},
};
use booking_store_sqlite::SqliteStore;
use pollster::block_on;

use super::world::{
    MUCH, SHOW, ask, charge, entry, open_wallet, pay, place, put_much, put_show, release, reservation,
    set_lane, ticket, user,
};

/// A call; numbers name people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    SetLane,
    PutShow,
    /// Writes more pages than the store keeps in its cache.
    PutMuch,
    Configure,
    Open(u64),
    Charge(u64),
    Enter(u64),
    Claim(u64),
    Hold(u64, u32),
    Pay(u64, u32),
    Release(u64, u32),
    Finish(u64),
    Acknowledge(u64),
    /// Claims and holds in one step.
    Book(u64, u32),
    /// Pays, and ends the ticket in its lane, in one step.
    Settle(u64, u32),
}

/// What the calls' answers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Done,
    /// A call before it failed.
    Refused,
    /// It failed, and was not done.
    Failed,
    /// It failed, and may have been done.
    Unknown,
}

/// Every kind of call, each in a transaction of its own.
const EVERY: [Step; 19] = [
    Step::SetLane,
    Step::PutShow,
    Step::Configure,
    Step::Open(1),
    Step::Charge(1),
    Step::Enter(1),
    Step::Claim(1),
    Step::Hold(1, 7),
    Step::Pay(1, 7),
    Step::Finish(1),
    Step::Acknowledge(1),
    Step::Open(2),
    Step::Enter(2),
    Step::Charge(2),
    Step::Book(2, 8),
    Step::Release(2, 8),
    Step::Book(2, 9),
    Step::Settle(2, 9),
    // Whatever failed before: this one goes through.
    Step::Open(3),
];

/// A big transaction, and one after it.
const BIG: [Step; 4] = [Step::SetLane, Step::PutShow, Step::PutMuch, Step::Open(3)];

/// The script of this name: `big`, or every kind of call, on a file whose log is tidied up all the time if it is [`TIDIED`].
pub(crate) fn script(name: &str) -> &'static [Step] {
    if name == "big" { &BIG } else { &EVERY }
}

pub(crate) const TIDIED: &str = "tidied";

/// What the process that plays a script is told its name by.
pub(crate) const SCRIPT: &str = "VICTIM_SCRIPT";

fn store_error(error: &StoreError) -> Told {
    // Only where the log is tidied up may a failed sync be one after which nothing is saved.
    let may_stop = std::env::var(SCRIPT).is_ok_and(|name| name == TIDIED);
    assert!(error.retryable() || may_stop && error.to_string().contains("restart"), "{error}");
    if error.may_have_applied() { Told::Unknown } else { Told::Failed }
}

fn told<T>(answer: Result<T, Error>) -> Told {
    match answer {
        Ok(_) => Told::Done,
        Err(Error::Refused(_)) => Told::Refused,
        Err(Error::Store(error)) => store_error(&error),
    }
}

fn command(store: &SqliteStore, command: Command) -> Told {
    match ask(store, command) {
        Ok(Ok(_)) => Told::Done,
        Ok(Err(_)) => Told::Refused,
        Err(error) => store_error(&error),
    }
}

/// The life of the lane; none before it is made.
fn epoch(store: &SqliteStore) -> Epoch {
    block_on(store.snapshot(&LaneName::main(), None)).map_or(Epoch(0), |snapshot| snapshot.epoch)
}

impl Step {
    pub(crate) fn act(self, store: &SqliteStore) -> Told {
        let (main, epoch) = (LaneName::main(), epoch(store));
        if !self.has_something_to_do(store) {
            return Told::Refused;
        }
        match self {
            Self::SetLane => command(store, set_lane()),
            Self::PutShow => command(store, put_show(50)),
            Self::PutMuch => command(store, put_much()),
            Self::Configure => {
                let settings = LaneSettings { revision: 1, ..LaneSettings::default() };
                told(block_on(store.configure(&main, &settings)).map_err(Error::from))
            }
            Self::Open(n) => command(store, open_wallet(n)),
            Self::Charge(n) => command(store, charge(n)),
            Self::Enter(n) => told(block_on(store.enter(&main, user(n)))),
            Self::Claim(n) => told(block_on(store.claim(&ticket(n, epoch)))),
            Self::Hold(n, seat) => command(store, place(n, seat, epoch)),
            Self::Pay(n, seat) => command(store, pay(n, seat, epoch)),
            Self::Release(n, seat) => command(store, release(n, seat)),
            Self::Finish(n) => {
                told(block_on(store.finish(&ticket(n, epoch), EndReason::Completed)).map_err(Error::from))
            }
            Self::Acknowledge(n) => {
                told(block_on(store.ack_endings(&[ticket(n, epoch)])).map_err(Error::from))
            }
            Self::Book(n, seat) => told(block_on(store.book(Some(&ticket(n, epoch)), place(n, seat, epoch)))),
            Self::Settle(n, seat) => told(block_on(store.book(None, pay(n, seat, epoch)))),
        }
    }

    /// Whether the store shows what the call does.
    pub(crate) fn is_done(self, store: &SqliteStore) -> bool {
        let (main, epoch) = (LaneName::main(), epoch(store));
        let status = |n, seat| {
            let found = block_on(store.reservation(user(n), reservation(n, seat))).expect("a read");
            found.map(|found| found.status)
        };
        // If who was first failed to enter, the second has number 1, which may be over for the first, too.
        let placed = |n| {
            let at = |seq| block_on(store.place(&Ticket { seq, ..ticket(n, epoch) })).ok();
            at(n).or_else(|| at(1).filter(|place| !matches!(place, Place::Done(_))))
        };
        match self {
            Self::SetLane => block_on(store.lane(&main)).expect("a read").is_some(),
            Self::PutShow => block_on(store.performance(SHOW)).expect("a read").is_some(),
            Self::PutMuch => block_on(store.concert(MUCH)).expect("a read").is_some(),
            Self::Configure => block_on(store.snapshot(&main, None)).is_ok(),
            Self::Open(n) => block_on(store.wallet(user(n))).expect("a read").is_some(),
            Self::Charge(n) => {
                let ledger = block_on(store.entries(user(n), PageRequest::first(10))).expect("a read");
                ledger.items.iter().any(|line| line.id == entry(n))
            }
            Self::Enter(n) => placed(n).is_some(),
            Self::Claim(n) => {
                matches!(placed(n), Some(Place::Admitted { claimed: true, .. }))
            }
            Self::Hold(n, seat) => status(n, seat).is_some(),
            Self::Pay(n, seat) => status(n, seat) == Some(ReservationStatus::Confirmed),
            Self::Release(n, seat) => status(n, seat) == Some(ReservationStatus::Released),
            Self::Finish(n) => matches!(placed(n), Some(Place::Done(_))),
            Self::Acknowledge(n) => {
                let pending = block_on(store.pending_endings(10)).expect("a read");
                pending.iter().all(|(ended, _)| *ended != ticket(n, epoch))
            }
            Self::Book(n, seat) => {
                let is_held = status(n, seat).is_some();
                let has_claimed = Self::Claim(n).is_done(store) || Self::Finish(n).is_done(store);
                assert!(has_claimed || !is_held, "{n} holds seat {seat} and has not shown up: half a step");
                is_held
            }
            Self::Settle(n, seat) => {
                let is_paid = Self::Pay(n, seat).is_done(store);
                let is_over = Self::Finish(n).is_done(store) && Self::Acknowledge(n).is_done(store);
                assert_eq!(is_paid, is_over, "the sale of seat {seat} and the ticket of {n}: half a step");
                is_paid
            }
        }
    }

    /// Ending a ticket that is not there is done at once, without a trace, and a ticket that is over does not show
    /// whether it was claimed.
    pub(crate) fn has_something_to_do(self, store: &SqliteStore) -> bool {
        match self {
            Self::Claim(n) => !Self::Finish(n).is_done(store),
            Self::Finish(n) => Self::Enter(n).is_done(store),
            Self::Acknowledge(n) => Self::Pay(n, 7).is_done(store),
            _ => true,
        }
    }
}
