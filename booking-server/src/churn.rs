//! A limit to taking seats and giving them back: nobody can keep seats going round that others want.

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
use booking_core::{Error, id::UserId};
use governor::{
    Quota, RateLimiter,
    clock::DefaultClock,
    middleware::{StateInformationMiddleware, StateSnapshot},
    state::keyed::DashMapStateStore,
};

use crate::failure::Failure;

/// Counts what each user gives back, on this instance, and not each ticket: who leaves takes a new one. Who gave back too
/// much pauses before the next hold. Giving back itself is never refused, because that would keep the seat from others.
pub(crate) struct Churn {
    given_back: RateLimiter<UserId, DashMapStateStore<UserId>, DefaultClock, StateInformationMiddleware>,
    pause: Duration,
    /// Whether anybody pauses: all a hold has to look at on nearly every day.
    anybody: AtomicBool,
    pausing: Mutex<HashMap<UserId, Instant>>,
}

/// A call that may give a hold back. Unless it [ended](Self::ended) it counts as one that did: whoever does not wait for the
/// answer would escape the count otherwise.
pub(crate) struct GivingBack<'a> {
    churn: &'a Churn,
    user: UserId,
    counts: bool,
}

impl GivingBack<'_> {
    /// What became of it: whether something was given back, as far as anybody knows.
    pub(crate) fn ended(mut self, gave_back: Result<bool, &Error>) {
        self.counts = match gave_back {
            Ok(gave_back) => gave_back,
            Err(Error::Store(error)) => error.may_have_applied(),
            Err(Error::Refused(_)) => false,
        };
    }
}

impl Drop for GivingBack<'_> {
    fn drop(&mut self) {
        if self.counts {
            self.churn.count(self.user, Instant::now());
        }
    }
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

    /// Counts what a call of the user gives back.
    pub(crate) fn giving_back(&self, user: UserId) -> GivingBack<'_> {
        GivingBack { churn: self, user, counts: true }
    }

    fn count(&self, user: UserId, now: Instant) {
        let counted = self.given_back.check_key(&user);
        if counted.is_ok_and(|snapshot| StateSnapshot::remaining_burst_capacity(&snapshot) > 0) {
            return;
        }
        let mut pausing = self.pausing.lock().unwrap_or_else(PoisonError::into_inner);
        pausing.insert(user, now + self.pause);
        self.anybody.store(true, Ordering::Relaxed);
    }

    /// Whether the user may take a hold now.
    pub(crate) fn check(&self, user: UserId, now: impl FnOnce() -> Instant) -> Result<(), Failure> {
        if !self.anybody.load(Ordering::Relaxed) {
            return Ok(());
        }
        let pausing = self.pausing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = pausing.get(&user) else { return Ok(()) };
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
    use booking_core::{Refusal, StoreError};

    use super::*;

    #[test]
    fn who_gave_back_too_many_holds_pauses_and_nobody_else_does() {
        let churn = Churn::new(NonZeroU32::new(3).unwrap());
        let (hasty, calm, now) = (UserId::random(), UserId::random(), Instant::now());
        for _ in 0..3 {
            assert!(churn.check(hasty, || now).is_ok());
            churn.count(hasty, now);
        }
        assert!(churn.check(hasty, || now).is_err());
        assert!(churn.check(calm, || now).is_ok());
        assert!(churn.check(hasty, || now + Duration::from_secs(19)).is_err());
        assert!(
            churn.check(hasty, || now + Duration::from_secs(20)).is_ok(),
            "a third of a minute is the share"
        );
    }

    #[test]
    fn what_was_not_given_back_for_sure_is_not_counted_and_all_else_is() {
        let lost = Error::from(StoreError::unknown_outcome(""));
        let refused = Error::from(Refusal::UnknownReservation);
        let not_done = Error::from(StoreError::unavailable(""));
        for (ended, counts) in [
            (Ok(true), true),
            (Err(&lost), true),
            (Ok(false), false),
            (Err(&refused), false),
            (Err(&not_done), false),
        ] {
            let (churn, user) = (Churn::new(NonZeroU32::MIN), UserId::random());
            churn.giving_back(user).ended(ended);
            assert_eq!(churn.check(user, Instant::now).is_err(), counts, "{ended:?}");
        }
        let (churn, user) = (Churn::new(NonZeroU32::MIN), UserId::random());
        drop(churn.giving_back(user));
        assert!(churn.check(user, Instant::now).is_err(), "nobody waited for the end");
    }

    #[test]
    fn a_pause_that_is_over_is_forgotten() {
        let churn = Churn::new(NonZeroU32::MIN);
        let now = Instant::now();
        churn.count(UserId::random(), now);
        churn.forget_idle(now + Duration::from_secs(59));
        assert!(churn.anybody.load(Ordering::Relaxed));
        churn.forget_idle(now + Duration::from_mins(1));
        assert!(!churn.anybody.load(Ordering::Relaxed) && churn.pausing.lock().unwrap().is_empty());
    }
}
