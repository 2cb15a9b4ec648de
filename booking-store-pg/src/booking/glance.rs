//! A glance at the seats that holds name, for those who come too late: what somebody else has is nobody's for now, whoever
//! asks. While a rush has losers it spares them the look at who they are, which costs several times as much. The best seats are
//! not glanced at, since whose they are would have to be found for a whole hall.

use std::collections::HashSet;

use booking_core::{
    BookingPolicy, Command, Keys, Refusal, Rows, State, Timestamp,
    hold::{self, SeatChoice},
    id::{ReservationId, UserId},
};
use sqlx::query;
use uuid::Uuid;

use super::{
    load::{micros, uuids},
    look::{named_seats, numbers_of, taken},
    rows,
    session::Session,
};
use crate::trouble::Trouble;

/// Which of these reservations are there, and which of these seats somebody has: whose they are, and until when.
const GLANCE: &str = concat!(
    "SELECT catalog_version, ",
    micros!("(SELECT booking_now())"),
    ", (SELECT array_agg(reservation_id) FROM reservations WHERE reservation_id = ANY($1)), taken.* \
    FROM log_head CROSS JOIN (SELECT array_agg(s.performance_id), array_agg(s.number::integer), array_agg(s.reservation_id), \
        array_agg(s.held_until), array_agg(r.user_id) FROM (",
    taken!(concat!("(", named_seats!("$2", "$3"), ")"), "AND number = t.number"),
    ") AS s CROSS JOIN LATERAL (SELECT user_id FROM reservations WHERE reservation_id = s.reservation_id OFFSET 0) AS r) AS taken"
);

pub(super) const STATEMENTS: &[&str] = &[GLANCE];

/// Whether a glance may tell what becomes of a command: a hold of seats that it names.
pub(super) fn may_tell(command: &Command) -> bool {
    matches!(command, Command::Hold(hold::Command::Place { choice: SeatChoice::Exact(_), .. }))
}

/// What was seen of holds.
pub(super) struct Glance {
    /// The catalogue and the seats.
    state: State,
    now: Timestamp,
    /// Reservations that are there already.
    made: HashSet<ReservationId>,
    /// Who has any of the seats.
    owners: HashSet<UserId>,
}

impl Glance {
    pub(super) async fn at(
        session: &mut Session,
        policy: &BookingPolicy,
        batch: &[&Command],
    ) -> Result<Self, Trouble> {
        let keys = Keys::of(batch.iter().copied());
        let (performances, numbers) = numbers_of(&keys);
        let row = query(GLANCE)
            .bind(uuids(&keys.reservations, |id| id.0))
            .bind(performances)
            .bind(numbers)
            .fetch_one(&mut session.connection)
            .await?;
        let version = rows::get(&row, 0)?;
        let made: Vec<Uuid> = rows::list(&row, 2)?;
        let owners: Vec<Uuid> = rows::list(&row, 7)?;
        let seats = Rows { seats: rows::seats(&row, 3)?, ..Rows::default() };
        let mut state = State::load(policy.clone(), seats);
        state.add(session.catalog.load(&mut session.connection, version, &keys).await?);
        Ok(Self {
            state,
            now: Timestamp::from_micros(rows::get(&row, 1)?),
            made: made.into_iter().map(ReservationId).collect(),
            owners: owners.into_iter().map(UserId).collect(),
        })
    }

    /// The refusal of a command that a glance may tell, if this is enough to tell it: nothing is to be repeated then, and the seats
    /// are not those of who asks.
    pub(super) fn refusal(&self, command: &Command) -> Option<Refusal> {
        let Command::Hold(hold::Command::Place { reservation, ticket, .. }) = command else { return None };
        if !may_tell(command) || self.made.contains(reservation) || self.owners.contains(&ticket.user) {
            return None;
        }
        self.state.refused_to_all(command, self.now)
    }
}
