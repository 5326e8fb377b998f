//! A circle in memory: its acts, what they mean, the keys held and the records known. A cache of the store; built again from
//! it whenever an input was refused half-way or a commit failed.
//!
//! Owns acts' acceptance and one's own acts. Must never send: what peers need is asked for by `sync`.

use std::collections::BTreeMap;

use super::body::Statement;
use super::epoch::{self, EpochKeys};
use super::membership::{Cut, Fact, Verdict};
use super::record::{self, Record};
use crate::circle::act::{self, ActBody, SealedAct};
use crate::context::{Cx, InputError};
use crate::crypto::{Crypto, Suite};
use crate::id::{ActId, CircleId, DeviceId, EpochId, PeerId};
use crate::store::{Read, StoreError};
use crate::time::Millis;

mod acts;
mod epochs;
mod keys;
mod own;
#[cfg(any(test, feature = "switches"))]
mod parts;
mod queries;
mod records;
mod unread;
mod view;

pub(crate) use super::row::{CircleRow, OwnStanding};
use acts::CircleActs;
use keys::CircleKeys;
pub(crate) use keys::EpochMeta;
use records::{CircleRecords, introduced};

/// What became of an act that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum ActTaken {
    /// New, and part of the circle's history from now on.
    New,
    /// Known already.
    Known,
    /// Its parents or the key to open it are missing; it was not kept.
    Held,
    /// Its author had no authority for it in its own past (R3); nobody keeps it.
    Refused,
    /// Not what it claims to be.
    Bad,
}

/// A circle in memory.
#[derive(Debug)]
pub(crate) struct CircleState {
    /// Its id.
    id: CircleId,
    /// What only this machine knows.
    row: CircleRow,
    /// Its acts, and what they mean.
    acts: CircleActs,
    /// Its epochs, and the keys held of them.
    keys: CircleKeys,
    /// What is known of its devices.
    records: CircleRecords,
    /// The genesis' suite.
    suite: Suite,
    /// The content cuts that the items' rows know of.
    cuts: Vec<Cut>,
    /// Memory is ahead of the store.
    dirty: bool,
    /// How often it changed.
    revision: u64,
}

impl CircleState {
    /// An empty state around a row, before any act.
    #[must_use]
    pub(crate) fn empty(row: CircleRow) -> Self {
        let suite = row.suite().unwrap_or(Suite::XWing);
        Self {
            id: row.circle(),
            acts: CircleActs::new(row.circle()),
            row,
            keys: CircleKeys::default(),
            records: CircleRecords::default(),
            suite,
            cuts: Vec::new(),
            dirty: false,
            revision: 0,
        }
    }

    /// Something changed that the store does not hold yet.
    pub(crate) const fn change(&mut self) {
        self.dirty = true;
        self.revision += 1;
    }

    /// Names what acts, keys and records say at this moment: it grows with every change.
    #[must_use]
    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    /// Does the store lack anything of it?
    #[must_use]
    pub(crate) const fn is_unsaved(&self) -> bool {
        self.dirty
    }

    /// The store holds everything of it.
    pub(crate) const fn saved(&mut self) {
        self.dirty = false;
    }

    /// Takes the place of what was in memory before. What was noted about that holds of this no more.
    pub(crate) const fn replaces(&mut self, before: &Self) {
        self.revision = before.revision + 1;
    }

    /// All circles of a store.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or holds what no version wrote.
    pub(crate) fn load_all(read: &dyn Read, crypto: &dyn Crypto) -> Result<BTreeMap<CircleId, Self>, StoreError> {
        let mut circles = BTreeMap::new();
        for row in CircleRow::all(read)? {
            circles.insert(row.circle(), Self::load(read, crypto, row)?);
        }
        Ok(circles)
    }

    /// A circle from its row and the log.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn load(read: &dyn Read, crypto: &dyn Crypto, row: CircleRow) -> Result<Self, StoreError> {
        let mut state = Self::empty(row);
        state.keys = CircleKeys::load(read, &state.id)?;
        // The store holds acts by id.
        let act::KeptActs { judged, unread } = act::kept(read, &state.id)?;
        for sealed in act::parents_first(judged, SealedAct::id, SealedAct::parents) {
            if state.acts.has_parents(&sealed)
                && let Some(body) = state.opened(&sealed)
            {
                state.absorb(crypto, &sealed, body);
            }
        }
        state.load_unread(unread);
        for bytes in record::stored(read, &state.id)? {
            state.absorb_record(crypto, &bytes);
        }
        state.dirty = false;
        // Their labels were noted when they came.
        drop(state.unheard());
        state.note_cuts();
        Ok(state)
    }

    /// What the clocks of those say who wrote the acts that came since this was asked.
    pub(crate) fn unheard(&mut self) -> Vec<(DeviceId, Millis)> {
        self.acts.unheard()
    }

    /// The items' rows follow the cuts that are in force now.
    pub(crate) fn note_cuts(&mut self) {
        self.cuts.clone_from(&self.now().cuts);
    }

    /// All acts that are kept here, parents first: those that cannot be judged behind the others.
    pub(crate) fn kept(&self) -> impl Iterator<Item = ActId> {
        self.judged().iter().chain(self.unread()).copied()
    }

    fn opened(&self, sealed: &SealedAct) -> Option<ActBody> {
        match sealed.epoch() {
            Some(epoch) => sealed.open(self.keys.roster(&epoch)?),
            // A genesis is sealed under the epoch it carries itself: whichever key held opens it.
            None => self.ring().iter().find_map(|(_, row)| sealed.open(&row.keys.roster)),
        }
    }

    /// The epoch that an act carries.
    #[cfg(test)]
    pub(crate) fn opened_epoch(&self, sealed: &SealedAct) -> Option<super::body::NewEpoch> {
        self.opened(sealed)?.epoch
    }

    /// Takes a verified, opened act into memory.
    fn absorb(&mut self, crypto: &dyn Crypto, sealed: &SealedAct, body: ActBody) {
        self.change();
        self.records.note(sealed, &body);
        self.acts.add(sealed, &body);
        let (at, carried) = (body.at, body.epoch.clone());
        let fact = Fact::read(crypto, sealed, body);
        if let Some(new) = carried {
            self.absorb_epoch(&fact, at, &new);
        }
        self.acts.judge(fact);
    }

    /// Judges an act that a peer sent, and keeps it if it belongs to this circle. `offered`: keys that came with it.
    ///
    /// # Errors
    /// [`InputError::Store`] where the store fails.
    pub(crate) fn take_act(
        &mut self,
        cx: &mut Cx<'_, '_>,
        bytes: &[u8],
        offered: &mut BTreeMap<EpochId, EpochKeys>,
    ) -> Result<ActTaken, InputError> {
        let Ok(sealed) = SealedAct::parse_any(bytes) else { return Ok(ActTaken::Bad) };
        if self.has_act(&sealed.id()) {
            return Ok(ActTaken::Known);
        }
        if sealed.circle() != self.id {
            return Ok(ActTaken::Bad);
        }
        if !self.acts.has_parents(&sealed) {
            return Ok(ActTaken::Held);
        }
        if !sealed.verify(cx.env.crypto) {
            return Ok(ActTaken::Bad);
        }
        if self.is_unread(&sealed) {
            return Ok(self.take_unread(cx, &sealed));
        }
        let body = match sealed.epoch() {
            Some(_) => self.opened(&sealed),
            None => offered.values().find_map(|keys| sealed.open(&keys.roster)),
        };
        let Some(body) = body else { return Ok(ActTaken::Held) };
        if !sealed.farewell_stands(cx.env.crypto, &body) {
            return Ok(ActTaken::Bad);
        }
        if self.membership().check(&Fact::read(cx.env.crypto, &sealed, body.clone())) != Verdict::Admissible {
            return Ok(ActTaken::Refused);
        }
        act::put_act(&mut cx.tx, &sealed);
        let carried = body.epoch.clone();
        self.absorb(cx.env.crypto, &sealed, body);
        if let Some(new) = carried {
            let id = epoch::epoch_id(&self.id, &new);
            if let Some(keys) = offered.remove(&id).filter(|keys| epoch::check(&new.commitments, keys)) {
                self.learn_keys(cx, id, keys);
            }
        }
        Ok(ActTaken::New)
    }

    /// Verifies a record and keeps it if it is newer. True where it was.
    pub(crate) fn take_record(&mut self, cx: &mut Cx<'_, '_>, bytes: &[u8]) -> bool {
        let current = Record::peek(bytes).is_ok_and(|(device, count, _)| self.is_current(&device) && count < u64::MAX / 2);
        let newer = if current { self.absorb_record(cx.env.crypto, bytes) } else { None };
        if newer == Some(self.device()) {
            // A folder that was restored has counted further before.
            self.row.counted(self.record_of(&self.device()).map_or(0, |r| r.count));
            self.save_row(cx);
        }
        if let Some(device) = newer
            && let Some(record) = self.records.of(&device)
        {
            record::put(&mut cx.tx, &self.id, record);
        }
        newer.is_some()
    }

    /// The device of a record that came too late: its person was put out before any of its records came here. It is kept where it
    /// names the peer that hands it over, so that the person can be told; and only if we were in when that person was let in, so
    /// that they know of us already.
    pub(crate) fn take_late_record(&mut self, cx: &mut Cx<'_, '_>, bytes: &[u8], peer: &PeerId) -> Option<DeviceId> {
        let (device, _, epoch) = Record::peek(bytes).ok()?;
        if self.is_current(&device) || self.record_of(&device).is_some() {
            return None;
        }
        let admission = self.judged().iter().find(|act| self.introduces(act, &device))?;
        if !self.membership().state_at(&[*admission])?.is_current(&self.device()) {
            return None;
        }
        let roster = self.keys.roster(&epoch)?;
        let record = Record::read(cx.env.crypto, &self.id, roster, bytes).filter(|record| record.body.peer == *peer)?;
        record::put(&mut cx.tx, &self.id, &record);
        self.change();
        self.records.keep(record);
        Some(device)
    }

    fn absorb_record(&mut self, crypto: &dyn Crypto, bytes: &[u8]) -> Option<DeviceId> {
        let (device, count, epoch) = Record::peek(bytes).ok()?;
        if !self.records.lacks(&device, count) {
            return None;
        }
        let roster = self.keys.roster(&epoch)?;
        let record = Record::read(crypto, &self.id, roster, bytes)?;
        self.change();
        self.records.keep(record);
        Some(device)
    }

    /// The author of an act that is a plain rotation and new here; not verified.
    #[must_use]
    pub(crate) fn rotates_again(&self, bytes: &[u8]) -> Option<DeviceId> {
        let sealed = SealedAct::parse(bytes).ok().filter(|sealed| !self.has_act(&sealed.id()))?;
        let rotates = self.opened(&sealed).is_some_and(|body| matches!(body.statement, Statement::Rotate));
        rotates.then(|| sealed.author())
    }

    /// The invite that a ticket's public key belongs to.
    #[must_use]
    pub(crate) fn invite_of(&self, ticket: &DeviceId) -> Option<ActId> {
        // All are looked at, wherever it is found: the time tells nothing of it.
        let state = self.now();
        let mut found: Option<(ActId, bool)> = None;
        for (id, invite) in state.invites.iter().filter(|(_, invite)| invite.key == *ticket) {
            let open = invite.left() > 0;
            if found.is_none_or(|(_, before)| open && !before) {
                found = Some((*id, open));
            }
        }
        found.map(|(id, _)| id)
    }

    /// Did this act bring that device?
    #[must_use]
    pub(crate) fn introduces(&self, act: &ActId, device: &DeviceId) -> bool {
        self.membership().statement(act).is_some_and(|statement| introduced(statement).iter().any(|keys| keys.sign == *device))
    }

    /// The keys in a box for this device; none where it is none of ours.
    #[must_use]
    pub(crate) fn open_box(&self, crypto: &dyn Crypto, sealed: &[u8]) -> BTreeMap<EpochId, EpochKeys> {
        let keys = epoch::unpack(crypto, &self.id, &self.device(), &self.row.secrets().hpke, sealed).unwrap_or_default();
        let whole = |k: epoch::BoxKeys| Some((k.epoch, EpochKeys { roster: k.roster?, library: k.library?, talk: k.talk }));
        keys.into_iter().filter_map(whole).collect()
    }
}
