//! Connections, few and bounded. A lease that is not given back closes its connection: whoever stops waiting in the
//! middle of a statement leaves no answer behind for the next to read. Nothing is sent to test a connection before or
//! after its use; one that turns out dead costs a second try.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::select_ok;
use sqlx::{ConnectOptions, PgConnection, Row, postgres::PgConnectOptions, raw_sql};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::trouble::Trouble;

/// How long opening a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// The pause between tries to open one.
const PAUSE: Duration = Duration::from_millis(25);

macro_rules! session {
    () => {
        "SET lock_timeout = '1300ms'; SET statement_timeout = '1900ms'; \
         SET idle_in_transaction_session_timeout = '1s'; SET client_connection_check_interval = '500ms'; \
         SET default_transaction_isolation = 'read committed'; SET plan_cache_mode = force_generic_plan; SET jit = off; \
         SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
         SET enable_memoize = off"
    };
}

macro_rules! is_standby {
    () => {
        "SELECT pg_is_in_recovery()::text"
    };
}

/// What every connection is told first.
///
/// Limits: a lock is waited for a little longer than an idle transaction may live, so that those who wait for an
/// instance that stopped outlive it; all end before a caller has waited for 2 s. Plans: every statement of ours finds
/// its rows by an index, however small, empty or unanalysed a table was when it was planned first, so the planner is
/// not asked again each time, and told not to prefer scanning.
pub(crate) const SESSION: &str = session!();

const IS_STANDBY: &str = is_standby!();
/// Both in one round trip.
const SESSION_OF_PRIMARY: &str = concat!(session!(), "; ", is_standby!());

/// Opens connections.
#[derive(Debug)]
pub(crate) struct Connector(Vec<PgConnectOptions>);

fn no_host(why: &str) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, why))
}

/// The connection, if this tells that it leads to a primary.
async fn to_primary(
    mut connection: PgConnection,
    is_standby: &'static str,
) -> Result<PgConnection, sqlx::Error> {
    let standby: String = raw_sql(is_standby).fetch_one(&mut connection).await?.try_get(0)?;
    if standby == "true" { Err(no_host("only a standby answers")) } else { Ok(connection) }
}

impl Connector {
    /// To the one host there is, or to the one of several that is the primary at the time.
    pub(crate) fn new(hosts: Vec<PgConnectOptions>) -> Self {
        Self(hosts)
    }

    /// A connection as it comes.
    pub(crate) async fn connect_bare(&self) -> Result<PgConnection, sqlx::Error> {
        let connecting = async {
            match &self.0[..] {
                [] => Err(no_host("the address has no host")),
                [only] => only.connect().await,
                // All at once: one that does not answer shall not keep us from one that does.
                hosts => {
                    let connecting = hosts.iter().map(|host| {
                        Box::pin(async move { to_primary(host.connect().await?, IS_STANDBY).await })
                    });
                    select_ok(connecting).await.map(|(connection, _)| connection)
                }
            }
        };
        timeout(CONNECT_WITHIN, connecting).await.unwrap_or_else(|_| Err(no_host("connecting took too long")))
    }

    /// A connection with our limits, to a primary: one host may have become a standby, or its name may lead to another one.
    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        to_primary(self.connect_bare().await?, SESSION_OF_PRIMARY).await
    }

    /// A connection with our limits, tried for until the deadline: a database that is just starting is waited for.
    pub(crate) async fn connect_until(&self, deadline: Instant) -> Result<PgConnection, Trouble> {
        loop {
            let error = match timeout_at(deadline, self.connect()).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => error,
                Err(_) => return Err(Trouble::timed_out("connecting")),
            };
            if Instant::now() + PAUSE >= deadline {
                return Err(Trouble::Gone(format!("can't connect: {error}")));
            }
            sleep(PAUSE).await;
        }
    }
}

/// Up to so many connections.
#[derive(Debug)]
pub(crate) struct Pool {
    connector: Connector,
    permits: Semaphore,
    idle: Mutex<Vec<PgConnection>>,
    /// How often connections turned out to be dead.
    life: AtomicU64,
}

/// A connection in use.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    pub(crate) connection: PgConnection,
    pool: &'a Pool,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(crate) fn new(connector: Connector, size: usize) -> Self {
        Self { connector, permits: Semaphore::new(size), idle: Mutex::default(), life: AtomicU64::new(0) }
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PgConnection>> {
        // Taking and putting connections can't leave the list half done.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, waited for until the deadline.
    pub(crate) async fn lease(&self, deadline: Instant) -> Result<Lease<'_>, Trouble> {
        let Ok(Ok(permit)) = timeout_at(deadline, self.permits.acquire()).await else {
            return Err(Trouble::timed_out("waiting for a connection"));
        };
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connector.connect_until(deadline).await?,
        };
        Ok(Lease { connection, pool: self, _permit: permit })
    }

    pub(crate) fn life(&self) -> u64 {
        self.life.load(Ordering::SeqCst)
    }

    /// Closes what is idle: one dead connection tells that the others are.
    pub(crate) fn forget_idle(&self) {
        self.life.fetch_add(1, Ordering::SeqCst);
        let idle = std::mem::take(&mut *self.idle());
        drop(idle);
    }
}

impl Lease<'_> {
    /// The connection is as it was when it was leased.
    pub(crate) fn give_back(self) {
        self.pool.idle().push(self.connection);
    }
}
