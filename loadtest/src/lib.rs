//! Load tests of the booking service that prove, not only push: every run ends with verdicts on what must always hold.

pub mod args;
pub mod arrivals;
pub mod console;
pub mod crew;
pub mod failure;
pub mod figures;
pub mod hear;
pub mod history;
pub mod oracle;
pub mod person;
pub mod reading;
pub mod report;
pub mod run;
pub mod scenario;
pub mod stage;
