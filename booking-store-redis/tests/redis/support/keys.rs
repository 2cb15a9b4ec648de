//! A plain connection beside the store, for what a test does to Redis behind its back.

use redis::{
    Client, Cmd, FromRedisValue, Value, aio::ConnectionLike, aio::MultiplexedConnection,
    cluster::ClusterClient, cluster_async::ClusterConnection,
};

#[derive(Clone)]
pub(crate) enum Keys {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Keys {
    pub(crate) async fn at(url: &str) -> Self {
        let Some(nodes) = url.strip_prefix("redis+cluster://") else {
            let client = Client::open(url).expect("an address");
            return Self::Server(client.get_multiplexed_async_connection().await.expect("a connection"));
        };
        let nodes: Vec<String> = nodes.split(',').map(|node| format!("redis://{node}")).collect();
        let client = ClusterClient::new(nodes).expect("addresses");
        Self::Cluster(client.get_async_connection().await.expect("a connection"))
    }

    pub(crate) async fn run(&self, command: &Cmd) -> Value {
        let answer = match self.clone() {
            Self::Server(mut server) => server.req_packed_command(command).await,
            Self::Cluster(mut cluster) => cluster.req_packed_command(command).await,
        };
        answer.and_then(Value::extract_error).expect("Redis does what the test asks")
    }

    /// Deletes all keys that match.
    pub(crate) async fn forget(&self, pattern: &str) {
        let names = self.run(redis::cmd("KEYS").arg(pattern)).await;
        let names: Vec<String> = FromRedisValue::from_redis_value(names).expect("names");
        for names in names.chunks(1_000) {
            self.run(redis::cmd("UNLINK").arg(names)).await;
        }
    }
}
