//! A seeded random adversary against the membership rules: the model's, and moves that it lacks.
//!
//! A history: honest people and a coalition live together; the coalition is expelled and everybody honest knows it; then the
//! coalition (the expelled, their accomplices still inside, people it admits) writes backdated branches in waves, and the honest
//! mend in between. After each wave the promises are checked. A thief (a stolen device) and a rogue minority that is never found
//! out have histories of their own.

mod backdate;
mod life;
mod promises;
mod rogue;
mod thief;

use std::collections::BTreeSet;

use kith_protocol::circle::membership::Rule;

use super::world::World;

/// What a history broke.
pub type Broken = BTreeSet<&'static str>;

/// Who attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coalition {
    /// One steward and accomplices, expelled.
    Weak,
    /// The founder, expelled by a quorum.
    Founder,
    /// A majority of the stewards, expelled.
    Majority,
    /// A majority that is only demoted.
    Demoted,
    /// A majority of which one is not found out, and lends hand and vote.
    Insider,
    /// A stolen device.
    Thief,
    /// A minority of stewards that is never found out.
    Rogue,
}

/// Plays the history of a seed; who attacked, and which promises broke.
#[must_use]
pub fn play(seed: u64, off: &[Rule]) -> (Coalition, Broken) {
    let (coalition, _, broken) = history(seed, off);
    (coalition, broken)
}

/// The same, and all that was written in it.
#[must_use]
pub fn history(seed: u64, off: &[Rule]) -> (Coalition, World, Broken) {
    let (coalition, (world, broken)) = match seed % 10 {
        0 | 5 => (Coalition::Thief, thief::play(seed, off)),
        1 | 6 => (Coalition::Rogue, rogue::play(seed, off)),
        _ => backdate::play(seed, off, 2),
    };
    (coalition, world, broken)
}
