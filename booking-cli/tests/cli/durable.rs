//! The default store, as its users meet it: a file that outlives its server, however that ends.

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use booking_api::client::Client;
use booking_cli::buyer::{Buyer, Market, Meter, Purchase, Shop};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::server::{Ran, booking, run};

const BUYERS: usize = 16;

/// A server in a process of its own on a file, always at the same address.
struct Durable {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Drop for Durable {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn serve(file: &str, port: u16) -> Child {
    let address = format!("127.0.0.1:{port}");
    let mut process =
        booking(&["serve", "--listen", &address, "--store", file, "--open-signup", "--open-charges"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
    let patience = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(&address).is_err() {
        assert!(process.try_wait().unwrap().is_none() && Instant::now() < patience, "it does not serve");
        std::thread::yield_now();
    }
    process
}

impl Durable {
    fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let process = serve(&store_in(&folder), port);
        Self { folder, port, process }
    }

    /// As `kill -9` does.
    fn kill(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }

    fn restart(&mut self) {
        self.process = serve(&store_in(&self.folder), self.port);
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The operator's key, from the file beside the store.
    fn admin_key(&self, secrets: &str) -> String {
        let secrets = std::fs::read_to_string(self.file(secrets)).unwrap();
        secrets.lines().find_map(|line| line.strip_prefix("BOOKING_ADMIN_KEY=")).unwrap().to_owned()
    }

    fn operator(&self, arguments: &[&str]) -> Ran {
        let mut command = booking(arguments);
        command.args(["--url", &self.url()]).env("BOOKING_ADMIN_KEY", self.admin_key("booking.db-secrets"));
        run(&mut command)
    }
}

fn store_in(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("booking.db").display())
}

/// Buys for new people until the server is gone; the purchases they saw succeed.
async fn buy_until_gone(
    shop: Arc<Shop>,
    market: Arc<Market>,
    first: usize,
    bought: watch::Sender<usize>,
) -> Vec<(Buyer, Purchase)> {
    let mut succeeded = Vec::new();
    for person in (first..).step_by(BUYERS) {
        let mut buyer = Buyer::new(Arc::clone(&shop), 1, person as u64);
        match buyer.buy_anywhere(&market).await {
            Ok(purchase) => succeeded.push((buyer, purchase)),
            Err(_) => return succeeded,
        }
        bought.send_modify(|bought| *bought += 1);
    }
    succeeded
}

#[test]
fn a_server_killed_in_the_middle_of_a_flow_keeps_every_purchase_that_was_seen_to_succeed() {
    let mut server = Durable::start();
    server.operator(&["seed", "--concerts", "4", "--performances", "5", "--seats", "200"]).expect(0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = Client::new(&server.url());
    let shop = Arc::new(Shop {
        client: client.clone(),
        meter: Meter::new(BUYERS),
        lane: "main".into(),
        admin_key: None,
        service_key: None,
        longest_pause: Duration::from_secs(1),
    });
    let market = Arc::new(runtime.block_on(Market::of(&client, "main")).unwrap());
    let mut kept: Vec<(Buyer, Purchase)> = Vec::new();
    for round in 0..3 {
        let (bought, mut seen) = watch::channel(0);
        let buying: Vec<_> = (0..BUYERS)
            .map(|n| {
                let first = round * 1_000_000 + n;
                runtime.spawn(buy_until_gone(Arc::clone(&shop), Arc::clone(&market), first, bought.clone()))
            })
            .collect();
        drop(bought);
        runtime.block_on(seen.wait_for(|bought| *bought >= 100)).expect("a hundred purchases");
        server.kill();
        for one in buying {
            kept.extend(runtime.block_on(one).unwrap());
        }
        server.restart();
        let audit = server.operator(&["audit", "--json"]).expect(0).json();
        assert_eq!(audit["clean"], true, "{audit}");
        for (buyer, purchase) in &kept {
            let checked = runtime.block_on(buyer.check_books(purchase));
            checked.unwrap_or_else(|wrong| panic!("{purchase:?}: {wrong:?}"));
        }
    }
    assert!(kept.len() >= 300, "{}", kept.len());
}

#[test]
fn a_copy_made_while_serving_is_a_store_that_passes_the_audit() {
    let server = Durable::start();
    server.operator(&["seed"]).expect(0);
    server.operator(&["flow", "--users", "20"]).expect(0);
    let (store, copy) = (store_in(&server.folder), server.file("copy.db"));
    let backup = |to: &PathBuf| run(&mut booking(&["backup", to.to_str().unwrap(), "--store", &store]));
    let made = backup(&copy).expect(0);
    assert!(made.out.contains("copied to"), "{made:?}");
    let keys = "booking.db-secrets too, which a server on the copy reads as ";
    assert!(made.err.contains("the keys are not in the copy") && made.err.contains(keys), "{made:?}");
    let again = backup(&copy).expect(2);
    assert!(again.err.starts_with("error: FILE: ") && again.err.contains("not overwritten"), "{again:?}");
    assert!(!again.err.contains("--store"), "{again:?}");
    let ran = run(&mut booking(&["backup", "x.db", "--store", "memory:"])).expect(2);
    assert!(ran.err.contains("sqlite:PATH"), "{ran:?}");

    let port = free_port();
    let mut restored = serve(&format!("sqlite:{}", copy.display()), port);
    let mut audit = booking(&["audit", "--json", "--url", &format!("http://127.0.0.1:{port}")]);
    let audited = run(audit.env("BOOKING_ADMIN_KEY", server.admin_key("copy.db-secrets")));
    restored.kill().unwrap();
    restored.wait().unwrap();
    let audit = audited.expect(0).json();
    assert_eq!(audit["clean"], true, "{audit}");
    let payments = |check: &&serde_json::Value| check["invariant"] == "I9";
    let checked = audit["checks"].as_array().unwrap().iter().find(payments).unwrap();
    assert!(checked["checked"].as_u64().unwrap() >= 20, "{checked}");
}

#[test]
fn keys_are_told_in_a_form_that_a_shell_takes_in_any_folder() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("it's mine");
    std::fs::create_dir(&odd).unwrap();
    let mut command = booking(&["serve", "--listen", "127.0.0.1:0", "--store", "sqlite:booking.db"]);
    let mut process = command.current_dir(&odd).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    BufReader::new(process.stderr.take().unwrap()).read_line(&mut told).unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    let (_, use_them) = told.split_once("to use them:").unwrap_or_else(|| panic!("{told}"));
    let script = format!("{}; printenv BOOKING_ADMIN_KEY BOOKING_SERVICE_KEY", use_them.trim());
    let sourced = Command::new("sh").args(["-c", &script]).env_remove("BOOKING_ADMIN_KEY").output().unwrap();
    let kept = std::fs::read_to_string(odd.join("booking.db-secrets")).unwrap();
    let keys = String::from_utf8(sourced.stdout).unwrap();
    assert_eq!(keys.lines().count(), 2, "{told}");
    for key in keys.lines() {
        assert!(key.len() >= 32 && kept.contains(&format!("={key}")), "{told}");
    }
}

#[test]
fn a_server_that_is_told_to_end_twice_ends_at_once() {
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--store", "memory:", "--drain-delay", "60s", "--log", "info"];
    let mut process = booking(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut wait_for = |wanted: &str| log.any(|line| line.unwrap().contains(wanted));
    let tell = |signal: &str| {
        let told = Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
        assert!(told.success());
    };
    assert!(wait_for("serving"));
    tell("-TERM");
    assert!(wait_for("stopping"));
    let asked = Instant::now();
    tell("-INT");
    assert!(wait_for("what is in flight is cut"));
    let ended = process.wait().unwrap();
    assert!(ended.success() && asked.elapsed() < Duration::from_secs(30), "{ended:?} {:?}", asked.elapsed());
}

#[test]
fn a_second_server_on_the_file_is_refused_by_its_name() {
    let server = Durable::start();
    let second = ["serve", "--listen", "127.0.0.1:0", "--store", &store_in(&server.folder)];
    let ran = run(&mut booking(&second)).expect(3);
    assert!(ran.err.contains("booking.db is in use by another process"), "{ran:?}");
}
