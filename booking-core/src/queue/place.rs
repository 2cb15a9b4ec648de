use std::time::Duration;

use super::state::{Lane, Standing};
use crate::{
    refusal::Refusal,
    ticket::{EndReason, Ticket},
    time::Timestamp,
};

/// Where a ticket stands (Q4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It waits.
    Waiting {
        /// 1 is next.
        rank: u64,
        /// How many are before it: `rank - 1`.
        ahead: u64,
        /// How long the wait will be at the speed measured of late; none while nothing was measured.
        estimated_wait: Option<Duration>,
        /// When to ask again.
        poll_after: Duration,
    },
    /// Its user may book.
    Admitted {
        /// Until when.
        until: Timestamp,
        /// Whether the user has shown up; if not, `until` is the end of the claim window.
        claimed: bool,
    },
    /// It is over.
    Done(EndReason),
}

const SHORTEST_POLL: Duration = Duration::from_secs(1);

/// When a waiting person should ask again: sooner near the head, spread by `seed` so that not all ask at once, and
/// never later than a third of the claim window, so that nobody misses an admission.
pub fn poll_after(rank: u64, estimated_wait: Option<Duration>, claim_ttl: Duration, seed: u64) -> Duration {
    let guess = Duration::from_millis(rank.saturating_mul(2).min(3_600_000));
    let longest = claim_ttl / 3;
    let base = (estimated_wait.unwrap_or(guess) / 10).clamp(SHORTEST_POLL.min(longest), longest);
    // 75 to 100 % of it: a multiplicative hash spreads neighbours.
    let spread = u32::try_from(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 57).unwrap_or(0);
    base * (384 + spread) / 512
}

impl Place {
    /// The place of the waiting number `seq` at this rank, at the speed of late, at `now`.
    pub fn waiting_at(
        seq: u64,
        rank: u64,
        per_admission: Option<Duration>,
        claim_ttl: Duration,
        now: Timestamp,
    ) -> Self {
        let seed = seq ^ (now.micros().unsigned_abs() / 1_000_000);
        Self::waiting(rank, per_admission, claim_ttl, seed)
    }

    /// The same, where `seed` spreads when people ask again.
    pub(super) fn waiting(
        rank: u64,
        per_admission: Option<Duration>,
        claim_ttl: Duration,
        seed: u64,
    ) -> Self {
        let estimated_wait = per_admission.map(|each| {
            let times = u32::try_from(rank).unwrap_or(u32::MAX);
            each.saturating_mul(times)
        });
        let poll_after = poll_after(rank, estimated_wait, claim_ttl, seed);
        Self::Waiting { rank, ahead: rank.saturating_sub(1), estimated_wait, poll_after }
    }
}

impl Lane {
    /// Where the ticket stands at `now`, by this lane's numbers.
    pub fn place(&self, ticket: &Ticket, now: Timestamp) -> Result<Place, Refusal> {
        Ok(match self.standing(ticket, now)? {
            Standing::Waiting => self.waiting_place(ticket.seq, now),
            Standing::Admitted(admission) => {
                Place::Admitted { until: admission.until, claimed: admission.claimed }
            }
            Standing::Done(reason) => Place::Done(reason),
        })
    }

    pub(super) fn waiting_place(&self, seq: u64, now: Timestamp) -> Place {
        let claim_ttl = self.settings().policy.claim_ttl;
        Place::waiting_at(seq, self.rank(seq), self.per_admission(now), claim_ttl, now)
    }
}
