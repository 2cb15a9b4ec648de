//! A PostgreSQL of a test's own, to be stopped, paused and started again.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions};
use uuid::Uuid;

/// Any program with the user's own rights, but never as root, which PostgreSQL refuses.
pub(crate) fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "INT"]).arg(program);
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id tells who we are");
    id.stdout.starts_with(b"0\n")
}

/// A port nobody listens on now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// A folder of our own that a server may write to; it is gone when this is.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("booking-test-{}", Uuid::new_v4().simple()));
        fs::create_dir(&path).expect("a folder");
        let folder = Self(path);
        folder.hand_over();
        folder
    }

    /// Makes what is in it the server's.
    pub(crate) fn hand_over(&self) {
        if is_root() {
            let done = Command::new("chown").args(["-R", "postgres"]).arg(&self.0).status().expect("chown");
            assert!(done.success());
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A program that runs until it is told to end.
pub(crate) struct Process {
    pub(crate) id: u32,
    waiting: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts it in a thread that lives as long as it does: the kernel ends it when its parent, which is that thread,
    /// dies.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let log = File::create(log).expect("a log");
        command.stdout(log.try_clone().expect("a log")).stderr(log).stdin(Stdio::null());
        let (tell, told) = mpsc::channel();
        let waiting = thread::spawn(move || {
            let mut child = command.spawn().expect("the program starts");
            tell.send(child.id()).expect("the test waits");
            child.wait().ok();
        });
        Self { id: told.recv().expect("the program started"), waiting: Some(waiting) }
    }

    /// Sends a signal to it alone.
    pub(crate) fn signal(&self, signal: &str) {
        Command::new("kill").args([signal, &self.id.to_string()]).status().expect("kill");
    }

    /// Sends a signal to it and what it started.
    pub(crate) fn signal_all(&self, signal: &str) {
        let children =
            fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.id)).unwrap_or_default();
        self.signal(signal);
        for child in children.split_whitespace() {
            Command::new("kill").args([signal, child]).status().expect("kill");
        }
    }

    pub(crate) fn end(&mut self, signal: &str) {
        if let Some(waiting) = self.waiting.take() {
            self.signal(signal);
            waiting.join().ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal_all("-CONT");
        self.end("-QUIT");
    }
}

/// A PostgreSQL.
pub(crate) struct Server {
    process: Option<Process>,
    pub(crate) port: u16,
    settings: Vec<&'static str>,
    folder: Folder,
}

fn programs() -> PathBuf {
    let path = std::env::var("BOOKING_TEST_PG_BIN");
    path.expect("BOOKING_TEST_PG_BIN is not set: run the tests by `scripts/with-servers cargo test`").into()
}

impl Server {
    /// A new one with these settings.
    pub(crate) async fn start(settings: &[&'static str]) -> Self {
        let folder = Folder::new();
        let mut init = unprivileged(&programs().join("initdb"));
        init.args(["--no-sync", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"]);
        let made = init.arg(folder.path().join("data")).output().expect("initdb");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut server = Self { process: None, port: free_port(), settings: settings.to_vec(), folder };
        server.resume().await;
        server
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// One setting more, from the next start on.
    pub(crate) fn set(&mut self, setting: &'static str) {
        self.settings.push(setting);
    }

    /// Starts it again where it stopped, and waits until it answers.
    pub(crate) async fn resume(&mut self) {
        let mut command = unprivileged(&programs().join("postgres"));
        command.arg("-D").arg(self.folder.path().join("data"));
        command.arg("-k").arg(self.folder.path());
        command.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        self.process = Some(Process::start(command, &self.folder.path().join("log")));
        let patience = Instant::now() + Duration::from_secs(20);
        let options: PgConnectOptions = self.url().parse().expect("an address");
        loop {
            match options.connect().await {
                Ok(connection) => return drop(connection.close().await),
                Err(error) => assert!(Instant::now() < patience, "PostgreSQL does not start: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends it at once, without a word to anybody, as a crash would.
    pub(crate) fn crash(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end("-QUIT");
        }
    }

    /// Stops all its processes where they are, or lets them go on.
    pub(crate) fn freeze(&self, frozen: bool) {
        let process = self.process.as_ref().expect("it runs");
        process.signal_all(if frozen { "-STOP" } else { "-CONT" });
    }
}
