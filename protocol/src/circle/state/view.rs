//! What a circle's state says: people, policies, epochs, and who may hold which keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{CircleState, EpochMeta, Standing};
use crate::circle::body::{History, Policy, PolicyField, Retention, Role};
use crate::circle::epoch::{EpochKeys, KeyRing};
use crate::circle::membership::State;
use crate::id::{DeviceId, EpochId, PersonId};
use crate::limits;
use crate::planted::{Bug, planted};
use crate::time::{DAY, Millis};

/// An epoch is overdue after so many days, whatever the policies.
const ROTATE_DAYS: u64 = 30;

impl CircleState {
    /// The present judgement.
    #[must_use]
    pub(crate) fn now(&self) -> Arc<State> {
        self.membership.state()
    }

    /// This device.
    #[must_use]
    pub(crate) fn device(&self) -> DeviceId {
        self.row.secrets.sign.id()
    }

    /// Me.
    #[must_use]
    pub(crate) fn me(&self) -> Option<PersonId> {
        self.now().person_of(&self.device())
    }

    /// My role, while I am current.
    #[must_use]
    pub(crate) fn my_role(&self) -> Option<Role> {
        self.now().role_of(&self.device())
    }

    /// The name of a person: from the newest record of any of her devices, else her short id.
    #[must_use]
    pub(crate) fn name_of(&self, person: &PersonId) -> String {
        let state = self.now();
        let record = self.records.values().filter(|r| state.person_of(&r.device) == Some(*person));
        record.max_by_key(|r| (r.body.at, r.count)).map_or_else(|| person.text(), |r| r.body.name.0.clone())
    }

    /// Is the device current?
    #[must_use]
    pub(crate) fn is_current(&self, device: &DeviceId) -> bool {
        let state = self.now();
        state.is_current(device) || planted(Bug::RemovedStay) && state.person_of(device).is_some()
    }

    /// Every current device but this one.
    #[must_use]
    pub(crate) fn others(&self) -> Vec<DeviceId> {
        let me = self.device();
        self.now().roster().into_iter().filter(|d| *d != me).collect()
    }

    /// May she tell somebody who left that it is noted? Who is out herself passes nothing on: her word counts only once nobody is in.
    #[must_use]
    pub(crate) fn notes_leaves(&self) -> bool {
        !matches!(self.row.standing, Standing::Leaving | Standing::Left) || self.others().is_empty()
    }

    fn policy(&self, field: PolicyField) -> Option<Policy> {
        self.now().policies.get(&field).cloned()
    }

    /// The circle's name.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        if let Some(Policy::Name(name)) = self.policy(PolicyField::Name) { name.0 } else { String::new() }
    }

    /// The agreement's text; empty where there is none.
    #[must_use]
    pub(crate) fn agreement(&self) -> String {
        if let Some(Policy::Agreement(text)) = self.policy(PolicyField::Agreement) { text.0 } else { String::new() }
    }

    /// How long conversation is kept.
    #[must_use]
    pub(crate) fn retention(&self) -> Retention {
        self.now().retention()
    }

    /// What newcomers may read.
    #[must_use]
    pub(crate) fn history(&self) -> History {
        self.now().history()
    }

    /// The epoch that a writer uses now, if one is usable.
    #[must_use]
    pub(crate) fn usable_epoch(&self) -> Option<EpochId> {
        let usable = |id: &EpochId| self.ring.epoch(id).is_some_and(|keys| keys.talk.is_some());
        self.now().epochs.iter().filter_map(|act| self.carried.get(act).copied()).find(usable)
    }

    /// The newest epochs held, none of which supersedes another; for sealing a rotation when none is usable.
    pub(super) fn newest_epochs(&self) -> Vec<EpochId> {
        let void = self.membership.void();
        let standing = |(id, meta): &(&EpochId, &EpochMeta)| !void.contains(&meta.act) && self.ring.epoch(id).is_some();
        let held: Vec<(&EpochId, &EpochMeta)> = self.epochs.iter().filter(standing).collect();
        let superseded: BTreeSet<EpochId> = held.iter().flat_map(|(_, meta)| meta.parents.iter().copied()).collect();
        held.into_iter().map(|(id, _)| *id).filter(|id| !superseded.contains(id)).take(limits::HEADS).collect()
    }

    /// Is it time for new keys, by this clock?
    #[must_use]
    pub(crate) fn overdue(&self, epoch: &EpochId, now: Millis) -> bool {
        let days = match self.retention() {
            Retention::Keep => ROTATE_DAYS,
            Retention::Days(n) => ROTATE_DAYS.min(u64::from(n / 2).max(1)),
        };
        self.epochs.get(epoch).is_some_and(|meta| now.since(meta.at) > days * DAY) && !planted(Bug::Ageless)
    }

    /// May a person read an epoch's conversation?
    #[must_use]
    pub(crate) fn may_talk(&self, person: &PersonId, meta: &EpochMeta, now: Millis) -> bool {
        // Every epoch that her admission did not know began during her membership, concurrent ones included: a writer who knows
        // both may use either.
        let state = self.now();
        let since = state.people.get(person).map(|p| p.since.as_slice()).unwrap_or_default();
        if planted(Bug::OldTalk) || since.iter().any(|add| *add == meta.act || !self.membership.within(&meta.act, &[*add])) {
            return true;
        }
        match meta.history {
            History::All => true,
            History::SinceJoin => false,
            History::Days(n) => meta.superseded.is_none_or(|at| now.since(at) < u64::from(n) * DAY),
        }
    }

    /// The keys a person is entitled to, of those held here.
    #[must_use]
    pub(crate) fn keys_for(
        &self,
        person: &PersonId,
        lacking: &dyn Fn(&EpochId) -> bool,
        now: Millis,
    ) -> BTreeMap<EpochId, EpochKeys> {
        let held = self.ring.iter().filter(|(id, _)| lacking(id));
        held.filter_map(|(id, row)| {
            let meta = self.epochs.get(id)?;
            let talk = row.keys.talk.clone().filter(|_| self.may_talk(person, meta, now));
            Some((*id, EpochKeys { roster: row.keys.roster.clone(), library: row.keys.library.clone(), talk }))
        })
        .collect()
    }
}
