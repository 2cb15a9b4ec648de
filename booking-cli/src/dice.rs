/// Pseudo-random choices (`SplitMix64`): the same seed and person always choose the same, so that a run can be repeated.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Dice {
    /// The dice of the person of this number in the run of this seed.
    pub(crate) fn new(seed: u64, person: u64) -> Self {
        let mut dice = Self(seed);
        Self(dice.roll() ^ person.wrapping_mul(STEP))
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `count`; 0 if there is no choice.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.roll() % count).unwrap_or(0)
    }

    /// One of the items; none if there are none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// All items once, in an order of their own.
    pub(crate) fn shuffled<T>(&mut self, mut items: Vec<T>) -> Vec<T> {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_person_of_the_same_run_chooses_the_same_and_others_differ() {
        let choices = |seed, person| {
            let mut dice = Dice::new(seed, person);
            (0..20).map(|_| dice.below(50)).collect::<Vec<_>>()
        };
        assert_eq!(choices(1, 7), choices(1, 7));
        assert_ne!(choices(1, 7), choices(1, 8));
        assert_ne!(choices(1, 7), choices(2, 7));
    }

    #[test]
    fn every_item_is_chosen_sooner_or_later_and_nothing_out_of_nothing() {
        let mut dice = Dice::new(0, 0);
        let chosen: std::collections::BTreeSet<usize> = (0..2_000).map(|_| dice.below(50)).collect();
        assert_eq!(chosen.len(), 50);
        assert_eq!(dice.pick::<u8>(&[]), None);
        let mut shuffled = dice.shuffled((0..50).collect::<Vec<_>>());
        shuffled.sort_unstable();
        assert_eq!(shuffled, (0..50).collect::<Vec<_>>());
    }
}
