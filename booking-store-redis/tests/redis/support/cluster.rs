//! A cluster of a test's own: three primaries, and a replica of the one that has the lane `main`.

use std::time::{Duration, Instant};

use super::server::Server;

const SETTINGS: &[&str] = &[
    "--save",
    "",
    "--appendonly",
    "no",
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    "1000",
    "--cluster-replica-validity-factor",
    "0",
];
const SLOTS: [(u16, u16); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];

pub(crate) struct Cluster {
    pub(crate) primaries: Vec<Server>,
    pub(crate) replica: Server,
}

fn info(server: &Server, field: &str) -> String {
    let info: String = server.ask(&["CLUSTER", "INFO"]);
    let line = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let mut nodes: Vec<Server> = (0..4).map(|_| Server::start(SETTINGS)).collect();
        for (epoch, node) in (1..).zip(&nodes) {
            node.ask::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &i32::to_string(&epoch)]);
        }
        for (node, (first, last)) in nodes.iter().zip(SLOTS) {
            node.ask::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
        }
        for node in &nodes[1..] {
            nodes[0].ask::<()>(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string()]);
        }
        let know_each_other =
            |node: &Server| info(node, "cluster_known_nodes") == "4" && info(node, "cluster_state") == "ok";
        until("the cluster", || nodes.iter().all(know_each_other));
        let replica = nodes.pop().expect("four nodes");
        let cluster = Self { primaries: nodes, replica };
        let id: String = cluster.primaries[cluster.owner()].ask(&["CLUSTER", "MYID"]);
        cluster.replica.ask::<()>(&["CLUSTER", "REPLICATE", &id]);
        until("the replica", || {
            cluster.replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up")
        });
        cluster
    }

    /// Which primary has the lane `main`.
    pub(crate) fn owner(&self) -> usize {
        let slot: u16 = self.primaries[0].ask(&["CLUSTER", "KEYSLOT", "{main}"]);
        SLOTS
            .iter()
            .position(|(first, last)| (*first..=*last).contains(&slot))
            .expect("a slot of the cluster")
    }

    pub(crate) fn url(&self) -> String {
        let nodes: Vec<String> =
            self.primaries.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis+cluster://{}", nodes.join(","))
    }
}
