//! `booking history`: what happened to a seat, or to everything a user had, as one timeline.

mod timeline;

use std::collections::{BTreeMap, BTreeSet};

use booking_api::{
    Entry, List, Reservation,
    client::{Client, ClientError},
};
use booking_core::{Event, RecordedEvent, hold};
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use self::timeline::Moment;
use crate::{
    console::Console,
    failure::Failure,
    options::{Server, id, needed_admin_key},
    told,
};

/// `booking history`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct HistoryArgs {
    /// The performance; `booking events` names them
    #[arg(required_unless_present = "user", requires = "seat", value_parser = id)]
    performance: Option<Uuid>,
    /// The number of the seat
    seat: Option<u32>,
    /// Everything this user had instead: seats, whoever got them next, and money
    #[arg(long, conflicts_with_all = ["performance", "seat"], value_parser = id)]
    user: Option<Uuid>,
}

#[derive(Serialize)]
struct Report<'a> {
    items: &'a [Moment],
}

/// Where reservations stand, by identity.
type Standing = BTreeMap<Uuid, Reservation>;

pub(crate) async fn run(args: HistoryArgs, server: &Server, console: Console) -> Result<(), Failure> {
    let desk = Desk { client: server.client(), admin_key: needed_admin_key()? };
    let (moments, nothing) = match (args.user, args.performance, args.seat) {
        (Some(user), ..) => (desk.of_user(user).await?, "this user had no seat and no money"),
        (None, Some(performance), Some(seat)) => {
            (desk.of_seat(performance, seat).await?, "nobody ever had this seat")
        }
        _ => return Err(Failure::Input("name a performance and a seat, or --user USER".into())),
    };
    for moment in &moments {
        console.say(&format!("{}  {:<9} {}", told::instant(moment.at), moment.what, moment.told));
    }
    if moments.is_empty() {
        console.say(nothing);
    }
    console.document(&Report { items: &moments })
}

/// Who asks, and with which key.
struct Desk {
    client: Client,
    admin_key: String,
}

impl Desk {
    async fn of_seat(&self, performance: Uuid, seat: u32) -> Result<Vec<Moment>, ClientError> {
        let events = self.client.seat_history(&self.admin_key, performance, seat).await?.items;
        let mut standing = Standing::new();
        for reservation in timeline::without_end(&events) {
            let found = self.client.any_reservation(&self.admin_key, reservation).await?.reservation;
            standing.insert(reservation, found);
        }
        Ok(timeline::of_events(&events, &standing))
    }

    async fn of_user(&self, user: Uuid) -> Result<Vec<Moment>, ClientError> {
        let (client, key) = (&self.client, self.admin_key.as_str());
        let reservations: Vec<Reservation> = List::whole(async |cursor: Option<String>| {
            client.reservations_of(key, user, cursor.as_deref()).await
        })
        .await?;
        let entries: Vec<Entry> =
            List::whole(async |cursor: Option<String>| client.entries_of(key, user, cursor.as_deref()).await)
                .await?;
        let mut seats = BTreeSet::new();
        for reservation in &reservations {
            seats.extend(reservation.seats.iter().map(|seat| (reservation.performance_id, *seat)));
        }
        // Seats that were held together share their events: each is told once, in the order of the log.
        let mut events = BTreeMap::new();
        for (performance, seat) in seats {
            let history = client.seat_history(key, performance, seat).await?.items;
            events.extend(of_user_and_next(user, history).map(|event| (event.seq, event)));
        }
        let standing = reservations.into_iter().map(|made| (made.reservation_id, made)).collect();
        let events: Vec<RecordedEvent> = events.into_values().collect();
        let moved = entries.iter().map(timeline::of_entry);
        let mut moments: Vec<Moment> =
            timeline::of_events(&events, &standing).into_iter().chain(moved).collect();
        moments.sort_by_key(|moment| moment.at);
        Ok(moments)
    }
}

/// Of a seat's history what was the user's, and the hold of whoever got the seat right after.
fn of_user_and_next(user: Uuid, history: Vec<RecordedEvent>) -> impl Iterator<Item = RecordedEvent> {
    let mut was_users = false;
    history.into_iter().filter(move |recorded| {
        let Event::Hold(event) = &recorded.event else { return false };
        let is_users = timeline::about(event).user.0 == user;
        let is_next = was_users && matches!(event, hold::Event::SeatsHeld(_));
        was_users = is_users;
        is_users || is_next
    })
}
