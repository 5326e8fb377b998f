//! An item's Automerge document, built anew from its standing entries.
//!
//! Everything Automerge is told (actors, sequence numbers, operation ids, predecessors, time) is derived here from the set of
//! entries, so the same set gives the same document on every machine, in whatever order it came, and no writer can choose a
//! hostile value. Automerge runs behind `catch_unwind`; where it fails, that one item is set aside and everything else goes on.
//! What a single edit makes needs no document: [`super::fields::view_of_one`].
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::OpId;
use automerge::{ActorId, Automerge, ChangeHash, ObjId, ObjType, ReadDoc, ScalarValue, TextEncoding, Value as Stored};

use super::build::{Builder, Made};
use super::edit::{Edit, Value};
use super::fields::Fields;
use super::graph::Graph;
use super::kind::{Form, Kind};
use crate::circle::body::ChainId;
use crate::id::{CircleId, EntryId, ItemId, PersonId};
use crate::private::Private;

/// One standing entry of an item.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Its id.
    pub id: EntryId,
    /// The chain it stands in.
    pub chain: ChainId,
    /// Its place there.
    pub seq: u64,
    /// Who wrote it.
    pub writer: PersonId,
    /// What it does; checked against its kind's schema.
    pub edit: &'a Edit,
}

/// Why there is no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocError {
    /// Automerge panicked.
    #[error("the document could not be built")]
    Panicked,
    /// Automerge refused.
    #[error("the document was refused")]
    Refused,
}

/// A document and what is needed to go on editing it.
pub struct Doc {
    automerge: Automerge,
    kind: Kind,
    objects: BTreeMap<u8, ObjId>,
    /// By actor and first operation: the entry, its first character's counter, how many.
    origins: BTreeMap<(ActorId, u64), (EntryId, u32, u32)>,
    after: BTreeMap<EntryId, Vec<ChangeHash>>,
    heads: Vec<EntryId>,
    void: usize,
}

impl std::fmt::Debug for Doc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doc").field("kind", &self.kind).field("heads", &self.heads).finish_non_exhaustive()
    }
}

/// Automerge's panics are this item's trouble only.
fn guarded<T>(work: impl FnOnce() -> Result<T, DocError>) -> Result<T, DocError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(DocError::Panicked))
}

impl Doc {
    /// Builds the document of an item from its standing entries. Entries whose past is not among them are left out.
    ///
    /// # Errors
    /// [`DocError`] where Automerge does not take it.
    pub fn build(circle: &CircleId, item: &ItemId, kind: Kind, parts: &[Part<'_>]) -> Result<Self, DocError> {
        guarded(|| Self::build_unguarded(circle, item, kind, parts))
    }

    fn build_unguarded(circle: &CircleId, item: &ItemId, kind: Kind, parts: &[Part<'_>]) -> Result<Self, DocError> {
        let unique: BTreeMap<EntryId, &Part<'_>> = parts.iter().map(|part| (part.id, part)).collect();
        let parts: Vec<&Part<'_>> = unique.into_values().collect();
        let ids: Vec<(EntryId, &[EntryId])> = parts.iter().map(|part| (part.id, part.edit.deps.as_slice())).collect();
        let graph = Graph::new(&ids);
        let ordered: Vec<&Part<'_>> = graph.order.iter().filter_map(|at| parts.get(*at).copied()).collect();
        let mut builder = Builder::new(circle, item, kind, &graph, &ordered);
        for rank in 0..ordered.len() {
            builder.push(rank);
        }
        let heads = graph.heads.iter().filter_map(|rank| ordered.get(*rank)).map(|part| part.id).collect();
        let objects = builder.objects.clone();
        let (changes, made, void) = builder.finish();
        let mut automerge = Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint);
        automerge.apply_changes(changes).map_err(|_| DocError::Refused)?;
        let objects = found(&automerge, kind, &objects)?;
        let (origins, after) = index(&ordered, made);
        Ok(Self { automerge, kind, objects, origins, after, heads, void })
    }

    /// The entries that nothing else in the document depends on, ascending.
    #[must_use]
    pub fn heads(&self) -> Vec<EntryId> {
        let mut heads = self.heads.clone();
        heads.sort_unstable();
        heads
    }

    /// How many entries name text that is not there, or are more than one person may write, and so do nothing.
    #[must_use]
    pub const fn void(&self) -> usize {
        self.void
    }

    /// What the item says.
    ///
    /// # Errors
    /// [`DocError`] where Automerge fails.
    pub fn fields(&self) -> Result<Fields, DocError> {
        guarded(|| self.read(None))
    }

    /// What the item said to the author of an entry, right after it.
    ///
    /// # Errors
    /// [`DocError`] where Automerge fails.
    pub fn fields_after(&self, entry: &EntryId) -> Result<Fields, DocError> {
        guarded(|| self.read(Some(self.after.get(entry).ok_or(DocError::Refused)?)))
    }

    fn read(&self, at: Option<&[ChangeHash]>) -> Result<Fields, DocError> {
        let mut fields = Fields::default();
        for field in self.kind.fields() {
            match (field.form, self.objects.get(&field.number)) {
                (Form::Text(_), Some(object)) => {
                    let text = match at {
                        None => self.automerge.text(object),
                        Some(heads) => self.automerge.text_at(object, heads),
                    };
                    fields.set_text(field.number, text.map_err(|_| DocError::Refused)?);
                }
                (Form::Tags, Some(object)) => {
                    let keys = match at {
                        None => self.automerge.keys(object),
                        Some(heads) => self.automerge.keys_at(object, heads),
                    };
                    keys.for_each(|tag| fields.add_tag(field.number, &tag));
                }
                _ => {
                    let got = match at {
                        None => self.automerge.get(automerge::ROOT, field.name),
                        Some(heads) => self.automerge.get_at(automerge::ROOT, field.name, heads),
                    };
                    let value = got.map_err(|_| DocError::Refused)?.map_or(Value::None, |(value, _)| value_of(&value));
                    fields.set(field.number, value);
                }
            }
        }
        Ok(fields)
    }

    /// The characters of a text field in order, each named by its entry and counter.
    ///
    /// # Errors
    /// [`DocError`] where Automerge fails.
    pub fn characters(&self, field: u8) -> Result<Vec<(EntryId, u32)>, DocError> {
        guarded(|| {
            let Some(object) = self.objects.get(&field) else { return Ok(Vec::new()) };
            let items = self.automerge.list_range(object, ..);
            items.map(|item| self.origin(&item.id()).ok_or(DocError::Refused)).collect()
        })
    }

    fn origin(&self, id: &ObjId) -> Option<(EntryId, u32)> {
        let ObjId::Id(counter, actor, _) = id else { return None };
        let (start, (entry, first, length)) = self.origins.range(..=(actor.clone(), *counter)).next_back()?;
        let offset = u32::try_from(counter.checked_sub(start.1)?).ok()?;
        (start.0 == *actor && offset < *length).then(|| (*entry, first + offset))
    }
}

fn found(automerge: &Automerge, kind: Kind, made: &BTreeMap<u8, OpId>) -> Result<BTreeMap<u8, ObjId>, DocError> {
    let mut objects = BTreeMap::new();
    for field in kind.fields().iter().filter(|field| made.contains_key(&field.number)) {
        let got = automerge.get(automerge::ROOT, field.name).map_err(|_| DocError::Refused)?;
        let Some((Stored::Object(ObjType::Text | ObjType::Map), id)) = got else { return Err(DocError::Refused) };
        objects.insert(field.number, id);
    }
    Ok(objects)
}

type Index = (BTreeMap<(ActorId, u64), (EntryId, u32, u32)>, BTreeMap<EntryId, Vec<ChangeHash>>);

fn index(ordered: &[&Part<'_>], made: Vec<Made>) -> Index {
    let mut origins = BTreeMap::new();
    let mut after = BTreeMap::new();
    for (part, made) in ordered.iter().zip(made) {
        for run in &made.runs {
            origins.insert((made.actor.clone(), run.op), (part.id, run.first, run.length));
        }
        after.insert(part.id, made.frontier);
    }
    (origins, after)
}

fn value_of(value: &Stored<'_>) -> Value {
    let Stored::Scalar(scalar) = value else { return Value::None };
    match scalar.as_ref() {
        ScalarValue::Str(words) => Value::Text(Private(words.to_string())),
        ScalarValue::Uint(moment) => Value::Moment(*moment),
        ScalarValue::Boolean(flag) => Value::Flag(*flag),
        ScalarValue::Null
        | ScalarValue::Bytes(_)
        | ScalarValue::Int(_)
        | ScalarValue::F64(_)
        | ScalarValue::Counter(_)
        | ScalarValue::Timestamp(_)
        | ScalarValue::Unknown { .. } => Value::None,
    }
}

#[cfg(test)]
#[path = "doc_tests.rs"]
mod tests;
