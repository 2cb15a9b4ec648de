use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, Response, header},
};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::time::timeout;
use tower::ServiceExt;

use crate::support::Service;

/// A reader of server-sent events.
pub(crate) struct Reader(Body);

impl Reader {
    pub(crate) async fn open(service: &Service, path: &str, token: &str) -> Self {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        Self::of(service.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap())
    }

    pub(crate) fn of(response: Response<Body>) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self(response.into_body())
    }

    /// The next that comes, as it is written; none at the end.
    pub(crate) async fn text(&mut self) -> Option<String> {
        let next = timeout(Duration::from_mins(2), self.0.frame()).await.expect("something comes");
        Some(String::from_utf8(next?.unwrap().into_data().unwrap().into()).unwrap())
    }

    /// The next event, and its data; heartbeats are passed over.
    pub(crate) async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            let text = self.text().await?;
            let field =
                |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            if let (Some(event), Some(data)) = (field("event"), field("data")) {
                return Some((event.to_owned(), serde_json::from_str(data).unwrap()));
            }
        }
    }

    /// The data of the next event, which is of this kind.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        let (event, data) = self.event().await.expect("it goes on");
        assert_eq!(event, kind, "{data}");
        data
    }
}
