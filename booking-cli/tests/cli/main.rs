//! The command line as people meet it: the built binary against a real server in this process.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so")]

mod demo;
mod desk;
mod durable;
mod events;
mod flow;
mod import;
mod lane;
mod migrate;
mod packaging;
mod people;
mod seed;
mod server;
mod usage;
