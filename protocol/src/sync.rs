//! Sessions with peers: the hidden hello, anti-entropy, live push, and the way in for newcomers.
//!
//! Owns links, credits, back-off. Must never judge: acts go to `circle`, entries to `log` and `item`. Everything here may be
//! forgotten in a crash; it is exchanged again at the next meeting.

mod act_batches;
mod branches;
pub(crate) mod dial;
pub(crate) mod exchange;
pub(crate) mod frame;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod gaps;
pub(crate) mod hello;
pub(crate) mod join;
pub(crate) mod rate_limit;
pub(crate) mod receive;
pub(crate) mod requests;
pub(crate) mod session;
pub(crate) mod welcome;
