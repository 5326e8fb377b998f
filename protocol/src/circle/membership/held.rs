//! Acts whose parents are missing: kept up to a bound, not judged.

use std::collections::BTreeMap;

use super::fact::Fact;
use crate::id::ActId;
use crate::limits;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// With one missing parent each.
    facts: BTreeMap<ActId, (Fact, ActId)>,
    waiting: BTreeMap<ActId, Vec<ActId>>,
}

impl Held {
    pub(super) const fn new() -> Self {
        Self { facts: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    pub(super) fn contains(&self, id: &ActId) -> bool {
        self.facts.contains_key(id)
    }

    /// Keeps the act until `missing` is known; `false`: no room.
    pub(super) fn hold(&mut self, fact: Fact, missing: ActId) -> bool {
        if self.facts.len() >= limits::HELD_ACTS {
            return false;
        }
        self.waiting.entry(missing).or_default().push(fact.id);
        self.facts.insert(fact.id, (fact, missing));
        true
    }

    /// Those that waited for `parent`.
    pub(super) fn release(&mut self, parent: &ActId) -> Vec<Fact> {
        let ids = self.waiting.remove(parent).unwrap_or_default();
        ids.iter().filter_map(|id| Some(self.facts.remove(id)?.0)).collect()
    }

    pub(super) fn list(&self) -> impl Iterator<Item = (ActId, ActId)> + '_ {
        self.facts.iter().map(|(id, (_, missing))| (*id, *missing))
    }
}
