use std::{
    any::Any,
    io::{IsTerminal, stderr},
    time::Instant,
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use booking_api::Code;
use tracing::Instrument;
use tracing_subscriber::EnvFilter;

use crate::{args::LogFormat, failure::Failure, overdue, trace::TraceId};

/// Starts logging to standard error. Only the first call in a process counts.
pub fn init_logging(filter: &str, format: LogFormat) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("--log {filter}: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr);
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // A second call, in tests, finds logging started: that is fine.
    drop(started);
    Ok(())
}

/// Logs a request by its route: no header, no query, no id, so no token and no person. Whatever is logged meanwhile
/// carries the request's trace id.
pub(crate) async fn request(request: Request, next: Next) -> Response {
    let trace = TraceId::of(request.headers());
    let span = tracing::info_span!("request", trace_id = %trace);
    log_inside(request, next).instrument(span).await
}

async fn log_inside(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let mut line = Line { started: Instant::now(), method: request.method().clone(), route, status: None };
    let response = next.run(request).await;
    line.status = Some(response.status().as_u16());
    response
}

/// What is logged of a request when it ends, with an answer or with its time.
struct Line {
    started: Instant,
    method: Method,
    route: Option<String>,
    status: Option<u16>,
}

impl Drop for Line {
    fn drop(&mut self) {
        // Without either, its client has gone away and there was no answer.
        let Some(status) = self.status.or_else(|| overdue::told().map(Code::status)) else { return };
        let (method, micros) = (&self.method, self.started.elapsed().as_micros());
        let route = self.route.as_deref().unwrap_or("unknown");
        tracing::info!(%method, route, status, micros, "request");
    }
}

/// A handler that panicked: the client reads no detail, the log does.
#[allow(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
pub(crate) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("no text"), "a handler panicked");
    Failure::new(Code::InternalError, "the service failed; it was written to its log").into_response()
}
