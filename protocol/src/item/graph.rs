//! Who knew what: the order of an item's entries and the past of each. A function of the set of entries alone.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use crate::id::EntryId;

/// The entries that an entry has in its past, by place in the order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Past(Vec<u64>);

impl Past {
    pub(super) fn has(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    pub(super) fn add(&mut self, index: usize) {
        if self.0.len() <= index / 64 {
            self.0.resize(index / 64 + 1, 0);
        }
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }

    /// Do both have an entry?
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(mine, theirs)| mine & theirs != 0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0
            .iter()
            .enumerate()
            .flat_map(|(at, word)| (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| at * 64 + bit))
    }
}

/// Entries in causal order, ties by id.
#[derive(Clone, Debug, Default)]
pub(super) struct EditGraph {
    /// Places in the given list, in causal order. What misses a dependency, or stands behind such, is not in it.
    pub(super) order: Vec<usize>,
    /// By place in the order: the past of the entry, itself left out.
    pub(super) past: Vec<Past>,
    /// By place in the order: its dependencies that no other of its dependencies has in its past, as places in the order.
    pub(super) deps: Vec<Vec<usize>>,
    /// Places in the order that nothing depends on.
    pub(super) heads: Vec<usize>,
}

impl EditGraph {
    /// Orders entries, given as id and dependencies.
    pub(super) fn new(entries: &[(EntryId, &[EntryId])]) -> Self {
        let places: BTreeMap<EntryId, usize> = entries.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
        let mut waits: Vec<usize> = Vec::with_capacity(entries.len());
        let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut ready: BTreeSet<(EntryId, usize)> = BTreeSet::new();
        for (at, (id, deps)) in entries.iter().enumerate() {
            waits.push(deps.len());
            for dep in deps.iter().filter_map(|dep| places.get(dep)) {
                children.entry(*dep).or_default().push(at);
            }
            if deps.is_empty() && places.get(id) == Some(&at) {
                ready.insert((*id, at));
            }
        }
        let mut graph = Self::default();
        let mut rank: BTreeMap<EntryId, usize> = BTreeMap::new();
        while let Some((id, at)) = ready.pop_first() {
            graph.push(entries.get(at).map_or(&[], |(_, deps)| *deps), at, &rank);
            rank.insert(id, graph.order.len() - 1);
            for child in children.get(&at).into_iter().flatten() {
                let Some(waits) = waits.get_mut(*child) else { continue };
                *waits = waits.saturating_sub(1);
                if let (0, Some((id, _))) = (*waits, entries.get(*child)) {
                    ready.insert((*id, *child));
                }
            }
        }
        let inner: BTreeSet<usize> = graph.deps.iter().flatten().copied().collect();
        graph.heads = (0..graph.order.len()).filter(|at| !inner.contains(at)).collect();
        graph
    }

    fn push(&mut self, deps: &[EntryId], at: usize, rank: &BTreeMap<EntryId, usize>) {
        let deps: Vec<usize> = deps.iter().filter_map(|dep| rank.get(dep).copied()).collect();
        let mut past = Past::default();
        for dep in deps.iter().filter_map(|dep| self.past.get(*dep)) {
            past.join(dep);
        }
        let direct = deps.iter().copied().filter(|dep| !past.has(*dep)).collect();
        for dep in deps {
            past.add(dep);
        }
        self.order.push(at);
        self.past.push(past);
        self.deps.push(direct);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> EntryId {
        EntryId([n; 32])
    }

    #[test]
    fn orders_causally_and_leaves_out_what_misses_its_past() {
        let entries: Vec<(EntryId, Vec<EntryId>)> =
            vec![(id(4), vec![id(2), id(3)]), (id(2), vec![id(9)]), (id(3), vec![id(9)]), (id(9), vec![]), (id(1), vec![id(7)])];
        let entries: Vec<(EntryId, &[EntryId])> = entries.iter().map(|(id, deps)| (*id, deps.as_slice())).collect();
        let graph = EditGraph::new(&entries);
        assert_eq!(graph.order, [3, 1, 2, 0]);
        assert_eq!(graph.heads, [3]);
        assert_eq!(graph.past.last().map(|past| past.iter().collect::<Vec<_>>()), Some(vec![0, 1, 2]));
    }

    #[test]
    fn redundant_dependencies_are_dropped() {
        let entries: Vec<(EntryId, Vec<EntryId>)> = vec![(id(1), vec![]), (id(2), vec![id(1)]), (id(3), vec![id(1), id(2)])];
        let entries: Vec<(EntryId, &[EntryId])> = entries.iter().map(|(id, deps)| (*id, deps.as_slice())).collect();
        assert_eq!(EditGraph::new(&entries).deps, [vec![], vec![0], vec![1]]);
    }
}
