//! The field and the kind that [`crate::tomorrow`] adds: notes have a mood, and some reactions are of a kind of their own.

use super::edit::{Op, Value};
use super::kind::{Field, Form, Kind};
use crate::limits::TITLE_CHARS;
use crate::log::entry::NewEntry;
use crate::tomorrow::{FIELD, KIND, MOOD, is_tomorrow};

/// The field of notes.
pub(super) const MOOD_FIELD: Field = Field::new(FIELD, "mood", Form::Line(TITLE_CHARS)).found().later();

/// The kind that only that version knows.
pub(super) fn kind(number: u8) -> Option<Kind> {
    (is_tomorrow() && number == KIND).then_some(Kind::Reaction)
}

/// What that version says beside what somebody asked for.
pub(super) fn say(kind: Kind, ops: &mut Vec<Op>) {
    if is_tomorrow() && kind == Kind::Note {
        ops.push(Op::Set(FIELD, Value::text(MOOD)));
    }
}

/// A new item as that version writes it.
pub(super) fn written(kind: Kind, entry: NewEntry) -> NewEntry {
    if is_tomorrow() && kind == Kind::Reaction { NewEntry { kind: KIND, ..entry } } else { entry }
}
