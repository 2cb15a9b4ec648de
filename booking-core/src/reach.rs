use std::collections::BTreeSet;

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use uuid::Uuid;

use crate::{
    hold::{Reservation, SeatNumber},
    id::{EntryId, PaymentId, PerformanceId},
    keys::Keys,
};

/// What deciding a batch may read and change, with what the reservations that it names lead to. Such links never change, and
/// everything else belongs to a user. Batches whose reaches don't meet decide alike in any order, on rows of before or after
/// each other, so a store may decide one while it writes another; a property test holds that.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Users, reservations, payments and ledger lines, whichever they are.
    ids: HashSet<Uuid, RandomState>,
    seats: BTreeSet<(PerformanceId, SeatNumber)>,
    /// Performances of which every seat is reached.
    halls: BTreeSet<PerformanceId>,
    /// The catalogue is what every other batch reads.
    is_catalog: bool,
}

impl Reach {
    /// What these keys name.
    pub fn of(keys: &Keys) -> Self {
        let Keys { users, tickets, reservations, payments, entries, seats, all_seats, .. } = keys;
        let users = users.iter().chain(tickets.iter().map(|ticket| &ticket.user)).map(|user| user.0);
        let reservations = reservations.iter().flat_map(|id| [id.0, PaymentId::of(*id).0]);
        let payments = payments.iter().flat_map(|id| [id.0, EntryId::refund_of(*id).0]);
        let entries = entries.iter().map(|entry| entry.0);
        Self {
            ids: users.chain(reservations).chain(payments).chain(entries).collect(),
            seats: seats.clone(),
            halls: all_seats.clone(),
            is_catalog: !(keys.concerts.is_empty() && keys.lanes.is_empty()),
        }
    }

    /// Goes on to what a reservation leads to that is named: by itself, by its payment, or as the last of its ticket.
    pub fn follow(&mut self, reservation: &Reservation) {
        self.ids.extend([reservation.id.0, reservation.user.0, reservation.payment.0]);
        self.seats.extend(reservation.seats.iter().map(|number| (reservation.performance, *number)));
    }

    /// Whether there is something that both reach.
    pub fn meets(&self, other: &Self) -> bool {
        let (few, many) = if self.ids.len() < other.ids.len() { (self, other) } else { (other, self) };
        self.is_catalog
            || other.is_catalog
            || !few.ids.is_disjoint(&many.ids)
            || !self.seats.is_disjoint(&other.seats)
            || !self.halls.is_disjoint(&other.halls)
            || self.enters(&other.halls)
            || other.enters(&self.halls)
    }

    fn enters(&self, halls: &BTreeSet<PerformanceId>) -> bool {
        !halls.is_empty() && self.seats.iter().any(|(performance, _)| halls.contains(performance))
    }
}
