//! What a script answers: a word, then numbers and texts in the order it names them.

use booking_core::{
    EndReason, Epoch, Refusal, StoreError, Timestamp,
    queue::{Pace, Place},
};
use redis::Value;
use std::time::Duration;

use crate::seen::Mark;

/// The number that stands for a reason. To the scripts 0 is none, so no reason may go without.
pub(crate) fn number_of(reason: EndReason) -> usize {
    match reason {
        EndReason::Completed => 1,
        EndReason::HoldExpired => 2,
        EndReason::SessionExpired => 3,
        EndReason::NoShow => 4,
        EndReason::Left => 5,
        EndReason::SoldOut => 6,
        EndReason::Closed => 7,
    }
}

/// An answer of a lane that exists.
pub(crate) struct Reply {
    /// What it is, or the refusal.
    pub(crate) word: String,
    pub(crate) epoch: Epoch,
    pub(crate) step: u64,
    pub(crate) now: Timestamp,
    rest: std::vec::IntoIter<Value>,
}

/// An answer of any lane.
pub(crate) enum Answer {
    Lane(Reply),
    /// There is no such lane.
    Unknown,
    /// There was one, older than what was seen of it, and it was dropped.
    Lost,
}

type Read<T> = Result<T, StoreError>;

fn strange(what: &str) -> StoreError {
    StoreError::broken(format!("a script of the queue answered without {what}"))
}

impl Answer {
    pub(crate) fn read(value: Value) -> Read<Self> {
        let Value::Array(values) = value else { return Err(strange("a list")) };
        let mut rest = Reply {
            word: String::new(),
            epoch: Epoch(0),
            step: 0,
            now: Timestamp::from_micros(0),
            rest: values.into_iter(),
        };
        rest.word = rest.text("a word")?;
        match rest.word.as_str() {
            "unknown_lane" => return Ok(Self::Unknown),
            "lost" => return Ok(Self::Lost),
            _ => {}
        }
        let epoch = u64::from_str_radix(&rest.text("an epoch")?, 16);
        rest.epoch = Epoch(epoch.map_err(|_| strange("an epoch that is a number"))?);
        rest.step = rest.count("a step")?;
        rest.now = rest.instant("the time")?;
        Ok(Self::Lane(rest))
    }
}

impl Reply {
    pub(crate) fn mark(&self) -> Mark {
        Mark { epoch: Some(self.epoch), step: self.step }
    }

    fn number(&mut self, what: &str) -> Read<Option<i64>> {
        match self.rest.next() {
            Some(Value::Int(number)) => Ok(Some(number)),
            Some(Value::Nil) => Ok(None),
            _ => Err(strange(what)),
        }
    }

    pub(crate) fn count(&mut self, what: &str) -> Read<u64> {
        self.optional_count(what)?.ok_or_else(|| strange(what))
    }

    fn optional_count(&mut self, what: &str) -> Read<Option<u64>> {
        let number = self.number(what)?;
        number.map(|number| u64::try_from(number).map_err(|_| strange(what))).transpose()
    }

    fn instant(&mut self, what: &str) -> Read<Timestamp> {
        Ok(Timestamp::from_micros(self.number(what)?.ok_or_else(|| strange(what))?))
    }

    pub(crate) fn text(&mut self, what: &str) -> Read<String> {
        match self.rest.next() {
            Some(Value::BulkString(bytes)) => String::from_utf8(bytes).map_err(|_| strange(what)),
            Some(Value::SimpleString(text)) => Ok(text),
            _ => Err(strange(what)),
        }
    }

    /// Numbers in a list.
    pub(crate) fn counts(&mut self, what: &str) -> Read<Vec<u64>> {
        let Some(Value::Array(values)) = self.rest.next() else { return Err(strange(what)) };
        let number = |value| match value {
            Value::Int(number) => u64::try_from(number).ok(),
            Value::BulkString(bytes) => std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok()),
            _ => None,
        };
        values.into_iter().map(|value| number(value).ok_or_else(|| strange(what))).collect()
    }

    fn span(&mut self, what: &str) -> Read<Duration> {
        Ok(Duration::from_micros(self.count(what)?))
    }

    /// The claim window, and how long one admission took of late.
    pub(crate) fn speed(&mut self) -> Read<(Duration, Option<Duration>)> {
        let claim_ttl = self.span("a claim window")?;
        let window = self.number("a window")?.map(Timestamp::from_micros);
        let pace =
            Pace::counted(window, self.count("admissions")?, self.optional_count("admissions before")?);
        Ok((claim_ttl, pace.per_admission(self.now)))
    }

    /// Where the ticket `seq` stands, or why that is not told. `word` says which.
    pub(crate) fn place(&mut self, word: &str, seq: u64) -> Read<Result<Place, Refusal>> {
        Ok(Ok(match word {
            "waiting" => {
                let rank = self.count("a rank")?;
                let (claim_ttl, per_admission) = self.speed()?;
                Place::waiting_at(seq, rank, per_admission, claim_ttl, self.now)
            }
            "admitted" => {
                let until = self.instant("an end")?;
                Place::Admitted { until, claimed: self.count("a claim")? == 1 }
            }
            "done" => {
                let number = usize::try_from(self.count("a reason")?).unwrap_or(0);
                let reason = EndReason::ALL.iter().find(|reason| number_of(**reason) == number);
                Place::Done(*reason.ok_or_else(|| strange("a reason"))?)
            }
            refused => return Ok(Err(refusal(refused)?)),
        }))
    }
}

/// The refusal a word stands for.
pub(crate) fn refusal(word: &str) -> Read<Refusal> {
    Ok(match word {
        "queue_reset" => Refusal::QueueReset,
        "unknown_ticket" => Refusal::UnknownTicket,
        "lane_closed" => Refusal::LaneClosed,
        "sold_out" => Refusal::SoldOut,
        "lane_full" => Refusal::LaneFull,
        _ => return Err(strange("a word that is known")),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_numbers_of_reasons_are_those_the_scripts_name() {
        // Two of them stand in the scripts as they are.
        assert_eq!(number_of(EndReason::SessionExpired), 3);
        assert_eq!(number_of(EndReason::NoShow), 4);
        let numbers: BTreeSet<usize> = EndReason::ALL.iter().map(|reason| number_of(*reason)).collect();
        assert!(numbers.len() == EndReason::ALL.len() && !numbers.contains(&0), "{numbers:?}");
        assert!(include_str!("scripts/lane.lua").contains("SESSION_EXPIRED, NO_SHOW = 3, 4"));
    }

    #[test]
    fn an_answer_of_another_shape_is_a_broken_store() {
        let word = |text: &str| Value::BulkString(text.into());
        for value in [Value::Nil, Value::Array(vec![]), Value::Array(vec![word("entered"), word("x")])] {
            assert!(Answer::read(value).is_err_and(|error| !error.retryable()));
        }
        assert!(refusal("nonsense").is_err());
    }
}
