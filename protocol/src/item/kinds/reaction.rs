//! Reactions: an emoji on a note, shown with it. The same again takes it back.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::CryptoRng;

use super::tombstone;
use crate::circle::body::{KeyClass, Role};
use crate::control::{Author, NewReaction, Subject};
use crate::id::{ItemKey, PersonId};
use crate::item::compose::{ComposeContext, ComposeError, Target, target};
use crate::item::edit::{Op, Value};
use crate::item::kind::{Appears, Editors, Field, Form, Kind, Spec, Targets};
use crate::item::reader::{ItemReader, Shown};
use crate::item::show::How;
use crate::item::valid;
use crate::limits::EMOJI_CHARS;
use crate::log::entry::NewEntry;
use crate::store::StoreError;

/// The emoji.
const EMOJI: u8 = 0;

/// Its row.
pub const SPEC: Spec = Spec {
    kind: Kind::Reaction,
    noun: Subject::Reaction,
    path: "reactions",
    letter: 'x',
    class: Some(KeyClass::Talk),
    opened_by: Role::Guest,
    edited_by: Editors::Nobody,
    targets: Targets::Kinds(&[Kind::Note]),
    fields: &[Field::new(EMOJI, "emoji", Form::Line(EMOJI_CHARS)).required()],
    appears: Appears { export: true, ..Appears::NOWHERE },
};

/// A reaction to a note; the same again takes it back. Empty: nothing to take back.
pub(in crate::item) fn compose(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    rng: &mut dyn CryptoRng,
    note: &ItemKey,
    new: &NewReaction,
) -> Result<Vec<NewEntry>, ComposeError> {
    let (_, about) = target(reader, note, &[Kind::Note])?;
    let emoji = valid::emoji(&new.emoji)?;
    let keys = reader.children(Kind::Reaction, note)?;
    let same = |shown: &Shown| shown.author == Some(place.me) && shown.words(EMOJI) == emoji;
    let taken = |shown: &Shown| Some(Target { item: shown.item()?, class: about.class, retention: shown.row.retention });
    let mine: Vec<Target> = reader.shown(&keys, false)?.iter().filter(|shown| same(shown)).filter_map(taken).collect();
    if mine.is_empty() && !new.remove {
        let ops = vec![Op::Set(EMOJI, Value::text(&emoji))];
        return Ok(vec![place.open(rng, Kind::Reaction, Some(about), ops)?]);
    }
    // Taken back: its bytes need not stay a day, it is one's own and nobody gains by it.
    let taken = mine.into_iter().map(|target| tombstone::compose(place, rng, target, true));
    Ok(taken.collect::<Result<_, _>>()?)
}

/// Emoji to people.
type Reactions = BTreeMap<String, Vec<Author>>;

/// The reactions to a note, and whether these are all. The same by the same person counts once.
pub(super) fn show_all(reader: &ItemReader<'_>, note: &ItemKey, how: How<'_>) -> Result<(Reactions, bool), StoreError> {
    let (keys, all) = how.children_of(reader, Kind::Reaction, note)?;
    let mut seen: BTreeSet<(String, PersonId)> = BTreeSet::new();
    let mut reactions = Reactions::new();
    for shown in reader.shown(&keys, how.full)? {
        let (Some(emoji), Some(author)) = (shown.some_words(EMOJI), shown.author) else { continue };
        if seen.insert((emoji.clone(), author)) {
            reactions.entry(emoji).or_default().push(reader.author(Some(author)));
        }
    }
    Ok((reactions, all))
}
