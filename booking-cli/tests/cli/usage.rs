use std::{
    io::{Read, Write},
    net::TcpListener,
    thread::JoinHandle,
};

use booking_api::{AuditCheck, AuditReport};
use booking_server::ServeArgs;

use crate::server::{Folder, Server, booking, closed, open, run};

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// An address nobody listens on: its port was free a moment ago.
fn nobody() -> String {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{address}")
}

#[test]
fn an_unreachable_server_is_told_in_one_sentence_with_what_to_do() {
    let url = nobody();
    for arguments in [&["seed"][..], &["audit"], &["flow", "--users", "3"], &["lane", "show"], &["events"]] {
        let mut command = booking(arguments);
        let ran = run(command.args(["--url", &url]).env("BOOKING_ADMIN_KEY", "0123456789abcdef")).expect(3);
        let told = format!(
            "error: no server at {url}: start one with `booking serve`, or name another with --url\n"
        );
        assert_eq!((ran.err, ran.out), (told, String::new()));
    }
}

#[test]
fn a_missing_admin_key_is_told_before_anything_is_sent() {
    for arguments in
        [&["seed"][..], &["audit"], &["lane", "show"], &["events"], &["history", "--user", NOBODY]]
    {
        let ran = run(booking(arguments).args(["--url", &nobody()])).expect(2);
        assert!(ran.err.contains("set it to the key of the server's operator"), "{ran:?}");
    }
}

#[test]
fn a_wrong_admin_key_is_told_as_such() {
    let server = Server::start(&closed());
    let mut command = server.command(&["audit"]);
    let ran = run(command.env("BOOKING_ADMIN_KEY", "not the key of this server")).expect(3);
    assert!(ran.err.contains("set BOOKING_ADMIN_KEY to the key that the server was started with"), "{ran:?}");
}

#[test]
fn health_tells_by_the_exit_code_whether_a_server_is_ready() {
    let server = Server::start(&closed());
    let ran = server.anybody(&["health"]).expect(0);
    assert!(ran.out.contains("is ready"), "{ran:?}");
    let url = nobody();
    let ran = run(&mut booking(&["health", "--url", &url])).expect(3);
    assert!(ran.err.starts_with(&format!("error: {url} is not ready")), "{ran:?}");
}

/// Something that answers one request with this.
fn answering(body: &str) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let answer = head + body;
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        stream.write_all(answer.as_bytes()).unwrap();
    });
    (url, other)
}

#[test]
fn something_else_at_the_address_is_told_as_such() {
    let (url, other) = answering("hello");
    let ran = run(booking(&["audit", "--url", &url]).env("BOOKING_ADMIN_KEY", "0123456789abcdef")).expect(3);
    other.join().unwrap();
    assert!(ran.err.contains("is a booking server there?"), "{ran:?}");
}

#[test]
fn a_violated_invariant_is_exit_code_1_and_told_by_number_with_its_ids() {
    let check = |invariant: &str, violations: &[&str]| AuditCheck {
        invariant: invariant.into(),
        statement: "what must hold".into(),
        checked: 9,
        violations: violations.iter().map(ToString::to_string).collect(),
    };
    let checks = vec![check("I1", &[]), check("I6", &[&format!("wallet {NOBODY}: 5, not 7")])];
    let report = serde_json::to_string(&AuditReport { clean: false, checks }).unwrap();
    for as_json in [false, true] {
        let (url, other) = answering(&report);
        let mut command = booking(&["audit", "--url", &url]);
        command.env("BOOKING_ADMIN_KEY", "0123456789abcdef").args(as_json.then_some("--json"));
        let ran = run(&mut command).expect(1);
        other.join().unwrap();
        assert!(ran.out.contains("I6") && ran.out.contains(NOBODY), "{ran:?}");
        assert!(ran.err.contains("the audit found 1 invariant violated"), "{ran:?}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for arguments in [&["seed", "--seats", "20001"][..], &["nonsense"], &["flow"], &["audit", "--url", "x"]] {
        run(&mut booking(arguments)).expect(2);
    }
}

#[test]
fn the_help_of_every_command_is_there() {
    let commands =
        "demo serve seed import flow audit completions history events release refund backup migrate";
    let of_lanes = ["lane show", "lane set", "lane pause", "lane resume", "lane close", "lane open"];
    for command in commands.split(' ').chain(of_lanes) {
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let ran = run(&mut booking(&arguments)).expect(0);
        assert!(ran.out.contains("Usage: booking"), "{ran:?}");
    }
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&mut booking(&["completions", shell])).expect(0);
        for word in ["import", "flow", "lane", "resume", "admit-per-second", "history", "dry-run", "follow"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn the_audit_of_an_empty_server_is_clean() {
    let server = Server::start(&open());
    let ran = server.operator(&["audit"]).expect(0);
    assert!(ran.out.contains("the audit is clean") && ran.out.contains("I1"), "{ran:?}");
    assert_eq!(server.operator(&["audit", "--json"]).expect(0).json()["clean"], true);
}

#[test]
fn the_help_of_serve_names_the_keys_that_come_by_environment() {
    let help = run(&mut booking(&["serve", "--help"])).expect(0).out;
    let (_, environment) = help.split_once("Environment:").unwrap();
    for name in ["BOOKING_ADMIN_KEY", "BOOKING_SERVICE_KEY", "BOOKING_TOKEN_SECRET"] {
        assert!(environment.contains(name), "{help}");
    }
}

#[test]
fn what_serve_can_not_work_with_is_told_with_what_to_write_before_any_key_is_made() {
    let folder = Folder::new();
    let file = folder.file("booking.toml", "admin-key = \"0123456789abcdef\"\n");
    let (path, made) = (file.strip_suffix("booking.toml").unwrap(), "booking.db-secrets");
    let (store, nowhere) = (format!("sqlite:{path}booking.db"), format!("sqlite:{path}not/there/booking.db"));
    let cases: [(&[&str], &str); 8] = [
        (&["--store", "foo"], "'foo' is no store; write sqlite:PATH, memory: or postgres://"),
        (&["--store", &nowhere], "not/there; make it, or name a file elsewhere"),
        (&["--store", &store, "--listen", "localhost:8080"], "write IP:PORT, such as 127.0.0.1:8080"),
        (&["--store", &store, "--claim-ttl", "0s"], "'--claim-ttl <CLAIM_TTL>'"),
        (&["--store", &store, "--session-ttl", "0s"], "'--session-ttl <SESSION_TTL>'"),
        (&["--store", &store, "--admit-per-second", "0"], "'--admit-per-second <ADMIT_PER_SECOND>'"),
        (&["--store", &store, "--drain-delay", "2h"], "must be an hour at most"),
        (&["--store", &store, "--config", &file], "keys come by environment: BOOKING_ADMIN_KEY"),
    ];
    for (arguments, told) in cases {
        let ran = run(&mut booking(&[&["serve"], arguments].concat())).expect(2);
        assert!(ran.err.contains(told), "{arguments:?}: {ran:?}");
        assert!(!std::path::Path::new(path).join(made).exists(), "{arguments:?}");
    }
}

#[test]
fn serving_where_it_will_never_do_is_refused() {
    let ran = run(&mut booking(&["serve", "--listen", "127.0.0.1:0", "--store", "sqlite:/"])).expect(2);
    assert!(ran.err.contains("--store: "), "{ran:?}");
}

/// 2 keeps a supervisor from starting it again (`packaging/booking.service`), this does not.
#[test]
fn what_may_pass_by_itself_is_told_with_the_exit_code_of_a_server_that_is_not_reached() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let gone = nobody().replace("http://", "");
    let (redis, pg) = (format!("redis://{gone}"), format!("postgres://booking@{gone}/booking"));
    let store = folder.store();
    let args = ServeArgs { store: store.clone(), ..closed() };
    let _other = Server::start(&args);
    for (arguments, told) in [
        (["--store", "memory:", "--listen", &address], "choose another with --listen"),
        (["--store", "memory:", "--queue", &redis], "can't connect to Redis"),
        (["--store", &pg, "--listen", "127.0.0.1:0"], "can't connect to PostgreSQL"),
        (["--store", &store, "--listen", "127.0.0.1:0"], "is in use by another process"),
    ] {
        let mut command = booking(&[&["serve"], &arguments[..]].concat());
        for name in ["BOOKING_ADMIN_KEY", "BOOKING_SERVICE_KEY", "BOOKING_TOKEN_SECRET"] {
            command.env(name, name.repeat(2));
        }
        let ran = run(&mut command).expect(3);
        assert!(ran.err.contains(told), "{arguments:?}: {ran:?}");
    }
}
