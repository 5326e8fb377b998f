//! Who belongs to a circle: a pure function of the set of its acts, whatever order they came in (rules R1 to R12, *Decided here*
//! D-1 to D-20 of the model).
//!
//! Owns the meaning of acts. Never checks a signature, opens a seal, reads a clock or a store: it is given [`Fact`]s, which are
//! acts already verified and opened. A set that holds the past of each of its acts is judged in this order:
//!
//! | step | rules | where |
//! |---|---|---|
//! | well-formed | sizes, duplicates | `wellformed` |
//! | admissible: each act by the state of its own past, once | R1 R3 R5 R10 | `admissible` |
//! | downs: removals, demotions and leaves in force, late, opposed | R4 R5 | `downs` |
//! | identity: re-vouch over recovery over device | D-12 D-15 | `identity` |
//! | grounding: an act falls with what its author's authority rests on; invites | R3 D-10 D-17 | `grounding` |
//! | people, roles, devices | R6 R7 R8 | `people` |
//! | policies; freezing, epochs; content cuts | R5 R10 D-19 D-20 R4 | `policies` `epochs` `cuts` |
//!
//! R2 is [`Membership::heads`]. R9, R11 and R12 are what is *not* here: no order, no verdict on forks, no clock.
//! `judgement` says in which sequence; `memo` keeps what was judged.

mod admissible;
mod bits;
mod cuts;
mod downs;
mod epochs;
mod fact;
mod graph;
mod grounding;
mod held;
mod identity;
mod judgement;
mod memo;
mod people;
mod policies;
mod rules;
mod state;
mod wellformed;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

pub use cuts::Cut;
pub use fact::{Fact, countersign, founder_id, person_id};
pub use people::Status;
pub use rules::Rule;
pub use state::{OpenInvite, Person, State};

use crate::circle::body::{History, Statement};
use crate::id::{ActId, CircleId};
use crate::limits;
use bits::Bits;
use graph::{ActGraph, Ancestry};
use held::Held;
use judgement::Judgement;
use memo::Memo;
use rules::Rules;

/// What became of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Its author had the authority, in its own past (R3). It may still be void in the whole.
    Admissible,
    /// They had not; it stays without weight.
    Inadmissible,
    /// A parent is missing: kept, not judged.
    Held,
    /// Was here already.
    Known,
    /// A parent is missing and too many wait already: not kept; offer it again.
    Full,
}

/// The acts of one circle, and what they mean.
#[derive(Debug)]
pub struct Membership {
    graph: ActGraph,
    held: Held,
    /// Everything admissible.
    all: Ancestry,
    memo: RefCell<Memo>,
    states: RefCell<VecDeque<(Vec<usize>, Arc<State>)>>,
}

impl Membership {
    /// A circle of which no act is known yet. Its id is its genesis act's.
    #[must_use]
    pub const fn new(circle: CircleId) -> Self {
        Self::with(circle, Rules::EVERY)
    }

    /// The same with some rules off, to prove that tests notice.
    #[cfg(feature = "switches")]
    #[must_use]
    pub fn without(circle: CircleId, off: &[Rule]) -> Self {
        Self::with(circle, Rules { off: off.to_vec() })
    }

    const fn with(circle: CircleId, rules: Rules) -> Self {
        Self {
            graph: ActGraph::new(circle, rules),
            held: Held::new(),
            all: Ancestry { past: Bits::new(), core: Bits::new(), heads: Vec::new(), tips: Vec::new() },
            memo: RefCell::new(Memo::new()),
            states: RefCell::new(VecDeque::new()),
        }
    }

    /// Takes an act in, and with it those that waited for it only.
    pub fn add(&mut self, fact: Fact) -> Verdict {
        let id = fact.id;
        if self.graph.judged(&id).is_some() || self.held.contains(&id) {
            return Verdict::Known;
        }
        if let Some(missing) = self.missing(&fact) {
            return if self.held.hold(fact, missing) { Verdict::Held } else { Verdict::Full };
        }
        let verdict = self.judge(fact);
        let mut done = VecDeque::from([id]);
        while let Some(parent) = done.pop_front() {
            for fact in self.held.release(&parent) {
                if let Some(missing) = self.missing(&fact) {
                    self.held.hold(fact, missing);
                } else {
                    done.push_back(fact.id);
                    self.judge(fact);
                }
            }
        }
        verdict
    }

    fn missing(&self, fact: &Fact) -> Option<ActId> {
        fact.parents.iter().find(|parent| self.graph.judged(parent).is_none()).copied()
    }

    /// R3, once and for all. All parents are known.
    fn judge(&mut self, fact: Fact) -> Verdict {
        let Some(place) = self.graph.place(&fact.parents) else { return Verdict::Held };
        let state = self.judgement(place.clone());
        let Some(ruling) = admissible::rule(&self.graph, &state, &fact) else {
            self.graph.refuse(fact.id, place);
            return Verdict::Inadmissible;
        };
        let rotates = matches!(fact.statement, Statement::Rotate);
        let x = self.graph.insert(fact, place, ruling);
        let act = self.graph.act(x);
        let Ancestry { past, core, heads, tips } = &mut self.all;
        past.set(x);
        tips.retain(|tip| !act.past.get(*tip));
        tips.push(x);
        if !rotates {
            core.set(x);
            heads.retain(|head| !act.past.get(*head));
            heads.push(x);
        }
        Verdict::Admissible
    }

    fn judgement(&self, place: Ancestry) -> Arc<Judgement> {
        self.memo.borrow_mut().judgement(&self.graph, place)
    }

    /// Would this act be admissible? So that a command is refused before it is written.
    #[must_use]
    pub fn check(&self, fact: &Fact) -> Verdict {
        if self.graph.judged(&fact.id).is_some() {
            return Verdict::Known;
        }
        let Some(place) = self.graph.place(&fact.parents) else { return Verdict::Held };
        match admissible::rule(&self.graph, &self.judgement(place), fact) {
            Some(_) => Verdict::Admissible,
            None => Verdict::Inadmissible,
        }
    }

    /// What was found about an act; `None`: never seen.
    #[must_use]
    pub fn verdict(&self, id: &ActId) -> Option<Verdict> {
        match self.graph.judged(id) {
            Some(true) => Some(Verdict::Admissible),
            Some(false) => Some(Verdict::Inadmissible),
            None => self.held.contains(id).then_some(Verdict::Held),
        }
    }

    /// Has the act been judged?
    #[must_use]
    pub fn knows(&self, id: &ActId) -> bool {
        self.graph.judged(id).is_some()
    }

    /// How many admissible acts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.graph.len()
    }

    /// Not even the genesis is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.graph.len() == 0
    }

    /// What judging has cost so far, in acts judged and earlier judgements looked at: so that tests can count instead of time.
    #[cfg(feature = "switches")]
    #[must_use]
    pub fn work(&self) -> usize {
        self.memo.borrow().work()
    }

    /// The inadmissible acts.
    pub fn refused(&self) -> impl Iterator<Item = ActId> + '_ {
        self.graph.refused()
    }

    /// The admissible acts that have no effect as things are.
    #[must_use]
    pub fn void(&self) -> Vec<ActId> {
        let void = self.judgement(self.all.clone()).void(&self.graph, &self.all.past);
        void.into_iter().map(|x| self.graph.act(x).id).collect()
    }

    /// The acts that wait, and for each one parent that is missing.
    pub fn held(&self) -> impl Iterator<Item = (ActId, ActId)> + '_ {
        self.held.list()
    }

    /// R2, D-1: the parents of the next act that carries no epoch, and the membership heads of the next entry. Plain rotations
    /// are not heads. At most [`limits::HEADS`], ascending.
    #[must_use]
    pub fn heads(&self) -> Vec<ActId> {
        self.chosen(self.all.heads.iter().rev())
    }

    /// The parents of the next act that carries an epoch: rotations too, which it thereby supersedes. Where there are more than
    /// an act can name, those first without which its epoch would not be usable (D-20), then the newest; the rest are merged by
    /// the acts after it.
    #[must_use]
    pub fn epoch_heads(&self) -> Vec<ActId> {
        let tips = &self.all.tips;
        if !self.crowded() {
            return self.chosen(tips.iter());
        }
        let mut needed = self.judgement(self.all.clone()).need.clone();
        let (mut first, mut rest) = (Vec::new(), Vec::new());
        for x in tips.iter().rev() {
            let past = &self.graph.act(*x).past;
            if first.len() < limits::HEADS && (needed.get(*x) || needed.meets(past)) {
                needed = needed.minus(past);
                needed.unset(*x);
                first.push(x);
            } else {
                rest.push(x);
            }
        }
        let rotates = |x: &&&usize| self.graph.rotations().get(***x);
        let last = rest.iter().filter(rotates);
        self.chosen(first.iter().chain(rest.iter().filter(|x| !rotates(x))).chain(last).copied())
    }

    /// Are there more heads, rotations included, than one act can name?
    #[must_use]
    pub(crate) const fn crowded(&self) -> bool {
        self.all.tips.len() > limits::HEADS
    }

    /// As many as fit; the rest are merged by the acts after it.
    fn chosen<'a>(&self, heads: impl Iterator<Item = &'a usize>) -> Vec<ActId> {
        let mut ids: Vec<ActId> = heads.take(limits::HEADS).map(|x| self.graph.act(*x).id).collect();
        ids.sort_unstable();
        ids
    }

    /// What all acts mean together.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.outside(self.all.clone())
    }

    /// What these acts and all before them mean; `None` where one is not known.
    #[must_use]
    pub fn state_at(&self, heads: &[ActId]) -> Option<Arc<State>> {
        Some(self.outside(self.graph.place(heads)?))
    }

    fn outside(&self, place: Ancestry) -> Arc<State> {
        let mut states = self.states.borrow_mut();
        if let Some((_, state)) = states.iter().find(|(tips, _)| *tips == place.tips) {
            return Arc::clone(state);
        }
        let judgement = self.judgement(place.clone());
        let state = Arc::new(State::of(&self.graph, &judgement, &place));
        if states.len() >= limits::OUTER_STATES {
            states.pop_front();
        }
        states.push_back((place.tips, Arc::clone(&state)));
        state
    }

    /// What newcomers may read at most of an epoch that this act carries: the policy in force in the act's own past, or the one
    /// that it sets itself where that is stricter. Whatever is not known opens nothing.
    #[must_use]
    pub(crate) fn history_in(&self, fact: &Fact) -> History {
        let own = policies::set_history(&fact.statement);
        if matches!(fact.statement, Statement::Genesis { .. }) {
            return own.unwrap_or(History::SinceJoin);
        }
        let before = self.graph.place(&fact.parents).map(|place| self.judgement(place).history(&self.graph));
        let before = before.unwrap_or(History::SinceJoin);
        own.map_or(before, |own| own.stricter(before))
    }

    /// Which of these acts are among `heads` or before one of them.
    #[must_use]
    pub fn among(&self, acts: &[ActId], heads: &[ActId]) -> Vec<bool> {
        let place = self.graph.place(heads);
        let past = |x: usize| place.as_ref().is_some_and(|place| place.past.get(x));
        acts.iter().map(|act| heads.contains(act) || self.graph.find(act).is_some_and(past)).collect()
    }

    /// Is `act` one of `heads` or before one of them?
    #[must_use]
    pub fn within(&self, act: &ActId, heads: &[ActId]) -> bool {
        heads.contains(act)
            || self.graph.find(act).is_some_and(|x| self.graph.place(heads).is_some_and(|place| place.past.get(x)))
    }

    /// Does anyone who knows `newer` know all of `older`? (An entry's heads are never behind its predecessor's.) Plain rotations
    /// do not count: nothing rests on them, and of two that were made side by side a writer's heads name only the one whose epoch
    /// they use now.
    #[must_use]
    pub(crate) fn covers(&self, newer: &[ActId], older: &[ActId]) -> bool {
        match (self.graph.place(newer), self.graph.place(older)) {
            (Some(newer), Some(older)) => older.core.within(&newer.core),
            _ => false,
        }
    }

    /// An admissible act's statement.
    #[must_use]
    pub fn statement(&self, act: &ActId) -> Option<&Statement> {
        Some(&self.graph.act(self.graph.find(act)?).statement)
    }
}

#[cfg(test)]
mod tests;
