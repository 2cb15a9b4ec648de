//! `loadtest SCENARIO`: plays it against servers and tells what came of it.

use std::{fs, path::Path, process::ExitCode};

use clap::Parser;
use loadtest::{
    args::Args,
    console,
    failure::Failure,
    report::{Change, Summary, compare, page},
    run::{Keys, Outcome, run},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let work = std::env::temp_dir().join(format!("loadtest-{}", std::process::id()));
    let told = perform(&args, &work).await;
    fs::remove_dir_all(&work).ok();
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("loadtest: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything holds.
async fn perform(args: &Args, work: &Path) -> Result<bool, Failure> {
    let keys = Keys::from_env()?;
    let then = args.compare.as_deref().map(earlier).transpose()?;
    fs::create_dir_all(work).map_err(|error| file(work, &error))?;
    let Outcome { summary, goose_report } = run(args, &keys, work).await?;
    let changes = then.map(|then| compare(&then, &summary)).unwrap_or_default();
    if let Some(path) = &args.report {
        fs::write(path, page(&summary, &changes, &goose_report)).map_err(|error| file(path, &error))?;
    }
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&summary).map_err(|error| file(path, &error))?;
        if path == Path::new("-") {
            println!("{json}");
        } else {
            fs::write(path, json).map_err(|error| file(path, &error))?;
        }
    }
    tell(args, &summary, &changes);
    Ok(summary.is_clean())
}

fn file(path: &Path, what: &impl ToString) -> Failure {
    Failure::File { path: path.display().to_string(), what: what.to_string() }
}

fn earlier(path: &Path) -> Result<Summary, Failure> {
    let text = fs::read_to_string(path).map_err(|error| file(path, &error))?;
    serde_json::from_str(&text).map_err(|error| file(path, &error))
}

/// Tables go to standard error when the results for machines go to standard output.
fn tell(args: &Args, summary: &Summary, changes: &[Change]) {
    let figures = &summary.figures;
    if !args.quiet {
        eprintln!("{}", console::latencies(summary));
        eprintln!("{}", console::verdicts(summary));
        if !changes.is_empty() {
            eprintln!("{}", console::comparison(changes));
        }
        eprintln!(
            "{} requests in {:.1} s: {:.0} a second, p99 {:.1} ms from the due time, {:.3} % failed",
            figures.requests,
            figures.seconds,
            figures.rate,
            figures.p99_ms,
            figures.error_rate * 100.0
        );
    }
    eprint!("{}", console::violations(summary));
    eprintln!("{}", if summary.is_clean() { "all verdicts hold" } else { "VIOLATED" });
}
