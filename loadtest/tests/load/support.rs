use std::{path::PathBuf, process::Command, time::Duration};

use booking_server::{Running, Secrets, ServeArgs};
use clap::Parser;
use loadtest::{
    args::Args,
    report::Summary,
    run::{Keys, run},
};
use uuid::Uuid;

/// A server in this process.
pub(crate) struct Server {
    pub(crate) keys: Keys,
    pub(crate) token_secrets: Vec<String>,
    pub(crate) url: String,
    running: Running,
}

impl Server {
    /// One in memory whose holds last so long.
    pub(crate) async fn start(hold_ttl: Duration) -> Self {
        Self::with(&ServeArgs { hold_ttl, ..on("memory:") }, Secrets::random()).await
    }

    pub(crate) async fn with(args: &ServeArgs, secrets: Secrets) -> Self {
        let keys = Keys { admin: secrets.admin_key.clone(), service: Some(secrets.service_key.clone()) };
        let token_secrets = secrets.token_secrets.clone();
        let running = booking_server::start(args, secrets).await.unwrap();
        Self { keys, token_secrets, url: format!("http://{}", running.address()), running }
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

/// What a server on this store is told, on a free port.
pub(crate) fn on(store: &str) -> ServeArgs {
    ServeArgs { listen: ([127, 0, 0, 1], 0).into(), store: store.into(), ..ServeArgs::default() }
}

/// A folder of its own, gone in the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("loadtest-test-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// The results of a run over these servers, with flags as on the command line.
pub(crate) async fn results(hosts: &[&str], keys: &Keys, flags: &str) -> Summary {
    let hosts = hosts.iter().flat_map(|host| ["--host", host]);
    let few = ["--connections", "16", "--warm-up", "0s"];
    let args = Args::parse_from(["loadtest"].into_iter().chain(flags.split(' ')).chain(hosts).chain(few));
    let folder = Folder::new();
    run(&args, keys, &folder.0).await.unwrap().summary
}

/// A database of its own on the server that scripts/with-servers started.
pub(crate) struct Database {
    pub(crate) url: String,
    name: String,
}

impl Database {
    pub(crate) fn create() -> Self {
        let needs =
            |name| std::env::var(name).expect("run the tests by scripts/with-servers: they need PostgreSQL");
        let server = needs("BOOKING_TEST_PG");
        let name = format!("load_{}", Uuid::new_v4().simple());
        psql(&server, &format!("create database {name}"));
        let (server, _) = server.rsplit_once('/').unwrap();
        Self { url: format!("{server}/{name}"), name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let server = std::env::var("BOOKING_TEST_PG").unwrap_or_default();
        psql(&server, &format!("drop database {} with (force)", self.name));
    }
}

fn psql(server: &str, sql: &str) {
    let bin = std::env::var("BOOKING_TEST_PG_BIN").unwrap_or_default();
    let done = Command::new(format!("{bin}/psql")).args([server, "-qc", sql]).status().unwrap();
    assert!(done.success(), "{sql}");
}
