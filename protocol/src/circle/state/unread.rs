//! Acts that this program cannot judge: of a newer version, or resting on one that is. They are kept and passed on like any other,
//! decide nothing here, and are judged as if they had just come once a program opens the store that knows them.
//!
//! Nobody who does not understand an act names it as known, so what is written here does not rest on it.

use std::collections::{BTreeMap, BTreeSet};

use super::{CircleState, Taken};
use crate::circle::act::{self, SealedAct};
use crate::context::{Cx, InputError};
use crate::id::{ActId, DeviceId};
use crate::limits;

/// The acts of a circle that were not judged.
#[derive(Debug, Default)]
pub(crate) struct UnreadActs {
    /// Parents first.
    order: Vec<ActId>,
    /// Who wrote each, and its bytes.
    acts: BTreeMap<ActId, (DeviceId, usize)>,
}

impl UnreadActs {
    /// Parents first.
    #[must_use]
    pub(crate) fn ids(&self) -> &[ActId] {
        &self.order
    }

    fn has(&self, id: &ActId) -> bool {
        self.acts.contains_key(id)
    }

    /// Is there room for one more by that author?
    fn has_room(&self, author: &DeviceId, bytes: usize) -> bool {
        let by_author = self.acts.values().filter(|(by, _)| by == author).count();
        let all: usize = self.acts.values().map(|(_, bytes)| bytes).sum();
        self.acts.len() < limits::UNREAD_ACTS && by_author < limits::UNREAD_ACTS_EACH && all + bytes <= limits::UNREAD_BYTES
    }
}

impl CircleState {
    /// Is it of a newer version, or does it rest on what is?
    pub(super) fn is_unread(&self, sealed: &SealedAct) -> bool {
        sealed.is_newer() || sealed.parents().iter().any(|parent| self.unread.has(parent))
    }

    /// Keeps a verified act that cannot be judged here. Its parents are known.
    pub(super) fn take_unread(&mut self, cx: &mut Cx<'_, '_>, sealed: &SealedAct) -> Taken {
        // A device that nobody here ever heard of may have come in by an act that cannot be read, but not otherwise.
        let of_circle = self.keys.contains_key(&sealed.author()) || sealed.parents().iter().any(|parent| self.unread.has(parent));
        if sealed.is_genesis() || !of_circle || !self.unread.has_room(&sealed.author(), sealed.bytes().len()) {
            return Taken::Held;
        }
        act::put_unread(&mut cx.tx, sealed);
        self.absorb_unread(sealed);
        Taken::New
    }

    fn absorb_unread(&mut self, sealed: &SealedAct) {
        let id = sealed.id();
        self.change();
        self.weight = self.weight.saturating_add(sealed.bytes().len());
        self.place(sealed);
        self.unread.order.push(id);
        self.unread.acts.insert(id, (sealed.author(), sealed.bytes().len()));
    }

    /// Notes where an act stands among all that are kept.
    pub(super) fn place(&mut self, sealed: &SealedAct) {
        for parent in sealed.parents() {
            self.tips.remove(parent);
        }
        self.tips.insert(sealed.id());
        self.parents.insert(sealed.id(), sealed.parents().to_vec());
    }

    /// Takes those of the store into memory.
    pub(super) fn load_unread(&mut self, mut waiting: Vec<SealedAct>) {
        waiting.retain(|sealed| !self.parents.contains_key(&sealed.id()));
        loop {
            let (ready, rest): (Vec<SealedAct>, Vec<SealedAct>) =
                waiting.into_iter().partition(|sealed| sealed.parents().iter().all(|parent| self.parents.contains_key(parent)));
            if ready.is_empty() {
                return;
            }
            ready.iter().for_each(|sealed| self.absorb_unread(sealed));
            waiting = rest;
        }
    }

    /// Another program opens the store: what it can judge by now is judged, and what is not fit goes.
    ///
    /// # Errors
    /// [`InputError::Store`] where the store fails.
    pub(crate) fn judge_unread(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        let mut all: BTreeMap<ActId, SealedAct> =
            act::kept(&cx.tx, &self.id)?.unread.into_iter().map(|act| (act.id(), act)).collect();
        if all.is_empty() {
            return Ok(());
        }
        let UnreadActs { order, acts } = std::mem::take(&mut self.unread);
        for (id, (_, bytes)) in &acts {
            self.parents.remove(id);
            self.weight = self.weight.saturating_sub(*bytes);
        }
        for id in all.keys() {
            act::delete_unread(&mut cx.tx, &self.id, id);
        }
        let named: BTreeSet<ActId> = self.parents.values().flatten().copied().collect();
        self.tips = self.parents.keys().filter(|id| !named.contains(id)).copied().collect();
        for sealed in order.iter().filter_map(|id| all.remove(id)) {
            let _taken = self.take_act(cx, sealed.bytes(), &mut BTreeMap::new())?;
        }
        self.change();
        Ok(())
    }
}
