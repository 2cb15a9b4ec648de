//! The metrics on an address of their own, which nobody outside need reach.

use std::net::SocketAddr;

use tokio::{net::TcpListener, task::JoinHandle};

use crate::{App, StartError, app::metrics_router};

/// A listener for `GET /metrics` alone. It serves until it is dropped, also while the server stops.
#[derive(Debug)]
pub(crate) struct MetricsListener {
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for MetricsListener {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl MetricsListener {
    /// Listens on `address`; port 0 takes a free one.
    pub(crate) async fn start(address: SocketAddr, app: App) -> Result<Self, StartError> {
        let listen = |source| StartError::ListenForMetrics { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, metrics_router(app)).await {
                tracing::error!(%error, "the metrics ended");
            }
        });
        Ok(Self { address, serving })
    }

    /// Ends: when this is over, nobody listens.
    pub(crate) async fn stop(mut self) {
        self.serving.abort();
        // It was cut, which is what was wanted.
        (&mut self.serving).await.ok();
    }
}
