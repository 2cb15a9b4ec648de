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
        let debit = EntryId::debit_of(reservation.payment);
        self.ids.extend([reservation.id.0, reservation.user.0, reservation.payment.0, debit.0]);
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

#[cfg(test)]
mod tests {
    use crate::{
        command::Command,
        fixture::*,
        hold::Command::{Expire, Leave},
        id::EntryId,
        money::Amount,
        payment::Command::Refund,
        wallet::Command::{Charge, Open},
    };

    /// A sale: user 1 has paid reservation 1 of seat 1, user 2 holds seat 2 by reservation 2.
    fn sale() -> World {
        let mut world = World::with(policy(2, 9));
        world.buy(1, &ticket(1, 1), &[1]);
        world.hold(2, &ticket(2, 2), &[2]).unwrap();
        world
    }

    fn charge_as(entry: EntryId, of: u128) -> Command {
        Charge { entry, user: user(of), amount: Amount::new(5).unwrap() }.into()
    }

    fn meet(one: &Command, other: &Command) -> bool {
        let world = sale();
        let [one, other] = [one, other].map(|command| world.state.reach(&command.touches()));
        assert_eq!(one.meets(&other), other.meets(&one), "{one:?} {other:?}");
        one.meets(&other)
    }

    #[test]
    fn commands_about_one_thing_meet_whatever_they_name_it_by() {
        let two = ticket(2, 2);
        for (one, other, thing) in [
            (place(3, &ticket(3, 3), 1, &[3, 4]), place(4, &ticket(4, 4), 1, &[4, 5]), "a seat"),
            (place(3, &ticket(3, 3), 1, &[3]), place_best(4, &ticket(4, 4), 1, 2), "a hall"),
            (place_best(3, &ticket(3, 3), 1, 1), place_best(4, &ticket(4, 4), 1, 2), "a hall, by both"),
            (place(3, &ticket(3, 3), 1, &[3]), place(3, &ticket(4, 4), 2, &[4]), "a reservation to be made"),
            (place(3, &ticket(3, 3), 1, &[3]), place(4, &ticket(3, 5), 2, &[4]), "a user"),
            (Open(user(3)).into(), charge(1, 3, 5), "a wallet"),
            (charge(1, 3, 5), charge(1, 4, 5), "a ledger line"),
            (pay(2, &two), Expire(reservation(2)).into(), "a reservation"),
            (pay(2, &two), charge(1, 2, 5), "the user of a reservation"),
            (pay(2, &two), Leave(two.clone()).into(), "the reservation of a ticket"),
            (Expire(reservation(2)).into(), place(4, &ticket(4, 4), 1, &[2]), "the seat of a reservation"),
            (Refund(payment(1)).into(), charge(1, 1, 5), "the user of a payment"),
            (Refund(payment(1)).into(), place(4, &ticket(4, 4), 1, &[1]), "the seat of a payment"),
            (Refund(payment(2)).into(), pay(2, &two), "a payment to be made"),
            (
                pay(2, &two),
                charge_as(EntryId::debit_of(payment(2)), 4),
                "the ledger line of a payment to be made",
            ),
            (
                Refund(payment(1)).into(),
                charge_as(EntryId::refund_of(payment(1)), 4),
                "the ledger line of a refund",
            ),
            (place(3, &ticket(3, 3), 1, &[3]), pay(3, &ticket(3, 3)), "a reservation that is made and paid"),
        ] {
            assert!(meet(&one, &other), "{thing}");
        }
    }

    #[test]
    fn commands_about_different_things_do_not_meet_but_the_catalogue_meets_all() {
        let others = [
            place(3, &ticket(3, 3), 1, &[3]),
            place(4, &ticket(4, 4), 1, &[4]),
            place_best(5, &ticket(5, 5), 2, 2),
            pay(2, &ticket(2, 2)),
            Refund(payment(1)).into(),
            charge(1, 6, 5),
            Open(user(7)).into(),
        ];
        for (at, one) in others.iter().enumerate() {
            for other in &others[at + 1..] {
                assert!(!meet(one, other), "{one:?} {other:?}");
            }
            assert!(meet(&mark_sold_out("main", 1, true), one), "{one:?}");
        }
    }
}
