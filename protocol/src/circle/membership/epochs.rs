//! R10, D-20: is the circle frozen, and which epochs may a writer use who knows all these acts?

use super::bits::Bits;
use super::graph::{Act, ActGraph};
use super::judgement::Judgement;
use super::people::Status;
use crate::circle::body::{Role, Statement};
use crate::planted::{Bug, planted};

impl Judgement {
    /// R10: no steward and no founder is in.
    pub(super) fn frozen(&self) -> bool {
        !self.everybody().any(|(_, standing)| standing.status == Status::Current && standing.rank >= Role::Steward)
    }

    /// The maximal usable epochs of `past`, of which this is the judgement: the act stands, its author is current and no guest,
    /// and all that must precede it does.
    pub(super) fn usable(&self, g: &ActGraph, past: &Bits) -> Vec<usize> {
        let mut fit: Vec<usize> = Vec::new();
        for x in past.list().into_iter().rev().filter(|x| carries_epoch(g.act(*x))) {
            if !fit.iter().any(|y| g.knows(*y, x)) && self.fits(g, x) && self.carrier_stands(g, x) {
                fit.push(x);
            }
        }
        fit.sort_unstable_by_key(|x| g.act(*x).id);
        fit
    }

    fn carrier_stands(&self, g: &ActGraph, x: usize) -> bool {
        if g.rotations().get(x) { self.rotation_stands(g, x) } else { self.eff.get(x) }
    }

    /// The acts of `past` that have no effect.
    pub(super) fn void(&self, g: &ActGraph, past: &Bits) -> Vec<usize> {
        past.beyond(&self.eff).into_iter().filter(|x| !self.carrier_stands(g, *x)).collect()
    }

    fn fits(&self, g: &ActGraph, x: usize) -> bool {
        let act = g.act(x);
        let author = self.person(act.ruling.who);
        author.is_some_and(|author| author.status == Status::Current && author.rank > Role::Guest)
            && (planted(Bug::OldKeys) || self.need.beyond(&act.past).into_iter().all(|needed| needed == x))
    }
}

/// Does the act carry an epoch?
pub(super) const fn carries_epoch(act: &Act) -> bool {
    act.epoch || matches!(act.statement, Statement::Genesis { .. } | Statement::Remove { .. } | Statement::Rotate)
}
