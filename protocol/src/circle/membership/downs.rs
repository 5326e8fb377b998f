//! R4, R5: removals, demotions and leaves. Which are in force, what is beyond their cuts, what falls with that.

use super::bits::Bits;
use super::graph::ActGraph;
use super::rules::Rule;
use crate::circle::body::Statement;

/// What became of the high downs and leaves of a set of acts.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels {
    /// Beyond no cut but those of late ones: they apply and cut.
    pub(super) in_force: Bits,
    /// Beyond the cut of one in force: they apply but cut nothing (a late leave is void).
    pub(super) late: Bits,
    /// They cut each other in a circle: they apply and cut, but void no lone steward's down.
    pub(super) opposed: Bits,
}

/// A set of acts that holds the past of each of them, with its downs labelled.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) g: &'a ActGraph,
    pub(super) ids: &'a Bits,
    pub(super) labels: &'a Labels,
}

impl View<'_> {
    /// Is `x` beyond the cut of down `d`: its author's, outside `d`'s past, without `d` in its own (R4)?
    ///
    /// Plain without `eff`; with it, anyone who was added, or set in a role, again after `d` has a new standing that `d` does
    /// not reach (D-9).
    fn outside(&self, x: usize, d: usize, eff: Option<&Bits>) -> bool {
        let g = self.g;
        let (act, Some(down)) = (g.act(x), g.act(d).ruling.down) else { return false };
        if x == d || act.ruling.who != down.target || Some(act.ruling.need) <= down.level || g.knows(d, x) || g.knows(x, d) {
            return false;
        }
        if !g.rules.on(Rule::Cut) || down.level.is_some() && !g.rules.on(Rule::DemotionCuts) {
            return false;
        }
        let Some(eff) = eff else { return true };
        let dossier = g.dossier(down.target);
        let roles: &[usize] = if down.level.is_none() { &[] } else { &dossier.settings };
        let roles = roles.iter().filter(|y| matches!(g.act(**y).statement, Statement::Role { .. }));
        let mut again = dossier.adds.iter().chain(roles).filter(|y| act.past.get(**y) && eff.get(**y));
        !again.any(|y| self.before(d, *y))
    }

    /// Is `x` beyond one of `cuts`?
    fn hit(&self, x: usize, cuts: &Bits, eff: Option<&Bits>) -> bool {
        let who = self.g.act(x).ruling.who;
        self.g.dossier(who).downs.iter().any(|d| cuts.get(*d) && self.outside(x, *d, eff))
    }

    /// Does `x` fall to these cuts: its author's hand, its second's, or its majority (D-5)?
    pub(super) fn falls(&self, x: usize, cuts: &Bits, eff: Option<&Bits>) -> bool {
        let act = self.g.act(x);
        if self.hit(x, cuts, eff) || act.vouch.is_some_and(|vouch| self.hit(vouch, cuts, eff)) {
            return true;
        }
        act.ruling.quorum.is_some() && self.g.rules.on(Rule::VotesFall) && !self.carried(x, |v| !self.hit(v, cuts, eff))
    }

    /// R5: a strict majority, at least two, of the other stewards, counting the votes that stand.
    pub(super) fn carried(&self, x: usize, stands: impl Fn(usize) -> bool) -> bool {
        let Some(quorum) = &self.g.act(x).ruling.quorum else { return false };
        super::admissible::carries(quorum, stands)
    }

    /// Does down `d` count as before act `y`: in its past; or enacted there by the same motion; or late for `y` (R6, D-9)?
    pub(super) fn before(&self, d: usize, y: usize) -> bool {
        let g = self.g;
        if g.knows(y, d) {
            return true;
        }
        let act = g.act(d);
        if let Some(motion) = act.proposal
            && g.rules.on(Rule::OneMotion)
            && g.enacted(motion).iter().any(|e| g.act(*e).ruling.down.is_some() && g.knows(y, *e))
        {
            return true;
        }
        if !g.rules.on(Rule::LateYields) {
            return false;
        }
        let past = &g.act(y).past;
        let hit = |x: usize| {
            let downs = &g.dossier(g.act(x).ruling.who).downs;
            let cuts = downs.iter().filter(|e| past.get(**e) && (self.labels.in_force.get(**e) || self.labels.opposed.get(**e)));
            cuts.into_iter().any(|e| self.outside(x, *e, None))
        };
        if hit(d) {
            return true;
        }
        act.ruling.quorum.is_some() && g.rules.on(Rule::VotesFall) && !self.carried(d, |v| !hit(v))
    }

    /// Is `d` a removal or leave of `p`?
    pub(super) fn ousts(&self, d: usize, p: usize) -> bool {
        self.g.act(d).ruling.down.is_some_and(|down| down.target == p && down.level.is_none())
    }
}

/// R5: labels the high downs and leaves among `news`. Late where one in force cuts it, in force where only late ones do;
/// what is left lies in a circle.
pub(super) fn label(g: &ActGraph, ids: &Bits, labels: &mut Labels, news: &[usize]) {
    let strong = |x: &usize| {
        let act = g.act(*x);
        act.ruling.down.is_some() && (act.ruling.high || matches!(act.statement, Statement::Leave))
    };
    let mut open: Vec<usize> = news.iter().copied().filter(strong).collect();
    let mut possible = labels.in_force.union(&labels.opposed);
    for x in &open {
        possible.set(*x);
    }
    loop {
        let before = open.len();
        let mut rest = Vec::new();
        for x in open {
            let view = View { g, ids, labels };
            if view.falls(x, &labels.in_force, None) {
                labels.late.set(x);
                possible.unset(x);
            } else if !view.falls(x, &possible, None) {
                labels.in_force.set(x);
            } else {
                rest.push(x);
            }
        }
        if rest.is_empty() || rest.len() == before {
            rest.into_iter().for_each(|x| labels.opposed.set(x));
            return;
        }
        open = rest;
    }
}
