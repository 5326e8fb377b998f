//! Acts in causal order. Each act is looked at once, and once more for each parent that it had to wait for, in whatever order
//! they come: a member writes acts at will, so what a circle costs to open grows with their number and no faster.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::ActId;

/// Every act after its parents; those whose past is not all there are left out.
pub(crate) fn parents_first<T>(all: Vec<T>, id: impl Fn(&T) -> ActId, parents: impl Fn(&T) -> &[ActId]) -> Vec<T> {
    let mut placed: BTreeSet<ActId> = BTreeSet::new();
    // By one parent that is missing yet.
    let mut waiting: BTreeMap<ActId, Vec<T>> = BTreeMap::new();
    let mut out = Vec::with_capacity(all.len());
    for one in all {
        let mut ready = vec![one];
        while let Some(one) = ready.pop() {
            if let Some(missing) = parents(&one).iter().find(|parent| !placed.contains(*parent)) {
                waiting.entry(*missing).or_default().push(one);
                continue;
            }
            let id = id(&one);
            placed.insert(id);
            ready.extend(waiting.remove(&id).unwrap_or_default());
            out.push(one);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::crypto::hash;

    /// An act's id and its parents.
    type Node = (ActId, Vec<ActId>);

    fn id(number: usize) -> ActId {
        ActId(hash("kith/v1/test-order", &[&number.to_le_bytes()]))
    }

    /// By id, as the store hands them out: a history of so many acts, each on the `wide` ones before it.
    fn stored(acts: usize, wide: usize) -> Vec<Node> {
        let mut all: Vec<Node> = (0..acts).map(|n| (id(n), (n.saturating_sub(wide)..n).map(id).collect())).collect();
        all.sort_unstable();
        all
    }

    fn looks(acts: usize, wide: usize) -> usize {
        let count = Cell::new(0);
        let ordered = parents_first(
            stored(acts, wide),
            |node| node.0,
            |node| {
                count.set(count.get() + 1);
                &node.1
            },
        );
        let mut known = BTreeSet::new();
        for (id, parents) in &ordered {
            assert!(parents.iter().all(|parent| known.contains(parent)), "a child before its parent");
            known.insert(*id);
        }
        assert_eq!(ordered.len(), acts);
        count.get()
    }

    #[test]
    fn ten_times_the_acts_take_ten_times_the_looks() {
        for wide in [1, 3] {
            let (few, many) = (looks(1_000, wide), looks(10_000, wide));
            assert!(few <= 1_000 * (1 + wide) && many <= 10_000 * (1 + wide), "{few} and {many} looks");
        }
    }

    #[test]
    fn what_lacks_a_parent_is_left_out_with_all_that_rests_on_it() {
        let mut all = stored(100, 1);
        all.retain(|node| node.0 != id(40));
        assert_eq!(parents_first(all, |node| node.0, |node| &node.1).len(), 40);
    }
}
