//! The schema: migrations from any number of instances, and that every statement fits it.

use booking_core::BookingPolicy;
use booking_store_pg::{ConnectError, PgConfig, PgStore, SchemaStatus, check_schema, migrate_schema};
use sqlx::{Executor, SqlSafeStr};

use crate::support::database::{Database, TestClock, connect, run};

fn config(database: &Database) -> PgConfig {
    PgConfig::new(database.url(), BookingPolicy::default())
}

fn version(status: SchemaStatus) -> i32 {
    match status {
        SchemaStatus::Current { version } => version,
        other => panic!("the schema is not up to date: {other:?}"),
    }
}

#[tokio::test]
async fn every_statement_prepares_against_the_schema() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    let statements = booking_store_pg::statements();
    assert!(statements.len() >= 30, "{} statements", statements.len());
    for sql in statements {
        let prepared = (&mut connection).prepare(sql.into_sql_str()).await;
        prepared.unwrap_or_else(|error| panic!("{sql}\n{error}"));
    }
}

/// A plan is kept for as long as a connection lives, or until the table is analysed. So one made while tables were empty
/// must still look rows up by their keys.
#[tokio::test]
async fn no_statement_that_looks_rows_up_is_planned_to_read_a_whole_table_while_there_is_nothing_in_it() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    run(&mut connection, "VACUUM ANALYZE").await;
    run(&mut connection, booking_store_pg::session()).await;
    let mut looked_up = 0;
    for sql in booking_store_pg::statements() {
        if !["unnest(", "ANY(", "JOIN", "UNION"].iter().any(|sign| sql.contains(sign)) {
            continue;
        }
        let arguments =
            (1..50).take_while(|n| sql.contains(&format!("${n}"))).map(|_| "NULL").collect::<Vec<_>>();
        run(&mut connection, &format!("PREPARE looks AS {sql}")).await;
        let explain = format!("EXPLAIN (FORMAT TEXT) EXECUTE looks({})", arguments.join(", "));
        let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(explain))
            .fetch_all(&mut connection)
            .await
            .expect("a plan");
        for (at, line) in plan.iter().enumerate() {
            let scans = [
                "Seq Scan on ",
                "Index Scan using ",
                "Index Only Scan using ",
                "Index Scan Backward using ",
                "Bitmap Index Scan on ",
            ];
            if line.contains("log_head") || !scans.iter().any(|scan| line.contains(scan)) {
                continue;
            }
            let by_key = plan.get(at + 1).is_some_and(|next| next.contains("Index Cond"));
            assert!(by_key, "{sql}\n{}", plan.join("\n"));
            // By a column that is not its first, an index is read from end to end.
            let (_, index) =
                line.split_once(" using ").or_else(|| line.split_once("Scan on ")).expect("an index");
            let index = index.split(' ').next().expect("a name");
            let first: String = sqlx::query_scalar("SELECT pg_get_indexdef($1::regclass, 1, true)")
                .bind(index)
                .fetch_one(&mut connection)
                .await
                .expect("an index has a first column");
            assert!(plan[at + 1].contains(&first), "{index} begins with {first}: {sql}\n{}", plan.join("\n"));
            looked_up += 1;
        }
        run(&mut connection, "DEALLOCATE looks").await;
    }
    assert!(looked_up >= 20, "only {looked_up} lookups were seen");
}

#[tokio::test]
async fn checking_tells_what_there_is_and_changes_nothing() {
    let database = Database::empty().await;
    for _ in 0..2 {
        let status = check_schema(&database.url()).await.expect("the database answers");
        assert!(matches!(status, SchemaStatus::Behind { version: 0, newest } if newest >= 1), "{status:?}");
    }
    let migrated = version(migrate_schema(&database.url()).await.expect("it migrates"));
    assert_eq!(version(check_schema(&database.url()).await.expect("it answers")), migrated);
}

#[tokio::test]
async fn migrating_twice_changes_nothing_the_second_time() {
    let database = Database::empty().await;
    let mut connection = connect(&database.url()).await;
    let applied =
        "SELECT string_agg(version || ' ' || applied_at, ',' ORDER BY version) FROM schema_versions";
    let mut seen = Vec::new();
    for _ in 0..2 {
        migrate_schema(&database.url()).await.expect("it migrates");
        seen.push(
            sqlx::query_scalar::<_, String>(applied).fetch_one(&mut connection).await.expect("versions"),
        );
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_number_of_instances_may_migrate_at_once() {
    let database = Database::empty().await;
    let opening: Vec<_> = (0..6).map(|_| tokio::spawn(PgStore::connect(config(&database)))).collect();
    for opened in opening {
        opened.await.expect("no panic").expect("every instance opens");
    }
    assert!(version(check_schema(&database.url()).await.expect("it answers")) >= 1);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let database = Database::new(TestClock::Real).await;
    let mut connection = connect(&database.url()).await;
    run(&mut connection, "INSERT INTO schema_versions (version, name) VALUES (4711, 'of the future')").await;
    let status = check_schema(&database.url()).await.expect("it answers");
    assert!(matches!(status, SchemaStatus::Newer { version: 4711, .. }), "{status:?}");
    let refused = PgStore::connect(config(&database)).await.expect_err("an old build stays away");
    assert!(matches!(refused, ConnectError::NewerSchema { version: 4711, .. }), "{refused}");
    assert!(refused.to_string().contains("start a newer build"), "{refused}");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    let database = Database::empty().await;
    let mut connection = connect(&database.url()).await;
    // In the way of a table that comes late in the migration.
    run(&mut connection, "CREATE TABLE log_head (other integer)").await;
    PgStore::connect(config(&database)).await.expect_err("there is something in the way");
    let left: Option<String> = sqlx::query_scalar("SELECT to_regclass('lanes')::text")
        .fetch_one(&mut connection)
        .await
        .expect("it answers");
    assert_eq!(left, None);
    run(&mut connection, "DROP TABLE log_head").await;
    PgStore::connect(config(&database)).await.expect("now it migrates");
}
