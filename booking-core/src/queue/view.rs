//! A lane as an instance saw it last: enough to answer those who wait without asking the store.

use std::time::Duration;

use super::{Departures, LaneSnapshot, Place};
use crate::ticket::{Epoch, Ticket};

/// So near the head the store is asked instead: people there want to know at once.
pub const NEAR_THE_HEAD: u64 = 64;

/// A lane at the instant of its newest snapshot, with all departures.
///
/// What it says was true at that instant, to the number. It follows newer snapshots only, so a rank never rises; and it
/// never says that somebody is admitted.
#[derive(Clone, Debug)]
pub struct LaneView {
    epoch: Epoch,
    head: u64,
    next: u64,
    waiting: u64,
    claim_ttl: Duration,
    per_admission: Option<Duration>,
    gone: Departures,
    cursor: u64,
}

impl LaneView {
    /// A lane of which nothing is known but its epoch. It follows a snapshot since the cursor 0 first.
    pub fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            head: 0,
            next: 0,
            waiting: 0,
            claim_ttl: Duration::ZERO,
            per_admission: None,
            gone: Departures::default(),
            cursor: 0,
        }
    }

    /// From where the next snapshot is to tell departures.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The life of the lane.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Follows a snapshot since [`cursor`](Self::cursor), or since an earlier one. One that is older than what is known,
    /// or of another epoch, changes nothing.
    pub fn follow(&mut self, told: LaneSnapshot) {
        let is_older = told.head < self.head || told.next < self.next || told.cursor < self.cursor;
        if told.epoch != self.epoch || is_older {
            return;
        }
        for seq in told.departed {
            self.gone.insert(seq);
        }
        (self.head, self.next, self.waiting, self.cursor) = (told.head, told.next, told.waiting, told.cursor);
        (self.claim_ttl, self.per_admission) = (told.settings.policy.claim_ttl, told.per_admission);
    }

    /// Whether all departures up to the snapshot were told; a store may tell many in portions.
    pub fn is_complete(&self) -> bool {
        self.waiting_before(self.next) == self.waiting
    }

    fn waiting_before(&self, seq: u64) -> u64 {
        (seq - self.head).saturating_sub(self.gone.below(seq) - self.gone.below(self.head))
    }

    /// Whether the number was given after the snapshot.
    pub fn is_behind(&self, ticket: &Ticket) -> bool {
        ticket.epoch == self.epoch && ticket.seq >= self.next
    }

    /// The place of a ticket that waits far from the head; none for all others, who ask the store. The ticket must be
    /// one the lane gave, as its signature proves.
    pub fn place(&self, ticket: &Ticket) -> Option<Place> {
        let waits = ticket.epoch == self.epoch
            && (self.head..self.next).contains(&ticket.seq)
            && !self.gone.contains(ticket.seq)
            && self.is_complete();
        if !waits {
            return None;
        }
        let rank = self.waiting_before(ticket.seq) + 1;
        let seed = ticket.seq ^ self.next;
        (rank > NEAR_THE_HEAD).then(|| Place::waiting(rank, self.per_admission, self.claim_ttl, seed))
    }
}
