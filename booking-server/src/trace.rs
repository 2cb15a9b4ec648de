//! W3C trace context: the id under which the logs of all services that took part in a request are found.

use std::fmt;

use axum::http::HeaderMap;
use uuid::Uuid;

const TRACEPARENT: &str = "traceparent";

/// A trace id: 32 hexadecimal digits, not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceId(u128);

impl TraceId {
    /// The id that the caller sent, or a new one. A header that is no `traceparent` is as good as none.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(parse);
        sent.unwrap_or_else(|| Self(Uuid::new_v4().as_u128()))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// `version-traceid-parentid-flags`; a version later than this one may have more behind it.
fn parse(header: &str) -> Option<TraceId> {
    let mut parts = header.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (version, _) = (hex(version, 2)?, hex(flags, 2)?);
    let (trace, parent) = (hex(trace, 32)?, hex(parent, 16)?);
    let ends_well = version > 0 || parts.next().is_none();
    (version != 0xff && trace != 0 && parent != 0 && ends_well).then_some(TraceId(trace))
}

/// So many lower-case hexadecimal digits.
fn hex(digits: &str, length: usize) -> Option<u128> {
    let are_digits = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits.len() == length && are_digits { u128::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn of(header: &str) -> TraceId {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, header.parse().unwrap());
        TraceId::of(&headers)
    }

    #[test]
    fn the_id_that_a_caller_sends_is_kept() {
        for header in [
            format!("00-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902b7-00"),
            format!("01-{TRACE}-00f067aa0ba902b7-01-more"),
        ] {
            assert_eq!(of(&header).to_string(), TRACE, "{header}");
        }
    }

    #[test]
    fn what_is_no_trace_context_gets_an_id_of_its_own() {
        let zero = "0".repeat(32);
        for header in [
            String::new(),
            TRACE.into(),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{zero}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-+{}-00f067aa0ba902b7-01", &TRACE[1..]),
        ] {
            let (one, other) = (of(&header), of(&header));
            assert_ne!(one.to_string(), TRACE, "{header}");
            assert_ne!(one, other, "{header}");
            assert_eq!(one.to_string().len(), 32);
        }
    }
}
