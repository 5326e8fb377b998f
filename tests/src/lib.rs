//! Kith's tests: a simulated world, real processes, transcripts, a benchmark, and what they share. Never published.

pub mod alike;
pub mod bench;
pub mod cbor;
pub mod dice;
pub mod fuzz;
pub mod model;
pub mod peer;
pub mod proc;
pub mod sim;
