//! Secrets in a file of lines `NAME=value`, which a shell can read too. Only its owner may read it.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{InvalidSecrets, NAMES, random};

fn unusable(path: &Path, why: &dyn fmt::Display) -> InvalidSecrets {
    InvalidSecrets::File { path: path.into(), why: why.to_string() }
}

/// The secrets of this file; if it is not there, it is made with new ones.
pub(super) fn read_or_make(path: &Path) -> Result<BTreeMap<String, String>, InvalidSecrets> {
    if !path.try_exists().map_err(|error| unusable(path, &error))? {
        // Whoever is faster makes it; both go by what is in it.
        match make(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unusable(path, &error)),
            Ok(()) | Err(_) => {}
        }
    }
    check_owner_only(path)?;
    let text = fs::read_to_string(path).map_err(|error| unusable(path, &error))?;
    let kept: BTreeMap<String, String> =
        text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect();
    match NAMES.into_iter().find(|name| !kept.contains_key(*name)) {
        Some(name) => Err(unusable(path, &format!("it has no line {name}=…; restore it, or set {name}"))),
        None => Ok(kept),
    }
}

/// It gets its name when it is whole, so that no crash leaves half of it.
fn make(path: &Path) -> io::Result<()> {
    let mut half_made = path.as_os_str().to_owned();
    half_made.push(format!("-{}", std::process::id()));
    let half_made = PathBuf::from(half_made);
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.write(true).create(true).truncate(true).open(&half_made)?;
    for name in NAMES {
        writeln!(file, "{name}={}", random())?;
    }
    file.sync_all()?;
    let named = fs::hard_link(&half_made, path);
    fs::remove_file(&half_made)?;
    named
}

#[cfg(unix)]
fn check_owner_only(path: &Path) -> Result<(), InvalidSecrets> {
    use std::os::unix::fs::PermissionsExt;
    // The last six bits are the group's and everybody's.
    let mode = fs::metadata(path).map_err(|error| unusable(path, &error))?.permissions().mode();
    if mode.trailing_zeros() >= 6 {
        Ok(())
    } else {
        Err(unusable(path, &format!("others may read it; chmod 600 {}", path.display())))
    }
}

#[cfg(not(unix))]
fn check_owner_only(_: &Path) -> Result<(), InvalidSecrets> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Secrets, Unset};

    fn none_set(path: &Path) -> Result<Secrets, InvalidSecrets> {
        Secrets::read(|_| None, &Unset::Keep(path.into())).map(|(secrets, _)| secrets)
    }

    #[test]
    fn a_file_is_made_once_and_gives_the_same_secrets_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("booking.db-secrets");
        let (first, second) = (none_set(&path).unwrap(), none_set(&path).unwrap());
        assert_eq!((&first.admin_key, &first.token_secrets), (&second.admin_key, &second.token_secrets));
        assert!(first.admin_key.len() >= 32 && first.admin_key != first.service_key);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_the_environment_sets_comes_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        let set = |name: &str| (name == "BOOKING_ADMIN_KEY").then(|| "0123456789abcdef".to_owned());
        let (secrets, missing) = Secrets::read(set, &Unset::Keep(path.clone())).unwrap();
        assert_eq!(secrets.admin_key, "0123456789abcdef");
        assert_eq!(missing, ["BOOKING_SERVICE_KEY", "BOOKING_TOKEN_SECRET"]);
        let all = |_: &str| Some(format!("{}{}", random(), random()));
        let elsewhere = Unset::Keep(folder.path().join("never-made"));
        Secrets::read(all, &elsewhere).unwrap();
        assert!(!folder.path().join("never-made").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_or_that_lacks_a_secret_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        none_set(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = none_set(&path).unwrap_err().to_string();
        assert!(refused.contains("chmod 600") && refused.contains("secrets"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "BOOKING_ADMIN_KEY=0123456789abcdef\n").unwrap();
        assert!(none_set(&path).unwrap_err().to_string().contains("BOOKING_SERVICE_KEY"));
    }
}
