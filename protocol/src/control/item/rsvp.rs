//! Answers to events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::control::word::words;

words! {
    /// An answer to an event.
    pub enum Rsvp {
        /// Coming.
        Yes = "yes",
        /// Not coming.
        No = "no",
        /// Perhaps.
        Maybe = "maybe",
    }
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
    /// What they answered.
    pub answer: Rsvp,
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
    /// One's own; `null` where one has not answered.
    pub mine: Option<Rsvp>,
    /// Who answered, by name.
    #[serde(default)]
    pub people: Vec<RsvpPerson>,
    /// Who answered before the event was moved, and has not since. Left out where nobody did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked_again: Vec<RsvpPerson>,
}
