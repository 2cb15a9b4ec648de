//! Events in words for people; machines get them as they are.

use booking_core::{
    Event, RecordedEvent, Timestamp, catalog,
    hold::{self, SeatNumber, SeatsOf},
    payment, wallet,
};
use chrono::{DateTime, Utc};

use crate::console::grouped;

/// An event of the log on a line: its number, its instant, its type as in JSON, and what it is about.
pub(crate) fn line(recorded: &RecordedEvent) -> String {
    let (kind, about) = of(&recorded.event);
    format!("{:>8}  {}  {kind:<19} {about}", recorded.seq, instant(recorded.at.into()))
}

/// An instant for people: UTC, to the millisecond.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()
}

/// `seat 17`, `seats 3, 4`.
pub(crate) fn seats(numbers: &[SeatNumber]) -> String {
    let listed: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("seat{} {}", if numbers.len() == 1 { "" } else { "s" }, listed.join(", "))
}

fn of(event: &Event) -> (&'static str, String) {
    match event {
        Event::Catalog(event) => of_catalog(event),
        Event::Hold(event) => of_seats(event),
        Event::Wallet(event) => of_wallet(event),
        Event::Payment(payment::Event::PaymentMade(made)) => (
            "payment_made",
            format!(
                "{} for reservation {} by user {}, payment {}",
                grouped(made.amount.units()),
                made.reservation,
                made.user,
                made.id
            ),
        ),
        Event::Payment(payment::Event::PaymentRefunded { payment, .. }) => {
            ("payment_refunded", format!("payment {payment}"))
        }
    }
}

fn of_catalog(event: &catalog::Event) -> (&'static str, String) {
    let concert = |concert: &catalog::Concert| {
        format!("concert {}, lane {}: {}", concert.id, concert.lane, concert.title)
    };
    let performance = |date: &catalog::Performance| {
        format!("performance {} of concert {}, {}: {}", date.id, date.concert, date.starts_at, date.venue)
    };
    match event {
        catalog::Event::ConcertAdded(added) => ("concert_added", concert(added)),
        catalog::Event::ConcertChanged(changed) => ("concert_changed", concert(changed)),
        catalog::Event::PerformanceAdded(added) => ("performance_added", performance(added)),
        catalog::Event::PerformanceChanged(changed) => ("performance_changed", performance(changed)),
        catalog::Event::LaneSet { lane, .. } => {
            let settings = &lane.settings;
            let marks = [
                (settings.paused, ", paused"),
                (settings.closed, ", closed"),
                (settings.sold_out, ", sold out"),
            ];
            let marks: String = marks.iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| *mark).collect();
            ("lane_set", format!("lane {}, capacity {}{marks}", lane.name, settings.policy.capacity))
        }
    }
}

fn of_seats(event: &hold::Event) -> (&'static str, String) {
    let about = |of: &SeatsOf| {
        let (seats, performance) = (seats(&of.seats), of.performance);
        format!("{seats} of performance {performance}, user {}, reservation {}", of.user, of.reservation)
    };
    match event {
        hold::Event::SeatsHeld(made) => {
            let until = Timestamp::into(made.hold_until);
            ("seats_held", format!("{} until {}", about(&of_reservation(made)), instant(until)))
        }
        hold::Event::HoldReleased(of) => ("hold_released", about(of)),
        hold::Event::HoldExpired(of) => ("hold_expired", about(of)),
        hold::Event::SeatsSold(of) => ("seats_sold", about(of)),
        hold::Event::SeatsReturned(of) => ("seats_returned", about(of)),
    }
}

/// What a reservation and the later events about it have in common.
pub(crate) fn of_reservation(made: &hold::Reservation) -> SeatsOf {
    SeatsOf {
        reservation: made.id,
        user: made.user,
        performance: made.performance,
        seats: made.seats.clone(),
        at: made.created_at,
    }
}

fn of_wallet(event: &wallet::Event) -> (&'static str, String) {
    let about = |entry: &wallet::Entry| {
        let (amount, after) = (grouped(entry.amount.units()), grouped(entry.balance_after.units()));
        format!("{amount} of user {}, which leaves {after}, entry {}", entry.user, entry.id)
    };
    match event {
        wallet::Event::WalletOpened { user, .. } => ("wallet_opened", format!("user {user}")),
        wallet::Event::WalletCharged(entry) => ("wallet_charged", about(entry)),
        wallet::Event::WalletDebited(entry) => ("wallet_debited", about(entry)),
        wallet::Event::WalletRefunded(entry) => ("wallet_refunded", about(entry)),
    }
}
