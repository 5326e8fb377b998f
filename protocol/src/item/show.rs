//! One item as people and scripts see it.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::kind::{Kind, fields};
use super::load::touched;
use super::reader::{Children, ItemReader, Shown};
use super::valid::is_address;
use crate::control::{Author, Change, Event, Note, NoteState, Reply, Resource, Revision, RsvpCounts, Time, Want};
use crate::id::{ItemKey, PersonId};
use crate::limits::{HISTORY_BYTES, LIST_CHILDREN};
use crate::store::StoreError;

/// Replies read at once to find out whether there is an answer among them: mostly the newest is one.
const ANSWERS: usize = 8;

/// Which bodies behind content warnings an answer may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reveal {
    /// None.
    #[default]
    Nothing,
    /// Those that the member of this machine wrote: what an answer to writing may hold.
    Own,
    /// All: somebody asked to see them.
    All,
}

impl Reveal {
    /// As somebody asked for it, or did not.
    #[must_use]
    pub const fn asked(reveal: bool) -> Self {
        if reveal { Self::All } else { Self::Nothing }
    }

    /// May the body of that author's be shown?
    fn shows(self, reader: &ItemReader<'_>, author: Option<PersonId>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Own => author == Some(reader.people.me()),
            Self::All => true,
        }
    }
}

/// How a list or a single item is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct How<'a> {
    /// Which bodies behind warnings.
    pub(super) reveal: Reveal,
    /// Up to which arrival everything is seen.
    pub(super) mark: u64,
    /// Children, where they were read at once.
    pub(super) all: Option<&'a Children>,
    /// All of a long text, or its start only.
    pub(super) full: bool,
    /// Children that the list at hand may still show.
    pub(super) left: Option<&'a Cell<usize>>,
}

impl How<'_> {
    /// How many of each kind that is about a note are shown with it.
    fn children(&self) -> usize {
        if self.full { usize::MAX } else { self.left.map_or(LIST_CHILDREN, |left| left.get().min(LIST_CHILDREN)) }
    }

    /// The children of a note that are shown with it, oldest first, and whether these are all.
    fn children_of(&self, reader: &ItemReader<'_>, kind: Kind, note: &ItemKey) -> Result<(Vec<ItemKey>, bool), StoreError> {
        let (keys, all) = reader.children_in(self.all, kind, note, self.children())?;
        if let Some(left) = self.left {
            left.set(left.get().saturating_sub(keys.len()));
        }
        Ok((keys, all))
    }
}

/// A note with its replies; given a reply, its note.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn note(reader: &ItemReader<'_>, key: &ItemKey, reveal: Reveal) -> Result<Option<Note>, StoreError> {
    let Some(row) = reader.row(key)? else { return Ok(None) };
    let key = if row.kind() == Some(Kind::Reply) { row.parent.unwrap_or(*key) } else { *key };
    let how = How { reveal, mark: reader.seen_mark()?, all: None, full: true, left: None };
    let shown = reader.shown(&[key], true)?.pop().filter(|shown| shown.row.kind() == Some(Kind::Note));
    shown.map(|shown| note_of(reader, &shown, how)).transpose()
}

/// An event with its answers.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn event(reader: &ItemReader<'_>, key: &ItemKey) -> Result<Option<Event>, StoreError> {
    let how = How { reveal: Reveal::Nothing, mark: reader.seen_mark()?, all: None, full: true, left: None };
    let shown = reader.shown(&[*key], true)?.pop().filter(|shown| shown.row.kind() == Some(Kind::Event));
    shown.map(|shown| event_of(reader, &shown, how)).transpose()
}

/// A resource.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn resource(reader: &ItemReader<'_>, key: &ItemKey) -> Result<Option<Resource>, StoreError> {
    let how = How { reveal: Reveal::Nothing, mark: reader.seen_mark()?, all: None, full: true, left: None };
    let shown = reader.shown(&[*key], true)?.pop().filter(|shown| shown.row.kind() == Some(Kind::Resource));
    Ok(shown.map(|shown| resource_of(reader, &shown, how)))
}

pub(super) fn note_of(reader: &ItemReader<'_>, shown: &Shown, how: How<'_>) -> Result<Note, StoreError> {
    let visible = shown.state == NoteState::Visible;
    let content_warning = shown.some_words(fields::WARNING);
    let (delivery, delivered) = reader.delivery(shown);
    let (mut told, mut reacted, mut all) = (Vec::new(), BTreeMap::new(), true);
    if visible {
        (told, all) = replies(reader, shown, content_warning.is_some(), how)?;
        let (reactions, every_one) = reactions(reader, &shown.key, how)?;
        (reacted, all) = (reactions, all && every_one);
    }
    Ok(Note {
        id: shown.key.text(Kind::Note.letter()),
        circle: reader.circle.text(),
        title: shown.words(fields::TITLE),
        cut: shown.is_cut() || !all,
        body: shown.body(how.reveal.shows(reader, shown.author), false),
        author: reader.author(shown.author),
        created_at: Time(shown.row.created),
        edited_at: shown.edited().map(Time),
        version: shown.whole.as_ref().map_or(shown.row.slots.len(), |whole| whole.count) as u64,
        want: want(&shown.words(fields::WANT)),
        lang: shown.words(fields::LANG),
        tags: shown.tags(),
        pinned: shown.row.flags.has(super::row::Flags::PINNED),
        replies: told,
        reactions: reacted.iter().map(|(emoji, who)| (emoji.clone(), who.iter().map(|who| who.name.clone()).collect())).collect(),
        reacted,
        content_warning,
        state: shown.state,
        delivery,
        delivered,
        new: shown.is_new(how.mark),
        clock_skewed: reader.skewed(shown.row.created),
    })
}

pub(super) fn want(word: &str) -> Option<Want> {
    match word {
        "listen" => Some(Want::Listen),
        "advice" => Some(Want::Advice),
        "resources" => Some(Want::Resources),
        _ => None,
    }
}

/// The replies to a note, and whether these are all.
fn replies(reader: &ItemReader<'_>, note: &Shown, warned: bool, how: How<'_>) -> Result<(Vec<Reply>, bool), StoreError> {
    let (keys, all) = how.children_of(reader, Kind::Reply, &note.key)?;
    let replies =
        reader.shown(&keys, how.full)?.into_iter().filter(|reply| matches!(reply.state, NoteState::Visible | NoteState::Hidden));
    Ok((replies.map(|reply| reply_of(reader, &reply, warned, how)).collect(), all))
}

fn reply_of(reader: &ItemReader<'_>, shown: &Shown, warned: bool, how: How<'_>) -> Reply {
    Reply {
        id: shown.key.text(Kind::Reply.letter()),
        cut: shown.is_cut(),
        body: shown.body(how.reveal.shows(reader, shown.author), warned),
        content_warning: shown.some_words(fields::WARNING),
        author: reader.author(shown.author),
        created_at: Time(shown.row.created),
        edited_at: shown.edited().map(Time),
        state: shown.state,
        delivery: reader.delivery(shown).0,
        new: shown.is_new(how.mark),
    }
}

/// Emoji to people.
type Reactions = BTreeMap<String, Vec<Author>>;

/// The reactions to a note, and whether these are all. The same by the same person counts once.
fn reactions(reader: &ItemReader<'_>, note: &ItemKey, how: How<'_>) -> Result<(Reactions, bool), StoreError> {
    let (keys, all) = how.children_of(reader, Kind::Reaction, note)?;
    let mut seen: BTreeSet<(String, PersonId)> = BTreeSet::new();
    let mut reactions = Reactions::new();
    for shown in reader.shown(&keys, how.full)? {
        let (Some(emoji), Some(author)) = (shown.some_words(fields::EMOJI), shown.author) else { continue };
        if seen.insert((emoji.clone(), author)) {
            reactions.entry(emoji).or_default().push(reader.author(Some(author)));
        }
    }
    Ok((reactions, all))
}

/// Does somebody else's reply stand?
pub(super) fn is_answered(reader: &ItemReader<'_>, note: &Shown, how: How<'_>) -> Result<bool, StoreError> {
    let (keys, _) = reader.children_in(how.all, Kind::Reply, &note.key, if how.full { usize::MAX } else { LIST_CHILDREN })?;
    for some in keys.rchunks(ANSWERS) {
        let answers = |reply: &Shown| reply.state == NoteState::Visible && reply.author != note.author;
        if reader.shown(some, false)?.iter().any(answers) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Is one of its replies new?
pub(super) fn has_new_reply(note: &Note) -> bool {
    note.replies.iter().any(|reply| reply.new)
}

pub(super) fn event_of(reader: &ItemReader<'_>, shown: &Shown, how: How<'_>) -> Result<Event, StoreError> {
    let moment = |field| shown.whole.as_ref().and_then(|whole| whole.fields.moment(field)).map(Time);
    let starts_local = shown.words(fields::STARTS_LOCAL);
    let status = shown.words(fields::STATUS);
    Ok(Event {
        id: shown.key.text(Kind::Event.letter()),
        circle: reader.circle.text(),
        title: shown.words(fields::TITLE),
        description: shown.words(fields::BODY),
        cut: shown.is_cut(),
        starts: moment(fields::STARTS).unwrap_or(Time(shown.row.created)),
        ends: moment(fields::ENDS),
        all_day: starts_local.len() == 10,
        starts_local,
        ends_local: shown.words(fields::ENDS_LOCAL),
        tz: shown.words(fields::TZ),
        rrule: shown.some_words(fields::RRULE),
        location: shown.words(fields::LOCATION),
        status: if status.is_empty() { "confirmed".to_owned() } else { status },
        rsvp: answers(reader, &shown.key, how)?,
        author: reader.author(shown.author),
        created_at: Time(shown.row.created),
        edited_at: shown.edited().map(Time),
        uid: shown.words(fields::UID),
        tags: shown.tags(),
        state: shown.state,
        delivery: reader.delivery(shown).0,
        new: shown.is_new(how.mark),
    })
}

/// One answer a person: the last by its author's clock, ties by key, so that all machines agree.
pub(super) fn answers(reader: &ItemReader<'_>, event: &ItemKey, how: How<'_>) -> Result<RsvpCounts, StoreError> {
    let (keys, _) = reader.children_in(how.all, Kind::Rsvp, event, usize::MAX)?;
    let mut last: BTreeMap<PersonId, Shown> = BTreeMap::new();
    for shown in reader.shown(&keys, how.full)?.into_iter().filter(|shown| shown.whole.is_some()) {
        let Some(author) = shown.author else { continue };
        if last.get(&author).is_none_or(|before| before.last_when() < shown.last_when()) {
            last.insert(author, shown);
        }
    }
    let mut counts = RsvpCounts::default();
    for (author, shown) in last {
        let answer = shown.words(fields::ANSWER);
        match answer.as_str() {
            "yes" => counts.yes += 1,
            "no" => counts.no += 1,
            _ => counts.maybe += 1,
        }
        if author == reader.people.me() {
            counts.mine = Some(answer);
        }
    }
    Ok(counts)
}

pub(super) fn resource_of(reader: &ItemReader<'_>, shown: &Shown, how: How<'_>) -> Resource {
    let kind = shown.words(fields::RESOURCE_KIND);
    let (url, refused_url) = address(shown.words(fields::URL));
    Resource {
        id: shown.key.text(Kind::Resource.letter()),
        circle: reader.circle.text(),
        title: shown.words(fields::TITLE),
        url,
        refused_url,
        kind: if kind.is_empty() { "link".to_owned() } else { kind },
        tags: shown.tags(),
        lang: shown.words(fields::LANG),
        note: shown.words(fields::BODY),
        cut: shown.is_cut(),
        author: reader.author(shown.author),
        review_by: shown.some_words(fields::REVIEW_BY),
        file: None,
        created_at: Time(shown.row.created),
        edited_at: shown.edited().map(Time),
        state: shown.state,
        delivery: reader.delivery(shown).0,
        new: shown.is_new(how.mark),
    }
}

/// What peers gave as an address: as one where it may be, else as words.
fn address(text: String) -> (String, Option<String>) {
    if is_address(&text) { (text, None) } else { (String::new(), Some(text)) }
}

/// An item's edit history, oldest first; nothing of items that are not visible. Bodies that stand behind a warning now, or stood
/// behind one after their step, are left out unless asked for.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn history(reader: &ItemReader<'_>, key: &ItemKey, reveal: Reveal) -> Result<Vec<Revision>, StoreError> {
    let Some(shown) = reader.full(key)? else { return Ok(Vec::new()) };
    let Some(whole) = &shown.whole else { return Ok(Vec::new()) };
    let mut warned = !whole.fields.words(fields::WARNING).is_empty();
    if whole.kind == Kind::Reply {
        // A reply shows with its note only, and stands behind its warning, too.
        let note = shown.row.parent.map(|parent| reader.visible(&parent)).transpose()?.flatten();
        let Some(note) = note else { return Ok(Vec::new()) };
        warned |= note.some_words(fields::WARNING).is_some();
    }
    let reveals = reveal.shows(reader, shown.author);
    let mut history = Vec::new();
    for step in whole.steps.iter().skip(whole.too_old(HISTORY_BYTES)) {
        let after = whole.fields_after(step);
        let hidden = !reveals && (warned || !after.words(fields::WARNING).is_empty());
        let changes = touched(&step.edit).into_iter().filter_map(|number| {
            let field = whole.kind.field(number)?;
            let value = if hidden && number == fields::BODY { None } else { Some(after.shown(whole.kind, number)) };
            let refused = field.name == "url" && value.as_deref().is_some_and(|url| !is_address(url));
            Some(Change { field: if refused { "refused_url" } else { field.name }.to_owned(), value })
        });
        history.push(Revision { author: reader.author(Some(step.writer)), at: Time(step.when), changes: changes.collect() });
    }
    Ok(history)
}
