use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::{described::document, support::Service};

async fn get(service: &Service, path: &str, known: &str) -> (Response<Body>, Vec<u8>) {
    let request = Request::get(path).header("if-none-match", known).body(Body::empty()).unwrap();
    let response = service.router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    (Response::from_parts(parts, Body::empty()), bytes)
}

#[tokio::test]
async fn the_document_is_served_and_not_sent_again_to_who_knows_it() {
    let service = Service::start().await;
    let (answer, bytes) = get(&service, "/openapi.json", "\"another\"").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&bytes).unwrap(), document());
    let name = answer.headers()["etag"].to_str().unwrap();
    let (again, bytes) = get(&service, "/openapi.json", name).await;
    assert_eq!((again.status(), bytes.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn the_page_takes_everything_from_this_server() {
    let service = Service::start().await;
    let (page, html) = get(&service, "/docs", "").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    let html = String::from_utf8(html).unwrap();
    let files: Vec<&str> = html.split('"').filter(|text| text.starts_with("docs/")).collect();
    assert_eq!(files.len(), 4, "{html}");
    for file in files {
        let (answer, bytes) = get(&service, &format!("/{file}"), "").await;
        assert_eq!(answer.status(), StatusCode::OK, "{file}");
        assert!(!bytes.is_empty());
    }
    let (_, script) = get(&service, "/docs/page.js", "").await;
    for text in [html, String::from_utf8(script).unwrap()] {
        assert!(!text.contains("//cdn") && !text.contains("http"), "{text}");
    }
    assert_eq!(service.get("/docs/other.js", "").await.expect(404).code(), "unknown_route");
}
