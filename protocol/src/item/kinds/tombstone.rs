//! Tombstones: delete their target, for good a day later; until then their author may take them back.

use rand_core::CryptoRng;

use crate::circle::body::Role;
use crate::control::{Code, Error, Hint, Subject};
use crate::id::ItemKey;
use crate::item::compose::{Changing, ComposeContext, ComposeError, Target, any};
use crate::item::edit::{Op, Value};
use crate::item::kind::{Appears, Editors, Field, Form, Kind, Spec, Targets, fields};
use crate::item::load::LoadedItem;
use crate::item::reader::ItemReader;
use crate::item::row::Flags;
use crate::limits::DESTROY_MILLIS;
use crate::log::entry::NewEntry;

/// Its row.
pub const SPEC: Spec = Spec {
    kind: Kind::Tombstone,
    noun: Subject::Tombstone,
    path: "",
    letter: 't',
    class: None,
    opened_by: Role::Guest,
    edited_by: Editors::Creator,
    targets: Targets::Anything,
    fields: &[Field::new(fields::NOW, "now", Form::Flag), Field::new(fields::OFF, "off", Form::Flag)],
    appears: Appears::NOWHERE,
};

/// A tombstone. `now`: its target's bytes go at once instead of a day later.
pub(super) fn compose(place: &ComposeContext, rng: &mut dyn CryptoRng, target: Target, now: bool) -> Result<NewEntry, Error> {
    let ops = if now { vec![Op::Set(fields::NOW, Value::Flag(true))] } else { Vec::new() };
    place.open(rng, Kind::Tombstone, Some(target), ops)
}

/// Deletes an item: one's own, or as founder any. `now`: its bytes go at once instead of a day later; one's own only.
/// Empty: it is deleted already.
///
/// # Errors
/// [`ComposeError`] where it may not be.
pub fn remove(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    rng: &mut dyn CryptoRng,
    key: &ItemKey,
    now: bool,
) -> Result<Vec<NewEntry>, ComposeError> {
    let (kind, target) = any(reader, key)?;
    let own = target.item.creator == place.me;
    if !may_delete(place.role, own) {
        let hint = if place.role >= Role::Facilitator { "You can hide it instead." } else { "A facilitator can hide it." };
        return Err(Error::new(Code::NotAllowed, format!("Only its author can delete this {}.", kind.noun()), hint).into());
    }
    if !own && now {
        let hint = Hint::run(kind.noun(), "remove", &[&key.text(kind.letter())], "hides it at once, and destroys it a day later");
        return Err(Error::new(Code::NotAllowed, "Only your own words can be destroyed at once.", hint).into());
    }
    let gone = |flags: Flags| flags.has(Flags::GONE) || (flags.has(Flags::REMOVED) && !now);
    if reader.row(key)?.is_some_and(|row| gone(row.flags)) {
        return Ok(Vec::new());
    }
    Ok(vec![compose(place, rng, target, now)?])
}

/// May somebody in that role delete an item? Only the founder deletes what others created.
pub(in crate::item) fn may_delete(role: Role, own: bool) -> bool {
    own || role == Role::Founder
}

/// Does it destroy at once? Anyone who heard that has destroyed already, so nothing that is said later takes it away.
pub(in crate::item) fn at_once(whole: &LoadedItem) -> bool {
    let says = |op: &Op| *op == Op::Set(fields::NOW, Value::Flag(true));
    whole.steps.iter().any(|step| step.edit.ops.iter().any(says))
}

/// Was it taken back, while there was a day to do so by its author's clock?
pub(in crate::item) fn is_lifted(whole: &LoadedItem) -> bool {
    let in_time = whole.edited.is_some_and(|at| at < whole.created.plus(DESTROY_MILLIS));
    in_time && whole.fields.flag(fields::OFF) && !at_once(whole)
}

/// Brings back what this machine's member deleted, while its bytes are here.
///
/// # Errors
/// [`ComposeError`] where it is not deleted, its bytes are gone, or somebody else deleted it.
pub fn restore(reader: &ItemReader<'_>, place: &ComposeContext, key: &ItemKey) -> Result<Vec<NewEntry>, ComposeError> {
    let (kind, target) = any(reader, key)?;
    let noun = kind.noun();
    let flags = reader.row(key)?.map_or_else(Flags::default, |row| row.flags);
    if !flags.has(Flags::REMOVED) {
        return Err(Error::new(Code::Usage, format!("This {noun} is not deleted."), "There is nothing to bring back.").into());
    }
    if flags.has(Flags::GONE) {
        return Err(destroyed(noun));
    }
    let standing = reader.shown(&reader.children(Kind::Tombstone, key)?, false)?;
    if standing.iter().any(|shown| shown.author != Some(place.me)) {
        let hint = "Only the person who deleted it can bring it back.";
        return Err(Error::new(Code::NotAllowed, format!("Somebody else deleted this {noun}."), hint).into());
    }
    let mut entries = Vec::new();
    for shown in standing {
        if place.now >= shown.row.created.plus(DESTROY_MILLIS) {
            return Err(destroyed(noun));
        }
        let Some(mut changing) = Changing::of(reader, &shown.key)? else { continue };
        changing.value(fields::OFF, Value::Flag(true));
        entries.extend(changing.save(place.now, target.class)?);
    }
    Ok(entries)
}

fn destroyed(noun: &str) -> ComposeError {
    let message = format!("The day in which this {noun} could be brought back is over.");
    Error::new(Code::NotFound, message, "Write it again, if you still have the words.").into()
}
