//! What goes wrong, and when: chosen from the seed, never from what the machines do.

use super::disk::Torn;
use super::net::{Net, Who};
use super::rng::Rng;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Power fails in the machine's next commit.
    CrashInCommit(Who, Torn),
    /// Power fails after the next commit, once so many of its effects are carried out.
    CrashAmongEffects(Who, u64),
    /// Power fails now.
    CrashNow(Who),
    /// An orderly stop.
    Stop(Who),
    /// The disk is full for so many milliseconds.
    DiskFull(Who, u64),
    /// Nothing passes between two groups (bit set: the one side) for so many milliseconds; perhaps only one way.
    Cut {
        /// Which machines are on the one side.
        side: u64,
        /// The other direction still works.
        one_way: bool,
        /// For how long.
        millis: u64,
    },
    /// One stream breaks.
    Break(Who),
    /// A machine opens a second stream to somebody whom it has one with.
    Double(Who),
    /// A machine's clock jumps, in milliseconds.
    ClockJump(Who, i64),
    /// A machine sleeps for so many milliseconds and wakes.
    Sleep(Who, u64),
}

/// How rough the time is.
#[derive(Clone, Copy, Debug)]
pub struct Roughness {
    /// Milliseconds between two faults, at most; 0: none.
    pub every: u64,
    /// May machines fail, or only the network?
    pub machines: bool,
}

impl Roughness {
    /// Only now and then a broken stream.
    pub const MILD: Self = Self { every: 20_000, machines: false };
    /// Everything, often.
    pub const WILD: Self = Self { every: 6_000, machines: true };
}

/// Draws the next fault.
pub fn draw(rng: &mut Rng, machines: usize, rough: Roughness) -> Fault {
    let who = rng.index(machines);
    let span = rng.between(200, 45_000);
    if !rough.machines {
        return if rng.chance(70) { Fault::Break(who) } else { Fault::Double(who) };
    }
    match rng.below(13) {
        0 => Fault::CrashInCommit(who, Torn::Lost),
        1 => Fault::CrashInCommit(who, Torn::Half),
        2 => Fault::CrashInCommit(who, Torn::Whole),
        3 | 4 => Fault::CrashAmongEffects(who, rng.below(6)),
        5 => Fault::CrashNow(who),
        6 => Fault::Stop(who),
        7 => Fault::DiskFull(who, span),
        8 | 9 => Fault::Cut { side: rng.below(1 << machines.min(60)), one_way: rng.chance(30), millis: span * 2 },
        10 => Fault::Double(who),
        11 => Fault::Sleep(who, span),
        _ => match rng.below(3) {
            0 => {
                let jump = i64::try_from(rng.between(0, 600_000)).unwrap_or(0);
                Fault::ClockJump(who, if rng.chance(50) { jump } else { -jump })
            }
            _ => Fault::Break(who),
        },
    }
}

/// Cuts the network as a fault says.
pub fn cut(net: &mut Net, machines: usize, side: u64, one_way: bool) {
    let inside = |who: Who| side >> who & 1 == 1;
    for from in 0..machines {
        for to in (0..machines).filter(|to| inside(from) && !inside(*to)) {
            net.cut(from, to);
            if !one_way {
                net.cut(to, from);
            }
        }
    }
}

impl Rng {
    /// An index below `len`, which is at least 1.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }
}
