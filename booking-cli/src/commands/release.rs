//! `booking release`: an operator gives a hold back for its owner.

use booking_api::{OwnedReservation, Release};
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    console::Console,
    failure::Failure,
    options::{Server, id, needed_admin_key},
    told,
};

/// `booking release`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ReleaseArgs {
    /// The reservation; `booking history` and `booking events` name them
    #[arg(value_parser = id)]
    reservation: Uuid,
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
    #[serde(flatten)]
    answer: &'a OwnedReservation,
}

pub(crate) async fn run(args: ReleaseArgs, server: &Server, console: Console) -> Result<(), Failure> {
    let (admin_key, client, dry_run) = (needed_admin_key()?, server.client(), args.dry_run);
    let (answer, was_released) =
        client.release_any(&admin_key, args.reservation, &Release { dry_run }).await?;
    let OwnedReservation { user_id, reservation } = &answer;
    let seats = format!("{} of performance {}", told::seats(&reservation.seats), reservation.performance_id);
    console.say(&match (was_released, dry_run) {
        (true, _) => format!("nothing to do: {seats} had been given back already"),
        (false, true) => format!("dry run: {seats}, held by user {user_id}, would be given back"),
        (false, false) => format!("{seats}, held by user {user_id}, can be held by others again"),
    });
    console.document(&Report { dry_run, changes: !was_released, answer: &answer })
}
