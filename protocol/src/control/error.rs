//! Refusals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Hint, Hints};

/// What kind of refusal; the CLI's exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Something went wrong (exit 1).
    Failed,
    /// What was asked makes no sense (exit 2).
    Usage,
    /// The daemon is not running (exit 3).
    NotRunning,
    /// The daemon is locked (exit 4).
    Locked,
    /// The member's role does not allow it (exit 5).
    NotAllowed,
    /// Nothing, or nothing within reach, has that name (exit 6).
    NotFound,
    /// More than one thing has that name (exit 6).
    Ambiguous,
    /// A confirmation is needed (exit 7).
    NeedsConfirmation,
    /// The passphrase is needed, again or rightly (exit 7).
    NeedsPassphrase,
    /// Waited long enough (exit 8).
    TimedOut,
    /// Too large, too long, too many (exit 2).
    TooLarge,
    /// The disk is full (exit 1).
    DiskFull,
    /// The store is damaged (exit 1).
    Damaged,
}

/// A refusal, as JSON: what happened, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Error {
    /// Always `kith.error/1`.
    pub schema: String,
    /// What kind.
    pub code: Code,
    /// What happened, in a plain sentence without blame.
    pub message: String,
    /// What to do next.
    #[serde(flatten)]
    pub hints: Hints,
}

impl Error {
    /// A refusal of a kind, with a sentence and what to do next. Whatever its words, it is told as a sentence: with a capital and a
    /// period.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>, hints: impl Into<Hints>) -> Self {
        let (message, hints) = told(message.into(), hints.into());
        Self { schema: "kith.error/1".to_owned(), code, message, hints }
    }
}

/// Words for people, as sentences.
pub(super) fn told(message: String, Hints(hints): Hints) -> (String, Hints) {
    let told = |hint| match hint {
        Hint::Text(text) => Hint::Text(sentence(text)),
        run @ Hint::Run { .. } => run,
    };
    (sentence(message), Hints(hints.into_iter().map(told).collect()))
}

/// With a capital and a period. What does not begin with an ordinary word, such as a command, an id or a file, begins as it is.
fn sentence(mut text: String) -> String {
    let first = text.split(' ').next().unwrap_or_default().trim_end_matches([',', ';', ':']);
    if !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'\'') && first.len() < text.len() {
        text.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
    }
    if text.chars().next_back().is_some_and(|last| last.is_alphanumeric() || matches!(last, '`' | '"' | ')' | '\'' | '>')) {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_sentence_whatever_its_words() {
        for (text, told) in [
            ("you are in no circle yet", "You are in no circle yet."),
            ("That is too long.", "That is too long."),
            ("there is no note `n-x` here", "There is no note `n-x` here."),
            ("config.toml: `port` is a number", "config.toml: `port` is a number."),
            ("n-abc is gone", "n-abc is gone."),
            ("use more of the id: n-a, n-b", "Use more of the id: n-a, n-b."),
            ("It is this one:", "It is this one:"),
            ("", ""),
            ("\u{e9}t\u{e9} is over", "\u{e9}t\u{e9} is over."),
        ] {
            assert_eq!(sentence(text.to_owned()), told);
        }
        let error = Error::new(Code::Usage, "no", "make several");
        assert_eq!((error.message.as_str(), error.hints.to_string().as_str()), ("no.", "Make several."));
    }
}
