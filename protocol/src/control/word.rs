//! Closed sets of words: an enum here, its words in JSON and wherever people type or read them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// A word that is not one of those there are; says which to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWord(pub(super) &'static [&'static str]);

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("use ")?;
        for (at, word) in self.0.iter().enumerate() {
            f.write_str(match at {
                0 => "",
                _ if at + 1 == self.0.len() => " or ",
                _ => ", ",
            })?;
            f.write_str(if word.is_empty() { "nothing at all" } else { word })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownWord {}

impl UnknownWord {
    /// The refusal of a body that holds it. It quotes the word: a body holds several.
    pub(super) fn of<E: serde::de::Error>(self, word: &str) -> E {
        E::custom(format_args!("{word:?} is not known there; {self}"))
    }
}

/// Declares an enum whose variants each have one word. People may type it in capitals and with spaces around it.
///
/// A word is a `tt`: as a `literal` it would stand in a group, in which the derive of the OpenAPI document does not find it.
macro_rules! words {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:tt,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// All of their words, in the same order.
            pub const WORDS: &[&str] = &[$($word),+];

            /// Its word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::control::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text.trim().to_lowercase().as_str() {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::control::UnknownWord(Self::WORDS)),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::control::word::read(&String::deserialize(deserializer)?)
            }
        }
    };
}

pub(super) use words;

/// The meaning of a word in a body.
pub(super) fn read<T: FromStr<Err = UnknownWord>, E: serde::de::Error>(word: &str) -> Result<T, E> {
    word.parse().map_err(|unknown: UnknownWord| unknown.of(word))
}

/// The same of a field that may be empty or `null`.
pub(super) fn or_empty<'de, T: FromStr<Err = UnknownWord>, D: Deserializer<'de>>(d: D) -> Result<Option<T>, D::Error> {
    let word = Option::<String>::deserialize(d)?.filter(|word| !word.trim().is_empty());
    word.map(|word| read(&word)).transpose()
}

#[cfg(test)]
mod tests {
    use crate::control::{EditEvent, EditNote, EventStatus, NewEvent, NewInvite, Role, SetRole, Want, WantChange};

    fn refused<T: serde::de::DeserializeOwned + std::fmt::Debug>(body: &str) -> String {
        serde_json::from_str::<T>(body).expect_err("no such word").to_string()
    }

    #[test]
    fn a_word_is_read_as_it_is_written() {
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(*role));
            assert_eq!(format!(" {} ", role.word().to_uppercase()).parse(), Ok(*role));
        }
        assert_eq!(Want::WORDS, ["listen", "advice", "resources"]);
        assert_eq!(Want::ALL.iter().map(|want| want.word()).collect::<Vec<_>>(), Want::WORDS);
    }

    #[test]
    fn a_wrong_word_in_a_body_is_told_with_the_right_ones() {
        let role = refused::<SetRole>(r#"{"role":"nurse"}"#);
        assert!(role.starts_with(r#""nurse" is not known there; use guest, member, facilitator or steward"#), "{role}");
        assert_eq!(
            refused::<SetRole>(r#"{"role":"founder"}"#).split(" at ").next(),
            Some(r#""founder" is not known there; use guest, member, facilitator or steward"#)
        );
        let status = refused::<NewEvent>(r#"{"title":"Tea","status":"maybe\u001b"}"#);
        assert!(status.starts_with(r#""maybe\u{1b}" is not known there; use confirmed, tentative or cancelled"#), "{status}");
        assert_eq!(
            refused::<EditEvent>(r#"{"status":"no"}"#).split(" at ").next(),
            Some(r#""no" is not known there; use confirmed, tentative or cancelled"#)
        );
        let want = refused::<EditNote>(r#"{"want":"money"}"#);
        assert!(want.contains("use listen, advice, resources or nothing at all"), "{want}");
        assert!(refused::<NewInvite>(r#"{"role":"x"}"#).contains("use guest, member"));
    }

    #[test]
    fn what_may_be_left_out_may_be_empty() {
        for body in ["{}", r#"{"status":""}"#, r#"{"status":null}"#] {
            assert_eq!(serde_json::from_str::<NewEvent>(body).expect("a body").status, None, "{body}");
        }
        let edit = |body| serde_json::from_str::<EditEvent>(body).expect("a body").status;
        assert_eq!(
            [edit("{}"), edit(r#"{"status":null}"#), edit(r#"{"status":" "}"#)],
            [None, None, Some(EventStatus::Confirmed)]
        );
        let want = |body| serde_json::from_str::<EditNote>(body).expect("a body").want;
        assert_eq!([want("{}"), want(r#"{"want":null}"#), want(r#"{"want":""}"#)], [None, None, Some(WantChange::Nothing)]);
        assert_eq!(serde_json::from_str::<NewInvite>(r#"{"role":""}"#).expect("a body").role, None);
    }
}
