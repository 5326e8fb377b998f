//! The circles of this member, and what one input changed about them.
//!
//! Everything that judges, writes or receives works on these; who has to hear of it is decided behind the input, by the node.

use std::collections::{BTreeMap, BTreeSet};

use super::delivery::Delivery;
use super::message::ChainSeq;
use crate::circle::state::{CircleRow, CircleState};
use crate::crypto::Crypto;
use crate::id::{CircleId, DeviceId};
use crate::log::chain::Heads;
use crate::store::{Read, StoreError};
use crate::time::Millis;

/// Every circle of this member.
#[derive(Debug, Default)]
pub(crate) struct Circles {
    pub(crate) all: BTreeMap<CircleId, CircleState>,
    /// How far each chain is here, of every circle.
    pub(crate) heads: BTreeMap<CircleId, Heads>,
    /// Which entries other devices are known to have.
    pub(crate) delivery: Delivery,
    /// Did this input bring words that the index lacks?
    pub(crate) new_words: bool,
    /// Circles whose membership or records changed during this input.
    touched: BTreeSet<CircleId>,
    /// Circles in which this input brought something to push.
    to_push: BTreeSet<CircleId>,
}

impl Circles {
    /// What the store holds.
    pub(crate) fn open(base: &dyn Read, crypto: &dyn Crypto) -> Result<Self, StoreError> {
        let all = CircleState::load_all(base, crypto)?;
        let heads = all.keys().map(|id| Ok((*id, Heads::load(base, id)?))).collect::<Result<_, StoreError>>()?;
        Ok(Self { all, heads, ..Self::default() })
    }

    /// A circle's membership or records changed.
    pub(crate) fn touched(&mut self, id: CircleId) {
        self.touched.insert(id);
    }

    /// There is something to push in a circle: own entries were written, or keys learned.
    pub(crate) fn push_soon(&mut self, id: CircleId) {
        self.to_push.insert(id);
    }

    /// Takes out what this input changed: circles that were touched, and circles with something to push.
    pub(crate) fn take_news(&mut self) -> (BTreeSet<CircleId>, BTreeSet<CircleId>) {
        (std::mem::take(&mut self.touched), std::mem::take(&mut self.to_push))
    }

    /// Takes a circle in, in place of what was in memory of it before.
    pub(crate) fn put_circle(&mut self, mut circle: CircleState) {
        if let Some(before) = self.all.get(&circle.id()) {
            circle.replaces(before);
        }
        self.heads.entry(circle.id()).or_default();
        self.all.insert(circle.id(), circle);
    }

    /// Forgets a circle.
    pub(crate) fn forget(&mut self, id: &CircleId) {
        self.all.remove(id);
        self.heads.remove(id);
        self.delivery.forget(id);
    }

    /// How far each chain of a circle is here.
    pub(crate) fn heads_of(&self, id: &CircleId) -> &Heads {
        const NONE: &Heads = &Heads::none();
        self.heads.get(id).unwrap_or(NONE)
    }

    /// Notes how far a device is on our own chains, which is told to nobody but the author; and how far it says that it is on
    /// chains of third devices, for anyone who has to name what stands of them one day.
    pub(crate) fn note_reached(&mut self, now: Millis, id: &CircleId, device: &DeviceId, chains: impl Iterator<Item = ChainSeq>) {
        let (Some(circle), Some(heads)) = (self.all.get(id), self.heads.get(id)) else { return };
        let me = circle.device();
        let here = chains.filter_map(|c| Some(ChainSeq { chain: c.chain, seq: c.seq.min(heads.main(&c.chain)?.seq) }));
        let (own, others): (Vec<ChainSeq>, Vec<ChainSeq>) = here.partition(|c| c.chain.device == me);
        self.delivery.note(*id, *device, own.into_iter(), now);
        // Of a chain with branches, how far says nothing of where.
        let plain = |c: &ChainSeq| c.seq > 0 && c.chain.device != *device && heads.branches(&c.chain).count() == 1;
        self.delivery.witness(*id, *device, others.into_iter().filter(plain), now);
    }

    /// The draft joined a turn: memory and store agree.
    pub(crate) fn saved(&mut self) {
        for circle in self.all.values_mut() {
            circle.saved();
        }
        self.heads.values_mut().for_each(Heads::keep);
    }

    /// The draft was dropped: reads again what it had changed in memory.
    pub(crate) fn reload(&mut self, view: &dyn Read, crypto: &dyn Crypto) -> Result<(), StoreError> {
        drop(self.take_news());
        self.new_words = false;
        self.heads.values_mut().for_each(Heads::undo);
        let dirty: Vec<CircleId> = self.all.values().filter(|c| c.is_unsaved()).map(|c| c.id()).collect();
        for id in dirty {
            match CircleRow::get(view, &id)? {
                Some(row) => self.put_circle(CircleState::load(view, crypto, row)?),
                None => drop(self.all.remove(&id)),
            }
        }
        Ok(())
    }
}
