//! What is packaged asks for nothing that the program does not know.

use std::{collections::BTreeSet, fs, path::Path};

use crate::server::{booking, run};

/// The server that commands talk to is nothing to serve.
const BESIDES: [&str; 1] = ["BOOKING_URL"];

fn text(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn help(arguments: &[&str]) -> String {
    run(&mut booking(arguments)).expect(0).out
}

/// The variables of this service that a text names.
fn variables(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
    words.filter(|word| word.starts_with("BOOKING_")).collect()
}

#[test]
fn every_variable_that_the_packages_and_the_manual_set_is_one_that_serve_reads() {
    let help = help(&["serve", "--help"]);
    let known = variables(&help);
    for file in ["packaging/booking.service", "Dockerfile", "compose.yaml", "docs/operations.md"] {
        let text = text(file);
        let named = variables(&text);
        assert!(!named.is_empty(), "{file}");
        for name in named {
            assert!(known.contains(name) || BESIDES.contains(&name), "{file}: nobody reads {name}");
        }
    }
}

#[test]
fn every_command_that_the_packages_and_the_manual_run_exists() {
    let help = help(&["--help"]);
    let (unit, image, manual) =
        (text("packaging/booking.service"), text("Dockerfile"), text("docs/operations.md"));
    let run_by_unit = unit.lines().filter_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/booking "));
    let run_by_image = image.lines().filter_map(|line| line.split_once("CMD [")).flat_map(|(_, line)| {
        let words = line.split('"').filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()));
        words.filter(|word| !word.is_empty())
    });
    let run_by_reader = manual
        .match_indices("`booking ")
        .filter_map(|(at, begin)| manual[at + begin.len()..].split(|c: char| !c.is_ascii_lowercase()).next());
    let commands: BTreeSet<&str> = run_by_unit.chain(run_by_image).chain(run_by_reader).collect();
    assert!(commands.contains("serve") && commands.contains("health"), "{commands:?}");
    for command in commands {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{command} "))), "{command}");
    }
}

#[test]
fn every_flag_that_the_manual_names_is_one_of_serve_or_of_the_command_beside_it() {
    let known: String =
        [&["serve", "--help"][..], &["migrate", "--help"], &["backup", "--help"]].map(help).concat();
    let manual = text("docs/operations.md");
    let flags = manual
        .match_indices("`--")
        .filter_map(|(at, _)| manual[at + 1..].split(|c: char| !(c == '-' || c.is_ascii_lowercase())).next());
    let flags: BTreeSet<&str> = flags.collect();
    assert!(flags.len() > 5, "{flags:?}");
    for flag in flags {
        assert!(known.contains(&format!("{flag} ")) || known.contains(&format!("{flag}\n")), "{flag}");
    }
}

#[test]
fn every_flag_that_the_page_of_imports_names_is_one_of_import_which_names_the_page() {
    let (help, page) = (help(&["import", "--help"]), text("docs/import.md"));
    assert!(help.contains("docs/import.md"), "{help}");
    let flags = page
        .match_indices("`--")
        .filter_map(|(at, _)| page[at + 1..].split(|c: char| !(c == '-' || c.is_ascii_lowercase())).next());
    let flags: BTreeSet<&str> = flags.collect();
    assert!(flags.len() > 5, "{flags:?}");
    for flag in flags {
        assert!(help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n")), "{flag}");
    }
}
