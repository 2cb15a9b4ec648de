//! The report for people: one HTML file that needs no other.

use clap::ValueEnum;

use super::{
    Change, Summary,
    svg::{Line, chart, short},
};
use crate::{
    figures::{Figures, KindFigures},
    oracle::Verdict,
};

const STYLE: &str = include_str!("style.css");

/// The page. `goose_report` is goose's own, which becomes a part of it without its scripts.
pub fn page(summary: &Summary, changes: &[Change], goose_report: &str) -> String {
    let name =
        summary.scenario.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let (class, word) =
        if summary.is_clean() { ("holds", "all verdicts hold") } else { ("violated", "VIOLATED") };
    let plan = serde_json::to_string_pretty(&summary.plan).unwrap_or_default();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}: {word}</title>\
         <style>{STYLE}</style></head><body><h1>{name} <b class=\"{class}\">{word}</b></h1>\
         <p>{} · seed {} · {} connections · {} requests in {:.1} s, {:.0} a second · p99 {:.1} ms from the due \
         time · failed {:.3} %</p>\
         <h2>Verdicts</h2>{}<h2>Charts</h2>{}<h2>Latencies</h2>{}{}\
         <h2>Plan</h2><pre>{}</pre><h2>Goose's statistics</h2>{}</body></html>\n",
        escape(&summary.hosts.join(", ")),
        summary.seed,
        summary.connections,
        summary.figures.requests,
        summary.figures.seconds,
        summary.figures.rate,
        summary.figures.p99_ms,
        summary.figures.error_rate * 100.0,
        verdicts(&summary.verdicts),
        charts(&summary.figures),
        latencies(&summary.figures),
        comparison(changes),
        escape(&plan),
        embedded(goose_report),
    )
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn verdicts(verdicts: &[Verdict]) -> String {
    let row = |verdict: &Verdict| {
        let (class, word) = if verdict.holds() { ("holds", "holds") } else { ("violated", "VIOLATED") };
        let violations: Vec<String> = verdict
            .violations
            .iter()
            .map(|violation| {
                let history = violation.history.join("\n");
                format!("<p>{}</p><pre>{}</pre>", escape(&violation.what), escape(&history))
            })
            .collect();
        format!(
            "<tr><td>{}</td><td>{}{}</td><td class=\"number\">{}</td><td><b class=\"{class}\">{word}</b></td></tr>",
            escape(&verdict.number),
            escape(&verdict.statement),
            violations.concat(),
            verdict.checked
        )
    };
    let rows: String = verdicts.iter().map(row).collect();
    format!("<table><tr><th></th><th>statement</th><th>checked</th><th>verdict</th></tr>{rows}</table>")
}

/// Counts are drawn, not told: what a float can't hold of them can't be seen.
#[allow(clippy::cast_precision_loss)]
fn charts(figures: &Figures) -> String {
    let seconds = || (0_u32..).zip(&figures.by_second);
    let line = |name: &str, value: fn(&crate::figures::Second) -> f64| {
        Line::new(name, seconds().map(|(at, second)| (f64::from(at) + 0.5, value(second))).collect())
    };
    let latency = [line("p50", |second| second.p50_ms), line("p99", |second| second.p99_ms)];
    let ranks: Vec<Line> = figures
        .ranks
        .iter()
        .map(|told| Line::new("", told.iter().map(|(at, rank)| (*at, *rank as f64)).collect()))
        .collect();
    let lane = |name: &str, of: fn(&(f64, u64, u64)) -> u64| {
        Line::new(name, figures.lane.iter().map(|at| (at.0, of(at) as f64)).collect())
    };
    let mut charts = vec![
        chart("Latency from the due time", "ms", &latency),
        chart("Requests answered", "a second", &[line("", |second| second.requests as f64)]),
        chart("Seats sold", "seats", &[line("", |second| second.sold as f64)]),
        chart("The lane", "people", &[lane("waiting", |at| at.1), lane("admitted", |at| at.2)]),
    ];
    if !ranks.is_empty() {
        charts.push(chart("Rank of some people", "each line is one person", &ranks));
    }
    charts.concat()
}

fn latencies(figures: &Figures) -> String {
    let rows = figures.kinds.iter().map(latency_row).collect::<Vec<_>>().concat();
    format!(
        "<table><tr><th>request</th><th>answered</th><th>acknowledged</th><th>refused</th><th>failed</th><th>p50 ms</th>\
         <th>p90</th><th>p99</th><th>max</th><th>p50 from sending</th><th>p99</th></tr>{rows}</table>"
    )
}

fn latency_row(kind: &KindFigures) -> String {
    let refused: Vec<String> = kind.refused.iter().map(|(code, count)| format!("{code} {count}")).collect();
    let (due, sent) = (kind.from_due, kind.from_sent);
    let numbers = [due.p50_ms, due.p90_ms, due.p99_ms, due.max_ms, sent.p50_ms, sent.p99_ms];
    let cells = numbers.map(|ms| format!("<td class=\"number\">{ms:.2}</td>")).concat();
    format!(
        "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td>\
         <td class=\"number\">{}</td>{cells}</tr>",
        kind.kind,
        kind.requests,
        kind.acknowledged,
        refused.join(", "),
        kind.errors
    )
}

fn comparison(changes: &[Change]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let row = |change: &Change| {
        let ratio = change.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        format!(
            "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{ratio}</td></tr>",
            change.figure,
            short(change.then),
            short(change.now)
        )
    };
    let rows: String = changes.iter().map(row).collect();
    format!(
        "<h2>Compared</h2><table><tr><th>figure</th><th>then</th><th>now</th><th>ratio</th></tr>{rows}</table>"
    )
}

/// Goose's page in a frame of its own, because it brings its own style. Its charts need a script from elsewhere: they are
/// taken out, and the places where they would be are hidden.
fn embedded(goose_report: &str) -> String {
    let hidden = "<style>.graph, .chart, [id^=graph] { display: none }</style>";
    let page = format!("{}{hidden}", without_scripts(goose_report));
    format!("<iframe sandbox title=\"Goose's statistics\" srcdoc=\"{}\"></iframe>", escape(&page))
}

fn without_scripts(html: &str) -> String {
    const OPENS: &str = "<script";
    const CLOSES: &str = "</script>";
    let (mut kept, mut rest) = (String::with_capacity(html.len()), html);
    while let Some(from) = rest.find(OPENS) {
        kept.push_str(&rest[..from]);
        rest = rest[from..].find(CLOSES).map_or("", |to| &rest[from + to + CLOSES.len()..]);
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{oracle::Violation, scenario::Scenario};

    fn summary(verdicts: Vec<Verdict>) -> Summary {
        Summary {
            scenario: Scenario::SeatRush,
            plan: Scenario::SeatRush.plan(),
            seed: 1,
            hosts: vec!["http://<host>".into()],
            connections: 1,
            figures: Figures::of(&[], &[]),
            verdicts,
        }
    }

    #[test]
    fn the_page_fetches_nothing_and_runs_nothing() {
        let goose =
            "<html><script src=\"https://cdn.example/x.js\"></script><p>kept</p><script>a<b</script></html>";
        let page = page(&summary(Vec::new()), &[], goose);
        assert!(page.contains("kept") && !page.contains("script") && !page.contains("cdn.example"), "{page}");
    }

    #[test]
    fn a_violation_is_shown_with_its_history_and_as_text_only() {
        let violation =
            Violation { what: "<b>twice</b>".into(), history: vec!["person 1 & person 2".into()] };
        let verdict = Verdict {
            number: "I1".into(),
            statement: "one owner".into(),
            checked: 2,
            violations: vec![violation],
        };
        let page = page(&summary(vec![verdict]), &[], "");
        assert!(
            page.contains("VIOLATED")
                && page.contains("&lt;b&gt;twice")
                && page.contains("person 1 &amp; person 2")
        );
        assert!(page.contains("http://&lt;host&gt;"));
    }
}
