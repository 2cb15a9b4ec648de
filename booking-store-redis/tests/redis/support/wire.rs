//! An address that leads to one server, then to another, as one does behind which a failover happens.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

pub(crate) struct Wire {
    port: u16,
    target: Arc<AtomicU16>,
    /// Told to connections that are to be cut.
    switched: watch::Sender<()>,
}

impl Wire {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let wire = Self {
            port: listener.local_addr().expect("an address").port(),
            target: Arc::new(AtomicU16::new(port)),
            switched: watch::channel(()).0,
        };
        let (target, switched) = (Arc::clone(&wire.target), wire.switched.clone());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let Ok(mut server) = TcpStream::connect(("127.0.0.1", target.load(Ordering::SeqCst))).await
                else {
                    continue;
                };
                let mut switched = switched.subscribe();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = switched.changed() => {}
                    }
                });
            }
        });
        wire
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Who connects from now on gets there.
    pub(crate) fn lead_to(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
    }

    /// Cuts what is connected; who connects again gets there.
    pub(crate) fn switch_to(&self, port: u16) {
        self.lead_to(port);
        self.cut();
    }

    /// Cuts what is connected.
    pub(crate) fn cut(&self) {
        self.switched.send_replace(());
    }
}
