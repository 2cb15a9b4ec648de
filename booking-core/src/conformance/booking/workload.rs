//! A rush of many threads over two instances, judged by what it left.

use std::time::Duration;

use super::{Factory, compare, crowd::Crowd, moves::log_is_possible, stage::Stage};
use crate::{
    conformance::tools::{RACERS, Random, at_once, operations, while_repeating},
    policy::BookingPolicy,
    state::State,
};

fn policy() -> BookingPolicy {
    BookingPolicy {
        live_reservations_per_user: 5,
        seats_per_user: 8,
        hold_ttl: Duration::from_secs(5),
        ..BookingPolicy::default()
    }
}

/// Eight threads, all asking at random for the same seats with the same wallets, while time goes on.
fn rush(make: &Factory, salt: u64) -> (Stage, Crowd) {
    let stage = Stage::under(make, policy());
    let there = stage.elsewhere();
    let crowd = Crowd::on(&stage, &mut Random::of_case(salt));
    let each = operations() / RACERS as u64;
    let answered = while_repeating(
        || stage.advance(Duration::from_millis(1)),
        || {
            at_once(RACERS, |number| {
                let number = number as u64;
                let stage = if number.is_multiple_of(2) { &stage } else { &there };
                let mut random = Random::of_case(salt + 1 + number);
                let mut crowd = crowd.another(2 + number);
                let (mut asked, mut went) = (0, 0);
                while asked < each {
                    let now = stage.now();
                    let batch: Vec<_> =
                        (0..=random.below(3)).map(|_| crowd.command(&mut random, now)).collect();
                    asked += batch.len() as u64;
                    let answers = stage.execute(batch.clone());
                    crowd.learn(&batch, &answers);
                    went += answers.iter().flatten().count() as u64;
                }
                (asked, went)
            })
        },
    );
    let asked: u64 = answered.iter().map(|(asked, _)| asked).sum();
    let went: u64 = answered.iter().map(|(_, went)| went).sum();
    assert!(
        went * 10 > asked * 3,
        "a rush in which only {went} of {asked} commands were not refused shows little"
    );
    (stage, crowd)
}

pub(super) fn the_books_are_clean_after_a_random_rush(make: &Factory) {
    let (stage, _) = rush(make, 100);
    log_is_possible(&stage.events());
    let audit = stage.read(stage.store.audit());
    let wrong: Vec<String> = audit.violations().collect();
    assert!(audit.is_clean() && wrong.is_empty(), "{wrong:#?}");
    for invariant in ["I1", "I2", "I3", "I4", "I6", "I7", "I8", "I9", "I10", "I11"] {
        let check = audit.checks.iter().find(|check| check.invariant == invariant);
        let check = check.unwrap_or_else(|| panic!("{invariant} was not checked"));
        // At the end of a rush it may be that no hold is alive.
        assert!(check.checked > 0 || invariant == "I2", "{invariant} looked at nothing");
    }
}

pub(super) fn the_events_of_a_random_rush_fold_into_what_is_read(make: &Factory) {
    let (stage, crowd) = rush(make, 200);
    let mut state = State::new(policy());
    stage.events().iter().for_each(|recorded| state.evolve(&recorded.event));
    stage.advance(Duration::from_millis(100));
    for stage in [&stage, &stage.elsewhere()] {
        crowd.users.iter().for_each(|user| compare::user(stage, &state, *user));
        crowd.shows.iter().for_each(|(_, show)| compare::show(stage, &state, *show));
        compare::catalog(stage, &state);
        compare::sweep(stage, &state);
        compare::counts(stage, &state);
        let pending: Vec<_> = state.endings.clone().into_iter().collect();
        assert_eq!(stage.endings(), pending, "nothing was acknowledged");
    }
    stage.books_are_clean();
}
