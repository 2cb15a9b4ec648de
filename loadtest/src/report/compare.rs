use super::Summary;

/// A figure then and now.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What it is.
    pub figure: String,
    /// In the earlier run.
    pub then: f64,
    /// In this run.
    pub now: f64,
}

impl Change {
    /// Now over then; none when there was nothing then.
    pub fn ratio(&self) -> Option<f64> {
        (self.then > 0.0).then(|| self.now / self.then)
    }
}

/// The figures that both runs have, side by side.
pub fn compare(then: &Summary, now: &Summary) -> Vec<Change> {
    let change = |figure: String, then: f64, now: f64| Change { figure, then, now };
    let mut changes = vec![
        change("requests a second".into(), then.figures.rate, now.figures.rate),
        change("part that failed".into(), then.figures.error_rate, now.figures.error_rate),
        change("p99 from the due time, ms".into(), then.figures.p99_ms, now.figures.p99_ms),
    ];
    for kind in &now.figures.kinds {
        let Some(before) = then.figures.kinds.iter().find(|before| before.kind == kind.kind) else {
            continue;
        };
        let name = &kind.kind;
        changes.push(change(format!("{name}: p50, ms"), before.from_due.p50_ms, kind.from_due.p50_ms));
        changes.push(change(format!("{name}: p99, ms"), before.from_due.p99_ms, kind.from_due.p99_ms));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{figures::Figures, scenario::Scenario};

    fn summary(rate: f64) -> Summary {
        Summary {
            scenario: Scenario::Mixed,
            plan: Scenario::Mixed.plan(),
            seed: 1,
            hosts: vec!["http://localhost".into()],
            connections: 1,
            figures: Figures { rate, ..Figures::default() },
            verdicts: Vec::new(),
        }
    }

    #[test]
    fn runs_are_compared_by_ratio_and_nothing_is_divided_by_zero() {
        let changes = compare(&summary(100.0), &summary(150.0));
        assert_eq!(changes[0].ratio(), Some(1.5));
        assert_eq!(changes[1].ratio(), None);
    }

    #[test]
    fn results_survive_their_form_for_machines() {
        let before = summary(100.0);
        let text = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), before);
    }
}
