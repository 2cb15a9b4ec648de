//! Lanes and their numbers as rows.

use booking_core::{
    EndReason, Epoch, LaneName, Timestamp,
    id::UserId,
    queue::{ChangedTickets, Course, LaneRow, TicketRow},
};
use sqlx::{PgConnection, Row, postgres::PgRow, query};
use uuid::Uuid;

use crate::{
    codec::{self, At, column},
    trouble::{Trouble, damaged},
};

/// The clock is read outside of the query that locks, so after the lock is held.
const LOCK: &str = "\
    SELECT l.epoch, l.version, l.stamp, l.state::text, booking_now() \
    FROM (SELECT epoch, version, stamp, state FROM queue_lanes WHERE lane = $1 FOR NO KEY UPDATE) AS l";

const LOOK: &str =
    "SELECT epoch, version, stamp, state::text, booking_now() FROM queue_lanes WHERE lane = $1";

/// The steps from a version on, that one included, as long as they are not too many, and the numbers they changed.
const CHANGED: &str = "\
    WITH steps AS MATERIALIZED ( \
        SELECT version, stamp, CASE WHEN version > $3 THEN seqs ELSE '{}' END AS seqs \
        FROM queue_steps WHERE lane = $1 AND epoch = $2 AND version >= $3), \
    near AS MATERIALIZED (SELECT version, stamp, seqs FROM ( \
            SELECT *, sum(cardinality(seqs)) OVER (ORDER BY version) - cardinality(seqs) AS before FROM steps) AS s \
        WHERE before < $4) \
    SELECT NULL::bigint, NULL::uuid, NULL::timestamptz, NULL::boolean, NULL::text, NULL::bigint, \
        array_agg(version::bigint ORDER BY version), array_agg(stamp ORDER BY version) FROM near \
    UNION ALL SELECT t.*, NULL, NULL FROM (SELECT DISTINCT unnest(seqs) AS seq FROM near) AS s \
        CROSS JOIN LATERAL (SELECT seq, user_id, admitted_until, claimed, ended, departed FROM tickets \
            WHERE lane = $1 AND epoch = $2 AND seq = s.seq OFFSET 0) AS t";

const STAMP: &str = "SELECT stamp FROM queue_steps WHERE lane = $1 AND epoch = $2 AND version = $3";

const FORGET: &str = "DELETE FROM queue_steps WHERE lane = $1 AND epoch = $2 AND version <= $3";

const FROM: &str = "\
    SELECT seq, user_id, admitted_until, claimed, ended, departed FROM tickets \
    WHERE lane = $1 AND epoch = $2 AND seq > $3 ORDER BY seq LIMIT $4";

const CLOCK: &str = "SELECT booking_now()";

const MAKE: &str = "\
    WITH made AS (INSERT INTO queue_lanes (lane, epoch, version, stamp, state) VALUES ($1, $2, 1, $3, $4::jsonb) \
        ON CONFLICT (lane) DO NOTHING RETURNING 1) \
    INSERT INTO queue_steps (lane, epoch, version, stamp, seqs) SELECT $1, $2, 1, $3, '{}' FROM made";

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
    step AS (INSERT INTO queue_steps (lane, epoch, version, stamp, seqs) \
        SELECT $1, $2, $3, $17, $5::bigint[] || $10::bigint[]) \
    UPDATE queue_lanes SET version = $3, stamp = $17, state = $4::jsonb WHERE lane = $1 RETURNING (SELECT count(*) FROM moved)";

pub(super) const STATEMENTS: &[&str] = &[LOCK, LOOK, CHANGED, STAMP, FORGET, FROM, CLOCK, MAKE, DROP, SAVE];

/// So many steps of a lane are kept for those who follow it: ten seconds of a lane that takes a thousand a second.
const STEPS: i64 = 10_000;
/// How many more there may be, so that they are not deleted one by one.
const STEPS_MORE: i64 = 1_000;
/// Who has to follow more numbers than this does it piece by piece, so that no statement takes long.
const MOST_CHANGED: i64 = 20_000;

/// A step of a lane. A copy of the database that goes on from before it makes another one of the same number, but hardly of
/// the same stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) epoch: Epoch,
    pub(super) version: i64,
    stamp: i64,
}

fn chance() -> i64 {
    Uuid::new_v4().as_u64_pair().0.cast_signed()
}

impl Mark {
    /// The first step of a new lane.
    pub(super) fn first() -> Self {
        Self { epoch: Epoch(chance().cast_unsigned()), version: 1, stamp: chance() }
    }

    /// A step after this one.
    pub(super) fn next(self) -> Self {
        Self { version: self.version + 1, stamp: chance(), ..self }
    }
}

/// A lane's row, and the clock.
pub(super) struct Head {
    pub(super) mark: Mark,
    pub(super) row: LaneRow,
    pub(super) now: Timestamp,
}

fn head(row: &PgRow) -> Result<Head, Trouble> {
    let state: String = row.try_get(3)?;
    let lane: LaneRow = serde_json::from_str(&state).map_err(damaged)?;
    let epoch = Epoch(row.try_get::<i64, _>(0)?.cast_unsigned());
    let mark = Mark { epoch, version: row.try_get(1)?, stamp: row.try_get(2)? };
    Ok(Head { mark, row: LaneRow { epoch, ..lane }, now: row.try_get::<At, _>(4)?.0 })
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
            ended: row.try_get::<Option<&str>, _>(4)?.map(codec::word).transpose()?,
            departed: row.try_get::<Option<i64>, _>(5)?.map(i64::cast_unsigned),
        },
    })
}

/// What happened in a lane after a step.
pub(super) enum Since {
    /// Numbers that changed, in their order, up to a step; there may be more.
    Changed(Vec<TicketRow>, Mark),
    /// The steps are not all there any more.
    Forgotten,
    /// That step never was: the lane is of an older copy of the database.
    Lost,
}

/// What changed after a step of a lane.
pub(super) async fn changed_after(
    connection: &mut PgConnection,
    lane: &LaneName,
    mark: Mark,
) -> Result<Since, Trouble> {
    let changed = query(CHANGED).bind(lane.as_str()).bind(mark.epoch.0.cast_signed());
    let changed = changed.bind(mark.version).bind(MOST_CHANGED);
    let (mut tickets, mut steps) = (Vec::new(), Vec::new());
    for row in &changed.fetch_all(connection).await? {
        match row.try_get::<Option<Vec<i64>>, _>(6)? {
            Some(versions) => steps = versions.into_iter().zip(row.try_get::<Vec<i64>, _>(7)?).collect(),
            None if row.try_get::<Option<i64>, _>(0)?.is_some() => tickets.push(ticket(row)?),
            None => {}
        }
    }
    let at = |step: Option<&(i64, i64)>| {
        step.map(|(version, stamp)| Mark { version: *version, stamp: *stamp, ..mark })
    };
    match (at(steps.first()), at(steps.last())) {
        (Some(first), _) if first.version == mark.version && first != mark => Ok(Since::Lost),
        (Some(first), Some(last)) if first == mark => {
            tickets.sort_unstable_by_key(|ticket: &TicketRow| ticket.seq);
            Ok(Since::Changed(tickets, last))
        }
        _ => Ok(Since::Forgotten),
    }
}

/// Whether a lane has no such step, although it has had as many: none knows of a step that is not kept any more.
pub(super) async fn is_lost(
    connection: &mut PgConnection,
    lane: &LaneName,
    mark: Mark,
) -> Result<bool, Trouble> {
    let asking = query(STAMP).bind(lane.as_str()).bind(mark.epoch.0.cast_signed()).bind(mark.version);
    let found = asking.fetch_optional(connection).await?;
    let stamp: Option<i64> = found.map(|row| row.try_get(0)).transpose()?;
    Ok(stamp.is_some_and(|stamp| stamp != mark.stamp))
}

/// Deletes the steps of a lane that nobody follows any more, now and then.
pub(super) async fn forget_steps(
    connection: &mut PgConnection,
    lane: &LaneName,
    mark: Mark,
) -> Result<(), Trouble> {
    let Mark { epoch, version, .. } = mark;
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
    mark: Mark,
) -> Result<bool, Trouble> {
    let made =
        query(MAKE).bind(lane.as_str()).bind(row.epoch.0.cast_signed()).bind(mark.stamp).bind(to_json(row)?);
    Ok(made.execute(connection).await?.rows_affected() == 1)
}

/// Ends the life of a lane; its numbers are of a past life then.
pub(super) async fn drop_lane(connection: &mut PgConnection, lane: &LaneName) -> Result<(), Trouble> {
    query(DROP).bind(lane.as_str()).execute(connection).await?;
    Ok(())
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

/// Saves the lane's row and the numbers that changed, as a step.
pub(super) async fn save(
    connection: &mut PgConnection,
    lane: &LaneName,
    row: &LaneRow,
    mark: Mark,
    changes: &ChangedTickets,
) -> Result<(), Trouble> {
    let drains = |seq: u64| row.drained.iter().filter(|(below, _)| *below <= seq).count();
    let (moved, entered) = (&changes.moved[..], &changes.entered[..]);
    let saved = query(SAVE)
        .bind(lane.as_str())
        .bind(row.epoch.0.cast_signed())
        .bind(mark.version)
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
        .bind(mark.stamp)
        .fetch_optional(connection)
        .await?;
    let found: Option<i64> = saved.map(|row| row.try_get(0)).transpose()?;
    if found == i64::try_from(moved.len()).ok() {
        Ok(())
    } else {
        Err(Trouble::Broken(format!("{found:?} of {} numbers were there to be saved", moved.len())))
    }
}
