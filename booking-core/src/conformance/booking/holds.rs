//! Holding seats and giving them back (H1 to H6).

use super::{
    Factory,
    stage::{
        PRICE, SEATS, Stage, TTL, concert, generous, lane, money, pay, performance, place, refund, release,
        reservation_of, set_lane,
    },
};
use crate::{
    catalog::{LaneChange, PerformanceDraft},
    hold::{self, ReservationStatus, SeatNumber, SeatStatus},
    id::{ConcertId, PaymentId, PerformanceId, ReservationId},
    outcome::Effect,
    policy::BookingPolicy,
    refusal::Refusal,
    ticket::{EndReason, LaneName},
};

pub(super) fn a_hold_answers_with_its_expiry_and_the_payment_due(make: &Factory) {
    let stage = Stage::under(make, generous());
    let ticket = stage.guest();
    let id = ReservationId::random();
    let held = reservation_of(&stage.done(place(id, &ticket, stage.show, &[5, 2, 9])));
    assert_eq!((held.id, held.user, held.performance), (id, ticket.user, stage.show));
    assert_eq!(*held.seats, [2, 5, 9], "ascending, in whatever order they were asked for");
    assert_eq!((held.payment, held.amount), (PaymentId::of(id), money(3 * PRICE)));
    assert_eq!((held.created_at, held.hold_until), (stage.now(), stage.now().after(TTL)));
    assert_eq!((&held.ticket, held.status), (&ticket, ReservationStatus::Held));
    assert_eq!(stage.read(stage.store.reservation(ticket.user, id)), Some(held.clone()));
    assert_eq!(stage.reservations(ticket.user), [held]);
}

pub(super) fn a_held_seat_is_refused_naming_every_seat_in_conflict(make: &Factory) {
    let stage = Stage::under(make, generous());
    let (first, second, third) = (stage.guest(), stage.buyer(1), stage.guest());
    stage.held(&first, &[4, 8]);
    stage.bought(&second, &[6]);
    let refused = stage.hold(&third, &[9, 8, 7, 6, 5, 4]);
    assert_eq!(refused, Err(Refusal::SeatTaken { seats: vec![4, 6, 8] }));
}

pub(super) fn a_hold_of_several_seats_is_all_or_nothing(make: &Factory) {
    let stage = Stage::under(make, generous());
    let (first, second) = (stage.guest(), stage.guest());
    stage.held(&first, &[25]);
    let many: Vec<SeatNumber> = (1..=SEATS).collect();
    assert_eq!(stage.hold(&second, &many), Err(Refusal::SeatTaken { seats: vec![25] }));
    assert_eq!(stage.available().len(), 49, "nothing of it was held");
    assert_eq!(stage.reservations(second.user), []);
    assert_eq!(stage.history(1), []);
    let rest: Vec<SeatNumber> = many.into_iter().filter(|seat| *seat != 25).collect();
    assert_eq!(*stage.held(&second, &rest).seats, rest[..]);
    assert_eq!(stage.available(), []);
    stage.books_are_clean();
}

pub(super) fn a_hold_that_makes_no_sense_is_refused_by_its_first_fault(make: &Factory) {
    let stage = Stage::new(make);
    let side = lane("side");
    stage.done(set_lane(&side, LaneChange::default()));
    let (show, elsewhere, closed) =
        (stage.show, PerformanceId::random(), PerformanceDraft { on_sale: false, ..draft(&stage) });
    stage.put(concert(
        ConcertId::random(),
        &side,
        vec![PerformanceDraft { id: elsewhere, on_sale: false, ..draft(&stage) }],
    ));
    stage.put(concert(stage.concert, &LaneName::main(), vec![closed.clone()]));
    let (ticket, unknown) = (stage.guest(), stage.ticket(crate::id::UserId::random()));
    let hold_in = |show, ticket, seats: &[SeatNumber]| {
        stage.hold_in(show, ticket, seats).expect_err("nonsense is refused")
    };
    for nonsense in [&[][..], &[3, 4, 3][..]] {
        assert!(matches!(hold_in(PerformanceId::random(), &unknown, nonsense), Refusal::InvalidSeats(_)));
    }
    assert_eq!(hold_in(PerformanceId::random(), &unknown, &[1]), Refusal::UnknownPerformance);
    assert_eq!(hold_in(elsewhere, &ticket, &[0]), Refusal::WrongLane { lane: side });
    for seat in [0, SEATS + 1, SeatNumber::MAX] {
        let refusal = Refusal::UnknownSeat { seat: seat.into(), seats: SEATS };
        assert_eq!(hold_in(closed.id, &ticket, &[1, seat]), refusal);
    }
    assert_eq!(hold_in(closed.id, &ticket, &[1]), Refusal::NotOnSale);
    stage.held(&stage.guest(), &[1]);
    stage.held(&ticket, &[2]);
    let more = stage.ticket(ticket.user);
    for ticket in [&unknown, &ticket, &more] {
        let taken = Refusal::SeatTaken { seats: vec![1] };
        assert_eq!(hold_in(show, ticket, &[1, 3]), taken, "before it is looked at who asks");
    }
    assert_eq!(hold_in(show, &unknown, &[3]), Refusal::UnknownUser);
    for ticket in [&ticket, &more] {
        assert_eq!(hold_in(show, ticket, &[3]), Refusal::SeatLimitReached);
    }
    stage.advance_to(stage.begins());
    let late = stage.guest();
    assert_eq!(hold_in(show, &late, &[1]), Refusal::NotOnSale, "it has begun");
}

fn draft(stage: &Stage) -> PerformanceDraft {
    performance(PerformanceId::random(), stage.begins(), SEATS)
}

pub(super) fn a_user_with_a_live_hold_gets_no_second_one(make: &Factory) {
    let stage = Stage::new(make);
    let (user, other_show) = (stage.user(), stage.another_show());
    let held = stage.held(&stage.ticket(user), &[1]);
    let again = |show| stage.hold_in(show, &stage.ticket(user), &[2]);
    assert_eq!(again(stage.show), Err(Refusal::SeatLimitReached));
    assert_eq!(again(other_show), Err(Refusal::SeatLimitReached));
    let two = stage.hold(&stage.guest(), &[3, 4]);
    assert_eq!(two, Err(Refusal::SeatLimitReached), "one seat a user by default");
    stage.done(release(held.id, user));
    assert!(again(other_show).is_ok());
}

pub(super) fn bought_seats_count_towards_the_limit_of_their_performance_only(make: &Factory) {
    let policy = BookingPolicy { seats_per_user: 3, ..BookingPolicy::default() };
    let stage = Stage::under(make, policy);
    let (user, other_show) = (stage.user(), stage.another_show());
    stage.charge(user, 10 * PRICE);
    stage.bought(&stage.ticket(user), &[1, 2]);
    let more = |show, seats: &[SeatNumber]| stage.hold_in(show, &stage.ticket(user), seats);
    assert_eq!(more(stage.show, &[3, 4]), Err(Refusal::SeatLimitReached));
    let elsewhere = more(other_show, &[1, 2, 3]).expect("nothing was bought there");
    assert_eq!(more(stage.show, &[3]), Err(Refusal::SeatLimitReached), "one live reservation at a time");
    assert!(stage.pay(&elsewhere).is_ok());
    assert!(more(stage.show, &[3]).is_ok(), "two bought and one held make three");
}

pub(super) fn a_released_hold_frees_its_seats_at_once(make: &Factory) {
    let stage = Stage::under(make, generous());
    let (ticket, other) = (stage.guest(), stage.guest());
    let held = stage.held(&ticket, &[1, 2]);
    let outcome = stage.done(release(held.id, ticket.user));
    assert!(!outcome.replayed);
    assert_eq!(reservation_of(&outcome).status, ReservationStatus::Released);
    assert_eq!([stage.seat(1), stage.seat(2)], [SeatStatus::Available; 2]);
    let again = stage.done(release(held.id, ticket.user));
    assert!(again.replayed, "giving back twice changes nothing");
    stage.held(&other, &[2]);
    assert!(stage.done(release(held.id, ticket.user)).replayed);
    assert_eq!(stage.seat(2), SeatStatus::Held, "the seat is somebody else's by now");
    assert!(stage.hold(&ticket, &[1]).is_ok(), "the ticket may hold again");
    stage.books_are_clean();
}

pub(super) fn only_the_owner_can_release_a_hold(make: &Factory) {
    let stage = Stage::new(make);
    let (owner, other) = (stage.buyer(1), stage.guest());
    let held = stage.held(&owner, &[1]);
    assert_eq!(stage.ask(release(held.id, other.user)), Err(Refusal::UnknownReservation));
    assert_eq!(stage.ask(release(ReservationId::random(), owner.user)), Err(Refusal::UnknownReservation));
    assert_eq!(stage.status(&held), ReservationStatus::Held);
    assert!(stage.pay(&held).is_ok());
    assert_eq!(stage.ask(release(held.id, other.user)), Err(Refusal::UnknownReservation));
    assert_eq!(stage.ask(release(held.id, owner.user)), Err(Refusal::ReservationNotReleasable));
}

pub(super) fn leaving_gives_back_what_the_ticket_holds(make: &Factory) {
    let stage = Stage::under(make, generous());
    let (ticket, idle) = (stage.guest(), stage.guest());
    let second = stage.ticket(ticket.user);
    let (left, kept) = (stage.held(&ticket, &[1, 2]), stage.held(&second, &[3]));
    let leave = |ticket: &crate::ticket::Ticket| stage.done(hold::Command::Leave(ticket.clone()));
    let outcome = leave(&ticket);
    assert!(!outcome.replayed);
    assert_eq!(reservation_of(&outcome).id, left.id);
    assert_eq!(stage.status(&left), ReservationStatus::Released);
    assert_eq!(stage.status(&kept), ReservationStatus::Held, "another ticket's hold stays");
    assert_eq!(stage.available().len(), 49);
    assert!(leave(&ticket).replayed, "leaving twice changes nothing");
    let nothing = leave(&idle);
    assert_eq!((nothing.replayed, nothing.effect), (true, Effect::Nothing));
}

pub(super) fn one_ticket_buys_once(make: &Factory) {
    let stage = Stage::under(make, generous());
    let ticket = stage.buyer(5);
    let held = stage.held(&ticket, &[1]);
    assert_eq!(stage.hold(&ticket, &[2]), Err(Refusal::SeatLimitReached), "one live reservation a ticket");
    stage.done(pay(held.id, &ticket));
    let over = Err(Refusal::TicketOver(EndReason::Completed));
    assert_eq!(stage.hold(&ticket, &[2]), over);
    stage.done(refund(held.payment));
    assert_eq!(stage.hold(&ticket, &[2]), over, "not after a refund either");
    assert!(stage.hold(&stage.ticket(ticket.user), &[2]).is_ok(), "with a new ticket");
}

pub(super) fn a_changed_price_counts_for_new_holds_only(make: &Factory) {
    let stage = Stage::new(make);
    let (early, late) = (stage.buyer(1), stage.buyer(3));
    let held = stage.held(&early, &[1]);
    let dearer = PerformanceDraft { price: money(3 * PRICE), id: stage.show, ..draft(&stage) };
    stage.put(concert(stage.concert, &LaneName::main(), vec![dearer]));
    let paid = stage.pay(&held).expect("the old price is there");
    assert_eq!(paid.amount, money(PRICE));
    let (_, paid) = stage.bought(&late, &[2]);
    assert_eq!(paid.amount, money(3 * PRICE));
    assert_eq!([stage.balance(early.user), stage.balance(late.user)], [0, 0]);
    stage.books_are_clean();
}
