//! The service as its clients meet it: requests in, answers out, over stores in memory with a clock that tests move.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so")]

mod admin;
mod bad_input;
mod best_seats;
mod codes;
mod config;
mod connections;
mod described;
mod desk;
mod docs;
mod drain;
mod faults;
mod journey;
mod matrix;
mod metrics;
mod openapi;
mod ownership;
mod process;
mod queue;
mod reader;
mod seat_events;
mod support;
mod tokens;
mod trace;
mod user_keys;
mod waiting;
