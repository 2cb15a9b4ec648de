//! The configuration as text, with where each value is from and without what is secret.

use super::{Origin, Setting};
use crate::secrets;

const MASK: &str = "***";

/// A TOML file that says the same, but for what is masked.
pub(super) fn to_toml(settings: &[Setting]) -> String {
    let first =
        "# The configuration as it would be used: flags before environment before file before defaults.";
    let secrets = secrets::NAMES.map(|name| {
        let set = std::env::var(name).is_ok_and(|value| !value.is_empty());
        format!("# {name} is {} in the environment", if set { "set" } else { "not set" })
    });
    let lines = [first.to_owned()].into_iter().chain(settings.iter().map(line)).chain(secrets);
    lines.map(|line| line + "\n").collect()
}

fn line(setting: &Setting) -> String {
    let from = match &setting.from {
        Origin::Flag => "flag",
        Origin::Environment(variable) => variable,
        Origin::File => "file",
        Origin::Default => "default",
    };
    match value(setting) {
        Some(value) => format!("{} = {value} # {from}", setting.name),
        None => format!("# {} is not set", setting.name),
    }
}

fn value(setting: &Setting) -> Option<toml::Value> {
    let mut values = setting.values.iter().map(|value| {
        if setting.is_switch {
            return toml::Value::Boolean(value == "true");
        }
        match value.parse() {
            Ok(number) => toml::Value::Integer(number),
            Err(_) => toml::Value::String(masked(&setting.name, value)),
        }
    });
    if setting.is_list {
        let values: Vec<_> = values.collect();
        return (!values.is_empty()).then_some(toml::Value::Array(values));
    }
    values.next()
}

/// The value without what is secret: a password in an address, or all of it where the name says so.
fn masked(name: &str, value: &str) -> String {
    let is_secret = ["key", "secret", "password"].iter().any(|word| name.ends_with(word));
    if is_secret { MASK.into() } else { without_password(value) }
}

/// `scheme://user:***@host/path?password=***`. Whatever a password is made of, the last @ ends it: rather too much is
/// masked than too little.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.into() };
    let (who, rest) = rest.rsplit_once('@').map_or((None, rest), |(who, rest)| (Some(who), rest));
    let mut shown = format!("{scheme}://");
    if let Some(who) = who {
        let user = who.split_once(':').map_or(who.to_owned(), |(user, _)| format!("{user}:{MASK}"));
        shown.push_str(&user);
        shown.push('@');
    }
    let (host, query) = rest.split_once('?').map_or((rest, None), |(host, query)| (host, Some(query)));
    shown.push_str(host);
    for (at, pair) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if at == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((key, _)) if key.to_ascii_lowercase().contains("password") => {
                shown.extend([key, "=", MASK]);
            }
            _ => shown.push_str(pair),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_in_an_address_is_masked_and_the_rest_is_shown() {
        for (address, shown) in [
            ("postgres://booking:hunter2@db:5432/booking", "postgres://booking:***@db:5432/booking"),
            ("postgres://booking:hun/t@r?2@db/x", "postgres://booking:***@db/x"),
            ("redis://:hunter2@q:6379/0", "redis://:***@q:6379/0"),
            ("redis+cluster://u:hunter2@a:1,b:2", "redis+cluster://u:***@a:1,b:2"),
            ("redis://:hunter2@q/0?prefix=tour-a", "redis://:***@q/0?prefix=tour-a"),
            (
                "postgres://db/x?sslmode=require&password=hunter2",
                "postgres://db/x?sslmode=require&password=***",
            ),
            ("postgres://booking@db/x", "postgres://booking@db/x"),
            ("sqlite:/var/lib/booking.db", "sqlite:/var/lib/booking.db"),
        ] {
            assert_eq!(masked("store", address), shown);
        }
        assert_eq!(masked("admin-key", "hunter2"), MASK);
    }
}
