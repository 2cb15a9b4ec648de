//! The way to Redis: one multiplexed connection, or one to each node of a cluster, made again by itself when it breaks.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use redis::{
    Client, Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    io::tcp::TcpSettings,
};

use crate::{address::Address, config::ConnectError};

/// How long one try to connect may take.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// How long a call may take with everything: nobody waits for two seconds.
pub(crate) const CALL_WITHIN: Duration = Duration::from_millis(1_700);
/// How often a cluster is asked again, at another node mostly. Every script may be run twice: what it did the first time
/// it finds the second time.
const CLUSTER_RETRIES: u32 = 3;
const LONGEST_RETRY_WAIT_MS: u64 = 100;

/// The connection to a server or a cluster.
pub(crate) enum Link {
    Server(Server),
    Cluster(ClusterConnection),
}

pub(crate) struct Server {
    client: Client,
    manager: Mutex<ConnectionManager>,
}

fn manager_of(client: &Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_WITHIN))
        .set_response_timeout(Some(ANSWER_WITHIN))
        // The next call tries again; those who wait now are told at once.
        .set_number_of_retries(0);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

impl Link {
    pub(crate) async fn open(address: Address) -> Result<Self, ConnectError> {
        let unreachable = |error: RedisError| ConnectError::Unreachable(error.to_string());
        let Address { mut nodes, is_cluster, prefix: _ } = address;
        let tcp = TcpSettings::default().set_nodelay(true);
        if is_cluster {
            let client = ClusterClient::builder(nodes)
                .connection_timeout(CONNECT_WITHIN)
                .response_timeout(ANSWER_WITHIN)
                .overall_response_timeout(Some(CALL_WITHIN))
                .retries(CLUSTER_RETRIES)
                .max_retry_wait(LONGEST_RETRY_WAIT_MS)
                .min_retry_wait(LONGEST_RETRY_WAIT_MS / 10)
                .tcp_settings(tcp)
                .build()
                .map_err(|_| ConnectError::Address)?;
            let connection = client.get_async_connection().await.map_err(unreachable)?;
            return Ok(Self::Cluster(connection));
        }
        let node = nodes.pop().ok_or(ConnectError::Address)?.set_tcp_settings(tcp);
        let client = Client::open(node).map_err(|_| ConnectError::Address)?;
        let manager = Mutex::new(manager_of(&client).map_err(unreachable)?);
        Ok(Self::Server(Server { client, manager }))
    }

    /// Sends a command and waits for its answer.
    pub(crate) async fn run(&self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Server(server) => server.run(command).await,
            Self::Cluster(connection) => {
                connection.clone().req_packed_command(command).await.and_then(Value::extract_error)
            }
        }
    }
}

impl Server {
    async fn run(&self, command: &Cmd) -> RedisResult<Value> {
        // Cloning and replacing the handle can't leave it half done.
        let mut manager = self.manager.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = manager.req_packed_command(command).await.and_then(Value::extract_error);
        if matches!(&answer, Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)) {
            // It was the primary and is none any more: whoever answers at this address now may be.
            let fresh = manager_of(&self.client)?;
            *self.manager.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        answer
    }
}
