//! What an address says: the nodes to ask first, and what the names of all keys begin with.

use redis::{ConnectionInfo, IntoConnectionInfo};

use crate::config::ConnectError;

/// What names begin with when the address does not say.
const DEFAULT_PREFIX: &str = "booking";
const LONGEST_PREFIX: usize = 32;

/// An address that was read.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) nodes: Vec<ConnectionInfo>,
    pub(crate) is_cluster: bool,
    pub(crate) prefix: String,
}

impl Address {
    /// What is wrong with an address is told by the names of its parameters at most: the rest may be a password.
    pub(crate) fn read(url: &str) -> Result<Self, ConnectError> {
        let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
        let Parameters { prefix, protocol } = Parameters::read(parameters)?;
        let prefix = prefix.unwrap_or(DEFAULT_PREFIX).to_owned();
        let (urls, is_cluster) = node_urls(place);
        let suffix = protocol.map(|protocol| format!("?protocol={protocol}")).unwrap_or_default();
        let node =
            |url: &String| format!("{url}{suffix}").into_connection_info().map_err(|_| ConnectError::Address);
        Ok(Self { nodes: urls.iter().map(node).collect::<Result<_, _>>()?, is_cluster, prefix })
    }
}

/// An address of each node that is named, and whether they are of a cluster.
fn node_urls(place: &str) -> (Vec<String>, bool) {
    let Some(cluster) = place.strip_prefix("redis+cluster://") else { return (vec![place.into()], false) };
    let (login, hosts) = cluster.rsplit_once('@').map_or(("", cluster), |(login, hosts)| (login, hosts));
    let at = if login.is_empty() { "" } else { "@" };
    let node = |host: &str| format!("redis://{login}{at}{}", host.trim_end_matches('/'));
    (hosts.split(',').map(node).collect(), true)
}

/// The parameters that an address may have, behind its `?`.
#[derive(Default)]
struct Parameters<'a> {
    prefix: Option<&'a str>,
    /// Of the wire; the client knows which there are.
    protocol: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    /// Any other is refused: with `?prefx=tour-a` ignored, a service would share the queue of another.
    fn read(text: &'a str) -> Result<Self, ConnectError> {
        // Then it is the end of a password with a `?` in it.
        if text.contains('@') {
            return Err(ConnectError::Address);
        }
        let mut read = Self::default();
        for parameter in text.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) =
                parameter.split_once('=').map_or((parameter, None), |(name, value)| (name, Some(value)));
            match (name, value) {
                ("prefix", value) => {
                    let value = value.filter(|value| is_prefix(value) && read.prefix.is_none());
                    read.prefix = Some(value.ok_or(ConnectError::Prefix)?);
                }
                ("protocol", value) => read.protocol = value,
                (name, _) => return Err(ConnectError::Parameter(name.into())),
            }
        }
        Ok(read)
    }
}

/// No colon and no brace: a name ends with the first colon, and braces say which part of it a cluster hashes.
fn is_prefix(value: &str) -> bool {
    (1..=LONGEST_PREFIX).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(url: &str) -> Option<(Vec<String>, bool)> {
        let address = Address::read(url).ok()?;
        Some((address.nodes.iter().map(|node| node.addr().to_string()).collect(), address.is_cluster))
    }

    fn prefix(url: &str) -> String {
        Address::read(url).expect(url).prefix
    }

    fn refused(url: &str) -> String {
        Address::read(url).expect_err(url).to_string()
    }

    #[test]
    fn an_address_names_a_server_or_nodes_of_a_cluster() {
        assert_eq!(nodes("redis://me:hunter2@db:7000/3"), Some((vec!["db:7000".into()], false)));
        let of_cluster = Some((vec!["a:7001".into(), "b:6379".into()], true));
        assert_eq!(nodes("redis+cluster://me:hunter2@a:7001,b"), of_cluster);
        assert_eq!(nodes("redis+cluster://me:hunter2@a:7001,b/?prefix=tour-a"), of_cluster);
        for bad in ["kafka://a", "redis+cluster://", "redis+cluster://a,,b", "redis://a:port"] {
            assert_eq!(nodes(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_prefix_is_told_by_a_parameter_and_booking_without() {
        for url in ["redis://db", "redis://db/0", "redis://db?", "redis://db?protocol=resp3"] {
            assert_eq!(prefix(url), "booking");
        }
        assert_eq!(prefix("redis://db:6379/0?prefix=tour-a"), "tour-a");
        assert_eq!(prefix("redis://db?protocol=resp3&prefix=2027"), "2027");
        assert_eq!(prefix("redis+cluster://a:1,b:2?prefix=tour-a"), "tour-a");
        assert_eq!(prefix(&format!("redis://db?prefix={}", "x".repeat(32))).len(), 32);
    }

    #[test]
    fn the_rest_of_an_address_means_the_same_with_a_prefix() {
        let told = |url: &str| {
            let node = Address::read(url).expect(url).nodes.remove(0);
            let redis = node.redis_settings();
            (node.addr().to_string(), redis.db(), redis.password().map(str::to_owned), redis.protocol())
        };
        assert_eq!(
            told("redis://:hunter2@db:7000/3?prefix=a&protocol=3"),
            told("redis://:hunter2@db:7000/3?protocol=3")
        );
        assert_eq!(told("redis://db/3?prefix=a"), told("redis://db/3"));
        assert_eq!(told("redis+cluster://:x@db?prefix=a"), told("redis+cluster://:x@db"));
    }

    #[test]
    fn a_prefix_that_is_none_is_refused_with_what_to_write() {
        let long = "x".repeat(33);
        for bad in ["", "Tour", "tour_a", "a:b", "{a}", "tour%2Da", "a#b", "a&prefix=a", "ü", &long] {
            for url in ["redis://:hunter2@db/0", "redis+cluster://:hunter2@a,b"] {
                let told = refused(&format!("{url}?prefix={bad}"));
                assert_eq!(
                    told,
                    "the prefix in the address of Redis is none; write ?prefix=NAME once, 1 to 32 of a-z, 0-9 and -"
                );
            }
        }
        assert_eq!(refused("redis://db?prefix"), refused("redis://db?prefix="));
    }

    #[test]
    fn another_parameter_is_refused_by_its_name_and_no_password_is_told() {
        assert_eq!(
            refused("redis://db?prefx=tour-a"),
            "the address of Redis has a parameter `prefx`, which is none; there are prefix and protocol"
        );
        assert!(refused("redis+cluster://a,b?db=3").contains("`db`"));
        for url in ["redis://:hun?ter2@db", "redis://a:1?ter=x@db", "redis+cluster://a:1?prefix=x@b,c"] {
            assert!(refused(url).starts_with("this is no address of Redis; write "), "{}", refused(url));
        }
    }
}
