//! Opening the store: where Redis is, and what it must be like, so that what the engine promises holds on it.

use std::fmt;

use redis::{ConnectionInfo, IntoConnectionInfo, Value};

use crate::link::Link;

/// The oldest server that will do: counting single bits came with it.
const OLDEST_SERVER: u32 = 7;

/// What a store is opened with.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://user:password@host:port/database`, or `redis+cluster://user:password@host:port,host:port` for a cluster,
    /// of which some nodes are named.
    pub url: String,
    /// What the names of all keys begin with, so that several services may share a server.
    pub prefix: String,
    /// For tests: the time of a lane is what the key `PREFIX:{LANE}:clock` tells, in microseconds, in place of the clock
    /// of the server.
    pub told_time: bool,
}

impl RedisConfig {
    /// The server or cluster at this address.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), prefix: "booking".into(), told_time: false }
    }

    /// The nodes to ask first, and whether they are of a cluster. What is wrong with an address is not told: it may be a
    /// password.
    pub(crate) fn nodes(&self) -> Result<(Vec<ConnectionInfo>, bool), ConnectError> {
        let Some(cluster) = self.url.strip_prefix("redis+cluster://") else {
            let node = self.url.as_str().into_connection_info().map_err(|_| ConnectError::Address)?;
            return Ok((vec![node], false));
        };
        let (login, hosts) = cluster.rsplit_once('@').map_or(("", cluster), |(login, hosts)| (login, hosts));
        let at = if login.is_empty() { "" } else { "@" };
        let node = |host: &str| {
            let host = host.trim_end_matches('/');
            format!("redis://{login}{at}{host}").into_connection_info().map_err(|_| ConnectError::Address)
        };
        Ok((hosts.split(',').map(node).collect::<Result<_, _>>()?, true))
    }
}

impl fmt::Debug for RedisConfig {
    /// The address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig").field("prefix", &self.prefix).finish_non_exhaustive()
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

    fn nodes(url: &str) -> Option<(Vec<String>, bool)> {
        let (nodes, is_cluster) = RedisConfig::new(url).nodes().ok()?;
        Some((nodes.iter().map(|node| node.addr().to_string()).collect(), is_cluster))
    }

    #[test]
    fn an_address_names_a_server_or_nodes_of_a_cluster() {
        assert_eq!(nodes("redis://me:hunter2@db:7000/3"), Some((vec!["db:7000".into()], false)));
        let of_cluster = Some((vec!["a:7001".into(), "b:6379".into()], true));
        assert_eq!(nodes("redis+cluster://me:hunter2@a:7001,b"), of_cluster);
        for bad in ["kafka://a", "redis+cluster://", "redis+cluster://a,,b", "redis://a:port"] {
            assert_eq!(nodes(bad), None, "{bad}");
        }
    }

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
