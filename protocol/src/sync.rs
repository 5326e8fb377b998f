//! Sessions with peers: the hidden hello, anti-entropy, live push, and the way in for newcomers.
//!
//! Owns links, credits, back-off. Must never judge: acts go to `circle`, entries to `log` and `item`. Everything here may be
//! forgotten in a crash; it is exchanged again at the next meeting.

mod branches;
pub(crate) mod dial;
#[cfg(feature = "fuzzing")]
pub mod doors;
pub(crate) mod exchange;
pub(crate) mod frame;
pub(crate) mod hello;
mod holes;
pub(crate) mod join;
pub(crate) mod pace;
mod parts;
pub(crate) mod receive;
pub(crate) mod requests;
pub(crate) mod session;
pub(crate) mod welcome;
