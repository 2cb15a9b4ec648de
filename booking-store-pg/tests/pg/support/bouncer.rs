//! A PgBouncer before the server for the tests.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions};

use super::server::{Folder, Process, free_port, unprivileged};

/// Where Debian and others put it.
const PROGRAMS: [&str; 3] = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];

pub(crate) struct Bouncer {
    _process: Process,
    port: u16,
    _folder: Folder,
}

impl Bouncer {
    /// One that pools by this mode, before the server at this port.
    pub(crate) async fn start(mode: &str, server: u16) -> Self {
        let (folder, port) = (Folder::new(), free_port());
        let users = folder.path().join("users");
        fs::write(&users, "\"postgres\" \"\"\n").expect("a file");
        let config = format!(
            "[databases]\n* = host=127.0.0.1 port={server} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {mode}\n\
             default_pool_size = 20\nmax_client_conn = 100\n",
            users.display()
        );
        let file = folder.path().join("config");
        fs::write(&file, config).expect("a file");
        folder.hand_over();
        let found = PROGRAMS.into_iter().find(|path| Path::new(path).exists());
        let program =
            found.expect("pgbouncer is missing: run the tests by `scripts/with-servers cargo test`");
        let mut command = unprivileged(Path::new(program));
        command.arg(&file);
        let process = Process::start(command, &folder.path().join("log"));
        let bouncer = Self { _process: process, port, _folder: folder };
        bouncer.wait().await;
        bouncer
    }

    async fn wait(&self) {
        let patience = Instant::now() + Duration::from_secs(10);
        let options: PgConnectOptions = self.url("postgres").parse().expect("an address");
        loop {
            match options.clone().extra_float_digits(None).connect().await {
                Ok(connection) => return drop(connection.close().await),
                Err(error) => assert!(Instant::now() < patience, "pgbouncer does not start: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}
