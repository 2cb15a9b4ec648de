//! The program: its exit codes, what it prints and what it writes.

use std::{
    process::{Command, Output},
    time::Duration,
};

use super::{
    lying::{self, Lie},
    support::{Folder, Server, on},
};

async fn loadtest(admin_key: &str, args: &str) -> Output {
    with_service_key(None, admin_key, args).await
}

async fn with_service_key(service_key: Option<&str>, admin_key: &str, args: &str) -> Output {
    let (key, args) = (admin_key.to_owned(), args.to_owned());
    let service_key = service_key.map(|key| ("BOOKING_SERVICE_KEY", key.to_owned()));
    let run = move || {
        Command::new(env!("CARGO_BIN_EXE_loadtest"))
            .args(args.split(' '))
            .args(["--connections", "8", "--warm-up", "100ms"])
            .env("BOOKING_ADMIN_KEY", key)
            .env_remove("BOOKING_SERVICE_KEY")
            .envs(service_key)
            .output()
            .unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn open_server() -> Server {
    let args = booking_server::ServeArgs { open_charges: true, ..on("memory:") };
    Server::with(&args, booking_server::Secrets::random()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_run_exits_with_0_and_writes_its_reports_which_can_be_compared() {
    let (server, folder) = (open_server().await, Folder::new());
    let (html, json) = (folder.0.join("report.html"), folder.0.join("results.json"));
    let flags = format!("bots --people 5 --span 200ms --host {} --json {}", server.url, json.display());
    let first = loadtest(&server.keys.admin, &flags).await;
    assert_eq!(first.status.code(), Some(0), "{}", told(&first));
    let flags = format!(
        "bots --people 5 --span 200ms --host {} --compare {} --report {}",
        server.url,
        json.display(),
        html.display()
    );
    let second = loadtest(&server.keys.admin, &flags).await;
    assert_eq!(second.status.code(), Some(0), "{}", told(&second));
    assert!(told(&second).contains("ratio"), "{}", told(&second));
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.contains("Goose Attack Report") && page.contains("<svg") && page.contains("Compared"));
    assert!(!page.contains("<script"), "the page runs nothing");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_could_not_be_kept_are_told_before_the_run_and_an_earlier_file_outlives_one_that_fails()
{
    let (server, folder) = (open_server().await, Folder::new());
    for flag in ["--report", "--json"] {
        let flags = format!("bots --host {} {flag} /nowhere/at/all", server.url);
        let output = loadtest(&server.keys.admin, &flags).await;
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        assert!(told(&output).contains("/nowhere/at/all: No such file"), "{}", told(&output));
        assert!(!told(&output).contains("verdicts hold"), "no run was made: {}", told(&output));
    }
    let json = folder.0.join("results.json");
    std::fs::write(&json, "earlier").unwrap();
    let absent = format!("bots --host http://127.0.0.1:9 --json {}", json.display());
    assert_eq!(loadtest(&server.keys.admin, &absent).await.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&json).unwrap(), "earlier");
    let flags = format!("bots --people 5 --span 200ms --host {} --json {}", server.url, json.display());
    assert_eq!(loadtest(&server.keys.admin, &flags).await.status.code(), Some(0));
    let results: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(results["scenario"], "bots");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_violation_exits_with_1_and_prints_the_history_that_shows_it() {
    let server = Server::start(Duration::from_mins(5)).await;
    let liar = lying::start(Lie::MakesMoneyUp, &server).await;
    // Nobody may charge here without the service key: that alone misses the goals.
    let output =
        loadtest(&server.keys.admin, &format!("wallet-hammer --people 2 --span 100ms --quiet --host {liar}"))
            .await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("VIOLATED I6") && told(&output).contains("person 0"), "{}", told(&output));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_threshold_that_is_missed_exits_with_1() {
    let server = open_server().await;
    let output = loadtest(
        &server.keys.admin,
        &format!("bots --people 2 --span 100ms --host {} --min-rate 1e9", server.url),
    )
    .await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("VIOLATED threshold"), "{}", told(&output));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_could_not_be_made_exits_with_2_and_says_why() {
    let nobody = loadtest("0123456789abcdef", "bots --host http://127.0.0.1:9").await;
    assert_eq!(nobody.status.code(), Some(2), "{}", told(&nobody));
    assert!(told(&nobody).contains("no server answers at http://127.0.0.1:9"), "{}", told(&nobody));
    let server = open_server().await;
    let foreign = loadtest("not the key of this one", &format!("bots --host {}", server.url)).await;
    assert_eq!(foreign.status.code(), Some(2), "{}", told(&foreign));
    let (flags, other) = (format!("bots --host {}", server.url), Some("not the service key of this one"));
    let wrong = with_service_key(other, &server.keys.admin, &flags).await;
    assert_eq!(wrong.status.code(), Some(2), "{}", told(&wrong));
    assert!(told(&wrong).contains("refused the service key: set BOOKING_SERVICE_KEY"), "{}", told(&wrong));
    let unset = loadtest("", &format!("bots --host {}", server.url)).await;
    assert!(unset.status.code() == Some(2) && told(&unset).contains("BOOKING_ADMIN_KEY"), "{}", told(&unset));
    server.stop().await;
}
