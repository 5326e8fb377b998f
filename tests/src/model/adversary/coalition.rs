//! Who attacks, and what a history of theirs can break.

use std::collections::BTreeSet;

/// What a history broke.
pub type BrokenRules = BTreeSet<&'static str>;

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
