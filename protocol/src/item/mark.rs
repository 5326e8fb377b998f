//! Marks: what tombstones, hides and pins say, who may set them, and what they make of the item that they are about. Nothing
//! else tells them apart.

use rand_core::CryptoRng;

use super::kinds::tombstone;
use crate::circle::body::Role;
use crate::control::{Code, Error};
use crate::id::ItemKey;
use crate::item::compose::{Changing, ComposeContext, ComposeError, any};
use crate::item::edit::{Op, Value};
use crate::item::kind::{Kind, fields};
use crate::item::load::LoadedItem;
use crate::item::reader::{ItemReader, Shown};
use crate::item::row::{Flags, Tag, view_prefix, view_says};
use crate::limits::MARKS;
use crate::log::entry::NewEntry;
use crate::store::{Read, StoreError, Table};

/// What all marks about an item make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::item) struct Marked {
    /// A tombstone stands.
    pub(in crate::item) removed: bool,
    /// And one by the item's own creator wants its bytes gone at once.
    pub(in crate::item) at_once: bool,
    pub(in crate::item) hidden: bool,
    pub(in crate::item) pinned: bool,
}

impl Marked {
    /// By the rows of the marks that stand.
    pub(in crate::item) fn of(read: &dyn Read, tag: Tag, target: &ItemKey) -> Result<Self, StoreError> {
        let say = |kind: Kind| -> Result<Vec<Flags>, StoreError> {
            let rows = read.scan(Table::View, &view_prefix(tag, kind.number(), Some(target)), &[], MARKS)?;
            rows.iter().map(|(_, value)| view_says(value)).collect()
        };
        let on = |marks: &[Flags]| marks.iter().any(|mark| mark.has(Flags::SAYS));
        let tombstones = say(Kind::Tombstone)?;
        Ok(Self {
            removed: !tombstones.is_empty(),
            at_once: tombstones.iter().any(|mark| mark.has(Flags::OWN) && mark.has(Flags::SAYS)),
            hidden: on(&say(Kind::Hide)?),
            pinned: on(&say(Kind::Pin)?),
        })
    }
}

/// Writes what a mark says into the flags of its row.
pub(in crate::item) fn describe(whole: &LoadedItem, flags: &mut Flags) {
    let tombstone = whole.kind == Kind::Tombstone;
    flags.set(Flags::SAYS, if tombstone { tombstone::at_once(whole) } else { whole.fields.flag(fields::ON) });
    flags.set(Flags::LIFTED, tombstone && tombstone::is_lifted(whole));
    flags.set(Flags::OWN, whole.about.is_some_and(|about| about.creator == whole.item.creator));
}

/// May somebody in that role say this of an item? `own`: they created it.
pub(in crate::item) fn may_mark(kind: Kind, role: Role, own: bool) -> Result<(), &'static str> {
    if kind == Kind::Tombstone && !tombstone::may_delete(role, own) {
        return Err("only its author or the founder deletes an item");
    }
    Ok(())
}

/// Hides or pins an item (`on`), or shows or unpins it again. Facilitators and up. Empty: so it is already.
///
/// # Errors
/// [`ComposeError`] where it may not be.
pub fn set(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    rng: &mut dyn CryptoRng,
    kind: Kind,
    key: &ItemKey,
    on: bool,
) -> Result<Vec<NewEntry>, ComposeError> {
    place.may_open(kind)?;
    let (target_kind, target) = any(reader, key)?;
    if !kind.may_target(target_kind) {
        let done = if kind == Kind::Pin { "pinned" } else { "hidden" };
        let message = format!("A {} cannot be {done}.", target_kind.noun());
        return Err(Error::new(Code::Usage, message, "Name the note, event or resource itself.").into());
    }
    let there = reader.children(kind, key)?;
    let there: Vec<Shown> = reader.shown(&there, false)?.into_iter().filter(|shown| shown.whole.is_some()).collect();
    let is_on = |shown: &&Shown| shown.whole.as_ref().is_some_and(|whole| whole.fields.flag(fields::ON));
    if on && there.iter().any(|shown| is_on(&shown)) {
        return Ok(Vec::new());
    }
    if on && there.is_empty() {
        let ops = vec![Op::Set(fields::ON, Value::Flag(true))];
        return Ok(vec![place.open(rng, kind, Some(target), ops)?]);
    }
    // Taking back means all of them; setting again needs one.
    let mut entries = Vec::new();
    for shown in there.iter().filter(|shown| on || is_on(shown)).take(if on { 1 } else { usize::MAX }) {
        let Some(mut changing) = Changing::of(reader, &shown.key)? else { continue };
        changing.value(fields::ON, Value::Flag(on));
        entries.extend(changing.save(place.now, target.class)?);
    }
    Ok(entries)
}
