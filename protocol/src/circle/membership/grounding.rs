//! R3, D-10, D-17: one pass over the news that says which acts stand: an act falls with what its author's authority rests on.

use std::collections::{BTreeMap, BTreeSet};

use super::bits::Bits;
use super::downs::View;
use super::identity::{Identity, settle};
use super::rules::Rule;
use crate::circle::body::{Role, Statement};

/// Admissions that their invite cannot bear, with the acts that spoil them.
pub(super) type Spoilt = BTreeMap<usize, Vec<usize>>;

/// What a pass goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass<'a> {
    pub(super) view: View<'a>,
    pub(super) news: &'a [usize],
    /// The downs that cut.
    pub(super) cuts: &'a Bits,
    /// The lone downs that stand; `None` while that is being decided.
    pub(super) lone: Option<&'a Bits>,
    /// What stood in the pass before.
    pub(super) prior: &'a Bits,
    pub(super) spoilt: &'a Spoilt,
    /// The re-vouches that are sound.
    pub(super) sound: &'a Bits,
}

impl Pass<'_> {
    /// Adds to `eff` those of the news that stand.
    pub(super) fn run(&self, eff: &mut Bits) -> Identity {
        let g = self.view.g;
        let counts = |x: &usize| {
            let act = g.act(*x);
            act.ruling.kills.is_some()
                && !self.view.falls(*x, self.cuts, Some(self.prior))
                && (self.sound.get(*x) || !matches!(act.statement, Statement::Revouch { .. }))
        };
        let identity = settle(g, self.news, self.news.iter().copied().filter(counts).collect());
        for x in self.news {
            if self.stands(*x, eff, &identity) {
                eff.set(*x);
            }
        }
        identity
    }

    pub(super) fn stands(&self, x: usize, eff: &Bits, identity: &Identity) -> bool {
        let (view, g) = (self.view, self.view.g);
        let act = g.act(x);
        if matches!(act.statement, Statement::Genesis { .. }) {
            return true;
        }
        if act.ruling.down.is_some() {
            return self.down_stands(x, eff);
        }
        if act.ruling.kills.is_some() {
            return identity.takings.iter().any(|w| w.by == x);
        }
        if view.falls(x, self.cuts, Some(eff)) || self.spoilt.contains_key(&x) {
            return false;
        }
        let revoked = || identity.takings.iter().any(|w| w.keys.get(act.author) && g.concurrent(w.by, x));
        if g.rules.on(Rule::DeviceCut) && revoked() {
            return false; // beyond a revocation of the device that signed it
        }
        if act.ruling.quorum.is_some() && g.rules.on(Rule::VotesFall) && !view.carried(x, |v| eff.get(v)) {
            return false;
        }
        view.grounded(x, eff)
    }

    fn down_stands(&self, x: usize, eff: &Bits) -> bool {
        let (view, g) = (self.view, self.view.g);
        let act = g.act(x);
        if matches!(act.statement, Statement::Leave) {
            return !view.labels.late.get(x);
        }
        if act.ruling.high {
            // R5: founder's and quorum's removals and demotions always apply.
            let out = act.ruling.down.is_some_and(|down| down.level.is_none());
            let rule = if out { Rule::HighStand } else { Rule::DemotionsStand };
            let labels = view.labels;
            return g.rules.on(rule) || labels.in_force.get(x) || labels.opposed.get(x) && act.ruling.quorum.is_some();
        }
        match self.lone {
            Some(lone) => lone.get(x),
            None => !view.falls(x, self.cuts, Some(eff)) && view.grounded(x, eff),
        }
    }
}

impl View<'_> {
    /// D-10: the author's device and role still stand in the act's past, without what fell.
    pub(super) fn grounded(&self, x: usize, eff: &Bits) -> bool {
        let (g, act) = (self.g, self.g.act(x));
        if !g.rules.on(Rule::Grounding) {
            return true;
        }
        let admits = |y: usize| matches!(g.act(y).statement, Statement::Admit { .. });
        let mut introductions = g.introductions(act.author).iter().filter(|y| act.past.get(**y));
        if !introductions.any(|y| eff.get(*y) || admits(*y)) {
            return false;
        }
        if act.ruling.need == Role::Guest {
            return true;
        }
        let me = act.ruling.who;
        let live = self.live_adds(me, &act.past, eff, false);
        !live.is_empty() && self.role_of(me, &live, &act.past, eff) >= act.ruling.need
    }

    /// D-17: closing an invite and the inviter's removal beat admission; a use too many suspends all who may be the one too many.
    pub(super) fn spoilt(&self, news: &[usize], eff: &Bits) -> Spoilt {
        let g = self.g;
        let uses = news.iter().copied().filter(|x| matches!(g.act(*x).statement, Statement::Admit { .. }) && eff.get(*x));
        uses.filter_map(|x| Some((x, self.spoilers(x, g.act(x).invite?, eff)?))).collect()
    }

    fn spoilers(&self, x: usize, invite: usize, eff: &Bits) -> Option<Vec<usize>> {
        let g = self.g;
        let inviter = g.act(invite).ruling.who;
        let downs = g.dossier(inviter).downs.iter().filter(|d| self.ousts(**d, inviter));
        let closing = downs.chain(g.uninvites(invite)).filter(|u| eff.get(**u) && g.concurrent(**u, x));
        let shut: Vec<usize> = closing.copied().filter(|_| g.rules.on(Rule::UninviteWins)).collect();
        let mut rivals: Vec<usize> = g.uses(invite).iter().copied().filter(|y| eff.get(*y) && !g.knows(*y, x)).collect();
        let people: BTreeSet<usize> = rivals.iter().chain([&x]).filter_map(|y| g.act(*y).subject).collect();
        let limit = if let Statement::Invite { uses, .. } = &g.act(invite).statement { *uses } else { 0 };
        if u32::try_from(people.len()).is_ok_and(|people| people <= limit) || !g.rules.on(Rule::SingleUse) {
            rivals.clear();
        }
        if shut.is_empty() && rivals.is_empty() && eff.get(invite) {
            return None;
        }
        rivals.retain(|y| *y != x);
        Some(shut.into_iter().chain(rivals).collect())
    }

    /// The re-vouches that stand on their own: grounded, and carried or vouched for.
    pub(super) fn sound(&self, news: &[usize], eff: &Bits) -> Bits {
        let mut out = Bits::default();
        for x in news.iter().copied() {
            let act = self.g.act(x);
            if matches!(act.statement, Statement::Revouch { .. }) && self.grounded(x, eff) {
                let carried = act.ruling.quorum.is_some() && self.carried(x, |v| eff.get(v));
                if carried || act.ruling.quorum.is_none() && act.vouch.is_some_and(|v| eff.get(v)) {
                    out.set(x);
                }
            }
        }
        out
    }
}
