//! Events and ledger lines as moments that people can read. Nothing is decided here: where a hold ran out without
//! anybody having written it down, the server said so.

use std::collections::BTreeMap;

use booking_api::Entry;
use booking_core::{
    Event, RecordedEvent,
    hold::{self, ReservationStatus, SeatsOf},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::Standing;
use crate::{console::grouped, told};

/// Something that happened to somebody's seats or money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Moment {
    pub(super) at: DateTime<Utc>,
    pub(super) what: &'static str,
    pub(super) told: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    performance_id: Option<Uuid>,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    seats: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
}

/// The seats an event moved, and whose they were.
pub(super) fn about(event: &hold::Event) -> SeatsOf {
    match event {
        hold::Event::SeatsHeld(made) => told::of_reservation(made),
        hold::Event::HoldReleased(of)
        | hold::Event::HoldExpired(of)
        | hold::Event::SeatsSold(of)
        | hold::Event::SeatsReturned(of) => of.clone(),
    }
}

fn of_holds(events: &[RecordedEvent]) -> impl Iterator<Item = &hold::Event> {
    events.iter().filter_map(|recorded| match &recorded.event {
        Event::Hold(event) => Some(event),
        _ => None,
    })
}

/// Reservations of which nothing but the hold is told: live ones, and those that ran out and were not swept.
pub(super) fn without_end(events: &[RecordedEvent]) -> Vec<Uuid> {
    let mut open = Vec::new();
    for event in of_holds(events) {
        let reservation = about(event).reservation.0;
        if matches!(event, hold::Event::SeatsHeld(_)) {
            open.push(reservation);
        } else {
            open.retain(|held| *held != reservation);
        }
    }
    open
}

/// The moments of events, in the order in which they took effect: a hold runs out at its end, whenever that was written
/// down.
pub(super) fn of_events(events: &[RecordedEvent], standing: &Standing) -> Vec<Moment> {
    let mut ends: BTreeMap<Uuid, DateTime<Utc>> = BTreeMap::new();
    let mut moments = Vec::new();
    for event in of_holds(events) {
        let of = about(event);
        let end = ends.get(&of.reservation.0).copied().unwrap_or(of.at.into());
        moments.push(match event {
            hold::Event::SeatsHeld(made) => {
                ends.insert(made.id.0, made.hold_until.into());
                held(made)
            }
            hold::Event::HoldExpired(_) => ran_out(&of, end),
            hold::Event::HoldReleased(_) => moment(&of, "released", "given back by the owner or an operator"),
            hold::Event::SeatsSold(_) => moment(&of, "sold", "paid: the seat is the user's"),
            hold::Event::SeatsReturned(_) => {
                moment(&of, "refunded", "the payment was given back: for sale again")
            }
        });
    }
    let open = without_end(events);
    for event in of_holds(events).filter(|event| matches!(event, hold::Event::SeatsHeld(_))) {
        let of = about(event);
        let status = standing.get(&of.reservation.0).map(|reservation| reservation.status);
        if let (true, Some(ReservationStatus::Expired), Some(end)) =
            (open.contains(&of.reservation.0), status, ends.get(&of.reservation.0))
        {
            moments.push(ran_out(&of, *end));
        }
    }
    moments.sort_by_key(|moment| moment.at);
    moments
}

fn held(made: &hold::Reservation) -> Moment {
    let until = told::instant(made.hold_until.into());
    let due = format!("until {until}, {} due as payment {}", grouped(made.amount.units()), made.payment);
    Moment {
        payment_id: Some(made.payment.0),
        amount: Some(made.amount.units()),
        ..moment(&told::of_reservation(made), "held", &due)
    }
}

fn ran_out(of: &SeatsOf, end: DateTime<Utc>) -> Moment {
    Moment { at: end, ..moment(of, "ran out", "not paid in time: anybody could hold it from then on") }
}

fn moment(of: &SeatsOf, what: &'static str, remark: &str) -> Moment {
    let (seats, performance) = (told::seats(&of.seats), of.performance);
    let whose = format!("{seats} of performance {performance} by user {}", of.user);
    Moment {
        at: of.at.into(),
        what,
        told: format!("{whose}, {remark}; reservation {}", of.reservation),
        user_id: Some(of.user.0),
        reservation_id: Some(of.reservation.0),
        performance_id: Some(of.performance.0),
        seats: of.seats.to_vec(),
        payment_id: None,
        amount: None,
    }
}

/// A line of the ledger.
pub(super) fn of_entry(entry: &Entry) -> Moment {
    let (amount, after) = (grouped(entry.amount), grouped(entry.balance_after));
    let (what, moved) = match entry.kind.as_str() {
        "charge" => ("charged", "put into the wallet"),
        "debit" => ("paid", "taken from the wallet"),
        _ => ("money back", "given back to the wallet"),
    };
    let payment = entry.payment_id.map(|payment| format!("; payment {payment}")).unwrap_or_default();
    Moment {
        at: entry.at,
        what,
        told: format!("{amount} {moved}, which leaves {after}{payment}"),
        user_id: None,
        reservation_id: None,
        performance_id: None,
        seats: Vec::new(),
        payment_id: entry.payment_id,
        amount: Some(entry.amount),
    }
}

#[cfg(test)]
mod tests {
    use booking_core::{
        Epoch, LaneName, Money, Ticket, Timestamp,
        id::{PaymentId, PerformanceId, ReservationId, UserId},
    };

    use super::*;

    const SECOND: i64 = 1_000_000;

    fn reservation(number: u128, at: i64) -> hold::Reservation {
        let user = UserId(Uuid::from_u128(number));
        let ticket = Ticket { lane: LaneName::main(), epoch: Epoch(1), seq: 1, user };
        hold::Reservation {
            id: ReservationId(Uuid::from_u128(number)),
            user,
            performance: PerformanceId(Uuid::from_u128(99)),
            seats: [17].as_slice().into(),
            ticket,
            payment: PaymentId(Uuid::from_u128(number)),
            amount: Money::new(5).unwrap(),
            created_at: Timestamp::from_micros(at * SECOND),
            hold_until: Timestamp::from_micros((at + 10) * SECOND),
            status: ReservationStatus::Held,
        }
    }

    fn log(events: Vec<(i64, hold::Event)>) -> Vec<RecordedEvent> {
        let record = |(seq, (at, event)): (u64, (i64, hold::Event))| RecordedEvent {
            seq,
            at: Timestamp::from_micros(at * SECOND),
            event: event.into(),
        };
        (1..).zip(events).map(record).collect()
    }

    fn of(reservation: &hold::Reservation, at: i64) -> SeatsOf {
        SeatsOf { at: Timestamp::from_micros(at * SECOND), ..told::of_reservation(reservation) }
    }

    /// What happened to whom at which second.
    fn told(moments: &[Moment]) -> Vec<(i64, &str, u128)> {
        let whose = |moment: &Moment| moment.user_id.map_or(0, |user| user.as_u128());
        moments.iter().map(|moment| (moment.at.timestamp(), moment.what, whose(moment))).collect()
    }

    #[test]
    fn a_hold_that_was_swept_late_ran_out_before_the_next_one_began() {
        let (first, next) = (reservation(1, 0), reservation(2, 11));
        let events = log(vec![
            (0, hold::Event::SeatsHeld(first.clone().into())),
            (11, hold::Event::SeatsHeld(next.clone().into())),
            (12, hold::Event::HoldExpired(of(&first, 12))),
            (13, hold::Event::SeatsSold(of(&next, 13))),
        ]);
        assert_eq!(without_end(&events), [] as [Uuid; 0]);
        let moments = of_events(&events, &Standing::new());
        let expected = [(0, "held", 1), (10, "ran out", 1), (11, "held", 2), (13, "sold", 2)];
        assert_eq!(told(&moments), expected);
    }

    #[test]
    fn a_hold_that_nobody_swept_ran_out_if_the_server_says_so() {
        let made = reservation(1, 0);
        let events = log(vec![(0, hold::Event::SeatsHeld(made.clone().into()))]);
        assert_eq!(without_end(&events), [made.id.0]);
        let standing =
            |status| Standing::from([(made.id.0, hold::Reservation { status, ..made.clone() }.into())]);
        let expired = of_events(&events, &standing(ReservationStatus::Expired));
        assert_eq!(told(&expired), [(0, "held", 1), (10, "ran out", 1)]);
        let held = of_events(&events, &standing(ReservationStatus::Held));
        assert_eq!(told(&held), [(0, "held", 1)]);
    }
}
