//! What another device has, as far as we know.
//!
//! One device may run on two machines that do not know of each other (a copied folder). So what is known belongs to one
//! conversation with a device: a stream, or a mailbox. It names the device, holds plain data, and can be kept and gone on with.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::branches::{self, Unsure};
use super::gaps::{self, OpenGap};
use super::message::{ChainHave, ChainSeq, Have};
use crate::circle::body::ChainId;
use crate::circle::state::CircleState;
use crate::context::InputError;
use crate::id::{ActId, DeviceId, EntryId, EpochId};
use crate::limits;
use crate::log::chain::{ChainHead, Heads};

/// What the other side has, as far as we know. What is kept of it leaves out what was worked out from this machine's memory.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Known {
    /// Which device.
    #[n(0)]
    pub(crate) device: DeviceId,
    #[n(1)]
    pub(crate) acts: BTreeSet<ActId>,
    #[n(2)]
    pub(crate) epochs: BTreeSet<EpochId>,
    #[n(3)]
    pub(crate) talk: BTreeSet<EpochId>,
    #[n(4)]
    pub(crate) records: BTreeMap<DeviceId, u64>,
    /// How far they are on the main branch of each chain, or will be once what we sent has arrived.
    #[n(5)]
    pub(crate) chains: BTreeMap<ChainId, u64>,
    /// Heads they named, and heads of side branches that we sent.
    #[n(6)]
    pub(crate) heads: BTreeSet<EntryId>,
    /// How far side branches were sent, by their number here.
    #[n(7)]
    pub(crate) branches: BTreeMap<u32, u64>,
    /// Chains that were sent again from the start because of a fork.
    #[n(8)]
    pub(crate) shown: BTreeSet<ChainId>,
    /// What is missing in their chains, as far as we did not look yet whether we can send it.
    #[n(9)]
    pub(crate) gaps: Vec<OpenGap>,
    /// Heads they named that are still to be compared with ours.
    #[n(10)]
    pub(crate) unsure: Unsure,
    /// Up to where our branches, by their number here, hold nothing for them beyond what was sent: under the talk keys that they
    /// had at that time.
    #[n(11)]
    pub(crate) passed: BTreeMap<u32, (usize, u64)>,
    /// The circle's revision at which they had all acts, keys and records that they may have.
    #[cbor(skip)]
    pub(crate) complete_at: Option<u64>,
    /// As of when `behind` holds: the circle's revision, how many talk keys they had, and the mark of our heads.
    #[cbor(skip)]
    pub(crate) followed: Option<(u64, usize, u64)>,
    /// Chains of which they may lack something: all others were looked at, and did not change since.
    #[cbor(skip)]
    pub(crate) behind: BTreeSet<ChainId>,
}

impl Known {
    /// What a device has that says so, as far as we can tell.
    ///
    /// # Errors
    /// [`InputError::Peer`] where it names more than anybody keeps.
    pub(crate) fn of(circle: &CircleState, heads: &Heads, device: DeviceId, have: &Have) -> Result<Self, InputError> {
        let named = branches::named(have)?;
        let mut known = Self::alike(circle, device, have);
        gaps::bound(&mut known.gaps, heads);
        known.unsure = branches::unsure(named, heads);
        Ok(known)
    }

    /// What a device has that has the same as we do.
    pub(crate) fn alike(circle: &CircleState, device: DeviceId, have: &Have) -> Self {
        let mut acts = BTreeSet::new();
        let mut open: Vec<ActId> = have.tips.iter().filter(|tip| circle.has_act(tip)).copied().collect();
        while let Some(id) = open.pop() {
            if acts.insert(id) {
                open.extend(circle.parents_of(&id));
            }
        }
        Self {
            device,
            acts,
            epochs: have.epochs.iter().copied().collect(),
            talk: have.talk.iter().copied().collect(),
            records: have.records.iter().copied().collect(),
            chains: least(&have.chains),
            heads: have.chains.iter().map(|c| c.head).collect(),
            branches: BTreeMap::new(),
            shown: BTreeSet::new(),
            gaps: gaps::in_order(&have.missing),
            unsure: Unsure::new(),
            passed: BTreeMap::new(),
            complete_at: None,
            followed: None,
            behind: BTreeSet::new(),
        }
    }

    /// They have these acts, and hold the keys of these epochs; true: the talk key, too.
    pub(crate) fn has_acts(&mut self, acts: impl IntoIterator<Item = ActId>, keys: &[(EpochId, bool)]) {
        self.acts.extend(acts);
        self.epochs.extend(keys.iter().map(|(id, _)| *id));
        self.talk.extend(keys.iter().filter(|(_, talk)| *talk).map(|(id, _)| *id));
    }

    /// They have a device's record of this count.
    pub(crate) fn has_record(&mut self, device: DeviceId, count: u64) {
        self.records.insert(device, count);
    }

    /// They are at least this far on the main branch of a chain.
    pub(crate) fn has_chain(&mut self, chain: ChainId, seq: u64) {
        let reached = self.chains.entry(chain).or_insert(0);
        *reached = (*reached).max(seq);
    }

    /// They have taken these chains as far as they say. Names the chains of which they have more than is here.
    pub(crate) fn got(&mut self, heads: &Heads, chains: &[ChainSeq]) -> Vec<ChainSeq> {
        let mut further = Vec::new();
        for theirs in chains {
            let head = heads.main(&theirs.chain);
            let here = head.map_or(0, |head| head.seq);
            if theirs.seq > here {
                further.push(ChainSeq { chain: theirs.chain, seq: here });
            }
            // What they claim beyond what we have is no reason to keep anything.
            if head.is_some() {
                self.has_chain(theirs.chain, theirs.seq.min(here));
            }
        }
        further
    }

    /// They have only so much of these chains.
    pub(crate) fn want(&mut self, chains: &[ChainSeq]) {
        for theirs in chains {
            // Of chains that are not known here, no more are kept than a circle has.
            if self.chains.contains_key(&theirs.chain) || self.chains.len() < limits::PEER_CHAINS {
                self.lower(theirs.chain, theirs.seq);
            }
        }
    }

    /// A run showed two branches of a chain: they may lack ours, and get our main one from the start, once.
    pub(crate) fn show_main(&mut self, chain: ChainId) {
        if self.shown.insert(chain) {
            self.lower(chain, 0);
        }
    }

    /// Which of these chains they are behind on.
    pub(crate) fn lacks(&self, heads: &Heads) -> Vec<ChainSeq> {
        let mains = heads.all().filter(|head| head.parent.is_none());
        let behind = mains.filter(|head| self.chains.get(&head.id).is_none_or(|seq| *seq < head.seq));
        behind.map(|head| ChainSeq { chain: head.id, seq: head.seq }).collect()
    }

    /// They are no further than this on a chain.
    pub(crate) fn lower(&mut self, chain: ChainId, seq: u64) {
        self.chains.insert(chain, seq);
        self.behind.insert(chain);
    }

    /// Notes which chains have to be looked at: those that changed, or all of them where other keys decide what may be sent.
    pub(crate) fn follow(&mut self, heads: &Heads, revision: u64) {
        let (talk, mark) = (self.talk.len(), heads.mark());
        match self.followed {
            Some((as_of, keys, before)) if (as_of, keys) == (revision, talk) => self.behind.extend(heads.since(before)),
            _ => self.behind.extend(heads.all().map(|head| head.id)),
        }
        self.followed = Some((revision, talk, mark));
    }

    /// From where on a branch is looked at again: behind what was sent, and behind what is not for them.
    pub(crate) fn skip(&self, branch: u32, after: u64) -> u64 {
        let passed = self.passed.get(&branch).filter(|(keys, _)| *keys == self.talk.len());
        passed.map_or(after, |(_, seq)| after.max(*seq))
    }

    /// A branch holds nothing for them up to this entry, beyond what was sent, with the talk keys they have.
    pub(crate) fn pass(&mut self, branch: u32, seq: u64) {
        self.passed.insert(branch, (self.talk.len(), seq));
    }

    /// A branch was sent up to this entry.
    pub(crate) fn sent(&mut self, branch: &ChainHead, seq: u64) {
        if branch.parent.is_some() {
            self.branches.insert(branch.no, seq);
        } else if seq > 0 {
            self.chains.insert(branch.id, seq);
        }
    }
}

/// How far they are on each chain; where they name branches, as far as all of them.
fn least(chains: &[ChainHave]) -> BTreeMap<ChainId, u64> {
    let mut out: BTreeMap<ChainId, u64> = BTreeMap::new();
    for theirs in chains {
        out.entry(theirs.chain).and_modify(|seq| *seq = (*seq).min(theirs.seq)).or_insert(theirs.seq);
    }
    out
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::circle::body::KeyClass;
    use crate::frozen::{Form, frozen};
    use crate::id::Incarnation;

    fn known() -> Known {
        let chain = ChainId { device: DeviceId([3; 32]), incarnation: Incarnation([7; 16]), class: KeyClass::Talk };
        Known {
            device: DeviceId([23; 32]),
            acts: [ActId([4; 32])].into(),
            epochs: [EpochId([5; 32])].into(),
            talk: [EpochId([15; 32])].into(),
            records: [(DeviceId([3; 32]), 300)].into(),
            chains: [(chain, 400)].into(),
            heads: [EntryId([6; 32])].into(),
            branches: [(2, 300)].into(),
            shown: [chain].into(),
            gaps: vec![OpenGap { chain, first: 3, last: 300, looked: 4 }],
            unsure: Unsure::default(),
            passed: [(2, (1, 300))].into(),
            complete_at: None,
            followed: None,
            behind: BTreeSet::new(),
        }
    }

    frozen![Form::new("known", 1, &[known()])];
}
