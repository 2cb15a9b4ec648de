//! A Redis of a test's own, to be stopped, frozen, emptied and started again.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use redis::Client;
use uuid::Uuid;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder of our own; it is gone when this is.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

pub(crate) struct Server {
    child: Option<Child>,
    pub(crate) port: u16,
    settings: Vec<String>,
    folder: Folder,
}

fn program() -> String {
    let path = std::env::var("BOOKING_TEST_REDIS_BIN");
    path.expect("BOOKING_TEST_REDIS_BIN is not set: run the tests by `scripts/with-servers cargo test`")
}

/// A port nobody listens on now, low enough for the second port of a cluster's node, 10,000 above it.
fn free_port() -> u16 {
    loop {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        if port < 55_000 && std::net::TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

/// Settings that keep nothing when it stops.
pub(crate) const FORGETFUL: &[&str] = &["--save", "", "--appendonly", "no"];
/// Settings that keep everything that was acknowledged.
pub(crate) const LASTING: &[&str] = &["--save", "", "--appendonly", "yes", "--appendfsync", "always"];

impl Server {
    /// A new one with these settings.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("booking-test-{}", Uuid::new_v4().simple()));
        fs::create_dir(&folder).expect("a folder");
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut server = Self { child: None, port: free_port(), settings, folder: Folder(folder) };
        server.resume();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// Starts it again where it stopped, and waits until it answers.
    pub(crate) fn resume(&mut self) {
        let log = File::create(self.folder().join("log")).expect("a log");
        let child = Command::new("setpriv")
            // Nothing is left behind, however the test ends.
            .args([
                "--pdeathsig",
                "KILL",
                &program(),
                "--bind",
                "127.0.0.1",
                "--port",
                &self.port.to_string(),
            ])
            .arg("--dir")
            .arg(self.folder())
            .args(&self.settings)
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a log"))
            .stdout(log)
            .spawn();
        self.child = Some(child.expect("redis-server starts"));
        let began = Instant::now();
        while !self.answers() {
            let log = fs::read_to_string(self.folder().join("log")).unwrap_or_default();
            assert!(began.elapsed() < PATIENCE, "Redis does not start:\n{log}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether it serves: a server that still loads its file answers too, but with an error.
    fn answers(&self) -> bool {
        let connection = Client::open(self.url()).expect("an address").get_connection();
        connection.is_ok_and(|mut connection| redis::cmd("PING").query::<String>(&mut connection).is_ok())
    }

    /// Asks it something.
    pub(crate) fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection =
            Client::open(self.url()).expect("an address").get_connection().expect("a connection");
        let answer = redis::cmd(command[0]).arg(&command[1..]).query(&mut connection);
        answer.unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// Waits until its replica has everything it has. The wait is for the writes of the connection that asks, so it writes
    /// something first; what others wrote before is in front of it.
    pub(crate) fn replicate(&self) {
        let mut connection =
            Client::open(self.url()).expect("an address").get_connection().expect("a connection");
        let mut asked = redis::pipe();
        asked.cmd("SET").arg("{main}:everything-before").arg("").ignore();
        asked.cmd("WAIT").arg(1).arg(5_000);
        let (replicas,): (u64,) = asked.query(&mut connection).expect("Redis answers");
        assert_eq!(replicas, 1, "the replica does not follow");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn crash(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// Stops it where it is, or lets it go on.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.signal(if frozen { "-STOP" } else { "-CONT" });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
    }
}
