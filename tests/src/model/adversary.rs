//! A seeded random adversary against the membership rules: the model's, and moves that it lacks.
//!
//! A history: honest people and a coalition live together; the coalition is expelled and everybody honest knows it; then the
//! coalition (the expelled, their accomplices still inside, people it admits) writes backdated branches in waves, and the honest
//! mend in between. After each wave the promises are checked. A thief (a stolen device) and a rogue minority that is never found
//! out have histories of their own.

mod backdate;
mod coalition;
mod life;
mod promises;
mod rogue;
mod thief;

use kith_protocol::circle::membership::Rule;

use super::world::ModelWorld;
pub use coalition::{BrokenRules, Coalition};

/// Plays the history of a seed; who attacked, and which promises broke.
#[must_use]
pub fn play(seed: u64, off: &[Rule]) -> (Coalition, BrokenRules) {
    let (coalition, _, broken) = history(seed, off);
    (coalition, broken)
}

/// The same, and all that was written in it.
#[must_use]
pub fn history(seed: u64, off: &[Rule]) -> (Coalition, ModelWorld, BrokenRules) {
    let (coalition, (world, broken)) = match seed % 10 {
        0 | 5 => (Coalition::Thief, thief::play(seed, off)),
        1 | 6 => (Coalition::Rogue, rogue::play(seed, off)),
        _ => backdate::play(seed, off, 2),
    };
    (coalition, world, broken)
}
