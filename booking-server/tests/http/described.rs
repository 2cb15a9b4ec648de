//! Holds every answer of every test against the OpenAPI document: the status must be there, and the body must be as
//! described, without a field that is not.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use axum::http::Method;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::support::Reply;

/// The document with all objects closed: what is not described is wrong.
static CLOSED: LazyLock<Value> = LazyLock::new(|| {
    let mut document = document();
    let mut parts = Vec::new();
    parts_of_others(&document, &mut parts);
    for (name, schema) in document["components"]["schemas"].as_object_mut().unwrap() {
        if !parts.contains(name) {
            close(schema);
        }
    }
    document
});

pub(crate) fn document() -> Value {
    serde_json::to_value(booking_server::openapi()).unwrap()
}

/// The schemas that are a part of another, by `allOf`: it is the whole that is closed.
fn parts_of_others(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                let name = part["$ref"].as_str().and_then(|path| path.rsplit('/').next());
                found.extend(name.map(ToOwned::to_owned));
            }
            fields.values().for_each(|value| parts_of_others(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| parts_of_others(value, found)),
        _ => {}
    }
}

fn close(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    let is_object = fields.contains_key("properties") || fields.contains_key("allOf");
    if is_object && !fields.contains_key("additionalProperties") {
        fields.insert("unevaluatedProperties".into(), json!(false));
    }
    if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(close);
    }
    if let Some(items) = fields.get_mut("items") {
        close(items);
    }
}

/// What lies at a place in the document.
fn found(at: &[&str]) -> &'static Value {
    at.iter().fold(&*CLOSED, |value, part| &value[*part])
}

/// A validator for the schema at a place in the document, made once.
pub(crate) fn validator(at: &[&str]) -> Arc<Validator> {
    static MADE: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(made.entry(at.join(" ")).or_insert_with(|| Arc::new(make_validator(at))))
}

fn make_validator(at: &[&str]) -> Validator {
    let mut schema = found(at).clone();
    close(&mut schema);
    let root = json!({"allOf": [schema], "components": CLOSED["components"]});
    jsonschema::options().should_validate_formats(true).build(&root).unwrap()
}

/// What is wrong with a value; empty: nothing.
pub(crate) fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The path in the document that a path of a request belongs to.
fn described_path<'a>(paths: &'a Map<String, Value>, path: &str) -> Option<&'a String> {
    let sent: Vec<&str> = path.split('/').collect();
    paths.keys().find(|described| {
        let parts: Vec<&str> = described.split('/').collect();
        parts.len() == sent.len()
            && parts.iter().zip(&sent).all(|(part, sent)| part == sent || part.starts_with('{'))
    })
}

/// Panics if an answer is not as described.
pub(crate) fn check(method: &Method, path: &str, reply: &Reply) {
    let (status, method) = (reply.status.as_u16().to_string(), method.as_str().to_lowercase());
    let paths = CLOSED["paths"].as_object().unwrap();
    let at = match described_path(paths, path).filter(|path| paths[*path].get(&method).is_some()) {
        // A route that this server was told to have elsewhere.
        Some(_) if reply.body["code"] == "unknown_route" => vec!["components", "responses", "unknown_route"],
        Some(path) => vec!["paths", path, &method, "responses", &status],
        None if status == "404" => vec!["components", "responses", "unknown_route"],
        None => vec!["components", "responses", "method_not_allowed"],
    };
    let response = found(&at);
    assert!(response.is_object(), "{method} {path}: the document tells of no {status}: {reply:?}");
    let Some(content) = response.get("content") else {
        assert_eq!(reply.body, Value::Null, "{method} {path}: {status} is described without a body");
        return;
    };
    let content_type = reply.header("content-type").unwrap_or_default();
    assert!(content.get(content_type).is_some(), "{method} {path} {status}: {content_type} is not described");
    let at: Vec<&str> = at.into_iter().chain(["content", content_type, "schema"]).collect();
    let faults = faults(&validator(&at), &reply.body);
    assert!(faults.is_empty(), "{method} {path} {status} is not as described: {faults:#?}\n{reply:#?}");
}
