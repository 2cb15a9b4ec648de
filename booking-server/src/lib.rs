//! The booking engine over HTTP: routes, tokens, and the loop that keeps the engine moving. No rule is decided here.

mod app;
mod args;
mod clock;
mod extract;
mod failure;
mod limits;
mod log;
mod looks;
mod openapi;
mod routes;
mod seat_watch;
mod secrets;
mod serve;
mod stores;
mod tokens;

pub use app::{App, Options, router};
pub use args::{LogFormat, ServeArgs};
#[cfg(feature = "postgres")]
pub use booking_store_pg::{ConnectError, SchemaStatus};
pub use clock::system_clock;
pub use log::init_logging;
pub use openapi::{calls, openapi};
pub use secrets::{InvalidSecrets, Secrets, Unset};
pub use serve::{Running, StartError, run, shutdown_signal, start};
#[cfg(feature = "sqlite")]
pub use stores::backup;
#[cfg(feature = "postgres")]
pub use stores::migrate;
pub use tokens::Tokens;
