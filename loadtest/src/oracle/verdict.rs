use serde::{Deserialize, Serialize};

use crate::history::Seen;

/// Beyond so many violations of one kind the rest are only counted.
const MOST_TOLD: usize = 10;
/// Beyond so many records a story is cut.
const MOST_RECORDS: usize = 40;

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The number of the invariant, or the name of a goal.
    pub number: String,
    /// What must hold.
    pub statement: String,
    /// How many things were looked at.
    pub checked: u64,
    /// What is wrong.
    pub violations: Vec<Violation>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// What.
    pub what: String,
    /// What people heard that shows it.
    pub history: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

/// A verdict in the making.
pub struct Check {
    verdict: Verdict,
    untold: usize,
}

impl Check {
    /// A check that has looked at nothing yet.
    pub fn new(number: &str, statement: &str) -> Self {
        let (number, statement) = (number.into(), statement.into());
        Self { verdict: Verdict { number, statement, checked: 0, violations: Vec::new() }, untold: 0 }
    }

    /// Notes that something was looked at, and what is wrong unless it holds. The words and the records that show it are
    /// only made when needed.
    pub fn expect<'a>(&mut self, holds: bool, wrong: impl FnOnce() -> (String, Vec<&'a Seen>)) {
        self.verdict.checked += 1;
        if holds {
            return;
        }
        if self.verdict.violations.len() == MOST_TOLD {
            self.untold += 1;
            return;
        }
        let (what, records) = wrong();
        let history = records.into_iter().take(MOST_RECORDS).map(line).collect();
        self.verdict.violations.push(Violation { what, history });
    }

    /// The verdict.
    pub fn finish(mut self) -> Verdict {
        if self.untold > 0 {
            let what = format!("and {} more of this kind", self.untold);
            self.verdict.violations.push(Violation { what, history: Vec::new() });
        }
        self.verdict
    }
}

/// A record for people to read: when it was sent and answered, by whom, to which server, and what was heard.
fn line(seen: &Seen) -> String {
    let seconds = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    format!(
        "{} → {} s  person {} at server {}: {:?}  ⇒  {:?}",
        seconds(seen.sent),
        seconds(seen.answered),
        seen.person,
        seen.host + 1,
        seen.act,
        seen.heard
    )
}
