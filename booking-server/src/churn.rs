//! A limit to taking seats and giving them back: one ticket can't keep seats going round that others want.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use booking_api::{Code, Problem};
use booking_core::{Epoch, Ticket};
use governor::{
    Quota, RateLimiter,
    clock::DefaultClock,
    middleware::{StateInformationMiddleware, StateSnapshot},
    state::keyed::DashMapStateStore,
};

use crate::failure::Failure;

/// The identity of a ticket: an epoch belongs to one lane.
type Number = (Epoch, u64);

/// Counts what each ticket gives back, on this instance. Who gave back too much pauses before the next hold. Giving back
/// itself is never refused, because that would keep the seat from others.
pub(crate) struct Churn {
    given_back: RateLimiter<Number, DashMapStateStore<Number>, DefaultClock, StateInformationMiddleware>,
    pause: Duration,
    /// Whether anybody pauses: all a hold has to look at on nearly every day.
    anybody: AtomicBool,
    pausing: Mutex<HashMap<Number, Instant>>,
}

impl Churn {
    /// So many releases a minute, and as many at once after a pause.
    pub(crate) fn new(releases_per_minute: NonZeroU32) -> Self {
        let quota = Quota::per_minute(releases_per_minute);
        Self {
            given_back: RateLimiter::keyed(quota).with_middleware(),
            pause: quota.replenish_interval(),
            anybody: AtomicBool::new(false),
            pausing: Mutex::default(),
        }
    }

    /// Counts a hold that the ticket gave back.
    pub(crate) fn count(&self, ticket: &Ticket, now: Instant) {
        let number = (ticket.epoch, ticket.seq);
        let counted = self.given_back.check_key(&number);
        if counted.is_ok_and(|snapshot| StateSnapshot::remaining_burst_capacity(&snapshot) > 0) {
            return;
        }
        let mut pausing = self.pausing.lock().unwrap_or_else(PoisonError::into_inner);
        pausing.insert(number, now + self.pause);
        self.anybody.store(true, Ordering::Relaxed);
    }

    /// Whether the ticket may take a hold now.
    pub(crate) fn check(&self, ticket: &Ticket, now: impl FnOnce() -> Instant) -> Result<(), Failure> {
        if !self.anybody.load(Ordering::Relaxed) {
            return Ok(());
        }
        let pausing = self.pausing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = pausing.get(&(ticket.epoch, ticket.seq)) else { return Ok(()) };
        let wait = until.saturating_duration_since(now());
        if wait.is_zero() {
            return Ok(());
        }
        let detail = "too many holds were given back; wait as Retry-After says before the next one";
        Err(Problem::new(Code::RateLimited, detail).retry_after(wait).into())
    }

    /// Forgets who has the whole share again, and who has paused.
    pub(crate) fn forget_idle(&self, now: Instant) {
        self.given_back.retain_recent();
        let mut pausing = self.pausing.lock().unwrap_or_else(PoisonError::into_inner);
        pausing.retain(|_, until| *until > now);
        self.anybody.store(!pausing.is_empty(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use booking_core::{LaneName, id::UserId};

    use super::*;

    fn ticket(seq: u64) -> Ticket {
        Ticket { lane: LaneName::main(), epoch: Epoch(7), seq, user: UserId::random() }
    }

    #[test]
    fn who_gave_back_too_many_holds_pauses_and_nobody_else_does() {
        let churn = Churn::new(NonZeroU32::new(3).unwrap());
        let (hasty, calm, now) = (ticket(1), ticket(2), Instant::now());
        for _ in 0..3 {
            assert!(churn.check(&hasty, || now).is_ok());
            churn.count(&hasty, now);
        }
        assert!(churn.check(&hasty, || now).is_err());
        assert!(churn.check(&calm, || now).is_ok());
        assert!(churn.check(&hasty, || now + Duration::from_secs(19)).is_err());
        assert!(
            churn.check(&hasty, || now + Duration::from_secs(20)).is_ok(),
            "a third of a minute is its share"
        );
    }

    #[test]
    fn a_pause_that_is_over_is_forgotten() {
        let churn = Churn::new(NonZeroU32::MIN);
        let now = Instant::now();
        churn.count(&ticket(1), now);
        churn.forget_idle(now + Duration::from_secs(59));
        assert!(churn.anybody.load(Ordering::Relaxed));
        churn.forget_idle(now + Duration::from_mins(1));
        assert!(!churn.anybody.load(Ordering::Relaxed) && churn.pausing.lock().unwrap().is_empty());
    }
}
