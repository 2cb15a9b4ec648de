//! Requests by route: how many, how they ended, how long they took, how many are in flight. A route is known by its
//! template, so no id and no person is in a label, and there are no more series than routes.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError, atomic::AtomicU64},
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, Response},
};
use booking_api::Code;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::sharded::{Sharded, Timings, count};
use crate::overdue;

/// How a request ended: by its class of status, or its client went away before the answer.
pub(super) const ENDINGS: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "gone"];
const GONE: usize = 5;

/// All requests.
#[derive(Debug, Default)]
pub(super) struct Http {
    series: Mutex<BTreeMap<(String, &'static str), Arc<Series>>>,
    problems: Sharded<Problems>,
}

/// How often each code of a problem was answered, in the order of [`Code::ALL`].
#[derive(Debug)]
struct Problems(Box<[AtomicU64]>);

impl Default for Problems {
    fn default() -> Self {
        Self(Code::ALL.iter().map(|_| AtomicU64::default()).collect())
    }
}

/// The requests of a route with a method.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) route: String,
    pub(super) method: &'static str,
    numbers: Sharded<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    began: AtomicU64,
    ended: [AtomicU64; ENDINGS.len()],
    timings: Timings,
}

/// Methods beyond those that routes take are one label, since a client can make up any.
fn label(method: &Method) -> &'static str {
    match *method {
        // It is served by the route's GET.
        Method::GET | Method::HEAD => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

impl Http {
    fn series(&self, request: &Request, method: &'static str) -> Arc<Series> {
        let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
        // A panic can't leave a map half changed that is only added to.
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Series { route: route.to_owned(), method, numbers: Sharded::default() };
        Arc::clone(series.entry((route.to_owned(), method)).or_insert_with(|| Arc::new(made())))
    }

    /// All series there are, by route and method.
    pub(super) fn all(&self) -> Vec<Arc<Series>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect()
    }

    /// How often each code was answered.
    pub(super) fn problems(&self) -> impl Iterator<Item = (Code, u64)> {
        let codes = Code::ALL.iter().copied().enumerate();
        codes.map(|(at, code)| (code, self.problems.sum(|problems| &problems.0[at])))
    }
}

impl Series {
    pub(super) fn numbers(&self) -> Figures {
        // What ended is read first, so that nothing has ended that has not begun.
        let ended: [u64; ENDINGS.len()] =
            std::array::from_fn(|at| self.numbers.sum(|numbers| &numbers.ended[at]));
        let began = self.numbers.sum(|numbers| &numbers.began);
        let in_flight = began.saturating_sub(ended.iter().sum());
        Figures { ended, in_flight, timed: self.numbers.timed(|numbers| &numbers.timings) }
    }
}

/// A series at one instant.
pub(super) struct Figures {
    pub(super) ended: [u64; ENDINGS.len()],
    pub(super) in_flight: u64,
    pub(super) timed: super::sharded::Timed,
}

/// Measures what a router's routes serve.
#[derive(Clone, Debug)]
pub(crate) struct Measure(pub(super) Arc<super::Metrics>);

impl<S> Layer<S> for Measure {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured { inner, route: Arc::new(Route { metrics: Arc::clone(&self.0), series: OnceLock::new() }) }
    }
}

/// A route of a method, which finds its series with the first request.
#[derive(Debug)]
struct Route {
    metrics: Arc<super::Metrics>,
    series: OnceLock<Arc<Series>>,
}

/// A service that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Measured<S> {
    inner: S,
    route: Arc<Route>,
}

impl<S, B> Service<Request> for Measured<S>
where
    S: Service<Request, Response = Response<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let method = label(request.method());
        let route = Arc::clone(&self.route);
        let http = &route.metrics.http;
        let series = route.series.get_or_init(|| http.series(&request, method));
        // What answers methods that a path does not take serves several methods.
        let other = (series.method != method).then(|| http.series(&request, method));
        count(&other.as_ref().unwrap_or(series).numbers.here().began);
        let flight = Flight { route, other, began: Instant::now(), ended: GONE };
        Answering { inner: self.inner.call(request), flight }
    }
}

/// A request on its way: when it is dropped, it has ended.
#[derive(Debug)]
struct Flight {
    route: Arc<Route>,
    /// The series, if it is not the route's own.
    other: Option<Arc<Series>>,
    began: Instant,
    ended: usize,
}

impl Flight {
    fn land(&mut self, status: u16, code: Option<Code>) {
        self.ended = usize::from(status / 100).clamp(1, 5) - 1;
        if status >= 400
            && let Some(code) = code
            && let Some(at) = Code::ALL.iter().position(|one| *one == code)
        {
            count(&self.route.metrics.http.problems.here().0[at]);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let (GONE, Some(code)) = (self.ended, overdue::told()) {
            self.land(code.status(), Some(code));
        }
        let Some(series) = self.other.as_ref().or_else(|| self.route.series.get()) else { return };
        let numbers = series.numbers.here();
        count(&numbers.ended[self.ended]);
        numbers.timings.add(self.began.elapsed());
    }
}

pin_project! {
    /// The answer of a service that is measured.
    #[derive(Debug)]
    pub(crate) struct Answering<F> {
        #[pin]
        inner: F,
        flight: Flight,
    }
}

impl<F, B, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answering = self.project();
        let answer = ready!(answering.inner.poll(context));
        if let Ok(response) = &answer {
            let code = response.extensions().get().copied();
            answering.flight.land(response.status().as_u16(), code);
        }
        Poll::Ready(answer)
    }
}
