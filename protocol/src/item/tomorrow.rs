//! The field and the kind that [`crate::tomorrow`] adds: notes have a mood, and some reactions are of a kind of their own.

use super::edit::{Op, Value};
use super::kind::{Field, Form, Kind};
use super::kinds::note;
use crate::log::entry::NewEntry;
use crate::tomorrow::{FIELD, KIND, MOOD, is_tomorrow};

const KNOWN: usize = note::SPEC.fields.len();

/// The fields of a note, and one more.
const NOTE: [Field; KNOWN + 1] = {
    let mut all = [Field::new(FIELD, "mood", Form::Line(80)).found().later(); KNOWN + 1];
    let mut at = 0;
    while at < KNOWN {
        all[at] = note::SPEC.fields[at];
        at += 1;
    }
    all
};

/// The fields of a kind in that version.
pub(super) const fn fields(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Note => &NOTE,
        Kind::Reply | Kind::Reaction | Kind::Event | Kind::Rsvp | Kind::Resource | Kind::Tombstone | Kind::Hide | Kind::Pin => {
            kind.spec().fields
        }
    }
}

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
