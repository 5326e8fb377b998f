//! What members wrote, as typed items: notes, replies, reactions, events, RSVPs, resources.
//!
//! Owns the kinds and their schema, the edit lists that travel, what is put together from them, and the tables `Item`, `View`
//! and `Search` (and the rows of `Local` whose keys start with `item/`). Everything there can be built again from the log.
//! Bodies are never stored here outside the search index: they are opened on demand. Must never trust an edit list before it
//! is checked against its kind.

mod apply;
mod base;
mod built;
mod changed;
mod clock_expiry;
pub mod compose;
pub mod doc;
pub mod edit;
pub mod edit_builder;
mod excerpt;
mod expiry;
pub mod fields;
mod graph;
mod health;
pub mod imports;
mod inbox;
mod index;
pub mod kind;
pub mod kinds;
mod list;
mod load;
pub mod mark;
#[cfg(test)]
mod oracle;
mod parts;
pub mod port;
mod project;
mod reader;
mod rebuild;
mod recur;
mod resolve;
mod row;
mod run;
mod search;
mod show;
mod staging;
mod text_diff;
mod tomorrow;
mod valid;
mod veil;
mod when;
pub mod words;

pub use apply::{Applied, BEYOND, Outcome, Report, apply, catch_up, rejudge, unbuilt};
pub use clock_expiry::{Ending, hidden, judge_time, look_again, waiting};
pub use expiry::{Sweep, end_all, next_due, sweep};
pub use health::{Health, health, listed};
pub use inbox::{inbox, see, see_all, seen_with};
pub use index::{index, renew, unindexed};
pub use kinds::{list, show, vocabulary};
pub use port::{DeliveryCounts, People, Ports, Source, Writer};
pub use project::Times;
pub use reader::{ItemReader, entries};
pub use rebuild::{Kept, clear, forget, restore};
pub use resolve::resolve;
pub(crate) use resolve::where_listed;
pub use search::search;
pub use show::{Reveal, history};
pub use veil::Veil;

#[cfg(test)]
mod tests;
