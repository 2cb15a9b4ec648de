//! A server for a test, and the command run against it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use booking_api::{
    Concert, List,
    client::{Client, ClientError},
};
use booking_server::{Running, Secrets, ServeArgs};
use tokio::runtime::Runtime;

/// A server in memory on a port of its own, gone when dropped.
pub(crate) struct Server {
    runtime: Runtime,
    running: Option<Running>,
    pub(crate) url: String,
    pub(crate) secrets: Secrets,
}

/// What a run of the command left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// `--open-signup --open-charges`, on a free port.
pub(crate) fn open() -> ServeArgs {
    ServeArgs { open_signup: true, open_charges: true, ..closed() }
}

/// Only who holds a key may sign people up or charge.
pub(crate) fn closed() -> ServeArgs {
    ServeArgs { listen: ([127, 0, 0, 1], 0).into(), store: "memory:".into(), ..ServeArgs::default() }
}

impl Server {
    pub(crate) fn start(args: &ServeArgs) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let secrets = Secrets::random();
        let running = runtime.block_on(booking_server::start(args, secrets.clone())).unwrap();
        let url = format!("http://{}", running.address());
        Self { runtime, running: Some(running), url, secrets }
    }

    /// Runs the command as the operator, who holds the admin key.
    pub(crate) fn operator(&self, arguments: &[&str]) -> Ran {
        run(self.command(arguments).env("BOOKING_ADMIN_KEY", &self.secrets.admin_key))
    }

    /// Starts the command as the operator, to be read while it runs.
    pub(crate) fn start_operator(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command
            .env("BOOKING_ADMIN_KEY", &self.secrets.admin_key)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// What a call of the client answers.
    pub(crate) fn wait<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.block_on(call)
    }

    /// Runs the command without any key.
    pub(crate) fn anybody(&self, arguments: &[&str]) -> Ran {
        run(&mut self.command(arguments))
    }

    /// The command, for a run with an environment of its own.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = booking(arguments);
        command.args(["--url", &self.url]);
        command
    }

    /// The concerts that the server lists.
    pub(crate) fn concerts(&self) -> Vec<Concert> {
        let client = Client::new(&self.url);
        let page: Result<List<Concert>, ClientError> = self.runtime.block_on(client.concerts(None));
        page.unwrap().items
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}

/// The built command, in an environment without settings of the person who runs the tests.
pub(crate) fn booking(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_booking"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BOOKING_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

pub(crate) fn run(command: &mut Command) -> Ran {
    Ran::of(&command.output().unwrap())
}

/// Presses ctrl-c; the exit code.
pub(crate) fn interrupt(mut child: Child) -> Option<i32> {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    child.wait().unwrap().code()
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts the exit code, showing everything if it is another.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// The one JSON document on standard output.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// A folder for a test's files, gone when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(uuid::Uuid::new_v4().to_string());
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The address of a store in here.
    pub(crate) fn store(&self) -> String {
        format!("sqlite:{}", self.0.join("booking.db").display())
    }

    /// Writes a file; its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}
