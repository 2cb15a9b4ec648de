use std::net::TcpListener;

use crate::server::{Server, booking, closed, open, run};

/// An address nobody listens on: its port was free a moment ago.
fn nobody() -> String {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{address}")
}

#[test]
fn an_unreachable_server_is_told_in_one_sentence_with_what_to_do() {
    let url = nobody();
    for arguments in [&["seed"][..], &["audit"], &["flow", "--users", "3"]] {
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
    for arguments in [&["seed"][..], &["audit"]] {
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

#[test]
fn something_else_at_the_address_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let other = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello").unwrap();
    });
    let ran = run(booking(&["audit", "--url", &url]).env("BOOKING_ADMIN_KEY", "0123456789abcdef")).expect(3);
    other.join().unwrap();
    assert!(ran.err.contains("is a booking server there?"), "{ran:?}");
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for arguments in [&["seed", "--seats", "20001"][..], &["nonsense"], &["flow"], &["audit", "--url", "x"]] {
        run(&mut booking(arguments)).expect(2);
    }
}

#[test]
fn the_help_of_every_command_is_there() {
    for command in ["demo", "serve", "seed", "import", "flow", "audit", "completions"] {
        let ran = run(&mut booking(&[command, "--help"])).expect(0);
        assert!(ran.out.contains("Usage: booking"), "{ran:?}");
    }
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&mut booking(&["completions", shell])).expect(0);
        assert!(ran.out.contains("import") && ran.out.contains("flow"), "{shell}");
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
fn serving_on_an_impossible_address_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = run(&mut booking(&["serve", "--listen", &address, "--store", "memory:"])).expect(2);
    assert!(ran.err.contains("choose another with --listen"), "{ran:?}");
}
