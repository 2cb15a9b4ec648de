//! The logs of a request are found by its trace id.

use serde_json::Value;

use crate::process::{Server, request, talk};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The lines that tell of requests, each with these fields and no others.
fn requests(log: &str) -> Vec<Value> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let requests: Vec<Value> = lines.filter(|line| line["fields"]["message"] == "request").collect();
    for request in &requests {
        let names = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(names(request), "fields level span spans target timestamp", "{request}");
        assert_eq!(names(&request["fields"]), "message method micros route status", "{request}");
        assert_eq!(names(&request["span"]), "name trace_id", "{request}");
    }
    requests
}

#[test]
fn a_request_is_logged_under_the_trace_id_that_its_caller_sent_or_one_of_its_own() {
    let server = Server::start(&["--log-requests", "--log-format", "json"]);
    let traced = request("GET", "/v1/concerts", "", "")
        .replace("host: x\r\n", &format!("host: x\r\ntraceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n"));
    talk(server.address, &traced);
    talk(server.address, &request("GET", "/health/live", "", ""));
    let (_, told) = server.end();
    let requests = requests(&told);
    let trace = |route: &str| {
        let found = requests.iter().find(|request| request["fields"]["route"] == route);
        found.unwrap_or_else(|| panic!("{told}"))["span"]["trace_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(trace("/v1/concerts"), TRACE);
    let own = trace("/health/live");
    assert!(own.len() == 32 && own != TRACE && own.bytes().all(|byte| byte.is_ascii_hexdigit()), "{own}");
}
