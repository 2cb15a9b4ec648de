//! A database a test, copied from one that is migrated once.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, Instant},
};

use booking_core::{BookingPolicy, Timestamp};
use booking_store_pg::{PgConfig, PgStore};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions, raw_sql};
use uuid::Uuid;

/// When the clock of every test begins.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// In place of the clock of the system: a row.
const TEST_CLOCK: &str = "\
    CREATE TABLE test_clock (micros bigint NOT NULL); \
    CREATE OR REPLACE FUNCTION booking_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$ \
    BEGIN RETURN (SELECT timestamptz 'epoch' + micros * interval '1 microsecond' FROM test_clock); END $$";

/// The address of a superuser of the server that is there for the tests.
pub(crate) fn server() -> String {
    std::env::var("BOOKING_TEST_PG").unwrap_or_else(|_| {
        panic!("BOOKING_TEST_PG is not set: run the tests with a PostgreSQL of their own by `scripts/with-servers cargo test`")
    })
}

/// A database of a test; it is gone when this is.
pub(crate) struct Database {
    server: String,
    name: String,
}

/// Which clock a database goes by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TestClock {
    /// That of the server.
    Real,
    /// A row that tests write.
    Moved,
}

pub(crate) async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("an address of PostgreSQL");
    options
        .connect()
        .await
        .unwrap_or_else(|error| panic!("no PostgreSQL answers at BOOKING_TEST_PG: {error}"))
}

pub(crate) async fn run(connection: &mut PgConnection, sql: &str) {
    let done = raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn url_of(server: &str, database: &str) -> String {
    let (before, _) = server.rsplit_once('/').expect("an address ends with a database");
    format!("{before}/{database}")
}

impl Database {
    /// A fresh one with the schema, at the server for the tests.
    pub(crate) async fn new(clock: TestClock) -> Self {
        Self::on(&server(), clock).await
    }

    /// A fresh one with the schema.
    pub(crate) async fn on(server: &str, clock: TestClock) -> Self {
        let mut admin = connect(server).await;
        let template = template(server, &mut admin, clock).await;
        let database = Self { server: server.into(), name: format!("test_{}", Uuid::new_v4().simple()) };
        run(&mut admin, &format!("CREATE DATABASE {} TEMPLATE {template}", database.name)).await;
        admin.close().await.ok();
        database
    }

    /// A fresh one with nothing in it.
    pub(crate) async fn empty() -> Self {
        let server = server();
        let mut admin = connect(&server).await;
        let database = Self { server, name: format!("test_{}", Uuid::new_v4().simple()) };
        run(&mut admin, &format!("CREATE DATABASE {}", database.name)).await;
        admin.close().await.ok();
        database
    }

    pub(crate) fn url(&self) -> String {
        url_of(&self.server, &self.name)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // The test may be inside a runtime, where one can't wait.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let Ok(options) = server.parse::<PgConnectOptions>() else { return };
                // A server that a test has stopped is gone with all its databases.
                if let Ok(mut admin) = options.connect().await {
                    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    raw_sql(AssertSqlSafe(drop)).execute(&mut admin).await.ok();
                }
            });
        });
        dropped.join().ok();
    }
}

/// The name of the migrated database the others are copies of; the first test that asks makes it.
async fn template(server: &str, admin: &mut PgConnection, clock: TestClock) -> String {
    let mut hasher = DefaultHasher::new();
    booking_store_pg::schema().hash(&mut hasher);
    let kind = if clock == TestClock::Real { "real" } else { "moved" };
    let name = format!("booking_{kind}_{:x}", hasher.finish());
    run(admin, "SELECT pg_advisory_lock(1)").await;
    let known: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_optional(&mut *admin)
        .await
        .expect("a list of databases");
    if known.is_none() {
        let building = format!("{name}_building");
        run(admin, &format!("DROP DATABASE IF EXISTS {building} WITH (FORCE)")).await;
        run(admin, &format!("CREATE DATABASE {building}")).await;
        build(&url_of(server, &building), clock).await;
        run(admin, &format!("ALTER DATABASE {building} ALLOW_CONNECTIONS false")).await;
        run(
            admin,
            &format!(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{building}'"
            ),
        )
        .await;
        run(admin, &format!("ALTER DATABASE {building} RENAME TO {name}")).await;
    }
    run(admin, "SELECT pg_advisory_unlock(1)").await;
    name
}

async fn build(url: &str, clock: TestClock) {
    let store = PgStore::connect(PgConfig::new(url, BookingPolicy::default())).await;
    drop(store.expect("the template is migrated"));
    if clock == TestClock::Moved {
        let mut connection = connect(url).await;
        run(&mut connection, TEST_CLOCK).await;
        run(&mut connection, &format!("INSERT INTO test_clock VALUES ({})", START.micros())).await;
        connection.close().await.ok();
    }
}

/// Moves the clock of a database and gives what it shows then.
pub(crate) async fn advance(connection: &mut PgConnection, by: Duration) -> Timestamp {
    let by = i64::try_from(by.as_micros()).expect("a test moves the clock by less than that");
    let moved = sqlx::query_scalar("UPDATE test_clock SET micros = micros + $1 RETURNING micros");
    Timestamp::from_micros(moved.bind(by).fetch_one(connection).await.expect("the clock is there"))
}

/// Returns when a session of the database waits for a lock. Not within a transaction: there the activity stays what it was
/// when it was looked at first.
pub(crate) async fn until_somebody_waits(onlooker: &mut PgConnection) {
    let waiting = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let begin = Instant::now();
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *onlooker).await.expect("a count") == 0 {
        assert!(begin.elapsed() < Duration::from_secs(20), "nobody waits for a lock");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The port in an address.
pub(crate) fn port(url: &str) -> u16 {
    let options: PgConnectOptions = url.parse().expect("an address");
    options.get_port()
}
