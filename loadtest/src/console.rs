//! What is told on the terminal.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::{task::JoinHandle, time::interval};

use crate::{
    report::{Change, Summary},
    stage::Stage,
};

const REDRAW_EVERY: Duration = Duration::from_millis(200);

/// Shows how far the run is, until aborted.
pub fn progress(stage: Arc<Stage>, quiet: bool) -> JoinHandle<()> {
    let bar = ProgressBar::new(stage.plan.people.into());
    bar.set_draw_target(if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() });
    if let Ok(style) = ProgressStyle::with_template("{elapsed} {wide_bar} {pos}/{len} people done, {msg}") {
        bar.set_style(style);
    }
    // The stage must be gone for the connections to end, so only what is shown is kept.
    let (done, crew) = (Arc::clone(&stage.done), Arc::clone(&stage.crew));
    drop(stage);
    tokio::spawn(async move {
        let mut ticks = interval(REDRAW_EVERY);
        loop {
            ticks.tick().await;
            bar.set_position(done.load(Ordering::Relaxed).into());
            bar.set_message(format!("{} requests", crew.answered()));
        }
    })
}

fn right(text: impl std::fmt::Display) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings.iter().map(Cell::new).collect::<Vec<_>>());
    table
}

/// The figures by kind of request.
pub fn latencies(summary: &Summary) -> Table {
    let mut told = table(&[
        "request",
        "answered",
        "acknowledged",
        "refused",
        "failed",
        "p50 ms",
        "p99 ms",
        "max ms",
        "p99 from sending",
    ]);
    for kind in &summary.figures.kinds {
        let refused: Vec<String> =
            kind.refused.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let (due, sent) = (kind.from_due, kind.from_sent);
        let ms = |value: f64| right(format!("{value:.2}"));
        told.add_row([
            Cell::new(&kind.kind),
            right(kind.requests),
            right(kind.acknowledged),
            Cell::new(refused.join(", ")),
            right(kind.errors),
            ms(due.p50_ms),
            ms(due.p99_ms),
            ms(due.max_ms),
            ms(sent.p99_ms),
        ]);
    }
    told
}

/// The verdicts.
pub fn verdicts(summary: &Summary) -> Table {
    let mut told = table(&["", "statement", "checked", "verdict"]);
    for verdict in &summary.verdicts {
        let word = if verdict.holds() { "holds" } else { "VIOLATED" };
        told.add_row([
            Cell::new(&verdict.number),
            Cell::new(&verdict.statement),
            right(verdict.checked),
            Cell::new(word),
        ]);
    }
    told
}

/// Two runs side by side.
pub fn comparison(changes: &[Change]) -> Table {
    let mut told = table(&["figure", "then", "now", "ratio"]);
    for change in changes {
        let ratio = change.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        told.add_row([
            Cell::new(&change.figure),
            right(format!("{:.2}", change.then)),
            right(format!("{:.2}", change.now)),
            right(ratio),
        ]);
    }
    told
}

/// Everything that is violated, with the history that shows it.
pub fn violations(summary: &Summary) -> String {
    let mut lines = Vec::new();
    for verdict in summary.verdicts.iter().filter(|verdict| !verdict.holds()) {
        lines.push(format!("VIOLATED {}: {}\n", verdict.number, verdict.statement));
        for violation in &verdict.violations {
            lines.push(format!("  {}\n", violation.what));
            lines.extend(violation.history.iter().map(|line| format!("    {line}\n")));
        }
    }
    lines.concat()
}
