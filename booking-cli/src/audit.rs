//! The audit's verdict, as a table.

use booking_api::AuditReport;
use comfy_table::{Cell, Table};

use crate::console::{count, number, table};

/// Violations told of each check; the JSON document has them all.
const TOLD: usize = 5;

/// One line a check: what must hold, how much was looked at, and whether it holds.
pub(crate) fn verdict(report: &AuditReport) -> Table {
    let mut verdict = table(&["invariant", "statement", "checked", "verdict"]);
    for check in &report.checks {
        let told = match check.violations.as_slice() {
            [] => "holds".to_owned(),
            violations => {
                let mut lines = violations.iter().take(TOLD).cloned().collect::<Vec<_>>();
                if violations.len() > TOLD {
                    lines.push(format!("and {} more (--json lists them all)", violations.len() - TOLD));
                }
                format!("VIOLATED\n{}", lines.join("\n"))
            }
        };
        verdict.add_row([
            Cell::new(&check.invariant),
            Cell::new(&check.statement),
            number(check.checked),
            Cell::new(told),
        ]);
    }
    verdict
}

/// The verdict in a sentence.
pub(crate) fn sentence(report: &AuditReport) -> String {
    let violated = report.checks.iter().filter(|check| !check.violations.is_empty()).count();
    if report.clean {
        format!("the audit is clean: {} hold", count(report.checks.len(), "invariant"))
    } else {
        format!("the audit found {} violated", count(violated, "invariant"))
    }
}

#[cfg(test)]
mod tests {
    use booking_api::AuditCheck;

    use super::*;

    fn check(violations: usize) -> AuditCheck {
        AuditCheck {
            invariant: "I1".into(),
            statement: "every sold seat has one owner".into(),
            checked: 1_234,
            violations: (0..violations).map(|seat| format!("seat {seat}")).collect(),
        }
    }

    #[test]
    fn a_violation_is_told_with_what_is_wrong() {
        let report = AuditReport { clean: false, checks: vec![check(0), check(7)] };
        let text = verdict(&report).to_string();
        for part in ["1,234", "holds", "VIOLATED", "seat 4", "and 2 more"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("seat 5"));
        assert_eq!(sentence(&report), "the audit found 1 invariant violated");
    }

    #[test]
    fn a_clean_report_says_so() {
        let report = AuditReport { clean: true, checks: vec![check(0), check(0)] };
        assert_eq!(sentence(&report), "the audit is clean: 2 invariants hold");
    }
}
