//! What a batch is: answered in order, each command after the others, refusals apart.

use super::{
    Factory,
    stage::{
        PRICE, SEATS, Stage, charge, concert, entry_of, expire, generous, lane, mark_sold_out, money, open,
        pay, payment_of, performance, place, refund, release, reservation_of,
    },
};
use crate::{
    catalog::{self, PerformanceDraft},
    command::Command,
    hold::{ReservationStatus, SeatNumber, SeatStatus},
    id::{ConcertId, EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    outcome::Effect,
    refusal::Refusal,
    ticket::LaneName,
};

pub(super) fn every_command_of_a_batch_is_answered_in_order(make: &Factory) {
    let stage = Stage::new(make);
    let (ticket, stranger) = (stage.guest(), UserId::random());
    let (entry, reservation) = (EntryId::random(), ReservationId::random());
    let answers = stage.execute(vec![
        open(stranger),
        charge(entry, ticket.user, 10),
        charge(EntryId::random(), UserId::random(), 10),
        place(reservation, &ticket, stage.show, &[3]),
        expire(ReservationId::random()),
    ]);
    let effect = |at: usize| answers[at].as_ref().map(|outcome| &outcome.effect);
    assert!(matches!(effect(0), Ok(Effect::Wallet(wallet)) if wallet.user == stranger), "{:?}", answers[0]);
    assert!(matches!(effect(1), Ok(Effect::Entry(made)) if made.id == entry), "{:?}", answers[1]);
    assert_eq!(answers[2], Err(Refusal::UnknownUser));
    assert!(matches!(effect(3), Ok(Effect::Reservation(made)) if made.id == reservation), "{:?}", answers[3]);
    assert_eq!(effect(4), Ok(&Effect::Nothing), "there is nothing to sweep");
}

pub(super) fn an_empty_batch_does_nothing(make: &Factory) {
    let stage = Stage::new(make);
    let before = stage.events();
    assert_eq!(stage.execute(Vec::new()), []);
    assert_eq!(stage.events(), before);
}

pub(super) fn a_refused_command_does_not_hinder_the_others(make: &Factory) {
    let stage = Stage::new(make);
    let (ticket, other) = (stage.buyer(1), stage.guest());
    let reservation = ReservationId::random();
    let refused = || charge(EntryId::random(), UserId::random(), 1);
    let answers = stage.execute(vec![
        refused(),
        place(reservation, &ticket, stage.show, &[1]),
        place(ReservationId::random(), &other, stage.show, &[1]),
        refused(),
        pay(reservation, &ticket),
        place(ReservationId::random(), &other, stage.show, &[2]),
        refused(),
    ]);
    let went: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(went, [false, true, false, false, true, true, false], "{answers:#?}");
    assert_eq!(stage.seat(1), SeatStatus::Sold);
    assert_eq!(stage.seat(2), SeatStatus::Held);
    assert_eq!(stage.balance(ticket.user), 0);
    stage.books_are_clean();
}

pub(super) fn a_batch_over_several_performances_goes_by_the_latest_of_each(make: &Factory) {
    let stage = Stage::under(make, generous());
    let other = stage.another_show();
    let guests = [stage.guest(), stage.guest()];
    // The store has seen this one before it changes, and never that one.
    stage.held(&stage.guest(), &[1]);
    let dearer =
        PerformanceDraft { price: money(2 * PRICE), ..performance(stage.show, stage.begins(), SEATS) };
    stage.put(concert(stage.concert, &LaneName::main(), vec![dearer]));
    let shows = guests.iter().zip([stage.show, other]);
    let in_both = shows.map(|(guest, show)| place(ReservationId::random(), guest, show, &[2]));
    let answers = stage.execute(in_both.collect());
    let amounts = answers.iter().map(|held| reservation_of(held.as_ref().expect("the seat is free")).amount);
    assert_eq!(amounts.collect::<Vec<_>>(), [money(2 * PRICE), money(PRICE)]);
    stage.books_are_clean();
}

pub(super) fn a_refused_command_leaves_no_trace_and_binds_nothing(make: &Factory) {
    let stage = Stage::new(make);
    let (owner, other, stranger) = (stage.guest(), stage.guest(), stage.ticket(UserId::random()));
    let held = stage.held(&owner, &[1]);
    let (reservation, entry) = (ReservationId::random(), EntryId::random());
    let show = performance(PerformanceId::random(), stage.begins(), SEATS);
    let nowhere =
        catalog::Command::PutConcerts(vec![concert(ConcertId::random(), &lane("no-lane"), vec![show])]);
    let refused: Vec<Command> = vec![
        place(reservation, &other, stage.show, &[2, 1]),
        place(reservation, &stranger, stage.show, &[2]),
        place(reservation, &other, PerformanceId::random(), &[2]),
        place(reservation, &other, stage.show, &[SEATS + 1]),
        charge(entry, stranger.user, 5),
        pay(held.id, &owner),
        pay(held.id, &other),
        pay(reservation, &other),
        release(held.id, other.user),
        refund(PaymentId::of(held.id)),
        mark_sold_out(&lane("no-lane"), 1, true),
        nowhere.into(),
    ];
    let (events, map) = (stage.events(), stage.seat_map());
    let answers = stage.execute(refused.clone());
    assert!(answers.iter().all(Result::is_err), "{answers:#?}");
    for command in refused {
        assert!(stage.ask(command.clone()).is_err(), "{command:?}");
    }
    assert_eq!(stage.events(), events, "a refusal is no event");
    assert_eq!(stage.seat_map(), map, "a refusal moves no seat");
    assert_eq!(stage.reservations(other.user), [], "a refusal leaves no reservation");
    assert_eq!(stage.entries(other.user), [], "a refusal leaves no entry");
    let made = reservation_of(&stage.done(place(reservation, &other, stage.show, &[2])));
    assert_eq!((made.id, made.user), (reservation, other.user), "the identity is still free");
    assert_eq!(entry_of(&stage.done(charge(entry, other.user, 7))).amount, money(7));
}

pub(super) fn a_command_sees_the_effects_of_those_before_it_in_the_batch(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.ticket(UserId::random());
    let (reservation, show) = (ReservationId::random(), PerformanceId::random());
    let draft = performance(show, stage.begins(), SEATS);
    let answers = stage.execute(vec![
        catalog::Command::PutConcerts(vec![concert(ConcertId::random(), &LaneName::main(), vec![draft])])
            .into(),
        open(ticket.user),
        charge(EntryId::random(), ticket.user, PRICE),
        place(reservation, &ticket, show, &[9]),
        pay(reservation, &ticket),
        pay(reservation, &ticket),
        release(reservation, ticket.user),
        refund(PaymentId::of(reservation)),
        place(ReservationId::random(), &ticket, show, &[9]),
    ]);
    let replays: Vec<_> =
        answers.iter().map(|answer| answer.as_ref().map(|outcome| outcome.replayed)).collect();
    let expected = [
        Ok(false),
        Ok(false),
        Ok(false),
        Ok(false),
        Ok(false),
        Ok(true),
        Err(&Refusal::ReservationNotReleasable),
        Ok(false),
        Err(&Refusal::TicketOver(crate::ticket::EndReason::Completed)),
    ];
    assert_eq!(replays, expected);
    assert_eq!(stage.balance(ticket.user), PRICE, "paid and given back");
    let read = stage.read(stage.store.reservation(ticket.user, reservation));
    assert_eq!(read.map(|read| read.status), Some(ReservationStatus::Refunded));
    stage.books_are_clean();
}

pub(super) fn two_holds_of_one_seat_in_a_batch_have_one_winner(make: &Factory) {
    let stage = Stage::new(make);
    let (first, second) = (stage.guest(), stage.guest());
    let ids = (ReservationId::random(), ReservationId::random());
    let answers = stage.execute(vec![
        place(ids.0, &first, stage.show, &[7]),
        place(ids.1, &second, stage.show, &[7]),
        release(ids.0, first.user),
        place(ids.1, &second, stage.show, &[7]),
    ]);
    assert!(answers[0].is_ok(), "{:?}", answers[0]);
    assert_eq!(answers[1], Err(Refusal::SeatTaken { seats: vec![7] }));
    assert!(answers[3].is_ok(), "the seat was given back before: {:?}", answers[3]);
    assert_eq!(stage.reservations(second.user).len(), 1);
    stage.books_are_clean();
}

pub(super) fn charges_of_one_wallet_in_a_batch_add_up(make: &Factory) {
    let stage = Stage::new(make);
    let (user, other) = (stage.user(), stage.user());
    let batch = (1..=40).map(|n| charge(EntryId::random(), if n % 4 == 0 { other } else { user }, n));
    let answers = stage.execute(batch.collect());
    let mut sums = [0, 0];
    for (n, answer) in (1..=40).zip(answers) {
        let entry = entry_of(&answer.expect("a charge of a known user"));
        let sum = &mut sums[usize::from(n % 4 == 0)];
        *sum += n;
        assert_eq!((entry.amount, entry.balance_after), (money(n), money(*sum)));
    }
    assert_eq!([stage.balance(user), stage.balance(other)], sums);
    let numbers: Vec<u64> = stage.entries(user).iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=30).collect::<Vec<u64>>());
    stage.books_are_clean();
}

pub(super) fn one_user_cannot_pass_the_limit_within_a_batch(make: &Factory) {
    let stage = Stage::new(make);
    let user = stage.user();
    let batch = (1..=3).map(|seat| place(ReservationId::random(), &stage.ticket(user), stage.show, &[seat]));
    let answers = stage.execute(batch.collect());
    assert!(answers[0].is_ok(), "{:?}", answers[0]);
    assert_eq!(answers[1..], [Err(Refusal::SeatLimitReached), Err(Refusal::SeatLimitReached)]);
    assert_eq!(stage.available().len(), 49);
}

pub(super) fn a_batch_is_decided_at_one_instant(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.buyer(1);
    let reservation = ReservationId::random();
    let told = stage.events().len();
    let answers = stage.execute(vec![
        place(reservation, &ticket, stage.show, &[1]),
        pay(reservation, &ticket),
        open(UserId::random()),
    ]);
    let paid = payment_of(answers[1].as_ref().expect("the payment of a live hold"));
    let read = stage.read(stage.store.reservation(ticket.user, reservation)).expect("it was made");
    assert_eq!((read.created_at, paid.paid_at), (stage.now(), stage.now()));
    let events = stage.events().split_off(told);
    assert!(!events.is_empty() && events.iter().all(|event| event.at == stage.now()), "{events:#?}");
}

pub(super) fn a_batch_of_a_thousand_commands_is_answered_whole(make: &Factory) {
    let stage = Stage::under(make, generous());
    let show = PerformanceId::random();
    stage.put(concert(stage.concert, &LaneName::main(), vec![performance(show, stage.begins(), 250)]));
    let numbers: Vec<SeatNumber> = (1..=250).collect();
    let tickets: Vec<_> = numbers.iter().map(|_| stage.ticket(UserId::random())).collect();
    let mut batch = Vec::new();
    for (seat, ticket) in numbers.iter().zip(&tickets) {
        let reservation = ReservationId::random();
        batch.push(open(ticket.user));
        batch.push(charge(EntryId::random(), ticket.user, PRICE));
        batch.push(place(reservation, ticket, show, &[*seat]));
        batch.push(pay(reservation, ticket));
    }
    let answers = stage.execute(batch);
    assert!(answers.iter().all(Result::is_ok), "{:?}", answers.iter().find(|answer| answer.is_err()));
    let map = stage.read(stage.store.seat_map(show)).expect("the performance exists");
    assert_eq!(map.seats, vec![SeatStatus::Sold; 250]);
    stage.books_are_clean();
}
