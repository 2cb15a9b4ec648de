use std::sync::Arc;

use super::{Command, Event, Reservation, ReservationStatus, SeatNumber, SeatStatus, Seats};
use crate::{
    catalog::Performance,
    id::{PaymentId, PerformanceId, ReservationId, UserId},
    refusal::Refusal,
    state::State,
    ticket::{EndReason, Ticket},
    time::Timestamp,
};

pub(crate) fn decide(state: &State, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Place { reservation, ticket, performance, seats } => {
            place(state, &Request { id: *reservation, ticket, performance: *performance, seats }, now)
        }
        Command::Release { reservation, user } => release(state, *reservation, *user, now),
        Command::Leave(ticket) => Ok(leave(state, ticket, now)),
        Command::Expire(reservation) => Ok(expire(state, *reservation, now)),
    }
}

struct Request<'a> {
    id: ReservationId,
    ticket: &'a Ticket,
    performance: PerformanceId,
    seats: &'a [SeatNumber],
}

/// The refusals of a hold, in order of precedence: each line may be refused only if all above it passed.
fn place(state: &State, request: &Request<'_>, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let seats = distinct(request.seats)?;
    if let Some(existing) = state.reservations.get(&request.id) {
        return if is_same(existing, request, &seats) {
            Ok(Vec::new())
        } else {
            Err(Refusal::IdempotencyKeyReused)
        };
    }
    if !state.wallets.contains(&request.ticket.user) {
        return Err(Refusal::UnknownUser);
    }
    let performance = on_sale(state, request, &seats, now)?;
    if same_live_hold(state, request.ticket.user, request.performance, &seats, now).is_some() {
        return Ok(Vec::new());
    }
    check_ticket(state, request.ticket, now)?;
    check_limits(state, request, seats.len(), now)?;
    check_free(state, request.performance, &seats, now)?;
    let amount = performance.price.checked_mul(seats.len()).ok_or(Refusal::AmountOutOfRange)?;
    // From here on the hold succeeds.
    Ok(vec![Event::SeatsHeld(Arc::new(Reservation {
        id: request.id,
        user: request.ticket.user,
        performance: request.performance,
        seats,
        ticket: request.ticket.clone(),
        payment: PaymentId::of(request.id),
        amount,
        created_at: now,
        hold_until: now.after(state.policy.hold_ttl),
        status: ReservationStatus::Held,
    }))])
}

fn distinct(seats: &[SeatNumber]) -> Result<Seats, Refusal> {
    if seats.is_empty() {
        return Err(Refusal::InvalidSeats("name at least one seat".into()));
    }
    let mut sorted = Seats::from_slice(seats);
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Refusal::InvalidSeats(format!("seat {} is named twice", pair[0]))),
        None => Ok(sorted),
    }
}

fn is_same(existing: &Reservation, request: &Request<'_>, seats: &[SeatNumber]) -> bool {
    existing.user == request.ticket.user
        && existing.performance == request.performance
        && *existing.seats == *seats
}

fn on_sale<'a>(
    state: &'a State,
    request: &Request<'_>,
    seats: &[SeatNumber],
    now: Timestamp,
) -> Result<&'a Performance, Refusal> {
    let performance = state.performances.get(&request.performance).ok_or(Refusal::UnknownPerformance)?;
    let concert = state.concerts.get(&performance.concert).ok_or(Refusal::UnknownPerformance)?;
    if concert.lane != request.ticket.lane {
        return Err(Refusal::WrongLane { lane: concert.lane.clone() });
    }
    if let Some(seat) = seats.iter().find(|seat| !(1..=performance.seats).contains(*seat)) {
        return Err(Refusal::UnknownSeat { seat: i64::from(*seat), seats: performance.seats });
    }
    if performance.bookable_at(now) { Ok(performance) } else { Err(Refusal::NotOnSale) }
}

/// A user's live hold of exactly these seats: asking for it again answers it (DESIGN.md, idempotency).
pub(crate) fn same_live_hold<'a>(
    state: &'a State,
    user: UserId,
    performance: PerformanceId,
    seats: &[SeatNumber],
    now: Timestamp,
) -> Option<&'a Reservation> {
    state.active_reservations(user).find(|held| {
        held.performance == performance
            && *held.seats == *seats
            && held.status_at(now) == ReservationStatus::Held
    })
}

/// Fencing: whatever the queue store lost or replayed, one ticket has one live reservation and buys once. Only a
/// hold that was given back lets the same ticket hold again.
fn check_ticket(state: &State, ticket: &Ticket, now: Timestamp) -> Result<(), Refusal> {
    match state.last_reservation_of(ticket).map(|last| last.status_at(now)) {
        None | Some(ReservationStatus::Released) => Ok(()),
        Some(ReservationStatus::Held) => Err(Refusal::SeatLimitReached),
        Some(ReservationStatus::Expired) => Err(Refusal::TicketOver(EndReason::HoldExpired)),
        Some(ReservationStatus::Confirmed | ReservationStatus::Refunded) => {
            Err(Refusal::TicketOver(EndReason::Completed))
        }
    }
}

/// Live reservations count everywhere; live and bought seats count towards the limit of their performance (H4).
fn check_limits(state: &State, request: &Request<'_>, wanted: usize, now: Timestamp) -> Result<(), Refusal> {
    let (mut live, mut seats) = (0, wanted);
    for reservation in state.active_reservations(request.ticket.user) {
        let status = reservation.status_at(now);
        let has_seats = matches!(status, ReservationStatus::Held | ReservationStatus::Confirmed);
        live += usize::from(status == ReservationStatus::Held);
        if has_seats && reservation.performance == request.performance {
            seats += reservation.seats.len();
        }
    }
    let policy = &state.policy;
    let within = live < policy.live_reservations_per_user && seats <= policy.seats_per_user;
    if within { Ok(()) } else { Err(Refusal::SeatLimitReached) }
}

fn check_free(
    state: &State,
    performance: PerformanceId,
    seats: &[SeatNumber],
    now: Timestamp,
) -> Result<(), Refusal> {
    let Some(stored) = state.seats.get(&performance) else { return Ok(()) };
    let is_taken = |number: &SeatNumber| {
        stored.get(number).is_some_and(|seat| seat.status_at(now) != SeatStatus::Available)
    };
    let taken: Vec<SeatNumber> = seats.iter().copied().filter(is_taken).collect();
    if taken.is_empty() { Ok(()) } else { Err(Refusal::SeatTaken { seats: taken }) }
}

fn release(state: &State, id: ReservationId, user: UserId, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let reservation = state.owned_reservation(id, user).ok_or(Refusal::UnknownReservation)?;
    match reservation.status_at(now) {
        ReservationStatus::Held => Ok(vec![Event::HoldReleased(reservation.seats_of(now))]),
        ReservationStatus::Released => Ok(Vec::new()),
        ReservationStatus::Expired => Err(Refusal::HoldExpired),
        ReservationStatus::Confirmed | ReservationStatus::Refunded => Err(Refusal::ReservationNotReleasable),
    }
}

fn leave(state: &State, ticket: &Ticket, now: Timestamp) -> Vec<Event> {
    state
        .last_reservation_of(ticket)
        .filter(|last| last.status_at(now) == ReservationStatus::Held)
        .map(|last| Event::HoldReleased(last.seats_of(now)))
        .into_iter()
        .collect()
}

fn expire(state: &State, id: ReservationId, now: Timestamp) -> Vec<Event> {
    state
        .reservations
        .get(&id)
        .filter(|held| held.status == ReservationStatus::Held && now >= held.hold_until)
        .map(|held| Event::HoldExpired(held.seats_of(now)))
        .into_iter()
        .collect()
}

/// Makes a live hold final; `payment` calls it when the money is there (P1).
pub(crate) fn confirm(state: &State, reservation: &Reservation, now: Timestamp) -> Result<Event, Refusal> {
    match reservation.status_at(now) {
        ReservationStatus::Held => {}
        ReservationStatus::Expired => return Err(Refusal::HoldExpired),
        _ => return Err(Refusal::ReservationNotPayable),
    }
    let stored = state.seats.get(&reservation.performance);
    let is_own = |number: &SeatNumber| {
        stored.and_then(|seats| seats.get(number)).is_some_and(|seat| seat.reservation == reservation.id)
    };
    if !reservation.seats.iter().all(is_own) {
        return Err(Refusal::HoldExpired);
    }
    Ok(Event::SeatsSold(reservation.seats_of(now)))
}
