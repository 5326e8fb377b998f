//! The membership model's vectors against the resolver.
//!
//! A vector's acts become real ones under ids of our own (signed with real keys, or plain facts where only the rules matter), are
//! fed in a random order, and what comes out is put back into the vector's ids and compared. Ties that only ids decide are
//! broken by the vector's ids: the resolver names all that are tied.

pub mod adversary;
mod build;
mod compare;
pub mod signed;
mod vector;
pub mod world;

pub use build::{Built, Making, build};
pub use compare::{differences, resolve, role};
pub use vector::{Vector, load, read};

use crate::dice::Dice;
use kith_protocol::circle::membership::Rule;

/// Builds a vector's acts, feeds them in a random order and says in which fields the outcome differs.
///
/// # Errors
/// Where the vector cannot be understood.
pub fn run(vector: &Vector, making: Making, off: &[Rule], seed: u64) -> Result<Vec<String>, String> {
    let built = build(vector, making, seed)?;
    let mut facts = built.facts.clone();
    Dice::new(seed).shuffle(&mut facts);
    let membership = resolve(&built, facts, off);
    differences(vector, &built, &membership)
}
