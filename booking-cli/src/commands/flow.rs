//! `booking flow`: whole purchases by many people, and what came of them.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use booking_api::{AuditReport, Code};
use booking_core::LaneName;
use clap::{Args, value_parser};
use comfy_table::Cell;
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    audit,
    buyer::{Buyer, Call, Market, Meter, Shop, Stop, millis},
    console::{Console, count, note, number, right, table},
    failure::Failure,
    options::{Server, admin_key},
};

/// `booking flow`.
#[derive(Args, Clone, Debug)]
pub(crate) struct FlowArgs {
    /// How many people
    #[arg(long, value_parser = value_parser!(u64).range(1..))]
    users: u64,
    /// How many of them at once
    #[arg(long, default_value = "64")]
    concurrency: NonZeroUsize,
    /// The lane they enter
    #[arg(long, default_value_t = LaneName::main())]
    lane: LaneName,
    /// The service key, where people may not charge their wallets themselves
    #[arg(long, env = "BOOKING_SERVICE_KEY", hide_env_values = true, value_name = "KEY")]
    charge_key: Option<String>,
    /// Random seed; the same seed repeats the same choices
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const BOUGHT: &str = "bought";
/// Details told of what went wrong; there may be thousands alike.
const TOLD: usize = 5;

/// What came of all people so far.
#[derive(Debug, Default)]
struct Tally {
    outcomes: BTreeMap<String, Outcome>,
    paid: i64,
    unexpected: Vec<String>,
    /// The run can't go on: what to do.
    fatal: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Outcome {
    people: u64,
    expected: bool,
}

/// What came of it, for machines.
#[derive(Serialize)]
struct Report {
    users: u64,
    bought: u64,
    paid: i64,
    outcomes: BTreeMap<String, Outcome>,
    unexpected: Vec<String>,
    requests: usize,
    requests_per_second: f64,
    seat_taken: u64,
    hold_p50_ms: Option<f64>,
    hold_p99_ms: Option<f64>,
    elapsed_seconds: f64,
    audit: Option<AuditReport>,
}

pub(crate) async fn run(args: FlowArgs, server: &Server, console: Console) -> Result<(), Failure> {
    let client = server.client();
    let market = Market::of(&client, args.lane.as_str()).await?;
    if market.concerts() == 0 {
        return Err(Failure::Input(format!(
            "the lane {} leads to no concert; add some with `booking seed` or `booking import`",
            args.lane
        )));
    }
    let shop = Arc::new(Shop {
        client: client.clone(),
        meter: Meter::new(args.concurrency.get()),
        lane: args.lane.to_string(),
        admin_key: admin_key(),
        service_key: args.charge_key.clone().filter(|key| !key.is_empty()),
        longest_pause: Duration::from_secs(20),
    });
    let progress = console.progress(args.users, "buying");
    let started = Instant::now();
    let tally = buy_all(&args, &shop, market, &progress).await;
    let elapsed = started.elapsed();
    progress.finish_and_clear();
    if let Some(what_to_do) = tally.fatal {
        return Err(Failure::Server(what_to_do));
    }
    let audit = match &shop.admin_key {
        Some(key) => Some(client.audit(key).await?),
        None => None,
    };
    let report = report(&args, &shop.meter, tally, elapsed, audit);
    show(&report, &shop.meter, console);
    console.document(&report)?;
    verdict(&report)
}

/// So many at once, each doing one person after another.
async fn buy_all(args: &FlowArgs, shop: &Arc<Shop>, market: Market, progress: &ProgressBar) -> Tally {
    let market = Arc::new(market);
    let next = Arc::new(AtomicU64::new(0));
    let mut workers = JoinSet::new();
    let (users, seed) = (args.users, args.seed);
    for _ in 0..args.concurrency.get() {
        let (shop, market, next) = (Arc::clone(shop), Arc::clone(&market), Arc::clone(&next));
        let progress = progress.clone();
        workers.spawn(async move {
            let mut tally = Tally::default();
            loop {
                let person = next.fetch_add(1, Ordering::Relaxed);
                if person >= users {
                    return tally;
                }
                let ended = buy_one(Buyer::new(Arc::clone(&shop), seed, person), &market).await;
                tally.note(ended, &shop);
                progress.inc(1);
                if tally.fatal.is_some() {
                    next.store(users, Ordering::Relaxed);
                }
            }
        });
    }
    let mut all = Tally::default();
    while let Some(tally) = workers.join_next().await {
        match tally {
            Ok(tally) => all.add(tally),
            Err(error) => all.unexpected.push(format!("a person's task ended: {error}")),
        }
    }
    all
}

/// One purchase, with the books compared afterwards; what it cost.
async fn buy_one(mut buyer: Buyer, market: &Market) -> Result<i64, Stop> {
    let purchase = buyer.buy_anywhere(market).await?;
    buyer.check_books(&purchase).await?;
    Ok(purchase.amount)
}

impl Tally {
    fn note(&mut self, ended: Result<i64, Stop>, shop: &Shop) {
        let (label, expected) = match &ended {
            Ok(amount) => {
                self.paid += amount;
                (BOUGHT.to_owned(), true)
            }
            Err(why) => (why.label(), why.is_expected()),
        };
        let outcome = self.outcomes.entry(label.clone()).or_default();
        outcome.people += 1;
        outcome.expected = expected;
        let Err(why) = ended else { return };
        if let Some(what_to_do) = missing_key(&why, shop) {
            self.fatal = Some(what_to_do);
        }
        if !expected {
            self.unexpected.push(format!("{label}: {}", why.detail()));
        }
    }

    fn add(&mut self, other: Self) {
        for (label, outcome) in other.outcomes {
            let all = self.outcomes.entry(label).or_default();
            all.people += outcome.people;
            all.expected = outcome.expected;
        }
        self.paid += other.paid;
        self.unexpected.extend(other.unexpected);
        self.fatal = self.fatal.take().or(other.fatal);
    }
}

/// People who may not sign up or charge would all fail alike, so the run ends and says what is missing. Their own
/// tokens are fresh, so a refused token here is a refused key.
fn missing_key(why: &Stop, shop: &Shop) -> Option<String> {
    let Stop::Refused { code: Code::InvalidToken | Code::Forbidden, detail, .. } = why else { return None };
    let was_sent = |call| shop.meter.percentile(call, 50).is_some();
    match (was_sent(Call::Enter), was_sent(Call::Charge)) {
        (false, _) => Some(format!(
            "the server refused to sign people up ({detail}); set BOOKING_ADMIN_KEY to its operator's key, \
             or start it with --open-signup"
        )),
        (true, true) => Some(format!(
            "the server refused to charge a wallet ({detail}); set BOOKING_SERVICE_KEY to its service key, \
             or start it with --open-charges"
        )),
        (true, false) => None,
    }
}

fn report(
    args: &FlowArgs,
    meter: &Meter,
    tally: Tally,
    elapsed: Duration,
    audit: Option<AuditReport>,
) -> Report {
    let requests = meter.requests();
    let millis = |percent| meter.percentile(Call::Hold, percent).map(|took| took.as_secs_f64() * 1_000.0);
    Report {
        users: args.users,
        bought: tally.outcomes.get(BOUGHT).map_or(0, |outcome| outcome.people),
        paid: tally.paid,
        outcomes: tally.outcomes,
        unexpected: tally.unexpected,
        requests,
        requests_per_second: per_second(requests, elapsed),
        seat_taken: meter.refused(Code::SeatTaken),
        hold_p50_ms: millis(50),
        hold_p99_ms: millis(99),
        elapsed_seconds: elapsed.as_secs_f64(),
        audit,
    }
}

/// How many a second.
pub(crate) fn per_second(requests: usize, elapsed: Duration) -> f64 {
    let requests = u32::try_from(requests).unwrap_or(u32::MAX);
    f64::from(requests) / elapsed.as_secs_f64().max(0.001)
}

fn show(report: &Report, meter: &Meter, console: Console) {
    let mut outcomes = table(&["outcome", "people", "remark"]);
    for (label, outcome) in &report.outcomes {
        let remark = if outcome.expected { "as it should be" } else { "UNEXPECTED" };
        outcomes.add_row([Cell::new(label), number(outcome.people), Cell::new(remark)]);
    }
    console.table(&outcomes);
    let mut summary = table(&[]);
    summary.add_row([Cell::new("paid, all together"), number(report.paid)]);
    summary.add_row([Cell::new("seat_taken refusals on the way"), number(report.seat_taken)]);
    summary.add_row([Cell::new("requests"), number(report.requests)]);
    summary.add_row([Cell::new("requests a second"), number(format!("{:.0}", report.requests_per_second))]);
    let hold = [50, 99].map(|percent| millis(meter.percentile(Call::Hold, percent)));
    summary.add_row([Cell::new("hold, p50 and p99"), right(hold.join("  "))]);
    summary.add_row([Cell::new("elapsed"), right(format!("{:.2} s", report.elapsed_seconds))]);
    console.table(&summary);
    for detail in report.unexpected.iter().take(TOLD) {
        note(detail);
    }
    match &report.audit {
        Some(audit) => {
            console.table(&audit::verdict(audit));
            console.say(&audit::sentence(audit));
        }
        None => note("the books of the server were not audited: set BOOKING_ADMIN_KEY for that"),
    }
}

fn verdict(report: &Report) -> Result<(), Failure> {
    match &report.audit {
        Some(audit) if !audit.clean => Err(Failure::Check(audit::sentence(audit))),
        _ if report.unexpected.is_empty() => Ok(()),
        _ => {
            let people = count(report.unexpected.len(), "purchase");
            Err(Failure::Check(format!("{people} went wrong")))
        }
    }
}

#[cfg(test)]
mod tests {
    use booking_api::client::Client;

    use super::*;

    fn shop() -> Shop {
        Shop {
            client: Client::new("http://127.0.0.1:1"),
            meter: Meter::new(1),
            lane: "main".into(),
            admin_key: None,
            service_key: None,
            longest_pause: Duration::ZERO,
        }
    }

    fn refused(code: Code) -> Stop {
        Stop::Refused { code, reason: None, detail: "no".into() }
    }

    #[test]
    fn no_seat_left_is_an_outcome_and_not_a_failure() {
        let (shop, mut tally) = (shop(), Tally::default());
        tally.note(Ok(500), &shop);
        tally.note(Err(Stop::NoSeatLeft), &shop);
        tally.note(Err(refused(Code::SoldOut)), &shop);
        assert_eq!((tally.paid, tally.unexpected.len(), tally.outcomes.len()), (500, 0, 3));
    }

    #[test]
    fn an_unexpected_refusal_is_a_failure_and_told() {
        let (shop, mut one, mut all) = (shop(), Tally::default(), Tally::default());
        one.note(Err(refused(Code::InternalError)), &shop);
        all.add(one);
        assert_eq!(all.unexpected, ["internal_error: no"]);
        assert!(!all.outcomes["internal_error"].expected);
    }

    #[test]
    fn a_refused_key_ends_the_run_and_says_which_is_missing() {
        let (shop, mut tally) = (shop(), Tally::default());
        tally.note(Err(refused(Code::Forbidden)), &shop);
        assert!(tally.fatal.is_some_and(|text| text.contains("BOOKING_ADMIN_KEY")));
    }

    #[test]
    fn only_a_clean_audit_without_anything_unexpected_passes() {
        let args = FlowArgs {
            users: 1,
            concurrency: NonZeroUsize::MIN,
            lane: LaneName::main(),
            charge_key: None,
            seed: 1,
        };
        let judge = |clean: Option<bool>, unexpected: &[&str]| {
            let unexpected = unexpected.iter().map(ToString::to_string).collect();
            let tally = Tally { unexpected, ..Tally::default() };
            let audit = clean.map(|clean| AuditReport { clean, checks: Vec::new() });
            verdict(&report(&args, &Meter::new(1), tally, Duration::from_secs(1), audit))
        };
        assert_eq!(judge(Some(true), &[]), Ok(()));
        assert_eq!(judge(None, &[]), Ok(()));
        assert!(matches!(judge(Some(false), &[]), Err(Failure::Check(_))));
        assert!(matches!(judge(Some(true), &["internal_error: no"]), Err(Failure::Check(_))));
    }
}
