//! One connection: its requests are answered, and it is cut off when its next one takes too long, or nobody reads.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, header},
    response::{IntoResponse, Response},
    routing::future::RouteFuture,
};
use booking_api::Code;
use hyper::body::{Body as _, Incoming};
use tokio::{task::unconstrained, time::sleep};
use tower::Service;

use super::{ConnectionOptions, given::Given, heard::Heard};
use crate::{
    addresses::{Proxies, subscriber},
    failure::Failure,
    in_time::in_time,
    limits::{Limit, Share, TooMany},
    overdue,
};

/// In how many steps the time passes that a client has for what is its to do.
const STEPS: u32 = 4;

/// What every connection shares.
pub(super) struct Door {
    router: Router,
    answer_timeout: Duration,
    addresses: Option<(Limit<IpAddr>, Proxies)>,
}

impl Door {
    pub(super) fn new(router: Router, options: &ConnectionOptions) -> Self {
        let limit = options.calls_per_second_per_address.map(|calls| Limit::new("address", calls));
        Self {
            // With its state, which is none, routes are made once and not for each request.
            router: router.with_state(()),
            answer_timeout: options.answer_timeout,
            addresses: limit.map(|limit| (limit, Proxies::new(&options.trusted_proxies))),
        }
    }

    /// Counts a call of the address it comes from, if that is limited, or refuses it.
    fn count(&self, peer: SocketAddr, request: &Request<Incoming>) -> Result<Option<Share>, TooMany> {
        let Some((limit, proxies)) = &self.addresses else { return Ok(None) };
        // Whoever asks whether the server is well has to be answered, above all when many call.
        if request.uri().path().starts_with("/health/") {
            return Ok(None);
        }
        limit.count(&subscriber(proxies.client(peer.ip(), request.headers()))).map(Some)
    }

    pub(super) fn forget_idle(&self) {
        if let Some((limit, _)) = &self.addresses {
            limit.forget_idle();
        }
    }
}

/// A connection's requests.
pub(super) struct Visit {
    door: Arc<Door>,
    peer: SocketAddr,
    begun: AtomicU32,
    answered: AtomicU32,
    /// How often a stream gave something, or its end.
    given: AtomicU32,
    /// The connection has not asked for more since: what it was given may still be on its way to the reader.
    is_full: AtomicBool,
    /// The body of the request was read to its end, or had nothing in it.
    heard: AtomicBool,
    /// More of the body is waited for. Handlers do so before all else, so nothing was done yet.
    is_hearing: AtomicBool,
}

impl Visit {
    pub(super) fn new(door: Arc<Door>, peer: SocketAddr) -> Self {
        Self {
            door,
            peer,
            begun: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            given: AtomicU32::new(0),
            is_full: AtomicBool::new(false),
            heard: AtomicBool::new(true),
            is_hearing: AtomicBool::new(false),
        }
    }

    /// The answer to a request, if it comes in time. Routing begins before there is a future, which so need not hold the
    /// request.
    pub(super) fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        let visit = Arc::clone(self);
        visit.begun.fetch_add(1, Relaxed);
        let changes_something = !matches!(*request.method(), Method::GET | Method::HEAD);
        let counted = self.door.count(self.peer, &request);
        self.heard.store(request.body().is_end_stream(), Relaxed);
        self.is_hearing.store(false, Relaxed);
        let request = request.map(|body| {
            if body.is_end_stream() { Body::empty() } else { Body::new(Heard::new(body, Arc::clone(self))) }
        });
        let answer = counted.map(|share| (share, self.door.router.clone().call(request)));
        async move {
            let (share, mut response) = match answer {
                Ok((share, answer)) => (share, visit.in_time(answer, changes_something).await),
                Err(too_many) => (Some(too_many.share), Failure::from(too_many).into_response()),
            };
            if let Some(share) = share {
                share.tell(response.headers_mut());
            }
            let is_stream = response.body().size_hint().exact().is_none();
            if is_stream {
                let told = Arc::clone(&visit);
                response = response.map(|body| Body::new(Given::new(body, told)));
            } else {
                visit.answered.fetch_add(1, Relaxed);
            }
            // Nobody counts when a stream ends; so its connection ends with it. And a connection ends with a request that
            // was refused before all of it was heard, which its client has to know before it sends the next.
            if is_stream || !visit.heard.load(Relaxed) {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    }

    /// Nothing of the request is still to come.
    pub(super) fn heard_all(&self) {
        self.heard.store(true, Relaxed);
    }

    /// Somebody asked for more of the request's body, and waits for it or not.
    pub(super) fn hears(&self, waits: bool) {
        self.is_hearing.store(waits, Relaxed);
    }

    /// A stream was asked for more, which it had or had not.
    pub(super) fn gave(&self, something: bool) {
        self.given.fetch_add(u32::from(something), Relaxed);
        self.is_full.store(something, Relaxed);
    }

    async fn in_time(&self, answer: RouteFuture<Infallible>, changes_something: bool) -> Response {
        let mut answer = pin!(Some(answer));
        if let Some(answer) = answer.as_mut().as_pin_mut()
            && let Some(Ok(answer)) = in_time(self.door.answer_timeout, answer).await
        {
            return answer;
        }
        let failure = self.too_late(changes_something);
        overdue::give_up(failure.code(), || answer.set(None));
        failure.into_response()
    }

    /// What a client is told that gets no answer in time.
    fn too_late(&self, changes_something: bool) -> Failure {
        let seconds = self.door.answer_timeout.as_secs_f32();
        if self.is_hearing.load(Relaxed) {
            return Failure::invalid(format!("the body did not arrive within {seconds} s; send it again"));
        }
        tracing::warn!(seconds, "there was no answer in time");
        let detail = format!("there was no answer within {seconds} s");
        if changes_something {
            let detail = detail + "; repeat the request with the same Idempotency-Key";
            Failure::new(Code::UnknownOutcome, detail)
        } else {
            Failure::overloaded(detail)
        }
    }

    /// How much happened, if the next thing is the client's to do: to send a request, or to read what a stream gave.
    fn idle_since(&self) -> Option<u32> {
        let (begun, given) = (self.begun.load(Relaxed), self.given.load(Relaxed));
        let is_its_turn = begun == self.answered.load(Relaxed) || self.is_full.load(Relaxed);
        is_its_turn.then_some(begun.wrapping_add(given))
    }
}

/// Serves the connection until it ends, or its client does not do within the given time what is its to do.
pub(super) async fn attend(connection: impl Future, visit: Arc<Visit>, receive_timeout: Duration) {
    let mut connection = pin!(connection);
    let (mut last, mut idle_steps) = (None, 0);
    while idle_steps < STEPS {
        let mut step = pin!(sleep(receive_timeout / STEPS));
        let mut is_set = false;
        let has_ended = poll_fn(|context| {
            // A client that breaks off or speaks no HTTP is its own trouble.
            if connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
            // Set once, the timer wakes this task; whether it did is cheaper to see than to ask it at every request.
            if !is_set {
                is_set = true;
                // A stream may have used up what the task may do at once, and a timer that is asked beyond that is not set.
                return pin!(unconstrained(step.as_mut())).poll(context).map(|()| false);
            }
            if step.is_elapsed() { Poll::Ready(false) } else { Poll::Pending }
        });
        if has_ended.await {
            return;
        }
        let now = visit.idle_since();
        idle_steps = if now.is_some() && now == last { idle_steps + 1 } else { 0 };
        last = now;
    }
}
