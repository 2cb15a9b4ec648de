//! What a database must be like, so that the store opens on it.

use std::{
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use booking_core::BookingPolicy;
use booking_store_pg::{ConnectError, PgConfig, PgStore, SchemaStatus, check_schema};

use crate::support::{
    bouncer::Bouncer,
    database::{Database, TestClock, connect, port, run},
    log::Told,
    server::{Folder, Server},
    world::{World, taking, user},
};

async fn open(url: impl Into<String>) -> Result<Arc<PgStore>, ConnectError> {
    PgStore::connect(PgConfig::new(url, BookingPolicy::default())).await
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_repeating_it() {
    for url in ["postgres://db:port/booking?password=hunter2", "hunter2"] {
        let refused = open(url).await.expect_err("no address").to_string();
        assert!(
            refused.contains("postgres://user:password@host") && !refused.contains("hunter2"),
            "{refused}"
        );
    }
    let config = PgConfig::new("postgres://admin:hunter2@db/booking", BookingPolicy::default());
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_parameter_that_nobody_knows_is_refused_by_its_name_and_its_value_is_told_to_nobody() {
    let (told, known) = (Told::default(), "sslmode=disable&application_name=booking&options[jit]=off");
    let listening = told.listen();
    for address in ["postgres://one,two/booking", "postgres://127.0.0.1:1/booking"] {
        let refused = open(format!("{address}?{known}&pasword=hunter2")).await.expect_err("no parameter");
        assert!(matches!(refused, ConnectError::Parameter(_)), "{refused}");
        assert!(refused.to_string().contains("`pasword`") && !refused.to_string().contains("hunter2"));
        // This may be the end of a password that was not escaped.
        let refused = open(format!("{address}?hunter2@db&{known}")).await.expect_err("no parameter");
        assert!(matches!(refused, ConnectError::Address) && !refused.to_string().contains("hunter2"));
        let misspelt = check_schema(&format!("{address}?{known}&sslmod=hunter2")).await;
        assert!(matches!(misspelt, Err(ConnectError::Parameter(_))), "{misspelt:?}");
    }
    let reached = open(format!("postgres://127.0.0.1:1/booking?{known}")).await;
    drop(listening);
    assert!(matches!(reached, Err(ConnectError::Unreachable(_))), "each of these is known: {reached:?}");
    assert!(!told.text().contains("hunter2"), "{}", told.text());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_told_soon() {
    let begin = Instant::now();
    let refused = open("postgres://admin:hunter2@127.0.0.1:1/booking").await.expect_err("nobody is there");
    assert!(matches!(refused, ConnectError::Unreachable(_)) && !refused.to_string().contains("hunter2"));
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let refused = open(format!("postgres://admin:hunter2@127.0.0.1:{port}/booking")).await;
    assert!(matches!(refused, Err(ConnectError::Unreachable(_))), "{refused:?}");
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_server_that_would_forget_what_it_acknowledged_is_refused() {
    let server = Server::start(&["fsync=off"]).await;
    let refused = open(server.url()).await.expect_err("a crash would lose sales");
    assert!(matches!(refused, ConnectError::Unsafe) && refused.to_string().contains("fsync"), "{refused}");
    let untouched = check_schema(&server.url()).await.expect("it answers");
    assert!(matches!(untouched, SchemaStatus::Behind { version: 0, .. }), "{untouched:?}");
}

#[tokio::test]
async fn a_database_that_commits_in_the_background_is_used_with_a_warning() {
    let database = Database::new(TestClock::Real).await;
    let mut admin = connect(&database.url()).await;
    run(&mut admin, &format!("ALTER DATABASE {} SET synchronous_commit = off", database.name())).await;
    let told = Told::default();
    let listening = told.listen();
    open(database.url()).await.expect("it is used");
    drop(listening);
    assert!(told.text().contains("synchronous_commit=off"), "{}", told.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_session_mode_is_as_good_as_none() {
    let database = Database::new(TestClock::Real).await;
    let bouncer = Bouncer::start("session", port(&database.url())).await;
    let first = open(bouncer.url(database.name())).await.expect("session mode is fine");
    let second = open(bouncer.url(database.name())).await.expect("session mode is fine");
    let first = World::new(first).await;
    let worlds = [first.at(second, 1_000), first];
    for n in 1..=20_u32 {
        let world = &worlds[usize::from(n.is_multiple_of(2))];
        world.buy(n.into(), n).await;
        let listing = world.store.performance(world.show).await.expect("a read").expect("it is there");
        assert!(listing.seats_available <= 50 - n, "{listing:?}");
        assert!(world.store.wallet(user(n.into())).await.expect("a read").is_some());
    }
    worlds[0].books_are_clean().await;
    // The limits of a session are in force behind the pooler too.
    let mut stranger = connect(&database.url()).await;
    run(&mut stranger, &format!("BEGIN; {}", taking(&[30]))).await;
    let user = worlds[0].rich(99).await;
    let begin = Instant::now();
    let error = worlds[0].ask(worlds[0].place(user, &[30])).await.expect_err("the seat can't be had");
    assert!(error.retryable() && begin.elapsed() < Duration::from_secs(2), "{error} {:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_transaction_mode_is_refused_with_the_reason() {
    let database = Database::new(TestClock::Real).await;
    let bouncer = Bouncer::start("transaction", port(&database.url())).await;
    for _ in 0..5 {
        let refused = open(bouncer.url(database.name())).await.expect_err("sessions get mixed up");
        assert!(matches!(refused, ConnectError::TransactionPooling), "{refused}");
        assert!(refused.to_string().contains("pool_mode = session"), "{refused}");
    }
}

/// A key and a certificate for 127.0.0.1 that signs itself.
fn make_certificate(at: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(at.join("server.key"))
        .arg("-out")
        .arg(at.join("server.crt"))
        .output()
        .expect("openssl makes certificates");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_asks_for_tls_and_for_whom_to_trust() {
    let mut server = Server::start(&[]).await;
    let plain = open(format!("{}?sslmode=require", server.url())).await;
    assert!(matches!(plain, Err(ConnectError::Unreachable(_))), "a server without TLS: {plain:?}");
    server.crash();
    let data = server.folder().path().join("data");
    make_certificate(&data);
    server.folder().hand_over();
    server.set("ssl=on");
    server.resume().await;
    let trusting = |certificate: &Path| {
        format!("{}?sslmode=verify-full&sslrootcert={}", server.url(), certificate.display())
    };
    let store = open(trusting(&data.join("server.crt"))).await.expect("a certificate that is trusted");
    let world = World::new(store).await;
    world.buy(1, 1).await;
    let mut connection = connect(&server.url()).await;
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
        WHERE ssl AND application_name = 'booking'";
    let encrypted: i64 = sqlx::query_scalar(encrypted).fetch_one(&mut connection).await.expect("a count");
    assert!(encrypted >= 2, "{encrypted} encrypted sessions");
    drop(world);
    let other = Folder::new();
    make_certificate(other.path());
    let refused = open(trusting(&other.path().join("server.crt"))).await;
    assert!(matches!(refused, Err(ConnectError::Unreachable(_))), "somebody else's certificate: {refused:?}");
}
