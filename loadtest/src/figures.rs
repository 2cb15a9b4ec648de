//! How fast it was: latencies from when requests were due, rates, and how both went over time.

use std::collections::{BTreeMap, HashMap};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::history::{Act, Heard, KINDS, Micros, Sample, Seen, TicketId};

/// Latencies are told in milliseconds, to three digits.
const DIGITS: u8 = 3;
/// So many people's ranks are drawn.
const RANK_LINES: usize = 8;

/// All figures of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// How many requests were answered.
    pub requests: u64,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Requests a second.
    pub rate: f64,
    /// The part of the requests that failed: no clear answer, or a server's error.
    pub error_rate: f64,
    /// Of all requests but preparations: the 99th percentile from the due time.
    pub p99_ms: f64,
    /// By kind of request.
    pub kinds: Vec<KindFigures>,
    /// By second.
    pub by_second: Vec<Second>,
    /// The ranks that some people were told, as seconds and ranks.
    pub ranks: Vec<Vec<(f64, u64)>>,
    /// How many waited and were admitted, as seconds and people.
    pub lane: Vec<(f64, u64, u64)>,
}

/// One kind of request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KindFigures {
    /// The kind.
    pub kind: String,
    /// How many were answered.
    pub requests: u64,
    /// How many were acknowledged.
    pub acknowledged: u64,
    /// How many a rule refused, by code.
    pub refused: BTreeMap<String, u64>,
    /// How many failed.
    pub errors: u64,
    /// From the due time.
    pub from_due: Latency,
    /// From sending: what the service alone took, for those requests that were sent.
    pub from_sent: Latency,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half are faster.
    pub p50_ms: f64,
    /// One in ten is slower.
    pub p90_ms: f64,
    /// One in a hundred is slower.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

/// What was answered in one second of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// How many requests.
    pub requests: u64,
    /// The median from the due time.
    pub p50_ms: f64,
    /// The 99th percentile from the due time.
    pub p99_ms: f64,
    /// How many seats were sold up to its end.
    pub sold: u64,
}

/// Latencies in the making. One that is off the scale of an hour counts as an hour.
struct Latencies(Histogram<u64>);

impl Latencies {
    #[allow(clippy::expect_used, reason = "the bounds are constants, and they are valid")]
    fn new() -> Self {
        Self(Histogram::new_with_bounds(1, 3_600_000_000, DIGITS).expect("valid bounds"))
    }

    fn add(&mut self, micros: Micros) {
        self.0.saturating_record(micros);
    }

    fn ms(&self, quantile: f64) -> f64 {
        millis(self.0.value_at_quantile(quantile))
    }

    fn latency(&self) -> Latency {
        Latency {
            p50_ms: self.ms(0.5),
            p90_ms: self.ms(0.9),
            p99_ms: self.ms(0.99),
            max_ms: millis(self.0.max()),
        }
    }
}

fn millis(micros: Micros) -> f64 {
    float(micros) / 1_000.0
}

fn seconds(micros: Micros) -> f64 {
    float(micros) / 1_000_000.0
}

#[allow(clippy::cast_precision_loss, reason = "figures are told to three digits")]
fn float(number: u64) -> f64 {
    number as f64
}

impl Figures {
    /// The figures of a history. Warming up is no part of it.
    pub fn of(history: &[Seen], samples: &[Sample]) -> Self {
        let measured: Vec<&Seen> = history.iter().filter(|seen| seen.act != Act::WarmUp).collect();
        let from = measured.iter().map(|seen| seen.due).min().unwrap_or(0);
        let to = measured.iter().map(|seen| seen.answered).max().unwrap_or(0);
        let (requests, span) = (measured.len() as u64, seconds(to - from).max(f64::MIN_POSITIVE));
        let errors = measured.iter().filter(|seen| seen.is_error()).count() as u64;
        let mut all = Latencies::new();
        let is_preparation = |seen: &Seen| matches!(seen.act, Act::SignUp | Act::Probe(_) | Act::EnterBeside);
        measured
            .iter()
            .filter(|seen| !is_preparation(seen))
            .for_each(|seen| all.add(seen.answered - seen.due));
        Self {
            requests,
            seconds: span,
            rate: float(requests) / span,
            error_rate: float(errors) / float(requests.max(1)),
            p99_ms: all.ms(0.99),
            kinds: kinds(&measured),
            by_second: by_second(&measured, from),
            ranks: ranks(&measured, from),
            lane: samples
                .iter()
                .map(|at| (seconds(at.answered.saturating_sub(from)), at.waiting, at.admitted))
                .collect(),
        }
    }
}

fn kinds(measured: &[&Seen]) -> Vec<KindFigures> {
    let of_kind = |kind: usize| {
        let all = || measured.iter().filter(move |seen| seen.act.kind() == kind);
        let (mut from_due, mut from_sent) = (Latencies::new(), Latencies::new());
        let mut refused = BTreeMap::new();
        for seen in all() {
            from_due.add(seen.answered - seen.due);
            from_sent.add(seen.answered - seen.sent);
            if let (Heard::Refused(code), false) = (&seen.heard, seen.is_error()) {
                *refused.entry(code.as_str().to_owned()).or_insert(0) += 1;
            }
        }
        KindFigures {
            kind: KINDS[kind].into(),
            requests: all().count() as u64,
            acknowledged: all().filter(|seen| seen.is_acknowledged()).count() as u64,
            refused,
            errors: all().filter(|seen| seen.is_error()).count() as u64,
            from_due: from_due.latency(),
            from_sent: from_sent.latency(),
        }
    };
    (0..KINDS.len()).map(of_kind).filter(|figures| figures.requests > 0).collect()
}

fn by_second(measured: &[&Seen], from: Micros) -> Vec<Second> {
    let mut sorted: BTreeMap<u64, (Latencies, u64)> = BTreeMap::new();
    for seen in measured {
        let (latencies, sold) =
            sorted.entry((seen.answered - from) / 1_000_000).or_insert_with(|| (Latencies::new(), 0));
        latencies.add(seen.answered - seen.due);
        *sold += u64::from(seen.paid().is_some_and(|paid| !paid.replayed));
    }
    let last = sorted.keys().next_back().copied().unwrap_or(0);
    let mut sold_so_far = 0;
    (0..=last)
        .map(|second| {
            let Some((latencies, sold)) = sorted.get(&second) else {
                return Second { sold: sold_so_far, ..Second::default() };
            };
            sold_so_far += sold;
            Second {
                requests: latencies.0.len(),
                p50_ms: latencies.ms(0.5),
                p99_ms: latencies.ms(0.99),
                sold: sold_so_far,
            }
        })
        .collect()
}

/// The ranks of some tickets: of those that were told theirs most often, evenly over the numbers.
fn ranks(measured: &[&Seen], from: Micros) -> Vec<Vec<(f64, u64)>> {
    let mut told: HashMap<TicketId, Vec<(f64, u64)>> = HashMap::new();
    for seen in measured {
        let Some((place, (rank, _))) = seen.place().and_then(|place| Some((place, place.rank?))) else {
            continue;
        };
        told.entry(place.ticket).or_default().push((seconds(seen.answered - from), rank));
    }
    let mut lines: Vec<_> = told.into_iter().filter(|(_, line)| line.len() > 2).collect();
    lines.sort_unstable_by_key(|(ticket, _)| *ticket);
    let step = (lines.len() / RANK_LINES).max(1);
    lines.into_iter().skip(step / 2).step_by(step).take(RANK_LINES).map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Fact;

    fn seen(due: Micros, sent: Micros, answered: Micros, act: Act) -> Seen {
        Seen { person: 0, host: 0, due, sent, answered, act, heard: Heard::Acknowledged(Fact::Plain) }
    }

    #[test]
    fn a_request_that_could_not_be_sent_in_time_counts_from_when_it_was_due() {
        let history =
            [seen(0, 900_000, 1_000_000, Act::Dates), seen(999_000, 999_000, 1_000_000, Act::Dates)];
        let figures = Figures::of(&history, &[]);
        let dates = &figures.kinds[0];
        assert!((dates.from_due.max_ms - 1_000.0).abs() < 1.0, "{dates:?}");
        assert!((dates.from_sent.max_ms - 100.0).abs() < 0.2, "{dates:?}");
        assert!((figures.p99_ms - 1_000.0).abs() < 1.0 && (figures.rate - 2.0).abs() < 0.01);
    }

    #[test]
    fn warming_up_is_measured_nowhere() {
        let history = [seen(0, 0, 9_000_000, Act::WarmUp), seen(9_000_000, 9_000_000, 9_001_000, Act::Dates)];
        let figures = Figures::of(&history, &[]);
        assert_eq!((figures.requests, figures.kinds.len(), figures.by_second.len()), (1, 1, 1));
        assert!(figures.p99_ms < 2.0);
    }

    #[test]
    fn an_empty_history_has_figures_too() {
        assert_eq!(Figures::of(&[], &[]).requests, 0);
    }
}
