mod keys;
mod signals;

use std::{io::ErrorKind, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use booking_core::{Clock, Engine, InvalidPolicy};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::{
    App, ConnectionOptions, InvalidSecrets, InvalidUserKeys, Metrics, Options, Secrets, ServeArgs, Unset,
    UserKeys, app::router, clock::system_clock, connections::serve_connections, log::init_logging, main_lane,
    metrics::MetricsListener, open_files, stores,
};
use signals::EndSignals;

/// How often the engine is tended.
const TEND_EVERY: Duration = Duration::from_millis(100);
/// After how many rounds of tending those who have not called of late are forgotten: a minute.
const FORGET_EVERY: u32 = 600;
/// After how many rounds of tending the file of user keys is looked at again: five seconds.
const REREAD_EVERY: u32 = 50;
/// How long requests in flight may take when the server stops.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// Why a server can't start, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not ours.
    #[error("can't listen on {address}: {source}; choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The address of the metrics is taken, or not ours.
    #[error("can't listen on {address} for metrics: {source}; choose another with --metrics-listen")]
    ListenForMetrics {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// No store of that kind is built in.
    #[error("{flag}: no store is known for {scheme} (known: {known})")]
    UnknownStore {
        /// The flag that named it.
        flag: &'static str,
        /// What it may name.
        known: String,
        /// What it named, without what may be secret.
        scheme: String,
    },
    /// It has no scheme that could tell what it is.
    #[error("{flag}: '{named}' is no store; write {known}")]
    NoStore {
        /// The flag that named it.
        flag: &'static str,
        /// What it named; nothing in it can be secret.
        named: String,
        /// What it may name.
        known: String,
    },
    /// The file of the store is to be in a folder that is not there.
    #[error("--store: there is no folder {}; make it, or name a file elsewhere", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The flags make no policy.
    #[error(transparent)]
    Policy(#[from] InvalidPolicy),
    /// The secrets don't do.
    #[error(transparent)]
    Secrets(#[from] InvalidSecrets),
    /// The keys of the identity provider can't be used.
    #[error(transparent)]
    UserKeys(#[from] InvalidUserKeys),
    /// The log filter makes no sense.
    #[error("{0}")]
    Log(String),
    /// PostgreSQL can't be used as it is.
    #[cfg(feature = "postgres")]
    #[error("--store: {0}")]
    Postgres(#[from] booking_store_pg::ConnectError),
    /// The store is no database with a schema of its own.
    #[cfg(feature = "postgres")]
    #[error(
        "only a PostgreSQL database is migrated by itself (postgres://…), not {scheme}; other stores are when they are opened"
    )]
    NoSchema {
        /// What was named, without what may be secret.
        scheme: String,
    },
    /// The file can't be used as it is.
    #[cfg(feature = "sqlite")]
    #[error("--store: {0}")]
    Sqlite(#[from] booking_store_sqlite::OpenError),
    /// The copy can't be made there.
    #[cfg(feature = "sqlite")]
    #[error("FILE: {0}")]
    Copy(booking_store_sqlite::OpenError),
    /// The store is not a file.
    #[cfg(feature = "sqlite")]
    #[error(
        "only the file of a store can be copied (sqlite:PATH), not {scheme}; use the tools of its database"
    )]
    NoFile {
        /// What was named, without what may be secret.
        scheme: String,
    },
    /// Opening the store was cut short.
    #[error("opening the store was cut short: {0}")]
    Opening(String),
    /// Redis can't be used as it is.
    #[cfg(feature = "redis")]
    #[error("--queue: {0}")]
    Redis(#[from] booking_store_redis::ConnectError),
    /// The store failed.
    #[error("the store failed at start: {0}")]
    Store(#[from] booking_core::Error),
}

impl StartError {
    /// Whether starting again may do without anything being changed: what is not there yet, or not free yet, may be soon.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Listen { source, .. } | Self::ListenForMetrics { source, .. } => {
                matches!(source.kind(), ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable)
            }
            Self::Store(_) | Self::Opening(_) => true,
            #[cfg(feature = "postgres")]
            Self::Postgres(error) => {
                use booking_store_pg::ConnectError::{Failed, Standby, Unreachable};
                matches!(error, Unreachable(_) | Standby | Failed(_))
            }
            #[cfg(feature = "redis")]
            Self::Redis(error) => {
                use booking_store_redis::ConnectError::{Replica, Unreachable};
                matches!(error, Unreachable(_) | Replica)
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(error) => matches!(error, booking_store_sqlite::OpenError::InUse { .. }),
            _ => false,
        }
    }
}

/// A server at work.
pub struct Running {
    address: SocketAddr,
    app: App,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    tending: JoinHandle<()>,
    metrics: Option<MetricsListener>,
    drain_delay: Duration,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `GET /metrics` is served, if it has an address of its own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|metrics| metrics.address)
    }

    /// Says that it is not ready, goes on for the drain delay, stops taking requests, finishes those in flight, and ends.
    pub async fn stop(self) {
        self.app.drain();
        sleep(self.drain_delay).await;
        self.stop.send_replace(true);
        let Self { mut serving, tending, metrics, .. } = self;
        if timeout(DRAIN_WITHIN, &mut serving).await.is_err() {
            tracing::warn!("some requests did not end within {} s and were cut", DRAIN_WITHIN.as_secs());
            serving.abort();
        }
        tending.abort();
        if let Some(metrics) = metrics {
            metrics.stop().await;
        }
    }
}

/// Starts a server in this runtime.
pub async fn start(args: &ServeArgs, secrets: Secrets) -> Result<Running, StartError> {
    let policy = args.policy();
    policy.check()?;
    let clock: Arc<dyn Clock> = Arc::new(system_clock);
    let metrics = Arc::<Metrics>::default();
    let engine =
        stores::open(&args.store, args.queue.as_deref(), policy, Arc::clone(&clock), &metrics).await?;
    main_lane::open(&engine, args).await?;
    let user_keys = match (&args.user_keys, &args.user_issuer) {
        (Some(file), Some(issuer)) => Some(Arc::new(UserKeys::read(file, issuer, &args.user_audience)?)),
        _ => None,
    };
    let options = Options {
        open_signup: args.open_signup,
        open_charges: args.open_charges,
        user_token_ttl: args.user_token_ttl,
        calls_per_second: args.calls_per_second,
        releases_per_minute: args.releases_per_minute,
        receive_timeout: args.receive_timeout,
        user_keys: user_keys.clone(),
        log_requests: args.log_requests,
        metrics_listen: args.metrics_listen,
    };
    let app = App::measured(engine.clone(), clock, &secrets, options, metrics);
    let metrics = match args.metrics_listen {
        Some(address) => Some(MetricsListener::start(address, app.clone()).await?),
        None => None,
    };
    let listen = |source| StartError::Listen { address: args.listen, source };
    let listener = TcpListener::bind(args.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(serve(listener, app.clone(), args.connections(), stopped));
    let tending = tokio::spawn(tend(engine, app.clone(), user_keys));
    Ok(Running { address, app, stop, serving, tending, metrics, drain_delay: args.drain_delay })
}

async fn serve(
    listener: TcpListener,
    app: App,
    connections: ConnectionOptions,
    mut stopped: watch::Receiver<bool>,
) {
    let stop = async move {
        stopped.wait_for(|stop| *stop).await.ok();
    };
    serve_connections(listener, router(app), &connections, stop).await;
}

/// Tends the engine until the task is aborted. A failing store is told once, and once again when it is back.
async fn tend(engine: Engine, app: App, user_keys: Option<Arc<UserKeys>>) {
    let mut ticks = interval(TEND_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut failing, mut rounds) = (false, 0_u32);
    loop {
        ticks.tick().await;
        let failed = engine.tend().await.err();
        match &failed {
            Some(error) if !failing => {
                tracing::error!(%error, "the store failed while the engine was tended");
            }
            None if failing => tracing::info!("the store is back"),
            Some(_) | None => {}
        }
        failing = failed.is_some();
        rounds = rounds.wrapping_add(1);
        if rounds % FORGET_EVERY == 0 {
            app.forget_idle_callers();
        }
        if let (Some(keys), 0) = (&user_keys, rounds % REREAD_EVERY) {
            let keys = Arc::clone(keys);
            tokio::task::spawn_blocking(move || keys.reread());
        }
    }
}

/// Ends when the process is told to end: SIGTERM or ctrl-c.
pub async fn shutdown_signal() {
    EndSignals::listen().next().await;
}

/// `serve`: starts logging and a server with the secrets of the environment, and serves until the process is told to
/// end.
pub async fn run(args: ServeArgs) -> Result<(), StartError> {
    init_logging(&args.log, args.log_format).map_err(StartError::Log)?;
    stores::check(&args.store, args.queue.as_deref())?;
    let unset = match stores::secrets_file(&args.store) {
        Some(path) => Unset::Keep(path),
        None if stores::are_memory(&args.store, args.queue.as_deref()) => Unset::MakeUp,
        None => Unset::Refuse,
    };
    let (secrets, made_up) = Secrets::from_env(&unset)?;
    // On standard error and not through the log, which may be kept.
    for line in keys::told(&secrets, &made_up, &unset) {
        eprintln!("{line}");
    }
    if args.open_signup {
        tracing::warn!("anybody may sign up (--open-signup): for demos and tests only");
    }
    if args.open_charges {
        tracing::warn!(
            "users may charge their wallets without paying (--open-charges): for demos and tests only"
        );
    }
    open_files::allow(args.max_connections);
    let running = start(&args, secrets).await?;
    let mut told_to_end = EndSignals::listen();
    let store = stores::file(&args.store).map(|file| file.display().to_string());
    let store = store.or_else(|| stores::are_memory(&args.store, None).then(|| "memory".into()));
    tracing::info!(address = %running.address(), store, "serving");
    told_to_end.next().await;
    tracing::info!("stopping: no longer ready; what is in flight is finished, unless told to end once more");
    tokio::select! {
        () = running.stop() => {}
        () = told_to_end.next() => tracing::warn!("told to end once more: what is in flight is cut"),
    }
    Ok(())
}
