//! Lists of items: oldest first, the last so many where a limit is given.

use std::cell::Cell;

use super::kind::Kind;
use super::reader::{ItemReader, Shown};
use super::row::{view_item, view_prefix};
use super::show::{How, Reveal};
use crate::control::ItemState;
use crate::id::ItemKey;
use crate::io::Filter;
use crate::limits::{LIST_CHILDREN, LIST_CHILDREN_EACH, PAGE_ROWS};
use crate::store::{StoreError, Table};

/// What `make` makes of the items of a kind, as far as a filter narrows them alike for all kinds.
pub(super) fn list<T>(
    reader: &ItemReader<'_>,
    kind: Kind,
    filter: &Filter,
    make: impl Fn(&Shown, How<'_>) -> Result<Option<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let limit = filter.limit.unwrap_or(usize::MAX);
    let all = if limit > PAGE_ROWS { Some(reader.all_children(&kind.children().collect::<Vec<_>>())?) } else { None };
    // What is new in a reply makes its note new: then all have to be looked at.
    let left = Cell::new(limit.saturating_mul(LIST_CHILDREN_EACH).max(LIST_CHILDREN));
    let (reveal, full) = (Reveal::asked(filter.reveal), filter.full);
    let how =
        How { reveal, mark: reader.seen_mark()?, all: all.as_ref(), full, based: false, left: (!filter.new).then_some(&left) };
    let prefix = view_prefix(reader.tag(), kind.number(), None);
    let mut found = Vec::new();
    let mut before = Vec::new();
    while found.len() < limit {
        let rows = reader.read.scan_back(Table::View, &prefix, &before, PAGE_ROWS.min(limit))?;
        let Some((last, _)) = rows.last() else { break };
        before.clone_from(last);
        let keys: Vec<ItemKey> = rows.iter().map(|(key, _)| view_item(key)).collect::<Result<_, _>>()?;
        for shown in reader.shown(&keys, filter.full)? {
            let wanted = filter.tag.as_ref().is_none_or(|tag| shown.tags().contains(tag));
            if !wanted || !matches!(shown.state, ItemState::Visible | ItemState::Hidden) {
                continue;
            }
            found.extend(make(&shown, how)?);
            if found.len() >= limit {
                break;
            }
        }
    }
    found.reverse();
    Ok(found)
}
