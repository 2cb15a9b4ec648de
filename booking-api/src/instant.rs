//! Instants and dates as they travel.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// The years that four digits write, and that every store keeps.
pub(crate) const YEARS: RangeInclusive<i32> = 1..=9_999;

/// Reads a date that may be left out.
pub(crate) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    let date = Option::<NaiveDate>::deserialize(deserializer)?;
    if date.is_some_and(|date| !YEARS.contains(&date.year())) {
        return Err(D::Error::custom("the year must be 1 to 9999"));
    }
    Ok(date)
}

/// Writes an instant as chrono does, but as one string: chrono hands over a dozen pieces, each of which is looked through for
/// what JSON has to escape.
pub(crate) fn whole<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_as_everywhere_else() {
        for micros in
            [0, 1, 999_999, 1_000, 1_796_000_000_000_000, 1_796_000_000_123_000, 4_102_444_799_999_999]
        {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let mut written = serde_json::Serializer::new(Vec::new());
            whole(&at, &mut written).unwrap();
            assert_eq!(written.into_inner(), serde_json::to_vec(&at).unwrap(), "{at}");
        }
    }
}
