use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStderr, Command, Stdio},
};

use booking_server::{Secrets, ServeArgs};

/// A request over a connection of its own, the whole answer as text.
pub(crate) fn talk(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(crate) fn request(method: &str, path: &str, token: &str, body: &str) -> String {
    let authorization =
        if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\n{authorization}content-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn field(answer: &str, name: &str) -> String {
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

/// The server as a process of its own. It ends with the test, however the test ends.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    log: BufReader<ChildStderr>,
    told: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Server {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_booking-server"))
            .args(["--listen", "127.0.0.1:0", "--store", "memory:"])
            .args(args)
            .env_remove("BOOKING_ADMIN_KEY")
            .env("BOOKING_SERVICE_KEY", "a service key for a test")
            .env("BOOKING_TOKEN_SECRET", "a token secret for a test")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { child, address: nowhere, log, told: String::new() };
        while server.address == nowhere {
            let mut line = String::new();
            assert!(server.log.read_line(&mut line).unwrap() > 0, "the server ended:\n{}", server.told);
            server.told.push_str(&line);
            if let Some(at) = line.find("127.0.0.1:") {
                let address = line[at..].split(|c: char| c.is_whitespace() || c == '"').next();
                server.address = address.unwrap().parse().unwrap();
            }
        }
        server
    }

    /// Tells it to end; whether it ended well, and all it told.
    pub(crate) fn end(mut self) -> (bool, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let well = self.child.wait().unwrap().success();
        let mut told = std::mem::take(&mut self.told);
        self.log.read_to_string(&mut told).unwrap();
        (well, told)
    }
}

#[test]
fn request_logs_name_routes_and_carry_no_token() {
    for format in ["text", "json"] {
        let server = Server::start(&["--open-signup", "--log-requests", "--log-format", format]);
        let call =
            |method, path, token: &str, body| talk(server.address, &request(method, path, token, body));
        let user_token = field(&call("POST", "/v1/users", "", "{}"), "user_token");
        let queue_token = field(&call("POST", "/v1/queue/tokens", &user_token, ""), "queue_token");
        call("GET", "/v1/performances?limit=7", &queue_token, "");
        call("GET", "/v1/wallet", "forged-token-value", "");
        let (well, told) = server.end();
        assert!(well, "a server told to end ends well");
        assert!(told.contains("/v1/queue/tokens") && told.contains("401"), "{told}");
        let secrets =
            [&user_token, &queue_token, "forged-token-value", "limit=7", "a service key", "a token secret"];
        for secret in secrets {
            assert!(!told.contains(secret), "{secret} is in the log:\n{told}");
        }
        assert_eq!(told.matches("BOOKING_ADMIN_KEY").count(), 1, "the made-up key is told once:\n{told}");
    }
}

#[test]
fn a_request_whose_answer_does_not_come_in_time_is_logged_like_any_other() {
    let server = Server::start(&["--open-signup", "--log-requests", "--answer-timeout", "200ms"]);
    let begun =
        "POST /v1/users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    assert!(talk(server.address, begun).starts_with("HTTP/1.1 400"));
    let (_, told) = server.end();
    let line = told.lines().find(|line| line.contains("/v1/users")).unwrap_or_else(|| panic!("{told}"));
    assert!(line.contains("status=400") && line.contains("trace_id="), "{line}");
}

#[test]
fn only_a_flag_opens_sign_up_and_charges_and_it_is_told_loudly() {
    for (args, signup, charges) in [
        (&[][..], false, false),
        (&["--open-signup"], true, false),
        (&["--open-charges"], false, true),
        (&["--open-signup", "--open-charges"], true, true),
    ] {
        let server = Server::start(args);
        let made = talk(server.address, &request("POST", "/v1/users", "", "{}"));
        assert_eq!(made.starts_with("HTTP/1.1 201"), signup, "{args:?}: {made}");
        let (_, told) = server.end();
        for (flag, is_open) in [("--open-signup", signup), ("--open-charges", charges)] {
            let warned = told.lines().any(|line| line.contains("WARN") && line.contains(flag));
            assert_eq!(warned, is_open, "{args:?} {flag}:\n{told}");
        }
    }
}

#[test]
fn a_server_that_cannot_start_says_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let cases: [(&[&str], &str); 7] = [
        (&["--listen", &address, "--store", "memory:"], "choose another with --listen"),
        (&["--listen", "127.0.0.1:0", "--store", "mongo://user:hunter2@db"], "no store is known for mongo:"),
        (&["--store", "memory:", "--queue", "kafka://hunter2"], "--queue: no store is known for kafka:"),
        (
            &["--store", "memory:", "--queue", "redis://:hunter2@127.0.0.1:1?prefix=Tour"],
            "--queue: the prefix in the address of Redis is none; write ?prefix=NAME once",
        ),
        (&["--store", "memory:", "--hold-ttl", "0s"], "'--hold-ttl <HOLD_TTL>': must be between"),
        (
            &["--store", "memory:", "--user-keys", "/nowhere/keys.json", "--user-issuer", "x"],
            "--user-keys /nowhere/keys.json: No such file",
        ),
        (&["--store", "memory:", "--admit-per-second", "0"], "'--admit-per-second <ADMIT_PER_SECOND>'"),
    ];
    for (args, hint) in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_booking-server")).args(args).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains(hint), "{args:?}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_finishes_what_is_in_flight_and_takes_nothing_new() {
    let args = ServeArgs {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        open_signup: true,
        store: "memory:".into(),
        ..ServeArgs::default()
    };
    let running = booking_server::start(&args, Secrets::random()).await.unwrap();
    let address = running.address();
    // The request is on its way: its head has arrived, its body has not.
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"POST /v1/users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n").unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100 Continue"));
    let stopping = tokio::spawn(running.stop());
    while TcpStream::connect(address).is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(b"{}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    stopping.await.unwrap();
}

#[tokio::test]
async fn health_tells_whether_to_send_work() {
    let service = crate::support::Service::start().await;
    service.get("/health/live", "").await.expect(204);
    service.get("/health/ready", "").await.expect(204);
}
