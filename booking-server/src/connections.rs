//! The loop that takes connections. HTTP/1.1 alone, so that a connection is as small as it can be, and with an end to
//! everything a client can draw out.

mod given;
mod heard;
mod visit;

use std::{convert::Infallible, future::Future, io, num::NonZeroU32, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use ipnet::IpNet;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use visit::{Door, Visit, attend};

use crate::failure::Failure;

/// The longest head a request may have: 16 KiB. It may have 100 headers at most.
const LONGEST_HEAD: usize = 16 * 1024;
/// How long a connection over the limit has to hear that it is.
const REFUSE_WITHIN: Duration = Duration::from_secs(1);
/// How many hear it at once. They have sockets, too; those beyond are dropped unheard.
const MOST_REFUSED: usize = 64;
/// How often addresses are forgotten that have not called of late.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// What connections may do.
#[derive(Clone, Debug)]
pub struct ConnectionOptions {
    /// How many may be open at once. Those beyond are told to come again.
    pub most: usize,
    /// How long a connection may take to bring the head of its next request, and the reader of a stream to take the next
    /// piece of it. It is looked at four times in that span.
    pub receive_timeout: Duration,
    /// How long an answer may take.
    pub answer_timeout: Duration,
    /// How many calls a second may come from one address, or from one /64 of IPv6; none: any number.
    pub calls_per_second_per_address: Option<NonZeroU32>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            most: 20_000,
            receive_timeout: Duration::from_secs(75),
            answer_timeout: Duration::from_secs(30),
            calls_per_second_per_address: None,
            trusted_proxies: Vec::new(),
        }
    }
}

/// Serves connections until `stop` is ready, then finishes the requests in flight.
pub async fn serve_connections(
    listener: TcpListener,
    router: Router,
    options: &ConnectionOptions,
    stop: impl Future<Output = ()>,
) {
    let door = Arc::new(Door::new(router, options));
    let mut http = http1::Builder::new();
    // The visit has an eye on it instead: a timer for each request would cost what reading the request does.
    http.header_read_timeout(None).max_buf_size(LONGEST_HEAD);
    let open = GracefulShutdown::new();
    let refusals = Arc::new(Semaphore::new(MOST_REFUSED));
    let mut stop = pin!(stop);
    let mut forget = interval(FORGET_EVERY);
    forget.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
            _ = forget.tick() => {
                door.forget_idle();
                continue;
            }
        };
        match accepted {
            Ok((stream, _)) if open.count() >= options.most => {
                if let Ok(room) = Arc::clone(&refusals).try_acquire_owned() {
                    tokio::spawn(refuse(stream, room));
                }
            }
            Ok((stream, peer)) => {
                // Without it small answers wait for the client's acknowledgement of the one before.
                stream.set_nodelay(true).ok();
                let visit = Arc::new(Visit::new(Arc::clone(&door), peer));
                let visitor = Arc::clone(&visit);
                let service = service_fn(move |request| visitor.answer(request));
                let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
                tokio::spawn(attend(connection, visit, options.receive_timeout));
            }
            Err(error) => rest(&error).await,
        }
    }
    drop(listener);
    open.shutdown().await;
}

/// After a failure that is not the client's, such as too many open files, a moment passes before the next connection.
async fn rest(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "a connection could not be taken");
        sleep(Duration::from_secs(1)).await;
    }
}

/// Tells one connection too many that it is.
async fn refuse(stream: TcpStream, _room: OwnedSemaphorePermit) {
    let mut http = http1::Builder::new();
    let connection = http.keep_alive(false).serve_connection(TokioIo::new(stream), service_fn(no_room));
    timeout(REFUSE_WITHIN, connection).await.ok();
}

async fn no_room(_: Request<Incoming>) -> Result<Response, Infallible> {
    let detail = "this instance has as many connections as it may; try again in a moment";
    Ok(Failure::overloaded(detail).into_response())
}
