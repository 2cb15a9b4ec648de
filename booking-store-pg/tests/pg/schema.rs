//! The schema: migrations, and that every statement fits it.

use sqlx::{Executor, SqlSafeStr};

use crate::support::database::{Database, TestClock, connect};

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
