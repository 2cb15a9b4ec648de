//! Names of columns and fields that nobody reads. Public files have many, so most are only told; one that looks like a
//! misspelling of what a row may leave out is refused, because the default would be sold in its place.

use serde_json::{Map, Value};

use super::fault::shown;

/// What a row may leave out. Whatever else is misspelt is missed.
const OPTIONAL: [&str; 4] = ["price", "seats", "tz", "status"];

/// The names that look like something that is not there, each with what was probably meant; none if there is none.
pub(super) fn misspelt<'a>(
    unknown: impl Iterator<Item = &'a str>,
    is_there: impl Fn(&str) -> bool,
) -> Option<String> {
    let told = unknown.filter_map(|name| {
        let meant = meant(name).find(|meant| !is_there(meant))?;
        Some(format!("{} (did you mean {meant}?)", shown(name)))
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// Which of what a row may leave out a name is probably meant to be.
pub(super) fn meant(name: &str) -> impl Iterator<Item = &'static str> {
    let words = words(name);
    let whole = words.concat();
    OPTIONAL.into_iter().filter(move |meant| {
        // Two letters are alike too many others.
        let is_slip = meant.len() > 2 && strsim::osa_distance(&whole, meant) <= 1;
        is_slip || words.iter().any(|word| is_same(word, meant))
    })
}

/// The keys of an object that are none of these.
pub(super) fn unknown<'a>(
    object: &'a Map<String, Value>,
    known: &'a [&str],
) -> impl Iterator<Item = &'a str> {
    object.keys().map(String::as_str).filter(|key| !known.contains(key))
}

/// The words of `Price (KRW)`, `unit_price` and `unitPrice`, in small letters.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        let ends_word = !letter.is_alphanumeric() || (was_small && letter.is_uppercase());
        if ends_word && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        was_small = letter.is_lowercase();
    }
    words
}

/// Whether two words are the same but for the `s` of a plural.
fn is_same(one: &str, other: &str) -> bool {
    one == other || one.strip_suffix('s') == Some(other) || other.strip_suffix('s') == Some(one)
}
