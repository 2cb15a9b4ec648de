//! An address that leads to one server, then to another, as one does behind which a failover happens.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU16, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

pub(crate) struct Wire {
    port: u16,
    target: Arc<AtomicU16>,
    /// The next answer is not carried: the connection is cut instead.
    loses_answer: Arc<AtomicBool>,
    /// Told to connections that are to be cut.
    switched: watch::Sender<()>,
}

impl Wire {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let wire = Self {
            port: listener.local_addr().expect("an address").port(),
            target: Arc::new(AtomicU16::new(port)),
            loses_answer: Arc::default(),
            switched: watch::channel(()).0,
        };
        let (target, switched) = (Arc::clone(&wire.target), wire.switched.clone());
        let loses_answer = Arc::clone(&wire.loses_answer);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", target.load(Ordering::SeqCst))).await
                else {
                    continue;
                };
                let ((mut requests, client), (answers, mut server)) =
                    (client.into_split(), server.into_split());
                let (mut switched, loses_answer) = (switched.subscribe(), Arc::clone(&loses_answer));
                tokio::spawn(async move {
                    tokio::select! {
                        _ = copy(&mut requests, &mut server) => {}
                        () = carry_answers(answers, client, &loses_answer) => {}
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

    /// The next request is carried, but its answer is not: its connection is cut.
    pub(crate) fn lose_answer(&self) {
        self.loses_answer.store(true, Ordering::SeqCst);
    }

    /// Cuts what is connected.
    pub(crate) fn cut(&self) {
        self.switched.send_replace(());
    }
}

async fn carry_answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, loses_answer: &AtomicBool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if loses_answer.swap(false, Ordering::SeqCst) || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
