//! The booking port.

mod ahead;
mod audit;
mod catalog;
mod glance;
mod known;
mod lists;
mod load;
mod look;
mod looker;
mod maps;
mod port;
mod progress;
mod recent;
mod resolve;
mod rows;
mod save;
mod save_catalog;
mod save_money;
mod session;
mod stock;
mod turn;
mod worker;
mod writer;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Duration,
};

use booking_core::{BookingPolicy, Command, batcher::BatchSizes, id::PerformanceId};

use self::{known::Known, maps::Maps, stock::Stocks, worker::Counter, writer::Duty};
use crate::{
    connect::{self, ConnectError, PgConfig},
    db::Db,
    queue::Queue,
};

/// Both stores of the engine on one PostgreSQL database. Any number of them, in any number of processes, may work on
/// the same one.
pub struct PgStore {
    shared: Arc<Shared>,
    /// Where everything queues that leaves the catalogue as it is.
    bookings: Counter,
    /// Changes of lanes, which wait for no concerts that are being saved.
    lanes: Counter,
    /// Changes of concerts and performances have a queue of their own: they may take long, and nobody's hold shall wait for
    /// them.
    catalog: Counter,
    queue: Queue,
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore").finish_non_exhaustive()
    }
}

/// What the callers and the workers of a store have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    db: Db,
    policy: BookingPolicy,
    maps: Maps,
    stocks: Stocks,
    /// Whether somebody else was found to have written between a look at a batch and its turn.
    others_write: AtomicBool,
    known: Known,
    /// How many connections the writer of bookings has had.
    life: AtomicU64,
}

impl Shared {
    /// Own writes show at once on the instance that made them (S5).
    fn forget(&self, touched: &BTreeSet<PerformanceId>, catalog_changed: bool) {
        self.maps.forget(touched, catalog_changed);
    }
}

impl PgStore {
    /// Opens the database at an address, after making sure that it will do and bringing its schema up to date. It must
    /// be called in a tokio runtime, in which its workers run until it is dropped.
    pub async fn connect(config: PgConfig) -> Result<Arc<Self>, ConnectError> {
        let connector = connect::connector(&config.url)?;
        connect::prepare(&connector).await?;
        let shared = Arc::new(Shared {
            db: Db::new(connector, config.connections.max(1)),
            policy: config.policy,
            maps: Maps::default(),
            stocks: Stocks::default(),
            others_write: AtomicBool::new(false),
            known: Known::default(),
            life: AtomicU64::new(0),
        });
        let bookings = Counter::open(&shared, Duty::Bookings);
        let lanes = Counter::open(&shared, Duty::Lanes);
        let catalog = Counter::open(&shared, Duty::Catalog);
        let queue = Queue::open(connect::connector(&config.url)?);
        Ok(Arc::new(Self { shared, bookings, lanes, catalog, queue }))
    }

    /// How many calls the batches of each worker had, by the name of its queue.
    pub fn batch_sizes(&self) -> Vec<(&'static str, Arc<BatchSizes>)> {
        vec![
            ("bookings", self.bookings.sizes()),
            ("lanes", self.lanes.sizes()),
            ("catalog", self.catalog.sizes()),
            ("queue", self.queue.sizes()),
        ]
    }

    /// Where a batch queues up.
    fn counter(&self, batch: &[Command]) -> &Counter {
        match Duty::of(batch) {
            Duty::Bookings => &self.bookings,
            Duty::Lanes => &self.lanes,
            Duty::Catalog => &self.catalog,
        }
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// How many lone holds were saved as they were presumed, and how many were not. For tests.
    #[doc(hidden)]
    pub fn presumptions(&self) -> (u64, u64) {
        self.shared.known.presumptions()
    }

    /// How long a database that answered is presumed to be there: 100 ms otherwise. For tests that wait for a slow machine.
    #[doc(hidden)]
    pub fn presume_for(&self, moment: Duration) {
        self.shared.known.presume_for(moment);
    }

    /// Looks for unsold seats by portions of so many seats, and begins none after so long: 100,000 and a second otherwise. For tests
    /// with few seats.
    #[doc(hidden)]
    pub fn search_stock_by(&self, seats: i64, within: Duration) {
        self.shared.stocks.search_by(seats, within);
    }

    /// Forgets what is remembered of seat maps and dates, which may be 100 ms old otherwise. For tests that move the
    /// clock.
    #[doc(hidden)]
    pub fn forget_maps(&self) {
        self.shared.maps.forget_all();
    }
}

pub(crate) fn statements() -> Vec<&'static str> {
    [
        audit::STATEMENTS,
        catalog::STATEMENTS,
        glance::STATEMENTS,
        lists::STATEMENTS,
        load::STATEMENTS,
        look::STATEMENTS,
        maps::STATEMENTS,
        resolve::STATEMENTS,
        save::STATEMENTS,
        save_catalog::STATEMENTS,
        save_money::STATEMENTS,
        stock::STATEMENTS,
    ]
    .concat()
}
