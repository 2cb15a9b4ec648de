use std::collections::{BTreeMap, BTreeSet};

use booking_api::Code;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    described::{document, faults, validator},
    support::{CONCERT, PRICE, SHOW, Service},
};

/// Every call of the document: method, path, description.
fn described() -> Vec<(String, String, Value)> {
    let document = document();
    let mut calls = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, call) in methods.as_object().unwrap() {
            calls.push((method.to_uppercase(), path.clone(), call.clone()));
        }
    }
    calls
}

/// A path that something may lie at.
fn filled(path: &str) -> String {
    let nil = Uuid::nil().to_string();
    path.replace("{id}", &nil).replace("{lane}", "main").replace("{file}", "page.js").replace("{seat}", "17")
}

#[test]
fn the_document_is_openapi_3_1() {
    let text = serde_json::to_string(&booking_server::openapi()).unwrap();
    let document = oas3::from_json(&text).unwrap();
    document.validate_version().unwrap();
    assert_eq!(document.openapi, "3.1.0");
    let ids: Vec<String> =
        document.operations().map(|(_, _, operation)| operation.operation_id.clone().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id is there twice: {ids:?}");
    assert_eq!(ids.len(), booking_server::calls().len());
}

#[test]
fn every_schema_is_a_schema_and_its_example_fits_it() {
    let document = document();
    let mut examples = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Some(example) = schema.get("example") {
            let faults = faults(&validator(&["components", "schemas", name]), example);
            assert!(faults.is_empty(), "the example of {name} does not fit it: {faults:?}");
            examples += 1;
        }
    }
    assert!(examples > 20, "only {examples} schemas have an example");
    for (code, example) in document["components"]["examples"].as_object().unwrap() {
        let faults = faults(&validator(&["components", "schemas", "Problem"]), &example["value"]);
        assert!(faults.is_empty(), "the example of {code} is no problem: {faults:?}");
    }
}

#[test]
fn every_call_says_what_it_is_for_what_it_takes_and_what_it_answers() {
    for (method, path, call) in described() {
        let what = format!("{method} {path}");
        assert!(call["summary"].as_str().is_some_and(|summary| summary.len() > 10), "{what}: no summary");
        assert!(call["security"].is_array(), "{what}: which token it takes is not told");
        let responses = call["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{what}: no good answer is told");
        assert!(responses.contains_key("503"), "{what}: every connection may hear that there is no room");
        let is_limited = !path.starts_with("/health/");
        assert_eq!(responses.contains_key("429"), is_limited, "{what}: addresses are limited");
        for (status, response) in responses {
            let contents = response["content"].as_object().into_iter().flatten();
            for (content_type, content) in contents.filter(|(kind, _)| kind.ends_with("json")) {
                assert!(content["schema"].is_object(), "{what} {status}: {content_type} without a schema");
            }
            if ["429", "503"].contains(&status.as_str()) {
                assert!(response["headers"]["Retry-After"].is_object(), "{what} {status}: no Retry-After");
            }
        }
    }
}

#[test]
fn every_code_is_told_by_a_call_with_its_status_and_an_example() {
    let mut told = BTreeMap::new();
    for (method, path, call) in described() {
        for (status, response) in call["responses"].as_object().unwrap() {
            let problem = &response["content"]["application/problem+json"];
            let examples =
                problem["examples"].as_object().into_iter().flatten().map(|(code, _)| code.clone());
            let examples: BTreeSet<String> = examples.collect();
            let codes = problem["schema"]["allOf"][1]["properties"]["code"]["enum"].as_array();
            let codes = codes.into_iter().flatten().map(|code| code.as_str().unwrap().to_owned());
            assert_eq!(codes.collect::<BTreeSet<_>>(), examples, "{method} {path} {status}");
            told.extend(examples.into_iter().map(|code| (code, status.clone())));
        }
    }
    // No call answers that it is no call: it stands among the components.
    let nobody = Code::MethodNotAllowed;
    assert!(document()["components"]["responses"].get(nobody.as_str()).is_some());
    let all = Code::ALL.iter().filter(|code| **code != nobody);
    let all = all.map(|code| (code.as_str().to_owned(), code.status().to_string()));
    assert_eq!(told, all.collect::<BTreeMap<_, _>>());
}

#[tokio::test]
async fn every_described_call_is_routed() {
    let service = Service::start().await;
    for (method, path) in booking_server::calls() {
        if path == "/docs" || path == "/docs/{file}" {
            continue; // Not JSON; `docs.rs` gets them.
        }
        let reply = service.call(&method, &filled(&path), "", None).await;
        let code = reply.body["code"].as_str().unwrap_or_default();
        assert!(!["unknown_route", "method_not_allowed"].contains(&code), "{method} {path}: {reply:?}");
    }
}

#[tokio::test]
async fn every_call_takes_the_tokens_it_is_described_with_and_no_other() {
    let service = Service::start().await;
    for (method, path, call) in described() {
        let buyer = service.buyer().await;
        let tokens = [
            ("", String::new()),
            ("user_token", buyer.user_token),
            ("queue_token", buyer.queue_token),
            ("admin_key", service.secrets.admin_key.clone()),
            ("service_key", service.secrets.service_key.clone()),
        ];
        let security = call["security"].as_array().unwrap();
        let takes = |scheme: &str| {
            security.iter().any(|needed| {
                let needed = needed.as_object().unwrap();
                if scheme.is_empty() { needed.is_empty() } else { needed.contains_key(scheme) }
            })
        };
        // What takes no token at all does not look at one.
        if path.starts_with("/docs") || security == &vec![json!({})] || path == "/v1/queue/events" {
            continue;
        }
        for (scheme, token) in tokens {
            let body = (method != "GET").then(|| json!({}));
            let reply = service.call(&method, &filled(&path), &token, body).await;
            let code = reply.body["code"].as_str().unwrap_or_default();
            let is_refused = ["invalid_token", "forbidden"].contains(&code);
            assert_eq!(!is_refused, takes(scheme), "{method} {path} with {scheme}: {reply:?}");
        }
    }
}

/// Drives calls and remembers which succeeded and which were refused; `send` holds each answer against the document.
struct Driver<'a> {
    service: &'a Service,
    succeeded: BTreeSet<(String, String)>,
    refused: BTreeSet<(String, String)>,
}

impl Driver<'_> {
    async fn call(&mut self, method: &str, path: &str, id: &str, token: &str, body: Option<Value>) -> Value {
        let sent =
            path.replace("{id}", id).replace("{lane}", id).replace("{file}", id).replace("{seat}", "17");
        let key = Uuid::new_v4().to_string();
        let reply = match body {
            Some(body) if method == "POST" && !token.is_empty() => {
                self.service.post_keyed(&sent, token, &key, body).await
            }
            body => self.service.call(method, &sent, token, body).await,
        };
        let path = path.split('?').next().unwrap();
        let of = if reply.status.is_success() { &mut self.succeeded } else { &mut self.refused };
        of.insert((method.to_owned(), path.to_owned()));
        reply.body
    }
}

#[tokio::test]
async fn every_call_answers_and_refuses_as_described() {
    let service = Service::start().await;
    let (admin, nil) = (service.secrets.admin_key.clone(), Uuid::nil().to_string());
    let mut driver = Driver { service: &service, succeeded: BTreeSet::new(), refused: BTreeSet::new() };
    for path in ["/v1/concerts", "/health/live", "/health/ready", "/openapi.json", "/metrics"] {
        driver.call("GET", path, "", "", None).await;
    }
    driver.call("GET", "/v1/concerts?limit=0", "", "", None).await;
    let made_user = driver.call("POST", "/v1/users", "", "", Some(json!({}))).await;
    let user = made_user["user_token"].as_str().unwrap();
    let made = driver.call("POST", "/v1/queue/tokens", "", user, Some(json!({}))).await;
    let queue = made["queue_token"].as_str().unwrap();

    driver.call("GET", "/v1/queue/status", "", queue, None).await;
    driver.call("GET", "/v1/concerts/{id}/performances", CONCERT, queue, None).await;
    driver.call("GET", "/v1/performances", "", queue, None).await;
    driver.call("GET", "/v1/performances/{id}/seats?all=true", SHOW, queue, None).await;
    let wanted = json!({"performance_id": SHOW, "seats": [17]});
    let held = driver.call("POST", "/v1/reservations", "", queue, Some(wanted)).await;
    let reservation = held["reservation_id"].as_str().unwrap();
    driver.call("GET", "/v1/reservations", "", user, None).await;
    driver.call("GET", "/v1/reservations/{id}", reservation, user, None).await;
    driver.call("DELETE", "/v1/reservations/{id}", reservation, user, None).await;
    let wanted = json!({"performance_id": SHOW, "seats": [18]});
    let held = driver.call("POST", "/v1/reservations", "", queue, Some(wanted)).await;
    driver.call("POST", "/v1/wallet/charges", "", user, Some(json!({"amount": PRICE}))).await;
    let wanted = json!({"reservation_id": held["reservation_id"]});
    let paid = driver.call("POST", "/v1/payments", "", queue, Some(wanted)).await;
    for path in ["/v1/payments", "/v1/wallet", "/v1/wallet/entries"] {
        driver.call("GET", path, "", user, None).await;
    }
    driver.call("DELETE", "/v1/queue/tokens", "", queue, None).await;

    let refund = json!({"payment_id": paid["payment_id"]});
    driver.call("POST", "/v1/admin/refunds", "", &admin, Some(refund)).await;
    let payment = paid["payment_id"].as_str().unwrap();
    driver.call("GET", "/v1/admin/payments/{id}", payment, &admin, None).await;
    driver.call("GET", "/v1/admin/reservations/{id}", reservation, &admin, None).await;
    driver.call("POST", "/v1/admin/reservations/{id}/release", reservation, &admin, Some(json!({}))).await;
    let user_id = made_user["user_id"].as_str().unwrap();
    driver.call("GET", "/v1/admin/users/{id}/reservations", user_id, &admin, None).await;
    driver.call("GET", "/v1/admin/users/{id}/entries", user_id, &admin, None).await;
    driver.call("GET", "/v1/admin/performances/{id}/seats/{seat}/history", SHOW, &admin, None).await;
    driver.call("POST", "/v1/admin/concerts", "", &admin, Some(json!({"concerts": []}))).await;
    driver.call("PATCH", "/v1/admin/lanes/{lane}", "main", &admin, Some(json!({}))).await;
    driver.call("GET", "/v1/admin/lanes/{lane}", "main", &admin, None).await;
    for path in ["/v1/admin/lanes", "/v1/admin/events", "/v1/admin/audit"] {
        driver.call("GET", path, "", &admin, None).await;
    }
    // Not JSON: streams are heard in `waiting.rs` and `seat_events.rs`, the page is got in `docs.rs`.
    let other = ["/v1/queue/events", "/v1/performances/{id}/seats/events", "/docs", "/docs/{file}"];
    for (method, path, call) in described() {
        let can_refuse = call["responses"].get("401").is_some();
        if can_refuse && !other.contains(&path.as_str()) {
            let body = (method != "GET").then(|| json!({"no": "such field"}));
            driver.call(&method, &path, &nil, "nonsense", body).await;
            let refused = driver.refused.contains(&(method.clone(), path.clone()));
            assert!(refused, "{method} {path} was not refused");
        }
        let call = (method, path);
        assert!(
            driver.succeeded.contains(&call) || other.contains(&call.1.as_str()),
            "{call:?} did not succeed"
        );
    }
}
