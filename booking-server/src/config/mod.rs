//! What `serve` is told: by flags, by environment, and by a file for what neither says. The flags are defined once, in
//! [`ServeArgs`]; a key of the file is the name of a flag, and its value is read like the flag's.

mod file;
mod print;
#[cfg(test)]
mod tests;

use std::{ffi::OsString, path::PathBuf};

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, error::ErrorKind, parser::ValueSource};

use crate::{ServeArgs, StartError, serve};
use file::File;

/// What no flag sets, told where the flags are.
const ENVIRONMENT: &str = "\
Environment:
  BOOKING_ADMIN_KEY     the operators' key
  BOOKING_SERVICE_KEY   the payment gateway's key: it charges wallets
  BOOKING_TOKEN_SECRET  signs tokens; several with commas between: the first signs, all verify

Keys are no flags, for flags show in the list of processes. A server on a file makes up what is not set and keeps it
beside the file, in FILE-secrets; one in memory makes it up anew at each start; others don't start without them.";

/// Everything `serve` can be told, completed by the file that `--config` names: a flag goes before the environment, that
/// before the file, and that before the default.
#[derive(Clone, Debug)]
pub struct Configured {
    /// What came of it.
    pub args: ServeArgs,
    source: Source,
    settings: Vec<Setting>,
}

/// Where the rest is from, and what to do with it.
#[derive(Args, Clone, Debug)]
struct Source {
    /// A TOML file that sets what neither flag nor environment does; its keys are the names of the flags (`hold-ttl = "5m"`)
    #[arg(long, env = "BOOKING_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the configuration as it would be used, as such a file with the source of each value, and end; secrets are masked
    #[arg(long)]
    print_config: bool,
}

/// One flag and what it is set to.
#[derive(Clone, Debug)]
struct Setting {
    name: String,
    values: Vec<String>,
    from: Origin,
    is_switch: bool,
    is_list: bool,
}

/// Who set it.
#[derive(Clone, Debug)]
enum Origin {
    Flag,
    Environment(String),
    File,
    Default,
}

impl Configured {
    /// `serve`, or with `--print-config` only tells what it would go by.
    pub async fn run(self) -> Result<(), StartError> {
        if self.source.print_config {
            print!("{}", self.to_toml());
            return Ok(());
        }
        serve::run(self.args).await
    }

    /// The configuration as a file that says the same, but for what is masked.
    pub fn to_toml(&self) -> String {
        print::to_toml(&self.settings)
    }
}

/// The flags alone, to be parsed from a list that no program's name leads.
fn flags() -> Command {
    ServeArgs::augment_args(Command::new("serve").no_binary_name(true))
}

fn name(arg: &Arg) -> &str {
    arg.get_long().unwrap_or_else(|| arg.get_id().as_str())
}

fn is_switch(arg: &Arg) -> bool {
    !arg.get_action().takes_values()
}

/// The values as they were written, of a flag that the command line, the environment or its default sets.
fn written(arg: &Arg, matches: &ArgMatches) -> Vec<String> {
    let id = arg.get_id().as_str();
    if is_switch(arg) {
        return vec![matches.get_flag(id).to_string()];
    }
    let raw = matches.get_raw(id).into_iter().flatten();
    raw.map(|value| value.to_string_lossy().into_owned()).collect()
}

impl Setting {
    fn of(arg: &Arg, matches: &ArgMatches, file: &mut File) -> Self {
        let told = matches.value_source(arg.get_id().as_str());
        let in_file = file.take(name(arg));
        let (values, from) = match (told, in_file) {
            (Some(ValueSource::CommandLine), _) => (written(arg, matches), Origin::Flag),
            (Some(ValueSource::EnvVariable), _) => {
                let variable = arg.get_env().unwrap_or_default().to_string_lossy().into_owned();
                (written(arg, matches), Origin::Environment(variable))
            }
            (_, Some(values)) => (values, Origin::File),
            (_, None) => (written(arg, matches), Origin::Default),
        };
        let is_list = matches!(arg.get_action(), clap::ArgAction::Append);
        Self { name: name(arg).to_owned(), values, from, is_switch: is_switch(arg), is_list }
    }

    /// As it would be written on a command line.
    fn as_flags(&self) -> Vec<OsString> {
        let name = &self.name;
        if self.is_switch {
            return if self.values == ["true"] { vec![format!("--{name}").into()] } else { Vec::new() };
        }
        self.values.iter().map(|value| format!("--{name}={value}").into()).collect()
    }
}

impl FromArgMatches for Configured {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let invalid = |why: String| Error::raw(ErrorKind::InvalidValue, why + "\n");
        let source = Source::from_arg_matches(matches)?;
        let mut file = match &source.config {
            Some(path) => file::read(path, &flags()).map_err(|error| invalid(error.to_string()))?,
            None => File::default(),
        };
        let settings: Vec<Setting> =
            flags().get_arguments().map(|arg| Setting::of(arg, matches, &mut file)).collect();
        let set = settings.iter().filter(|setting| matches!(setting.from, Origin::File));
        let args = if set.clone().count() == 0 {
            ServeArgs::from_arg_matches(matches)?
        } else {
            let told = settings.iter().filter(|setting| !matches!(setting.from, Origin::Default));
            let told = flags().try_get_matches_from(told.flat_map(Setting::as_flags))?;
            ServeArgs::from_arg_matches(&told)?
        };
        args.check_pairs()
            .map_err(|why| Error::raw(ErrorKind::MissingRequiredArgument, format!("{why}\n")))?;
        Ok(Self { args, source, settings })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Configured {
    fn augment_args(command: Command) -> Command {
        Source::augment_args(ServeArgs::augment_args(command)).after_help(ENVIRONMENT)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
