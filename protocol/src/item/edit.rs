//! An edit list: the payload of an entry, in kith's own wire form, and the check of it against its kind's schema.
//!
//! Peers' bytes end here: nothing of them goes on except as typed operations on known fields. Text is named by
//! (entry, counter), where the counter numbers the characters (Unicode scalar values) an entry inserted, in the order of its
//! operations, from 0. The numbers of operations are derived by each machine that puts the item together, so none stands here.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder};

use super::kind::{Field, Form, Kind};
use crate::codec::{self, CodecError, UnknownValue};
use crate::id::{EntryId, ItemId};
use crate::limits::{EDIT_DEPS, EDIT_OPS, PAYLOAD_BYTES, TAG_CHARS, TAGS};
use crate::lines::{is_line, is_text};
use crate::planted::{Bug, planted};
use crate::private::Private;
use crate::time::Millis;

/// The only version so far.
pub const VERSION: u8 = 1;

/// One save: what one entry does to its item.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Edit {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// Its author's clock, a label.
    #[n(1)]
    pub at: Millis,
    /// The item it is about: in the first edit of the kinds that have a target, else absent.
    #[n(2)]
    pub about: Option<ItemId>,
    /// The heads of the item that its author knew, ascending. None: this opens the item.
    #[n(3)]
    pub deps: Vec<EntryId>,
    /// The entries whose text its operations name, ascending.
    #[n(4)]
    pub names: Vec<EntryId>,
    /// What it does.
    #[n(5)]
    pub ops: Vec<Op>,
}

/// One operation on one field.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Op {
    /// Sets a single-valued field.
    #[n(0)]
    Set(#[n(0)] u8, #[n(1)] Value),
    /// Inserts a run of text behind a character, or at the start.
    #[n(1)]
    Insert(#[n(0)] u8, #[n(1)] Option<CharacterId>, #[n(2)] Private<String>),
    /// Deletes a run of characters that one entry inserted, by their counters.
    #[n(2)]
    Delete(#[n(0)] u8, #[n(1)] CharacterId, #[n(2)] u32),
    /// Adds to a set.
    #[n(3)]
    Add(#[n(0)] u8, #[n(1)] Private<String>),
    /// Takes out of a set.
    #[n(4)]
    Remove(#[n(0)] u8, #[n(1)] Private<String>),
}

impl Op {
    /// The number of the field that it is about.
    #[must_use]
    pub const fn field(&self) -> u8 {
        let (Self::Set(number, _)
        | Self::Insert(number, ..)
        | Self::Delete(number, ..)
        | Self::Add(number, _)
        | Self::Remove(number, _)) = self;
        *number
    }

    /// Does it mean something to this program, in an item of that kind: is its field known, and does it fit there?
    #[must_use]
    pub fn is_understood(&self, kind: Kind) -> bool {
        kind.field(self.field()).is_some_and(|field| !field.later || check_field(self, field).is_ok())
    }
}

/// A character of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct CharacterId {
    /// Who inserted it: an index into [`Edit::names`].
    #[n(0)]
    pub entry: u32,
    /// Which of that entry's characters.
    #[n(1)]
    pub counter: u32,
}

/// The value of a single-valued field; on the wire null, text, an unsigned number or a truth value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    None,
    /// Words.
    Text(Private<String>),
    /// A moment.
    Moment(u64),
    /// Yes or no.
    Flag(bool),
    /// Something that only a newer program knows; no field that this one knows holds it.
    Unknown(UnknownValue),
}

impl Value {
    /// Some words, or nothing where there are none.
    #[must_use]
    pub fn text(words: &str) -> Self {
        if words.is_empty() { Self::None } else { Self::Text(Private(words.to_owned())) }
    }
}

impl<C> Encode<C> for Value {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::None => e.null()?,
            Self::Text(words) => e.str(&words.0)?,
            Self::Moment(moment) => e.u64(*moment)?,
            Self::Flag(flag) => e.bool(*flag)?,
            Self::Unknown(value) => e.encode(value)?,
        };
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Value {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let kind = d.datatype()?;
        if kind == Type::Null {
            d.null()?;
            return Ok(Self::None);
        }
        if kind == Type::String {
            return Ok(Self::Text(Private(d.str()?.to_owned())));
        }
        if kind == Type::Bool {
            return Ok(Self::Flag(d.bool()?));
        }
        if matches!(kind, Type::U8 | Type::U16 | Type::U32 | Type::U64) {
            return Ok(Self::Moment(d.u64()?));
        }
        Ok(Self::Unknown(d.decode()?))
    }
}

/// Why an edit list was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Its bytes.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Its content, against its kind's schema.
    #[error("an edit list breaks its schema: {0}")]
    Schema(&'static str),
}

impl Edit {
    /// An edit that opens an item.
    #[must_use]
    pub const fn opening(at: Millis, about: Option<ItemId>, ops: Vec<Op>) -> Self {
        Self { version: VERSION, at, about, deps: Vec::new(), names: Vec::new(), ops }
    }

    /// What its author's clock said, as its bytes say at their start; nothing where they are of another form.
    #[must_use]
    pub fn label(bytes: &[u8]) -> Option<Millis> {
        let mut decoder = Decoder::new(bytes);
        decoder.array().ok()?;
        let known = decoder.u8().ok()? == VERSION;
        decoder.u64().ok().filter(|_| known).map(Millis)
    }

    /// Does it open its item?
    #[must_use]
    pub const fn opens(&self) -> bool {
        self.deps.is_empty()
    }

    /// The entries that it rests on, ascending: the heads its author knew, and those whose text it names.
    #[must_use]
    pub(crate) fn rests_on(&self) -> Vec<EntryId> {
        let all: BTreeSet<EntryId> = self.deps.iter().chain(&self.names).copied().collect();
        all.into_iter().collect()
    }

    /// Reads and checks an edit list of an item of that kind.
    ///
    /// # Errors
    /// [`EditError`] where the bytes or what they say are not acceptable.
    pub fn parse(bytes: &[u8], kind: Kind) -> Result<Self, EditError> {
        let edit: Self = codec::decode_within(bytes, PAYLOAD_BYTES, "edit list").map_err(|error| version_first(bytes, error))?;
        if edit.version != VERSION {
            return Err(CodecError::Version(u64::from(edit.version)).into());
        }
        edit.check(kind)?;
        Ok(edit)
    }

    /// Does it do something to a field that this program does not know?
    #[must_use]
    pub fn is_newer(&self, kind: Kind) -> bool {
        self.ops.iter().any(|op| kind.field(op.field()).is_none())
    }

    /// Checks it against its kind's schema. What it does to fields that this program does not know is checked for its shape only, and
    /// so is what it does to those that came after their kind: programs that do not know them take the same edits.
    ///
    /// # Errors
    /// [`EditError::Schema`] naming the first rule it breaks.
    pub fn check(&self, kind: Kind) -> Result<(), EditError> {
        self.check_head(kind)?;
        let mut seen = Seen::default();
        for op in &self.ops {
            check_op(op, kind, self.names.len(), &mut seen)?;
        }
        seen.check_deletes()?;
        if self.opens() && kind.fields().iter().any(|field| field.required && !seen.set.contains(&field.number)) {
            return Err(EditError::Schema("a required field is missing"));
        }
        Ok(())
    }

    fn check_head(&self, kind: Kind) -> Result<(), EditError> {
        rule(self.ops.len() <= EDIT_OPS, "too many operations")?;
        rule(self.deps.len() <= EDIT_DEPS, "too many dependencies")?;
        rule(ascending(&self.deps), "dependencies out of order")?;
        rule(ascending(&self.names), "names out of order")?;
        rule(self.about.is_some() == (self.opens() && kind.has_target()), "a target where none belongs, or none")?;
        if self.opens() {
            rule(self.names.is_empty(), "a first edit that names text")
        } else {
            rule(!self.ops.is_empty(), "an edit that does nothing")
        }
    }
}

/// An unknown version is told apart from garbage, so that a newer program's items can be kept for later.
fn version_first(bytes: &[u8], error: CodecError) -> CodecError {
    let mut decoder = Decoder::new(bytes);
    let version = decoder.array().ok().and_then(|_| decoder.u64().ok());
    match version {
        Some(version) if version > u64::from(VERSION) => CodecError::Version(version),
        Some(_) | None => error,
    }
}

fn ascending(ids: &[EntryId]) -> bool {
    ids.iter().zip(ids.iter().skip(1)).all(|(a, b)| a < b)
}

/// What earlier operations of the same edit did, since each thing may be done once.
#[derive(Default)]
struct Seen<'a> {
    set: BTreeSet<u8>,
    anchors: BTreeSet<(u8, Option<CharacterId>)>,
    deletes: BTreeMap<u32, Vec<(u32, u32)>>,
    tags: BTreeSet<(u8, &'a str)>,
    /// By field.
    added: BTreeMap<u8, usize>,
}

impl Seen<'_> {
    fn check_deletes(&mut self) -> Result<(), EditError> {
        for runs in self.deletes.values_mut() {
            runs.sort_unstable();
            let overlap = runs.iter().zip(runs.iter().skip(1)).any(|(a, b)| a.1 > b.0);
            if overlap {
                return Err(EditError::Schema("a character deleted twice"));
            }
        }
        Ok(())
    }
}

fn rule(holds: bool, what: &'static str) -> Result<(), EditError> {
    if holds { Ok(()) } else { Err(EditError::Schema(what)) }
}

fn check_op<'a>(op: &'a Op, kind: Kind, names: usize, seen: &mut Seen<'a>) -> Result<(), EditError> {
    check_shape(op, names, seen)?;
    match kind.field(op.field()) {
        Some(field) if !field.later => check_field(op, field),
        Some(_) | None => Ok(()),
    }
}

/// What holds of an operation whatever its field holds.
fn check_shape<'a>(op: &'a Op, names: usize, seen: &mut Seen<'a>) -> Result<(), EditError> {
    let named = |place: &CharacterId| usize::try_from(place.entry).is_ok_and(|index| index < names);
    match op {
        Op::Set(number, _) => rule(seen.set.insert(*number), "a field set twice"),
        Op::Insert(number, after, text) => {
            rule(after.as_ref().is_none_or(named), "text behind an unnamed entry")?;
            rule(seen.anchors.insert((*number, *after)), "two runs at one place")?;
            rule(!text.0.is_empty() && is_text(&text.0), "a run of text that does not fit")
        }
        Op::Delete(_, place, length) => {
            rule(named(place), "a deletion in an unnamed entry")?;
            let end = place.counter.checked_add(*length).ok_or(EditError::Schema("a deletion out of range"))?;
            rule(*length > 0, "an empty deletion")?;
            seen.deletes.entry(place.entry).or_default().push((place.counter, end));
            Ok(())
        }
        Op::Add(number, tag) | Op::Remove(number, tag) => {
            let added = seen.added.entry(*number).or_default();
            *added += usize::from(matches!(op, Op::Add(..)));
            rule(*added <= TAGS, "too many tags")?;
            rule(seen.tags.insert((*number, tag.0.as_str())), "a tag twice")?;
            rule(!tag.0.is_empty() && is_line(&tag.0) && tag.0.chars().count() <= TAG_CHARS, "a tag that does not fit")
        }
    }
}

/// What its field asks of an operation.
fn check_field(op: &Op, field: &Field) -> Result<(), EditError> {
    match (op, field.form) {
        (Op::Set(_, value), form) => {
            rule(fits(value, form), "a value that does not fit its field")?;
            rule(!field.required || *value != Value::None, "a required field emptied")
        }
        (Op::Insert(_, _, text), Form::Text(limit)) => rule(text.0.len() <= limit, "a run of text that does not fit"),
        (Op::Delete(..), Form::Text(_)) | (Op::Add(..) | Op::Remove(..), Form::Tags) => Ok(()),
        (Op::Insert(..) | Op::Delete(..) | Op::Add(..) | Op::Remove(..), _) => {
            Err(EditError::Schema("an operation that its field does not know"))
        }
    }
}

fn fits(value: &Value, form: Form) -> bool {
    match (value, form) {
        (_, Form::Text(_) | Form::Tags) => false,
        (Value::None, _) | (Value::Moment(_), Form::Moment) | (Value::Flag(_), Form::Flag) => true,
        (Value::Text(words), Form::Line(limit)) => {
            let short = words.0.chars().count() <= limit || planted(Bug::Boundless);
            !words.0.is_empty() && is_line(&words.0) && short
        }
        (Value::Text(words), Form::Lines(limit)) => !words.0.is_empty() && is_text(&words.0) && words.0.len() <= limit,
        (Value::Text(words), Form::Word(known)) => known.contains(&words.0.as_str()),
        (Value::Text(_) | Value::Moment(_) | Value::Flag(_) | Value::Unknown(_), _) => false,
    }
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};
    use crate::id::PersonId;

    /// Every operation with every kind of value.
    fn change() -> Edit {
        let words = |words: &str| Private(words.to_owned());
        let place = |entry, counter| CharacterId { entry, counter };
        let ops = vec![
            Op::Set(0, Value::Text(words("On-call"))),
            Op::Set(2, Value::None),
            Op::Set(6, Value::Moment(1_795_359_600_000)),
            Op::Set(15, Value::Flag(true)),
            Op::Insert(1, None, words("Three ")),
            Op::Insert(1, Some(place(0, 300)), words("nights")),
            Op::Delete(1, place(1, 5), 300),
            Op::Add(5, words("night")),
            Op::Remove(5, words("day")),
        ];
        let (deps, names) = (vec![EntryId([6; 32])], vec![EntryId([16; 32]), EntryId([26; 32])]);
        Edit { version: VERSION, at: Millis(1_795_359_600_000), about: None, deps, names, ops }
    }

    fn opening() -> Edit {
        let about = ItemId { creator: PersonId([2; 32]), nonce: [8; 16] };
        Edit::opening(Millis(1_795_359_600_000), Some(about), vec![Op::Insert(1, None, Private("I am here.".to_owned()))])
    }

    frozen![Form::new("edit", 1, &[opening(), change()])];
}
