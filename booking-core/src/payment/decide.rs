use super::{Command, Event, Payment};
use crate::{
    event::Event as AnyEvent,
    hold,
    id::{PaymentId, ReservationId},
    refusal::Refusal,
    state::State,
    ticket::Ticket,
    time::Timestamp,
    wallet,
};

/// A payment moves three machines at once, so its decisions are events of all of them.
pub(crate) fn decide(state: &State, command: &Command, now: Timestamp) -> Result<Vec<AnyEvent>, Refusal> {
    match command {
        Command::Pay { reservation, ticket } => pay(state, *reservation, ticket, now),
        Command::Refund(payment) => refund(state, *payment, now),
    }
}

/// The refusals of a payment, in order of precedence.
fn pay(state: &State, id: ReservationId, ticket: &Ticket, now: Timestamp) -> Result<Vec<AnyEvent>, Refusal> {
    let reservation = state.owned_reservation(id, ticket.user).ok_or(Refusal::UnknownReservation)?;
    if reservation.ticket != *ticket {
        return Err(Refusal::WrongTicket);
    }
    if state.payments.contains(&reservation.payment) {
        return Ok(Vec::new());
    }
    let sold = hold::decide::confirm(state, reservation, now)?;
    let wallet = state.wallets.get(&ticket.user).ok_or(Refusal::UnknownUser)?;
    let payment = Payment {
        id: reservation.payment,
        reservation: id,
        user: ticket.user,
        amount: reservation.amount,
        paid_at: now,
        refunded_at: None,
    };
    let debited = wallet::decide::debit(wallet, &payment, now)?;
    // From here on the payment succeeds.
    Ok(vec![debited.into(), sold.into(), Event::PaymentMade(payment).into()])
}

fn refund(state: &State, id: PaymentId, now: Timestamp) -> Result<Vec<AnyEvent>, Refusal> {
    let payment = state.payments.get(&id).ok_or(Refusal::UnknownPayment)?;
    if payment.refunded_at.is_some() {
        return Ok(Vec::new());
    }
    let reservation = state.reservations.get(&payment.reservation).ok_or(Refusal::UnknownPayment)?;
    let wallet = state.wallets.get(&payment.user).ok_or(Refusal::UnknownUser)?;
    let refunded = wallet::decide::refund(wallet, payment, now)?;
    let returned = hold::Event::SeatsReturned(reservation.seats_of(now));
    Ok(vec![refunded.into(), returned.into(), Event::PaymentRefunded { payment: id, at: now }.into()])
}
