//! A run from its preparation to its verdicts.

use std::{collections::HashSet, path::Path, sync::Arc, time::Duration};

use booking_api::{
    Code, CreateCharge,
    client::{Client, ClientError},
};
use goose::goose::GooseMethod;
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use crate::{
    args::Args,
    console,
    crew::{Call, Crew, Desk},
    failure::Failure,
    figures::Figures,
    history::{Act, Seen},
    oracle::{Check, Evidence, Terms, Verdict, judge},
    person::Person,
    reading::{self, Holder},
    report::Summary,
    stage::{Servers, Stage},
};

/// The name of the report that goose writes.
const GOOSE_REPORT: &str = "goose.html";

/// Keys a run needs.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The operators'.
    pub admin: String,
    /// The payment gateway's, if wallets are to be charged by it.
    pub service: Option<String>,
}

impl Keys {
    /// The keys that the environment sets.
    pub fn from_env() -> Result<Self, Failure> {
        let var = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Ok(Self {
            admin: var("BOOKING_ADMIN_KEY").ok_or(Failure::NoAdminKey)?,
            service: var("BOOKING_SERVICE_KEY"),
        })
    }
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Figures and verdicts.
    pub summary: Summary,
    /// Goose's own report, in HTML.
    pub goose_report: String,
}

/// Makes a run and judges it. `work` is a folder for goose's report.
pub async fn run(args: &Args, keys: &Keys, work: &Path) -> Result<Outcome, Failure> {
    let servers = Arc::new(connect(args, keys).await?);
    let tip = reading::tip(&servers).await?;
    let hosts = servers.clients.iter().map(|client| client.base().to_owned()).collect();
    let (crew, desk) = Crew::new(hosts, std::time::Instant::now());
    let report = work.join(GOOSE_REPORT);
    let connections = usize::try_from(args.connections).unwrap_or(usize::MAX);
    let work = Arc::clone(&crew).work(connections, &report);
    let play = play(args, Arc::clone(&servers), Arc::clone(&crew), desk);
    let (worked, played) = tokio::join!(work, play);
    worked?;
    let Played { stage_terms, samples, holders } = played?;
    let history = crew.take_history();
    let users = holders.iter().map(|holder| (holder.person, holder.user)).collect();
    let holders = with_an_account(holders, &history);
    let books = reading::read(&servers, tip, holders).await?;
    let evidence = Evidence { terms: stage_terms, users, history, samples, books };
    let figures = Figures::of(&evidence.history, &evidence.samples);
    let plan = args.plan();
    let mut verdicts = judge(&evidence);
    verdicts.extend(args.scenario.goals(&plan, &evidence));
    verdicts.extend(thresholds(args, &figures));
    let summary = Summary {
        scenario: args.scenario,
        plan,
        seed: args.seed,
        hosts: args.host.clone(),
        connections: args.connections,
        figures,
        verdicts,
    };
    let goose_report = std::fs::read_to_string(&report)
        .map_err(|error| Failure::File { path: report.display().to_string(), what: error.to_string() })?;
    Ok(Outcome { summary, goose_report })
}

async fn connect(args: &Args, keys: &Keys) -> Result<Servers, Failure> {
    let clients: Vec<Client> = args.host.iter().map(|host| Client::new(host)).collect();
    for client in &clients {
        if !client.ready().await {
            return Err(Failure::Absent(client.base().into()));
        }
        if let Some(service_key) = &keys.service {
            check_service_key(client, service_key).await?;
        }
    }
    Ok(Servers {
        clients,
        admin_key: keys.admin.as_str().into(),
        service_key: keys.service.as_deref().map(Into::into),
    })
}

/// Without the right key every charge of the run would be refused. A charge of nothing tells, for it has no effect.
async fn check_service_key(client: &Client, service_key: &str) -> Result<(), Failure> {
    let nothing = CreateCharge { amount: 0, user_id: Some(Uuid::nil()) };
    let refused = client.charge(service_key, "no-charge", &nothing).await.err();
    match refused.as_ref().and_then(ClientError::problem).map(|problem| problem.code) {
        Some(Code::InvalidToken | Code::Forbidden) => Err(Failure::WrongServiceKey(client.base().into())),
        _ => Ok(()),
    }
}

/// What is left when the scenario is played.
struct Played {
    stage_terms: Terms,
    samples: Vec<crate::history::Sample>,
    holders: Vec<Holder>,
}

/// Plays the scenario. In the end nothing of it is left that could hand in a request, so the connections end.
async fn play(args: &Args, servers: Arc<Servers>, crew: Arc<Crew>, desk: Desk) -> Result<Played, Failure> {
    warm_up(&desk, args.connections, args.warm_up).await?;
    let stage = Stage::build(args.plan(), args.seed, &servers, Arc::clone(&crew), desk).await?;
    let (stop, stopped) = oneshot::channel();
    let lane = Arc::clone(&stage.lane);
    let watching = tokio::spawn(async move { reading::watch(&servers, &lane, &crew, stopped).await });
    let progress = console::progress(Arc::clone(&stage), args.quiet);
    let people = args.scenario.play(&stage).await;
    progress.abort();
    stop.send(()).ok();
    let samples = watching.await?;
    let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    let stage_terms = Terms {
        capacity: stage.plan.capacity.into(),
        claim_ttl: micros(stage.plan.claim_ttl),
        opened: stage.opened().map(|at| stage.crew.since_began(at.into_std())),
        performances: stage.performances.clone(),
        price: stage.plan.price,
    };
    Ok(Played { stage_terms, samples, holders: people?.iter().map(holder).collect() })
}

fn holder(person: &Person) -> Holder {
    Holder {
        person: person.number,
        user: person.user,
        user_token: person.user_token.to_string(),
        queue_token: person.queue_token.to_string(),
    }
}

/// Those whose account may have changed.
fn with_an_account(holders: Vec<Holder>, history: &[Seen]) -> Vec<Holder> {
    let moved = |seen: &&Seen| matches!(seen.act, Act::Charge { .. } | Act::Hold { .. } | Act::Pay(_));
    let movers: HashSet<u32> = history.iter().filter(moved).map(|seen| seen.person).collect();
    holders.into_iter().filter(|holder| movers.contains(&holder.person)).collect()
}

/// Asks for something harmless over all connections for a while.
async fn warm_up(desk: &Desk, connections: u32, span: Duration) -> Result<(), Failure> {
    let until = Instant::now() + span;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let desk = desk.clone();
        callers.spawn(async move {
            while Instant::now() < until {
                let call = Call {
                    act: Act::WarmUp,
                    method: GooseMethod::Get,
                    path: "/v1/concerts?limit=1".into(),
                    token: None,
                    epoch: 0,
                    key: None,
                    body: None,
                };
                desk.ask(u32::MAX, std::time::Instant::now(), call).await;
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller?;
    }
    Ok(())
}

fn thresholds(args: &Args, figures: &Figures) -> Vec<Verdict> {
    let check = |statement: String, holds: bool, found: String| {
        let mut check = Check::new("threshold", &statement);
        check.expect(holds, || (found, Vec::new()));
        check.finish()
    };
    let p99 = args.p99_ms.map(|most| {
        let found = format!("{:.1} ms", figures.p99_ms);
        check(format!("p99 is at most {most} ms from the due time"), figures.p99_ms <= most, found)
    });
    let errors = args.error_rate.map(|most| {
        let found = format!("{}", figures.error_rate);
        check(format!("at most the part {most} of the requests fails"), figures.error_rate <= most, found)
    });
    let rate = args.min_rate.map(|least| {
        let found = format!("{:.0}", figures.rate);
        check(format!("at least {least} requests a second are answered"), figures.rate >= least, found)
    });
    [p99, errors, rate].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn each_threshold_holds_at_its_limit_and_is_violated_beyond_it() {
        let figures = Figures { p99_ms: 20.0, error_rate: 0.01, rate: 100.0, ..Figures::default() };
        let violated = |flag: &str, limit: &str| {
            let args = Args::parse_from(["loadtest", "bots", flag, limit]);
            !thresholds(&args, &figures)[0].holds()
        };
        for (flag, held, broken) in
            [("--p99-ms", "20", "19.9"), ("--error-rate", "0.01", "0.009"), ("--min-rate", "100", "101")]
        {
            assert!(!violated(flag, held), "{flag} {held}");
            assert!(violated(flag, broken), "{flag} {broken}");
        }
        assert!(thresholds(&Args::parse_from(["loadtest", "bots"]), &figures).is_empty());
    }
}
