use std::{
    convert::Infallible,
    net::SocketAddr,
    num::NonZeroU32,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::{Method, Uri},
    response::{IntoResponse, Response},
    routing::future::RouteFuture,
};
use booking_api::Code;
use booking_core::{Clock, Engine, Error, Ticket};
use futures_util::FutureExt;
use tokio::sync::watch;
use tower::util::MapFutureLayer;

use crate::{
    Secrets, UserKeys,
    churn::Churn,
    extract::KeyHash,
    failure::Failure,
    limits::{UserLimit, tell},
    log,
    looks::Looks,
    metrics::Metrics,
    routes,
    seat_watch::SeatWatches,
    tokens::Tokens,
};

/// What a server does beyond what it must.
#[derive(Clone, Debug)]
pub struct Options {
    /// Anybody may sign up.
    pub open_signup: bool,
    /// Users may charge their own wallet.
    pub open_charges: bool,
    /// How long user tokens last.
    pub user_token_ttl: Duration,
    /// How many calls a second a user may make; none: any number.
    pub calls_per_second: Option<NonZeroU32>,
    /// How many holds a minute a user may give back before having to pause.
    pub releases_per_minute: NonZeroU32,
    /// How long the body of a request may take to arrive.
    pub receive_timeout: Duration,
    /// The keys of an identity provider whose user tokens are taken too.
    pub user_keys: Option<Arc<UserKeys>>,
    /// Every request is logged.
    pub log_requests: bool,
    /// Where `GET /metrics` is served, by [`metrics_router`]; none: with the rest.
    pub metrics_listen: Option<SocketAddr>,
}

/// Thirty: a person who looks for a seat does not give one back every two seconds.
pub(crate) const RELEASES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).unwrap();

impl Default for Options {
    fn default() -> Self {
        Self {
            open_signup: false,
            open_charges: false,
            user_token_ttl: Duration::from_hours(24),
            calls_per_second: None,
            releases_per_minute: RELEASES_PER_MINUTE,
            receive_timeout: Duration::from_secs(75),
            user_keys: None,
            log_requests: false,
            metrics_listen: None,
        }
    }
}

/// What every handler shares. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What is behind [`App`].
pub struct Shared {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tokens: Tokens,
    pub(crate) admin_key: KeyHash,
    pub(crate) service_key: KeyHash,
    pub(crate) user_limit: UserLimit,
    pub(crate) churn: Churn,
    pub(crate) looks: Looks,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) seat_watches: SeatWatches,
    pub(crate) options: Options,
    draining: watch::Sender<bool>,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// An app on an engine. The clock dates user tokens and nothing else.
    pub fn new(engine: Engine, clock: Arc<dyn Clock>, secrets: &Secrets, options: Options) -> Self {
        Self::measured(engine, clock, secrets, options, Arc::default())
    }

    /// The same, which counts in `metrics`; let these measure the stores of the engine too.
    pub fn measured(
        engine: Engine,
        clock: Arc<dyn Clock>,
        secrets: &Secrets,
        options: Options,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self(Arc::new(Shared {
            engine,
            clock,
            tokens: Tokens::new(&secrets.token_secrets, options.user_token_ttl),
            admin_key: KeyHash::of(&secrets.admin_key),
            service_key: KeyHash::of(&secrets.service_key),
            user_limit: UserLimit::new(options.calls_per_second),
            churn: Churn::new(options.releases_per_minute),
            looks: Looks::default(),
            metrics,
            seat_watches: SeatWatches::default(),
            options,
            draining: watch::Sender::new(false),
        }))
    }

    /// From now on `/health/ready` says no, so that nobody sends new work, and streams end.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Forgets who has not called of late; call it now and then.
    pub fn forget_idle_callers(&self) {
        self.user_limit.forget_idle();
        self.churn.forget_idle(Instant::now());
    }

    /// What a booking call of the ticket's is told that failed.
    pub(crate) fn refused(&self, ticket: &Ticket, error: Error) -> Failure {
        self.looks.refused(&self.engine, ticket, error).into()
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Becomes true when the server stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.draining.subscribe()
    }
}

/// All routes of the service.
pub fn router(app: App) -> Router {
    let (log_requests, limits_users) = (app.options.log_requests, app.options.calls_per_second.is_some());
    let measure = app.metrics.measure();
    let (routes, _) = routes::booking().split_for_parts();
    let (metrics, _) = routes::metrics::routes().split_for_parts();
    let routes = if app.options.metrics_listen.is_some() { routes } else { routes.merge(metrics) };
    let router = routes
        .fallback(unknown_route)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
        // In one, because each layer of a router costs a request an allocation.
        .layer((measure, MapFutureLayer::new(caught)));
    let router = if limits_users { router.layer(axum::middleware::from_fn(tell)) } else { router };
    if log_requests { router.layer(axum::middleware::from_fn(log::request)) } else { router }
}

/// `GET /metrics` and nothing else, for a listener of its own.
pub fn metrics_router(app: App) -> Router {
    let (metrics, _) = routes::metrics::routes().split_for_parts();
    metrics.fallback(unknown_route).with_state(app)
}

/// The answer of a route, and one as well if its handler panics. What panicked is not polled again, so nobody sees what it
/// left half done.
async fn caught(answer: RouteFuture<Infallible>) -> Result<Response, Infallible> {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    answer.unwrap_or_else(|panic| Ok(log::panicked(panic)))
}

async fn unknown_route(uri: Uri) -> impl IntoResponse {
    Failure::new(Code::UnknownRoute, format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> impl IntoResponse {
    let detail = format!("{} does not take {method}; the Allow header names what it takes", uri.path());
    Failure::new(Code::MethodNotAllowed, detail)
}
