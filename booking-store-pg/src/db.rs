//! Reading, with limits: every read answers within two seconds, one way or the other.

use std::time::Duration;

use booking_core::StoreError;
use sqlx::{
    Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    pool::{Connector, Lease, Pool},
    trouble::Trouble,
};

/// How long a read may take, waiting for a connection included.
const READ_WITHIN: Duration = Duration::from_millis(1_800);
/// How often a read is tried.
const TRIES: u32 = 4;

/// The database, for reading.
#[derive(Debug)]
pub(crate) struct Db {
    pool: Pool,
}

/// A statement with its values.
pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

impl Db {
    pub(crate) fn new(connector: Connector, connections: usize) -> Self {
        Self { pool: Pool::new(connector, connections) }
    }

    pub(crate) fn connector(&self) -> &Connector {
        self.pool.connector()
    }

    /// When a read that begins now has to have got its connection.
    pub(crate) fn deadline() -> Instant {
        Instant::now() + READ_WITHIN
    }

    /// A connection for as long as the caller needs it.
    pub(crate) async fn lease(&self, deadline: Instant) -> Result<Lease<'_>, Trouble> {
        self.pool.lease(deadline).await
    }

    /// One connection turned out to be dead: those that are idle may be as well.
    pub(crate) fn forget_idle(&self) {
        self.pool.forget_idle();
    }

    /// A number that grows whenever a connection turns out to be dead.
    pub(crate) fn life(&self) -> u64 {
        self.pool.life()
    }

    /// The rows of a statement that reads, or can be repeated: it is, when the connection turns out to be dead.
    pub(crate) async fn rows<'q>(
        &self,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Vec<PgRow>, StoreError> {
        let deadline = Self::deadline();
        let mut tries = 0;
        loop {
            tries += 1;
            let trouble = match self.rows_once(statement(), deadline).await {
                Ok(rows) => return Ok(rows),
                Err(trouble) => trouble,
            };
            let pause = Duration::from_millis(20) * tries;
            let lost = match &trouble {
                Trouble::Gone(_) => {
                    self.forget_idle();
                    true
                }
                Trouble::Again(_) => true,
                Trouble::Broken(_) | Trouble::Unknown(_) => false,
            };
            if !lost || tries == TRIES || Instant::now() + pause >= deadline {
                return Err(trouble.to_store_error());
            }
            sleep(pause).await;
        }
    }

    async fn rows_once(&self, statement: Statement<'_>, deadline: Instant) -> Result<Vec<PgRow>, Trouble> {
        let mut lease = self.pool.lease(deadline).await?;
        let rows = timeout_at(deadline, statement.fetch_all(&mut lease.connection)).await;
        match rows {
            Ok(Ok(rows)) => {
                lease.give_back();
                Ok(rows)
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Trouble::timed_out("reading")),
        }
    }

    /// The row of a statement that gives one at most.
    pub(crate) async fn row<'q>(
        &self,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Option<PgRow>, StoreError> {
        Ok(self.rows(statement).await?.pop())
    }
}

/// Makes something of each row.
pub(crate) fn decode<T>(
    rows: &[PgRow],
    make: impl Fn(&PgRow) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, StoreError> {
    let made: Result<Vec<T>, sqlx::Error> = rows.iter().map(make).collect();
    made.map_err(|error| Trouble::from(error).to_store_error())
}
