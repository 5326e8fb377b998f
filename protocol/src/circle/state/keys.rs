//! The epochs of a circle as its acts tell them, and the keys of them that this device holds.
//!
//! Must never decide who may hold which: that takes the membership.

use std::collections::{BTreeMap, BTreeSet};
#[cfg(any(test, feature = "switches"))]
use std::fmt::Debug;

use crate::circle::body::{History, NewEpoch};
use crate::circle::epoch::{EpochKeys, EpochRow, KeyRing, Ring};
use crate::crypto::Key;
use crate::id::{ActId, CircleId, EpochId};
use crate::store::{Read, StoreError};
use crate::time::Millis;

/// One epoch, as its acts tell it. An honest one has one act. Where several carry it, what holds is the strictest of what they say,
/// whichever came first.
#[derive(Clone, Debug)]
pub(crate) struct EpochMeta {
    /// The acts that carry it, ascending.
    pub(crate) acts: Vec<ActId>,
    /// Its makers' earliest label.
    pub(crate) at: Millis,
    /// How much of its talk newcomers may read: what it records, or the policy in force in its act's own past, the stricter.
    pub(crate) history: History,
    /// What it supersedes.
    pub(crate) parents: BTreeSet<EpochId>,
}

impl EpochMeta {
    /// The act that stands for it: the one with the smallest id.
    pub(crate) fn act(&self) -> Option<ActId> {
        self.acts.first().copied()
    }

    /// Do several acts claim it? Then it opens what was sealed under it, and nothing new is.
    pub(crate) fn is_contested(&self) -> bool {
        self.acts.len() > 1
    }
}

/// What is here of a circle's epochs.
#[derive(Debug, Default)]
pub(super) struct CircleKeys {
    /// Keys held.
    ring: Ring,
    /// Epochs known.
    epochs: BTreeMap<EpochId, EpochMeta>,
    /// When an epoch was superseded, by the earliest label of those that name it.
    superseded: BTreeMap<EpochId, Millis>,
    /// Which epoch an act carries.
    carried: BTreeMap<ActId, EpochId>,
}

impl CircleKeys {
    /// The keys that the store holds, before any act says what they are of.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(super) fn load(read: &dyn Read, circle: &CircleId) -> Result<Self, StoreError> {
        Ok(Self { ring: Ring::load(read, circle)?, ..Self::default() })
    }

    /// Keys held.
    pub(super) const fn ring(&self) -> &Ring {
        &self.ring
    }

    /// The key of an epoch that opens acts and records, if it is held.
    pub(super) fn roster(&self, epoch: &EpochId) -> Option<&Key> {
        Some(&self.ring.epoch(epoch)?.roster)
    }

    /// An epoch as its acts tell it.
    pub(super) fn epoch(&self, id: &EpochId) -> Option<&EpochMeta> {
        self.epochs.get(id)
    }

    /// The epoch that an act carries.
    pub(super) fn epoch_of(&self, act: &ActId) -> Option<&EpochId> {
        self.carried.get(act)
    }

    /// The act that stands for an epoch.
    pub(super) fn act_of(&self, id: &EpochId) -> Option<ActId> {
        self.epochs.get(id).and_then(EpochMeta::act)
    }

    /// How many epochs are known whose keys are not here.
    pub(super) fn count_lacking(&self) -> usize {
        self.epochs.keys().filter(|id| self.ring.row(id).is_none()).count()
    }

    /// Would these keys of an epoch add to what is held?
    pub(super) fn lacks(&self, id: &EpochId, keys: &EpochKeys) -> bool {
        self.ring.epoch(id).is_none_or(|held| held.talk.is_none() && keys.talk.is_some())
    }

    /// Can content be sealed under an epoch, as far as its keys are concerned?
    pub(super) fn is_usable(&self, id: &EpochId) -> bool {
        self.ring.epoch(id).is_some_and(|keys| keys.talk.is_some())
            && self.epochs.get(id).is_some_and(|meta| !meta.is_contested())
    }

    /// Since when an epoch's keys are in use: when they came, or its label where that is earlier.
    pub(super) fn since(&self, id: &EpochId) -> Option<Millis> {
        let meta = self.epochs.get(id)?;
        Some(self.ring.row(id).map_or(meta.at, |row| row.held_at.min(meta.at)))
    }

    /// The end of the last epoch that opens less to newcomers than the policy says.
    pub(super) fn open_since(&self, policy: History, void: &[ActId]) -> Option<Millis> {
        let stands = |meta: &EpochMeta| meta.acts.iter().any(|act| !void.contains(act));
        let less = |meta: &EpochMeta| meta.history.looseness() < policy.looseness();
        let stricter = self.epochs.iter().filter(|(_, meta)| stands(meta) && less(meta));
        stricter.map(|(id, meta)| self.superseded.get(id).copied().unwrap_or(meta.at)).max()
    }

    /// When an epoch came to its end: by the label of what superseded it, or when it was seen here, the earlier.
    pub(super) fn ended(&self, id: &EpochId) -> Option<Millis> {
        let seen = self.ring.row(id).and_then(|row| row.superseded_at);
        self.superseded.get(id).copied().into_iter().chain(seen).min()
    }

    /// The newest epochs held, none of which supersedes another. `void`: acts that carry none.
    pub(super) fn newest(&self, void: &[ActId]) -> Vec<EpochId> {
        let stands = |meta: &EpochMeta| meta.acts.iter().any(|act| !void.contains(act));
        let standing = |(id, meta): &(&EpochId, &EpochMeta)| stands(meta) && self.ring.epoch(id).is_some();
        let held: Vec<(&EpochId, &EpochMeta)> = self.epochs.iter().filter(standing).collect();
        let superseded: BTreeSet<EpochId> = held.iter().flat_map(|(_, meta)| meta.parents.iter().copied()).collect();
        held.into_iter().map(|(id, _)| *id).filter(|id| !superseded.contains(id)).collect()
    }

    // ---- what comes in -----------------------------------------------------------------------------------------------

    /// Notes an epoch that an act carries. `history`: how much of its talk the act may let newcomers read.
    pub(super) fn note(&mut self, act: ActId, id: EpochId, (at, history): (Millis, History), new: &NewEpoch) {
        for parent in &new.parents {
            self.superseded.entry(*parent).and_modify(|before| *before = (*before).min(at)).or_insert(at);
        }
        let meta = self.epochs.entry(id).or_insert_with(|| EpochMeta { acts: Vec::new(), at, history, parents: BTreeSet::new() });
        meta.acts.push(act);
        meta.acts.sort_unstable();
        (meta.at, meta.history) = (meta.at.min(at), meta.history.stricter(history));
        meta.parents.extend(&new.parents);
        self.carried.insert(act, id);
    }

    /// The row of a known epoch once these keys joined those held; nothing where they add nothing.
    pub(super) fn row_with(&self, id: &EpochId, keys: EpochKeys, now: Millis) -> Option<EpochRow> {
        let meta = self.epochs.get(id)?;
        let act = meta.act()?;
        match self.ring.row(id) {
            Some(held) if held.keys.talk.is_some() || held.talk_destroyed_at.is_some() || keys.talk.is_none() => None,
            Some(held) => {
                let mut row = held.clone();
                row.keys = keys;
                Some(row)
            }
            None => Some(EpochRow::new(keys, act, meta.at, meta.history, now)),
        }
    }

    /// Holds an epoch's keys from now on, or what else its row says.
    pub(super) fn hold(&mut self, id: EpochId, row: EpochRow) {
        self.ring.insert(id, row);
    }

    /// Tells each part by name, for tests.
    #[cfg(any(test, feature = "switches"))]
    pub(super) fn parts(&self, part: &mut dyn FnMut(&str, &dyn Debug)) {
        part("epochs", &(&self.epochs, &self.carried));
        let keys = |id| self.ring.epoch(id).map(|keys| [Some(&keys.roster), Some(&keys.library), keys.talk.as_ref()]);
        let hold = |id| keys(id).map(|keys| keys.map(|key| key.map(|key| *key.as_bytes())));
        let ring = self.ring.iter().map(|(id, row)| (id, hold(id), row.act, row.held_at, row.superseded_at));
        part("keys", &ring.collect::<Vec<_>>());
    }
}
