//! How long work may take, so that every caller has an answer within two seconds whatever the database does.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

/// What was not loaded ahead within this span of being asked for is loaded by who writes it, who has the rest of the time.
const LOOKED_WITHIN: Duration = Duration::from_millis(800);
/// What is not saved within this span of being asked for is given up.
pub(crate) const SAVED_WITHIN: Duration = Duration::from_millis(1_600);
/// What is not known to be committed within this span of being asked for has an unknown outcome.
pub(crate) const KNOWN_WITHIN: Duration = Duration::from_millis(1_900);
/// How long a lock is waited for; the database is told so by [`SESSION`](crate::pool::SESSION).
pub(crate) const LOCKED_WITHIN: Duration = Duration::from_millis(1_300);
/// How often a batch is tried when somebody else is in the way.
pub(crate) const TRIES: u32 = 8;
/// The first pause between tries; each is twice the one before, give or take half.
pub(crate) const PAUSE: Duration = Duration::from_millis(2);

/// What a batch is to be done by.
#[derive(Clone, Copy)]
pub(crate) struct Deadlines {
    pub(crate) looked: Instant,
    pub(crate) saved: Instant,
    pub(crate) known: Instant,
}

impl Deadlines {
    /// Of a batch of which the oldest part was asked for then.
    pub(crate) fn of(asked: Instant) -> Self {
        Self { looked: asked + LOOKED_WITHIN, saved: asked + SAVED_WITHIN, known: asked + KNOWN_WITHIN }
    }
}

/// The span, give or take half, so that those who met once do not meet again.
pub(crate) fn jitter(span: Duration) -> Duration {
    let chance = Uuid::new_v4().as_u64_pair().1 % 1_000;
    span / 2 + span.mul_f64(f64::from(u32::try_from(chance).unwrap_or(0)) / 1_000.0)
}
