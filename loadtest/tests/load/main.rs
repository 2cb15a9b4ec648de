//! The load tests themselves under test: short forms of all scenarios, servers that lie, and what the program tells.
#![allow(clippy::unwrap_used, reason = "a test that can't go on says so")]

mod liars;
mod lying;
mod program;
mod short;
mod support;
