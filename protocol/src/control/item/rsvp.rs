//! Answers to events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An answer to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rsvp {
    /// Coming.
    Yes,
    /// Not coming.
    No,
    /// Perhaps.
    Maybe,
}

/// The body of an RSVP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rsvped {
    /// The answer.
    pub answer: Rsvp,
}

/// Somebody's answer to an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RsvpPerson {
    /// Short member id.
    pub member: String,
    /// Their name.
    pub name: String,
    /// Does somebody else bear a name that looks like it? Left out where nobody does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alike: bool,
    /// `yes`, `no` or `maybe`.
    pub answer: String,
}

/// Who answered what, and one's own answer. Answers from before an event was moved do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RsvpCounts {
    /// Coming.
    pub yes: u32,
    /// Not coming.
    pub no: u32,
    /// Perhaps.
    pub maybe: u32,
    /// One's own: `yes`, `no`, `maybe` or `null`.
    pub mine: Option<String>,
    /// Who answered, by name.
    #[serde(default)]
    pub people: Vec<RsvpPerson>,
    /// Who answered before the event was moved, and has not since. Left out where nobody did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked_again: Vec<RsvpPerson>,
}
