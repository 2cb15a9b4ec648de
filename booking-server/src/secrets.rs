mod kept;

use std::{fmt, path::PathBuf};

use uuid::Uuid;

const SHORTEST: usize = 16;

/// The variables that set the keys of a server.
pub(crate) const NAMES: [&str; 3] = ["BOOKING_ADMIN_KEY", "BOOKING_SERVICE_KEY", "BOOKING_TOKEN_SECRET"];

/// Where secrets come from that the environment does not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unset {
    /// They are made up for this process: its store ends with it too.
    MakeUp,
    /// They are in this file, which is made at first, for its owner's eyes only.
    Keep(PathBuf),
    /// There is no start without them.
    Refuse,
}

/// The keys of a server. They show in no log and in no `{:?}`.
#[derive(Clone)]
pub struct Secrets {
    /// Operators hold it.
    pub admin_key: String,
    /// The payment gateway's callback holds it: it may charge any wallet.
    pub service_key: String,
    /// The first signs tokens, all verify them.
    pub token_secrets: Vec<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// Secrets a server can't start with, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSecrets {
    /// A store that outlives the process needs secrets that do too.
    #[error(
        "{0} is not set: this store outlives the process, so its secrets must too; set it, for instance to the output of `openssl rand -hex 32`"
    )]
    Missing(&'static str),
    /// It could be guessed.
    #[error(
        "{0} is shorter than {SHORTEST} characters; set it, for instance to the output of `openssl rand -hex 32`"
    )]
    Short(&'static str),
    /// The file with the secrets can't be used.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// Who holds one key must not hold the other.
    #[error(
        "BOOKING_ADMIN_KEY and BOOKING_SERVICE_KEY are the same; the payment gateway must not be an operator"
    )]
    Same,
    /// Who holds a key must not be able to make tokens.
    #[error("{0} is in BOOKING_TOKEN_SECRET, too; whoever holds the key could sign tokens with it")]
    SignsTokens(&'static str),
}

fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

impl Secrets {
    /// New ones nobody knows yet.
    pub fn random() -> Self {
        Self { admin_key: random(), service_key: random(), token_secrets: vec![random()] }
    }

    /// The ones the environment sets, and the names of those it does not, which come from where `unset` says.
    pub fn from_env(unset: &Unset) -> Result<(Self, Vec<&'static str>), InvalidSecrets> {
        Self::read(|name| std::env::var(name).ok(), unset)
    }

    fn read(
        var: impl Fn(&str) -> Option<String>,
        unset: &Unset,
    ) -> Result<(Self, Vec<&'static str>), InvalidSecrets> {
        let mut kept = match unset {
            Unset::Keep(path) if NAMES.iter().any(|name| var(name).is_none_or(|value| value.is_empty())) => {
                Some(kept::read_or_make(path)?)
            }
            _ => None,
        };
        let mut missing = Vec::new();
        let mut secret = |name: &'static str| match var(name).filter(|value| !value.is_empty()) {
            Some(value) => Ok(value),
            None if *unset == Unset::Refuse => Err(InvalidSecrets::Missing(name)),
            None => {
                missing.push(name);
                Ok(kept.as_mut().and_then(|kept| kept.remove(name)).unwrap_or_else(random))
            }
        };
        let [admin_key, service_key, token_secret] = NAMES;
        let (admin_key, service_key) = (secret(admin_key)?, secret(service_key)?);
        let token_secrets = secret(token_secret)?.split(',').map(|one| one.trim().to_owned()).collect();
        let secrets = Self { admin_key, service_key, token_secrets };
        secrets.check()?;
        Ok((secrets, missing))
    }

    fn check(&self) -> Result<(), InvalidSecrets> {
        let short = |secret: &String| secret.len() < SHORTEST;
        if short(&self.admin_key) {
            return Err(InvalidSecrets::Short("BOOKING_ADMIN_KEY"));
        }
        if short(&self.service_key) {
            return Err(InvalidSecrets::Short("BOOKING_SERVICE_KEY"));
        }
        if self.token_secrets.iter().any(short) {
            return Err(InvalidSecrets::Short("BOOKING_TOKEN_SECRET"));
        }
        if self.admin_key == self.service_key {
            return Err(InvalidSecrets::Same);
        }
        let keys = [("BOOKING_ADMIN_KEY", &self.admin_key), ("BOOKING_SERVICE_KEY", &self.service_key)];
        match keys.into_iter().find(|(_, key)| self.token_secrets.contains(key)) {
            Some((name, _)) => Err(InvalidSecrets::SignsTokens(name)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "0123456789abcdef";

    #[test]
    fn a_store_in_memory_makes_up_what_is_not_set() {
        let set = |name: &str| (name == "BOOKING_ADMIN_KEY").then(|| LONG.to_owned());
        let (secrets, made_up) = Secrets::read(set, &Unset::MakeUp).unwrap();
        assert_eq!(secrets.admin_key, LONG);
        assert_eq!(made_up, ["BOOKING_SERVICE_KEY", "BOOKING_TOKEN_SECRET"]);
        assert!(secrets.service_key.len() >= 32 && secrets.service_key != secrets.token_secrets[0]);
    }

    #[test]
    fn a_lasting_store_refuses_to_start_without_secrets() {
        assert!(matches!(
            Secrets::read(|_| None, &Unset::Refuse),
            Err(InvalidSecrets::Missing("BOOKING_ADMIN_KEY"))
        ));
    }

    #[test]
    fn short_and_equal_keys_are_refused() {
        let all = |value: &'static str| move |_: &str| Some(value.to_owned());
        assert!(matches!(Secrets::read(all("short"), &Unset::MakeUp), Err(InvalidSecrets::Short(_))));
        assert!(matches!(Secrets::read(all(LONG), &Unset::MakeUp), Err(InvalidSecrets::Same)));
    }

    #[test]
    fn a_key_that_signs_tokens_too_is_refused_by_its_name() {
        for key in ["BOOKING_ADMIN_KEY", "BOOKING_SERVICE_KEY"] {
            let set = |name: &str| match name {
                "BOOKING_TOKEN_SECRET" => Some(format!("a secret of another time, {LONG}")),
                name => (name == key).then(|| LONG.to_owned()),
            };
            let refused = Secrets::read(set, &Unset::MakeUp).unwrap_err().to_string();
            assert!(refused.contains(key) && refused.contains("BOOKING_TOKEN_SECRET"), "{refused}");
            assert!(!refused.contains(LONG), "{refused}");
        }
    }

    #[test]
    fn secrets_show_in_no_debug_text() {
        let secrets = Secrets::random();
        assert!(!format!("{secrets:?}").contains(&secrets.admin_key));
    }
}
