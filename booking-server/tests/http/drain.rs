//! How a server ends: it says so first.

use std::{net::SocketAddr, time::Duration};

use booking_server::{Secrets, ServeArgs};

use crate::metrics::get;

#[tokio::test(flavor = "multi_thread")]
async fn while_it_drains_a_server_says_that_it_is_not_ready_and_still_serves() {
    let args = ServeArgs {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        store: "memory:".into(),
        drain_delay: Duration::from_secs(2),
        ..ServeArgs::default()
    };
    let running = booking_server::start(&args, Secrets::random()).await.unwrap();
    let address = running.address();
    let ready = || get(address, "/health/ready").expect("it takes connections until the delay is over");
    assert!(ready().starts_with("HTTP/1.1 204"));
    let stopping = tokio::spawn(running.stop());
    let refused = loop {
        let answer = ready();
        if !answer.starts_with("HTTP/1.1 204") {
            break answer;
        }
    };
    assert!(
        refused.starts_with("HTTP/1.1 503") && refused.contains("this instance is stopping"),
        "{refused}"
    );
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(get(address, "/v1/concerts").unwrap().starts_with("HTTP/1.1 200"));
    stopping.await.unwrap();
    assert_eq!(get(address, "/health/live"), None);
}
