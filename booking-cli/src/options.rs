use booking_api::client::Client;
use clap::{Args, Parser, Subcommand};
use uuid::Uuid;

use crate::{
    commands::{
        backup, completions, demo, events, flow, history, import, lane, migrate, refund, release, seed,
    },
    failure::Failure,
};

/// A booking engine for concerts with numbered seats.
#[derive(Debug, Parser)]
#[command(name = "booking", version, after_help = AFTER_HELP)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Environment:
  BOOKING_URL          the server, as --url
  BOOKING_ADMIN_KEY    the operator's key: operators' commands need it, flow can use it
  BOOKING_CONFIG       a file that sets what flags and environment of serve do not, as --config
  BOOKING_STORE        where bookings are kept, as --store of serve, backup and migrate
  BOOKING_SERVICE_KEY  the key that charges wallets: flow needs it, unless the server has --open-charges

Exit codes:
  0  done
  1  the check failed: the audit found something, or a purchase went wrong
  2  bad input or usage
  3  the server can't be reached, or it refused

Start with `booking demo`.";

/// Which server a command talks to, and how it answers.
#[derive(Args, Clone, Debug)]
pub(crate) struct Server {
    /// The server to talk to
    #[arg(long, global = true, env = "BOOKING_URL", default_value = "http://127.0.0.1:8080", value_parser = url)]
    pub(crate) url: String,
    /// Print one JSON document on standard output, for machines; notes and progress go to standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See it work: a server in this process, one purchase step by step, then a rush of buyers on 50 seats
    Demo(demo::DemoArgs),
    /// Serve the booking engine over HTTP
    Serve(Box<booking_server::Configured>),
    /// Add dummy concerts; adding them twice changes nothing
    Seed(seed::SeedArgs),
    /// Add the concerts of files; adding them twice changes nothing
    Import(import::ImportArgs),
    /// Drive whole purchases by many people on the concerts there are, and audit the books
    Flow(flow::FlowArgs),
    /// Show lanes, watch one, or change its settings
    #[command(subcommand)]
    Lane(lane::LaneCommand),
    /// Check everything that must always hold, by number; exit code 1 when something does not
    Audit,
    /// Show what happened to a seat, or to everything a user had
    History(history::HistoryArgs),
    /// Print the log of everything that happened, or follow it; --json prints an object a line
    Events(events::EventsArgs),
    /// Give a hold back for its owner
    Release(release::ReleaseArgs),
    /// Give a payment back: the money to the wallet, the seats to the sale
    Refund(refund::RefundArgs),
    /// Exit 0 if the server is ready (for health checks)
    Health,
    /// Copy the file of a store, as it is at one instant, while its server goes on
    Backup(backup::BackupArgs),
    /// Bring the schema of a PostgreSQL database up to date before servers start, or only check it
    Migrate(migrate::MigrateArgs),
    /// Print the completions of a shell
    Completions(completions::CompletionsArgs),
}

impl Server {
    /// A client of the server.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url)
    }
}

fn url(text: &str) -> Result<String, String> {
    match text.strip_prefix("http://") {
        Some(rest) if !rest.trim_matches('/').is_empty() => Ok(text.trim_end_matches('/').to_owned()),
        _ if text.starts_with("https://") => {
            Err("this command speaks plain HTTP; name the server behind the TLS proxy".into())
        }
        _ => Err("write it as http://HOST:PORT".into()),
    }
}

/// An id, as the server writes it.
pub(crate) fn id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "write an id such as 0196b5d2-7c1a-7e6b-9c3d-2f4a6b8c0d1e".into())
}

/// The operator's key, if the environment has it.
pub(crate) fn admin_key() -> Option<String> {
    std::env::var("BOOKING_ADMIN_KEY").ok().filter(|key| !key.is_empty())
}

/// The operator's key, which this command can't do without.
pub(crate) fn needed_admin_key() -> Result<String, Failure> {
    admin_key().ok_or_else(|| {
        Failure::Input(
            "BOOKING_ADMIN_KEY is not set; set it to the key of the server's operator \
             (`booking serve` tells at start where it is when it had to make one up)"
                .into(),
        )
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["booking"], arguments].concat())
    }

    #[test]
    fn the_definition_of_the_arguments_has_no_contradiction() {
        Options::command().debug_assert();
    }

    #[test]
    fn every_command_parses_with_its_defaults() {
        for command in [
            "demo",
            "serve",
            "seed",
            "audit",
            "health",
            "import concerts.csv",
            "flow --users 5",
            "backup copy.db",
            "lane show",
            "events",
        ] {
            let words: Vec<&str> = command.split(' ').collect();
            assert!(parse(&words).is_ok(), "{command}");
        }
        assert!(parse(&["completions", "bash"]).is_ok());
    }

    #[test]
    fn the_server_may_be_named_before_and_after_the_command() {
        for arguments in [["--url", "http://b:1/", "audit"], ["audit", "--url", "http://b:1/"]] {
            assert_eq!(parse(&arguments).unwrap().server.url, "http://b:1");
        }
        assert!(parse(&["audit", "--json"]).unwrap().server.json);
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for (url, told) in [("127.0.0.1:8080", "http://HOST:PORT"), ("http://", "HOST"), ("https://a", "TLS")]
        {
            let error = parse(&["audit", "--url", url]).unwrap_err();
            assert!(error.to_string().contains(told), "{url}: {error}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    #[test]
    fn what_is_no_id_is_refused_with_how_an_id_looks() {
        for arguments in
            [&["history", "a", "1"][..], &["history", "--user", "b"], &["release", "x"], &["refund", "7"]]
        {
            let error = parse(arguments).unwrap_err();
            assert!(error.to_string().contains("write an id such as 0196b5d2-"), "{arguments:?}: {error}");
            assert_eq!(error.exit_code(), 2);
        }
        assert!(parse(&["release", "0196b5d2-7c1a-7e6b-9c3d-2f4a6b8c0d1e"]).is_ok());
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let refused: [&[&str]; 11] = [
            &["seed", "--seats", "0"],
            &["seed", "--seats", "20001"],
            &["seed", "--price", "1.5"],
            &["seed", "--concerts", "0"],
            &["seed", "--performances", "-1"],
            &["seed", "--lane", "No Lane"],
            &["import"],
            &["import", "a.csv", "--price", "-1"],
            &["import", "a.csv", "--format", "xml"],
            &["flow"],
            &["flow", "--users", "0"],
        ];
        for arguments in refused {
            assert_eq!(parse(arguments).unwrap_err().exit_code(), 2, "{arguments:?}");
        }
    }

    #[test]
    fn the_help_names_the_exit_codes_and_the_environment() {
        let help = Options::command().render_long_help().to_string();
        for part in ["Exit codes", "BOOKING_ADMIN_KEY", "BOOKING_SERVICE_KEY", "BOOKING_URL"] {
            assert!(help.contains(part), "{part}");
        }
    }
}
