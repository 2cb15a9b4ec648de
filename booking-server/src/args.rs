use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use booking_core::{BookingPolicy, LONGEST_SPAN};
use clap::value_parser;
use ipnet::IpNet;

use crate::{ConnectionOptions, app::RELEASES_PER_MINUTE, stores::DEFAULT};

/// The audience of user tokens.
const AUDIENCE: &str = "booking.user";

/// What `serve` can be told. Secrets come by environment only, so that they show in no list of processes:
/// `BOOKING_ADMIN_KEY`, `BOOKING_SERVICE_KEY`, `BOOKING_TOKEN_SECRET` (several with commas between: the first signs, all verify).
#[derive(clap::Args, Clone, Debug)]
pub struct ServeArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "BOOKING_LISTEN", default_value = "127.0.0.1:8080", value_parser = address)]
    pub listen: SocketAddr,
    /// Where bookings are kept: `sqlite:PATH` in a file, `postgres://user:password@host/database` with any number of
    /// servers on it, `memory:` until the process ends
    #[arg(long, env = "BOOKING_STORE", default_value = DEFAULT, value_name = "URL")]
    pub store: String,
    /// Where the queue is kept; by default with the bookings. `redis://user:password@host:6379/0` or
    /// `redis+cluster://host:6379,host:6379` share it between any number of servers; services that share a Redis need a
    /// `?prefix=NAME` each at the end
    #[arg(long, env = "BOOKING_QUEUE", value_name = "URL")]
    pub queue: Option<String>,
    /// Let anybody sign up (demos and tests); otherwise users are made with the admin key
    #[arg(long, env = "BOOKING_OPEN_SIGNUP")]
    pub open_signup: bool,
    /// Let users charge their own wallet without paying (demos and tests); otherwise charges come with the service key
    #[arg(long, env = "BOOKING_OPEN_CHARGES")]
    pub open_charges: bool,
    /// How long a hold lasts unpaid
    #[arg(long, env = "BOOKING_HOLD_TTL", default_value = "5m", value_parser = a_span)]
    pub hold_ttl: Duration,
    /// How many seats of one performance a user may have, held and bought together
    #[arg(long, env = "BOOKING_SEATS_PER_USER", default_value_t = 1)]
    pub seats_per_user: usize,
    /// How many live reservations a user may have at once, over all lanes; each queue token makes one
    #[arg(long, env = "BOOKING_LIVE_RESERVATIONS_PER_USER", default_value_t = 1)]
    pub live_reservations_per_user: usize,
    /// How many the lane `main` admits at once, when it is new; later: `booking lane set` [default: 1000]
    #[arg(long, env = "BOOKING_LANE_CAPACITY")]
    pub lane_capacity: Option<u32>,
    /// How many may wait in the lane `main`, when it is new [default: any number]
    #[arg(long, env = "BOOKING_MAX_WAITING")]
    pub max_waiting: Option<u64>,
    /// How many the lane `main` admits a second, when it is new [default: as capacity allows]
    #[arg(long, env = "BOOKING_ADMIT_PER_SECOND", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub admit_per_second: Option<u32>,
    /// How long a person the lane `main` admitted has to show up, when it is new [default: 60s]
    #[arg(long, env = "BOOKING_CLAIM_TTL", value_parser = a_span)]
    pub claim_ttl: Option<Duration>,
    /// How long a session in the lane `main` lasts from the first booking call, when it is new [default: 15m]
    #[arg(long, env = "BOOKING_SESSION_TTL", value_parser = a_span)]
    pub session_ttl: Option<Duration>,
    /// Public keys of an identity provider whose user tokens are taken too: a JWK set, or PEM (RSA, P-256, Ed25519). A
    /// token verifies with the key its `kid` names and that key's algorithm, and must have `iss`, `aud`, `sub` and `exp`
    /// (clocks may differ by 30 s). Its subject becomes a user at first use. The file is read again when it changes
    #[arg(long, env = "BOOKING_USER_KEYS", value_name = "FILE")]
    pub user_keys: Option<PathBuf>,
    /// The `iss` that tokens of the identity provider must have
    #[arg(long, env = "BOOKING_USER_ISSUER", value_name = "ISS")]
    pub user_issuer: Option<String>,
    /// The `aud` that tokens of the identity provider must have
    #[arg(long, env = "BOOKING_USER_AUDIENCE", value_name = "AUD", default_value = AUDIENCE)]
    pub user_audience: String,
    /// How long a user token of this service's own is good for (clocks may differ by 30 s)
    #[arg(long, env = "BOOKING_USER_TOKEN_TTL", default_value = "24h", value_parser = humantime::parse_duration)]
    pub user_token_ttl: Duration,
    /// How many calls a second a user may make [default: any number]
    #[arg(long, env = "BOOKING_CALLS_PER_SECOND", value_name = "N")]
    pub calls_per_second: Option<NonZeroU32>,
    /// How many calls a second may come from one address, or one /64 of IPv6 [default: any number]
    #[arg(long, env = "BOOKING_CALLS_PER_SECOND_PER_ADDRESS", value_name = "N")]
    pub calls_per_second_per_address: Option<NonZeroU32>,
    /// Networks of proxies whose X-Forwarded-For is believed, such as `10.0.0.0/8,fd00::/8`
    #[arg(long, env = "BOOKING_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpNet>,
    /// How many holds a minute a user may give back, by releasing or by leaving, before having to pause
    #[arg(long, env = "BOOKING_RELEASES_PER_MINUTE", value_name = "N", default_value_t = RELEASES_PER_MINUTE)]
    pub releases_per_minute: NonZeroU32,
    /// How many connections may be open at once; those beyond are told to come again
    #[arg(long, env = "BOOKING_MAX_CONNECTIONS", value_name = "N", default_value = "20000", value_parser = some)]
    pub max_connections: usize,
    /// How long the next request of a connection may take to arrive, its head and then its body; and how long the reader of
    /// a stream may read nothing
    #[arg(long, env = "BOOKING_RECEIVE_TIMEOUT", default_value = "75s", value_parser = a_while)]
    pub receive_timeout: Duration,
    /// How long an answer may take before the caller is told that there is none
    #[arg(long, env = "BOOKING_ANSWER_TIMEOUT", default_value = "30s", value_parser = a_while)]
    pub answer_timeout: Duration,
    /// Serve `GET /metrics` on this address and no longer with the rest, to keep it inside
    #[arg(long, env = "BOOKING_METRICS_LISTEN", value_name = "ADDRESS", value_parser = address)]
    pub metrics_listen: Option<SocketAddr>,
    /// When told to end, go on serving so long after `/health/ready` says no, until nobody sends new work; an hour at most.
    /// Told to end once more, the server ends at once
    #[arg(long, env = "BOOKING_DRAIN_DELAY", default_value = "0s", value_parser = an_hour_at_most)]
    pub drain_delay: Duration,
    /// Log every request (method, path, status, time taken; never a token)
    #[arg(long, env = "BOOKING_LOG_REQUESTS")]
    pub log_requests: bool,
    /// What to log: error, warn, info, debug, or a filter such as `info,booking_server=debug`
    #[arg(long, env = "BOOKING_LOG", default_value = "info")]
    pub log: String,
    /// How to log
    #[arg(long, env = "BOOKING_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

fn some(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "must be a number from 1 up".into())
}

fn a_while(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if span.is_zero() { Err("must be longer than nothing, such as 30s".into()) } else { Ok(span) }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write IP:PORT, such as 127.0.0.1:8080".into())
}

/// A span that rules can work with: see [`LONGEST_SPAN`].
fn a_span(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let fits = (Duration::from_millis(1)..=LONGEST_SPAN).contains(&span);
    if fits { Ok(span) } else { Err("must be between 1 ms and 30 days".into()) }
}

fn an_hour_at_most(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if span > Duration::from_hours(1) { Err("must be an hour at most, such as 30s".into()) } else { Ok(span) }
}

/// The form of log lines.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl Default for ServeArgs {
    /// What `serve` does when it is told nothing.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            store: DEFAULT.into(),
            queue: None,
            open_signup: false,
            open_charges: false,
            hold_ttl: Duration::from_mins(5),
            seats_per_user: 1,
            live_reservations_per_user: 1,
            lane_capacity: None,
            max_waiting: None,
            admit_per_second: None,
            claim_ttl: None,
            session_ttl: None,
            user_keys: None,
            user_issuer: None,
            user_audience: AUDIENCE.into(),
            user_token_ttl: Duration::from_hours(24),
            calls_per_second: None,
            calls_per_second_per_address: None,
            trusted_proxies: Vec::new(),
            releases_per_minute: RELEASES_PER_MINUTE,
            max_connections: 20_000,
            receive_timeout: Duration::from_secs(75),
            answer_timeout: Duration::from_secs(30),
            metrics_listen: None,
            drain_delay: Duration::ZERO,
            log_requests: false,
            log: "info".into(),
            log_format: LogFormat::Text,
        }
    }
}

impl ServeArgs {
    /// Refuses a flag without the other that it needs, wherever they come from.
    pub(crate) fn check_pairs(&self) -> Result<(), &'static str> {
        match (&self.user_keys, &self.user_issuer) {
            (Some(_), None) => Err("--user-keys needs --user-issuer"),
            (None, Some(_)) => Err("--user-issuer needs --user-keys"),
            _ => Ok(()),
        }
    }

    /// The limits of holds and wallets.
    pub(crate) fn policy(&self) -> BookingPolicy {
        BookingPolicy {
            hold_ttl: self.hold_ttl,
            live_reservations_per_user: self.live_reservations_per_user,
            seats_per_user: self.seats_per_user,
            ..BookingPolicy::default()
        }
    }

    /// What connections may do.
    pub(crate) fn connections(&self) -> ConnectionOptions {
        ConnectionOptions {
            most: self.max_connections,
            receive_timeout: self.receive_timeout,
            answer_timeout: self.answer_timeout,
            calls_per_second_per_address: self.calls_per_second_per_address,
            trusted_proxies: self.trusted_proxies.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: ServeArgs,
    }

    #[test]
    fn the_flags_default_to_what_serve_does_when_told_nothing() {
        let parsed = Command::parse_from(["serve"]).args;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", ServeArgs::default()));
        assert_eq!(parsed.policy(), BookingPolicy::default());
    }

    #[test]
    fn spans_read_as_people_write_them() {
        let parsed = Command::parse_from(["serve", "--hold-ttl", "90s", "--session-ttl", "1h 30m"]).args;
        assert_eq!(
            (parsed.hold_ttl.as_secs(), parsed.session_ttl.map(|span| span.as_secs())),
            (90, Some(5_400))
        );
        assert!(Command::try_parse_from(["serve", "--hold-ttl", "soon"]).is_err());
    }

    #[test]
    fn bounds_that_would_let_nobody_in_are_refused_with_what_to_do() {
        for (args, hint) in [
            (&["--max-connections", "0"][..], "must be a number from 1 up"),
            (&["--listen", "localhost:8080"], "write IP:PORT, such as 127.0.0.1:8080"),
            (&["--metrics-listen", "9464"], "write IP:PORT, such as 127.0.0.1:8080"),
            (&["--hold-ttl", "0s"], "must be between 1 ms and 30 days"),
            (&["--claim-ttl", "0s"], "must be between 1 ms and 30 days"),
            (&["--session-ttl", "31days"], "must be between 1 ms and 30 days"),
            (&["--admit-per-second", "0"], "0 is not in 1..=1000000"),
            (&["--drain-delay", "61m"], "must be an hour at most"),
            (&["--receive-timeout", "0s"], "must be longer than nothing"),
            (&["--answer-timeout", "0s"], "must be longer than nothing"),
            (&["--calls-per-second-per-address", "0"], "number would be zero"),
            (&["--releases-per-minute", "0"], "number would be zero"),
            (&["--trusted-proxies", "10.0.0.0/99"], "invalid IP address syntax"),
        ] {
            let parsed = Command::try_parse_from([&["serve"], args].concat()).err();
            let refused = parsed.unwrap_or_else(|| panic!("{args:?} is refused")).to_string();
            assert!(refused.contains(hint), "{args:?}: {refused}");
        }
        let parsed = Command::parse_from(["serve", "--trusted-proxies", "10.0.0.0/8,fd00::/8"]).args;
        assert_eq!(parsed.connections().trusted_proxies.len(), 2);
    }
}
