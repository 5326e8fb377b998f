//! Replies: answers to a note, shown with it.

use rand_core::CryptoRng;

use crate::circle::body::{KeyClass, Role};
use crate::control::{Code, EditNote, Error, ItemState, NewReply, Reply, Subject, Time};
use crate::id::ItemKey;
use crate::item::compose::{Changing, ComposeContext, ComposeError, First, target};
use crate::item::kind::{Appears, Editors, Field, Form, Kind, Spec, Targets, fields};
use crate::item::reader::{ItemReader, Shown};
use crate::item::show::How;
use crate::item::valid;
use crate::limits::{ANSWERS_READ, BODY_BYTES, LIST_CHILDREN, TITLE_CHARS};
use crate::log::entry::NewEntry;
use crate::store::StoreError;

/// Its row.
pub const SPEC: Spec = Spec {
    kind: Kind::Reply,
    noun: Subject::Reply,
    path: "replies",
    letter: 'p',
    class: Some(KeyClass::Talk),
    opened_by: Role::Member,
    edited_by: Editors::Creator,
    targets: Targets::Kinds(&[Kind::Note]),
    fields: &[
        Field::new(fields::BODY, "body", Form::Text(BODY_BYTES)).found(),
        Field::new(fields::WARNING, "content_warning", Form::Line(TITLE_CHARS)).found(),
    ],
    appears: Appears { list: false, ..Appears::EVERYWHERE },
};

/// A reply to a note.
pub(in crate::item) fn compose(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    rng: &mut dyn CryptoRng,
    note: &ItemKey,
    new: &NewReply,
) -> Result<NewEntry, ComposeError> {
    let (_, about) = target(reader, note, &[Kind::Note])?;
    let body = valid::text(&new.body, "reply")?;
    if body.trim().is_empty() {
        return Err(Error::new(Code::Usage, "The reply is empty.", "Write a few words, or react with an emoji.").into());
    }
    let mut first = First::default();
    first.warning(new.content_warning.as_deref())?;
    first.text(fields::BODY, body);
    Ok(place.open(rng, Kind::Reply, Some(about), first.done())?)
}

/// What a reply shall say. People edit it as they edit a note, of which it has the text and the warning only.
pub(in crate::item) fn change(change: &mut Changing, wanted: &EditNote) -> Result<(), Error> {
    if wanted.title.is_some() || wanted.want.is_some() || wanted.lang.is_some() || wanted.tags.is_some() {
        return Err(Error::new(Code::Usage, "A reply has a text and a content warning only.", "Edit its note for the rest."));
    }
    change.keep_words(None, wanted.body.as_ref())?;
    change.warning(wanted.content_warning.as_ref())?;
    change.text(wanted.body.as_ref(), "reply")
}

/// The replies to a note, oldest first, and whether these are all. `warned`: the note has a content warning.
pub(super) fn show_all(
    reader: &ItemReader<'_>,
    note: &Shown,
    warned: bool,
    how: How<'_>,
) -> Result<(Vec<Reply>, bool), StoreError> {
    let (keys, all) = how.children_of(reader, Kind::Reply, &note.key)?;
    let replies =
        reader.shown(&keys, how.full)?.into_iter().filter(|reply| matches!(reply.state, ItemState::Visible | ItemState::Hidden));
    Ok((replies.map(|reply| show(reader, &reply, warned, how)).collect::<Result<_, _>>()?, all))
}

fn show(reader: &ItemReader<'_>, shown: &Shown, warned: bool, how: How<'_>) -> Result<Reply, StoreError> {
    Ok(Reply {
        id: shown.key.text(SPEC.letter),
        base: how.base(reader, shown)?,
        cut: shown.is_cut(),
        body: shown.body(how.reveal.shows(reader, shown.author), warned),
        content_warning: shown.some_words(fields::WARNING),
        author: reader.author(shown.author),
        created_at: Time(shown.row.created),
        edited_at: shown.edited().map(Time),
        state: shown.state,
        delivery: reader.delivery(shown).0,
        new: shown.is_new(how.mark),
    })
}

/// Does somebody else's reply stand?
pub(super) fn is_answered(reader: &ItemReader<'_>, note: &Shown, how: How<'_>) -> Result<bool, StoreError> {
    let most = if how.full { usize::MAX } else { LIST_CHILDREN };
    let (keys, _) = reader.children_in(how.all, Kind::Reply, &note.key, most)?;
    for some in keys.rchunks(ANSWERS_READ) {
        let answers = |reply: &Shown| reply.state == ItemState::Visible && reply.author != note.author;
        if reader.shown(some, false)?.iter().any(answers) {
            return Ok(true);
        }
    }
    Ok(false)
}
