//! Notes: what somebody wants to say.

use std::collections::BTreeMap;

use rand_core::CryptoRng;

use super::{reaction, reply};
use crate::circle::body::{KeyClass, Role};
use crate::control::{Code, EditNote, Error, ItemState, NewNote, Note, Subject, Time, Want, WantChange};
use crate::io::Filter;
use crate::item::compose::{Changing, ComposeContext, First};
use crate::item::kind::{Appears, Editors, Field, Form, Kind, Spec, Targets, fields};
use crate::item::list::list as listed;
use crate::item::reader::{ItemReader, Shown};
use crate::item::row::Flags;
use crate::item::show::How;
use crate::item::valid;
use crate::limits::{BODY_BYTES, LANG_CHARS, TITLE_CHARS};
use crate::log::entry::NewEntry;
use crate::store::StoreError;

/// Its row.
pub const SPEC: Spec = Spec {
    kind: Kind::Note,
    noun: Subject::Note,
    path: "notes",
    letter: 'n',
    class: Some(KeyClass::Talk),
    opened_by: Role::Member,
    edited_by: Editors::Creator,
    targets: Targets::Nothing,
    fields: &[
        Field::new(fields::TITLE, "title", Form::Line(TITLE_CHARS)).found(),
        Field::new(fields::BODY, "body", Form::Text(BODY_BYTES)).found(),
        Field::new(fields::WARNING, "content_warning", Form::Line(TITLE_CHARS)).found(),
        Field::new(fields::WANT, "want", Form::Word(Want::WORDS)),
        Field::new(fields::LANG, "lang", Form::Line(LANG_CHARS)),
        Field::new(fields::TAGS, "tags", Form::Tags).found(),
    ],
    appears: Appears::EVERYWHERE,
};

/// A new note as it is kept.
pub(in crate::item) fn tidy(new: &NewNote) -> Result<NewNote, Error> {
    let title = valid::line(&new.title, TITLE_CHARS, "The title")?;
    let body = valid::text(&new.body, "note")?;
    if title.is_empty() && body.trim().is_empty() {
        return Err(Error::new(Code::Usage, "The note is empty.", "Give it a title or some words."));
    }
    let warning = valid::line(new.content_warning.as_deref().unwrap_or_default(), TITLE_CHARS, "The content warning")?;
    let content_warning = (!warning.is_empty()).then_some(warning);
    let tags = valid::tags(&new.tags)?.into_iter().collect();
    Ok(NewNote { title, body, content_warning, want: new.want, lang: valid::lang(&new.lang)?, tags })
}

/// A new note.
pub(in crate::item) fn compose(place: &ComposeContext, rng: &mut dyn CryptoRng, new: &NewNote) -> Result<NewEntry, Error> {
    let new = tidy(new)?;
    let mut first = First::default();
    first.set(fields::TITLE, &new.title);
    first.warning(new.content_warning.as_deref())?;
    first.set(fields::WANT, new.want.map_or("", Want::word));
    first.set(fields::LANG, &new.lang);
    first.tags(&new.tags)?;
    first.text(fields::BODY, new.body);
    place.open(rng, Kind::Note, None, first.done())
}

/// What a note shall say.
pub(in crate::item) fn change(change: &mut Changing, wanted: &EditNote) -> Result<(), Error> {
    change.keep_words(wanted.title.as_ref(), wanted.body.as_ref())?;
    change.line(fields::TITLE, wanted.title.as_ref(), TITLE_CHARS, "The title")?;
    change.warning(wanted.content_warning.as_ref())?;
    change.word(fields::WANT, wanted.want.map(WantChange::word));
    change.set(fields::LANG, wanted.lang.as_ref().map(|lang| valid::lang(lang)))?;
    change.tags(wanted.tags.as_ref())?;
    change.text(wanted.body.as_ref(), "note")
}

/// Notes, oldest first. What is new in a reply makes its note new.
pub(in crate::item) fn list(reader: &ItemReader<'_>, filter: &Filter) -> Result<Vec<Note>, StoreError> {
    listed(reader, Kind::Note, filter, |shown, how| {
        if filter.unanswered && (shown.state != ItemState::Visible || reply::is_answered(reader, shown, how)?) {
            return Ok(None);
        }
        let note = show(reader, shown, how)?;
        let new = || note.new || note.replies.iter().any(|reply| reply.new);
        Ok((!filter.new || new()).then_some(note))
    })
}

/// A note with its replies and reactions.
pub(in crate::item) fn show(reader: &ItemReader<'_>, shown: &Shown, how: How<'_>) -> Result<Note, StoreError> {
    let content_warning = shown.some_words(fields::WARNING);
    let (delivery, delivered) = reader.delivery(shown);
    let (mut replies, mut reacted, mut all) = (Vec::new(), BTreeMap::new(), true);
    if shown.state == ItemState::Visible {
        (replies, all) = reply::show_all(reader, shown, content_warning.is_some(), how)?;
        let (reactions, every_one) = reaction::show_all(reader, &shown.key, how)?;
        (reacted, all) = (reactions, all && every_one);
    }
    Ok(Note {
        id: shown.key.text(SPEC.letter),
        base: how.base(reader, shown)?,
        crossed: Vec::new(),
        circle: reader.circle.text(),
        circle_name: reader.name.to_owned(),
        written: None,
        title: shown.words(fields::TITLE),
        cut: shown.is_cut() || !all,
        body: shown.body(how.reveal.shows(reader, shown.author), false),
        author: reader.author(shown.author),
        created_at: Time(shown.row.created),
        edited_at: shown.edited().map(Time),
        version: shown.whole.as_ref().map_or(shown.row.slots.len(), |whole| whole.count) as u64,
        want: shown.words(fields::WANT).parse().ok(),
        lang: shown.words(fields::LANG),
        tags: shown.tags(),
        pinned: shown.row.flags.has(Flags::PINNED),
        replies,
        reactions: reacted.iter().map(|(emoji, who)| (emoji.clone(), who.iter().map(|who| who.name.clone()).collect())).collect(),
        reacted,
        content_warning,
        state: shown.state,
        delivery,
        delivered,
        new: shown.is_new(how.mark),
        changed: shown.is_changed(how.mark),
        clock_skewed: reader.skewed(&shown.row),
    })
}
