//! The membership model's vectors against the resolver.
//!
//! A vector's acts become real ones under ids of our own (signed with real keys, or plain facts where only the rules matter), are
//! fed in a random order, and what comes out is put back into the vector's ids and compared. Ties that only ids decide are
//! broken by the vector's ids: the resolver names all that are tied.

pub mod adversary;
mod build;
mod compare;
pub mod kept;
pub mod signed;
mod vector;
pub mod world;

pub use build::{Built, Formless, Making, build};
pub use compare::{differences, resolve, role};
pub use vector::{Vector, load, read};

use crate::dice::Dice;
use kith_protocol::circle::membership::Rule;

/// What came of a vector.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Where the outcome differs from what it expects.
    pub differs: Vec<String>,
    /// Its acts.
    pub acts: usize,
    /// How many of them were signed and read again with real keys.
    pub signed: usize,
    /// Those that the log has no form for.
    pub formless: Vec<(String, Formless)>,
}

/// Builds a vector's acts, feeds them in a random order and says in which fields the outcome differs.
///
/// # Errors
/// Where the vector cannot be understood, or one of its acts does not come through signing, sealing, reading and verifying.
pub fn run(vector: &Vector, making: Making, off: &[Rule], seed: u64) -> Result<Comparison, String> {
    let built = build(vector, making, seed)?;
    let mut facts = built.facts.clone();
    Dice::new(seed).shuffle(&mut facts);
    let membership = resolve(&built, facts, off);
    let differs = differences(vector, &built, &membership)?;
    Ok(Comparison { differs, acts: built.facts.len(), signed: built.signed, formless: built.formless })
}
