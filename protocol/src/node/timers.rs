//! When a node goes on with what takes more than one turn.
//!
//! The next slice of each thing is a new deadline, so that other inputs come in between and none waits for long. In memory only: after
//! a restart everything is due at once.

use std::collections::{BTreeMap, BTreeSet};

use super::draft_row;
use crate::id::CircleId;
use crate::item;
use crate::limits::{INDEX_AFTER_MILLIS, INDEX_BY_MILLIS, SLICE_MILLIS};
use crate::peer::Peers;
use crate::store::{Read, StoreError};
use crate::sync::circles::Circles;
use crate::sync::{cuts, entries};
use crate::time::Millis;

/// When something is gone on with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    at: Millis,
    /// It is never set further ahead than so many milliseconds.
    most: u64,
}

impl Timer {
    /// Due at once.
    const fn new(most: u64) -> Self {
        Self { at: Millis(0), most }
    }

    /// Due with the next slice.
    pub(super) const fn soon(now: Millis) -> Self {
        Self { at: now.plus(SLICE_MILLIS), most: SLICE_MILLIS }
    }

    /// Is it time? A clock that was set back makes nobody wait.
    pub(super) fn is_due(&self, now: Millis) -> bool {
        self.at <= now || self.at > now.plus(self.most)
    }

    /// Is it time? Then it is again with the next slice.
    pub(super) fn strikes(&mut self, now: Millis) -> bool {
        let due = self.is_due(now);
        if due {
            self.at = now.plus(SLICE_MILLIS);
        }
        due
    }
}

/// One timer for each thing that a node does in slices.
#[derive(Debug)]
pub(super) struct Timers {
    /// What the budget of a turn did not reach to: destroying, and what others lack.
    pub(super) go_on: Timer,
    /// Items that are to be put together.
    pub(super) build: Timer,
    /// Words that wait to be indexed.
    pub(super) index: Timer,
    /// And when they are at the latest, while more of them come.
    index_by: Option<Millis>,
    /// Circles with more heads than an act can name, which a refused command began to bring together.
    gathering: BTreeMap<CircleId, Timer>,
    /// How many slices of verdicts were judged again since the node was opened: a deadline that has passed, and moves.
    rejudged: u64,
}

impl Timers {
    pub(super) const fn new() -> Self {
        Self {
            go_on: Timer::new(SLICE_MILLIS),
            build: Timer::new(SLICE_MILLIS),
            index: Timer::new(INDEX_BY_MILLIS),
            index_by: None,
            gathering: BTreeMap::new(),
            rejudged: 0,
        }
    }

    /// There are new words to index, once it is quiet.
    pub(super) fn index_soon(&mut self, now: Millis) {
        let latest = now.plus(INDEX_BY_MILLIS);
        let by = self.index_by.map_or(latest, |by| by.min(latest));
        self.index_by = Some(by);
        self.index.at = now.plus(INDEX_AFTER_MILLIS).min(by);
    }

    /// No words wait any more.
    pub(super) const fn indexed(&mut self) {
        self.index_by = None;
    }

    /// A slice of verdicts was judged again.
    pub(super) const fn rejudged(&mut self) {
        self.rejudged += 1;
    }

    /// More of these circles' heads are brought together with the next slice.
    pub(super) fn gather(&mut self, circles: impl Iterator<Item = CircleId>, now: Millis) {
        self.gathering.extend(circles.map(|id| (id, Timer::soon(now))));
    }

    /// Takes out the circles whose heads are to be brought together now.
    pub(super) fn take_gathering(&mut self, now: Millis) -> BTreeSet<CircleId> {
        self.gathering.extract_if(.., |_, timer| timer.is_due(now)).map(|(id, _)| id).collect()
    }

    /// When each thing is due, and which is next: everything that a node does unasked is named here.
    pub(super) fn deadline(&self, base: &dyn Read, circles: &Circles, peers: &Peers) -> Result<Option<Millis>, StoreError> {
        let sweep = entries::next_sweep(base)?.map(|due| due.max(self.go_on.at));
        let index = item::unindexed(base)?.then_some(self.index.at);
        let build = item::unbuilt(base)?.then_some(self.build.at);
        let rejudge = cuts::waits(base)?.then_some(Millis(self.rejudged));
        let gather = self.gathering.values().map(|timer| timer.at).min();
        let streams = peers.deadline(self.go_on.at);
        let delivery = circles.delivery.due();
        let drafts = draft_row::next_due(base)?;
        Ok([sweep, index, build, rejudge, gather, streams, delivery, drafts].into_iter().flatten().min())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR;

    const NOW: Millis = Millis(1_000 * HOUR);

    #[test]
    fn a_slice_follows_the_last_one_and_not_in_the_same_moment() {
        let mut timer = Timers::new().build;
        assert!(timer.strikes(NOW), "at once after a start");
        assert!(!timer.strikes(NOW));
        assert!(timer.strikes(NOW.plus(SLICE_MILLIS)));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_wait() {
        let mut timers = Timers::new();
        let back = Millis(NOW.0 - HOUR);
        timers.index_soon(NOW);
        timers.gather([CircleId([1; 32])].into_iter(), NOW);
        for timer in [&mut timers.go_on, &mut timers.build] {
            assert!(timer.strikes(NOW) && timer.strikes(back) && !timer.strikes(back));
        }
        assert!(!timers.index.is_due(NOW) && timers.index.strikes(back));
        assert!(timers.take_gathering(NOW).is_empty());
        assert_eq!(timers.take_gathering(back).len(), 1);
        // Words that come from then on are indexed as soon as ever.
        for _ in 0..INDEX_BY_MILLIS {
            timers.index_soon(back);
        }
        assert!(timers.index.at <= back.plus(INDEX_AFTER_MILLIS));
        let mut at = back;
        while at < back.plus(INDEX_BY_MILLIS) {
            timers.index_soon(at);
            at = at.plus(INDEX_AFTER_MILLIS / 2);
        }
        assert!(timers.index.is_due(back.plus(INDEX_BY_MILLIS)), "however long more of them come");
    }

    #[test]
    fn words_wait_until_it_is_quiet_and_not_for_ever() {
        let mut timers = Timers::new();
        timers.index_soon(NOW);
        assert!(!timers.index.is_due(NOW.plus(INDEX_AFTER_MILLIS - 1)) && timers.index.is_due(NOW.plus(INDEX_AFTER_MILLIS)));
        timers.index_soon(NOW.plus(INDEX_BY_MILLIS - 1));
        assert!(timers.index.is_due(NOW.plus(INDEX_BY_MILLIS)));
        timers.indexed();
        timers.index_soon(NOW.plus(INDEX_BY_MILLIS));
        assert!(!timers.index.is_due(NOW.plus(INDEX_BY_MILLIS)), "those that come later wait as long");
    }
}
