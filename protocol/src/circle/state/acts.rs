//! The acts of a circle that are here: their order, what each rests on and says, and what they mean together.
//!
//! Must never open or verify one: what comes in has been looked at.

use std::collections::{BTreeMap, BTreeSet};
#[cfg(any(test, feature = "switches"))]
use std::fmt::Debug;

use crate::circle::act::{ActBody, SealedAct};
use crate::circle::body::Retention;
use crate::circle::deeds::{Deed, Deeds};
use crate::circle::membership::{Fact, Membership};
use crate::circle::terms;
use crate::id::{ActId, CircleId, DeviceId};
use crate::limits;
use crate::time::Millis;

/// What is here of a circle's acts.
#[derive(Debug)]
pub(super) struct CircleActs {
    /// What they mean.
    membership: Membership,
    /// Judged acts in the order of acceptance: parents first.
    order: Vec<ActId>,
    /// Acts that are kept here and cannot be judged.
    unread: UnreadActs,
    /// Acts that no other act names as parent, judged or not.
    tips: BTreeSet<ActId>,
    /// Parents of each act, judged or not.
    parents: BTreeMap<ActId, Vec<ActId>>,
    /// What an act's author's clock said.
    labels: BTreeMap<ActId, (DeviceId, Millis)>,
    /// How many acts' labels were noted, in the order of acceptance.
    heard: usize,
    /// Who did last what people hear of.
    deeds: Deeds,
    /// Every setting of the retention, with its label.
    retentions: Vec<(Millis, ActId, Retention)>,
    /// Bytes of all acts.
    weight: usize,
}

impl CircleActs {
    /// None yet.
    pub(super) fn new(circle: CircleId) -> Self {
        Self {
            membership: Membership::new(circle),
            order: Vec::new(),
            unread: UnreadActs::default(),
            tips: BTreeSet::new(),
            parents: BTreeMap::new(),
            labels: BTreeMap::new(),
            heard: 0,
            deeds: Deeds::default(),
            retentions: Vec::new(),
            weight: 0,
        }
    }

    /// What they mean.
    pub(super) const fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Judged acts in the order of acceptance: parents first.
    pub(super) fn judged(&self) -> &[ActId] {
        &self.order
    }

    /// Acts that are kept here and cannot be judged.
    pub(super) const fn unread(&self) -> &UnreadActs {
        &self.unread
    }

    /// Is the act here, judged or not?
    pub(super) fn has(&self, id: &ActId) -> bool {
        self.parents.contains_key(id)
    }

    /// Is everything here that an act rests on?
    pub(super) fn has_parents(&self, sealed: &SealedAct) -> bool {
        sealed.parents().iter().all(|parent| self.has(parent))
    }

    /// Does an act rest on one that cannot be judged?
    pub(super) fn has_unread_parent(&self, sealed: &SealedAct) -> bool {
        sealed.parents().iter().any(|parent| self.unread.has(parent))
    }

    /// What an act that is here rests on.
    pub(super) fn parents_of(&self, id: &ActId) -> &[ActId] {
        self.parents.get(id).map(Vec::as_slice).unwrap_or_default()
    }

    /// Acts that no other act names as parent, judged or not.
    pub(super) const fn tips(&self) -> &BTreeSet<ActId> {
        &self.tips
    }

    /// What the clock of a judged act's author said.
    pub(super) fn label_of(&self, id: &ActId) -> Option<Millis> {
        self.labels.get(id).map(|(_, label)| *label)
    }

    /// When something was done last, and by which device.
    pub(super) fn last(&self, deed: Deed) -> Option<(Millis, DeviceId)> {
        self.deeds.last(deed)
    }

    /// Every setting of the retention, with its label.
    pub(super) fn retentions(&self) -> &[(Millis, ActId, Retention)] {
        &self.retentions
    }

    /// Bytes of all acts.
    pub(super) const fn weight(&self) -> usize {
        self.weight
    }

    // ---- what comes in -----------------------------------------------------------------------------------------------

    /// Takes in what an opened act says. It is not judged yet; all before it are.
    pub(super) fn add(&mut self, sealed: &SealedAct, body: &ActBody) {
        let (id, author) = (sealed.id(), sealed.author());
        self.place(sealed);
        self.order.push(id);
        self.labels.insert(id, (author, body.at));
        self.deeds.note(&body.statement, (body.at, id, author));
        self.retentions.extend(terms::set_by(&body.statement).map(|retention| (body.at, id, retention)));
    }

    /// Judges an act that was taken in. Inadmissible ones are part of the history too; their parents are known, so none is held.
    pub(super) fn judge(&mut self, fact: Fact) {
        self.membership.add(fact);
    }

    /// Takes in an act that cannot be judged.
    pub(super) fn add_unread(&mut self, sealed: &SealedAct) {
        self.place(sealed);
        self.unread.add(sealed);
    }

    /// Takes out every act that was not judged, as if it had not come yet: their ids, parents first.
    pub(super) fn take_unread(&mut self) -> Vec<ActId> {
        let unread = std::mem::take(&mut self.unread);
        for (id, bytes) in unread.sizes() {
            self.parents.remove(id);
            self.weight = self.weight.saturating_sub(bytes);
        }
        let named: BTreeSet<ActId> = self.parents.values().flatten().copied().collect();
        self.tips = self.parents.keys().filter(|id| !named.contains(id)).copied().collect();
        unread.into_ids()
    }

    /// Notes where an act stands among all that are kept.
    fn place(&mut self, sealed: &SealedAct) {
        for parent in sealed.parents() {
            self.tips.remove(parent);
        }
        self.tips.insert(sealed.id());
        self.parents.insert(sealed.id(), sealed.parents().to_vec());
        self.weight = self.weight.saturating_add(sealed.bytes().len());
    }

    /// What the clocks of those say who wrote the acts that came since this was asked.
    pub(super) fn unheard(&mut self) -> Vec<(DeviceId, Millis)> {
        let new = self.order.iter().skip(self.heard).filter_map(|act| self.labels.get(act).copied()).collect();
        self.heard = self.order.len();
        new
    }

    /// Tells each part by name, for tests.
    #[cfg(any(test, feature = "switches"))]
    pub(super) fn parts(&self, part: &mut dyn FnMut(&str, &dyn Debug)) {
        part("acts", &self.parents);
        part("heads", &self.tips);
        part("standing", &self.membership.state());
    }
}

/// The acts of a circle that were not judged.
#[derive(Debug, Default)]
pub(super) struct UnreadActs {
    /// Parents first.
    order: Vec<ActId>,
    /// Who wrote each, and its bytes.
    acts: BTreeMap<ActId, (DeviceId, usize)>,
}

impl UnreadActs {
    /// Parents first.
    pub(super) fn ids(&self) -> &[ActId] {
        &self.order
    }

    /// Is the act among them?
    fn has(&self, id: &ActId) -> bool {
        self.acts.contains_key(id)
    }

    /// Which they are, and their bytes.
    fn sizes(&self) -> impl Iterator<Item = (&ActId, usize)> {
        self.acts.iter().map(|(id, (_, bytes))| (id, *bytes))
    }

    /// Takes in one whose parents are known.
    fn add(&mut self, sealed: &SealedAct) {
        let id = sealed.id();
        self.order.push(id);
        self.acts.insert(id, (sealed.author(), sealed.bytes().len()));
    }

    /// Which they were, parents first.
    fn into_ids(self) -> Vec<ActId> {
        self.order
    }

    /// Is there room for one more by that author?
    pub(super) fn has_room(&self, author: &DeviceId, bytes: usize) -> bool {
        let by_author = self.acts.values().filter(|(by, _)| by == author).count();
        let all: usize = self.acts.values().map(|(_, bytes)| bytes).sum();
        self.acts.len() < limits::UNREAD_ACTS && by_author < limits::UNREAD_ACTS_EACH && all + bytes <= limits::UNREAD_BYTES
    }
}
