//! Putting rows in, with the indexes that follow from them, and finding them again. No rule is decided here.

use std::{collections::BTreeMap, sync::Arc};

use super::State;
use crate::{
    Row,
    catalog::{Concert, Performance},
    hold::{Reservation, ReservationStatus, Seat, SeatNumber},
    id::{ConcertId, EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    payment::Payment,
    ticket::Ticket,
    wallet::{Entry, Wallet},
};

macro_rules! rows {
    ($($row:ty, $id:ident: $of:ty;)*) => {$(
        impl Row for $row {
            type Id = $of;

            fn id(&self) -> &$of {
                &self.$id
            }
        }
    )*};
}

rows! {
    Concert, id: ConcertId;
    Performance, id: PerformanceId;
    Reservation, id: ReservationId;
    Wallet, user: UserId;
    Entry, id: EntryId;
    Payment, id: PaymentId;
}

impl State {
    pub(crate) fn put_concert(&mut self, concert: Concert) {
        self.concert_order.insert((concert.created_at, concert.id));
        self.concerts.insert(concert);
    }

    pub(crate) fn put_performance(&mut self, performance: Performance) {
        if let Some(old) = self.performances.get(&performance.id) {
            let key = (old.begins(), old.id);
            self.by_concert.get_or_default(old.concert).remove(&key);
            self.by_date.entry(old.local_date()).or_default().remove(&key);
        }
        let key = (performance.begins(), performance.id);
        self.by_concert.get_or_default(performance.concert).insert(key);
        self.by_date.entry(performance.local_date()).or_default().insert(key);
        self.performances.insert(performance);
    }

    /// Seats that are not there yet. As one, which makes full nodes where inserting seat by seat leaves them half full.
    pub(crate) fn put_new_seats(
        &mut self,
        performance: PerformanceId,
        mut seats: BTreeMap<SeatNumber, Seat>,
    ) {
        self.seats_sold += seats.values().filter(|seat| seat.is_sold()).count() as u64;
        self.seats.get_or_default(performance).append(&mut seats);
    }

    pub(crate) fn put_seat(&mut self, performance: PerformanceId, number: SeatNumber, seat: Seat) {
        let old = self.seats.get_or_default(performance).insert(number, seat);
        self.seats_sold += u64::from(seat.is_sold());
        self.seats_sold -= u64::from(old.is_some_and(|old| old.is_sold()));
    }

    pub(crate) fn put_reservation(&mut self, reservation: Arc<Reservation>) {
        let Self { by_user, reservations, .. } = self;
        let of_user = by_user.get_or_default(reservation.user);
        of_user.reservations.push(reservation.id);
        let same = |id: &&mut ReservationId| {
            reservations.get(id).is_some_and(|other| other.ticket == reservation.ticket)
        };
        match of_user.of_tickets.iter_mut().find(same) {
            Some(last) => *last = reservation.id,
            None => of_user.of_tickets.push(reservation.id),
        }
        if matches!(reservation.status, ReservationStatus::Held | ReservationStatus::Confirmed) {
            of_user.active.push(reservation.id);
        }
        if reservation.status == ReservationStatus::Held {
            self.holds.insert((reservation.hold_until, reservation.id));
        }
        self.reservations.insert(reservation);
    }

    pub(crate) fn move_reservation(&mut self, id: ReservationId, status: ReservationStatus) {
        let Some(reservation) = self.reservations.get_mut(&id) else { return };
        self.holds.remove(&(reservation.hold_until, id));
        Arc::make_mut(reservation).status = status;
        if status != ReservationStatus::Confirmed
            && let Some(of_user) = self.by_user.get_mut(&reservation.user)
        {
            of_user.active.retain(|active| *active != id);
        }
    }

    pub(crate) fn put_entry(&mut self, entry: Entry) {
        self.by_user.get_or_default(entry.user).entries.push(entry.id);
        self.entries.insert(entry);
    }

    pub(crate) fn put_payment(&mut self, payment: Payment) {
        self.by_user.get_or_default(payment.user).payments.push(payment.id);
        self.payments.insert(payment);
    }

    pub(crate) fn reservation(&self, id: ReservationId) -> Option<&Reservation> {
        self.reservations.get(&id).map(AsRef::as_ref)
    }

    /// The user's reservations whose stored status is held or confirmed.
    pub(crate) fn active_reservations(&self, user: UserId) -> impl Iterator<Item = &Reservation> {
        let active = self.by_user.get(&user).map_or(&[][..], |of_user| &of_user.active);
        active.iter().filter_map(|id| self.reservation(*id))
    }

    /// The reservation, if it is this user's: somebody else's is unknown (H6).
    pub(crate) fn owned_reservation(&self, id: ReservationId, user: UserId) -> Option<&Reservation> {
        self.reservation(id).filter(|reservation| reservation.user == user)
    }

    /// The reservation this ticket made last.
    pub(crate) fn last_reservation_of(&self, ticket: &Ticket) -> Option<&Reservation> {
        let of_tickets = self.by_user.get(&ticket.user).map_or(&[][..], |of_user| &of_user.of_tickets);
        of_tickets.iter().filter_map(|id| self.reservation(*id)).find(|last| last.ticket == *ticket)
    }
}
