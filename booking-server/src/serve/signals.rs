//! The signals that tell a process to end: SIGTERM and ctrl-c.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears of them from when it is made: one that comes between two waits is not missed.
#[cfg(unix)]
pub(super) struct EndSignals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
}

#[cfg(unix)]
impl EndSignals {
    pub(super) fn listen() -> Self {
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    /// Ends when the process is told to end once more.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            () = heard(&mut self.interrupt) => {}
            () = heard(&mut self.terminate) => {}
        }
    }
}

/// Ends at the next signal of a kind; never if the system gives none.
#[cfg(unix)]
async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Hears of them.
#[cfg(not(unix))]
pub(super) struct EndSignals;

#[cfg(not(unix))]
impl EndSignals {
    pub(super) fn listen() -> Self {
        Self
    }

    /// Ends when the process is told to end once more.
    pub(super) async fn next(&mut self) {
        tokio::signal::ctrl_c().await.ok();
    }
}
