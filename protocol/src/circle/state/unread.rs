//! Acts that this program cannot judge: of a newer version, or resting on one that is. They are kept and passed on like any other,
//! decide nothing here, and are judged as if they had just come once a program opens the store that knows them.
//!
//! Nobody who does not understand an act names it as known, so what is written here does not rest on it.

use std::collections::BTreeMap;

use super::{ActTaken, CircleState};
use crate::circle::act::{self, SealedAct};
use crate::context::{Cx, InputError};
use crate::id::ActId;

impl CircleState {
    /// Is it of a newer version, or does it rest on what is?
    pub(super) fn is_unread(&self, sealed: &SealedAct) -> bool {
        sealed.is_newer() || self.acts.has_unread_parent(sealed)
    }

    /// Keeps a verified act that cannot be judged here. Its parents are known.
    pub(super) fn take_unread(&mut self, cx: &mut Cx<'_, '_>, sealed: &SealedAct) -> ActTaken {
        // A device that nobody here ever heard of may have come in by an act that cannot be read, but not otherwise.
        let of_circle = self.keys_of(&sealed.author()).is_some() || self.acts.has_unread_parent(sealed);
        if sealed.is_genesis() || !of_circle || !self.acts.unread().has_room(&sealed.author(), sealed.bytes().len()) {
            return ActTaken::Held;
        }
        act::put_unread(&mut cx.tx, sealed);
        self.absorb_unread(sealed);
        ActTaken::New
    }

    fn absorb_unread(&mut self, sealed: &SealedAct) {
        self.change();
        self.acts.add_unread(sealed);
    }

    /// Takes those of the store into memory.
    pub(super) fn load_unread(&mut self, mut waiting: Vec<SealedAct>) {
        waiting.retain(|sealed| !self.has_act(&sealed.id()));
        loop {
            let (ready, rest): (Vec<SealedAct>, Vec<SealedAct>) =
                waiting.into_iter().partition(|sealed| self.acts.has_parents(sealed));
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
        let order = self.acts.take_unread();
        for id in all.keys() {
            act::delete_unread(&mut cx.tx, &self.id, id);
        }
        for sealed in order.iter().filter_map(|id| all.remove(id)) {
            let _taken = self.take_act(cx, sealed.bytes(), &mut BTreeMap::new())?;
        }
        self.change();
        Ok(())
    }
}
