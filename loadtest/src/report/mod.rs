//! The results of a run, for machines and for people.

mod compare;
mod html;
mod svg;

use serde::{Deserialize, Serialize};

pub use compare::{Change, compare};
pub use html::page;

use crate::{
    figures::Figures,
    oracle::Verdict,
    scenario::{Plan, Scenario},
};

/// The results of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// What was played.
    pub scenario: Scenario,
    /// How.
    pub plan: Plan,
    /// What all choices followed from.
    pub seed: u64,
    /// The servers.
    pub hosts: Vec<String>,
    /// How many connections there were.
    pub connections: u32,
    /// How fast it was.
    pub figures: Figures,
    /// Whether it was right.
    pub verdicts: Vec<Verdict>,
}

impl Summary {
    /// Whether everything holds.
    pub fn is_clean(&self) -> bool {
        self.verdicts.iter().all(Verdict::holds)
    }

    /// The numbers of what is violated.
    pub fn violated(&self) -> Vec<&str> {
        self.verdicts
            .iter()
            .filter(|verdict| !verdict.holds())
            .map(|verdict| verdict.number.as_str())
            .collect()
    }
}
