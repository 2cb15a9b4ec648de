//! Seats as they change, for all who look on: one look at the store every quarter of a second a performance and
//! instance, however many look on, and what is different is written once for all of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use booking_api::SeatChanges;
use booking_core::{Error, id::PerformanceId, store::SeatMap};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::app::App;

/// How often a performance is looked at while anybody looks on.
const EVERY: Duration = Duration::from_millis(250);

/// What was seen last of a performance.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// One more with each that is different from the one before.
    pub(crate) version: u64,
    pub(crate) map: Arc<SeatMap>,
    /// What is different from the version before, as it is sent; none if no seat is.
    pub(crate) changes: Option<Arc<str>>,
    /// Why the last look brought nothing; then the map is that of an earlier one.
    pub(crate) failed: Option<Error>,
}

impl Sight {
    fn first(map: SeatMap) -> Self {
        Self { version: 1, map: Arc::new(map), changes: None, failed: None }
    }

    /// Takes in what a look brought; whether that is news.
    fn follow(&mut self, seen: Result<SeatMap, Error>) -> bool {
        let is_news = match seen {
            Ok(map) if self.failed.is_none() && *self.map == map => false,
            Ok(map) => {
                self.changes = changes_between(&self.map, &map);
                (self.map, self.failed) = (Arc::new(map), None);
                true
            }
            Err(error) => self.failed.replace(error).is_none(),
        };
        self.version += u64::from(is_news);
        is_news
    }
}

/// What is different, as it is sent; none if no seat is.
pub(crate) fn changes_between(before: &SeatMap, now: &SeatMap) -> Option<Arc<str>> {
    let changes = SeatChanges::between(before, now);
    // A value of ours can always be written.
    (!changes.is_empty()).then(|| serde_json::to_string(&changes).unwrap_or_default().into())
}

type Watches = HashMap<PerformanceId, Arc<watch::Sender<Sight>>>;

/// The performances that anybody looks at.
#[derive(Default)]
pub(crate) struct SeatWatches(Mutex<Watches>);

impl SeatWatches {
    fn watches(&self) -> MutexGuard<'_, Watches> {
        // Watches are put and taken whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is seen of a performance from now on, if anybody looks on.
    pub(crate) fn known(&self, id: PerformanceId) -> Option<watch::Receiver<Sight>> {
        self.watches().get(&id).map(|sights| sights.subscribe())
    }

    /// What is seen of a performance from now on. `map` was just read, for whoever is the first to look.
    pub(crate) fn look_on(&self, app: &App, map: &SeatMap) -> watch::Receiver<Sight> {
        let id = map.performance.id;
        let mut watches = self.watches();
        if let Some(known) = watches.get(&id) {
            // Somebody was quicker, and what was seen since may be newer than the map.
            let mut receiver = known.subscribe();
            receiver.mark_changed();
            return receiver;
        }
        let sights = Arc::new(watch::Sender::new(Sight::first(map.clone())));
        let receiver = sights.subscribe();
        watches.insert(id, Arc::clone(&sights));
        tokio::spawn(Watcher { app: app.clone(), id, sights }.watch());
        receiver
    }
}

/// Looks at a performance until nobody looks on or the server stops.
struct Watcher {
    app: App,
    id: PerformanceId,
    sights: Arc<watch::Sender<Sight>>,
}

impl Watcher {
    async fn watch(self) {
        let mut stopping = self.app.stopping();
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            if self.is_left_alone() {
                return;
            }
            let seen = self.app.engine.watched_seats(self.id).await;
            self.sights.send_if_modified(|sight| sight.follow(seen));
        }
    }

    /// Whether nobody looks on any more. Then whoever comes next begins a new watch.
    fn is_left_alone(&self) -> bool {
        let mut watches = self.app.seat_watches.watches();
        let alone = self.sights.receiver_count() == 0;
        if alone {
            watches.remove(&self.id);
        }
        alone
    }
}

impl Drop for Watcher {
    /// Whatever ended the watch, nobody goes on waiting for it: those who look on come back to a new one.
    fn drop(&mut self) {
        let mut watches = self.app.seat_watches.watches();
        if watches.get(&self.id).is_some_and(|known| Arc::ptr_eq(known, &self.sights)) {
            watches.remove(&self.id);
        }
    }
}
