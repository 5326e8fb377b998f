//! Membership cut into frames: acts in causal order, and with each the keys of the epoch that it carries.
//!
//! A frame is complete in itself: anyone who takes its acts holds the keys to open the next frame's.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::message::{Acts, Bytes};
use crate::circle::act;
use crate::circle::epoch::{self, BoxKeys, EpochKeys};
use crate::circle::state::CircleState;
use crate::context::{Cx, InputError};
use crate::id::{ActId, DeviceId, EpochId};
use crate::limits;
use crate::work;

/// What a device lacks.
pub(crate) struct ActBatches {
    device: DeviceId,
    /// Keys that they may have.
    keys: BTreeMap<EpochId, EpochKeys>,
    /// Of these, the epochs whose acts they have.
    late: VecDeque<EpochId>,
    acts: VecDeque<ActId>,
}

/// One frame's share.
pub(crate) struct ActBatch {
    /// As it travels.
    pub(crate) message: Acts,
    /// Which acts these are.
    pub(crate) acts: Vec<ActId>,
    /// Of which epochs the keys are, and whether the talk key is among them.
    pub(crate) keys: Vec<(EpochId, bool)>,
}

impl ActBatches {
    /// What a device lacks that has these acts, and roster and talk keys of these epochs.
    pub(crate) fn of(
        circle: &CircleState,
        cx: &Cx<'_, '_>,
        device: DeviceId,
        has: (&BTreeSet<ActId>, &BTreeSet<EpochId>, &BTreeSet<EpochId>),
    ) -> Self {
        let (acts, epochs, talk) = has;
        let lacking = |id: &EpochId| !epochs.contains(id) || !talk.contains(id);
        let person = circle.now().person_of(&device);
        let mut keys = person.map(|person| circle.keys_for(&person, &lacking, cx.env.now)).unwrap_or_default();
        keys.retain(|id, keys| !epochs.contains(id) || keys.talk.is_some());
        let known = |id: &&EpochId| circle.epoch(id).is_some_and(|meta| meta.acts.iter().any(|act| acts.contains(act)));
        work::did(|work| work.compared += circle.judged().len() as u64);
        let late = keys.keys().filter(known).copied().collect();
        Self { device, keys, late, acts: circle.kept().filter(|id| !acts.contains(id)).collect() }
    }

    /// The next frame's share; nothing where everything has been taken.
    pub(crate) fn next(&mut self, circle: &CircleState, cx: &mut Cx<'_, '_>) -> Result<Option<ActBatch>, InputError> {
        let mut keys = Vec::new();
        while keys.len() < limits::BOX_EPOCHS
            && let Some(epoch) = self.late.pop_front()
        {
            keys.extend(self.keys.remove_entry(&epoch));
        }
        let (mut acts, mut bytes, mut size) = (Vec::new(), Vec::new(), 0);
        while size <= limits::FRAME_ACTS_BYTES
            && acts.len() < limits::FRAME_ACTS
            && keys.len() < limits::BOX_EPOCHS
            && let Some(id) = self.acts.pop_front()
        {
            let Some(act) = act::get_kept(&cx.tx, &circle.id(), &id)? else { continue };
            keys.extend(circle.epoch_of(&id).and_then(|epoch| self.keys.remove_entry(epoch)));
            size += act.len();
            bytes.push(Bytes(act));
            acts.push(id);
        }
        if keys.is_empty() && acts.is_empty() {
            return Ok(None);
        }
        let list = keys.iter().map(|(id, keys)| (*id, keys.talk.is_some())).collect();
        let message = Acts { keys: self.pack(circle, cx, keys), acts: bytes };
        Ok(Some(ActBatch { message, acts, keys: list }))
    }

    fn pack(&self, circle: &CircleState, cx: &mut Cx<'_, '_>, keys: Vec<(EpochId, EpochKeys)>) -> Option<Bytes> {
        let keys = keys.into_iter();
        let packed: Vec<BoxKeys> = keys
            .map(|(epoch, keys)| BoxKeys { epoch, roster: Some(keys.roster), library: Some(keys.library), talk: keys.talk })
            .collect();
        if packed.is_empty() {
            return None;
        }
        let device = circle.keys_of(&self.device)?;
        epoch::pack(cx.env.crypto, cx.env.rng, circle.suite(), &circle.id(), device, &packed).map(Bytes)
    }
}
