use crate::event::RecordedEvent;

/// Events of a chunk. A log that grew as one piece would be copied whole now and then, while everybody waits.
const CHUNK: usize = 4_096;

/// The events of a store, in commit order, in chunks that never move.
#[derive(Default)]
pub(super) struct Log {
    chunks: Vec<Vec<RecordedEvent>>,
}

impl Log {
    /// How many events there are: the number of the last.
    pub(super) fn len(&self) -> usize {
        let last = self.chunks.last().map_or(0, Vec::len);
        self.chunks.len().saturating_sub(1) * CHUNK + last
    }

    pub(super) fn push(&mut self, event: RecordedEvent) {
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(event),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(event);
                self.chunks.push(chunk);
            }
        }
    }

    /// The events after the one numbered `after`.
    pub(super) fn after(&self, after: u64) -> impl Iterator<Item = &RecordedEvent> {
        let first = usize::try_from(after).unwrap_or(usize::MAX).min(self.len());
        self.chunks[first / CHUNK..].iter().flatten().skip(first % CHUNK)
    }
}

impl From<Vec<RecordedEvent>> for Log {
    fn from(events: Vec<RecordedEvent>) -> Self {
        let mut log = Self::default();
        for event in events {
            log.push(event);
        }
        log
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, event::Event, id::UserId, wallet};

    #[test]
    fn a_log_is_read_from_anywhere_across_its_chunks() {
        let at = Timestamp::from_micros(0);
        let user = UserId(uuid::Uuid::nil());
        let event =
            |seq| RecordedEvent { seq, at, event: Event::from(wallet::Event::WalletOpened { user, at }) };
        for count in [0, 1, 4_095, 4_096, 4_097, 8_192, 10_000] {
            let log = Log::from((1..=count).map(event).collect::<Vec<_>>());
            assert_eq!(log.len() as u64, count);
            for after in [0, 1, 4_095, 4_096, 4_097, 9_999, count, count + 1, u64::MAX] {
                let read: Vec<u64> = log.after(after).map(|event| event.seq).collect();
                let expected: Vec<u64> = (1..=count).filter(|seq| *seq > after).collect();
                assert_eq!(read, expected, "{count} events, after {after}");
            }
        }
    }
}
