//! What became of a commit whose answer was lost.

use sqlx::{Row, query, raw_sql};
use tokio::time::Instant;

use super::{load, rows, turn::FirstEvent};
use crate::{pool::Connector, trouble::Trouble};

const EVENT: &str = "SELECT seq, at, event::text FROM events WHERE seq = $1";

pub(super) const STATEMENTS: &[&str] = &[EVENT];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Committed,
    Undone,
}

/// Whether the batch with this first event is in the log.
///
/// The transaction held the head of the log until its end, whatever end that was. So once the head can be locked, it has
/// ended, and the log tells how: with this event at its place, or without.
pub(super) async fn verdict(
    connector: &Connector,
    first: &FirstEvent,
    by: Instant,
) -> Result<Verdict, Trouble> {
    let mut connection = connector.connect_until(by).await?;
    raw_sql("BEGIN").execute(&mut connection).await?;
    load::lock_head(&mut connection).await?;
    let found = query(EVENT).bind(first.seq).fetch_optional(&mut connection).await?;
    let Some(row) = found else { return Ok(Verdict::Undone) };
    let own = row.try_get::<i64, _>(0)? == first.seq && {
        let told = rows::event(&row)?;
        told.at == first.at && told.event == first.event
    };
    // Another instance may have taken the number after this batch was undone.
    Ok(if own { Verdict::Committed } else { Verdict::Undone })
}
