//! Keeps `docs/requirements.md` true: every rule and invariant names tests, and the tests are there.
#![cfg(not(booking_loom))]
#![allow(clippy::unwrap_used, reason = "a test that can't go on says so")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Rules whose capability is not built yet. Taking one off this list is part of building it.
const NOT_YET: [&str; 0] = [];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with("target") && !name.starts_with('.') {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names of all tests: functions marked as such, and the cases of the conformance suites.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    rust_files(&repository(), &mut files);
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let mut marked = false;
        for line in text.lines().map(str::trim) {
            let function = line.trim_start_matches("async ").strip_prefix("fn ");
            if let Some(rest) = function.filter(|_| marked) {
                names.extend(rest.split('(').next().map(str::to_owned));
            }
            let is_mark = line == "#[test]" || line.starts_with("#[tokio::test");
            marked = is_mark || marked && line.starts_with("#[");
        }
    }
    let booking = booking_core::conformance::booking::CASES.iter().map(|case| case.name);
    let queue = booking_core::conformance::queue::CASES.iter().map(|case| case.name);
    let joint = booking_core::conformance::joint::CASES.iter().map(|case| case.name);
    names.extend(booking.chain(queue).chain(joint).map(str::to_owned));
    names
}

/// What the page says of each rule: the tests it names, or none where it says that the rule is not built yet.
fn page() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(repository().join("docs/requirements.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, rule, _, proof, _] = cells[..] else { return None };
        let is_rule = rule.starts_with(char::is_uppercase) && rule[1..].parse::<u32>().is_ok();
        is_rule.then(|| {
            let named = if proof.contains("*not yet*") { "" } else { proof };
            let tests = named.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            (rule.to_owned(), tests)
        })
    });
    rows.collect()
}

fn rules() -> impl Iterator<Item = String> {
    let counts = [("Q", 11), ("S", 6), ("H", 7), ("W", 4), ("P", 5), ("X", 6), ("I", 24)];
    counts.into_iter().flat_map(|(letter, count)| (1..=count).map(move |number| format!("{letter}{number}")))
}

#[test]
fn every_rule_and_invariant_names_tests_that_exist() {
    let (tests, page) = (tests(), page());
    assert!(tests.len() > 300, "only {} tests were found: is this the right folder?", tests.len());
    assert_eq!(page.len(), rules().count(), "rules on the page: {:?}", page.keys());
    for rule in rules() {
        let named = page.get(&rule).unwrap_or_else(|| panic!("{rule} has no line"));
        assert_eq!(named.is_empty(), NOT_YET.contains(&rule.as_str()), "{rule} names {named:?}");
        for name in named {
            assert!(tests.contains(name), "{rule} names {name}, which is no test");
        }
    }
}

#[test]
fn every_page_a_reader_is_sent_to_exists() {
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let text = fs::read_to_string(repository().join(page)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, _) = link.split_once('#').unwrap_or((link, ""));
            assert!(link.starts_with("http") || repository().join(file).exists(), "{page} links to {link}");
        }
    }
}
