//! Where the keys of a server are, in words for whoever started it.

use std::path::Path;

use crate::{Secrets, Unset};

/// The keys that people use. The token secret is nobody's to use, so it is not told.
const USED: [&str; 2] = ["BOOKING_ADMIN_KEY", "BOOKING_SERVICE_KEY"];

/// Where the keys are that the environment does not set (`made_up`), or the made-up keys themselves.
pub(super) fn told(secrets: &Secrets, made_up: &[&str], unset: &Unset) -> Vec<String> {
    let used: Vec<&str> = USED.into_iter().filter(|name| made_up.contains(name)).collect();
    match unset {
        Unset::Keep(path) if used.len() == USED.len() => {
            let path = quoted(path);
            vec![format!("the keys of this store are in {path}; to use them:  set -a; . {path}; set +a")]
        }
        // The file has keys of all names, and those that the environment sets are others.
        Unset::Keep(path) => {
            let path = quoted(path);
            let take = |name: &&str| {
                format!("{name} is in {path}; to use it:  export {name}=\"$(sed -n 's/^{name}=//p' {path})\"")
            };
            used.iter().map(take).collect()
        }
        Unset::MakeUp | Unset::Refuse => {
            let value = |name| if name == USED[0] { &secrets.admin_key } else { &secrets.service_key };
            let told =
                |name| format!("made up for this run, set it to choose it:  export {name}={}", value(name));
            used.into_iter().map(told).collect()
        }
    }
}

/// The path from the root, as a shell takes it: whoever reads it may be in another folder, and names have blanks.
fn quoted(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_a_file_are_told_in_a_form_that_a_shell_takes_anywhere() {
        let keep = Unset::Keep("it's here/booking.db-secrets".into());
        let all = ["BOOKING_ADMIN_KEY", "BOOKING_SERVICE_KEY", "BOOKING_TOKEN_SECRET"];
        let told = told(&Secrets::random(), &all, &keep);
        let path =
            std::path::absolute("it").unwrap().display().to_string() + r"'\''s here/booking.db-secrets";
        assert_eq!(told.len(), 1);
        assert!(told[0].ends_with(&format!("set -a; . '{path}'; set +a")), "{told:?}");
    }

    #[test]
    fn a_key_that_the_environment_sets_is_not_said_to_be_in_the_file() {
        let keep = Unset::Keep("/x/booking.db-secrets".into());
        let told_of = |made_up: &[&str]| told(&Secrets::random(), made_up, &keep).join("\n");
        let service = told_of(&["BOOKING_SERVICE_KEY", "BOOKING_TOKEN_SECRET"]);
        assert!(!service.contains("BOOKING_ADMIN_KEY") && !service.contains("set -a"), "{service}");
        let take =
            r#"export BOOKING_SERVICE_KEY="$(sed -n 's/^BOOKING_SERVICE_KEY=//p' '/x/booking.db-secrets')""#;
        assert!(service.ends_with(take), "{service}");
        assert_eq!(told_of(&["BOOKING_TOKEN_SECRET"]), "");
        assert_eq!(told_of(&[]), "");
    }

    #[test]
    fn made_up_keys_are_told_themselves_but_for_the_token_secret() {
        let (secrets, none) = (Secrets::random(), Vec::<String>::new());
        let told = told(&secrets, &["BOOKING_ADMIN_KEY", "BOOKING_TOKEN_SECRET"], &Unset::MakeUp);
        assert_eq!(told.len(), 1);
        assert!(told[0].ends_with(&format!("export BOOKING_ADMIN_KEY={}", secrets.admin_key)), "{told:?}");
        assert_eq!(super::told(&secrets, &[], &Unset::MakeUp), none);
    }
}
