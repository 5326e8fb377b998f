//! Lists of notes, events and resources: oldest first, the last so many where a limit is given.

use std::cell::Cell;

use super::kind::Kind;
use super::reader::{ItemReader, PAGE, Shown};
use super::recur::is_over;
use super::row::{view_item, view_prefix};
use super::show::{How, Reveal, event_of, has_new_reply, is_answered, note_of, resource_of};
use crate::control::{Event, Note, NoteState, Resource};
use crate::id::ItemKey;
use crate::io::Filter;
use crate::limits::{LIST_CHILDREN, LIST_CHILDREN_EACH};
use crate::store::{StoreError, Table};

/// Notes.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn notes(reader: &ItemReader<'_>, filter: &Filter) -> Result<Vec<Note>, StoreError> {
    list(reader, Kind::Note, &[Kind::Reply, Kind::Reaction], filter, |shown, how| {
        if filter.unanswered && (shown.state != NoteState::Visible || is_answered(reader, shown, how)?) {
            return Ok(None);
        }
        let note = note_of(reader, shown, how)?;
        Ok((!filter.new || note.new || has_new_reply(&note)).then_some(note))
    })
}

/// Events, by their first start. A limit means the next so many of the upcoming ones, else the last so many.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn events(reader: &ItemReader<'_>, filter: &Filter) -> Result<Vec<Event>, StoreError> {
    let mut events = all_events(reader, &Filter { limit: None, ..filter.clone() })?;
    events.sort_by(|a, b| (a.starts, a.created_at, &a.id).cmp(&(b.starts, b.created_at, &b.id)));
    let limit = filter.limit.unwrap_or(usize::MAX);
    if filter.upcoming {
        events.truncate(limit);
    } else {
        events.drain(..events.len().saturating_sub(limit));
    }
    Ok(events)
}

fn all_events(reader: &ItemReader<'_>, filter: &Filter) -> Result<Vec<Event>, StoreError> {
    list(reader, Kind::Event, &[Kind::Rsvp], filter, |shown, how| {
        let event = event_of(reader, shown, how)?;
        let rule = event.rrule.as_deref().unwrap_or_default();
        let over = || is_over(event.starts.0, event.ends.map(|ends| ends.0), event.all_day, rule, reader.now);
        let wanted = (!filter.new || event.new)
            && !(filter.unanswered && (event.rsvp.mine.is_some() || event.state != NoteState::Visible))
            && !(filter.upcoming && (event.state != NoteState::Visible || over()));
        Ok(wanted.then_some(event))
    })
}

/// Resources.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn resources(reader: &ItemReader<'_>, filter: &Filter) -> Result<Vec<Resource>, StoreError> {
    list(reader, Kind::Resource, &[], filter, |shown, how| {
        let resource = resource_of(reader, shown, how);
        Ok((!filter.new || resource.new).then_some(resource))
    })
}

fn list<T>(
    reader: &ItemReader<'_>,
    kind: Kind,
    children: &[Kind],
    filter: &Filter,
    make: impl Fn(&Shown, How<'_>) -> Result<Option<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let limit = filter.limit.unwrap_or(usize::MAX);
    let all = if limit > PAGE { Some(reader.all_children(children)?) } else { None };
    // What is new in a reply makes its note new: then all have to be looked at.
    let left = Cell::new(limit.saturating_mul(LIST_CHILDREN_EACH).max(LIST_CHILDREN));
    let (reveal, full) = (Reveal::asked(filter.reveal), filter.full);
    let how = How { reveal, mark: reader.seen_mark()?, all: all.as_ref(), full, left: (!filter.new).then_some(&left) };
    let prefix = view_prefix(reader.tag(), kind.number(), None);
    let mut found = Vec::new();
    let mut before = Vec::new();
    while found.len() < limit {
        let rows = reader.read.scan_back(Table::View, &prefix, &before, PAGE.min(limit))?;
        let Some((last, _)) = rows.last() else { break };
        before.clone_from(last);
        let keys: Vec<ItemKey> = rows.iter().map(|(key, _)| view_item(key)).collect::<Result<_, _>>()?;
        for shown in reader.shown(&keys, filter.full)? {
            let wanted = filter.tag.as_ref().is_none_or(|tag| shown.tags().contains(tag));
            if !wanted || !matches!(shown.state, NoteState::Visible | NoteState::Hidden) {
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
