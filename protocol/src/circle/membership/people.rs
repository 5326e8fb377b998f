//! R6, R7, R8: who is in, in which role, with which devices.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use super::bits::Bits;
use super::downs::View;
use super::rules::Rule;
use crate::circle::body::{Role, Statement};

/// How a person stands to a circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    /// In.
    #[n(0)]
    Current,
    /// Waits: for a steward to confirm them, or for a device of theirs that is good (D-12).
    #[n(1)]
    Suspended,
    /// Put out.
    #[n(2)]
    Removed,
    /// Gone by themself.
    #[n(3)]
    Left,
}

/// A person's standing in one set of acts; everything is a number of the graph.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) status: Status,
    /// Meaningless once they are out.
    pub(super) rank: Role,
    /// The adds that make them a member.
    pub(super) live: Vec<usize>,
    /// Admissions that are void and that no removal ends.
    pub(super) void: Vec<usize>,
    /// Current devices.
    pub(super) devices: Vec<usize>,
    /// Further keys with which a suspended person may leave and care for their devices.
    pub(super) dormant: Vec<usize>,
    /// Appointed, and in.
    pub(super) delegate: bool,
}

/// What the final pass found out about keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys<'a> {
    pub(super) killed: &'a Bits,
    /// Identity acts that count; `opposed` of them lie in a circle.
    pub(super) identity: &'a Bits,
    pub(super) opposed: &'a Bits,
}

impl View<'_> {
    /// The removals and leaves of `p` that stand.
    pub(super) fn outs(&self, p: usize, within: &Bits, eff: &Bits) -> Vec<usize> {
        let downs = self.g.dossier(p).downs.iter().copied();
        downs.filter(|d| within.get(*d) && eff.get(*d) && self.ousts(*d, p)).collect()
    }

    /// R6, D-11: the adds of `p` that have every removal and leave of theirs before them; `void`: those that do not stand.
    pub(super) fn live_adds(&self, p: usize, within: &Bits, eff: &Bits, void: bool) -> Vec<usize> {
        let outs = self.outs(p, within, eff);
        let adds = self.g.dossier(p).adds.iter().copied().filter(|x| within.get(*x) && eff.get(*x) != void);
        if self.g.rules.on(Rule::RemovalBeatsAdd) {
            adds.filter(|x| outs.iter().all(|r| self.before(*r, *x))).collect()
        } else {
            adds.filter(|x| outs.iter().all(|r| !self.g.knows(*r, *x))).collect()
        }
    }

    /// R8, D-11: the least of the last settings that know a standing add.
    pub(super) fn role_of(&self, p: usize, live: &[usize], within: &Bits, eff: &Bits) -> Role {
        let g = self.g;
        let mut sets: Vec<(usize, Role)> = live.iter().filter_map(|x| Some((*x, g.act(*x).role()?))).collect();
        for x in g.dossier(p).settings.iter().copied() {
            if within.get(x) && eff.get(x) && live.iter().any(|y| g.knows(x, *y)) {
                sets.push((x, g.act(x).role().unwrap_or(Role::Member))); // D-16: a re-vouched person is a member
            }
        }
        let later = |x: usize| {
            let down = g.act(x).ruling.down.is_some();
            sets.iter().any(|(y, _)| x != *y && (g.knows(*y, x) || down && self.before(x, *y)))
        };
        let last = sets.iter().filter(|(x, _)| !later(*x)).map(|(_, role)| *role);
        let chosen = if g.rules.on(Rule::LeastPrivilege) { last.min() } else { last.max() };
        // Two demotions can each be late for the other; then all settings count.
        chosen.or_else(|| sets.iter().map(|(_, role)| *role).min()).unwrap_or(Role::Guest)
    }

    /// `None` where no admissible act adds them.
    pub(super) fn standing(&self, p: usize, eff: &Bits, keys: Keys<'_>) -> Option<Standing> {
        let g = self.g;
        g.dossier(p).adds.iter().find(|x| self.ids.get(**x))?;
        let live = self.live_adds(p, self.ids, eff, false);
        let void = self.live_adds(p, self.ids, eff, true);
        let outs = self.outs(p, self.ids, eff);
        let held = self.keys_of(p, eff, keys.killed, &live, &void, &outs);
        let good: BTreeSet<usize> = held.iter().filter(|(_, here)| *here).map(|(key, _)| *key).collect();
        let rank = if live.is_empty() {
            void.iter().filter_map(|x| g.act(*x).role()).max().unwrap_or(Role::Guest)
        } else {
            self.role_of(p, &live, self.ids, eff)
        };
        let status = if live.is_empty() && void.is_empty() {
            self.gone(p, &outs)
        } else if live.is_empty() || good.is_empty() || self.quarrel(p, keys) {
            Status::Suspended
        } else {
            Status::Current
        };
        let devices: Vec<usize> = if status == Status::Current { good.into_iter().collect() } else { Vec::new() };
        let dormant: BTreeSet<usize> = held.into_iter().map(|(key, _)| key).filter(|key| !devices.contains(key)).collect();
        let delegate = status == Status::Current && self.delegated(p, &live, eff);
        Some(Standing { status, rank, live, void, devices, dormant: dormant.into_iter().collect(), delegate })
    }

    /// The keys of `p` that nothing took, without recovery keys; `true`: introduced by what stands.
    fn keys_of(&self, p: usize, eff: &Bits, killed: &Bits, live: &[usize], void: &[usize], outs: &[usize]) -> Vec<(usize, bool)> {
        let g = self.g;
        let mut out = Vec::new();
        for x in g.dossier(p).intros.iter().copied().filter(|x| self.ids.get(*x)) {
            let act = g.act(x);
            let confirms = |y: &&usize| matches!(g.act(**y).statement, Statement::Confirm { .. }) && g.knows(**y, x);
            let raises: Vec<usize> = live.iter().filter(confirms).copied().collect();
            if !outs.iter().all(|r| self.before(*r, x) || raises.iter().any(|y| !g.knows(*y, *r))) {
                continue;
            }
            let here = eff.get(x) && (!act.is_add() || live.contains(&x)) || !raises.is_empty() && void.contains(&x);
            let keys = act.keys.iter().filter(|k| Some(**k) != act.recovery && !killed.get(**k) && self.claims(**k) == 1);
            out.extend(keys.map(|k| (*k, here)));
        }
        out
    }

    /// For how many persons a key was introduced; with two it is nobody's (D-18).
    pub(super) fn claims(&self, key: usize) -> usize {
        let acts = self.g.introductions(key).iter().filter(|x| self.ids.get(**x));
        acts.map(|x| self.g.act(*x).owner).collect::<BTreeSet<_>>().len()
    }

    /// D-12: opposed identity acts that no later recovery or re-vouch knows.
    fn quarrel(&self, p: usize, keys: Keys<'_>) -> bool {
        let g = self.g;
        let acts = || g.dossier(p).identity.iter().copied().filter(|w| keys.identity.get(*w));
        let settles = |v: usize| !matches!(g.act(v).statement, Statement::Revoke { .. });
        acts().filter(|w| keys.opposed.get(*w)).any(|w| !acts().any(|v| settles(v) && g.knows(v, w)))
    }

    /// D-13: anyone who was only sealed after leaving still shows as left.
    fn gone(&self, p: usize, outs: &[usize]) -> Status {
        let g = self.g;
        let adds = || g.dossier(p).adds.iter().filter(|x| self.ids.get(**x));
        let mut last: Vec<usize> = outs.iter().copied().filter(|r| !adds().any(|x| self.before(*r, *x))).collect();
        if last.is_empty() {
            last = outs.to_vec();
        }
        let leaves = |r: &usize| matches!(g.act(*r).statement, Statement::Leave);
        let left: Vec<usize> = last.iter().copied().filter(leaves).collect();
        let sealed = last.iter().all(|r| leaves(r) || left.iter().any(|y| g.knows(*r, *y)));
        if !left.is_empty() && sealed { Status::Left } else { Status::Removed }
    }

    /// Of the last appointments that know a standing add, all say yes.
    fn delegated(&self, p: usize, live: &[usize], eff: &Bits) -> bool {
        let g = self.g;
        let acts = g.dossier(p).delegations.iter().copied();
        let sets: Vec<usize> = acts.filter(|x| self.ids.get(*x) && eff.get(*x) && live.iter().any(|y| g.knows(*x, *y))).collect();
        let mut last = sets.iter().filter(|x| !sets.iter().any(|y| g.knows(*y, **x))).peekable();
        last.peek().is_some() && last.all(|x| matches!(g.act(*x).statement, Statement::Delegate { on: true, .. }))
    }
}
