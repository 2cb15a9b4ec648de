//! What a run can be told.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, value_parser};

use crate::scenario::{Plan, Scenario};

/// Load tests of the booking service that end with a verdict.
///
/// Exit codes: 0 all verdicts hold, 1 one is violated (the history that shows it is printed), 2 the run could not be made.
/// The operators' key comes by `BOOKING_ADMIN_KEY`; with `BOOKING_SERVICE_KEY` wallets are charged by it, else people charge
/// their own (the server needs --open-charges).
#[derive(Parser, Clone, Debug)]
#[command(name = "loadtest", version)]
pub struct Args {
    /// What to play
    #[arg(value_enum)]
    pub scenario: Scenario,
    /// A server; repeat it to spread the requests over several
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL", value_parser = host)]
    pub host: Vec<String>,
    /// How many connections send requests
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
    /// Random seed; the same seed repeats the same choices
    #[arg(long, default_value_t = 17)]
    pub seed: u64,
    /// How long connections and caches are made ready before
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    pub warm_up: Duration,
    /// Violated when one in a hundred requests takes longer, from when it was due
    #[arg(long, value_name = "MS")]
    pub p99_ms: Option<f64>,
    /// Violated when more than this part of the requests fails, such as 0.001
    #[arg(long, value_name = "PART")]
    pub error_rate: Option<f64>,
    /// Violated when fewer requests a second are answered
    #[arg(long, value_name = "N")]
    pub min_rate: Option<f64>,
    /// Write the report for people here; it is one HTML file that needs no other. - is standard output
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write the results for machines here; - is standard output
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Compare with the results of an earlier run, written by --json
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// Show no progress and no tables, only what is violated
    #[arg(long)]
    pub quiet: bool,
    /// What the scenario does otherwise than by default
    #[command(flatten)]
    pub changes: Changes,
}

/// What a scenario does otherwise than by default.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Changes {
    /// How many people come
    #[arg(long, value_parser = value_parser!(u32).range(2..=5_000_000))]
    pub people: Option<u32>,
    /// How many performances there are
    #[arg(long, value_parser = value_parser!(u32).range(1..=10_000))]
    pub performances: Option<u32>,
    /// How many seats each performance has
    #[arg(long, value_parser = value_parser!(u32).range(1..=20_000))]
    pub seats: Option<u32>,
    /// What a seat costs
    #[arg(long, value_parser = value_parser!(i64).range(1..=1_000_000_000))]
    pub price: Option<i64>,
    /// How many the lane admits at once
    #[arg(long)]
    pub capacity: Option<u32>,
    /// How many the lane admits a second
    #[arg(long)]
    pub admit_per_second: Option<u32>,
    /// How long people keep coming, or asking
    #[arg(long, value_parser = humantime::parse_duration)]
    pub span: Option<Duration>,
    /// How long people think, at most
    #[arg(long, value_parser = humantime::parse_duration)]
    pub think: Option<Duration>,
    /// How long an admitted person has to show up; a third of it is the longest time between two questions for the place
    #[arg(long, value_parser = humantime::parse_duration)]
    pub claim_ttl: Option<Duration>,
}

/// The address of a server, as the connections take it.
fn host(text: &str) -> Result<String, String> {
    match text.strip_prefix("http://") {
        Some(rest) if !rest.trim_matches('/').is_empty() => Ok(text.trim_end_matches('/').to_owned()),
        _ if text.starts_with("https://") => {
            Err("the load test speaks plain HTTP; name the server behind the TLS proxy".into())
        }
        _ => Err("write it as http://HOST:PORT".into()),
    }
}

impl Args {
    /// The plan of the scenario with what was said otherwise.
    pub fn plan(&self) -> Plan {
        let (plan, changes) = (self.scenario.plan(), &self.changes);
        let people = changes.people.unwrap_or(plan.people);
        // Scenarios that let everybody in at once keep doing so when more people come.
        let capacity = if plan.capacity >= plan.people { people.max(plan.capacity) } else { plan.capacity };
        Plan {
            people,
            performances: changes.performances.unwrap_or(plan.performances),
            seats: changes.seats.unwrap_or(plan.seats),
            price: changes.price.unwrap_or(plan.price),
            capacity: changes.capacity.unwrap_or(capacity),
            admit_per_second: changes.admit_per_second.or(plan.admit_per_second),
            span: changes.span.unwrap_or(plan.span),
            think: changes.think.unwrap_or(plan.think),
            claim_ttl: changes.claim_ttl.unwrap_or(plan.claim_ttl),
            ..plan
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_scenario_has_a_plan_that_the_flags_change() {
        for scenario in Scenario::value_variants() {
            let name = scenario.to_possible_value().unwrap().get_name().to_owned();
            let args = Args::parse_from(["loadtest", &name]);
            assert_eq!(args.plan(), scenario.plan());
            let args = Args::parse_from(["loadtest", &name, "--people", "7", "--span", "3s"]);
            assert_eq!((args.plan().people, args.plan().span.as_secs()), (7, 3));
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused_with_how_to_write_it() {
        let args =
            Args::parse_from(["loadtest", "bots", "--host", "http://one:1/", "--host", "http://two:2"]);
        assert_eq!(args.host, ["http://one:1", "http://two:2"]);
        for (host, told) in
            [("127.0.0.1:8080", "http://HOST:PORT"), ("http://", "http://HOST:PORT"), ("https://a", "TLS")]
        {
            let refused = Args::try_parse_from(["loadtest", "bots", "--host", host]).unwrap_err();
            assert!(refused.to_string().contains(told), "{host}: {refused}");
            assert_eq!(refused.exit_code(), 2);
        }
    }

    #[test]
    fn those_who_let_everybody_in_do_so_for_larger_crowds_too() {
        let args = Args::parse_from(["loadtest", "seat-rush", "--people", "9000"]);
        assert_eq!(args.plan().capacity, 9_000);
        let args = Args::parse_from(["loadtest", "on-sale", "--people", "90000"]);
        assert_eq!(args.plan().capacity, 500);
    }
}
