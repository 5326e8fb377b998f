//! Tombstones: delete their target, for good.

use rand_core::CryptoRng;

use crate::circle::body::Role;
use crate::control::{Code, Error, Subject};
use crate::id::ItemKey;
use crate::item::compose::{ComposeContext, ComposeError, Target, any};
use crate::item::edit::{Op, Value};
use crate::item::kind::{Appears, Editors, Field, Form, Kind, Spec, Targets, fields};
use crate::item::reader::ItemReader;
use crate::item::row::Flags;
use crate::log::entry::NewEntry;

/// Its row.
pub const SPEC: Spec = Spec {
    kind: Kind::Tombstone,
    noun: Subject::Tombstone,
    path: "",
    letter: 't',
    class: None,
    opened_by: Role::Guest,
    edited_by: Editors::Nobody,
    targets: Targets::Anything,
    fields: &[Field::new(fields::NOW, "now", Form::Flag)],
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
    if !own && place.role != Role::Founder {
        let hint = if place.role >= Role::Facilitator { "You can hide it instead." } else { "A facilitator can hide it." };
        return Err(Error::new(Code::NotAllowed, format!("only its author deletes this {}", kind.noun()), hint).into());
    }
    if !own && now {
        let hint = "Leave out --now: its bytes go in a day, and it is hidden at once.";
        return Err(Error::new(Code::NotAllowed, "only one's own words are destroyed at once", hint).into());
    }
    let gone = |flags: Flags| flags.has(Flags::GONE) || (flags.has(Flags::REMOVED) && !now);
    if reader.row(key)?.is_some_and(|row| gone(row.flags)) {
        return Ok(Vec::new());
    }
    Ok(vec![compose(place, rng, target, now)?])
}
