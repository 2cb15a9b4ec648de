//! The ports: what a store must do, so that the rules hold on it.
//!
//! Each method states its obligations; the [conformance suites](crate::conformance) check them. There are no default
//! bodies: an implementer decides about every call.

mod answering;
mod booking;
mod joint;
mod queue;

pub use answering::LaneStore;
pub use booking::{BookingStore, Listing, PerformanceFilter, SeatMap, Totals};
pub use joint::{Happened, JointStore, book};
pub use queue::QueueStore;

use uuid::Uuid;

use crate::time::Timestamp;

/// A position in a sorted list: what comes after it is on the next page. Lists sort by it, ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// When the last item seen came to be (a performance: when it begins).
    pub at: Timestamp,
    /// Its identity.
    pub id: Uuid,
}

impl Cursor {
    /// A position in a list that sorts by numbers of its own, as a ledger does.
    pub fn of_number(number: u64) -> Self {
        Self { at: Timestamp::from_micros(0), id: Uuid::from_u128(number.into()) }
    }

    /// The number that this position stands for in such a list.
    pub fn number(&self) -> u64 {
        u64::try_from(self.id.as_u128()).unwrap_or(u64::MAX)
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Items after this position; none: from the beginning.
    pub after: Option<Cursor>,
    /// This many at most, at least 1.
    pub limit: usize,
}

impl PageRequest {
    /// The first `limit` items.
    pub fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// Where the next page begins; none: this is the last.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts the wanted page out of the items after the cursor, given in order; it looks at one more than it returns.
    pub fn cut(items: impl IntoIterator<Item = (Cursor, T)>, request: PageRequest) -> Self {
        let wanted = items.into_iter().filter(|(at, _)| request.after.is_none_or(|after| *at > after));
        let mut page: Vec<(Cursor, T)> = wanted.take(request.limit.saturating_add(1)).collect();
        let more = page.len() > request.limit;
        page.truncate(request.limit);
        let next = if more { page.last().map(|(at, _)| *at) } else { None };
        Self { items: page.into_iter().map(|(_, item)| item).collect(), next }
    }

    /// The same page of something made from each item.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(make).collect(), next: self.next }
    }
}
