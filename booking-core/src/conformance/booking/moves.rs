//! Whether the log tells a possible story: judged event by event, without the rules' own code.

use std::collections::{HashMap, HashSet};

use crate::{
    event::{Event, RecordedEvent},
    hold::{self, Reservation, SeatNumber, SeatsOf},
    id::{PerformanceId, ReservationId},
    payment, wallet,
};

type Place = (PerformanceId, SeatNumber);

/// What the log said so far.
#[derive(Default)]
struct Story {
    /// Who has each seat.
    owners: HashMap<Place, ReservationId>,
    made: HashMap<ReservationId, Reservation>,
    sold: HashSet<ReservationId>,
    over: HashSet<ReservationId>,
}

/// Panics where a log breaks what must always hold: a seat with two owners (I1, I2), a sale at or after the end of its
/// hold (I3), a reservation that was both paid and swept (I4), a number that is missing or there twice.
pub(super) fn log_is_possible(log: &[RecordedEvent]) {
    let mut story = Story::default();
    for (number, recorded) in (1..).zip(log) {
        assert_eq!(recorded.seq, number, "events are numbered from 1 without a gap");
        match &recorded.event {
            Event::Hold(hold::Event::SeatsHeld(made)) => story.held(made, recorded),
            Event::Hold(hold::Event::SeatsSold(of)) => story.sold(of),
            Event::Hold(hold::Event::HoldReleased(of)) => story.given_back(of),
            Event::Hold(hold::Event::HoldExpired(of)) => {
                let until = story.made[&of.reservation].hold_until;
                assert!(of.at >= until, "swept before its end: {recorded:?}");
                story.given_back(of);
            }
            Event::Hold(hold::Event::SeatsReturned(of)) => {
                assert!(story.sold.remove(&of.reservation), "returned, but not sold: {recorded:?}");
                story.given_back(of);
            }
            Event::Payment(payment::Event::PaymentMade(paid)) => {
                assert!(story.sold.contains(&paid.reservation), "paid without seats: {recorded:?}");
            }
            Event::Payment(payment::Event::PaymentRefunded { .. })
            | Event::Catalog(_)
            | Event::Wallet(wallet::Event::WalletOpened { .. }) => {}
            Event::Wallet(
                wallet::Event::WalletCharged(entry)
                | wallet::Event::WalletDebited(entry)
                | wallet::Event::WalletRefunded(entry),
            ) => assert_eq!(entry.at, recorded.at, "{recorded:?}"),
        }
    }
}

impl Story {
    fn held(&mut self, made: &Reservation, recorded: &RecordedEvent) {
        assert_eq!(made.created_at, recorded.at, "{recorded:?}");
        for number in &made.seats {
            if let Some(owner) = self.owners.insert((made.performance, *number), made.id) {
                assert!(!self.sold.contains(&owner), "seat {number} was sold to {owner}: {recorded:?}");
                let until = self.made[&owner].hold_until;
                assert!(made.created_at >= until, "seat {number} was {owner}'s until {until}: {recorded:?}");
            }
        }
        assert!(self.made.insert(made.id, made.clone()).is_none(), "made twice: {recorded:?}");
    }

    fn sold(&mut self, of: &SeatsOf) {
        let until = self.made[&of.reservation].hold_until;
        assert!(of.at < until, "sold at {}, held until {until}: {of:?}", of.at);
        assert!(!self.over.contains(&of.reservation), "sold after its end: {of:?}");
        assert!(self.sold.insert(of.reservation), "sold twice: {of:?}");
        for number in &of.seats {
            let owner = self.owners.get(&(of.performance, *number));
            assert_eq!(owner, Some(&of.reservation), "seat {number} is somebody else's: {of:?}");
        }
    }

    fn given_back(&mut self, of: &SeatsOf) {
        assert!(!self.sold.contains(&of.reservation), "given back, but sold: {of:?}");
        assert!(self.over.insert(of.reservation), "given back twice: {of:?}");
        for number in &of.seats {
            if self.owners.get(&(of.performance, *number)) == Some(&of.reservation) {
                self.owners.remove(&(of.performance, *number));
            }
        }
    }
}
