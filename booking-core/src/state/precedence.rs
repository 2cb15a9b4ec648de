//! The refusals of each command in order of precedence, and that each wins over all below it: for every row, a world
//! in which that refusal and as many lower ones as can be apply at once, and for every two that can meet, both alone.

use std::sync::Arc;

use crate::{
    command::Command,
    fixture::*,
    hold::Seat,
    policy::BookingPolicy,
    refusal::Refusal,
    ticket::{EndReason, Ticket},
};

/// A table: the reasons to refuse, highest first; which two can't meet; and how to stage some of them at once.
struct Table<R: 'static> {
    rows: &'static [R],
    exclude_each_other: fn(R, R) -> bool,
    stage: fn(&[R]) -> (World, Command),
    refusal: fn(R) -> Refusal,
}

impl<R: Copy + PartialEq + std::fmt::Debug> Table<R> {
    fn expect(&self, reasons: &[R]) {
        let (mut world, command) = (self.stage)(reasons);
        assert_eq!(world.run(&command), Err((self.refusal)(reasons[0])), "staged: {reasons:?}");
    }

    fn can_meet(&self, chosen: &[R], next: R) -> bool {
        chosen.iter().all(|one| !(self.exclude_each_other)(*one, next))
    }

    fn check(&self) {
        let (mut granted, command) = (self.stage)(&[]);
        granted.run(&command).expect("with no reason to refuse it is granted");
        for (at, row) in self.rows.iter().enumerate() {
            let mut all = vec![*row];
            for lower in &self.rows[at + 1..] {
                if self.can_meet(&all, *lower) {
                    all.push(*lower);
                }
                if self.can_meet(&[*row], *lower) {
                    self.expect(&[*row, *lower]);
                }
            }
            self.expect(&all);
            self.expect(&[*row]);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Hold {
    Senseless,
    KeyReused,
    UnknownPerformance,
    WrongLane,
    UnknownSeat,
    OffSale,
    Taken,
    NotAdjacent,
    UnknownUser,
    TicketPaid,
    TicketRanOut,
    LimitReached,
    TooDear,
}

/// User 1 wants the seats 1 and 2 with ticket 1.
fn stage_hold(reasons: &[Hold]) -> (World, Command) {
    use Hold::*;
    let is = |reason| reasons.contains(&reason);
    let mut world = World::with(policy(2, 3));
    let mut concert = draft();
    let wanted = ticket(if is(UnknownUser) { 9 } else { 1 }, 1);
    if is(TicketRanOut) {
        world.hold(10, &wanted, &[10]).unwrap();
        world.pass(HOLD_TTL);
    }
    if is(TicketPaid) {
        world.buy(10, &wanted, &[10]);
    }
    if is(LimitReached) {
        world.hold(11, &ticket(1, 11), &[11, 12]).unwrap();
    }
    if is(KeyReused) {
        world.hold(1, &ticket(3, 13), &[13]).unwrap();
    }
    if is(Taken) {
        world.hold(12, &ticket(2, 12), &[1, 2]).unwrap();
    }
    if is(WrongLane) {
        let hot = crate::catalog::Command::SetLane(lane("hot"), crate::catalog::LaneChange::default());
        world.run(&hot.into()).unwrap();
        concert.lane = lane("hot");
    }
    concert.performances[0].on_sale = !is(OffSale);
    if is(TooDear) {
        concert.performances[0].price = money(i64::MAX);
    }
    if is(NotAdjacent) {
        let sold = Seat { reservation: reservation(14), held_until: None };
        let odd = (1..=50).step_by(2).map(|seat| (seat, sold));
        world.state.seats.get_or_default(performance(1)).extend(odd);
    }
    world.put(concert);
    let mut seats = vec![1, 2];
    if is(Senseless) {
        seats.push(2);
    }
    if is(UnknownSeat) {
        seats.push(51);
    }
    let command = place(1, &wanted, if is(UnknownPerformance) { 9 } else { 1 }, &seats);
    (world, command)
}

fn hold_refusal(reason: Hold) -> Refusal {
    match reason {
        Hold::Senseless => Refusal::InvalidSeats("seat 2 is named twice".into()),
        Hold::KeyReused => Refusal::IdempotencyKeyReused,
        Hold::UnknownPerformance => Refusal::UnknownPerformance,
        Hold::WrongLane => Refusal::WrongLane { lane: lane("hot") },
        Hold::UnknownSeat => Refusal::UnknownSeat { seat: 51, seats: 50 },
        Hold::OffSale => Refusal::NotOnSale,
        Hold::Taken => Refusal::SeatTaken { seats: vec![1, 2] },
        Hold::NotAdjacent => Refusal::NoAdjacentSeats { wanted: 2, longest: 1 },
        Hold::UnknownUser => Refusal::UnknownUser,
        Hold::TicketPaid => Refusal::TicketOver(EndReason::Completed),
        Hold::TicketRanOut => Refusal::TicketOver(EndReason::HoldExpired),
        Hold::LimitReached => Refusal::SeatLimitReached,
        Hold::TooDear => Refusal::AmountOutOfRange,
    }
}

/// Who is unknown has bought nothing, what does not exist has nothing wrong, and a ticket has one last reservation.
fn keep_apart(a: Hold, b: Hold) -> bool {
    use Hold::*;
    match a {
        UnknownUser => matches!(b, TicketPaid | TicketRanOut | LimitReached),
        UnknownPerformance => matches!(b, WrongLane | UnknownSeat | OffSale | Taken | NotAdjacent | TooDear),
        TicketPaid => b == TicketRanOut,
        _ => false,
    }
}

#[test]
fn refusals_of_a_hold_have_this_order() {
    use Hold::*;
    let table = Table {
        rows: &[
            Senseless,
            KeyReused,
            UnknownPerformance,
            WrongLane,
            UnknownSeat,
            OffSale,
            Taken,
            UnknownUser,
            TicketPaid,
            TicketRanOut,
            LimitReached,
            TooDear,
        ],
        exclude_each_other: |a, b| keep_apart(a, b) || keep_apart(b, a),
        stage: stage_hold,
        refusal: hold_refusal,
    };
    table.check();
}

/// The same, but user 1 wants the best two seats.
fn stage_best(reasons: &[Hold]) -> (World, Command) {
    let is = |reason| reasons.contains(&reason);
    let wanted = ticket(if is(Hold::UnknownUser) { 9 } else { 1 }, 1);
    let at = if is(Hold::UnknownPerformance) { 9 } else { 1 };
    let command = place_best(1, &wanted, at, if is(Hold::Senseless) { 0 } else { 2 });
    (stage_hold(reasons).0, command)
}

#[test]
fn refusals_of_a_hold_of_the_best_seats_have_this_order() {
    use Hold::*;
    let table = Table {
        rows: &[
            Senseless,
            KeyReused,
            UnknownPerformance,
            WrongLane,
            OffSale,
            NotAdjacent,
            UnknownUser,
            TicketPaid,
            TicketRanOut,
            LimitReached,
            TooDear,
        ],
        exclude_each_other: |a, b| keep_apart(a, b) || keep_apart(b, a),
        stage: stage_best,
        refusal: |reason| match reason {
            Senseless => Refusal::InvalidSeats("ask for at least one seat".into()),
            other => hold_refusal(other),
        },
    };
    table.check();
}

#[test]
fn a_hold_repeated_is_answered_whatever_would_refuse_a_new_one() {
    let (mut world, command) = stage_hold(&[]);
    world.run(&command).unwrap();
    let (mut other, _) = stage_hold(&[Hold::WrongLane, Hold::OffSale, Hold::TooDear]);
    other.state.put_reservation(Arc::clone(&world.state.reservations[&reservation(1)]));
    other.pass(LEAD);
    assert!(other.run(&command).unwrap().replayed);
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Pay {
    Unknown,
    Foreign,
    OtherTicket,
    RanOut,
    Released,
    Short,
}

/// User 1 pays reservation 1.
fn stage_pay(reasons: &[Pay]) -> (World, Command) {
    use Pay::*;
    let is = |reason| reasons.contains(&reason);
    let mut world = World::new();
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    if !is(Short) {
        world.charge(1, 1, PRICE).unwrap();
        world.charge(2, 2, PRICE).unwrap();
    }
    if is(Released) {
        world.release(1, 1).unwrap();
    }
    if is(RanOut) {
        world.pass(HOLD_TTL);
    }
    let payer: Ticket = match (is(Foreign), is(OtherTicket)) {
        (true, _) => ticket(2, 1),
        (false, true) => ticket(1, 2),
        (false, false) => ticket(1, 1),
    };
    (world, pay(if is(Unknown) { 9 } else { 1 }, &payer))
}

#[test]
fn refusals_of_a_payment_have_this_order() {
    use Pay::*;
    let table = Table {
        rows: &[Unknown, Foreign, OtherTicket, Released, RanOut, Short],
        exclude_each_other: |a, b| (a == Foreign && b == OtherTicket) || (a == OtherTicket && b == Foreign),
        stage: stage_pay,
        refusal: |reason| match reason {
            Unknown | Foreign => Refusal::UnknownReservation,
            OtherTicket => Refusal::WrongTicket,
            Released => Refusal::ReservationNotPayable,
            RanOut => Refusal::HoldExpired,
            Short => Refusal::InsufficientBalance { balance: money(0), amount: money(PRICE) },
        },
    };
    table.check();
}

#[test]
fn a_payment_repeated_is_answered_whatever_would_refuse_a_new_one_but_not_to_another_ticket() {
    let mut world = World::new();
    world.buy(1, &ticket(1, 1), &[1]);
    world.pass(HOLD_TTL);
    assert_eq!(world.balance(1), 0);
    assert!(world.pay(1, &ticket(1, 1)).unwrap().replayed);
    assert_eq!(world.pay(1, &ticket(1, 2)), Err(Refusal::WrongTicket));
    assert_eq!(world.pay(1, &ticket(2, 1)), Err(Refusal::UnknownReservation));
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Charge {
    KeyReused,
    UnknownUser,
    OverTheLimit,
}

/// User 1 charges 600 with entry 1.
fn stage_charge(reasons: &[Charge]) -> (World, Command) {
    let is = |reason| reasons.contains(&reason);
    let most = if is(Charge::OverTheLimit) { 599 } else { 600 };
    let mut world = World::with(BookingPolicy { max_balance: money(most), ..BookingPolicy::default() });
    if is(Charge::KeyReused) {
        world.charge(1, 2, 1).unwrap();
    }
    (world, charge(1, if is(Charge::UnknownUser) { 9 } else { 1 }, 600))
}

#[test]
fn refusals_of_a_charge_have_this_order() {
    let table = Table {
        rows: &[Charge::KeyReused, Charge::UnknownUser, Charge::OverTheLimit],
        exclude_each_other: |_, _| false,
        stage: stage_charge,
        refusal: |reason| match reason {
            Charge::KeyReused => Refusal::IdempotencyKeyReused,
            Charge::UnknownUser => Refusal::UnknownUser,
            Charge::OverTheLimit => Refusal::AmountOutOfRange,
        },
    };
    table.check();
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Release {
    Unknown,
    Foreign,
    Paid,
    RanOut,
}

/// User 1 releases reservation 1.
fn stage_release(reasons: &[Release]) -> (World, Command) {
    let is = |reason| reasons.contains(&reason);
    let mut world = World::new();
    if is(Release::Paid) {
        world.buy(1, &ticket(1, 1), &[1]);
    } else {
        world.hold(1, &ticket(1, 1), &[1]).unwrap();
    }
    if is(Release::RanOut) {
        world.pass(HOLD_TTL);
    }
    (world, release(if is(Release::Unknown) { 9 } else { 1 }, if is(Release::Foreign) { 2 } else { 1 }))
}

#[test]
fn refusals_of_a_release_have_this_order() {
    let table = Table {
        rows: &[Release::Unknown, Release::Foreign, Release::Paid, Release::RanOut],
        exclude_each_other: |_, _| false,
        stage: stage_release,
        refusal: |reason| match reason {
            Release::Unknown | Release::Foreign => Refusal::UnknownReservation,
            Release::Paid => Refusal::ReservationNotReleasable,
            Release::RanOut => Refusal::HoldExpired,
        },
    };
    table.check();
}
