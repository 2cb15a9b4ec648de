//! Opening the store: where Redis is, and what it must be like, so that what the engine promises holds on it.

use std::fmt;

use redis::Value;

use crate::{address::Address, link::Link};

/// The oldest server that will do: counting single bits came with it.
const OLDEST_SERVER: u32 = 7;

/// What a store is opened with.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://user:password@host:port/database`, or `redis+cluster://user:password@host:port,host:port` for a cluster,
    /// of which some nodes are named. With `?prefix=NAME` the names of all keys begin with that instead of `booking`:
    /// services that share a Redis have one each, which all instances of a service are given.
    pub url: String,
    /// For tests: the time of a lane is what the key `PREFIX:{LANE}:clock` tells, in microseconds, in place of the clock
    /// of the server.
    pub told_time: bool,
}

impl RedisConfig {
    /// The server or cluster at this address.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), told_time: false }
    }

    /// Whether the address is one, which asks nobody.
    pub fn check(&self) -> Result<(), ConnectError> {
        Address::read(&self.url).map(drop)
    }
}

impl fmt::Debug for RedisConfig {
    /// The address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig").field("told_time", &self.told_time).finish_non_exhaustive()
    }
}

/// Why a store can't be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is none.
    #[error(
        "this is no address of Redis; write redis://user:password@host:6379/0, or redis+cluster://host:6379,host:6379"
    )]
    Address,
    /// The address has a prefix with other characters, none, too many, or two of them.
    #[error("the prefix in the address of Redis is none; write ?prefix=NAME once, 1 to 32 of a-z, 0-9 and -")]
    Prefix,
    /// The address has a parameter of this name, and none is called so.
    #[error("the address of Redis has a parameter `{0}`, which is none; there are prefix and protocol")]
    Parameter(String),
    /// Nobody answers there, or not to us.
    #[error("can't connect to Redis: {0}")]
    Unreachable(String),
    /// The server is too old.
    #[error("Redis {0} is too old: this needs 7.0 or newer")]
    TooOld(String),
    /// A replica, which can't be written to.
    #[error("this Redis server is a read-only replica; connect to the primary")]
    Replica,
    /// People would be dropped from the queue when memory gets short.
    #[error(
        "Redis runs with maxmemory-policy {0}: short of memory it would drop people from the queue; set maxmemory-policy noeviction"
    )]
    Evicts(String),
}

/// Refuses servers on which the engine could not keep its word.
pub(crate) async fn check(link: &Link, is_cluster: bool) -> Result<(), ConnectError> {
    let answer = link.run(&redis::cmd("INFO")).await;
    let answer = answer.map_err(|error| ConnectError::Unreachable(error.to_string()))?;
    let mut infos = Vec::new();
    collect_texts(answer, &mut infos);
    for info in &infos {
        check_server(info, is_cluster)?;
    }
    Ok(())
}

/// What each server says of itself: one text, or in a cluster a map from nodes to texts.
fn collect_texts(value: Value, texts: &mut Vec<String>) {
    match value {
        Value::BulkString(bytes) => texts.push(String::from_utf8_lossy(&bytes).into_owned()),
        Value::VerbatimString { text, .. } => texts.push(text),
        Value::Array(values) => values.into_iter().for_each(|value| collect_texts(value, texts)),
        Value::Map(pairs) => pairs.into_iter().for_each(|(_, value)| collect_texts(value, texts)),
        _ => {}
    }
}

fn check_server(info: &str, is_cluster: bool) -> Result<(), ConnectError> {
    let field = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim)
    };
    if let Some(version) = field("redis_version") {
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_some_and(|major| major < OLDEST_SERVER) {
            return Err(ConnectError::TooOld(version.into()));
        }
    }
    if !is_cluster && field("role") == Some("slave") {
        return Err(ConnectError::Replica);
    }
    let limited = field("maxmemory").is_some_and(|bytes| bytes != "0");
    match field("maxmemory_policy") {
        Some(policy) if limited && policy != "noeviction" => {
            return Err(ConnectError::Evicts(policy.into()));
        }
        _ => {}
    }
    if field("aof_enabled") == Some("0") {
        tracing::warn!(
            "Redis runs without appendonly: when it stops, people in the queue lose their place and enter again"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_shows_no_password() {
        assert!(!format!("{:?}", RedisConfig::new("redis://me:hunter2@db")).contains("hunter2"));
    }

    #[test]
    fn a_server_that_would_lose_people_or_is_too_old_is_refused() {
        let told = |info: &str| check_server(info, false).err().map(|error| error.to_string());
        let good = "redis_version:7.0.15\r\nrole:master\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n";
        assert_eq!(told(good), None);
        for (from, to, word) in [
            ("maxmemory:0", "maxmemory:1000", "allkeys-lru"),
            ("7.0.15", "6.2.1", "too old"),
            ("role:master", "role:slave", "replica"),
        ] {
            let refused = told(&good.replace(from, to)).unwrap_or_default();
            assert!(refused.contains(word), "{refused:?}");
        }
        assert!(check_server("role:slave", true).is_ok(), "a cluster has replicas too");
    }
}
