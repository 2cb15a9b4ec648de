//! Every check is shown to fail: a clean run, and faults planted into it one by one.

mod keys;
mod money;
mod queue;
mod seats;
mod world;

use std::collections::BTreeSet;

use booking_api::{AuditCheck, AuditReport};

use super::{Evidence, judge};

/// The numbers of what is violated after a fault was planted.
fn found(plant: impl FnOnce(&mut Evidence)) -> BTreeSet<String> {
    let mut evidence = world::clean();
    plant(&mut evidence);
    judge(&evidence).into_iter().filter(|verdict| !verdict.holds()).map(|verdict| verdict.number).collect()
}

fn only(number: &str) -> BTreeSet<String> {
    BTreeSet::from([number.to_owned()])
}

#[test]
fn a_clean_run_passes_and_every_check_looks_at_something() {
    let verdicts = judge(&world::clean());
    for verdict in &verdicts {
        assert!(verdict.holds(), "{verdict:?}");
        assert!(verdict.checked > 0, "{} looked at nothing", verdict.number);
    }
    let mut numbers: Vec<String> = (1..=18).map(|number| format!("I{number}")).collect();
    numbers.extend(["I20".to_owned(), "I21".to_owned()]);
    let judged: Vec<String> = verdicts.into_iter().map(|verdict| verdict.number).collect();
    assert_eq!(judged, numbers);
}

#[test]
fn what_the_servers_own_audit_finds_counts() {
    let audit = |evidence: &mut Evidence| {
        let check = AuditCheck {
            invariant: "I15".into(),
            statement: "one number".into(),
            checked: 1,
            violations: vec!["two".into()],
        };
        evidence.books.audit = AuditReport { clean: false, checks: vec![check] };
    };
    assert_eq!(found(audit), only("I15"));
}

#[test]
fn a_violation_comes_with_the_history_that_shows_it() {
    let mut evidence = world::clean();
    world::paid(&mut evidence, 0).paid_at += 60_000_000;
    let verdicts = judge(&evidence);
    let late = verdicts.iter().find(|verdict| verdict.number == "I3").unwrap();
    let told = late.violations[0].history.join("\n");
    assert!(told.contains("person 0") && told.contains("Pay(") && told.contains("Hold {"), "{told}");
}
