//! What a scenario must have reached, beyond what must always hold.

use booking_api::Code;
use booking_core::hold::ReservationStatus;

use crate::{
    history::{Act, Heard},
    oracle::{Check, Evidence, Verdict},
};

/// How many seats are confirmed by the buyers' own accounts.
pub(super) fn sold(evidence: &Evidence) -> usize {
    let accounts = evidence.books.accounts.values();
    let confirmed = accounts.flat_map(|account| &account.reservations);
    confirmed.filter(|made| made.status == ReservationStatus::Confirmed).map(|made| made.seats.len()).sum()
}

/// Exactly so many seats are sold.
pub(super) fn exactly_sold(evidence: &Evidence, wanted: usize) -> Verdict {
    let mut check = Check::new("goal", &format!("exactly {wanted} seats are sold"));
    let sold = sold(evidence);
    check.expect(sold == wanted, || (format!("{sold} are sold"), Vec::new()));
    check.finish()
}

/// Something that must be true in the end.
pub(super) fn reached(statement: &str, is_reached: bool, found: &str) -> Verdict {
    let mut check = Check::new("goal", statement);
    check.expect(is_reached, || (found.into(), Vec::new()));
    check.finish()
}

/// Nobody met a failure of the machinery.
pub(super) fn no_errors(evidence: &Evidence) -> Verdict {
    let mut check = Check::new("goal", "every request has a clear answer, and none is a server's error");
    for seen in &evidence.history {
        check.expect(!seen.is_error(), || ("no clear answer".into(), vec![seen]));
    }
    check.finish()
}

/// How often acts of a kind were acknowledged.
pub(super) fn acknowledged(evidence: &Evidence, is_wanted: impl Fn(&Act) -> bool) -> usize {
    evidence.history.iter().filter(|seen| is_wanted(&seen.act) && seen.is_acknowledged()).count()
}

/// How often acts of a kind were refused with a code.
pub(super) fn refused(evidence: &Evidence, code: Code, is_wanted: impl Fn(&Act) -> bool) -> usize {
    let is_it = |heard: &Heard| *heard == Heard::Refused(code);
    evidence.history.iter().filter(|seen| is_wanted(&seen.act) && is_it(&seen.heard)).count()
}
