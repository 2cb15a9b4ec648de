//! Opening the store: what the database must be like, so that what the engine promises holds on it.

use std::{fmt, str::FromStr, time::Duration};

use booking_core::BookingPolicy;
use sqlx::{
    ConnectOptions, Connection, PgConnection, Row,
    postgres::{PgConnectOptions, PgRow},
    raw_sql,
};
use tokio::time::timeout;

use crate::{
    migrate::{self, SchemaStatus},
    pool::Connector,
};

/// The oldest server that will do.
const OLDEST_SERVER: u32 = 15;
/// Statements a connection keeps prepared; more than there are.
const PREPARED: usize = 200;
/// How long each question asked at the start may take; one of them may be stuck behind a pooler.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The parameters that an address may have. Any other would be ignored, and logged with its value.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

const SETTINGS: &str = "SELECT current_setting('server_version_num'), current_setting('fsync'), \
    current_setting('synchronous_commit'), pg_is_in_recovery()::text";
const BACKEND: &str = "SELECT pg_backend_pid()::text";

/// What a store is opened with.
#[derive(Clone)]
pub struct PgConfig {
    /// `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=…`. Several hosts, with commas between
    /// them, are a primary and its standbys: whichever is the primary is used.
    pub url: String,
    /// Limits of holds and wallets.
    pub policy: BookingPolicy,
    /// The most connections for reading. Batches have nine more: two look, one writes, one changes settings of lanes,
    /// one changes concerts, and four are for lanes. A few are best: 8 unless measured otherwise.
    pub connections: usize,
}

impl PgConfig {
    /// The database at this address, with 8 connections for reading.
    pub fn new(url: impl Into<String>, policy: BookingPolicy) -> Self {
        Self { url: url.into(), policy, connections: 8 }
    }
}

impl fmt::Debug for PgConfig {
    /// The address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, policy, connections } = self;
        f.debug_struct("PgConfig")
            .field("policy", policy)
            .field("connections", connections)
            .finish_non_exhaustive()
    }
}

/// Why a store can't be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is none.
    #[error("this is no address of a PostgreSQL database; write postgres://user:password@host:5432/database")]
    Address,
    /// The address has a parameter of this name, and none is called so.
    #[error(
        "the address of PostgreSQL has a parameter `{0}`, which is none; there are sslmode, sslrootcert and others"
    )]
    Parameter(String),
    /// Nobody answers there, or not to us.
    #[error("can't connect to PostgreSQL: {0}")]
    Unreachable(String),
    /// The server is too old.
    #[error("PostgreSQL {0} is too old: this needs 15 or newer")]
    TooOld(u32),
    /// A standby, which can't be written to.
    #[error("this PostgreSQL server is a read-only standby; connect to the primary")]
    Standby,
    /// A crash would lose what was acknowledged.
    #[error(
        "PostgreSQL runs with fsync=off: a crash would lose sales that were acknowledged; turn fsync on in postgresql.conf"
    )]
    Unsafe,
    /// A pooler hands each transaction to another session.
    #[error(
        "there is a pooler in transaction mode before PostgreSQL: limits and prepared statements of a session get lost there; set pool_mode = session, or connect to PostgreSQL directly"
    )]
    TransactionPooling,
    /// A newer build made the schema.
    #[error(
        "the schema of this database has version {version}, and this build knows {newest}: start a newer build"
    )]
    NewerSchema {
        /// The version of the schema.
        version: i32,
        /// The newest this build knows.
        newest: i32,
    },
    /// The database failed.
    #[error("PostgreSQL failed at the start: {0}")]
    Failed(String),
}

impl From<sqlx::Error> for ConnectError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The address as options for connecting.
pub(crate) fn connector(url: &str) -> Result<Connector, ConnectError> {
    check_parameters(url)?;
    let hosts = hosts(url).iter().map(|url| options(url)).collect::<Result<_, _>>()?;
    Ok(Connector::new(hosts))
}

fn options(url: &str) -> Result<PgConnectOptions, ConnectError> {
    // What is wrong with it is not told: it may be a password.
    let options = PgConnectOptions::from_str(url).map_err(|_| ConnectError::Address)?;
    let options =
        if options.get_application_name().is_none() { options.application_name("booking") } else { options };
    // A pooler refuses start-up parameters it does not know, and no column of ours is a float.
    Ok(options.extra_float_digits(None).statement_cache_capacity(PREPARED).disable_statement_logging())
}

/// Refuses a parameter that would be ignored, and logged with what may be a password: `?pasword=secret`.
fn check_parameters(url: &str) -> Result<(), ConnectError> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let Some((_, parameters)) = url.split_once('?') else { return Ok(()) };
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (key, has_value) = parameter.split_once('=').map_or((parameter, false), |(key, _)| (key, true));
        // A setting of the server: `options[jit]`, also escaped.
        let is_option = key.starts_with("options[") || key.starts_with("options%5B");
        if !is_option && !PARAMETERS.contains(&key) {
            // What does not look like a name may be the end of a password with a `?` in it.
            let is_name = has_value && key.chars().all(|c| c.is_ascii_lowercase() || "-_".contains(c));
            return Err(if is_name { ConnectError::Parameter(key.into()) } else { ConnectError::Address });
        }
    }
    Ok(())
}

/// An address for each host of an address with several: `postgres://user@one:5432,two:5432/database`.
fn hosts(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.into()] };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
    let at = if user.is_empty() { "" } else { "@" };
    hosts.split(',').map(|host| format!("{scheme}://{user}{at}{host}{path}")).collect()
}

async fn open(connector: &Connector) -> Result<PgConnection, ConnectError> {
    connector.connect_bare().await.map_err(|error| ConnectError::Unreachable(error.to_string()))
}

/// Refuses a server on which the engine could not keep its word, and brings the schema up to date.
pub(crate) async fn prepare(connector: &Connector) -> Result<(), ConnectError> {
    let mut connection = open(connector).await?;
    check_settings(&mut connection).await?;
    check_pooling(connector, &mut connection).await?;
    let status = migrate::migrate(&mut connection).await?;
    connection.close().await.ok();
    match status {
        SchemaStatus::Newer { version, newest } => Err(ConnectError::NewerSchema { version, newest }),
        SchemaStatus::Current { .. } | SchemaStatus::Behind { .. } => Ok(()),
    }
}

/// How the schema at this address compares to the one this build works with. It changes nothing there.
pub async fn check_schema(url: &str) -> Result<SchemaStatus, ConnectError> {
    let mut connection = open(&connector(url)?).await?;
    let status = migrate::status(&mut connection).await?;
    connection.close().await.ok();
    Ok(status)
}

/// Brings the schema at this address up to date, as opening a store does, and tells what it is then.
pub async fn migrate_schema(url: &str) -> Result<SchemaStatus, ConnectError> {
    let connector = connector(url)?;
    prepare(&connector).await?;
    check_schema(url).await
}

async fn ask(connection: &mut PgConnection, question: &'static str) -> Result<PgRow, ConnectError> {
    let answer = timeout(ANSWER_WITHIN, raw_sql(question).fetch_one(connection)).await;
    answer.map_err(|_| ConnectError::Failed("it does not answer".into()))?.map_err(ConnectError::from)
}

async fn check_settings(connection: &mut PgConnection) -> Result<(), ConnectError> {
    let row = ask(connection, SETTINGS).await?;
    let settings = (0..4).map(|at| row.try_get::<String, _>(at)).collect::<Result<Vec<_>, _>>()?;
    let version = settings[0].parse::<u32>().unwrap_or(0) / 10_000;
    if version < OLDEST_SERVER {
        return Err(ConnectError::TooOld(version));
    }
    if settings[1] != "on" {
        return Err(ConnectError::Unsafe);
    }
    if settings[2] == "off" {
        tracing::warn!("synchronous_commit=off: a crash of the database loses the last moments before it");
    }
    if settings[3] == "true" { Err(ConnectError::Standby) } else { Ok(()) }
}

/// Whether transactions of one client go to one session of the server. A pooler in transaction mode gives the session
/// that `first` used to whoever asks next, and `first` another one while that is busy.
async fn check_pooling(connector: &Connector, first: &mut PgConnection) -> Result<(), ConnectError> {
    async fn backend(connection: &mut PgConnection) -> Result<String, ConnectError> {
        Ok(ask(connection, BACKEND).await?.try_get(0)?)
    }
    let own = backend(first).await?;
    let mut others = Vec::new();
    for _ in 0..2 {
        let mut other = open(connector).await?;
        raw_sql("BEGIN").execute(&mut other).await?;
        let shared = backend(&mut other).await? == own;
        others.push(other);
        if shared {
            return Err(ConnectError::TransactionPooling);
        }
    }
    let moved = backend(first).await? != own;
    for other in others {
        other.close().await.ok();
    }
    if moved { Err(ConnectError::TransactionPooling) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_name_several_hosts() {
        let two = hosts("postgres://a:b,c@one:1,two:2/shop?sslmode=require");
        assert_eq!(
            two,
            ["postgres://a:b,c@one:1/shop?sslmode=require", "postgres://a:b,c@two:2/shop?sslmode=require"]
        );
        assert_eq!(hosts("postgres://one,two"), ["postgres://one", "postgres://two"]);
        assert_eq!(hosts("postgres:///shop?host=/run"), ["postgres:///shop?host=/run"]);
        assert_eq!(hosts("nonsense"), ["nonsense"]);
    }
}
