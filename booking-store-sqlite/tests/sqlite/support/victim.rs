//! The process that gets killed: this test binary once more, told by its environment what to do. It tells on its standard
//! output what it was answered, after it was answered; a pipe keeps that when the process is gone.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
};

use booking_core::{Epoch, Error, store::JointStore};
use booking_store_sqlite::{SqliteStore, backup};
use pollster::block_on;

use super::{
    script::{SCRIPT, Step, TIDIED, Told, script},
    world::{ask, charge, open, open_wallet, open_with_log, pay, place, put_show, set_lane},
};

const FILE: &str = "VICTIM_FILE";
const CROWD: &str = "VICTIM_CROWD";
/// Where to copy the file to, instead of opening it.
const COPY: &str = "VICTIM_COPY";
/// Set: the process ends at once, as by a kill, when it was told of a failure.
pub(crate) const QUITS: &str = "VICTIM_QUITS";
/// Buyers at once in a crowd.
const THREADS: u8 = 8;

/// What the process does that the other tests start; when nobody started it, there is nothing to do.
#[test]
fn the_process_that_is_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    if let Some(to) = std::env::var_os(COPY) {
        return match backup(Path::new(&path), Path::new(&to)) {
            Ok(()) => tell("end"),
            Err(error) => tell(&format!("closed {error}")),
        };
    }
    let name = std::env::var(SCRIPT).unwrap_or_default();
    let path = Path::new(&path);
    let opened = if name == TIDIED { open_with_log(path, 8) } else { open(path) };
    let store = match opened {
        Ok(store) => store,
        Err(error) => return tell(&format!("closed {error}")),
    };
    if let Some(first) = std::env::var(CROWD).ok().and_then(|first| first.parse().ok()) {
        return crowd(&store, first);
    }
    let steps = script(&name);
    for (at, step) in steps.iter().enumerate() {
        let told = step.act(&store);
        tell(&format!("step {at} {told:?}"));
        // Memory shows what was acknowledged, and nothing that failed.
        let expected = matches!(told, Told::Done);
        if told != Told::Refused && step.is_done(&store) != expected {
            tell(&format!("wrong: {step:?} was {told:?}, and memory shows otherwise"));
        }
        if matches!(told, Told::Failed | Told::Unknown) && std::env::var_os(QUITS).is_some() {
            std::process::abort();
        }
    }
    tell("end");
}

/// A line of its own, whatever else is printed at the time.
fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n{line}\n").as_bytes()).and_then(|()| out.flush()).expect("somebody listens");
}

/// Buyers without end, each new, with numbers from `first` on.
fn crowd(store: &SqliteStore, first: u64) {
    for command in [set_lane(), put_show(20_000)] {
        ask(store, command).expect("a store").expect("no refusal");
    }
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for n in (first + u64::from(thread)..).step_by(THREADS.into()) {
                    buy(store, n);
                }
            });
        }
    });
}

fn buy(store: &SqliteStore, n: u64) {
    let (seat, epoch) = (u32::try_from(n % 20_000).unwrap_or(0) + 1, Epoch(1));
    let steps = [
        ("opened", open_wallet(n)),
        ("charged", charge(n)),
        ("held", place(n, seat, epoch)),
        ("paid", pay(n, seat, epoch)),
    ];
    for (name, command) in steps {
        // Half of them in the one step that is over both ports.
        let answer = if n.is_multiple_of(2) {
            ask(store, command).expect("a store").map_err(Error::from)
        } else {
            block_on(store.book(None, command))
        };
        answer.unwrap_or_else(|error| panic!("{n} {name}: {error}"));
        tell(&format!("{name} {n} {seat}"));
    }
}

/// What a process told before it ended.
#[derive(Debug)]
pub(crate) struct Heard {
    script: &'static [Step],
    pub(crate) steps: Vec<Told>,
    pub(crate) wrong: Vec<String>,
    pub(crate) opened: bool,
    pub(crate) ended: bool,
    pub(crate) status: ExitStatus,
}

fn command(file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this process has a file"));
    command.args(["--exact", "support::victim::the_process_that_is_killed", "--nocapture"]);
    command.env(FILE, file).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Plays a script in a process of its own, to its end, whichever that is.
pub(crate) fn play(file: &Path, name: &str, prepare: impl FnOnce(&mut Command)) -> Heard {
    let mut victim = command(file);
    victim.env(SCRIPT, name);
    prepare(&mut victim);
    let output = victim.output().expect("the process starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = |line: &str| match line.rsplit(' ').next() {
        Some("Done") => Told::Done,
        Some("Refused") => Told::Refused,
        Some("Failed") => Told::Failed,
        _ => Told::Unknown,
    };
    Heard {
        script: script(name),
        steps: text.lines().filter(|line| line.starts_with("step ")).map(told).collect(),
        wrong: text.lines().filter(|line| line.starts_with("wrong")).map(Into::into).collect(),
        opened: !text.lines().any(|line| line.starts_with("closed ")),
        ended: text.lines().any(|line| line == "end"),
        status: output.status,
    }
}

/// Copies a file in a process of its own; whether it said that it had.
pub(crate) fn copy(file: &Path, to: &Path, prepare: impl FnOnce(&mut Command)) -> bool {
    play(file, "", |victim| {
        victim.env(COPY, to);
        prepare(victim);
    })
    .ended
}

impl Heard {
    /// What the file shows otherwise than it was told. A call that was not answered may be done or not.
    pub(crate) fn compare(&self, file: &Path) -> Result<(), String> {
        if let Some(wrong) = self.wrong.first() {
            return Err(wrong.clone());
        }
        let store = open(file).map_err(|error| error.to_string())?;
        for (step, told) in self.script.iter().zip(&self.steps) {
            let expected = match told {
                Told::Done => true,
                Told::Failed => false,
                Told::Refused | Told::Unknown => continue,
            };
            if step.has_something_to_do(&store) && step.is_done(&store) != expected {
                return Err(format!("{step:?} was {told:?}, and the file shows otherwise"));
            }
        }
        // Nothing is done that was not asked for yet: one call was in flight at most.
        let mut unasked = self.script.iter().skip(self.steps.len() + 1);
        match unasked.find(|step| step.is_done(&store)) {
            Some(step) if !matches!(step, Step::Acknowledge(_)) => {
                Err(format!("{step:?} was never asked for"))
            }
            _ => Ok(()),
        }
    }
}

/// A crowd at work, which ends when it is killed.
pub(crate) struct Crowd(Child);

impl Crowd {
    pub(crate) fn start(file: &Path, first: u64) -> Self {
        Self(command(file).env(CROWD, first.to_string()).spawn().expect("the process starts"))
    }

    /// Kills it after so many answers; what was answered.
    pub(crate) fn kill_after(mut self, answers: usize) -> Vec<String> {
        let mut out =
            BufReader::new(self.0.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let is_answer = |line: &String| {
            ["opened ", "charged ", "held ", "paid "].iter().any(|word| line.starts_with(word))
        };
        let mut told: Vec<String> = out.by_ref().filter(is_answer).take(answers).collect();
        assert_eq!(told.len(), answers, "it ended before it was killed");
        self.0.kill().expect("it is alive");
        self.0.wait().expect("it is a child");
        // What it had told by then.
        told.extend(out.filter(is_answer));
        told
    }
}

/// Answers that the file does not show.
pub(crate) fn missing(store: &SqliteStore, answers: &[String]) -> Vec<String> {
    let is_missing = |line: &&String| {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or_default();
        let (n, seat) = (number(), u32::try_from(number()).unwrap_or(0));
        let step = match name {
            "opened" => Step::Open(n),
            "charged" => Step::Charge(n),
            "held" => Step::Hold(n, seat),
            _ => Step::Pay(n, seat),
        };
        !step.is_done(store)
    };
    answers.iter().filter(is_missing).cloned().collect()
}
