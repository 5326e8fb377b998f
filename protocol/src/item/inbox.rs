//! What is new for the member of this machine. Marks are local: nobody else ever learns what they have seen.

use super::kind::{Kind, fields};
use super::kinds::note::want;
use super::reader::{ItemReader, Shown};
use super::row::{Flags, ItemRow, Tag, counter, local, set_counter, view_item, view_parent, view_prefix};
use crate::codec;
use crate::control::{InboxEntry, Time};
use crate::id::{CircleId, ItemKey};
use crate::limits::PAGE_ROWS;
use crate::store::{Read, StoreError, Table};
use crate::tx::Tx;

/// New things of one circle, oldest first.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn inbox(reader: &ItemReader<'_>) -> Result<Vec<InboxEntry>, StoreError> {
    let mark = reader.seen_mark()?;
    let mut entries = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kind.is_told()) {
        let keys = arrived_after(reader, kind, mark)?;
        for page in keys.chunks(PAGE_ROWS) {
            for shown in reader.shown(page, false)?.into_iter().filter(|shown| shown.whole.is_some() && shown.is_new(mark)) {
                entries.extend(entry(reader, kind, &shown)?);
            }
        }
    }
    entries.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(entries)
}

fn arrived_after(reader: &ItemReader<'_>, kind: Kind, mark: u64) -> Result<Vec<ItemKey>, StoreError> {
    let prefix = view_prefix(reader.tag(), kind.number(), None);
    let mut found = Vec::new();
    let mut after = Vec::new();
    loop {
        let rows = reader.read.scan(Table::View, &prefix, &after, PAGE_ROWS)?;
        for (key, value) in &rows {
            let arrived: u64 = codec::decode(value, "view row").map_err(|error| StoreError::Corrupt(error.to_string()))?;
            if arrived > mark {
                found.push(view_item(key)?);
            }
        }
        match rows.last() {
            Some((last, _)) if rows.len() == PAGE_ROWS => after.clone_from(last),
            Some(_) | None => return Ok(found),
        }
    }
}

fn entry(reader: &ItemReader<'_>, kind: Kind, shown: &Shown) -> Result<Option<InboxEntry>, StoreError> {
    let Some(target) = reader.target(kind, shown)? else { return Ok(None) };
    let titled = target.as_ref().unwrap_or(shown);
    let content_warning = shown.some_words(fields::WARNING).or_else(|| titled.some_words(fields::WARNING));
    Ok(Some(InboxEntry {
        kind: kind.subject(),
        id: shown.id(),
        parent: target.as_ref().map(Shown::id),
        circle: reader.circle.text(),
        circle_name: reader.name.to_owned(),
        title: if content_warning.is_some() { String::new() } else { titled.words(fields::TITLE) },
        content_warning,
        want: want(&shown.words(fields::WANT)),
        author: reader.author(shown.author),
        created_at: Time(shown.row.created),
    }))
}

/// Marks everything of a circle as seen.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn see_all(tx: &mut Tx<'_>, circle: &CircleId) -> Result<(), StoreError> {
    let tag = Tag::of(circle);
    let arrived = counter(tx, &local::arrived(tag))?;
    set_counter(tx, &local::seen(tag), arrived);
    Ok(())
}

/// Marks one item as seen, a note with its replies.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn see(tx: &mut Tx<'_>, key: &ItemKey) -> Result<(), StoreError> {
    let Some(row) = ItemRow::get(tx, key)? else { return Ok(()) };
    let told: Vec<Kind> = row.kind().map(Kind::named).unwrap_or_default();
    for kind in told.into_iter().filter(|kind| !kind.is_listed()) {
        let mut after = Vec::new();
        let prefix = view_prefix(row.circle, kind.number(), Some(key));
        loop {
            let rows = tx.scan(Table::View, &prefix, &after, PAGE_ROWS)?;
            for (view, _) in rows.iter().filter(|(view, _)| view_parent(view) == Some(*key)) {
                let reply = view_item(view)?;
                if let Some(row) = ItemRow::get(tx, &reply)? {
                    mark(tx, &reply, row);
                }
            }
            match rows.last() {
                Some((last, _)) if rows.len() == PAGE_ROWS => after.clone_from(last),
                Some(_) | None => break,
            }
        }
    }
    mark(tx, key, row);
    Ok(())
}

fn mark(tx: &mut Tx<'_>, key: &ItemKey, mut row: ItemRow) {
    if !row.flags.has(Flags::SEEN | Flags::MINE) {
        row.flags.set(Flags::SEEN, true);
        row.put(tx, key);
    }
}
