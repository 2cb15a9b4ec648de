use std::sync::Arc;

use super::{
    Command, Event, Reservation, ReservationStatus, SeatChoice, SeatNumber, SeatStatus, Seats, best::best,
};
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
        Command::Place { reservation, ticket, performance, choice } => {
            place(state, &Request { id: *reservation, ticket, performance: *performance, choice }, now)
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
    choice: &'a SeatChoice,
}

/// The refusals of a hold, in order of precedence: each line may be refused only if all above it passed. What somebody else has
/// is refused before it is looked at who asks, so that those who come too late can be told with a look at the seats alone.
fn place(state: &State, request: &Request<'_>, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let wanted = Wanted::by(request.choice)?;
    if let Some(existing) = state.reservations.get(&request.id) {
        return if is_same(existing, request, &wanted) {
            Ok(Vec::new())
        } else {
            Err(Refusal::IdempotencyKeyReused)
        };
    }
    let performance = on_sale(state, request, &wanted, now)?;
    if same_live_hold(state, request.ticket, request.performance, &wanted, now).is_some() {
        return Ok(Vec::new());
    }
    let seats = choose(state, performance, &wanted, now)?;
    if !state.wallets.contains(&request.ticket.user) {
        return Err(Refusal::UnknownUser);
    }
    check_ticket(state, request.ticket, now)?;
    check_limits(state, request, wanted.count(), now)?;
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

/// The refusal of a hold that the catalogue and its seats tell: for whoever made nothing by its identity before, and has none of the
/// seats it wants.
pub(crate) fn refused_to_all(state: &State, command: &Command, now: Timestamp) -> Option<Refusal> {
    let Command::Place { reservation, ticket, performance, choice } = command else { return None };
    let request = Request { id: *reservation, ticket, performance: *performance, choice };
    let decide = || {
        let wanted = Wanted::by(choice)?;
        choose(state, on_sale(state, &request, &wanted, now)?, &wanted, now)
    };
    decide().err()
}

/// A choice that makes sense.
pub(crate) enum Wanted {
    /// These, ascending and each once.
    Exact(Seats),
    /// So many beside each other; at least one.
    Best(u32),
}

impl Wanted {
    pub(crate) fn by(choice: &SeatChoice) -> Result<Self, Refusal> {
        match choice {
            SeatChoice::Exact(seats) => distinct(seats).map(Self::Exact),
            SeatChoice::Best(0) => Err(Refusal::InvalidSeats("ask for at least one seat".into())),
            SeatChoice::Best(count) => Ok(Self::Best(*count)),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Exact(seats) => seats.len(),
            Self::Best(count) => usize::try_from(*count).unwrap_or(usize::MAX),
        }
    }

    /// Whether these seats are what was asked for. How they were chosen is not kept: any seats of the right number
    /// answer a wish for the best.
    fn is_met_by(&self, seats: &[SeatNumber]) -> bool {
        match self {
            Self::Exact(wanted) => **wanted == *seats,
            Self::Best(_) => seats.len() == self.count(),
        }
    }
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

fn is_same(existing: &Reservation, request: &Request<'_>, wanted: &Wanted) -> bool {
    existing.user == request.ticket.user
        && existing.performance == request.performance
        && wanted.is_met_by(&existing.seats)
}

fn on_sale<'a>(
    state: &'a State,
    request: &Request<'_>,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<&'a Performance, Refusal> {
    let performance = state.performances.get(&request.performance).ok_or(Refusal::UnknownPerformance)?;
    let concert = state.concerts.get(&performance.concert).ok_or(Refusal::UnknownPerformance)?;
    request.ticket.check_leads_to(&concert.lane)?;
    if let Wanted::Exact(seats) = wanted
        && let Some(seat) = seats.iter().find(|seat| !(1..=performance.seats).contains(*seat))
    {
        return Err(Refusal::UnknownSeat { seat: i64::from(*seat), seats: performance.seats });
    }
    if performance.bookable_at(now) { Ok(performance) } else { Err(Refusal::NotOnSale) }
}

/// A user's live hold of what is wanted: asking for it again answers it (DESIGN.md, idempotency). Who asks for the best
/// with another ticket wants more of them.
pub(crate) fn same_live_hold<'a>(
    state: &'a State,
    ticket: &Ticket,
    performance: PerformanceId,
    wanted: &Wanted,
    now: Timestamp,
) -> Option<&'a Reservation> {
    state.active_reservations(ticket.user).find(|held| {
        held.performance == performance
            && wanted.is_met_by(&held.seats)
            && (matches!(wanted, Wanted::Exact(_)) || held.ticket == *ticket)
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
            seats = seats.saturating_add(reservation.seats.len());
        }
    }
    let policy = &state.policy;
    let within = live < policy.live_reservations_per_user && seats <= policy.seats_per_user;
    if within { Ok(()) } else { Err(Refusal::SeatLimitReached) }
}

/// The seats to hold, all of which are available.
fn choose(
    state: &State,
    performance: &Performance,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Seats, Refusal> {
    let stored = state.seats.get(&performance.id);
    match wanted {
        Wanted::Exact(seats) => {
            let is_taken = |number: &SeatNumber| {
                let seat = stored.and_then(|stored| stored.get(number));
                seat.is_some_and(|seat| seat.status_at(now) != SeatStatus::Available)
            };
            let taken: Vec<SeatNumber> = seats.iter().copied().filter(is_taken).collect();
            if taken.is_empty() { Ok(seats.clone()) } else { Err(Refusal::SeatTaken { seats: taken }) }
        }
        Wanted::Best(wanted) => {
            let taken =
                stored.into_iter().flatten().filter(|(_, seat)| seat.status_at(now) != SeatStatus::Available);
            let first = best(performance.seats, *wanted, taken.map(|(number, _)| *number))
                .map_err(|longest| Refusal::NoAdjacentSeats { wanted: *wanted, longest })?;
            Ok((first..first + wanted).collect())
        }
    }
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
