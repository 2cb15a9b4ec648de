//! Which seats are the best (H7).
//!
//! The seats of a performance are one row, 1 to the last, and adjacent are numbers that follow each other. A choice
//! leaves a seat alone when an available seat that had an available neighbour has none after it: hardly anybody comes
//! to a concert alone, so such a seat is sold last. A choice that leaves none alone comes first, then the most central
//! one, then the one with the lower numbers.

use std::{iter::once, ops::Range};

use super::SeatNumber;

/// The first of the best `wanted` adjacent seats in a hall of `seats`, where `taken` are not available (ascending); or,
/// if so many are nowhere adjacent, how many there are at most.
///
/// One pass over what is taken: a hall may have 20,000 seats, and every choice is decided while others wait.
pub(super) fn best(
    seats: u32,
    wanted: u32,
    taken: impl IntoIterator<Item = SeatNumber>,
) -> Result<SeatNumber, u32> {
    let (mut from, mut longest, mut best): (SeatNumber, u32, Option<Choice>) = (1, 0, None);
    for end in taken.into_iter().chain(once(seats + 1)) {
        let run = from..end;
        longest = longest.max(end - from);
        best = [best, best_in(&run, seats, wanted)].into_iter().flatten().min();
        from = end + 1;
    }
    best.map(|choice| choice.first).ok_or(longest)
}

/// Where to sit; the least is the best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    leaves_one_alone: bool,
    /// From the middle of the hall to that of the seats, in half seats.
    off_centre: u32,
    first: SeatNumber,
}

/// The best choice within a run of adjacent seats; none if they are too few.
fn best_in(run: &Range<SeatNumber>, seats: u32, wanted: u32) -> Option<Choice> {
    let last = run.end.checked_sub(wanted).filter(|last| *last >= run.start)?;
    let most_central = ((seats + 2 - wanted) / 2).clamp(run.start, last);
    // A seat is left alone only by a choice that begins one off the run's first place or its last, and what is beside
    // such a choice leaves none alone, if anything in this run does. So the best is found here.
    let beside = (most_central - 1).max(run.start)..=(most_central + 1).min(last);
    let choice = |first: SeatNumber| Choice {
        leaves_one_alone: first - run.start == 1 || last - first == 1,
        off_centre: (2 * first + wanted - 1).abs_diff(seats + 1),
        first,
    };
    beside.map(choice).min()
}
