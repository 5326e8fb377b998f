//! A circle's epochs: which one to write under, when it is time for another, and who may hold which keys.
//!
//! What an act says of its epoch is its maker's word. How much the epoch opens to newcomers is never more than the circle had
//! decided in the act's own past; how old it is, and since when it is over, never less than what this machine saw itself.

use std::collections::{BTreeMap, BTreeSet};

use super::{CircleState, EpochMeta};
use crate::circle::act;
use crate::circle::body::{History, NewEpoch, Retention};
use crate::circle::epoch::{self, EpochKeys, EpochRow};
use crate::circle::membership::Fact;
use crate::context::Cx;
use crate::id::{ActId, EpochId, PersonId};
use crate::limits;
use crate::planted::{Bug, planted};
use crate::store::Read;
use crate::time::{DAY, Millis};

impl CircleState {
    /// Takes an act's epoch into memory. The act itself is not judged yet; all before it are.
    pub(super) fn absorb_epoch(&mut self, fact: &Fact, at: Millis, new: &NewEpoch) {
        let id = epoch::epoch_id(&self.id, new);
        let decided = self.membership().history_in(fact);
        let history = if planted(Bug::LooseEpoch) { new.history } else { new.history.stricter(decided) };
        self.keys.note(fact.id, id, (at, history), new);
    }

    /// Keeps keys of a known epoch, joined with those already held.
    pub(super) fn learn_keys(&mut self, cx: &mut Cx<'_, '_>, id: EpochId, keys: EpochKeys) {
        if let Some(row) = self.keys.row_with(&id, keys, cx.env.now) {
            self.keep_epoch(cx, id, row);
        }
    }

    fn keep_epoch(&mut self, cx: &mut Cx<'_, '_>, id: EpochId, row: EpochRow) {
        self.change();
        epoch::put_epoch(&mut cx.tx, &self.id, &id, &row);
        self.keys.hold(id, row);
    }

    /// Takes keys that a box brought for epochs whose acts are known. True where any was new.
    pub(crate) fn take_keys(&mut self, cx: &mut Cx<'_, '_>, offered: BTreeMap<EpochId, EpochKeys>) -> bool {
        let mut learned = false;
        for (id, keys) in offered {
            let Some(act) = self.keys.act_of(&id) else { continue };
            if self.keys.lacks(&id, &keys)
                && self.new_epoch_of(&cx.tx, &act).is_some_and(|new| epoch::check(&new.commitments, &keys))
            {
                self.learn_keys(cx, id, keys);
                learned = true;
            }
        }
        if learned {
            self.note_ends(cx);
        }
        learned
    }

    /// Reads a stored act's epoch again.
    fn new_epoch_of(&self, read: &dyn Read, id: &ActId) -> Option<NewEpoch> {
        let sealed = act::get_act(read, &self.id, id).ok()??;
        self.opened(&sealed)?.epoch
    }

    // ---- which one to write under ------------------------------------------------------------------------------------

    /// The epoch that a writer uses now, if one is usable: the first that opens no more than the circle wants by now, else the first.
    #[must_use]
    pub(crate) fn usable_epoch(&self) -> Option<EpochId> {
        let state = self.now();
        let all = || state.epochs.iter().filter_map(|act| self.epoch_of(act).copied()).filter(|id| self.keys.is_usable(id));
        all().find(|id| !self.loose(id)).or_else(|| all().next())
    }

    /// Would newcomers read more of what is written under this epoch than the circle wants by now? Its maker did not know what was
    /// decided, or pretended not to.
    pub(super) fn loose(&self, epoch: &EpochId) -> bool {
        let history = self.history();
        self.epoch(epoch).is_some_and(|meta| meta.history.looseness() > history.looseness()) && !planted(Bug::LooseEpoch)
    }

    /// Is it time for new keys, by this clock? Their age counts from when they came, or from their label where that is earlier. Where
    /// both lie ahead, our clock was wrong, and nothing says how old they are.
    #[must_use]
    pub(crate) fn overdue(&self, epoch: &EpochId, now: Millis) -> bool {
        let days = match self.retention() {
            Retention::Keep => limits::ROTATE_DAYS,
            Retention::Days(n) => limits::ROTATE_DAYS.min(u64::from(n / 2).max(1)),
        };
        let Some(since) = self.keys.since(epoch) else { return false };
        let ahead = since > now.plus(DAY);
        (ahead || now.since(since) > days * DAY) && !planted(Bug::Ageless)
    }

    /// The newest epochs held, none of which supersedes another.
    pub(super) fn newest_epochs(&self) -> Vec<EpochId> {
        self.keys.newest(&self.membership().void())
    }

    /// Those of them that an act with these parents supersedes: as many as it may name.
    pub(super) fn superseded_by(&self, parents: &[ActId]) -> Vec<EpochId> {
        let newest: Vec<(EpochId, ActId)> =
            self.newest_epochs().into_iter().filter_map(|id| Some((id, self.keys.act_of(&id)?))).collect();
        let acts: Vec<ActId> = newest.iter().map(|(_, act)| *act).collect();
        let known = self.membership().among(&acts, parents);
        newest.iter().zip(known).filter(|(_, known)| *known).map(|((id, _), _)| *id).take(limits::HEADS).collect()
    }

    /// Since when newcomers read as much as the policy says, where it was stricter before: what an epoch recorded is never loosened,
    /// so all that was written until the end of the last such epoch stays as closed as it was.
    pub(crate) fn open_since(&self) -> Option<Millis> {
        self.keys.open_since(self.history(), &self.membership().void())
    }

    // ---- who may hold which keys -------------------------------------------------------------------------------------

    /// Is an epoch one that writers may use who know what we know?
    fn in_force(&self, meta: &EpochMeta) -> bool {
        !meta.is_contested() && meta.acts.iter().any(|act| self.now().epochs.contains(act))
    }

    /// Notes, once and for good, which epochs are over. A moment that lies ahead was a wrong clock's.
    pub(crate) fn note_ends(&mut self, cx: &mut Cx<'_, '_>) {
        let now = cx.env.now;
        let state = self.now();
        let force: BTreeSet<EpochId> = state.epochs.iter().filter_map(|act| self.epoch_of(act).copied()).collect();
        let over = |id: &EpochId| !force.contains(id) || self.epoch(id).is_some_and(EpochMeta::is_contested);
        let ended = |(id, row): &(&EpochId, &EpochRow)| match row.superseded_at {
            Some(at) => at > now,
            None => over(id),
        };
        let ended: Vec<(EpochId, EpochRow)> = self.ring().iter().filter(ended).map(|(id, row)| (*id, row.clone())).collect();
        for (id, mut row) in ended {
            row.superseded_at = Some(now);
            self.keep_epoch(cx, id, row);
        }
    }

    /// May a person read an epoch's conversation?
    #[must_use]
    pub(crate) fn may_talk(&self, person: &PersonId, id: &EpochId, meta: &EpochMeta, now: Millis) -> bool {
        // Every epoch that their admission did not know began during their membership, concurrent ones included: a writer who knows
        // both may use either.
        let state = self.now();
        let since = state.people.get(person).map(|p| p.since.as_slice()).unwrap_or_default();
        let during = |act: &ActId| since.iter().any(|add| add == act || !self.membership().within(act, &[*add]));
        if planted(Bug::OldTalk) || meta.acts.iter().all(during) {
            return true;
        }
        match meta.history {
            History::All => true,
            History::SinceJoin => false,
            History::Days(n) => self.in_force(meta) || self.keys.ended(id).is_none_or(|at| now.since(at) < u64::from(n) * DAY),
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
        let held = self.ring().iter().filter(|(id, _)| lacking(id));
        held.filter_map(|(id, row)| {
            let meta = self.epoch(id)?;
            let talk = row.keys.talk.clone().filter(|_| self.may_talk(person, id, meta, now));
            Some((*id, EpochKeys { roster: row.keys.roster.clone(), library: row.keys.library.clone(), talk }))
        })
        .collect()
    }
}
