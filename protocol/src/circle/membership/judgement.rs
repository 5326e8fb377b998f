//! The judgement of one set of acts that holds the past of each of them: downs, then identity, then grounding, then people.
//!
//! A judgement extends an earlier one. The news must all know the whole of the earlier set; then nothing in it changes (no cut,
//! identity act or invite reaches into what it knows), and only the news are judged. From the empty judgement this is the model's
//! global pass; for a mostly ordered history it is one act at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::bits::Bits;
use super::downs::{Labels, View, label};
use super::graph::{ActGraph, Ancestry};
use super::grounding::{Pass, Spoilt};
use super::identity::Identity;
use super::people::{Keys, Standing};
use super::rules::Rule;
use crate::circle::body::{PolicyField, Statement};

/// See the module. Every field is a function of `ids`.
#[derive(Clone, Debug, Default)]
pub(super) struct Judgement {
    pub(super) ids: Bits,
    pub(super) heads: Vec<usize>,
    pub(super) count: usize,
    pub(super) labels: Labels,
    /// What stands.
    pub(super) eff: Bits,
    /// What stood in the passes before, in order: they are weighed in turn.
    earlier: [Bits; 3],
    /// Lone stewards' downs that stand.
    lone: Bits,
    /// Identity acts that count, as a set too; those that lie in a circle; the keys they all take.
    identity: Identity,
    counted: Bits,
    quarrels: Bits,
    pub(super) killed: Bits,
    people: Vec<Option<Arc<Standing>>>,
    /// Of each policy field, the last settings.
    pub(super) settings: BTreeMap<PolicyField, Vec<usize>>,
    /// Invites that are closed.
    pub(super) closed: Bits,
    /// What a usable epoch has in its past (D-20).
    pub(super) need: Bits,
}

impl Judgement {
    pub(super) fn person(&self, p: usize) -> Option<&Standing> {
        self.people.get(p)?.as_deref()
    }

    pub(super) fn everybody(&self) -> impl Iterator<Item = (usize, &Standing)> {
        self.people.iter().enumerate().filter_map(|(p, standing)| Some((p, standing.as_deref()?)))
    }

    /// How many devices are current.
    pub(super) fn devices(&self) -> usize {
        self.everybody().map(|(_, standing)| standing.devices.len()).sum()
    }

    /// The people admitted by an invite, standing or not.
    pub(super) fn people_by(&self, g: &ActGraph, invite: usize) -> BTreeSet<usize> {
        g.uses(invite).iter().filter(|x| self.ids.get(**x)).filter_map(|x| g.act(*x).subject).collect()
    }

    /// The recovery keys of `p` that have not been spent or replaced.
    pub(super) fn recovery_keys(&self, g: &ActGraph, p: usize) -> Vec<usize> {
        let view = self.view(g);
        let outs = view.outs(p, &self.ids, &self.eff);
        let acts = g.dossier(p).intros.iter().copied().filter(|x| self.ids.get(*x));
        let alive = acts.filter(|x| outs.iter().all(|r| view.before(*r, *x))).filter_map(|x| g.act(x).recovery);
        alive.filter(|key| !self.killed.get(*key)).collect()
    }

    pub(super) const fn view<'a>(&'a self, g: &'a ActGraph) -> View<'a> {
        View { g, ids: &self.ids, labels: &self.labels }
    }

    /// May the news of `place` be judged on top of this: do they all know all of it?
    pub(super) fn is_base_of(&self, g: &ActGraph, place: &Ancestry) -> bool {
        self.ids.within(&place.core)
            && place.core.beyond(&self.ids).into_iter().all(|x| self.heads.iter().all(|head| g.knows(x, *head)))
    }

    /// The judgement of `place`, of which this is the base.
    pub(super) fn extended(&self, g: &ActGraph, place: Ancestry) -> Self {
        let news = place.core.beyond(&self.ids);
        let mut next = self.clone();
        next.count += news.len();
        next.ids = place.core;
        next.heads = place.heads;
        label(g, &next.ids, &mut next.labels, &news);
        let spoilt = next.judge(g, &news);
        next.count_people(g, &news);
        next.set_policies(g, &news);
        next.note_needs(g, &news, &spoilt);
        next
    }

    /// Two rounds: what high downs in force leave standing says which lone downs stand (R5); then all that cut, cut. In each,
    /// invites and re-vouches are weighed on what stood before they were.
    fn judge(&mut self, g: &ActGraph, news: &[usize]) -> Spoilt {
        let nothing = (Bits::default(), Spoilt::new());
        let labels = self.labels.clone();
        let view = View { g, ids: &self.ids, labels: &labels };
        let [mut hard_first, mut hard, mut first] = std::mem::take(&mut self.earlier);

        let cuts = labels.in_force.clone();
        let pass = Pass { view, news, cuts: &cuts, lone: None, prior: &nothing.0, spoilt: &nothing.1, sound: &nothing.0 };
        pass.run(&mut hard_first);
        let (spoilt, sound) = (view.spoilt(news, &hard_first), view.sound(news, &hard_first));
        Pass { prior: &hard_first, spoilt: &spoilt, sound: &sound, ..pass }.run(&mut hard);

        for x in news.iter().copied().filter(|x| g.act(*x).ruling.down.is_some() && hard.get(*x)) {
            if !(labels.in_force.get(x) || labels.late.get(x) || labels.opposed.get(x)) {
                self.lone.set(x);
            }
        }
        let (lone, cuts) = (self.lone.clone(), self.cutting(g));
        let pass = Pass { view, news, cuts: &cuts, lone: Some(&lone), prior: &hard, spoilt: &nothing.1, sound: &nothing.0 };
        pass.run(&mut first);
        let (spoilt, sound) = (view.spoilt(news, &first), view.sound(news, &first));
        let identity = Pass { prior: &first, spoilt: &spoilt, sound: &sound, ..pass }.run(&mut self.eff);

        self.earlier = [hard_first, hard, first];
        self.note_identity(&identity);
        spoilt
    }

    fn note_identity(&mut self, identity: &Identity) {
        for taking in &identity.takings {
            self.counted.set(taking.by);
            self.killed.join(&taking.keys);
        }
        identity.opposed.iter().for_each(|w| self.quarrels.set(*w));
        self.identity.takings.extend(identity.takings.iter().cloned());
        self.identity.opposed.extend(&identity.opposed);
    }

    /// The downs and identity acts that cut each other.
    pub(super) fn opposed(&self) -> Vec<usize> {
        self.labels.opposed.union(&self.quarrels).list()
    }

    /// The downs that cut.
    fn cutting(&self, g: &ActGraph) -> Bits {
        let mut cuts = self.labels.in_force.union(&self.labels.opposed);
        if !g.rules.on(Rule::LateCutsNothing) {
            cuts.join(&self.labels.late);
        }
        cuts.join(&self.lone);
        cuts
    }

    /// Does the rotation `x`, somewhere in these acts, stand among them?
    pub(super) fn rotation_stands(&self, g: &ActGraph, x: usize) -> bool {
        let (cuts, nothing) = (self.cutting(g), (Bits::default(), Spoilt::new()));
        let pass = Pass {
            view: self.view(g),
            news: &[],
            cuts: &cuts,
            lone: Some(&self.lone),
            prior: &nothing.0,
            spoilt: &nothing.1,
            sound: &nothing.0,
        };
        pass.stands(x, &self.eff, &self.identity)
    }

    /// Only whom the news concern can stand otherwise than before.
    fn count_people(&mut self, g: &ActGraph, news: &[usize]) {
        let mut touched = BTreeSet::new();
        for act in news.iter().map(|x| g.act(*x)) {
            touched.extend([act.ruling.who, act.owner]);
            touched.extend(act.subject);
        }
        self.people.resize(g.people(), None);
        let keys = Keys { killed: &self.killed, identity: &self.counted, opposed: &self.quarrels };
        let standings: Vec<_> = touched.iter().map(|p| (*p, self.view(g).standing(*p, &self.eff, keys))).collect();
        let closed: Vec<usize> = touched.iter().flat_map(|p| self.closed_invites(g, *p)).collect();
        for (p, standing) in standings {
            if let Some(slot) = self.people.get_mut(p) {
                *slot = standing.map(Arc::new);
            }
        }
        closed.into_iter().for_each(|invite| self.closed.set(invite));
        for x in news.iter().filter(|x| self.eff.get(**x) && matches!(g.act(**x).statement, Statement::Uninvite { .. })) {
            if let Some(invite) = g.act(*x).invite {
                self.closed.set(invite);
            }
        }
    }

    /// R4: removing or leaving closes their open invites.
    fn closed_invites(&self, g: &ActGraph, p: usize) -> Vec<usize> {
        let view = self.view(g);
        let outs = view.outs(p, &self.ids, &self.eff);
        let open = g.dossier(p).invites.iter().copied().filter(|x| self.eff.get(*x));
        open.filter(|x| outs.iter().any(|r| !view.before(*r, *x))).collect()
    }

    /// D-20: every down and identity act in effect, and what spoilt an invite's admission.
    fn note_needs(&mut self, g: &ActGraph, news: &[usize], spoilt: &Spoilt) {
        let all = g.rules.on(Rule::SuspensionRekeys);
        for x in news.iter().copied().filter(|x| self.eff.get(*x)) {
            let ruling = &g.act(x).ruling;
            let down = ruling.down.is_some_and(|down| all || down.level.is_none());
            if down || ruling.kills.is_some() {
                self.need.set(x);
            }
        }
        if all {
            spoilt.values().flatten().for_each(|x| self.need.set(*x));
        }
    }
}
