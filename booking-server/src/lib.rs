//! The booking engine over HTTP: routes, tokens, and the loop that keeps the engine moving. No rule is decided here.

mod addresses;
mod app;
mod args;
mod churn;
mod clock;
mod config;
mod connections;
mod extract;
mod failure;
mod in_time;
mod limits;
mod log;
mod looks;
mod main_lane;
mod metrics;
mod open_files;
mod openapi;
mod overdue;
mod routes;
mod seat_watch;
mod secrets;
mod serve;
mod stores;
mod tokens;
mod trace;
mod user_keys;

pub use app::{App, Options, metrics_router, router};
pub use args::{LogFormat, ServeArgs};
#[cfg(feature = "postgres")]
pub use booking_store_pg::{ConnectError, SchemaStatus};
pub use clock::system_clock;
pub use config::Configured;
pub use connections::{ConnectionOptions, serve_connections};
pub use log::init_logging;
pub use metrics::Metrics;
pub use openapi::{calls, openapi};
pub use secrets::{InvalidSecrets, Secrets, Unset};
pub use serve::{Running, StartError, run, shutdown_signal, start};
#[cfg(feature = "sqlite")]
pub use stores::backup;
#[cfg(feature = "postgres")]
pub use stores::migrate;
pub use tokens::Tokens;
pub use user_keys::{InvalidUserKeys, UserKeys};
