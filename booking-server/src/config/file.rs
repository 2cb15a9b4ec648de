//! The configuration file: TOML, one key a flag.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use super::{is_switch, name};
use crate::secrets;

/// So alike (of 1) is a key to the name that was probably meant.
const ALIKE: f64 = 0.7;

/// What a file sets: the values of each flag, as they would be written on a command line.
#[derive(Debug, Default)]
pub(super) struct File(BTreeMap<String, Vec<String>>);

/// A file that can't be used, and what to do. It shows no value: a value may be secret.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub(super) struct InvalidFile {
    path: PathBuf,
    why: String,
}

impl File {
    /// What it sets this flag to; from then on it is used.
    pub(super) fn take(&mut self, flag: &str) -> Option<Vec<String>> {
        self.0.remove(flag)
    }
}

/// Reads a file whose keys are the names of these flags.
pub(super) fn read(path: &Path, flags: &Command) -> Result<File, InvalidFile> {
    let invalid = |why: String| InvalidFile { path: path.into(), why };
    let text = fs::read_to_string(path)
        .map_err(|error| invalid(format!("{error}; --config and BOOKING_CONFIG name a TOML file")))?;
    let table: Table = text.parse().map_err(|error| invalid(no_toml(&text, &error)))?;
    let values = table.into_iter().map(|(key, value)| {
        let values = values(&key, value, flags)?;
        Ok((key, values))
    });
    values.collect::<Result<_, _>>().map(File).map_err(invalid)
}

/// Where it stops being TOML; the line itself may be secret.
fn no_toml(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    format!("line {line} is not TOML: {}; write `name = \"value\"`", error.message())
}

/// The values of one key, after making sure that the flag takes them.
fn values(key: &str, value: Value, flags: &Command) -> Result<Vec<String>, String> {
    let Some(arg) = flags.get_arguments().find(|arg| name(arg) == key) else {
        return Err(unknown(key, flags));
    };
    let values = match value {
        Value::Array(values) if matches!(arg.get_action(), ArgAction::Append) => {
            values.into_iter().map(|value| scalar(arg, value)).collect::<Result<_, _>>()?
        }
        value => vec![scalar(arg, value)?],
    };
    if !is_switch(arg) {
        check(flags.clone(), values.iter().map(|value| format!("--{key}={value}")))?;
    }
    Ok(values)
}

/// Makes sure that a flag takes its values. What else it needs beside it is looked at when all are known.
fn check(flags: Command, line: impl Iterator<Item = String>) -> Result<(), String> {
    let refused = |error: clap::Error| {
        let error = error.to_string();
        let first = error.lines().next().unwrap_or_default();
        first.trim_start_matches("error: ").to_owned()
    };
    flags.try_get_matches_from(line).map(drop).map_err(refused)
}

fn scalar(arg: &Arg, value: Value) -> Result<String, String> {
    let (key, is_switch) = (name(arg), is_switch(arg));
    match value {
        Value::Boolean(value) if is_switch => Ok(value.to_string()),
        _ if is_switch => Err(format!("{key} is either true or false, without quotes")),
        Value::String(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Boolean(_) | Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
            Err(format!("{key} must be a text in quotes or a whole number"))
        }
    }
}

fn unknown(key: &str, flags: &Command) -> String {
    let variable = key.to_ascii_uppercase().replace('-', "_");
    let is_it = |name: &&str| *name == variable || name.strip_prefix("BOOKING_") == Some(variable.as_str());
    if let Some(name) = secrets::NAMES.into_iter().find(is_it) {
        return format!("keys come by environment: {name}");
    }
    let alike = flags.get_arguments().map(|arg| (strsim::jaro(key, name(arg)), name(arg)));
    let nearest = alike.filter(|(alike, _)| *alike > ALIKE).max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((_, meant)) => format!("there is no setting {key}; did you mean {meant}?"),
        None => format!("there is no setting {key}; --print-config shows all there are"),
    }
}
