//! Values that are words, the same ones in API, stores and logs.

/// A text that is none of the words that something can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {of} is {word:?}")]
pub struct UnknownWord {
    pub(crate) of: &'static str,
    pub(crate) word: String,
}

/// Defines such values: the words stand once, and reading one finds what writing it wrote.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident as $of:literal { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every one there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// It as the word used in API, stores and logs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().find(|one| one.as_str() == word);
                found.copied().ok_or_else(|| $crate::UnknownWord { of: $of, word: word.into() })
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use serde::{
        Deserialize,
        de::{IntoDeserializer, value::StrDeserializer},
    };

    use crate::{EndReason, hold::ReservationStatus};

    #[test]
    fn a_word_is_read_as_it_was_written() {
        for reason in EndReason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
            let on_the_wire: StrDeserializer<'_, serde::de::value::Error> =
                reason.as_str().into_deserializer();
            assert_eq!(EndReason::deserialize(on_the_wire), Ok(*reason));
        }
        for status in ReservationStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
        let unknown = "sold".parse::<ReservationStatus>().unwrap_err();
        assert_eq!(unknown.to_string(), "no status of a reservation is \"sold\"");
    }
}
