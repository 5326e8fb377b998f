//! Kith's tests: a simulated world, real processes, transcripts, and what they share. Never published.

pub mod proc;
