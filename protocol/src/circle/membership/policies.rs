//! R5, D-19: per field, of the last settings: quorum over founder, then the strictest, then the smallest id.

use std::cmp::Reverse;

use super::graph::{Act, ActGraph};
use super::judgement::Judgement;
use crate::circle::body::{History, Policy, PolicyField, Retention, Statement};

impl Judgement {
    /// Settings stay candidates until a later one replaces them.
    pub(super) fn set_policies(&mut self, g: &ActGraph, news: &[usize]) {
        for x in news.iter().copied().filter(|x| self.eff.get(*x)) {
            for policy in set(g.act(x)) {
                self.settings.entry(policy.field()).or_default().push(x);
            }
        }
        for last in self.settings.values_mut().filter(|last| last.len() > 1) {
            let known: Vec<usize> = last.iter().copied().filter(|x| last.iter().any(|y| g.knows(*y, *x))).collect();
            last.retain(|x| !known.contains(x));
        }
    }

    /// The settings of a field between which only the id decides; the first is in force.
    pub(super) fn chosen<'g>(&self, g: &'g ActGraph, field: PolicyField) -> Vec<(usize, &'g Policy)> {
        let last = self.settings.get(&field).map_or(&[][..], Vec::as_slice);
        let value = |x: &usize| set(g.act(*x)).iter().find(|policy| policy.field() == field).map(|policy| (*x, policy));
        let mut found: Vec<_> = last.iter().filter_map(value).collect();
        let order = |(x, policy): &(usize, &Policy)| (Reverse(g.act(*x).proposal.is_some()), looseness(policy));
        found.sort_by_key(|one| (order(one), g.act(one.0).id));
        let best = found.first().map(order);
        found.retain(|one| Some(order(one)) == best);
        found
    }

    /// What newcomers may read.
    pub(super) fn history(&self, g: &ActGraph) -> History {
        match self.chosen(g, PolicyField::History).first() {
            Some((_, Policy::History(history))) => *history,
            _ => History::SinceJoin,
        }
    }

    /// May every member invite?
    pub(super) fn members_invite(&self, g: &ActGraph) -> bool {
        matches!(self.chosen(g, PolicyField::MembersInvite).first(), Some((_, Policy::MembersInvite(true))))
    }
}

/// What an act sets.
fn set(act: &Act) -> &[Policy] {
    sets(&act.statement)
}

fn sets(statement: &Statement) -> &[Policy] {
    if let Statement::Genesis { policies: set, .. } | Statement::Policy { set, .. } = statement { set } else { &[] }
}

/// The history policy that a statement sets.
pub(super) fn set_history(statement: &Statement) -> Option<History> {
    sets(statement).iter().find_map(|policy| if let Policy::History(history) = policy { Some(*history) } else { None })
}

/// The strictest first.
const fn looseness(policy: &Policy) -> u32 {
    match policy {
        Policy::History(history) => history.looseness(),
        Policy::Retention(Retention::Days(days)) => *days,
        Policy::MembersInvite(false) | Policy::ApprovalRequired(true) => 0,
        Policy::Name(_)
        | Policy::Agreement(_)
        | Policy::Later(..)
        | Policy::Retention(Retention::Keep)
        | Policy::MembersInvite(true)
        | Policy::ApprovalRequired(false) => u32::MAX,
    }
}
