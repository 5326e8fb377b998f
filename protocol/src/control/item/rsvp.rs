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

/// How many answered what, and one's own answer.
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
}
