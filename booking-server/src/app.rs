use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, Uri},
    response::IntoResponse,
};
use booking_api::Code;
use booking_core::{Clock, Engine};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    Secrets, extract::KeyHash, failure::Failure, limits::Limits, log, looks::Looks, routes,
    seat_watch::SeatWatches, tokens::Tokens,
};

/// The longest body a request may have: 64 KiB.
const LONGEST_BODY: usize = 64 * 1024;

/// What a server does beyond what it must.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Anybody may sign up.
    pub open_signup: bool,
    /// Users may charge their own wallet.
    pub open_charges: bool,
    /// How long user tokens last.
    pub user_token_ttl: Duration,
    /// How many calls a second a user may make; none: any number.
    pub calls_per_second: Option<NonZeroU32>,
    /// Every request is logged.
    pub log_requests: bool,
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
    pub(crate) limits: Limits,
    pub(crate) looks: Looks,
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
        Self(Arc::new(Shared {
            engine,
            clock,
            tokens: Tokens::new(&secrets.token_secrets, options.user_token_ttl),
            admin_key: KeyHash::of(&secrets.admin_key),
            service_key: KeyHash::of(&secrets.service_key),
            limits: Limits::new(options.calls_per_second),
            looks: Looks::default(),
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
        self.limits.forget_idle();
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
    let log_requests = app.options.log_requests;
    let (routes, _) = routes::all().split_for_parts();
    let router = routes
        .fallback(unknown_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(app)
        .layer(CatchPanicLayer::custom(log::panicked));
    if log_requests { router.layer(axum::middleware::from_fn(log::request)) } else { router }
}

async fn unknown_route(uri: Uri) -> impl IntoResponse {
    Failure::new(Code::UnknownRoute, format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> impl IntoResponse {
    let detail = format!("{} does not take {method}; the Allow header names what it takes", uri.path());
    Failure::new(Code::MethodNotAllowed, detail)
}
