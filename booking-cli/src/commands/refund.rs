//! `booking refund`: a payment is given back, the money to the wallet and the seats to the sale.

use booking_api::{OwnedReservation, PaymentMade, Refund};
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    console::{Console, grouped},
    failure::Failure,
    options::{Server, id, needed_admin_key},
    told,
};

/// `booking refund`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct RefundArgs {
    /// The payment; `booking history` and `booking events` name them
    #[arg(value_parser = id)]
    payment: Uuid,
    /// Only tell what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What was done, for machines.
#[derive(Serialize)]
struct Report<'a> {
    dry_run: bool,
    /// Whether this run changed something, or would have.
    changes: bool,
    user_id: Uuid,
    performance_id: Uuid,
    seats: &'a [u32],
    #[serde(flatten)]
    answer: &'a PaymentMade,
}

pub(crate) async fn run(args: RefundArgs, server: &Server, console: Console) -> Result<(), Failure> {
    let (admin_key, client, dry_run) = (needed_admin_key()?, server.client(), args.dry_run);
    let refund = Refund { payment_id: args.payment, dry_run };
    let (answer, was_refunded) = client.refund(&admin_key, &refund).await?;
    let paid = client.any_reservation(&admin_key, answer.payment.reservation_id).await?;
    console.say(&sentence(&answer, &paid, was_refunded, dry_run));
    console.document(&Report {
        dry_run,
        changes: !was_refunded,
        user_id: paid.user_id,
        performance_id: paid.reservation.performance_id,
        seats: &paid.reservation.seats,
        answer: &answer,
    })
}

fn sentence(answer: &PaymentMade, paid: &OwnedReservation, was_refunded: bool, dry_run: bool) -> String {
    let OwnedReservation { user_id, reservation } = paid;
    let seats = format!("{} of performance {}", told::seats(&reservation.seats), reservation.performance_id);
    let (amount, balance) = (grouped(answer.payment.amount), grouped(answer.balance));
    match (was_refunded, dry_run) {
        (true, _) => format!("nothing to do: the {amount} for {seats} had been given back already"),
        (false, true) => format!(
            "dry run: user {user_id} would get {amount} back, which makes a balance of {balance}, \
             and {seats} would be for sale again"
        ),
        (false, false) => format!(
            "user {user_id} got {amount} back, which makes a balance of {balance}; {seats}: for sale again"
        ),
    }
}
