//! The queue of the booking engine on Redis 7 or Redis Cluster: a [`QueueStore`](booking_core::store::QueueStore) that any
//! number of servers share. It keeps the order of arrival and nothing else; seats and money live in the booking store.
//!
//! Every call is one script on one lane, atomic and bounded, by the clock of Redis itself. A lane that Redis lost, or
//! has only an old copy of, gets a new epoch: people enter again, and nobody's number is given twice.

mod address;
mod call;
mod config;
mod link;
mod queue;
mod reply;
mod scripts;
mod seen;
mod trouble;

pub use config::{ConnectError, RedisConfig};
pub use queue::RedisQueue;
