//! The service as its clients meet it: requests in, answers out, over stores in memory with a clock that tests move.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so")]

mod admin;
mod bad_input;
mod best_seats;
mod codes;
mod described;
mod docs;
mod faults;
mod journey;
mod openapi;
mod ownership;
mod process;
mod queue;
mod reader;
mod seat_events;
mod support;
mod tokens;
mod waiting;
