//! How often a user may call. It is counted behind the signature check: a forged token costs its sender nothing but
//! the check, and nobody's share.

use std::num::NonZeroU32;

use booking_api::{Code, Problem};
use booking_core::id::UserId;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use crate::failure::Failure;

/// Counts the calls of each user, on this instance.
pub(crate) struct Limits(Option<DefaultKeyedRateLimiter<UserId>>);

impl Limits {
    /// So many calls a second, and as many at once after a pause; none: any number.
    pub(crate) fn new(calls_per_second: Option<NonZeroU32>) -> Self {
        Self(calls_per_second.map(|calls| RateLimiter::keyed(Quota::per_second(calls))))
    }

    /// Counts a call of the user, or refuses it.
    pub(crate) fn count(&self, user: UserId) -> Result<(), Failure> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(&user).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            let problem = Problem::new(Code::RateLimited, "too many requests; wait as Retry-After says");
            problem.retry_after(wait).into()
        })
    }

    /// Forgets users who have their whole share again.
    pub(crate) fn forget_idle(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
        }
    }
}
