//! The service's numbers. They need no token, because what reads them has none: keep them inside (`--metrics-listen`).

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use booking_api::Code;
use tokio::time::timeout;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Reply;
use crate::{
    app::App,
    failure::Failure,
    metrics::text::{self, Sale},
    openapi::refusals::refusals,
};

/// So long the stores may take to tell how the lanes stand; what is known without them is told all the same.
const WITHIN: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics))
}

refusals!(MetricsRefusals: ; InternalError);

/// Tells the service's numbers, for Prometheus
///
/// With `--metrics-listen` it is served at that address instead.
#[utoipa::path(
    get,
    operation_id = "metrics",
    path = "/metrics",
    tag = "service",
    security(()),
    responses(
        (
            status = 200,
            description = "The numbers as OpenMetrics text",
            body = String,
            content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
        MetricsRefusals,
    ),
)]
async fn metrics(State(app): State<App>) -> Reply<Response> {
    let sale = async {
        let (totals, lanes) = tokio::try_join!(app.engine.totals(), app.engine.lanes())?;
        Ok::<_, booking_core::Error>(Sale { totals, lanes })
    };
    let sale = timeout(WITHIN, sale).await.ok().and_then(Result::ok);
    let text = text::write(&app.metrics, sale).map_err(|error| {
        tracing::error!(%error, "the metrics could not be written");
        Failure::new(Code::InternalError, "the service failed; it was written to its log")
    })?;
    let media_type = HeaderValue::from_static(text::MEDIA_TYPE);
    Ok(([(header::CONTENT_TYPE, media_type)], text).into_response())
}
