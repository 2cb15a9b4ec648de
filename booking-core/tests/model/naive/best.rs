use std::collections::BTreeSet;

use booking_core::{Refusal, hold::SeatNumber};

/// The best seats of a row: every block of so many free seats is looked at, with the row as it would be after it.
pub(crate) fn best(free: &[bool], count: usize) -> Result<Vec<SeatNumber>, Refusal> {
    let before = alone(free);
    let blocks = (0..free.len()).map(|first| first..first + count);
    let free_blocks =
        blocks.filter(|block| free.get(block.clone()).is_some_and(|block| !block.contains(&false)));
    let best = free_blocks.min_by_key(|block| {
        let mut after = free.to_vec();
        after[block.clone()].fill(false);
        let leaves_one_alone = !alone(&after).is_subset(&before);
        let twice_off_centre = (block.start + block.end).abs_diff(free.len());
        (leaves_one_alone, twice_off_centre, block.start)
    });
    let number = |at: usize| SeatNumber::try_from(at).expect("a hall has thousands of seats at most");
    best.map(|block| block.map(|at| number(at + 1)).collect()).ok_or_else(|| {
        let longest = free.split(|free| !free).map(<[bool]>::len).max().unwrap_or(0);
        Refusal::NoAdjacentSeats { wanted: number(count), longest: number(longest) }
    })
}

fn alone(free: &[bool]) -> BTreeSet<usize> {
    let is_free = |at: usize| free.get(at).copied().unwrap_or(false);
    (0..free.len()).filter(|at| is_free(*at) && !is_free(at.wrapping_sub(1)) && !is_free(at + 1)).collect()
}
