//! The working set: events are all there is to it, and a part of it decides like the whole.

use crate::{
    command::Command,
    event::Event,
    fixture::*,
    hold::{self, Seat, SeatNumber},
    id::PerformanceId,
    keys::Keys,
    refusal::Refusal,
    state::{ChangedRows, Rows, State, decide},
    ticket::EndReason,
    wallet,
};

/// Decides by the rows the command touches, and by all.
fn decides_alike(world: &World, command: &Command) -> Result<Vec<Event>, Refusal> {
    let whole = decide(&world.state, command, world.now);
    let part = world.state.subset(&command.touches());
    assert_eq!(decide(&part, command, world.now), whole, "{command:?}");
    whole
}

/// Reservations in every status: 1 paid, 2 refunded, 3 released, 4 expired unswept and taken over by 5, which is live.
fn busy_world() -> World {
    let mut world = World::with(policy(2, 9));
    world.buy(1, &ticket(1, 1), &[1]);
    world.buy(2, &ticket(1, 2), &[2]);
    world.refund(2).unwrap();
    world.hold(3, &ticket(2, 3), &[3]).unwrap();
    world.release(3, 2).unwrap();
    world.hold(4, &ticket(2, 3), &[3, 4]).unwrap();
    world.pass(HOLD_TTL);
    world.hold(5, &ticket(3, 5), &[4]).unwrap();
    world
}

fn every_command() -> Vec<Command> {
    let tickets = [ticket(1, 1), ticket(2, 3), ticket(3, 5), ticket(4, 9)];
    let mut commands = vec![charge(1, 1, 5), charge(1, 9, 5), wallet::Command::Open(user(1)).into()];
    for n in 1..=6 {
        commands.push(hold::Command::Expire(reservation(n)).into());
        commands.push(crate::payment::Command::Refund(payment(n)).into());
        commands.extend((1..=4).map(|of| release(n, of)));
        for ticket in &tickets {
            commands.push(pay(n, ticket));
            commands.push(hold::Command::Leave(ticket.clone()).into());
            commands.extend([&[1][..], &[3], &[4], &[2, 7], &[51]].map(|seats| place(n, ticket, 1, seats)));
            commands.extend([1, 3, 60].map(|count| place_best(n, ticket, 1, count)));
        }
    }
    commands
}

/// Whether what `command` is refused with can be told by the catalogue and the seats it wants alone.
fn is_refused_to_all(world: &World, command: &Command) -> bool {
    let Keys { reservations, seats, all_seats, performances, users, .. } = command.touches();
    let is_known = reservations.iter().any(|id| world.state.reservations.contains(id));
    let glance = world.state.subset(&Keys { seats, all_seats, performances, ..Keys::default() });
    let theirs = |id| users.contains(&world.state.reservations[&id].user);
    let mut taken = glance.seats.iter().flat_map(|(_, seats)| seats.values());
    if is_known || taken.any(|seat| theirs(seat.reservation)) {
        return false;
    }
    let Some(refusal) = glance.refused_to_all(command, world.now) else { return false };
    assert_eq!(decide(&world.state, command, world.now), Err(refusal), "{command:?}");
    true
}

#[test]
fn who_comes_too_late_is_refused_by_the_seats_alone() {
    let world = busy_world();
    let mut commands = every_command();
    for user in [1, 2, 3, 4, 9] {
        for seats in [&[1][..], &[3], &[4], &[5], &[2, 4], &[4, 51], &[4, 4]] {
            commands.push(place(7, &ticket(user, 7), 1, seats));
        }
        commands.extend([1, 48, 49].map(|count| place_best(7, &ticket(user, 7), 1, count)));
    }
    let told = commands.iter().filter(|command| is_refused_to_all(&world, command)).count();
    assert!(told > 30, "{told} of {}", commands.len());
    let taken = place(7, &ticket(9, 7), 1, &[1, 4]);
    assert!(is_refused_to_all(&world, &taken), "also to one who is unknown");
    assert!(!is_refused_to_all(&world, &place(7, &ticket(9, 7), 1, &[5])), "it takes more");
}

#[test]
fn holds_that_find_what_is_presumed_are_decided_like_on_the_whole_state() {
    let mut world = busy_world();
    world.charge(1, 4, 700).unwrap();
    let (mut presumed, mut granted) = (0, 0);
    for user in [1, 2, 4, 9] {
        for seats in [&[1][..], &[5], &[6, 7], &[8, 9, 10], &[51], &[5, 5]] {
            let command = place(7, &ticket(user, 7), 1, seats);
            let keys = command.touches();
            let found = world.state.subset(&keys).rows();
            if !found.are_presumed(&keys) {
                continue;
            }
            let Rows { concerts, performances, .. } = found;
            let rows = Rows { concerts, performances, ..Rows::presumed(&keys, world.now) };
            let state = State::load(world.state.policy.clone(), rows);
            let decided = decide(&state, &command, world.now);
            assert_eq!(decided, decide(&world.state, &command, world.now), "{command:?}");
            presumed += 1;
            granted += usize::from(decided.is_ok());
        }
    }
    assert!(presumed >= 5 && granted >= 3, "{presumed} presumed, {granted} granted");
}

#[test]
fn the_rows_a_command_touches_decide_it_like_the_whole_state() {
    let world = busy_world();
    let granted = every_command().iter().filter(|command| decides_alike(&world, command).is_ok()).count();
    assert!(granted > 20, "{granted} granted");
}

#[test]
fn the_rows_of_a_batch_lead_to_the_same_answers_as_the_whole_state() {
    let mut world = busy_world();
    let batch = every_command();
    let mut part = world.state.subset(&Keys::of(&batch));
    for command in &batch {
        let now = world.now;
        assert_eq!(part.execute(command, now), world.state.execute(command, now), "{command:?}");
    }
}

#[test]
fn an_earlier_reservation_of_a_ticket_does_not_pass_for_its_last() {
    let mut world = World::with(policy(2, 9));
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    world.release(1, 1).unwrap();
    world.buy(2, &ticket(1, 1), &[2]);
    let batch = [release(1, 1), place(3, &ticket(1, 1), 1, &[3])];
    let mut part = world.state.subset(&Keys::of(&batch));
    let spent = Err(Refusal::TicketOver(EndReason::Completed));
    let [repeated, new] = batch.map(|command| part.execute(&command, world.now));
    assert_eq!((repeated.is_ok(), new), (true, spent));
}

#[test]
fn keys_of_nothing_known_bring_nothing() {
    let world = busy_world();
    let strangers = [place(99, &ticket(99, 99), 99, &[1]), charge(99, 99, 1), pay(99, &ticket(99, 99))];
    let part = world.state.subset(&Keys::of(&strangers));
    assert_eq!(part, State::new(policy(2, 9)));
}

#[test]
fn a_state_is_the_fold_of_its_events() {
    let mut world = busy_world();
    for command in every_command() {
        world.run(&command).ok();
    }
    let mut rebuilt = State::new(policy(2, 9));
    world.log.iter().for_each(|event| rebuilt.evolve(event));
    assert!(world.log.len() > 30, "{} events", world.log.len());
    assert_eq!(rebuilt, world.state);
}

#[test]
fn what_the_limits_look_at_does_not_grow_with_what_is_over() {
    let mut world = busy_world();
    let active =
        |world: &World, n| world.state.active_reservations(user(n)).map(|made| made.id).collect::<Vec<_>>();
    assert_eq!(active(&world, 1), [reservation(1)], "without the refunded one");
    assert_eq!(active(&world, 2), [reservation(4)], "without the released one");
    world.expire(4);
    assert_eq!(active(&world, 2), []);
}

#[test]
fn a_decision_is_the_same_each_time_it_is_asked_for() {
    let world = busy_world();
    for command in every_command() {
        let answers = [(); 2].map(|()| decide(&world.state, &command, world.now));
        assert_eq!(answers[0], answers[1], "{command:?}");
    }
}

#[test]
fn an_event_tells_which_seat_it_moved() {
    let mut world = World::with(policy(1, 2));
    let (_, events) = world.state.execute(&place(1, &ticket(1, 1), 1, &[3, 4]), world.now).unwrap();
    let moves = |n, seat| events.iter().any(|event| event.moves_seat(performance(n), seat));
    assert_eq!([moves(1, 3), moves(1, 4), moves(1, 5), moves(2, 3)], [true, true, false, false]);
}

#[test]
fn a_reservation_tells_the_event_that_made_it_whatever_became_of_it() {
    let world = busy_world();
    let mut events = 0;
    for event in &world.log {
        let Event::Hold(event) = event else { continue };
        if let Some(made) = event.made_reservation() {
            let now = world.state.reservation(made.id).expect("it stays").clone();
            assert_eq!(hold::Event::made(now), *event);
            events += 1;
        }
    }
    assert_eq!(events, 5);
}

#[test]
fn a_state_is_the_rows_it_is_loaded_from() {
    let mut world = busy_world();
    world.pass(HOLD_TTL);
    world.run(&hold::Command::Expire(reservation(5)).into()).unwrap();
    let rows = world.state.rows();
    assert!(!rows.endings.is_empty() && rows.reservations.len() == 5, "{rows:?}");
    assert_eq!(State::load(policy(2, 9), rows), world.state);
}

#[test]
fn the_seats_of_a_batch_are_taken_passed_on_or_freed() {
    let mut world = World::with(policy(2, 9));
    let first = place(1, &ticket(1, 1), 1, &[1, 2]);
    world.state.execute(&first, world.now).unwrap();
    world.pass(HOLD_TTL);
    let (mut events, taken_before) = (Vec::new(), world.state.taken_seats());
    // Seat 2 is passed on without a word of the hold that ran out, seat 4 is taken and given back, seat 1 is freed.
    for command in [
        place(2, &ticket(2, 2), 1, &[2, 3]),
        place(3, &ticket(3, 3), 1, &[4]),
        hold::Command::Release { reservation: reservation(3), user: user(3) }.into(),
        hold::Command::Expire(reservation(1)).into(),
    ] {
        events.extend(world.state.execute(&command, world.now).unwrap().1);
    }
    let changed = world.state.changed_rows(&events, &taken_before);
    let numbers = |seats: &[(PerformanceId, SeatNumber, Seat)]| -> Vec<_> {
        seats.iter().map(|(_, number, seat)| (*number, seat.reservation)).collect()
    };
    assert_eq!(numbers(&changed.seats_taken), [(3, reservation(2))]);
    assert_eq!(numbers(&changed.seats_passed_on), [(2, reservation(2))]);
    assert_eq!(changed.seats_freed, [(performance(1), 1)]);
}

/// What is left of `rows` when the changed ones are saved over them, by identity alone.
fn saved_over(mut rows: Rows, changed: &ChangedRows<'_>) -> Rows {
    fn put<T: Clone, K: PartialEq>(rows: &mut Vec<T>, new: &[&T], changed: &[&T], key: impl Fn(&T) -> K) {
        for row in changed {
            let old = rows.iter_mut().find(|old| key(old) == key(row)).expect("a changed row was there");
            *old = (*row).clone();
        }
        assert!(new.iter().all(|row| rows.iter().all(|old| key(old) != key(row))), "a new row was not there");
        rows.extend(new.iter().map(|row| (*row).clone()));
    }
    for lane in &changed.lanes {
        rows.lanes.retain(|old| old.name != lane.name);
        rows.lanes.push(lane.clone());
    }
    put(&mut rows.concerts, &changed.concerts_added, &changed.concerts_changed, |of| of.id);
    put(&mut rows.performances, &changed.performances_added, &changed.performances_changed, |of| of.id);
    put(&mut rows.wallets, &changed.wallets_opened, &changed.wallets_moved, |of| of.user);
    let made: Vec<_> = changed.reservations_made.iter().map(|(_, made)| *made).collect();
    put(&mut rows.reservations, &made, &changed.reservations_moved, |of| of.id);
    put(&mut rows.payments, &changed.payments_made, &changed.payments_refunded, |of| of.id);
    put(&mut rows.entries, &changed.entries, &[], |of| of.id);
    put(
        &mut rows.seats,
        &Vec::from_iter(&changed.seats_taken),
        &Vec::from_iter(&changed.seats_passed_on),
        |(of, number, _)| (*of, *number),
    );
    for freed in &changed.seats_freed {
        let at = rows.seats.iter().position(|(of, number, _)| (*of, *number) == *freed);
        rows.seats.remove(at.expect("a seat that is freed was there"));
    }
    for (ticket, reason) in &changed.endings {
        rows.endings.retain(|(old, _)| old != *ticket);
        rows.endings.push(((*ticket).clone(), *reason));
    }
    rows
}

#[test]
fn the_changed_rows_of_a_batch_are_all_that_must_be_saved() {
    let mut world = busy_world();
    for batch in every_command().chunks(7) {
        world.pass(HOLD_TTL / 5);
        let (before, taken_before) = (world.state.rows(), world.state.taken_seats());
        let mut events = Vec::new();
        for command in batch {
            events.extend(world.state.execute(command, world.now).map(|(_, told)| told).unwrap_or_default());
        }
        let saved = saved_over(before, &world.state.changed_rows(&events, &taken_before));
        assert_eq!(State::load(policy(2, 9), saved).rows(), world.state.rows(), "{events:#?}");
    }
}

#[test]
fn what_is_made_and_moved_on_in_one_batch_is_new_once() {
    let mut world = World::with(policy(2, 9));
    let (mut events, taken_before) = (Vec::new(), world.state.taken_seats());
    let ticket = ticket(1, 1);
    for command in [charge(1, 1, 2 * PRICE), place(1, &ticket, 1, &[3, 4]), pay(1, &ticket)] {
        events.extend(world.state.execute(&command, world.now).unwrap().1);
    }
    let changed = world.state.changed_rows(&events, &taken_before);
    assert_eq!(changed.reservations_made.len(), 1);
    assert_eq!(changed.reservations_made[0].0, 1, "the second event made it");
    assert_eq!((changed.reservations_moved.len(), changed.payments_made.len()), (0, 1));
    assert_eq!((changed.wallets_moved.len(), changed.entries.len(), changed.seats_taken.len()), (1, 2, 2));
    assert_eq!(changed.endings, [(&ticket, EndReason::Completed)]);
}
