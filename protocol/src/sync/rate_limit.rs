//! How many plain rotations one member may bring: so many at once, then few an hour. Any member may make new keys without need,
//! and nobody's right to it depends on a count; so what is too much waits, and is asked for again.
//!
//! Only what a member brings *of their own* is counted, and what introductions bring. What somebody else passes on is taken at
//! once: a removal names the keys it supersedes, and must never wait for them. In memory only; a restart begins again.

use std::collections::BTreeMap;

use crate::circle::state::CircleState;
use crate::id::{CircleId, DeviceId, PersonId};
use crate::limits;
use crate::time::Millis;

/// What may still come, and since when that is so.
#[derive(Clone, Copy, Debug)]
struct Left {
    rotations: u64,
    since: Millis,
}

impl Left {
    const fn full(now: Millis) -> Self {
        Self { rotations: limits::ROTATIONS, since: now }
    }

    /// With what came back by now.
    fn at(mut self, now: Millis) -> Self {
        let back = now.since(self.since) / limits::ROTATION_MILLIS;
        self.rotations = self.rotations.saturating_add(back).min(limits::ROTATIONS);
        // A clock that was set back counts on from where it is.
        self.since = self.since.plus(back.saturating_mul(limits::ROTATION_MILLIS)).min(now);
        self
    }
}

/// A member who brings something.
#[derive(Debug)]
pub(crate) struct Giver {
    person: PersonId,
    devices: Vec<DeviceId>,
}

impl Giver {
    /// Whose device it is that proved itself.
    pub(crate) fn of(circle: &CircleState, device: &DeviceId) -> Option<Self> {
        let state = circle.now();
        let person = state.person_of(device)?;
        let devices = state.owners.iter().filter(|(_, owner)| **owner == person).map(|(device, _)| *device).collect();
        Some(Self { person, devices })
    }
}

/// What may still come of each member in each circle; without a person: in introductions.
#[derive(Debug, Default)]
pub(crate) struct RateLimit(BTreeMap<(CircleId, Option<PersonId>), Left>);

impl RateLimit {
    /// May this act be looked at? `giver`: who brings it; nobody, in an introduction. Everything may that is no new plain
    /// rotation of their own.
    pub(crate) fn allows(&mut self, circle: &CircleState, giver: Option<&Giver>, act: &[u8], now: Millis) -> bool {
        let Some(author) = circle.rotates_again(act) else { return true };
        match giver {
            Some(giver) if giver.devices.contains(&author) => self.one_more(circle.id(), Some(giver.person), now),
            Some(_) => true,
            None => self.one_more(circle.id(), None, now),
        }
    }

    fn one_more(&mut self, circle: CircleId, giver: Option<PersonId>, now: Millis) -> bool {
        // Anyone who has all of theirs again is as good as forgotten.
        self.0.retain(|_, left| left.at(now).rotations < limits::ROTATIONS);
        let left = self.0.entry((circle, giver)).or_insert(Left::full(now));
        *left = left.at(now);
        let more = left.rotations > 0;
        left.rotations = left.rotations.saturating_sub(1);
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR;

    const CIRCLE: CircleId = CircleId([1; 32]);

    fn taken(pace: &mut RateLimit, giver: u8, now: Millis) -> u64 {
        (0..10_000).filter(|_| pace.one_more(CIRCLE, Some(PersonId([giver; 32])), now)).count() as u64
    }

    #[test]
    fn m10_so_many_at_once_then_few_an_hour() {
        let mut pace = RateLimit::default();
        let now = Millis(1_000 * HOUR);
        assert_eq!(taken(&mut pace, 1, now), limits::ROTATIONS);
        assert_eq!(taken(&mut pace, 1, now.plus(limits::ROTATION_MILLIS - 1)), 0);
        assert_eq!(taken(&mut pace, 1, now.plus(HOUR)), HOUR / limits::ROTATION_MILLIS);
        assert_eq!(taken(&mut pace, 1, now.plus(HOUR)), 0);
        assert_eq!(taken(&mut pace, 2, now), limits::ROTATIONS, "what one does costs nobody else anything");
        assert_eq!(taken(&mut pace, 1, now.plus(10_000 * HOUR)), limits::ROTATIONS, "and never more than that");
    }

    #[test]
    fn a_clock_that_jumps_back_stops_nobody_for_long() {
        let mut pace = RateLimit::default();
        assert_eq!(taken(&mut pace, 1, Millis(1_000 * HOUR)), limits::ROTATIONS);
        assert_eq!(taken(&mut pace, 1, Millis(HOUR)), 0);
        assert_eq!(taken(&mut pace, 1, Millis(2 * HOUR)), HOUR / limits::ROTATION_MILLIS);
    }
}
