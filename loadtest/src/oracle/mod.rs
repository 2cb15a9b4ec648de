//! Judges a run: what people heard against what the books say afterwards. Pure: evidence in, verdicts out.
//!
//! It knows no rule of the service but the invariants, and trusts neither side: an acknowledgement must be in the books, a
//! refusal must not, an unknown outcome may be but once, and the books must be explained by what was asked.

mod books;
mod evidence;
mod keys;
mod money;
mod queue;
mod seats;
mod slots;
#[cfg(test)]
mod tests;
mod verdict;

pub use evidence::{Account, Books, Evidence, Terms};
pub use verdict::{Check, Verdict, Violation};

/// The verdicts on all invariants, in their order.
pub fn judge(evidence: &Evidence) -> Vec<Verdict> {
    let log = books::Log::of(evidence);
    let mut verdicts = vec![
        seats::i1_one_owner(evidence, &log),
        seats::i2_one_hold(evidence, &log),
        seats::i3_paid_in_time(evidence, &log),
        seats::i4_pay_or_expire(evidence, &log),
        seats::i5_one_clock(evidence),
        money::i6_balance_is_the_sum(evidence),
        money::i7_nothing_lost_or_made_up(evidence, &log),
        money::i8_in_range(evidence),
        money::i9_one_to_one(evidence, &log),
        money::i10_all_or_none(evidence, &log),
        money::i11_append_only(evidence),
        queue::i12_order_of_arrival(evidence),
        queue::i13_admission_in_order(evidence),
        slots::i14_capacity(evidence),
        queue::i15_one_ticket(evidence),
        queue::i16_forward_only(evidence),
        keys::i17_tokens_bind(evidence),
        slots::i18_slots_reach_the_head(evidence),
        keys::i20_refused_is_not_done(evidence, &log),
        keys::i21_one_key_one_effect(evidence, &log),
    ];
    for check in &evidence.books.audit.checks {
        let found = verdicts.iter_mut().find(|verdict| verdict.number == check.invariant);
        if let Some(verdict) = found {
            verdict.checked += check.checked;
            verdict.violations.extend(check.violations.iter().map(|what| Violation {
                what: format!("the server's own audit: {what}"),
                history: Vec::new(),
            }));
        }
    }
    verdicts
}
