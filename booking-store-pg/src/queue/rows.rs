//! Lanes and their numbers as rows.

use booking_core::{
    EndReason, Epoch, LaneName, Timestamp,
    id::UserId,
    queue::{ChangedTickets, Course, LaneRow, TicketRow},
};
use sqlx::{PgConnection, Row, postgres::PgRow, query};
use uuid::Uuid;

use crate::{
    codec::{self, At},
    trouble::{Trouble, damaged},
};

/// The clock is read outside of the query that locks, so after the lock is held.
const LOCK: &str = "\
    SELECT l.epoch, l.version, l.state::text, booking_now() \
    FROM (SELECT epoch, version, state FROM queue_lanes WHERE lane = $1 FOR NO KEY UPDATE) AS l";

const LOOK: &str = "SELECT epoch, version, state::text, booking_now() FROM queue_lanes WHERE lane = $1";

const CHANGED: &str = "\
    WITH steps AS MATERIALIZED ( \
        SELECT seqs FROM queue_steps WHERE lane = $1 AND epoch = $2 AND version > $3) \
    SELECT NULL::bigint, NULL::uuid, NULL::timestamptz, NULL::boolean, NULL::text, NULL::bigint, count(*) FROM steps \
    UNION ALL SELECT t.*, NULL FROM (SELECT DISTINCT unnest(seqs) AS seq FROM steps) AS s \
        CROSS JOIN LATERAL (SELECT seq, user_id, admitted_until, claimed, ended, departed FROM tickets \
            WHERE lane = $1 AND epoch = $2 AND seq = s.seq OFFSET 0) AS t";

const FORGET: &str = "DELETE FROM queue_steps WHERE lane = $1 AND epoch = $2 AND version <= $3";

const FROM: &str = "\
    SELECT seq, user_id, admitted_until, claimed, ended, departed FROM tickets \
    WHERE lane = $1 AND epoch = $2 AND seq > $3 ORDER BY seq LIMIT $4";

const CLOCK: &str = "SELECT booking_now()";

const MAKE: &str = "\
    INSERT INTO queue_lanes (lane, epoch, version, state) VALUES ($1, $2, 1, $3::jsonb) ON CONFLICT (lane) DO NOTHING";

const DROP: &str = "DELETE FROM queue_lanes WHERE lane = $1";

/// Who left and comes again in one batch has two rows, so those that were there move first. They are found one by one,
/// each by its whole key: joined plainly, a plan made while the table was small walks over the whole lane.
const SAVE: &str = "\
    WITH moved AS (UPDATE tickets o SET admitted_until = coalesce(t.admitted_until, o.admitted_until), \
            claimed = o.claimed OR t.claimed, ended = coalesce(t.ended, o.ended), \
            departed = coalesce(t.departed, o.departed) \
        FROM (SELECT unnest($5::bigint[]) AS seq, unnest($6::timestamptz[]) AS admitted_until, \
            unnest($7::boolean[]) AS claimed, unnest($8::text[]) AS ended, unnest($9::bigint[]) AS departed) AS t \
        CROSS JOIN LATERAL (SELECT ctid FROM tickets WHERE lane = $1 AND epoch = $2 AND seq = t.seq OFFSET 0) AS own \
        WHERE o.ctid = own.ctid RETURNING 1), \
    entered AS (INSERT INTO tickets \
            (lane, epoch, seq, user_id, drains, admitted_until, claimed, ended, departed) \
        SELECT $1, $2, t.seq, t.user_id, t.drains, t.admitted_until, t.claimed, t.ended, t.departed \
        FROM (SELECT unnest($10::bigint[]) AS seq, unnest($11::uuid[]) AS user_id, unnest($12::integer[]) AS drains, \
            unnest($13::timestamptz[]) AS admitted_until, unnest($14::boolean[]) AS claimed, \
            unnest($15::text[]) AS ended, unnest($16::bigint[]) AS departed) AS t \
        WHERE (SELECT count(*) FROM moved) >= 0), \
    step AS (INSERT INTO queue_steps (lane, epoch, version, seqs) \
        SELECT $1, $2, $3, $5::bigint[] || $10::bigint[]) \
    UPDATE queue_lanes SET version = $3, state = $4::jsonb WHERE lane = $1 RETURNING (SELECT count(*) FROM moved)";

pub(super) const STATEMENTS: &[&str] = &[LOCK, LOOK, CHANGED, FORGET, FROM, CLOCK, MAKE, DROP, SAVE];

/// So many steps of a lane are kept for those who follow it: ten seconds of a lane that takes a thousand a second.
const STEPS: i64 = 10_000;
/// How many more there may be, so that they are not deleted one by one.
const STEPS_MORE: i64 = 1_000;

/// A lane's row, and the clock.
pub(super) struct Head {
    pub(super) version: i64,
    pub(super) row: LaneRow,
    pub(super) now: Timestamp,
}

fn head(row: &PgRow) -> Result<Head, Trouble> {
    let state: String = row.try_get(2)?;
    let lane: LaneRow = serde_json::from_str(&state).map_err(damaged)?;
    let epoch = Epoch(row.try_get::<i64, _>(0)?.cast_unsigned());
    Ok(Head { version: row.try_get(1)?, row: LaneRow { epoch, ..lane }, now: row.try_get::<At, _>(3)?.0 })
}

pub(super) async fn lock(connection: &mut PgConnection, lane: &LaneName) -> Result<Option<Head>, Trouble> {
    let found = query(LOCK).bind(lane.as_str()).fetch_optional(connection).await?;
    found.as_ref().map(head).transpose()
}

pub(super) async fn look(connection: &mut PgConnection, lane: &LaneName) -> Result<Option<Head>, Trouble> {
    let found = query(LOOK).bind(lane.as_str()).fetch_optional(connection).await?;
    found.as_ref().map(head).transpose()
}

pub(super) async fn clock(connection: &mut PgConnection) -> Result<Timestamp, Trouble> {
    Ok(query(CLOCK).fetch_one(connection).await?.try_get::<At, _>(0)?.0)
}

fn ticket(row: &PgRow) -> Result<TicketRow, sqlx::Error> {
    Ok(TicketRow {
        seq: codec::count(row, 0)?,
        user: UserId(row.try_get(1)?),
        course: Course {
            admitted_until: row.try_get::<Option<At>, _>(2)?.map(|at| at.0),
            claimed: row.try_get(3)?,
            ended: row.try_get::<Option<&str>, _>(4)?.map(codec::reason).transpose()?,
            departed: row.try_get::<Option<i64>, _>(5)?.map(i64::cast_unsigned),
        },
    })
}

/// The numbers that changed after this version of a lane, in their order; none if the steps that changed them are not all
/// there any more.
pub(super) async fn changed_after(
    connection: &mut PgConnection,
    lane: &LaneName,
    version: i64,
    head: &Head,
) -> Result<Option<Vec<TicketRow>>, Trouble> {
    let changed = query(CHANGED).bind(lane.as_str()).bind(head.row.epoch.0.cast_signed()).bind(version);
    let (mut tickets, mut steps) = (Vec::new(), 0);
    for row in &changed.fetch_all(connection).await? {
        match row.try_get(6)? {
            Some(count) => steps = count,
            None => tickets.push(ticket(row)?),
        }
    }
    tickets.sort_unstable_by_key(|ticket: &TicketRow| ticket.seq);
    Ok((steps == head.version - version).then_some(tickets))
}

/// Deletes the steps of a lane that nobody follows any more, now and then.
pub(super) async fn forget_steps(
    connection: &mut PgConnection,
    lane: &LaneName,
    epoch: Epoch,
    version: i64,
) -> Result<(), Trouble> {
    if version % STEPS_MORE == 0 && version > STEPS {
        let forgetting = query(FORGET).bind(lane.as_str()).bind(epoch.0.cast_signed()).bind(version - STEPS);
        forgetting.execute(connection).await?;
    }
    Ok(())
}

/// The next numbers after this one, `most` at most.
pub(super) async fn tickets_from(
    connection: &mut PgConnection,
    lane: &LaneName,
    epoch: Epoch,
    after: u64,
    most: i64,
) -> Result<Vec<TicketRow>, Trouble> {
    let numbers =
        query(FROM).bind(lane.as_str()).bind(epoch.0.cast_signed()).bind(after.cast_signed()).bind(most);
    let found = numbers.fetch_all(connection).await?;
    Ok(found.iter().map(ticket).collect::<Result<_, _>>()?)
}

fn to_json(row: &LaneRow) -> Result<String, Trouble> {
    serde_json::to_string(row).map_err(|error| Trouble::Broken(format!("a lane can't be written: {error}")))
}

/// Makes the lane's row; false if another instance has made one meanwhile.
pub(super) async fn make(
    connection: &mut PgConnection,
    lane: &LaneName,
    row: &LaneRow,
) -> Result<bool, Trouble> {
    let made = query(MAKE).bind(lane.as_str()).bind(row.epoch.0.cast_signed()).bind(to_json(row)?);
    Ok(made.execute(connection).await?.rows_affected() == 1)
}

/// Ends the life of a lane; its numbers are of a past life then.
pub(super) async fn drop_lane(connection: &mut PgConnection, lane: &LaneName) -> Result<(), Trouble> {
    query(DROP).bind(lane.as_str()).execute(connection).await?;
    Ok(())
}

fn column<'a, R: 'a, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn until(course: &Course) -> Option<At> {
    course.admitted_until.map(At)
}

fn ended(course: &Course) -> Option<&'static str> {
    course.ended.map(EndReason::as_str)
}

fn departed(course: &Course) -> Option<i64> {
    course.departed.map(u64::cast_signed)
}

/// Saves the lane's row and the numbers that changed, as its next version.
pub(super) async fn save(
    connection: &mut PgConnection,
    lane: &LaneName,
    row: &LaneRow,
    version: i64,
    changes: &ChangedTickets,
) -> Result<(), Trouble> {
    let drains = |seq: u64| row.drained.iter().filter(|(below, _)| *below <= seq).count();
    let (moved, entered) = (&changes.moved[..], &changes.entered[..]);
    let saved = query(SAVE)
        .bind(lane.as_str())
        .bind(row.epoch.0.cast_signed())
        .bind(version)
        .bind(to_json(row)?)
        .bind(column(moved, |(seq, _)| seq.cast_signed()))
        .bind(column(moved, |(_, course)| until(course)))
        .bind(column(moved, |(_, course)| course.claimed))
        .bind(column(moved, |(_, course)| ended(course)))
        .bind(column(moved, |(_, course)| departed(course)))
        .bind(column(entered, |ticket| ticket.seq.cast_signed()))
        .bind(column(entered, |ticket| -> Uuid { ticket.user.0 }))
        .bind(column(entered, |ticket| i32::try_from(drains(ticket.seq)).unwrap_or(i32::MAX)))
        .bind(column(entered, |ticket| until(&ticket.course)))
        .bind(column(entered, |ticket| ticket.course.claimed))
        .bind(column(entered, |ticket| ended(&ticket.course)))
        .bind(column(entered, |ticket| departed(&ticket.course)))
        .fetch_optional(connection)
        .await?;
    let found: Option<i64> = saved.map(|row| row.try_get(0)).transpose()?;
    if found == i64::try_from(moved.len()).ok() {
        Ok(())
    } else {
        Err(Trouble::Broken(format!("{found:?} of {} numbers were there to be saved", moved.len())))
    }
}
