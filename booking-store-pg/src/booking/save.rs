//! Saving the reservations and the seats that a batch changed, and what it adds to the log: only rows that changed, each kind at
//! once.

use booking_core::{
    ChangedRows, Event, Timestamp,
    hold::{self, Reservation, Seat, SeatNumber},
    id::PerformanceId,
};
use sqlx::{PgConnection, Row, query};
use uuid::Uuid;

use super::{
    load::{Head, micros},
    look::{named_seats, of_ticket, taken, tickets},
};
use crate::{
    codec::{At, Lists, column},
    db::Statement,
    trouble::Trouble,
};

/// Reservations and seats that are new, and their place in the log. All that is saved has this in common, and holds have nothing
/// else.
///
/// All of it is saved, or nothing if the head of the log has moved since the batch was decided: no row then. The head
/// comes first, so that whoever waits for another writer waits there. The clock is asked when the head is locked: the
/// filter is above the lock, since it can't be moved into a query that locks.
///
/// A row that should have been there to be changed and was not is a broken obligation, so what was changed is counted. One that
/// should not have been there is told by the index. The head moves by as many numbers as there are rows of the log. What
/// a reservation says of when it was made is the instant of its batch, which is what the log says of all else.
macro_rules! save {
    ($counted:literal, $others:expr, $are_changed:literal, $is_presumed:expr, $last_event:literal, $catalog_version:literal, $until:literal, $now:literal) => {
        concat!(
            "\
    WITH head AS (UPDATE log_head AS h SET last_event = h.last_event + cardinality($1::uuid[])",
            $counted,
            " FROM (SELECT last_event, catalog_version FROM log_head FOR NO KEY UPDATE) AS locked \
        WHERE locked.last_event = ",
            $last_event,
            "::bigint AND locked.catalog_version = ",
            $catalog_version,
            "::bigint AND (",
            $until,
            "::timestamptz IS NULL OR booking_now() < ",
            $until,
            ")",
            $is_presumed,
            " RETURNING 1), \
    made AS (INSERT INTO reservations (reservation_id, user_id, performance_id, seats, ticket_lane, \
            ticket_epoch, ticket_seq, amount, created_at, hold_until, status, made) \
        SELECT t.id, t.user_id, t.performance_id, ($6::integer[])[t.first:t.last], t.lane, t.epoch, t.seq, t.amount, ",
            $now,
            "::timestamptz, t.hold_until, t.status, ",
            $last_event,
            " + t.made \
        FROM (SELECT unnest($1::uuid[]) AS id, unnest($2::uuid[]) AS user_id, unnest($3::uuid[]) AS performance_id, \
            unnest($4::integer[]) AS first, unnest($5::integer[]) AS last, unnest($7::text[]) AS lane, \
            unnest($8::bigint[]) AS epoch, unnest($9::bigint[]) AS seq, \
            unnest($10::bigint[]) AS amount, unnest($11::timestamptz[]) AS hold_until, unnest($12::text[]) AS status, \
            unnest($13::bigint[]) AS made) AS t \
        WHERE EXISTS (SELECT FROM head)), \
    taken AS (INSERT INTO seats (performance_id, number, reservation_id, held_until) SELECT t.* \
        FROM (SELECT unnest($14::uuid[]), unnest($15::integer[]), unnest($16::uuid[]), unnest($17::timestamptz[])) AS t \
        WHERE EXISTS (SELECT FROM head))",
            $others,
            " SELECT ",
            $are_changed,
            ", ",
            micros!("booking_now()"),
            " FROM head"
        )
    };
}

const SAVE_HOLDS: &str = save!("", "", "NULL", "", "$18", "$19", "$20", "$21");
/// The same, if what was presumed of them is true: looked for as [`look`](super::look) does, nothing is there but their users,
/// and the clock has come to their instant. An identity that is there breaks the statement off. All of this may be looked for
/// before the head is locked, for the statement sees what its head of the log had seen: who names a last event knows that it was
/// committed.
const SAVE_PRESUMED: &str = save!(
    "",
    "",
    "NULL",
    concat!(
        " AND $21 <= booking_now() AND NOT EXISTS (SELECT FROM ",
        tickets!("$7", "$8", "$9", "$2"),
        " CROSS JOIN LATERAL ",
        of_ticket!(),
        " AS r) AND NOT EXISTS (",
        taken!(concat!("(", named_seats!("$14", "$15"), ")"), "AND number = t.number"),
        ") AND NOT EXISTS (SELECT FROM (SELECT unnest($2::uuid[]) AS user_id) AS t \
            WHERE NOT EXISTS (SELECT FROM users u WHERE u.user_id = t.user_id OFFSET 0))"
    ),
    "$18",
    "$19",
    "$20",
    "$21"
);
/// The same, and all else: what was there before, which are reservations that moved on, seats that others have now or that are
/// sold, and those that nobody has any more; and events. That is left out of most batches, since each change that a statement may
/// make costs it something.
const SAVE_BOOKINGS: &str = save!(
    " + cardinality($29::bigint[]), catalog_version = h.catalog_version + $18, returns = h.returns + $19, seats_sold = h.seats_sold + $20",
    concat!(
        ", moved AS (UPDATE reservations r SET status = t.status \
        FROM (SELECT t.status, r.ctid AS at FROM (SELECT unnest($21::uuid[]) AS id, unnest($22::text[]) AS status) AS t \
            CROSS JOIN LATERAL (SELECT ctid FROM reservations WHERE reservation_id = t.id OFFSET 0) AS r) AS t \
        WHERE r.ctid = t.at AND EXISTS (SELECT FROM head) RETURNING 1), \
    passed_on AS (UPDATE seats s SET reservation_id = t.reservation_id, held_until = t.held_until \
        FROM (SELECT t.reservation_id, t.held_until, s.ctid AS at \
            FROM (SELECT unnest($23::uuid[]) AS performance_id, unnest($24::integer[]) AS number, \
                unnest($25::uuid[]) AS reservation_id, unnest($26::timestamptz[]) AS held_until) AS t \
            CROSS JOIN LATERAL (SELECT ctid FROM seats \
                WHERE performance_id = t.performance_id AND number = t.number OFFSET 0) AS s) AS t \
        WHERE s.ctid = t.at AND EXISTS (SELECT FROM head) RETURNING 1), \
    freed AS (DELETE FROM seats s USING (SELECT s.ctid AS at \
            FROM (SELECT unnest($27::uuid[]) AS performance_id, unnest($28::integer[]) AS number) AS t \
            CROSS JOIN LATERAL (SELECT ctid FROM seats \
                WHERE performance_id = t.performance_id AND number = t.number OFFSET 0) AS s) AS t \
        WHERE s.ctid = t.at AND EXISTS (SELECT FROM head) RETURNING 1), \
    told AS (INSERT INTO events (seq, at, event, performance_id, seats) \
        SELECT $35 + t.n, $38, t.event, t.performance_id, ($34::integer[])[t.first:t.last] \
        FROM (SELECT unnest($29::bigint[]) AS n, unnest($30::text[]) AS event, unnest($31::uuid[]) AS performance_id, \
            unnest($32::integer[]) AS first, unnest($33::integer[]) AS last) AS t \
        WHERE EXISTS (SELECT FROM head))"
    ),
    "CASE WHEN (SELECT count(*) FROM moved) <> cardinality($21) THEN refuse_loss('reservations') \
        WHEN (SELECT count(*) FROM passed_on) <> cardinality($24) OR (SELECT count(*) FROM freed) <> cardinality($28) \
            THEN refuse_loss('seats') END",
    "",
    "$35",
    "$36",
    "$37",
    "$38"
);

pub(super) const STATEMENTS: &[&str] = &[SAVE_HOLDS, SAVE_PRESUMED, SAVE_BOOKINGS];

/// What a batch was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Basis {
    /// Rows that were loaded.
    Loaded,
    /// Rows that are compared when it is saved.
    Presumed,
}

/// The instant of a batch and its place in the log.
pub(super) struct Place {
    /// The number of the last event before it.
    pub(super) last_event: i64,
    /// The catalogue that it was decided on.
    pub(super) catalog_version: i64,
    pub(super) now: Timestamp,
    /// When it can't be saved any more; none: its instant is later than the lock.
    pub(super) until: Option<Timestamp>,
}

impl Place {
    /// Behind the head of the log, which is locked.
    pub(super) fn of(head: &Head) -> Self {
        let Head { last_event, catalog_version, now } = *head;
        Self { last_event, catalog_version, now, until: None }
    }
}

pub(super) fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Seats that somebody has as columns.
struct SeatColumns {
    performances: Vec<Uuid>,
    numbers: Vec<i32>,
    reservations: Vec<Uuid>,
    untils: Vec<Option<At>>,
}

impl SeatColumns {
    fn of(seats: &[(PerformanceId, SeatNumber, Seat)]) -> Self {
        Self {
            performances: column(seats, |(performance, _, _)| performance.0),
            numbers: column(seats, |(_, number, _)| seat_number(*number)),
            reservations: column(seats, |(_, _, seat)| seat.reservation.0),
            untils: column(seats, |(_, _, seat)| seat.held_until.map(At)),
        }
    }
}

fn seat_number(number: SeatNumber) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Reservations, seats and the log of a batch, written down for the wire. All that is open is their place in the log.
pub(super) struct Bookings(Statement<'static>);

impl Bookings {
    pub(super) fn of(changes: &ChangedRows<'_>, events: &[Event], basis: Basis) -> Result<Self, Trouble> {
        let told = Told::of(events)?;
        let (made, moved) = (&changes.reservations_made[..], &changes.reservations_moved[..]);
        let (taken, passed_on) = (&changes.seats_taken, &changes.seats_passed_on);
        let freed = &changes.seats_freed[..];
        let only_new = told.texts.is_empty() && moved.is_empty() && passed_on.is_empty() && freed.is_empty();
        let (taken, passed_on) = (SeatColumns::of(taken), SeatColumns::of(passed_on));
        let of = |value: fn(&Reservation) -> Uuid| column(made, move |(_, made)| value(made));
        let seats_made: Lists = made.iter().map(|(_, made)| Some(&made.seats[..])).collect();
        let saving = query(match (basis, only_new) {
            (Basis::Loaded, true) => SAVE_HOLDS,
            (Basis::Loaded, false) => SAVE_BOOKINGS,
            (Basis::Presumed, true) => SAVE_PRESUMED,
            (Basis::Presumed, false) => {
                return Err(Trouble::Broken("what changes rows was presumed to find none".into()));
            }
        });
        let saving = saving
            .bind(of(|made| made.id.0))
            .bind(of(|made| made.user.0))
            .bind(of(|made| made.performance.0))
            .bind(seats_made.first)
            .bind(seats_made.last)
            .bind(seats_made.numbers)
            .bind(column(made, |(_, made)| made.ticket.lane.as_str()))
            .bind(column(made, |(_, made)| made.ticket.epoch.0.cast_signed()))
            .bind(column(made, |(_, made)| made.ticket.seq.cast_signed()))
            .bind(column(made, |(_, made)| made.amount.units()))
            .bind(column(made, |(_, made)| At(made.hold_until)))
            .bind(column(made, |(_, made)| made.status.as_str()))
            .bind(column(made, |(at, _)| number(*at) + 1))
            .bind(taken.performances)
            .bind(taken.numbers)
            .bind(taken.reservations)
            .bind(taken.untils);
        if only_new {
            return Ok(Self(saving));
        }
        let saving = saving
            .bind(i64::from(changes_catalog(changes)))
            .bind(told.returns)
            .bind(changes.seats_sold)
            .bind(column(moved, |moved| moved.id.0))
            .bind(column(moved, |moved| moved.status.as_str()))
            .bind(passed_on.performances)
            .bind(passed_on.numbers)
            .bind(passed_on.reservations)
            .bind(passed_on.untils)
            .bind(column(freed, |(performance, _)| performance.0))
            .bind(column(freed, |(_, number)| seat_number(*number)))
            .bind(told.places)
            .bind(told.texts)
            .bind(told.performances)
            .bind(told.seats.first)
            .bind(told.seats.last)
            .bind(told.seats.numbers);
        Ok(Self(saving))
    }

    /// Saves them, if the head of the log is still where it is said to be: the clock after it.
    pub(super) async fn save(
        self,
        connection: &mut PgConnection,
        place: &Place,
    ) -> Result<Option<Timestamp>, Trouble> {
        let saving = self.0.bind(place.last_event).bind(place.catalog_version);
        let saving = saving.bind(place.until.map(At)).bind(At(place.now));
        // All that it says, to the end: outside of a transaction it is committed only then.
        let saved = saving.fetch_all(connection).await?;
        let clock = saved.first().map(|row| row.try_get(1)).transpose()?;
        Ok(clock.map(Timestamp::from_micros))
    }
}

/// Whether holds may read other concerts and performances from now on.
pub(super) fn changes_catalog(changes: &ChangedRows<'_>) -> bool {
    let ChangedRows { concerts_added, concerts_changed, performances_added, performances_changed, .. } =
        changes;
    !(concerts_added.is_empty()
        && concerts_changed.is_empty()
        && performances_added.is_empty()
        && performances_changed.is_empty())
}

/// The events that are not told by a reservation.
#[derive(Default)]
struct Told {
    /// Their places in the batch, from 1.
    places: Vec<i64>,
    texts: Vec<String>,
    performances: Vec<Option<Uuid>>,
    seats: Lists,
    /// Sold seats that came back.
    returns: i64,
}

impl Told {
    fn of(events: &[Event]) -> Result<Self, Trouble> {
        let mut told = Self::default();
        for (place, event) in (1..).zip(events) {
            if let Event::Hold(event) = event
                && event.made_reservation().is_some()
            {
                continue;
            }
            let text = serde_json::to_string(event);
            told.places.push(place);
            told.texts.push(text.map_err(|error| Trouble::Broken(format!("an event: {error}")))?);
            let moved = event.seats();
            told.performances.push(moved.map(|(performance, _)| performance.0));
            told.seats.push(moved.map(|(_, seats)| seats));
            told.returns += i64::from(matches!(event, Event::Hold(hold::Event::SeatsReturned(_))));
        }
        Ok(told)
    }
}
