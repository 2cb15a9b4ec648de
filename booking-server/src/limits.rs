//! How often somebody may call, on this instance, and how the `RateLimit` headers tell it.

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
    middleware::Next,
    response::Response,
};
use booking_api::{Code, Problem};
use booking_core::id::UserId;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::{StateInformationMiddleware, StateSnapshot},
    state::keyed::DashMapStateStore,
};

use crate::failure::Failure;

/// The fields of draft-ietf-httpapi-ratelimit-headers-10.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Counts the calls of each of many.
pub(crate) struct Limit<K: Hash + Eq + Clone> {
    name: &'static str,
    most: NonZeroU32,
    limiter: RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
}

/// What somebody has left of a limit.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    name: &'static str,
    most: NonZeroU32,
    left: u32,
    /// In how many seconds there is more.
    more_in: u64,
}

impl Share {
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let Self { name, most, left, more_in } = self;
        let fields = [
            (POLICY, format!("\"{name}\";q={most};w=1")),
            (LEFT, format!("\"{name}\";r={left};t={more_in}")),
        ];
        for (field, value) in fields {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.append(field, value);
            }
        }
    }
}

/// A call too many.
pub(crate) struct TooMany {
    pub(crate) share: Share,
    wait: Duration,
}

impl From<TooMany> for Failure {
    fn from(too_many: TooMany) -> Self {
        let problem = Problem::new(Code::RateLimited, "too many requests; wait as Retry-After says");
        problem.retry_after(too_many.wait).into()
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    /// So many calls a second for each, and as many at once after a pause. Its name tells the headers of several apart.
    pub(crate) fn new(name: &'static str, calls_per_second: NonZeroU32) -> Self {
        let limiter = RateLimiter::keyed(Quota::per_second(calls_per_second));
        Self { name, most: calls_per_second, limiter: limiter.with_middleware() }
    }

    fn share(&self, left: u32, wait: Duration) -> Share {
        let more_in = if left == self.most.get() { 0 } else { wait.as_secs().max(1) };
        Share { name: self.name, most: self.most, left, more_in }
    }

    /// Counts a call, and tells what is left, or refuses it.
    pub(crate) fn count(&self, key: &K) -> Result<Share, TooMany> {
        match self.limiter.check_key(key) {
            Ok(snapshot) => {
                Ok(self.share(StateSnapshot::remaining_burst_capacity(&snapshot), Duration::ZERO))
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                Err(TooMany { share: self.share(0, wait), wait })
            }
        }
    }

    /// Forgets those who have their whole share again.
    pub(crate) fn forget_idle(&self) {
        self.limiter.retain_recent();
    }
}

/// Counts the calls of each user. It is done behind the signature check: a forged token costs its sender nothing but the
/// check, and nobody's share.
pub(crate) struct UserLimit(Option<Limit<UserId>>);

/// Where the share of a call's user is left for the answer's headers.
#[derive(Clone, Default)]
struct Told(Arc<OnceLock<Share>>);

impl UserLimit {
    /// So many calls a second; none: any number.
    pub(crate) fn new(calls_per_second: Option<NonZeroU32>) -> Self {
        Self(calls_per_second.map(|calls| Limit::new("user", calls)))
    }

    /// Counts a call of the user, or refuses it.
    pub(crate) fn count(&self, user: UserId, parts: &Parts) -> Result<(), Failure> {
        let Some(limit) = &self.0 else { return Ok(()) };
        let counted = limit.count(&user);
        if let Some(told) = parts.extensions.get::<Told>() {
            // Only the first count of a request is told; there is no second one.
            let (Ok(share) | Err(TooMany { share, .. })) = counted.as_ref();
            told.0.set(*share).ok();
        }
        Ok(counted.map(drop)?)
    }

    pub(crate) fn forget_idle(&self) {
        if let Some(limit) = &self.0 {
            limit.forget_idle();
        }
    }
}

/// Tells callers what they have left. A layer for servers that limit users.
pub(crate) async fn tell(mut request: Request, next: Next) -> Response {
    let told = Told::default();
    request.extensions_mut().insert(told.clone());
    let mut response = next.run(request).await;
    if let Some(share) = told.0.get() {
        share.tell(response.headers_mut());
    }
    response
}
