//! The OpenAPI document, and the page that shows it and tries calls out. Both come from this binary: they work offline.

use std::sync::Arc;

use axum::{
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
        },
    },
    response::{IntoResponse, Response},
};
use booking_api::Code;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::Config;

use super::Reply;
use crate::{
    app::App,
    extract::At,
    failure::Failure,
    openapi::{Served, refusals::refusals},
};

/// The page takes scripts from this server only. The viewer styles itself, and draws its signs as `data:` images.
const POLICY: &str =
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(document)).routes(routes!(page)).routes(routes!(file))
}

fn content_type(value: &'static str) -> (HeaderName, HeaderValue) {
    (CONTENT_TYPE, HeaderValue::from_static(value))
}

/// This document
#[utoipa::path(
    get,
    operation_id = "openapi_document",
    path = "/openapi.json",
    tag = "service",
    security(()),
    params(("if-none-match" = Option<String>, Header, description = "The `ETag` of the document that is known")),
    responses(
        (
            status = 200,
            description = "The OpenAPI 3.1 document",
            body = Object,
            headers(("ETag" = String, description = "Names this form of the document"))
        ),
        (status = 304, description = "It is the known one"),
    ),
)]
async fn document(headers: HeaderMap) -> Response {
    let Served { bytes, etag } = &*crate::openapi::SERVED;
    let shared = [(ETAG, etag.clone()), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if headers.get(IF_NONE_MATCH) == Some(etag) {
        return (StatusCode::NOT_MODIFIED, shared).into_response();
    }
    (shared, [content_type("application/json")], bytes.clone()).into_response()
}

/// The page that shows this document and tries calls out
#[utoipa::path(
    get,
    operation_id = "docs_page",
    path = "/docs",
    tag = "service",
    security(()),
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
)]
async fn page() -> Response {
    let policy = (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    ([policy, content_type("text/html; charset=utf-8")], include_str!("docs/index.html")).into_response()
}

refusals!(FileRefusals: INPUT; UnknownRoute);

/// A file of the page
#[utoipa::path(
    get,
    operation_id = "docs_file",
    path = "/docs/{file}",
    tag = "service",
    security(()),
    params(("file" = String, Path, description = "Its name", example = "page.js")),
    responses(
        (
            status = 200,
            description = "The file",
            content(
                (String = "text/css"),
                (String = "text/javascript"),
                (String = "image/png")
            )
        ),
        FileRefusals,
    ),
)]
async fn file(At(name): At<String>) -> Reply<Response> {
    let content_type = content_type(match name.as_str() {
        "page.js" | "swagger-ui-bundle.js" => "text/javascript; charset=utf-8",
        "swagger-ui.css" => "text/css; charset=utf-8",
        "favicon-32x32.png" => "image/png",
        _ => return Err(Failure::new(Code::UnknownRoute, "the page has no such file")),
    });
    if name == "page.js" {
        return Ok(([content_type], include_str!("docs/page.js")).into_response());
    }
    let found = utoipa_swagger_ui::serve(&name, Arc::new(Config::default())).ok().flatten();
    let file = found.ok_or_else(|| Failure::new(Code::UnknownRoute, "the page has no such file"))?;
    let cached = (CACHE_CONTROL, HeaderValue::from_static("max-age=86400"));
    let mut response = ([content_type, cached], file.bytes.into_owned()).into_response();
    if file.gzpipped {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}
