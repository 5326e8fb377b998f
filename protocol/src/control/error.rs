//! Refusals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Hints;

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
    /// A refusal of a kind, with a whole sentence and what to do next.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>, hints: impl Into<Hints>) -> Self {
        Self { schema: "kith.error/1".to_owned(), code, message: message.into(), hints: hints.into() }
    }
}
