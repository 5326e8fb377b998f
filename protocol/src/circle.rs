//! Who belongs to a circle and which keys they hold. Owns acts' meaning, epochs, invites and records.

pub mod body;
pub mod epoch;
pub mod membership;
