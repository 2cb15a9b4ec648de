//! What became of a commit whose answer was lost.

use sqlx::{query, raw_sql};
use tokio::time::Instant;

use super::{load, rows, turn::FirstEvent};
use crate::{pool::Connector, trouble::Trouble};

const EVENT: &str = rows::log!("made = $1", "seq = $1");
/// What was decided on the catalogue of before can't be saved any more, should it still be on its way.
const FENCE: &str = "UPDATE log_head SET catalog_version = catalog_version + 1";

pub(super) const STATEMENTS: &[&str] = &[EVENT, FENCE];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Committed,
    Undone,
}

/// Whether the batch with this first event is in the log.
///
/// Whoever saves holds the head of the log until the end of the transaction, whatever end that is. So once the head can be
/// locked, it has ended or not yet begun, and the log tells which: with this event at its place it was committed; without,
/// it was not, and never will be.
pub(super) async fn verdict(
    connector: &Connector,
    first: &FirstEvent,
    by: Instant,
) -> Result<Verdict, Trouble> {
    let mut connection = connector.connect_until(by).await?;
    raw_sql("BEGIN").execute(&mut connection).await?;
    load::lock_head(&mut connection).await?;
    let found = query(EVENT).bind(first.seq).fetch_optional(&mut connection).await?;
    if let Some(row) = found {
        let told = rows::event(&row)?;
        // Another instance may have taken the number after this batch was undone.
        let own = told.at == first.at && told.event == first.event;
        return Ok(if own { Verdict::Committed } else { Verdict::Undone });
    }
    query(FENCE).execute(&mut connection).await?;
    raw_sql("COMMIT").execute(&mut connection).await?;
    Ok(Verdict::Undone)
}
