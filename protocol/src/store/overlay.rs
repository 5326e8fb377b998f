//! Reading a store as if some writes were in it already.

use std::ops::Bound;

use super::{Read, Rows, StoreError, Table, Writes, backward, forward};

/// `top` over `base`: what a commit of `top` would leave, without the commit. The word index is `base`'s alone.
#[derive(Clone, Copy)]
pub struct Overlay<'a> {
    base: &'a dyn Read,
    top: &'a Writes,
}

impl std::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlay").field("top", &self.top.len()).finish_non_exhaustive()
    }
}

impl<'a> Overlay<'a> {
    /// Reads `top` over `base`.
    #[must_use]
    pub fn new(base: &'a dyn Read, top: &'a Writes) -> Self {
        Self { base, top }
    }
}

impl Read for Overlay<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let key = (table, key.to_vec());
        match self.top.get(&key) {
            Some(value) => Ok(value.clone()),
            None => self.base.get(table, &key.1),
        }
    }

    fn scan(&self, table: Table, prefix: &[u8], after: &[u8], limit: usize) -> Result<Rows, StoreError> {
        let top = self.top.range((forward(table, prefix, after), Bound::Unbounded));
        let base = |limit| self.base.scan(table, prefix, after, limit);
        merged(within(top, table, prefix), limit, base, |base, top| base < top)
    }

    fn scan_back(&self, table: Table, prefix: &[u8], before: &[u8], limit: usize) -> Result<Rows, StoreError> {
        let top = self.top.range((Bound::Unbounded, backward(table, prefix, before))).rev();
        let base = |limit| self.base.scan_back(table, prefix, before, limit);
        merged(within(top, table, prefix), limit, base, |base, top| base > top)
    }

    fn search(&self, terms: &[Vec<String>], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.base.search(terms, limit)
    }
}

type Write<'a> = (&'a [u8], &'a Option<Vec<u8>>);

fn within<'a>(
    rows: impl Iterator<Item = (&'a (Table, Vec<u8>), &'a Option<Vec<u8>>)>,
    table: Table,
    prefix: &[u8],
) -> impl Iterator<Item = Write<'a>> {
    let rows = rows.take_while(move |((t, key), _)| *t == table && key.starts_with(prefix));
    rows.map(|((_, key), value)| (key.as_slice(), value))
}

/// The first `limit` rows of both, in the order that `earlier` gives; of two with one key, the top's.
fn merged<'a>(
    top: impl Iterator<Item = Write<'a>>,
    limit: usize,
    base: impl FnOnce(usize) -> Result<Rows, StoreError>,
    earlier: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<Rows, StoreError> {
    // Behind as many rows of the top as are wanted, nothing of it matters.
    let mut puts = 0;
    let matters = |write: &Write<'_>| {
        let wanted = puts < limit;
        puts += usize::from(write.1.is_some());
        wanted
    };
    let top: Vec<Write<'_>> = top.take_while(matters).collect();
    let deletes = top.iter().filter(|(_, value)| value.is_none()).count();
    let mut base = base(limit.saturating_add(deletes))?.into_iter().peekable();
    let mut rows = Rows::new();
    for (key, value) in top {
        while let Some(row) = base.next_if(|(other, _)| earlier(other, key)) {
            rows.push(row);
        }
        drop(base.next_if(|(other, _)| other == key));
        rows.extend(value.clone().map(|value| (key.to_vec(), value)));
    }
    rows.extend(base);
    rows.truncate(limit);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{MemoryStore, Store};
    use super::*;

    fn keys() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..4)
    }

    fn writes() -> impl Strategy<Value = Writes> {
        let table = prop_oneof![Just(Table::Block), Just(Table::Tail)];
        let value = proptest::option::weighted(0.6, proptest::collection::vec(any::<u8>(), 1));
        proptest::collection::btree_map((table, keys()), value, 0..24)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn reads_what_a_commit_would_leave(
            below in writes(),
            first in writes(),
            second in writes(),
            asked in proptest::collection::vec((keys(), keys(), 0usize..6), 12),
        ) {
            let mut base = MemoryStore::default();
            base.commit(&below).expect("memory never fails");
            let mut committed = base.clone();
            committed.commit(&first).expect("memory never fails");
            committed.commit(&second).expect("memory never fails");
            let middle = Overlay::new(&base, &first);
            let overlay = Overlay::new(&middle, &second);
            for (prefix, from, limit) in asked {
                let table = Table::Tail;
                prop_assert_eq!(overlay.scan(table, &prefix, &from, limit), committed.scan(table, &prefix, &from, limit));
                prop_assert_eq!(overlay.scan_back(table, &prefix, &from, limit), committed.scan_back(table, &prefix, &from, limit));
                prop_assert_eq!(overlay.get(table, &from), committed.get(table, &from));
            }
        }
    }
}
