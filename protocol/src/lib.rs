//! The pure core of Kith: everything a circle believes is decided here.
//!
//! No clock, no randomness, no files, no sockets, no environment: time, randomness and storage are arguments. Bytes come in,
//! are judged, and leave as writes to commit and effects to carry out afterwards. A peer's bytes can only cause errors.

pub mod budget;
pub mod circle;
pub mod codec;
pub(crate) mod context;
pub mod control;
pub mod crypto;
#[cfg(test)]
mod frozen;
pub mod id;
pub mod io;
pub mod item;
pub mod limits;
pub mod lines;
pub mod log;
pub mod node;
pub mod peer;
pub mod planted;
pub mod private;
pub mod store;
pub mod sync;
pub mod time;
pub mod tomorrow;
pub mod tx;
pub mod work;
