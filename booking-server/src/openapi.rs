//! The OpenAPI document. It is made of the routes themselves: a call can't be added without its description.

pub(crate) mod refusals;

use std::sync::LazyLock;

use axum::{body::Bytes, http::HeaderValue};
use booking_api::{Code, Problem};
use utoipa::{
    OpenApi,
    openapi::{
        OneOf, OpenApi as Document, PathItem, RefOr, Required, Response, Schema,
        example::ExampleBuilder,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use uuid::Uuid;

use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "booking",
        description = "Waiting queue, seats, wallet and payment for events with numbered seats.\n\n\
            A buyer signs up (user token), takes a number (queue token), and once admitted holds seats and pays them \
            from the wallet. Amounts are integers in the currency's minor unit. Lists come in pages: pass `next_cursor` \
            as `cursor`.\n\n\
            Every error is a problem (RFC 9457) with a `code` to program against. `retryable`: the same request may \
            succeed later, after `Retry-After`. `may_have_applied`: the request may have had its effect; repeat it with \
            the same identity to find out.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(Problem)),
    tags(
        (name = "users", description = "Who somebody is"),
        (name = "queue", description = "Where somebody stands"),
        (name = "concerts", description = "Concerts, their dates and seats"),
        (name = "reservations", description = "Seats held for a while"),
        (name = "wallet", description = "Money put in"),
        (name = "payments", description = "Money for seats"),
        (name = "admin", description = "For operators"),
        (name = "service", description = "The service itself"),
    )
)]
struct Outline;

/// What a new router of calls begins with.
pub(crate) fn outline() -> Document {
    Outline::openapi()
}

/// The security schemes: all are bearer tokens, told apart by who makes them.
const SCHEMES: [(&str, &str); 4] = [
    ("user_token", "Who somebody is; from `POST /v1/users`."),
    ("queue_token", "Where somebody stands in a lane; from `POST /v1/queue/tokens`."),
    ("admin_key", "The operator's key, `BOOKING_ADMIN_KEY`."),
    ("service_key", "The payment gateway's key, `BOOKING_SERVICE_KEY`."),
];

/// The OpenAPI 3.1 document of the service.
pub fn openapi() -> Document {
    let (_, mut document) = routes::all().split_for_parts();
    for (path, item) in &mut document.paths.paths {
        for (_, operation) in operations(item) {
            may_be_left_out(operation);
            told_at_the_door(path, operation);
        }
    }
    let components = document.components.get_or_insert_default();
    for (name, description) in SCHEMES {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
        components.add_security_scheme(name, SecurityScheme::Http(scheme.build()));
    }
    for code in Code::ALL {
        // A problem can always be written.
        let value = serde_json::to_value(code.example()).unwrap_or_default();
        let example = ExampleBuilder::new().summary(code.title()).value(Some(value)).build();
        components.examples.insert(code.as_str().into(), example.into());
    }
    for code in [Code::UnknownRoute, Code::MethodNotAllowed] {
        let response: Response = refusals::response(&[code]);
        components.responses.insert(code.as_str().into(), response.into());
    }
    document
}

/// The document on the wire.
pub(crate) struct Served {
    pub(crate) bytes: Bytes,
    /// Names the bytes.
    pub(crate) etag: HeaderValue,
}

/// The document as it is served, made at its first use.
pub(crate) static SERVED: LazyLock<Served> = LazyLock::new(|| {
    // A document made of strings and numbers can always be written.
    let bytes = serde_json::to_vec(&openapi()).unwrap_or_default();
    let name = Uuid::new_v5(&Uuid::NAMESPACE_OID, &bytes).simple().to_string();
    let etag = HeaderValue::from_str(&format!("\"{name}\"")).unwrap_or(HeaderValue::from_static("\"\""));
    Served { bytes: bytes.into(), etag }
});

/// Every call of the service: its method in capitals, and its path as it is routed and described.
pub fn calls() -> Vec<(String, String)> {
    let (_, document) = routes::all().split_for_parts();
    let mut calls = Vec::new();
    for (path, mut item) in document.paths.paths {
        calls.extend(operations(&mut item).map(|(method, _)| (method.to_owned(), path.clone())));
    }
    calls
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let of = [
        ("GET", &mut item.get),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
    ];
    of.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Whatever is called, a connection may be one too many, and an address may have called too often.
fn told_at_the_door(path: &str, operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    let mut told = |code: Code| {
        let status = code.status().to_string();
        responses.entry(status).or_insert_with(|| refusals::response(&[code]).into());
    };
    told(Code::Overloaded);
    if !path.starts_with("/health/") {
        told(Code::RateLimited);
    }
}

/// `request_body = Option<T>` is told as "a T or null". What it means here: a T, or no body at all.
fn may_be_left_out(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        if let Some(RefOr::T(Schema::OneOf(OneOf { items, .. }))) = &mut content.schema {
            content.schema = Some(items.swap_remove(0));
            body.required = Some(Required::False);
        }
    }
}
