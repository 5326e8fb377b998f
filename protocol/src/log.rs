//! The two logs: acts and entries, as they are signed, sealed, chained, stored and served.
//!
//! Owns the tables `Act`, `Chain`, `Block` and `Tail`. Must never judge what an act or entry means, nor store or pass on
//! anything whose signature was not verified.

pub mod act;
