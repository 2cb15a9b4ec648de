//! Commands in short, and what their answers are about.

use chrono::{DateTime, Utc};

use crate::{
    catalog::{self, ConcertDraft, LaneChange, PerformanceDraft},
    command::Command,
    hold::{self, Reservation, SeatChoice, SeatNumber},
    id::{ConcertId, EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    money::{Amount, Money},
    outcome::{Effect, Outcome},
    payment::{self, Payment},
    ticket::{LaneName, Ticket},
    time::Timestamp,
    wallet::{self, Entry},
};

/// What a seat costs on the stage.
pub(super) const PRICE: i64 = 1_000;
pub(super) fn money(units: i64) -> Money {
    Money::new(units).expect("a case names sums of zero or more")
}

pub(super) fn lane(name: &str) -> LaneName {
    name.parse().expect("a case names lanes that are valid")
}

pub(super) fn open(user: UserId) -> Command {
    wallet::Command::Open(user).into()
}

pub(super) fn charge(entry: EntryId, user: UserId, units: i64) -> Command {
    let amount = Amount::new(units).expect("a case charges at least one unit");
    wallet::Command::Charge { entry, user, amount }.into()
}

pub(super) fn place(
    reservation: ReservationId,
    ticket: &Ticket,
    performance: PerformanceId,
    seats: &[SeatNumber],
) -> Command {
    let choice = SeatChoice::Exact(seats.to_vec());
    hold::Command::Place { reservation, ticket: ticket.clone(), performance, choice }.into()
}

pub(super) fn place_best(
    reservation: ReservationId,
    ticket: &Ticket,
    performance: PerformanceId,
    count: u32,
) -> Command {
    let choice = SeatChoice::Best(count);
    hold::Command::Place { reservation, ticket: ticket.clone(), performance, choice }.into()
}

pub(super) fn release(reservation: ReservationId, user: UserId) -> Command {
    hold::Command::Release { reservation, user }.into()
}

pub(super) fn expire(reservation: ReservationId) -> Command {
    hold::Command::Expire(reservation).into()
}

pub(super) fn pay(reservation: ReservationId, ticket: &Ticket) -> Command {
    payment::Command::Pay { reservation, ticket: ticket.clone() }.into()
}

pub(super) fn refund(payment: PaymentId) -> Command {
    payment::Command::Refund(payment).into()
}

pub(super) fn set_lane(name: &LaneName, change: LaneChange) -> Command {
    catalog::Command::SetLane(name.clone(), change).into()
}

/// Notes whether the lane is sold out, as judged by settings of this revision.
pub(super) fn mark_sold_out(lane: &LaneName, revision: u64, sold_out: bool) -> Command {
    catalog::Command::MarkSoldOut { lane: lane.clone(), revision, sold_out }.into()
}

pub(super) fn concert(id: ConcertId, lane: &LaneName, performances: Vec<PerformanceDraft>) -> ConcertDraft {
    ConcertDraft { id, title: "A concert".into(), lane: lane.clone(), performances }
}

pub(super) fn performance(id: PerformanceId, begins: Timestamp, seats: u32) -> PerformanceDraft {
    PerformanceDraft {
        id,
        venue: "A hall".into(),
        starts_at: DateTime::<Utc>::from(begins).fixed_offset(),
        zone: None,
        price: money(PRICE),
        seats,
        on_sale: true,
    }
}

pub(super) fn reservation_of(outcome: &Outcome) -> Reservation {
    match &outcome.effect {
        Effect::Reservation(reservation) => reservation.clone(),
        other => panic!("a hold answers with a reservation, not {other:?}"),
    }
}

pub(super) fn payment_of(outcome: &Outcome) -> Payment {
    match &outcome.effect {
        Effect::Payment { payment, .. } => payment.clone(),
        other => panic!("a payment answers with a payment, not {other:?}"),
    }
}

pub(super) fn entry_of(outcome: &Outcome) -> Entry {
    match &outcome.effect {
        Effect::Entry(entry) => entry.clone(),
        other => panic!("a charge answers with an entry, not {other:?}"),
    }
}
