//! The limit of open files, which every connection counts towards.

/// What a server opens besides its connections: stores, logs, its own sockets.
#[cfg(unix)]
const OTHERS: u64 = 200;

/// Takes as many open files as the system lets this process have, if connections need them, and tells when that is too few.
#[cfg(unix)]
pub(crate) fn allow(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    // No limit at all is none.
    let (soft, hard) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    if soft >= needed {
        return;
    }
    let current = needed.min(hard);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..limit });
    if raised.is_err() || current < needed {
        tracing::warn!(
            may_open = if raised.is_ok() { current } else { soft },
            needed,
            "the system lets this process open fewer files than --max-connections needs; raise it, such as by ulimit -n"
        );
    }
}

#[cfg(not(unix))]
pub(crate) fn allow(_: usize) {}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, getrlimit};

    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_it_goes_and_never_lowered() {
        let before = getrlimit(Resource::Nofile);
        allow(1);
        assert_eq!(getrlimit(Resource::Nofile), before);
        allow(usize::MAX);
        assert_eq!(getrlimit(Resource::Nofile).current, before.maximum);
    }
}
