//! `loadtest SCENARIO`: plays it against servers and tells what came of it.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

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
    let report = args.report.as_deref().map(Target::open).transpose()?;
    let json = args.json.as_deref().map(Target::open).transpose()?;
    fs::create_dir_all(work).map_err(|error| file(work, &error))?;
    let Outcome { summary, goose_report } = run(args, &keys, work).await?;
    let changes = then.map(|then| compare(&then, &summary)).unwrap_or_default();
    // The verdict first: a full disk must not keep it back.
    tell(args, &summary, &changes);
    if let Some(target) = report {
        target.write(&page(&summary, &changes, &goose_report))?;
    }
    if let Some(target) = json {
        let json = serde_json::to_string_pretty(&summary).map_err(|error| file(&target.path, &error))?;
        target.write(&(json + "\n"))?;
    }
    Ok(summary.is_clean())
}

/// Where results go. It is opened before the run, so that no run is made whose results can't be kept, and what is in it
/// stays until there are results.
struct Target {
    path: PathBuf,
    /// None: standard output.
    file: Option<File>,
}

impl Target {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = if path == Path::new("-") {
            None
        } else {
            let opened = File::options().write(true).create(true).truncate(false).open(path);
            Some(opened.map_err(|error| file(path, &error))?)
        };
        Ok(Self { path: path.into(), file })
    }

    fn write(self, text: &str) -> Result<(), Failure> {
        let written = match self.file {
            None => std::io::stdout().write_all(text.as_bytes()),
            Some(mut file) => file.set_len(0).and_then(|()| file.write_all(text.as_bytes())),
        };
        written.map_err(|error| file(&self.path, &error))
    }
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
