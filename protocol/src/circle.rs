//! Who belongs to a circle and which keys they hold. Owns acts' meaning, epochs, invites and records.

pub mod act;
pub(crate) mod alike;
pub mod body;
pub(crate) mod deeds;
mod derived;
pub mod epoch;
pub(crate) mod left;
pub mod membership;
pub(crate) mod news;
pub(crate) mod overview;
pub mod record;
mod row;
pub(crate) mod state;
pub(crate) mod summary;
pub(crate) mod terms;
pub mod text;
pub(crate) mod ticket;

pub use ticket::{link_addresses, link_at};
