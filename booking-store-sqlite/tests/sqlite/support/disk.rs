//! The disk that fails on purpose (`disk.c`), built once a process, and what it is told.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use tempfile::TempDir;

/// What the disk does, and at which of the calls that change a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) what: &'static str,
    /// From 1.
    pub(crate) at: u64,
    /// How many calls it lasts.
    pub(crate) lasts: u64,
    /// Syncs are answered without being done.
    pub(crate) lies: bool,
}

impl Fault {
    pub(crate) fn once(what: &'static str, at: u64) -> Self {
        Self { what, at, lasts: 1, lies: false }
    }

    /// Puts the disk under a process that is not started yet.
    pub(crate) fn put_under(&self, command: &mut Command, folder: &Path) {
        command.env("LD_PRELOAD", library()).env("DISK_FOLDER", folder);
        command.env("DISK_FAULT", self.what).env("DISK_AT", self.at.to_string());
        command.env("DISK_FOR", self.lasts.to_string());
        if self.lies {
            command.env("DISK_LIES", "1");
        }
    }
}

fn library() -> PathBuf {
    static BUILT: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("disk.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sqlite/support/disk.c");
        let built = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .args([&path, &source])
            .args(["-ldl", "-lpthread"])
            .output()
            .expect("a C compiler, which SQLite needs too");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        (folder, path)
    });
    path.clone()
}
