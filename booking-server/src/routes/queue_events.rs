//! `GET /v1/queue/events`: the place, pushed (Q5).

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use booking_api::{PlaceStatus, Problem, QueuePlace, openapi};
use booking_core::{Error, Ticket};
use futures_util::{Stream, stream::unfold};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::sse::{Next, RETRY, event, keep_alive};
use crate::{app::App, extract::Queue, failure::Failure, openapi::refusals::refusals};

/// Changes are told at most this often.
const EVERY: Duration = Duration::from_secs(1);

/// One reader.
struct Watch {
    app: App,
    ticket: Ticket,
    stopping: watch::Receiver<bool>,
    told: QueuePlace,
    /// Whether the last thing told was that the store can't be reached.
    is_dark: bool,
    number: u64,
    due: Instant,
}

type PushedPlace = openapi::Pushed<QueuePlace>;

refusals!(EventsRefusals: QUEUE, READ);

/// Pushes where the queue token stands (server-sent events)
///
/// The place now, then each change of it, at most one a second, until it is done. A comment every 15 seconds keeps the
/// stream alive. Events: `place`, with the body of `GET /v1/queue/status`, and `problem`.
#[utoipa::path(
    get,
    operation_id = "queue_events",
    path = "/v1/queue/events",
    tag = "queue",
    security(("queue_token" = [])),
    params(("last-event-id" = Option<String>, Header, description = "The id of what a reader saw last, which browsers send when they come back; that of the end is `ORDER-done`")),
    responses(
        (status = 200, description = "The stream", body = PushedPlace, content_type = "text/event-stream", example = example),
        (status = 204, description = "The queue token is done, and `last-event-id` says that the reader has heard of it: do not come back"),
        EventsRefusals,
    ),
)]
pub(super) async fn events(
    State(app): State<App>,
    Queue(ticket): Queue,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let place = app.looks.place(&app.engine, &ticket).await?;
    let told = QueuePlace::of(&ticket, place);
    // Who saw the end and comes back, as browsers do by themselves, is told not to.
    let saw_last = headers.get("last-event-id");
    if told.status == PlaceStatus::Done && saw_last.is_some_and(|id| *id == end_id(&ticket)) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let (stopping, due) = (app.stopping(), Instant::now() + EVERY);
    let watch = Watch { app, ticket, stopping, told, is_dark: false, number: 0, due };
    Ok(Sse::new(stream(watch)).keep_alive(keep_alive()).into_response())
}

/// The place as it is, then each change of it, until it is done or the server stops. Whatever a reader has seen
/// before, it begins with the present, so coming back loses nothing.
fn stream(watch: Watch) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(Some(watch), async |watch| {
        let watch = watch?;
        if watch.number == 0 { Some(watch.tell()) } else { watch.next().await }
    })
}

/// The id of a stream's last event, by which one knows who has seen it.
fn end_id(ticket: &Ticket) -> String {
    format!("{}-done", ticket.seq)
}

/// What a reader wants to hear of: not when to poll, nor each second of a guess.
fn is_news(before: &QueuePlace, now: &QueuePlace) -> bool {
    (before.status, before.rank, before.expires_at) != (now.status, now.rank, now.expires_at)
}

impl Watch {
    /// Waits for the next thing to tell; none when the server stops.
    async fn next(mut self) -> Option<Next<Self>> {
        loop {
            tokio::select! {
                () = sleep_until(self.due) => {}
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
            }
            self.due = Instant::now() + EVERY;
            match self.app.looks.place(&self.app.engine, &self.ticket).await {
                Ok(place) => {
                    let now = QueuePlace::of(&self.ticket, place);
                    if self.is_dark || is_news(&self.told, &now) {
                        (self.told, self.is_dark) = (now, false);
                        return Some(self.tell());
                    }
                }
                Err(Error::Refused(refusal)) => {
                    return Some((Ok(event("problem", &Problem::from(refusal))), None));
                }
                // The last place stays true as far as anybody knows; when the store is back, the stream goes on.
                Err(Error::Store(error)) if !self.is_dark => {
                    self.is_dark = true;
                    return Some((Ok(event("problem", &Problem::from(error))), Some(self)));
                }
                Err(Error::Store(_)) => {}
            }
        }
    }

    fn tell(mut self) -> Next<Self> {
        self.number += 1;
        let is_over = self.told.status == PlaceStatus::Done;
        let id = if is_over { end_id(&self.ticket) } else { format!("{}-{}", self.ticket.seq, self.number) };
        let event = event("place", &self.told).id(id).retry(RETRY);
        (Ok(event), (!is_over).then_some(self))
    }
}

/// A stream of somebody who is next.
fn example() -> String {
    let place = serde_json::to_string(&openapi::examples::queue_place()).unwrap_or_default();
    format!("event: place\ndata: {place}\nid: 4213-1\nretry: 2000\n\n")
}
