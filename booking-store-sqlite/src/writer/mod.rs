//! The threads that change the file, and the memory after it: one decides what waits, one writes what was decided, so that a
//! batch is decided while the one before it is being written, and one tidies the log up.

mod decider;
mod draft;
mod saver;
mod tidier;
mod work;

use std::sync::Arc;

use booking_core::batcher::{Batcher, Job, Limits};

use crate::trouble::Trouble;
use draft::Draft;
pub(crate) use draft::Moved;

pub(crate) use decider::Decider;
pub(crate) use saver::Saver;
pub(crate) use tidier::{Tidier, tidying};
pub(crate) use work::{Answer, Work};

/// How many commands may wait, and how many are decided at once.
const LIMITS: Limits = Limits { queued: 16_384, batch: 32 };

/// The queue in front of the decider.
pub(crate) type Inbox = Batcher<Work, Answer>;

/// Work, and who waits for it.
type Call = Job<Work, Answer>;

/// The way from the decider to the saver and back. There is one group on it at most.
pub(crate) type Desk = Batcher<Arc<Vec<Draft>>, Result<(), Trouble>>;

pub(crate) fn inbox() -> Inbox {
    Batcher::new(LIMITS)
}

pub(crate) fn desk() -> Desk {
    Batcher::new(Limits { queued: 1, batch: 1 })
}
