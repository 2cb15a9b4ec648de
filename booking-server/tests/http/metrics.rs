//! `GET /metrics`: what happened is there, by bounded labels, and in the form that scrapers read.

#![allow(clippy::float_cmp, reason = "these numbers are counts")]

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use axum::{body::Body, http::Request};
use booking_server::{ConnectionOptions, Options, Secrets, ServeArgs};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::{
    connections,
    faults::{self, Fault},
    support::{Service, options},
};

/// The numbers as they are now.
async fn scrape(service: &Service) -> String {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response = service.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(media_type.starts_with("application/openmetrics-text; version=1.0.0"), "{media_type}");
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// The value of one series; panics if it is not there.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} is not in\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn a_purchase_shows_by_route_and_by_deed_and_the_lane_as_it_stands() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    service.buy(&buyer, 7).await;
    let other = service.buyer().await;
    service.hold(&other, 7).await.expect(409);
    service.get(&format!("/v1/reservations/{}", uuid::Uuid::new_v4()), &other.queue_token).await.expect(404);
    let text = scrape(&service).await;
    let requests = |route, method, status| {
        let labels = format!("{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}");
        value(&text, &format!("booking_http_requests_total{labels}"))
    };
    assert_eq!(requests("/v1/reservations", "POST", "2xx"), 1.0);
    assert_eq!(requests("/v1/reservations", "POST", "4xx"), 1.0);
    assert_eq!(requests("/v1/reservations/{id}", "GET", "4xx"), 1.0);
    assert_eq!(requests("/v1/users", "POST", "2xx"), 2.0);
    for (series, expected) in [
        ("booking_http_request_duration_seconds_count{route=\"/v1/reservations\",method=\"POST\"}", 2.0),
        (
            "booking_http_request_duration_seconds_bucket{le=\"+Inf\",route=\"/v1/reservations\",method=\"POST\"}",
            2.0,
        ),
        ("booking_http_requests_in_flight{route=\"/v1/reservations\",method=\"POST\"}", 0.0),
        ("booking_http_requests_in_flight{route=\"/metrics\",method=\"GET\"}", 1.0),
        ("booking_problems_total{code=\"seat_taken\"}", 1.0),
        ("booking_problems_total{code=\"unknown_reservation\"}", 1.0),
        ("booking_lane_waiting{lane=\"main\"}", 0.0),
        ("booking_lane_admitted{lane=\"main\"}", 1.0),
        ("booking_lane_capacity{lane=\"main\"}", 1000.0),
        ("booking_lane_open{lane=\"main\"}", 1.0),
        ("booking_active_holds", 0.0),
        ("booking_seats_sold", 1.0),
        ("booking_stores_up", 1.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series} in\n{text}");
    }
    assert!(value(&text, "process_start_time_seconds") > 1.7e9);
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn no_id_and_no_made_up_name_becomes_a_label() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let ids = [&buyer.id, crate::support::SHOW, crate::support::CONCERT];
    service
        .get(&format!("/v1/performances/{}/seats", crate::support::SHOW), &buyer.queue_token)
        .await
        .expect(200);
    for path in ["/wp-admin", "/v1/nothing", "/v1/wallet"] {
        service.call("BREW", path, "", None).await;
        service.call("DELETE", path, "", None).await;
    }
    // The document describes no HEAD, which comes with every GET, so it is not sent the usual way.
    let head = Request::head("/health/live").body(Body::empty()).unwrap();
    assert_eq!(service.router.clone().oneshot(head).await.unwrap().status(), 204);
    let text = scrape(&service).await;
    for made_up in ["wp-admin", "nothing", "BREW"] {
        assert!(!text.contains(made_up), "{made_up} is in\n{text}");
    }
    assert!(ids.iter().all(|id| !text.contains(*id)), "{text}");
    let labels = |route: &str, method: &str| {
        let labels =
            format!("booking_http_requests_total{{route=\"{route}\",method=\"{method}\",status=\"4xx\"}}");
        value(&text, &labels)
    };
    assert_eq!((labels("unknown", "other"), labels("unknown", "DELETE")), (2.0, 2.0));
    assert_eq!((labels("/v1/wallet", "other"), labels("/v1/wallet", "DELETE")), (1.0, 1.0));
    assert!(text.contains("{route=\"/health/live\",method=\"GET\",status=\"2xx\"} 1"), "{text}");
}

#[tokio::test]
async fn every_series_is_there_once_and_every_name_has_its_help_and_is_in_the_manual() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    service.buy(&buyer, 7).await;
    let text = scrape(&service).await;
    let (mut seen, mut helped) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(help.ends_with('.') && helped.insert(name), "{line}");
        }
        if !line.starts_with('#') {
            let (series, number) = line.rsplit_once(' ').unwrap();
            assert!(number.parse::<f64>().is_ok() && seen.insert(series), "{line}");
            let name = series.split('{').next().unwrap();
            assert!(helped.iter().any(|helped| name.starts_with(helped)), "{line}");
        }
    }
    assert!(seen.len() > 100, "{text}");
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    for name in helped {
        assert!(manual.contains(&format!("`{name}")), "{name} is not in docs/operations.md");
    }
}

#[tokio::test]
async fn when_the_stores_are_down_the_rest_is_told_all_the_same() {
    let (service, (booking, _)) = faults::start().await;
    booking.set(Fault::Down);
    service.get("/v1/concerts", "").await.expect(503);
    let text = scrape(&service).await;
    assert_eq!(value(&text, "booking_stores_up"), 0.0);
    assert_eq!(value(&text, "booking_problems_total{code=\"store_unavailable\"}"), 1.0);
    assert!(!text.contains("booking_lane_waiting{"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_before_the_answer_is_counted_as_gone() {
    let (service, (booking, _)) = faults::start().await;
    booking.set(Fault::Silent);
    let left = tokio::time::timeout(Duration::from_secs(1), service.get("/v1/concerts", "")).await;
    assert!(left.is_err(), "{left:?}");
    booking.set(Fault::None);
    let text = scrape(&service).await;
    let labels = "route=\"/v1/concerts\",method=\"GET\"";
    assert_eq!(value(&text, &format!("booking_http_requests_total{{{labels},status=\"gone\"}}")), 1.0);
    assert_eq!(value(&text, &format!("booking_http_requests_in_flight{{{labels}}}")), 0.0);
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_counted_as_the_503_that_its_client_is_told() {
    let (service, (booking, _)) = faults::start().await;
    let answer_timeout = Duration::from_millis(200);
    let options = ConnectionOptions { answer_timeout, ..ConnectionOptions::default() };
    let address = connections::serve(service.router.clone(), options).await;
    booking.set(Fault::Silent);
    let request = "GET /v1/concerts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = connections::talk(address, request).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    booking.set(Fault::None);
    let text = scrape(&service).await;
    let of = |status: &str| {
        let labels = format!("route=\"/v1/concerts\",method=\"GET\",status=\"{status}\"");
        value(&text, &format!("booking_http_requests_total{{{labels}}}"))
    };
    assert_eq!(of("5xx"), 1.0);
    assert!(!text.contains("status=\"gone\""), "{text}");
    assert_eq!(value(&text, "booking_problems_total{code=\"overloaded\"}"), 1.0);
}

/// The body of an answer over a connection of its own; none: nobody listens.
pub(crate) fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Some(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_with_an_address_of_their_own_are_served_there_alone_with_stores_and_batches() {
    let folder = tempfile::tempdir().unwrap();
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let args = ServeArgs {
        listen: free,
        metrics_listen: Some(free),
        store: format!("sqlite:{}", folder.path().join("booking.db").display()),
        ..ServeArgs::default()
    };
    let running = booking_server::start(&args, Secrets::random()).await.unwrap();
    let (service, metrics) = (running.address(), running.metrics_address().unwrap());
    assert!(get(service, "/metrics").unwrap().starts_with("HTTP/1.1 404"));
    assert!(get(metrics, "/v1/concerts").unwrap().starts_with("HTTP/1.1 404"));
    let text = get(metrics, "/metrics").unwrap();
    for series in [
        "booking_store_call_duration_seconds_count{store=\"booking\",call=\"execute\"}",
        "booking_store_call_duration_seconds_count{store=\"queue\",call=\"advance\"}",
        "booking_batch_size_count{queue=\"writer\"}",
        "booking_batch_size_bucket{le=\"+Inf\",queue=\"writer\"}",
    ] {
        assert!(value(&text, series) > 0.0, "{series} in\n{text}");
    }
    assert_eq!(value(&text, "booking_store_failures_total{store=\"booking\",call=\"execute\"}"), 0.0);
    running.stop().await;
    assert_eq!(get(metrics, "/metrics"), None, "it ends with the server");
}

#[tokio::test]
async fn metrics_that_are_served_elsewhere_are_no_route_here() {
    let elsewhere = Options { metrics_listen: Some(SocketAddr::from(([127, 0, 0, 1], 9))), ..options() };
    let service = Service::with(elsewhere, booking_core::BookingPolicy::default()).await;
    service.get("/metrics", "").await.expect(404);
}
