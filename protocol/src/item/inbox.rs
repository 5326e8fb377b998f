//! What is new for the member of this machine. Marks are local: nobody else ever learns what they have seen.

use std::collections::{BTreeMap, BTreeSet};

use super::changed::{self, Changed};
use super::excerpt;
use super::kind::{Kind, fields};
use super::kinds::{is_of_days, status};
use super::reader::{ItemReader, Shown};
use super::row::{Flags, ItemRow, Tag, counter, local, set_counter, view_item, view_prefix};
use super::show::Reveal;
use crate::codec;
use crate::control::{Happening, InboxEntry, Subject, Time};
use crate::id::{CircleId, ItemKey, PersonId};
use crate::limits::{INBOX_ENTRIES, PAGE_ROWS, TOGETHER_ITEMS, TOGETHER_MILLIS, TOLD_CHARS};
use crate::store::{StoreError, Table};
use crate::tx::Tx;

/// New things of one circle, oldest first.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn inbox(reader: &ItemReader<'_>) -> Result<Vec<InboxEntry>, StoreError> {
    let mark = reader.seen_mark()?;
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    let mut left = INBOX_ENTRIES;
    for kind in Kind::ALL.into_iter().filter(|kind| kind.is_told()) {
        let keys = arrived_after(reader, kind, mark)?;
        for page in keys.chunks(PAGE_ROWS) {
            for shown in reader.shown(page, false)?.into_iter().filter(|shown| shown.whole.is_some()) {
                if shown.is_new(mark) {
                    new.extend(entry(reader, kind, &shown)?);
                } else if shown.is_changed(mark) {
                    changed.extend(change(reader, kind, &shown, mark, &mut left)?);
                }
            }
        }
    }
    let mut entries = together(new);
    entries.extend(changed);
    entries.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(entries)
}

/// Items that their author brought along at once are one thing to hear of.
fn together(entries: Vec<InboxEntry>) -> Vec<InboxEntry> {
    let mut by_author: BTreeMap<(Subject, String), Vec<InboxEntry>> = BTreeMap::new();
    for entry in entries {
        by_author.entry((entry.kind, entry.author.member.clone())).or_default().push(entry);
    }
    let mut told = Vec::new();
    for mut entries in by_author.into_values() {
        entries.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        let close =
            |a: &InboxEntry, b: &InboxEntry| a.parent.is_none() && b.created_at.0.since(a.created_at.0) <= TOGETHER_MILLIS;
        for run in entries.chunk_by(close) {
            match run {
                [first, ..] if run.len() >= TOGETHER_ITEMS => {
                    told.push(InboxEntry { count: Some(run.len() as u64), ..first.clone() });
                }
                _ => told.extend_from_slice(run),
            }
        }
    }
    told
}

/// What others changed in an item since it was seen here, a row for each of them; nothing where all of it is the reader's own, or
/// says again what it said then. `left`: how many entries may still be looked at for it.
fn change(
    reader: &ItemReader<'_>,
    kind: Kind,
    shown: &Shown,
    mark: u64,
    left: &mut usize,
) -> Result<Vec<InboxEntry>, StoreError> {
    let (Some(told), Some(unseen)) = (entry(reader, kind, shown)?, shown.row.unseen(mark)) else { return Ok(Vec::new()) };
    let me = reader.people.me();
    let somebody = shown.whole.as_ref().and_then(|whole| whole.edited_by).filter(|by| *by != me);
    let told = InboxEntry {
        kind: Subject::Changed,
        of: Some(told.kind),
        what: Some(Happening::Edited),
        author: reader.author(somebody),
        created_at: Time(shown.last_when().0),
        ..told
    };
    let slots = &shown.row.slots;
    let affordable = left.checked_sub(slots.len());
    let full = if affordable.is_some() { reader.full(&shown.key)? } else { None };
    let Some(whole) = full.as_ref().and_then(|full| full.whole.as_ref()) else { return Ok(vec![told]) };
    *left = affordable.unwrap_or(0);
    let first = slots.iter().position(|slot| slot.at == unseen.from).unwrap_or(1);
    let late: BTreeSet<_> = slots.iter().skip(first).map(|slot| slot.at).collect();
    let changes = changed::since(whole, &late, me);
    let hidden = told.content_warning.is_some() || changes.iter().any(Changed::is_warned);
    let row = |change: &Changed| InboxEntry {
        what: Some(change.what),
        author: reader.author(Some(change.by)),
        created_at: Time(change.at),
        changes: change.fields(hidden),
        ..told.clone()
    };
    Ok(changes.iter().map(row).collect())
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
    let title = if content_warning.is_some() { String::new() } else { titled.words(fields::TITLE) };
    let untitled = target.is_some() || title.is_empty();
    let circle = (reader.circle.text(), reader.name.to_owned());
    let (author, at) = (reader.author(shown.author), Time(shown.row.created));
    Ok(Some(InboxEntry {
        parent: target.as_ref().map(Shown::id),
        parent_title: target.as_ref().map(|target| target.words(fields::TITLE)),
        title,
        excerpt: (untitled && content_warning.is_none()).then(|| excerpt::beginning(&shown.words(fields::BODY), TOLD_CHARS)),
        content_warning,
        want: shown.words(fields::WANT).parse().ok(),
        status: shown.whole.as_ref().and_then(|whole| status(kind, &whole.fields)),
        all_day: shown.whole.as_ref().is_some_and(|whole| is_of_days(kind, &whole.fields)),
        ..InboxEntry::new(kind.subject(), shown.id(), circle, author, at)
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

/// Marks one item as seen, a note with its replies. What stands behind a warning is not, unless it was revealed.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn see(tx: &mut Tx<'_>, keys: &[ItemKey]) -> Result<(), StoreError> {
    for key in keys {
        let Some(mut row) = ItemRow::get(tx, key)? else { continue };
        let before = row.clone();
        row.flags.set(Flags::SEEN, row.flags.has(Flags::SEEN) || !row.flags.has(Flags::MINE));
        row.changed = None;
        if row == before {
            continue;
        }
        row.put(tx, key);
        if row.listed() {
            tx.put(Table::View, &row.view_key(key), row.view_value());
        }
    }
    Ok(())
}

/// The items that somebody sees with one of them: it, and what is shown with it. Without `reveal` none that stand behind a warning.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn seen_with(reader: &ItemReader<'_>, key: &ItemKey, reveal: Reveal) -> Result<Vec<ItemKey>, StoreError> {
    let Some(row) = reader.row(key)? else { return Ok(Vec::new()) };
    // Asked for by the id of a reply, its note is shown, and all that answers it.
    let key = row.parent.filter(|_| row.kind().is_some_and(|kind| !kind.is_listed())).unwrap_or(*key);
    let Some(shown) = reader.shown(&[key], false)?.pop() else { return Ok(Vec::new()) };
    let Some(kind) = shown.row.kind() else { return Ok(Vec::new()) };
    let open =
        |shown: &Shown, author: Option<PersonId>| shown.some_words(fields::WARNING).is_none() || reveal.shows(reader, author);
    let mut seen = Vec::new();
    let shows = open(&shown, shown.author);
    if shows {
        seen.push(key);
    }
    for told in kind.children().filter(|kind| kind.is_told()) {
        for page in reader.children(told, &key)?.chunks(PAGE_ROWS) {
            let answers = reader.shown(page, false)?;
            seen.extend(answers.iter().filter(|answer| shows && open(answer, answer.author)).map(|answer| answer.key));
        }
    }
    Ok(seen)
}
