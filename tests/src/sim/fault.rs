//! What goes wrong, and when: chosen from the seed, never from what the machines do.

use serde::{Deserialize, Serialize};

use super::disk::Torn;
use super::net::Who;
use super::rng::Rng;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Fault {
    /// Power fails in the machine's next commit, and is back after so many milliseconds.
    CrashInCommit(Who, Torn, u64),
    /// Power fails after the next commit, once so many of its effects are carried out; and is back after so many milliseconds.
    CrashAmongEffects(Who, u64, u64),
    /// Power fails now, for so many milliseconds.
    CrashNow(Who, u64),
    /// The disk is full for so many milliseconds.
    DiskFull(Who, u64),
    /// Nothing passes between two groups (bit set: the one side); perhaps only one way. It mends piece by piece.
    Cut {
        /// Which machines are on the one side.
        side: u64,
        /// The other direction still works.
        one_way: bool,
        /// For how long, until the last way is open again.
        millis: u64,
        /// Chooses which ways are open again earlier.
        pieces: u64,
    },
    /// One stream breaks: which of theirs.
    Break(Who, u64),
    /// A machine opens a second stream to somebody whom it has one with.
    Double(Who),
    /// A machine's clock jumps, in milliseconds.
    ClockJump(Who, i64),
    /// A machine sleeps for so many milliseconds and wakes.
    Sleep(Who, u64),
    /// A machine's folder is copied to another machine, and both go on: one device that writes in two places.
    Copy(Who),
}

impl Fault {
    /// Whose machine it is about, if one's.
    #[must_use]
    pub const fn machine(&self) -> Option<Who> {
        match self {
            Self::Cut { .. } => None,
            Self::CrashInCommit(who, ..)
            | Self::CrashAmongEffects(who, ..)
            | Self::CrashNow(who, _)
            | Self::DiskFull(who, _)
            | Self::Break(who, _)
            | Self::Double(who)
            | Self::ClockJump(who, _)
            | Self::Sleep(who, _)
            | Self::Copy(who) => Some(*who),
        }
    }
}

/// How rough the time is.
#[derive(Clone, Copy, Debug)]
pub struct Roughness {
    /// Milliseconds between two faults, at most; 0: none.
    pub every: u64,
    /// May machines fail, or only the network?
    pub machines: bool,
    /// May a machine be copied?
    pub copies: bool,
}

impl Roughness {
    /// Nothing goes wrong.
    pub const NONE: Self = Self { every: 0, machines: false, copies: false };
    /// Only now and then a broken stream.
    pub const MILD: Self = Self { every: 20_000, machines: false, copies: false };
    /// Everything, often.
    pub const WILD: Self = Self { every: 3_000, machines: true, copies: false };
}

/// Draws the next fault.
pub fn draw(rng: &mut Rng, machines: usize, rough: Roughness) -> Fault {
    let who = rng.index(machines);
    let span = rng.between(200, 45_000);
    let off_for = rng.between(100, 20_000);
    if !rough.machines {
        return if rng.chance(70) { Fault::Break(who, rng.below(8)) } else { Fault::Double(who) };
    }
    match rng.below(14) {
        0 => Fault::CrashInCommit(who, Torn::Lost, off_for),
        1 => Fault::CrashInCommit(who, Torn::Half, off_for),
        2 => Fault::CrashInCommit(who, Torn::Whole, off_for),
        3 | 4 => Fault::CrashAmongEffects(who, rng.below(12), off_for),
        5 | 6 => Fault::CrashNow(who, off_for),
        7 => Fault::DiskFull(who, span),
        8 | 9 => Fault::Cut {
            side: rng.below(1 << machines.min(60)),
            one_way: rng.chance(30),
            millis: span * 2,
            pieces: rng.below(1 << 32),
        },
        10 => Fault::Double(who),
        11 => Fault::Sleep(who, span),
        12 => {
            let jump = i64::try_from(rng.between(0, 600_000)).unwrap_or(0);
            Fault::ClockJump(who, if rng.chance(50) { jump } else { -jump })
        }
        _ if rough.copies && rng.chance(50) => Fault::Copy(who),
        _ => Fault::Break(who, rng.below(8)),
    }
}

/// The ways that a partition closes.
#[must_use]
pub fn ways(machines: usize, side: u64, one_way: bool) -> Vec<(Who, Who)> {
    let inside = |who: Who| side >> who & 1 == 1;
    let across = (0..machines).flat_map(|from| (0..machines).map(move |to| (from, to)));
    let closed = |(from, to): &(Who, Who)| inside(*from) && !inside(*to) || !one_way && !inside(*from) && inside(*to);
    across.filter(closed).collect()
}

/// When a way of a partition is open again: in one of three moments, each way for itself. Without `pieces` all at the end.
#[must_use]
pub fn open_again(pieces: u64, (from, to): (Who, Who), millis: u64) -> u64 {
    if pieces == 0 {
        return millis;
    }
    millis * Rng::new(pieces, &format!("{from} {to}")).between(1, 3) / 3
}

impl Rng {
    /// An index below `len`, which is at least 1.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }
}
