//! A base: the state of an item that somebody saw and changes, named by its heads. Opaque to everybody else.

use std::collections::BTreeMap;

use crate::id::{EntryId, short_tail};

/// In front of every base; another form gets another.
const FORM: &str = "b1-";

/// The base that some heads make, the same in any order.
pub(super) fn name(heads: &[EntryId]) -> String {
    let mut names: Vec<String> = heads.iter().map(|head| short_tail(&head.0)).collect();
    names.sort_unstable();
    format!("{FORM}{}", names.join("."))
}

/// The heads that a base names, among an item's entries; `None` where one of them is not there.
pub(super) fn heads(base: &str, entries: impl Iterator<Item = EntryId>) -> Option<Vec<EntryId>> {
    let known: BTreeMap<String, EntryId> = entries.map(|entry| (short_tail(&entry.0), entry)).collect();
    base.strip_prefix(FORM)?.split('.').map(|name| known.get(name).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_names_its_heads_and_nothing_else() {
        let ids = [1, 2, 3].map(|n| EntryId([n; 32]));
        let base = name(&ids[..2]);
        assert_eq!(base, name(&[ids[1], ids[0]]));
        let mut found = heads(&base, ids.into_iter()).expect("they are there");
        found.sort_unstable();
        assert_eq!(found, ids[..2]);
        assert_eq!(heads(&base, ids[1..].iter().copied()), None, "one of them is not there");
        for wrong in ["", "b1-", "b2-x", &base[1..], &format!("{base}.")] {
            assert_eq!(heads(wrong, ids.into_iter()), None, "{wrong}");
        }
    }
}
