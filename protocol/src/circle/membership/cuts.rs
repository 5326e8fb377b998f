//! R4: what of a person's or a device's writing a removal, demotion or identity act leaves standing.

use std::collections::BTreeSet;

use super::graph::ActGraph;
use super::judgement::Judgement;
use crate::circle::body::{ChainId, Point, Points, Role, Statement};
use crate::id::{ActId, DeviceId, PersonId};

/// A content cut in effect. An entry of a covered device stands if for each cut it is at or before one of the cut's points for its
/// chain, or one of a restoring act's: on a branch that passes through the point's entry, and not behind it. Unnamed chains stand
/// up to 0. The places alone decide nothing: a member who was cut can sign other entries for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The act that cuts.
    pub act: ActId,
    /// Whose writing.
    pub person: PersonId,
    /// The devices it covers.
    pub devices: BTreeSet<DeviceId>,
    /// A demotion: hides only what this role may not write.
    pub keeps_role: Option<Role>,
    /// What it leaves.
    pub points: Points,
    /// What stewards brought back since.
    pub restored: Vec<(ActId, Points)>,
}

impl Cut {
    /// The points that an entry of `chain` may be at or before; empty: nothing of it stands.
    pub fn points(&self, chain: &ChainId) -> impl Iterator<Item = &Point> {
        std::iter::once(&self.points)
            .chain(self.restored.iter().map(|(_, points)| points))
            .filter_map(|points| points.get(chain))
            .flatten()
    }
}

impl Judgement {
    /// The cuts in effect, by act.
    pub(super) fn cuts(&self, g: &ActGraph) -> Vec<Cut> {
        let acts = (0..g.people()).flat_map(|p| g.dossier(p).downs.iter().chain(&g.dossier(p).identity));
        let mut cuts: Vec<Cut> = acts.filter(|d| self.eff.get(**d)).filter_map(|d| self.cut(g, *d)).collect();
        cuts.sort_unstable_by_key(|cut| cut.act);
        cuts
    }

    fn cut(&self, g: &ActGraph, d: usize) -> Option<Cut> {
        let (act, view) = (g.act(d), self.view(g));
        if matches!(act.statement, Statement::Leave) {
            return None;
        }
        let person = act.ruling.down.map_or(act.owner, |down| down.target);
        let mut devices = BTreeSet::new();
        for x in g.dossier(person).intros.iter().filter(|x| self.ids.get(**x)) {
            let intro = g.act(*x);
            let covered = |key: &usize| match &act.ruling.kills {
                Some(kills) => kills.get(*key),
                None => !view.before(d, *x),
            };
            let keys = intro.keys.iter().filter(|key| Some(**key) != intro.recovery && covered(key));
            devices.extend(keys.map(|key| g.key_id(*key)));
        }
        let back = g.dossier(person).restorations.iter().filter(|r| self.eff.get(**r) && g.knows(**r, d));
        let restored = back.map(|r| (g.act(*r).id, points(&g.act(*r).statement)));
        Some(Cut {
            act: act.id,
            person: g.person_id(person),
            devices,
            keeps_role: act.ruling.down.and_then(|down| down.level),
            points: points(&act.statement),
            restored: restored.collect(),
        })
    }
}

/// What a statement says stands; nothing where it names no points.
fn points(statement: &Statement) -> Points {
    if let Statement::Remove { points, .. }
    | Statement::Role { points, .. }
    | Statement::Revoke { points, .. }
    | Statement::Restore { points, .. } = statement
    {
        return points.clone();
    }
    Points::new()
}
