use std::{fs, path::PathBuf, time::Duration};

use clap::Parser;

use super::*;

/// A variable of the environment is the whole process's, so tests that need one start a process: see `tests/http/config.rs`.
#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    configured: Configured,
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(text: &str) -> (Self, String) {
        let folder = Self(tempfile::tempdir().unwrap());
        let path: PathBuf = folder.0.path().join("booking.toml");
        fs::write(&path, text).unwrap();
        (folder, path.display().to_string())
    }
}

/// What comes of a file and these flags.
fn read(text: &str, flags: &[&str]) -> Result<Configured, String> {
    let (_folder, path) = Folder::with(text);
    let line = [&["serve", "--config", &path], flags].concat();
    Line::try_parse_from(line).map(|line| line.configured).map_err(|error| error.to_string())
}

#[test]
fn without_a_file_it_is_what_the_flags_say() {
    let line = Line::try_parse_from(["serve", "--hold-ttl", "90s"]).unwrap();
    assert_eq!(line.configured.args.hold_ttl, Duration::from_secs(90));
    assert_eq!(line.configured.args.store, ServeArgs::default().store);
}

#[test]
fn a_file_sets_what_no_flag_does() {
    let text = "listen = \"0.0.0.0:90\"\nhold-ttl = \"2m\"\nseats-per-user = 4\nopen-signup = true\n";
    let args = read(text, &["--hold-ttl", "90s"]).unwrap().args;
    assert_eq!((args.listen.port(), args.seats_per_user, args.open_signup), (90, 4, true));
    assert_eq!(args.hold_ttl, Duration::from_secs(90), "a flag goes before the file");
    assert_eq!(args.user_token_ttl, ServeArgs::default().user_token_ttl, "the file before the default");
}

#[test]
fn a_switch_that_a_file_turns_off_is_off_unless_a_flag_turns_it_on() {
    assert!(!read("open-signup = false", &[]).unwrap().args.open_signup);
    assert!(read("open-signup = false", &["--open-signup"]).unwrap().args.open_signup);
}

#[test]
fn a_list_is_a_list_or_a_text_with_commas() {
    for text in
        ["trusted-proxies = [\"10.0.0.0/8\", \"fd00::/8\"]", "trusted-proxies = \"10.0.0.0/8,fd00::/8\""]
    {
        let configured = read(text, &[]).unwrap();
        assert_eq!(configured.args.trusted_proxies.len(), 2, "{text}");
        assert!(configured.to_toml().contains("trusted-proxies = ["), "{}", configured.to_toml());
    }
}

#[test]
fn flags_that_need_each_other_may_come_from_flag_and_file_and_one_alone_is_refused() {
    let (issuer, keys) = ("user-issuer = \"https://id\"\n", "user-keys = \"keys.json\"\n");
    let (issuer_flag, keys_flag) = (["--user-issuer", "https://id"], ["--user-keys", "keys.json"]);
    let both_flags = [issuer_flag, keys_flag].concat();
    for (text, flags) in [
        (format!("{issuer}{keys}"), &[][..]),
        (issuer.to_owned(), &keys_flag),
        (keys.to_owned(), &issuer_flag),
        (String::new(), &both_flags),
    ] {
        let args = read(&text, flags).unwrap_or_else(|refused| panic!("{text} {flags:?}: {refused}")).args;
        assert!(args.user_keys.is_some() && args.user_issuer.is_some());
    }
    for (text, flags, missing) in [
        (issuer, &[][..], "--user-keys"),
        (keys, &[], "--user-issuer"),
        ("", &issuer_flag, "--user-keys"),
        ("", &keys_flag, "--user-issuer"),
    ] {
        let half = read(text, flags).unwrap_err();
        assert!(half.contains(&format!("needs {missing}")), "{half}");
    }
    assert!(Line::try_parse_from(["serve", "--user-keys", "keys.json"]).is_err(), "without a file, too");
}

#[test]
fn an_unknown_key_is_refused_and_the_nearest_name_told() {
    for (text, told) in [
        ("hold_ttl = \"5m\"", "there is no setting hold_ttl; did you mean hold-ttl?"),
        ("lane-capasity = 5", "did you mean lane-capacity?"),
        ("admin-key = \"0123456789abcdef\"", "keys come by environment: BOOKING_ADMIN_KEY"),
        ("token_secret = \"0123456789abcdef\"", "keys come by environment: BOOKING_TOKEN_SECRET"),
        ("zzz = 5", "there is no setting zzz; --print-config shows all there are"),
        ("config = \"other.toml\"", "there is no setting config"),
        ("[serve]\nlisten = \"0.0.0.0:90\"", "there is no setting serve"),
    ] {
        let refused = read(text, &[]).unwrap_err();
        assert!(refused.contains(told) && refused.contains("booking.toml"), "{text}: {refused}");
    }
}

#[test]
fn a_value_that_makes_no_sense_is_refused_with_its_key_and_file() {
    for (text, told) in [
        ("hold-ttl = \"soon\"", "'--hold-ttl <HOLD_TTL>'"),
        ("seats-per-user = -1", "--seats-per-user"),
        ("seats-per-user = 1.5", "seats-per-user must be a text in quotes or a whole number"),
        ("open-signup = \"yes\"", "open-signup is either true or false"),
        ("log-format = \"xml\"", "--log-format"),
        ("listen = [\"0.0.0.0:1\", \"0.0.0.0:2\"]", "listen must be a text"),
        ("open-signup = true\nstore = postgres://u:hunter2@db/x\n", "line 2 is not TOML"),
    ] {
        let refused = read(text, &[]).unwrap_err();
        assert!(refused.contains(told) && refused.contains("booking.toml"), "{text}: {refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
    let missing = Line::try_parse_from(["serve", "--config", "/nowhere/x.toml"]).unwrap_err().to_string();
    assert!(missing.contains("/nowhere/x.toml") && missing.contains("--config"), "{missing}");
}

#[test]
fn the_printed_configuration_tells_sources_masks_secrets_and_reads_as_a_file_that_says_the_same() {
    let text = "store = \"postgres://u:hunter2@db/x\"\nlane-capacity = 7\nopen-signup = true";
    let printed = read(text, &["--hold-ttl", "90s"]).unwrap().to_toml();
    for line in [
        "hold-ttl = \"90s\" # flag",
        "lane-capacity = 7 # file",
        "store = \"postgres://u:***@db/x\" # file",
        "open-signup = true # file",
        "open-charges = false # default",
        "# queue is not set",
        "# BOOKING_ADMIN_KEY is ",
    ] {
        assert!(printed.contains(line), "{line} is not in\n{printed}");
    }
    assert!(!printed.contains("hunter2"), "{printed}");
    let again = read(&printed, &[]).unwrap();
    let expected = ServeArgs {
        store: "postgres://u:***@db/x".into(),
        lane_capacity: Some(7),
        open_signup: true,
        hold_ttl: Duration::from_secs(90),
        ..ServeArgs::default()
    };
    assert_eq!(format!("{:?}", again.args), format!("{expected:?}"));
}
