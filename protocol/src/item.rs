//! What members wrote, as typed items: notes, replies, reactions, events, RSVPs, resources.
//!
//! Owns the kinds and their schema, the edit lists that travel, the documents built from them, and the tables `Item`, `View`
//! and `Search`. Everything in those tables can be built again from the log. Bodies are never stored here outside the search
//! index: they are opened on demand.

mod build;
pub mod diff;
pub mod doc;
pub mod edit;
pub mod fields;
mod graph;
pub mod kind;
