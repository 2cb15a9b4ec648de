//! The set of departed numbers against a sorted tree.

use std::collections::BTreeSet;

use booking_core::queue::Departures;
use proptest::prelude::*;

use crate::run::config;

/// Numbers around the borders of words, blocks and chunks, and anywhere.
fn number() -> impl Strategy<Value = u64> {
    let border = prop::sample::select(vec![0_u64, 64, 128, 512, 1_024, 65_472, 65_536, 66_048, 131_072]);
    prop_oneof![
        3 => (border, 0..4_u64).prop_map(|(border, off)| (border + off).saturating_sub(2)),
        2 => 0..700_u64,
        1 => 0..200_000_u64,
    ]
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn departures_count_like_a_sorted_tree(
        inserted in prop::collection::vec(number(), 0..200),
        asked in prop::collection::vec(number(), 1..60),
    ) {
        let (mut counted, mut tree) = (Departures::default(), BTreeSet::new());
        prop_assert!(counted.is_empty());
        for number in inserted {
            prop_assert_eq!(counted.insert(number), tree.insert(number));
            prop_assert_eq!(counted.len(), tree.len() as u64);
            prop_assert_eq!(counted.below(number), tree.range(..number).count() as u64);
            prop_assert_eq!(counted.below(number + 1), tree.range(..=number).count() as u64);
        }
        for number in asked.into_iter().chain([0, 1 << 40]) {
            prop_assert_eq!(counted.contains(number), tree.contains(&number), "{}", number);
            prop_assert_eq!(counted.below(number), tree.range(..number).count() as u64, "{}", number);
        }
    }
}
