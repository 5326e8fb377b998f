//! The same item as an Automerge document, operation by operation: what [`super::doc`] must agree with. For tests only.
#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "a test that fails may panic")]
#![allow(clippy::wildcard_enum_match_arm, reason = "what is not named here is none of an item's")]

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use automerge::legacy::{ElementId, Key, ObjectId, Op as ChangeOp, OpId, OpType, SortedVec};
use automerge::{
    ActorId, Automerge, Change, ChangeHash, ExpandedChange, ObjId, ObjType, ReadDoc, ScalarValue, TextEncoding, Value as Stored,
};

use super::doc::DocEntry;
use super::edit::{Edit, Op, Value};
use super::fields::Fields;
use super::graph::{EditGraph, Past};
use super::kind::{Form, Kind};
use crate::id::EntryId;
use crate::private::Private;

/// An entry's change.
#[derive(Clone)]
struct Made {
    max_op: u64,
    frontier: Vec<ChangeHash>,
    /// By counter: field and operation of each inserted character.
    characters: Vec<(u8, OpId)>,
}

/// Who put a value at a key, by which operation, and who replaced it.
type Put = (usize, OpId, Vec<usize>);

#[derive(Default)]
struct Builder {
    kind: Option<Kind>,
    objects: BTreeMap<u8, OpId>,
    ranks: BTreeMap<EntryId, usize>,
    made: Vec<Made>,
    puts: BTreeMap<(u8, String), Vec<Put>>,
    deleted: BTreeMap<OpId, Vec<usize>>,
    changes: Vec<Change>,
    after: BTreeMap<EntryId, Vec<ChangeHash>>,
    void: usize,
}

/// The document, and what names its parts.
pub(super) struct Oracle {
    automerge: Automerge,
    kind: Kind,
    objects: BTreeMap<u8, ObjId>,
    origins: BTreeMap<(ActorId, u64), (EntryId, u32)>,
    after: BTreeMap<EntryId, Vec<ChangeHash>>,
    pub(super) void: usize,
}

impl Oracle {
    pub(super) fn build(kind: Kind, parts: &[DocEntry]) -> Self {
        let mut parts: Vec<&DocEntry> = parts.iter().collect();
        parts.sort_by_key(|part| part.id);
        parts.dedup_by_key(|part| part.id);
        let rests: Vec<Vec<EntryId>> = parts.iter().map(|part| part.edit.rests_on()).collect();
        let ids: Vec<(EntryId, &[EntryId])> = parts.iter().zip(&rests).map(|(part, rests)| (part.id, rests.as_slice())).collect();
        let graph = EditGraph::new(&ids);
        let ordered: Vec<&DocEntry> = graph.order.iter().map(|at| parts[*at]).collect();
        let mut builder = Builder { kind: Some(kind), ..Builder::default() };
        builder.ranks = ordered.iter().enumerate().map(|(rank, part)| (part.id, rank)).collect();
        let base = builder.base();
        for (rank, part) in ordered.iter().enumerate() {
            builder.push(&base, part, &graph.deps[rank], &graph.past[rank]);
        }
        let mut automerge = Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint);
        automerge.apply_changes(builder.changes).expect("derived changes");
        let object = |(number, _): (&u8, &OpId)| {
            let name = kind.field(*number).expect("a field").name;
            (*number, automerge.get(automerge::ROOT, name).expect("reads").expect("made first").1)
        };
        let objects = builder.objects.iter().map(object).collect();
        let mut origins = BTreeMap::new();
        for (part, made) in ordered.iter().zip(&builder.made) {
            for (counter, (_, op)) in (0..).zip(&made.characters) {
                origins.insert((op.1.clone(), op.0), (part.id, counter));
            }
        }
        Self { automerge, kind, objects, origins, after: builder.after, void: builder.void }
    }

    pub(super) fn fields(&self) -> Fields {
        self.read(None)
    }

    pub(super) fn fields_after(&self, entry: &EntryId) -> Fields {
        self.read(Some(&self.after[entry]))
    }

    fn read(&self, at: Option<&[ChangeHash]>) -> Fields {
        let heads = at.map_or_else(|| self.automerge.get_heads(), <[ChangeHash]>::to_vec);
        let mut fields = Fields::default();
        for field in self.kind.fields() {
            match (field.form, self.objects.get(&field.number)) {
                (Form::Text(_), Some(object)) => {
                    fields.set_text(field.number, self.automerge.text_at(object, &heads).expect("a text"));
                }
                (Form::Tags, Some(object)) => {
                    self.automerge.keys_at(object, &heads).for_each(|tag| fields.add_tag(field.number, &tag));
                }
                _ => {
                    let got = self.automerge.get_at(automerge::ROOT, field.name, &heads).expect("reads");
                    fields.set(field.number, got.map_or(Value::None, |(value, _)| value_of(&value)));
                }
            }
        }
        fields
    }

    pub(super) fn characters(&self, field: u8) -> Vec<(EntryId, u32)> {
        let name = |id: ObjId| {
            let ObjId::Id(counter, actor, _) = id else { return None };
            self.origins.get(&(actor, counter)).copied()
        };
        let object = &self.objects[&field];
        self.automerge.list_range(object, ..).map(|item| name(item.id()).expect("a known character")).collect()
    }
}

impl Builder {
    /// The first change: it makes the texts and sets of the kind.
    fn base(&mut self) -> Made {
        let (actor, mut ops) = (ActorId::from(&[0_u8; 32][..]), Vec::new());
        for field in self.kind.expect("a kind").fields() {
            let made = match field.form {
                Form::Text(_) => ObjType::Text,
                Form::Tags => ObjType::Map,
                _ => continue,
            };
            let (action, key) = (OpType::Make(made), Key::from(field.name));
            ops.push(ChangeOp { action, obj: ObjectId::Root, key, pred: SortedVec::new(), insert: false });
            self.objects.insert(field.number, OpId::new(ops.len() as u64, &actor));
        }
        let max_op = ops.len() as u64;
        let change = change(actor, 1, Vec::new(), ops);
        let frontier = vec![change.hash()];
        self.changes.push(change);
        Made { max_op, frontier, characters: Vec::new() }
    }

    fn push(&mut self, base: &Made, part: &DocEntry, deps: &[usize], past: &Past) {
        let mut frontier: Vec<ChangeHash> = deps.iter().flat_map(|dep| self.made[*dep].frontier.clone()).collect();
        if frontier.is_empty() {
            frontier.clone_from(&base.frontier);
        }
        frontier.sort_unstable();
        frontier.dedup();
        let max_op = deps.iter().map(|dep| self.made[*dep].max_op).fold(base.max_op, u64::max);
        let actor = ActorId::from(&part.id.0[..]);
        let named = part.edit.ops.iter().all(|op| {
            let (Op::Insert(field, Some(place), _) | Op::Delete(field, place, _)) = op else { return true };
            let length = if let Op::Delete(_, _, length) = op { *length } else { 1 };
            (0..length).all(|offset| self.named(&part.edit, *field, place.entry, place.counter.checked_add(offset)).is_some())
        });
        let mut made = Made { max_op, frontier, characters: Vec::new() };
        self.void += usize::from(!named);
        if named && !part.edit.ops.is_empty() {
            let mut ops = Vec::new();
            for op in &part.edit.ops {
                self.op(&part.edit, past, &actor, max_op + 1, &mut ops, &mut made, op);
            }
            made.max_op = max_op + ops.len() as u64;
            let change = change(actor, max_op + 1, made.frontier, ops);
            made.frontier = vec![change.hash()];
            self.changes.push(change);
        }
        self.after.insert(part.id, made.frontier.clone());
        self.made.push(made);
    }

    fn named(&self, edit: &Edit, field: u8, entry: u32, counter: Option<u32>) -> Option<OpId> {
        let rank = *self.ranks.get(edit.names.get(entry as usize)?)?;
        let (of, op) = self.made.get(rank)?.characters.get(counter? as usize)?;
        (*of == field).then(|| op.clone())
    }

    #[allow(clippy::too_many_arguments, reason = "what one operation needs, in a test")]
    fn op(&mut self, edit: &Edit, past: &Past, actor: &ActorId, start: u64, ops: &mut Vec<ChangeOp>, made: &mut Made, op: &Op) {
        let mine = self.made.len();
        match op {
            Op::Set(field, value) => {
                let name = self.kind.and_then(|kind| kind.field(*field)).expect("checked").name;
                let value = match value {
                    Value::None => ScalarValue::Null,
                    Value::Text(words) => ScalarValue::Str(words.0.as_str().into()),
                    Value::Moment(moment) => ScalarValue::Uint(*moment),
                    Value::Flag(flag) => ScalarValue::Boolean(*flag),
                    Value::Unknown(value) => ScalarValue::Bytes(value.bytes().to_vec()),
                };
                self.put(past, actor, start, ops, (*field, name), OpType::Put(value), ObjectId::Root);
            }
            Op::Insert(field, after, text) => {
                let after = after.and_then(|place| self.named(edit, *field, place.entry, Some(place.counter)));
                let mut key = Key::Seq(after.map_or(ElementId::Head, ElementId::Id));
                for character in text.0.chars() {
                    let id = OpId::new(start + ops.len() as u64, actor);
                    let (action, obj) = (OpType::Put(ScalarValue::Str(character.to_string().into())), self.object(*field));
                    ops.push(ChangeOp { action, obj, key, pred: SortedVec::new(), insert: true });
                    made.characters.push((*field, id.clone()));
                    key = Key::Seq(ElementId::Id(id));
                }
            }
            Op::Delete(field, place, length) => {
                for offset in 0..*length {
                    let counter = place.counter.checked_add(offset);
                    let character = self.named(edit, *field, place.entry, counter).expect("looked at before");
                    let deleters = self.deleted.entry(character.clone()).or_default();
                    if deleters.iter().any(|by| past.has(*by)) {
                        ops.push(nothing());
                        continue;
                    }
                    deleters.push(mine);
                    let key = Key::Seq(ElementId::Id(character.clone()));
                    let obj = self.object(*field);
                    ops.push(ChangeOp { action: OpType::Delete, obj, key, pred: vec![character].into(), insert: false });
                }
            }
            Op::Add(field, tag) => {
                let (value, object) = (ScalarValue::Boolean(true), self.object(*field));
                self.put(past, actor, start, ops, (*field, &tag.0), OpType::Put(value), object);
            }
            Op::Remove(field, tag) => {
                let object = self.object(*field);
                self.put(past, actor, start, ops, (*field, &tag.0), OpType::Delete, object);
            }
        }
    }

    fn object(&self, field: u8) -> ObjectId {
        ObjectId::Id(self.objects[&field].clone())
    }

    #[allow(clippy::too_many_arguments, reason = "what one operation needs, in a test")]
    fn put(
        &mut self,
        past: &Past,
        actor: &ActorId,
        start: u64,
        ops: &mut Vec<ChangeOp>,
        at: (u8, &str),
        action: OpType,
        obj: ObjectId,
    ) {
        let (mine, key) = (self.made.len(), Key::from(at.1));
        let puts = self.puts.entry((at.0, at.1.to_owned())).or_default();
        let mut pred = Vec::new();
        for (by, op, replaced_by) in puts.iter_mut() {
            if past.has(*by) && !replaced_by.iter().any(|by| past.has(*by)) {
                replaced_by.push(mine);
                pred.push(op.clone());
            }
        }
        let deletes = matches!(action, OpType::Delete);
        if deletes && pred.is_empty() {
            ops.push(nothing());
            return;
        }
        let id = OpId::new(start + ops.len() as u64, actor);
        ops.push(ChangeOp { action, obj, key, pred: pred.into(), insert: false });
        if !deletes {
            puts.push((mine, id, Vec::new()));
        }
    }
}

/// In the place of an operation that changes nothing, so that each one counts.
fn nothing() -> ChangeOp {
    let (action, key) = (OpType::Put(ScalarValue::Null), Key::from("nothing"));
    ChangeOp { action, obj: ObjectId::Root, key, pred: SortedVec::new(), insert: false }
}

fn change(actor_id: ActorId, start_op: u64, deps: Vec<ChangeHash>, operations: Vec<ChangeOp>) -> Change {
    let start_op = NonZeroU64::new(start_op).expect("counted from 1");
    let (message, extra_bytes, author) = (None, Vec::new(), None);
    Change::from(ExpandedChange {
        operations,
        actor_id,
        hash: None,
        seq: 1,
        start_op,
        time: 0,
        message,
        deps,
        extra_bytes,
        author,
    })
}

fn value_of(value: &Stored<'_>) -> Value {
    let Stored::Scalar(scalar) = value else { return Value::None };
    match scalar.as_ref() {
        ScalarValue::Str(words) => Value::Text(Private(words.to_string())),
        ScalarValue::Uint(moment) => Value::Moment(*moment),
        ScalarValue::Boolean(flag) => Value::Flag(*flag),
        _ => Value::None,
    }
}
