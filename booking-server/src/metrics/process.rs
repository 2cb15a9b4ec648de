//! What the operating system knows of this process, where it tells (Linux).

use std::fs;

/// Bytes of memory in use.
pub(super) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

/// Files and connections that are open.
pub(super) fn open_files() -> Option<u64> {
    // The folder that is being read is one of them.
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(open).ok().map(|open| open.saturating_sub(1))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn an_open_file_is_counted_and_memory_is_more_than_nothing() {
        assert!(open_files().unwrap() >= 3, "standard input, output and error");
        assert!(resident_bytes().unwrap() > 100_000);
    }
}
