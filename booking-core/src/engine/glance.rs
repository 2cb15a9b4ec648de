use super::Engine;
use crate::{
    Map,
    error::Error,
    queue::{LaneView, Place},
    sync::{Mutex, lock},
    ticket::{LaneName, Ticket},
};

/// The lanes as this instance saw them last.
#[derive(Default)]
pub(super) struct Views(Mutex<Map<LaneName, LaneView>>);

impl Engine {
    /// Looks at a lane, so that [`glance`](Self::glance) can answer those who wait there. It reads what changed since the
    /// last look; the first one reads all departures of the lane's life.
    pub async fn look(&self, lane: &LaneName) -> Result<(), Error> {
        loop {
            let seen = lock(&self.views.0)?.get(lane).map(|view| (view.epoch(), view.cursor()));
            let told = match self.queue.snapshot(lane, Some(seen.map_or(0, |(_, cursor)| cursor))).await {
                Ok(told) => told,
                Err(error) => {
                    self.look_away(lane)?;
                    return Err(error);
                }
            };
            if seen.is_some_and(|(epoch, _)| epoch != told.epoch) {
                // It started anew, and the cursor was one of its former life.
                self.look_away(lane)?;
                continue;
            }
            let was_all = told.departed.is_empty();
            let mut views = lock(&self.views.0)?;
            let view = views.get_or_insert_with(lane.clone(), || LaneView::new(told.epoch));
            view.follow(told);
            // When many left, a store tells them in portions.
            if was_all || view.is_complete() {
                return Ok(());
            }
        }
    }

    /// Forgets what was seen of a lane: it is too old to be told to anybody.
    pub fn look_away(&self, lane: &LaneName) -> Result<(), Error> {
        lock(&self.views.0)?.remove(lane);
        Ok(())
    }

    /// The place of a ticket that waits far from the head, as it was at the last [`look`](Self::look); it asks no store.
    /// None for all others: ask [`place`](Self::place). Who looks is answerable for how old that may be.
    pub fn glance(&self, ticket: &Ticket) -> Option<Place> {
        lock(&self.views.0).ok()?.get(&ticket.lane)?.place(ticket)
    }

    /// Whether the ticket was given after the last look at its lane.
    pub fn is_news(&self, ticket: &Ticket) -> bool {
        let is_behind = |view: &LaneView| view.is_behind(ticket);
        lock(&self.views.0).is_ok_and(|views| views.get(&ticket.lane).is_some_and(is_behind))
    }
}
