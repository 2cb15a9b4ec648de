//! A wire between a store and its database that can be cut, at the worst moment too.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What happens on the wire. A COMMIT is whatever makes a batch durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Weather {
    /// Everything passes.
    Fair,
    /// The next COMMIT is delivered, but its answer is not: the wire is cut.
    CutAfterCommit,
    /// The next COMMIT is not delivered: the wire is cut.
    CutBeforeCommit,
    /// The next COMMIT stays on the way, and so does everything after it on that wire.
    SwallowCommit,
    /// The next COMMIT stays on the way until the weather is turned; then it is delivered.
    LateCommit,
    /// Wires are cut as soon as they are used.
    Cut,
    /// Nothing passes, and nobody is told.
    Silence,
}

const ALL: [Weather; 7] = [
    Weather::Fair,
    Weather::CutAfterCommit,
    Weather::CutBeforeCommit,
    Weather::SwallowCommit,
    Weather::LateCommit,
    Weather::Cut,
    Weather::Silence,
];

/// A wire to a database.
#[derive(Clone)]
pub(crate) struct Proxy {
    port: u16,
    weather: Arc<AtomicU8>,
    after: Arc<AtomicU8>,
    hits: watch::Sender<usize>,
    /// Told to wires that wait for something to pass.
    changed: watch::Sender<()>,
}

const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";
/// What holds are saved with: the status of a reservation, as a value.
const HELD: &[u8] = b"\0\0\0\x04held";

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|at| at == part)
}

/// Which messages of a wire commit: a COMMIT, and what saves holds outside of a transaction.
#[derive(Default)]
struct Commits {
    in_transaction: bool,
}

impl Commits {
    fn with(&mut self, bytes: &[u8]) -> bool {
        let ends = has(bytes, COMMIT);
        self.in_transaction =
            (self.in_transaction || has(bytes, b"BEGIN")) && !(ends || has(bytes, b"ROLLBACK"));
        // Values are bound by a message that begins with this letter, and none of the server's does.
        ends || !self.in_transaction && bytes.starts_with(b"B") && has(bytes, HELD)
    }
}

impl Proxy {
    /// A fair wire to this port.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address").port();
        let proxy = Self {
            port: own,
            weather: Arc::default(),
            after: Arc::default(),
            hits: watch::Sender::new(0),
            changed: watch::Sender::new(()),
        };
        let at = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                client.set_nodelay(true).ok();
                server.set_nodelay(true).ok();
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let (cut, was_cut) = watch::channel(false);
                tokio::spawn(at.clone().carry(from_client, to_server, cut.clone(), was_cut.clone()));
                tokio::spawn(at.clone().carry(from_server, to_client, cut, was_cut));
            }
        });
        proxy
    }

    /// The address of what is at `url`, but over this wire.
    pub(crate) fn url(&self, url: &str) -> String {
        let (before, database) = url.rsplit_once('/').expect("an address ends with a database");
        let (user, _) = before.rsplit_once('@').expect("an address names a user");
        format!("{user}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// From now on; what hits a COMMIT hits one, and `after` that it is like that.
    pub(crate) fn turn(&self, weather: Weather, after: Weather) {
        self.after.store(after as u8, Ordering::SeqCst);
        self.weather.store(weather as u8, Ordering::SeqCst);
        self.changed.send_replace(());
    }

    /// How many COMMITs were hit.
    pub(crate) fn hits(&self) -> usize {
        *self.hits.borrow()
    }

    /// Returns when so many were hit.
    pub(crate) async fn has_hit(&self, many: usize) {
        self.hits.subscribe().wait_for(|hits| *hits >= many).await.expect("it is counted here");
    }

    fn weather(&self) -> Weather {
        ALL[usize::from(self.weather.load(Ordering::SeqCst))]
    }

    /// Whether this COMMIT is the one that is hit.
    fn strikes(&self, weather: Weather) -> bool {
        let after = self.after.load(Ordering::SeqCst);
        let struck = self.weather.compare_exchange(weather as u8, after, Ordering::SeqCst, Ordering::SeqCst);
        self.hits.send_modify(|hits| *hits += usize::from(struck.is_ok()));
        struck.is_ok()
    }

    async fn carry(
        self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        cut: watch::Sender<bool>,
        mut was_cut: watch::Receiver<bool>,
    ) {
        let (mut buffer, mut commits) = (vec![0; 64 * 1024], Commits::default());
        loop {
            let read = tokio::select! {
                read = from.read(&mut buffer) => read,
                _ = was_cut.wait_for(|cut| *cut) => return,
            };
            let Ok(count @ 1..) = read else { break };
            let bytes = &buffer[..count];
            let commits = commits.with(bytes);
            match self.weather() {
                Weather::CutAfterCommit if commits && self.strikes(Weather::CutAfterCommit) => {
                    to.write_all(bytes).await.ok();
                    // It is on its way to the server; now nothing comes back.
                    break;
                }
                Weather::CutBeforeCommit if commits && self.strikes(Weather::CutBeforeCommit) => break,
                Weather::SwallowCommit if commits && self.strikes(Weather::SwallowCommit) => {
                    was_cut.wait_for(|cut| *cut).await.ok();
                    return;
                }
                Weather::LateCommit if commits => {
                    let mut turned = self.changed.subscribe();
                    if self.strikes(Weather::LateCommit) {
                        turned.changed().await.ok();
                    }
                }
                Weather::Cut => break,
                Weather::Silence => {
                    let mut changed = self.changed.subscribe();
                    while self.weather() == Weather::Silence && changed.changed().await.is_ok() {}
                    break;
                }
                _ => {}
            }
            if to.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
        cut.send_replace(true);
    }
}
