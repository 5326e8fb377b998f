//! What a circle's state says: people and policies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::{CircleState, OwnStanding};
use crate::circle::body::{History, Policy, PolicyField, Retention, Role};
use crate::circle::deeds::{Deed, Done};
use crate::circle::membership::{State, Status};
use crate::circle::record::Record;
use crate::circle::terms::{self, RetentionTerm};
use crate::id::{ActId, DeviceId, PersonId};
use crate::limits::PAST_ACTS;
use crate::planted::{Bug, planted};
use crate::time::Millis;

impl CircleState {
    /// The present judgement.
    #[must_use]
    pub(crate) fn now(&self) -> Arc<State> {
        self.membership().state()
    }

    /// This device.
    #[must_use]
    pub(crate) fn device(&self) -> DeviceId {
        self.signer().id()
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

    /// The name of a person: from the newest record of any of their devices, else their short id.
    #[must_use]
    pub(crate) fn name_of(&self, person: &PersonId) -> String {
        let state = self.now();
        let record = self.records().filter(|r| state.person_of(&r.device) == Some(*person));
        record.max_by_key(|r| (r.body.at, r.count)).map_or_else(|| person.text(), |r| r.body.name.0.clone())
    }

    /// The names of everybody who ever was in, as [`Self::name_of`] gives them.
    #[must_use]
    pub(crate) fn names(&self) -> BTreeMap<PersonId, String> {
        let state = self.now();
        let mut newest: BTreeMap<PersonId, &Record> = BTreeMap::new();
        for record in self.records() {
            let Some(person) = state.person_of(&record.device) else { continue };
            let named = newest.entry(person).or_insert(record);
            if (record.body.at, record.count) >= (named.body.at, named.count) {
                *named = record;
            }
        }
        let name = |id: &PersonId| newest.get(id).map_or_else(|| id.text(), |record| record.body.name.0.clone());
        state.people.keys().map(|id| (*id, name(id))).collect()
    }

    /// Is the device current?
    #[must_use]
    pub(crate) fn is_current(&self, device: &DeviceId) -> bool {
        let state = self.now();
        state.is_current(device) || planted(Bug::RemovedStay) && state.person_of(device).is_some()
    }

    /// The latest moment, up to now, that was written down before somebody knew these acts: among them and what they rest on, as far
    /// as is looked.
    #[must_use]
    pub(crate) fn latest_before(&self, heads: &[ActId], now: Millis) -> Option<Millis> {
        let (mut queue, mut seen) = (VecDeque::from(heads.to_vec()), BTreeSet::new());
        let mut latest = None;
        while let Some(act) = queue.pop_front() {
            if seen.len() >= PAST_ACTS {
                break;
            }
            if seen.insert(act) {
                latest = latest.max(self.acts.label_of(&act).filter(|label| *label <= now));
                queue.extend(self.parents_of(&act));
            }
        }
        latest
    }

    /// How many other people are in.
    #[must_use]
    pub(crate) fn other_people(&self) -> usize {
        let (state, me) = (self.now(), self.me());
        state.people.iter().filter(|(id, person)| person.status == Status::Current && Some(**id) != me).count()
    }

    /// Every current device but this one.
    #[must_use]
    pub(crate) fn others(&self) -> Vec<DeviceId> {
        let me = self.device();
        self.now().roster().into_iter().filter(|d| *d != me).collect()
    }

    /// May they tell somebody who left that it is noted? Who is out themself passes nothing on: their word counts only once nobody is in.
    #[must_use]
    pub(crate) fn notes_leaves(&self) -> bool {
        !matches!(self.standing(), OwnStanding::Leaving | OwnStanding::Left) || self.others().is_empty()
    }

    /// Who did something last.
    #[must_use]
    pub(crate) fn done(&self, deed: Deed) -> Option<Done> {
        let (at, author) = self.acts.last(deed)?;
        Some(Done { at, by: self.now().person_of(&author) })
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

    /// The last settings of that, up to the one in force.
    #[must_use]
    pub(crate) fn retention_terms(&self) -> Vec<RetentionTerm> {
        terms::up_to(self.acts.retentions(), self.retention())
    }

    /// What newcomers may read.
    #[must_use]
    pub(crate) fn history(&self) -> History {
        self.now().history()
    }
}
