#![doc = include_str!("../README.md")]

pub mod audit;
pub mod batcher;
pub mod catalog;
mod command;
pub mod conformance;
mod engine;
mod error;
mod event;
#[cfg(test)]
mod fixture;
pub mod hold;
pub mod id;
mod keys;
mod map;
pub mod memory;
mod money;
mod outcome;
pub mod payment;
mod policy;
pub mod queue;
mod reach;
mod refusal;
mod state;
pub mod store;
mod sync;
mod ticket;
mod time;
pub mod wallet;
mod words;

pub use command::Command;
pub use engine::{Answer, Engine, LaneStatus, Paid, Tended};
pub use error::{Error, StoreError};
pub use event::{Event, RecordedEvent};
pub use keys::Keys;
pub(crate) use map::{Map, Row, Table};
pub use money::{Amount, InvalidMoney, Money};
pub use outcome::{Effect, Outcome};
pub use policy::{BookingPolicy, InvalidPolicy, LONGEST_SPAN, LanePolicy};
pub use reach::Reach;
pub use refusal::Refusal;
pub use state::{ChangedRows, Rows, State, TakenSeats, decide};
pub use ticket::{EndReason, Epoch, InvalidLaneName, LaneName, Ticket};
pub use time::{Clock, ManualClock, Timestamp};
pub use words::UnknownWord;

/// Compiles the example of the repository's README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct ReadmeOfTheRepository;
