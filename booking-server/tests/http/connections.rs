//! What clients can't draw out, and what the server tells those who try.

use std::{io, net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::get,
};
use booking_server::{ConnectionOptions, Running, Secrets, ServeArgs, serve_connections};
use futures_util::stream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::{Instant, timeout},
};

/// Nothing here may take longer.
const AT_MOST: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_millis(200);

pub(crate) async fn start(args: ServeArgs) -> Running {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let args = ServeArgs { listen, open_signup: true, store: "memory:".into(), ..args };
    booking_server::start(&args, Secrets::random()).await.unwrap()
}

/// Sends the text on a connection of its own and reads until the server closes it.
pub(crate) async fn talk(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    rest(&mut stream).await
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    match timeout(AT_MOST, stream.read_to_end(&mut answer)).await.expect("the server closes the connection") {
        Ok(_) => {}
        // What was sent and not read may reset the connection behind the answer.
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
    String::from_utf8(answer).unwrap()
}

fn get_path(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n")
}

fn get_health(headers: &str) -> String {
    get_path("/health/live", headers)
}

/// Serves routes of a test's own until the test ends.
pub(crate) async fn serve(router: Router, options: ConnectionOptions) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        serve_connections(listener, router, &options, std::future::pending()).await;
    });
    address
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_cut_off() {
    let server = start(ServeArgs { receive_timeout: SOON, ..ServeArgs::default() }).await;
    for begun in ["", "GET /health/live HTTP/1.1\r\nhost:"] {
        assert_eq!(talk(server.address(), begun).await, "", "{begun:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_told_and_cut_off() {
    let server = start(ServeArgs { receive_timeout: SOON, ..ServeArgs::default() }).await;
    let begun =
        "POST /v1/users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let answer = talk(server.address(), begun).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("did not arrive within 0.2 s"), "{answer}");
    server.stop().await;
    // The time for the answer may be over first. Nobody does anything before a body was heard.
    let server = start(ServeArgs { answer_timeout: SOON, ..ServeArgs::default() }).await;
    let answer = talk(server.address(), begun).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("did not arrive within 0.2 s"), "{answer}");
    assert!(answer.contains("\"may_have_applied\":false"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_request_refused_before_all_of_it_came_is_told_that_its_connection_ends() {
    let server = start(ServeArgs::default()).await;
    let post = |token: &str, path: &str, body: &str| {
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\n{token}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    // Refused by its head, while its body is still to come.
    let head = post("", "/v1/reservations", "").replace("content-length: 0", "content-length: 9");
    let refused = talk(server.address(), &head).await;
    assert!(refused.starts_with("HTTP/1.1 401 ") && refused.contains("connection: close"), "{refused}");
    // Heard to the end, whatever came of it: the connection takes the next request.
    let both = post("", "/v1/users", "{}") + &post("", "/v1/users", "[]") + &get_health("");
    let answers = talk(server.address(), &both).await;
    let statuses: Vec<&str> =
        answers.matches("HTTP/1.1 201").chain(answers.matches("HTTP/1.1 400")).collect();
    assert_eq!((statuses.len(), answers.matches("HTTP/1.1 204").count()), (2, 1), "{answers}");
    assert_eq!(answers.matches("connection: close").count(), 1, "only the last asked for it: {answers}");
    server.stop().await;
}

#[tokio::test]
async fn a_head_that_is_too_long_or_has_too_many_lines_is_refused() {
    let server = start(ServeArgs::default()).await;
    for headers in [format!("x: {}\r\n", "y".repeat(20_000)), "x: y\r\n".repeat(120)] {
        let answer = talk(server.address(), &get_health(&headers)).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let answer = talk(server.address(), &get_health(&"x: y\r\n".repeat(90))).await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_connection_too_many_is_told_so_and_takes_the_next_free_place() {
    let server = start(ServeArgs { max_connections: 1, ..ServeArgs::default() }).await;
    let mut first = TcpStream::connect(server.address()).await.unwrap();
    let keep_alive = get_health("").replace("connection: close\r\n", "");
    first.write_all(keep_alive.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    first.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 204");
    let refused = talk(server.address(), &get_health("")).await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 1"), "{refused}");
    assert!(refused.contains("\"overloaded\"") && refused.contains("as many connections"), "{refused}");
    drop(first);
    let freed = async {
        while !talk(server.address(), &get_health("")).await.starts_with("HTTP/1.1 204 ") {
            tokio::task::yield_now().await;
        }
    };
    timeout(AT_MOST, freed).await.expect("the place becomes free");
    server.stop().await;
}

#[tokio::test]
async fn connections_beyond_those_that_are_told_that_there_is_no_room_are_dropped_at_once() {
    let server = start(ServeArgs { max_connections: 1, ..ServeArgs::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(server.address()).await.unwrap());
    }
    let (mut last, mut told) = (silent.pop().unwrap(), silent.remove(1));
    let began = Instant::now();
    tokio::select! {
        biased;
        _ = rest(&mut told) => panic!("who is told has a second to ask"),
        _ = rest(&mut last) => {}
    }
    rest(&mut told).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    server.stop().await;
}

/// Tells when it is dropped.
struct Alive(Arc<Notify>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// A stream without an end, and what tells when it is given up.
fn endless() -> (Router, Arc<Notify>) {
    let given_up = Arc::new(Notify::new());
    let told = Arc::clone(&given_up);
    let stream = async move || {
        let alive = Alive(told);
        let frames = stream::repeat_with(move || {
            let _stays = &alive;
            Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 16 * 1024]))
        });
        Body::from_stream(frames)
    };
    (Router::new().route("/", get(stream)), given_up)
}

#[tokio::test]
async fn a_stream_whose_reader_stops_reading_is_cut_off() {
    let (router, given_up) = endless();
    let options = ConnectionOptions { receive_timeout: SOON, ..ConnectionOptions::default() };
    let address = serve(router, options).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(get_path("/", "").as_bytes()).await.unwrap();
    let (began, mut some) = (Instant::now(), vec![0; 512 * 1024]);
    while began.elapsed() < SOON * 4 {
        timeout(AT_MOST, stream.read_exact(&mut some)).await.expect("who reads is told more").unwrap();
    }
    timeout(AT_MOST, given_up.notified()).await.expect("who stops reading is cut off");
}

#[tokio::test]
async fn a_stream_that_has_nothing_to_tell_goes_on() {
    let frames = |frame: u8| async move {
        tokio::time::sleep(SOON * 3 * u32::from(frame.min(1))).await;
        (frame < 3).then(|| (Ok::<_, io::Error>(Bytes::from(format!("frame {frame}"))), frame + 1))
    };
    let router = Router::new().route("/", get(async move || Body::from_stream(stream::unfold(0, frames))));
    let options = ConnectionOptions { receive_timeout: SOON, ..ConnectionOptions::default() };
    let answer = talk(serve(router, options).await, &get_path("/", "")).await;
    assert!(answer.contains("frame 2") && answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_told_and_says_whether_it_may_have_been_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stuck = || std::future::pending::<()>();
    let router = Router::new().route("/", get(stuck).post(stuck));
    let options = ConnectionOptions { answer_timeout: SOON, ..ConnectionOptions::default() };
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let serving = tokio::spawn(async move {
        serve_connections(listener, router, &options, stopped.notified()).await;
    });
    for (method, code) in [("GET", "overloaded"), ("POST", "unknown_outcome")] {
        let request =
            format!("{method} / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        let answer = talk(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(
            answer.contains(&format!("\"{code}\"")) && answer.contains("no answer within 0.2 s"),
            "{answer}"
        );
    }
    // A handler that does not care for the body may be at anything.
    let begun = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{";
    let answer = talk(address, begun).await;
    assert!(answer.contains("\"unknown_outcome\""), "{answer}");
    stop.notify_one();
    timeout(AT_MOST, serving).await.expect("it stops").unwrap();
}

#[tokio::test]
async fn one_address_has_one_share_and_a_proxy_that_is_trusted_speaks_for_many() {
    let calls_per_second_per_address = NonZeroU32::new(3);
    let trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let proxied = ServeArgs { calls_per_second_per_address, trusted_proxies, ..ServeArgs::default() };
    let server = start(proxied).await;
    let from = async |address: &str| {
        talk(server.address(), &get_path("/v1/concerts", &format!("x-forwarded-for: {address}\r\n"))).await
    };
    let first = from("2001:db8::1").await;
    assert!(first.contains("ratelimit-policy: \"address\";q=3;w=1\r\n"), "{first}");
    assert!(first.contains("ratelimit: \"address\";r=2;t=1\r\n"), "{first}");
    let began = Instant::now();
    let mut refused = String::new();
    // Addresses of one subscriber, as many as it likes.
    for host in 2..1_000 {
        refused = from(&format!("2001:db8::{host:x}")).await;
        if refused.starts_with("HTTP/1.1 429 ") {
            break;
        }
    }
    assert!(refused.contains("\"rate_limited\"") && refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("ratelimit: \"address\";r=0;t=1\r\n"), "{refused} after {:?}", began.elapsed());
    assert!(from("2001:db8:0:1::1").await.starts_with("HTTP/1.1 200 "), "another subscriber");
    server.stop().await;

    // Without a trusted proxy nobody gains a share by writing a header.
    let server = start(ServeArgs { calls_per_second_per_address, ..ServeArgs::default() }).await;
    let mut refused = false;
    for host in 0..200 {
        let request = get_path("/v1/concerts", &format!("x-forwarded-for: 192.0.2.{host}\r\n"));
        refused |= talk(server.address(), &request).await.starts_with("HTTP/1.1 429 ");
    }
    assert!(refused);
    // Whoever asks whether the server is well has to be answered, above all when it has much to do.
    for _ in 0..10 {
        assert!(talk(server.address(), &get_health("")).await.starts_with("HTTP/1.1 204 "));
    }
    server.stop().await;
}
