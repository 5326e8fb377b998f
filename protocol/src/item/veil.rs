//! What cuts took and the items' rows do not say yet: so that a removal hides from the moment it is committed, and rows are
//! settled again behind it.

use std::collections::BTreeMap;

use super::kind::Kind;
use super::row::ItemRow;
use crate::circle::body::Role;
use crate::circle::left::Left;

/// Of each branch whose entries are still to be judged again, by its number on this machine: what stands of it.
#[derive(Debug, Default)]
pub struct Veil(BTreeMap<u32, Left>);

impl Veil {
    pub(crate) const fn new(left: BTreeMap<u32, Left>) -> Self {
        Self(left)
    }

    /// Does an item rest on an entry that does not stand, and is shown all the same?
    pub(super) fn hides(&self, row: &ItemRow) -> bool {
        let needed = row.kind().map_or(Role::Guest, Kind::opened_by);
        let fell = |chain: &u32, seq: u64| self.0.get(chain).is_some_and(|left| !left.stands(seq, needed));
        !self.0.is_empty() && row.slots.iter().any(|slot| !slot.held && fell(&slot.at.chain, slot.at.seq))
    }
}
