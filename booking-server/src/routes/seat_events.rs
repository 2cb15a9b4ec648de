//! `GET /v1/performances/{id}/seats/events`: the seats, and each change of them (S6).

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use booking_api::{Problem, Seats, SeatsQuery, openapi};
use booking_core::{Error, Refusal, Ticket, id::PerformanceId, store::SeatMap};
use futures_util::{Stream, stream::unfold};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::sse::{Next, RETRY, event, keep_alive};
use crate::{
    app::App,
    extract::{Asked, At, Queue},
    failure::Failure,
    openapi::refusals::refusals,
    seat_watch::{Sight, changes_between},
};

/// How often a stream asks whether its ticket is still good.
const CHECK_EVERY: Duration = Duration::from_secs(2);

/// One who looks on.
struct Reader {
    app: App,
    ticket: Ticket,
    stopping: watch::Receiver<bool>,
    sights: watch::Receiver<Sight>,
    /// Whether the map is told with the status of every seat.
    all: bool,
    /// The map that the events so far add up to.
    told: Arc<SeatMap>,
    /// The version it is of; 0: it was read for this stream alone.
    version: u64,
    /// Whether anything was told.
    begun: bool,
    /// Whether the last thing told was that the store can't be reached.
    is_dark: bool,
    check_at: Instant,
}

/// What the first event carries; each later one carries `SeatChanges`.
type PushedSeats = openapi::Pushed<Seats>;

refusals!(EventsRefusals: ADMITTED, INPUT, READ; UnknownPerformance, WrongLane, NotOnSale);

/// Pushes the seats of a performance, and each change of them (server-sent events)
///
/// Events: `seats`, with the body of `GET /v1/performances/{id}/seats`; then `changes`, with the numbers of the seats that became
/// something else; and `problem`.
#[utoipa::path(
    get,
    operation_id = "seat_events",
    path = "/v1/performances/{id}/seats/events",
    tag = "concerts",
    security(("queue_token" = [])),
    params(("id" = Uuid, Path, description = "The performance"), SeatsQuery),
    responses(
        (status = 200, description = "The stream", body = PushedSeats, content_type = "text/event-stream", example = example),
        EventsRefusals,
    ),
)]
pub(super) async fn events(
    State(app): State<App>,
    Queue(ticket): Queue,
    At(performance): At<PerformanceId>,
    Asked(query): Asked<SeatsQuery>,
) -> Result<Response, Failure> {
    // Before the map is read, so that nothing that was seen since is missed.
    let watched = app.seat_watches.known(performance);
    let map = app.engine.seat_map(&ticket, performance).await;
    let map = map.map_err(|error| app.refused(&ticket, error))?;
    map.check_watched_by(&ticket)?;
    let sights = watched.unwrap_or_else(|| app.seat_watches.look_on(&app, &map));
    let seen = sights.borrow().clone();
    // Whoever begins with what all have seen shares it with them: a large hall takes its room once.
    let (told, version) = if *seen.map == map { (seen.map, seen.version) } else { (Arc::new(map), 0) };
    let reader = Reader {
        stopping: app.stopping(),
        sights,
        app,
        ticket,
        all: query.all,
        told,
        version,
        begun: false,
        is_dark: false,
        check_at: Instant::now() + CHECK_EVERY,
    };
    Ok(Sse::new(stream(reader)).keep_alive(keep_alive()).into_response())
}

/// The seats as they are, then each change of them, until the ticket is over, the sale ends or the server stops. Whatever
/// a reader has seen before, it begins with the present, so coming back loses nothing.
fn stream(reader: Reader) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(Some(reader), async |reader| {
        let mut reader = reader?;
        if !reader.begun {
            reader.begun = true;
            let first = reader.tell_all().retry(RETRY);
            return Some((Ok(first), Some(reader)));
        }
        reader.next().await
    })
}

/// What may bring something to tell.
enum Wake {
    /// It is time to look at the ticket.
    Check,
    /// Something is different.
    Sight(Sight),
}

impl Reader {
    /// Waits until there may be something to tell; none when the server stops.
    async fn wake(&mut self) -> Option<Wake> {
        tokio::select! {
            _ = self.stopping.wait_for(|stopping| *stopping) => None,
            () = sleep_until(self.check_at) => Some(Wake::Check),
            changed = self.sights.changed() => {
                changed.ok()?;
                Some(Wake::Sight(self.sights.borrow_and_update().clone()))
            }
        }
    }

    /// Waits for the next thing to tell; none when the server stops.
    async fn next(mut self) -> Option<Next<Self>> {
        loop {
            let told = match self.wake().await? {
                Wake::Check => self.check().await.map(|()| None),
                Wake::Sight(sight) => self.hear(sight),
            };
            match told {
                Err(refusal) => return Some((Ok(event("problem", &Problem::from(refusal))), None)),
                Ok(Some(event)) => return Some((Ok(event), Some(self))),
                Ok(None) => {}
            }
        }
    }

    /// Whether the ticket may still book. While the queue store can't be reached, it is as good as it was.
    async fn check(&mut self) -> Result<(), Refusal> {
        self.check_at = Instant::now() + CHECK_EVERY;
        // On the heap, because all who look on have room for it and few of them ask at a time.
        match Box::pin(self.app.engine.admit(&self.ticket)).await {
            Err(Error::Refused(refusal)) => Err(refusal),
            Ok(_) | Err(Error::Store(_)) => Ok(()),
        }
    }

    /// What is to be told of a sight, if anything; refused is what the seats would not be told for either.
    fn hear(&mut self, sight: Sight) -> Result<Option<Event>, Refusal> {
        match sight.failed {
            Some(Error::Refused(refusal)) => return Err(refusal),
            Some(Error::Store(_)) if self.is_dark => return Ok(None),
            Some(Error::Store(error)) => {
                self.is_dark = true;
                return Ok(Some(event("problem", &Problem::from(error))));
            }
            None => {}
        }
        sight.map.check_watched_by(&self.ticket)?;
        let is_next = self.version > 0 && self.version + 1 == sight.version;
        let before = std::mem::replace(&mut self.told, sight.map);
        self.version = sight.version;
        if self.is_dark || before.seats.len() != self.told.seats.len() {
            return Ok(Some(self.tell_all()));
        }
        let changes = if is_next { sight.changes } else { changes_between(&before, &self.told) };
        let event = || Event::default().event("changes").id(self.version.to_string());
        Ok(changes.map(|changes| event().data(&*changes)))
    }

    fn tell_all(&mut self) -> Event {
        self.is_dark = false;
        event("seats", &Seats::of(&self.told, self.all)).id(self.version.to_string())
    }
}

/// A change, as it travels.
fn example() -> String {
    let changes = serde_json::to_string(&openapi::examples::seat_changes()).unwrap_or_default();
    format!("event: changes\ndata: {changes}\n\n")
}
