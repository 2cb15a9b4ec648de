//! The machines against naive models of the same rules: lists and scans, written from the requirements.
//!
//! `BOOKING_TEST_SCALE=100 cargo test` runs a hundred times as many cases. A failure prints the shortest sequence of
//! steps that shows it; nothing is written to disk.
#![cfg(not(booking_loom))]

mod best;
mod booking;
mod commands;
mod departures;
mod focus;
mod ids;
mod line;
mod naive;
mod queue;
mod reads;
mod run;
