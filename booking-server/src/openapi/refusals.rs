//! What calls answer when they refuse: lists of codes, told as responses with an example each.

use std::collections::BTreeMap;

use booking_api::{Code, PROBLEM_JSON};
use utoipa::openapi::{
    AllOfBuilder, ContentBuilder, Header, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response,
    ResponseBuilder, example::Example, schema::Type,
};

/// Whatever reads from a store.
pub(crate) const READ: &[Code] = &[Code::InternalError, Code::StoreUnavailable, Code::Overloaded];
/// Whatever changes something in a store.
pub(crate) const CHANGE: &[Code] =
    &[Code::InternalError, Code::StoreUnavailable, Code::Overloaded, Code::UnknownOutcome];
/// Whatever takes something from path, query or headers.
pub(crate) const INPUT: &[Code] = &[Code::InvalidRequest];
/// Whatever takes a body.
pub(crate) const BODY: &[Code] = &[Code::InvalidRequest, Code::BodyTooLarge, Code::UnsupportedMediaType];
/// Whatever takes a user token, or any token of a user.
pub(crate) const USER: &[Code] = &[Code::InvalidToken, Code::RateLimited];
/// Whatever takes a queue token.
pub(crate) const QUEUE: &[Code] = &[Code::InvalidToken, Code::QueueReset, Code::RateLimited];
/// Whatever takes the queue token of somebody whose turn it is. Showing up starts the session, which is a change.
pub(crate) const ADMITTED: &[Code] = &[
    Code::InvalidToken,
    Code::QueueReset,
    Code::RateLimited,
    Code::TokenDone,
    Code::NotYourTurn,
    Code::UnknownOutcome,
];
/// Whatever takes the admin key.
pub(crate) const ADMIN: &[Code] = &[Code::InvalidToken, Code::Forbidden];

/// Names what a call answers when it refuses, for `responses(…)` of its description: groups of codes, then codes of its
/// own.
macro_rules! refusals {
    ($name:ident: $($group:ident),* $(; $($code:ident),*)?) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses()
            -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                use $crate::openapi::refusals as groups;
                groups::responses(&[$(groups::$group,)* &[$($(booking_api::Code::$code),*)?]])
            }
        }
    };
}
pub(crate) use refusals;

pub(crate) fn responses(groups: &[&[Code]]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
    for code in groups.iter().copied().flatten() {
        let codes = by_status.entry(code.status()).or_default();
        if !codes.contains(code) {
            codes.push(*code);
        }
    }
    let told = |(status, codes): (u16, Vec<Code>)| (status.to_string(), response(&codes).into());
    by_status.into_iter().map(told).collect()
}

/// The problems of one status.
pub(crate) fn response(codes: &[Code]) -> Response {
    let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let titles: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.title())).collect();
    let narrowed = ObjectBuilder::new()
        .property("code", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.clone())));
    let schema = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(narrowed);
    let example = |word: &str| RefOr::<Example>::Ref(Ref::new(format!("#/components/examples/{word}")));
    let examples = words.iter().map(|word| (*word, example(word)));
    let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build();
    let response = ResponseBuilder::new().description(titles.join(" · ")).content(PROBLEM_JSON, content);
    match codes.first().map(|code| code.status()) {
        Some(401) => response.header("WWW-Authenticate", text("`Bearer`")).build(),
        Some(405) => response.header("Allow", text("The methods the path takes")).build(),
        Some(429 | 503) => response.header("Retry-After", seconds()).build(),
        _ => response.build(),
    }
}

fn text(description: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

fn seconds() -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    HeaderBuilder::new().schema(Some(schema)).description(Some("When to try again, in seconds")).build()
}
