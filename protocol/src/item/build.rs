//! From entries to Automerge changes: actors, operation ids and predecessors are derived here and nowhere else.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use automerge::legacy::{ElementId, Key, ObjectId, Op as ChangeOp, OpId, OpType, SortedVec};
use automerge::{ActorId, Change, ChangeHash, ExpandedChange, ObjType, ScalarValue};

use super::doc::Part;
use super::edit::{Op, Place, Value};
use super::graph::{Graph, Past};
use super::kind::{Form, Kind};
use crate::circle::body::ChainId;
use crate::crypto::hash;
use crate::id::{CircleId, EntryId, ItemId, PersonId};
use crate::limits::{ITEM_CHARS, ITEM_CHARS_PER_PERSON};

/// A run of inserted characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    field: u8,
    pub(super) first: u32,
    pub(super) length: u32,
    pub(super) op: u64,
}

/// What became of an entry.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) actor: ActorId,
    seq: u64,
    max_op: u64,
    pub(super) frontier: Vec<ChangeHash>,
    pub(super) runs: Vec<Run>,
    /// It made a change that no other entry of its chain goes on from yet.
    open: bool,
}

impl Made {
    fn character(&self, field: u8, counter: u32) -> Option<OpId> {
        let run = self.runs.iter().find(|run| counter >= run.first && counter - run.first < run.length)?;
        (run.field == field).then(|| OpId::new(run.op + u64::from(counter - run.first), &self.actor))
    }
}

/// A value that was put at a key, and the entries that replaced it.
struct Put {
    by: usize,
    op: OpId,
    replaced_by: Vec<usize>,
}

/// Turns entries, in causal order, into changes.
pub(super) struct Builder<'a> {
    graph: &'a Graph,
    parts: &'a [&'a Part<'a>],
    kind: Kind,
    name: Vec<u8>,
    ranks: BTreeMap<EntryId, usize>,
    chains: BTreeMap<(ChainId, u64), Vec<usize>>,
    /// The objects of text fields and sets, made by a first change that every machine derives alike.
    pub(super) objects: BTreeMap<u8, OpId>,
    base: Made,
    made: Vec<Made>,
    puts: BTreeMap<(u8, String), Vec<Put>>,
    deleted: BTreeMap<OpId, Vec<usize>>,
    spent: BTreeMap<PersonId, usize>,
    changes: Vec<Change>,
    void: usize,
}

/// The next change's operations, as they are gathered.
struct Draft {
    rank: usize,
    actor: ActorId,
    next_op: u64,
    next_character: u32,
    ops: Vec<ChangeOp>,
    runs: Vec<Run>,
}

impl Draft {
    fn push(&mut self, op: ChangeOp) -> OpId {
        let id = OpId::new(self.next_op, &self.actor);
        self.next_op += 1;
        self.ops.push(op);
        id
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(circle: &CircleId, item: &ItemId, kind: Kind, graph: &'a Graph, parts: &'a [&'a Part<'a>]) -> Self {
        let name = [circle.0.as_slice(), &item.creator.0, &item.nonce].concat();
        let ranks = parts.iter().enumerate().map(|(rank, part)| (part.id, rank)).collect();
        let (objects, base, changes) = base(kind, actor(&name, &[b"base"]));
        Self {
            graph,
            parts,
            kind,
            name,
            ranks,
            chains: BTreeMap::new(),
            objects,
            base,
            made: Vec::with_capacity(parts.len()),
            puts: BTreeMap::new(),
            deleted: BTreeMap::new(),
            spent: BTreeMap::new(),
            changes,
            void: 0,
        }
    }

    pub(super) fn finish(self) -> (Vec<Change>, Vec<Made>, usize) {
        (self.changes, self.made, self.void)
    }

    /// Makes the change of the next entry.
    pub(super) fn push(&mut self, rank: usize) {
        let (Some(part), Some(deps), Some(past)) =
            (self.parts.get(rank).copied(), self.graph.deps.get(rank), self.graph.past.get(rank))
        else {
            return;
        };
        let mut frontier: Vec<ChangeHash> =
            deps.iter().filter_map(|dep| self.made.get(*dep)).flat_map(|made| made.frontier.clone()).collect();
        if frontier.is_empty() {
            frontier.clone_from(&self.base.frontier);
        }
        frontier.sort_unstable();
        frontier.dedup();
        let max_op = deps.iter().filter_map(|dep| self.made.get(*dep)).map(|made| made.max_op).fold(self.base.max_op, u64::max);
        let (actor, seq, previous) = self.actor_of(part, past);
        let draft = Draft { rank, actor, next_op: max_op + 1, next_character: 0, ops: Vec::new(), runs: Vec::new() };
        let draft = self.affordable(part).then(|| self.operations(part, past, draft)).flatten();
        self.void += usize::from(draft.is_none());
        let Some(draft) = draft.filter(|draft| !draft.ops.is_empty()) else {
            self.made.push(Made { actor: self.base.actor.clone(), seq: 0, max_op, frontier, runs: Vec::new(), open: false });
            return;
        };
        if let Some(previous) = previous.and_then(|previous| self.made.get_mut(previous)) {
            previous.open = false;
        }
        self.chains.entry((part.chain, part.seq)).or_default().push(rank);
        let (runs, max_op) = (draft.runs.clone(), draft.next_op - 1);
        let change = change(draft.actor.clone(), seq, max_op + 1 - draft.ops.len() as u64, frontier, draft.ops);
        self.made.push(Made { actor: draft.actor, seq, max_op, frontier: vec![change.hash()], runs, open: true });
        self.changes.push(change);
    }

    /// The actor, its next sequence number, and the entry it goes on from. A chain has one actor; a branch that a fork opens,
    /// or an entry that does not know its own predecessor, starts another.
    fn actor_of(&self, part: &Part<'_>, past: &Past) -> (ActorId, u64, Option<usize>) {
        let plain: [&[u8]; 2] = [&part.chain.device.0, &part.chain.incarnation.0];
        let earlier = self.chains.range((part.chain, 0)..=(part.chain, u64::MAX));
        let first = earlier.clone().next().is_none();
        let known = earlier.rev().flat_map(|(_, ranks)| ranks.iter().rev()).find(|rank| past.has(**rank)).copied();
        match known.and_then(|rank| self.made.get(rank).map(|made| (rank, made))) {
            Some((rank, made)) if made.open => (made.actor.clone(), made.seq + 1, Some(rank)),
            None if first => (actor(&self.name, &plain), 1, None),
            Some(_) | None => {
                let [device, incarnation] = plain;
                (actor(&self.name, &[device, incarnation, &part.id.0]), 1, None)
            }
        }
    }

    fn affordable(&mut self, part: &Part<'_>) -> bool {
        let cost = part.edit.ops.iter().map(|op| match op {
            Op::Insert(_, _, text) => text.0.chars().count(),
            Op::Delete(_, _, length) => usize::try_from(*length).unwrap_or(usize::MAX),
            Op::Set(..) | Op::Add(..) | Op::Remove(..) => 1,
        });
        let cost = cost.fold(0_usize, usize::saturating_add);
        let all = self.spent.values().fold(cost, |all, spent| all.saturating_add(*spent));
        let mine = self.spent.entry(part.writer).or_default();
        let fits = mine.saturating_add(cost) <= ITEM_CHARS_PER_PERSON && all <= ITEM_CHARS;
        *mine += if fits { cost } else { 0 };
        fits
    }

    /// `None`: the entry names text that is not in its past, and does nothing.
    fn operations(&mut self, part: &Part<'_>, past: &Past, mut draft: Draft) -> Option<Draft> {
        for op in &part.edit.ops {
            let (Op::Insert(field, Some(place), _) | Op::Delete(field, place, _)) = op else { continue };
            let length = if let Op::Delete(_, _, length) = op { *length } else { 1 };
            for offset in 0..length {
                self.named(part, past, *field, *place, offset)?;
            }
        }
        for op in &part.edit.ops {
            match op {
                Op::Set(field, value) => self.set(past, &mut draft, *field, value),
                Op::Insert(field, after, text) => {
                    let after = after.and_then(|place| self.named(part, past, *field, place, 0));
                    self.insert(&mut draft, *field, after, &text.0);
                }
                Op::Delete(field, place, length) => {
                    for offset in 0..*length {
                        let Some(character) = self.named(part, past, *field, *place, offset) else { continue };
                        self.delete(past, &mut draft, *field, character);
                    }
                }
                Op::Add(field, tag) => self.tag(past, &mut draft, *field, &tag.0, true),
                Op::Remove(field, tag) => self.tag(past, &mut draft, *field, &tag.0, false),
            }
        }
        Some(draft)
    }

    fn named(&self, part: &Part<'_>, past: &Past, field: u8, place: Place, offset: u32) -> Option<OpId> {
        let entry = part.edit.names.get(usize::try_from(place.entry).ok()?)?;
        let rank = *self.ranks.get(entry)?;
        self.made.get(rank).filter(|_| past.has(rank))?.character(field, place.counter.checked_add(offset)?)
    }

    fn object(&self, field: u8) -> ObjectId {
        self.objects.get(&field).map_or(ObjectId::Root, |id| ObjectId::Id(id.clone()))
    }

    fn insert(&self, draft: &mut Draft, field: u8, after: Option<OpId>, text: &str) {
        let obj = self.object(field);
        let mut key = Key::Seq(after.map_or(ElementId::Head, ElementId::Id));
        let (op, first) = (draft.next_op, draft.next_character);
        for character in text.chars() {
            let mut buffer = [0; 4];
            let value = ScalarValue::Str((&*character.encode_utf8(&mut buffer)).into());
            let id =
                draft.push(ChangeOp { action: OpType::Put(value), obj: obj.clone(), key, pred: SortedVec::new(), insert: true });
            key = Key::Seq(ElementId::Id(id));
            draft.next_character += 1;
        }
        draft.runs.push(Run { field, first, length: draft.next_character - first, op });
    }

    fn delete(&mut self, past: &Past, draft: &mut Draft, field: u8, character: OpId) {
        let deleters = self.deleted.entry(character.clone()).or_default();
        if deleters.iter().any(|by| past.has(*by)) {
            return;
        }
        deleters.push(draft.rank);
        let (obj, key) = (self.object(field), Key::Seq(ElementId::Id(character.clone())));
        draft.push(ChangeOp { action: OpType::Delete, obj, key, pred: vec![character].into(), insert: false });
    }

    fn set(&mut self, past: &Past, draft: &mut Draft, field: u8, value: &Value) {
        let Some(name) = self.kind.field(field).map(|field| field.name) else { return };
        let value = match value {
            Value::None => ScalarValue::Null,
            Value::Text(words) => ScalarValue::Str(words.0.as_str().into()),
            Value::Moment(moment) => ScalarValue::Uint(*moment),
            Value::Flag(flag) => ScalarValue::Boolean(*flag),
        };
        self.put(past, draft, (field, name.to_owned()), OpType::Put(value), ObjectId::Root);
    }

    fn tag(&mut self, past: &Past, draft: &mut Draft, field: u8, tag: &str, there: bool) {
        let action = if there { OpType::Put(ScalarValue::Boolean(true)) } else { OpType::Delete };
        let object = self.object(field);
        self.put(past, draft, (field, tag.to_owned()), action, object);
    }

    fn put(&mut self, past: &Past, draft: &mut Draft, at: (u8, String), action: OpType, obj: ObjectId) {
        let key = Key::from(&at.1);
        let puts = self.puts.entry(at).or_default();
        let standing = puts.iter_mut().filter(|put| past.has(put.by) && !put.replaced_by.iter().any(|by| past.has(*by)));
        let mut pred = Vec::new();
        for put in standing {
            put.replaced_by.push(draft.rank);
            pred.push(put.op.clone());
        }
        let deletes = matches!(action, OpType::Delete);
        if deletes && pred.is_empty() {
            return;
        }
        let op = draft.push(ChangeOp { action, obj, key, pred: pred.into(), insert: false });
        if !deletes {
            puts.push(Put { by: draft.rank, op, replaced_by: Vec::new() });
        }
    }
}

fn actor(name: &[u8], parts: &[&[u8]]) -> ActorId {
    let parts: Vec<&[u8]> = std::iter::once(name).chain(parts.iter().copied()).collect();
    ActorId::from(hash("kith/v1/actor", &parts).as_slice())
}

/// The first change: it makes the texts and sets of the kind. Kinds without any have none.
fn base(kind: Kind, actor: ActorId) -> (BTreeMap<u8, OpId>, Made, Vec<Change>) {
    let mut objects = BTreeMap::new();
    let mut ops = Vec::new();
    for field in kind.fields() {
        let made = match field.form {
            Form::Text(_) => ObjType::Text,
            Form::Tags => ObjType::Map,
            Form::Line(_) | Form::Lines(_) | Form::Word(_) | Form::Moment | Form::Flag => continue,
        };
        let (action, key) = (OpType::Make(made), Key::from(field.name));
        ops.push(ChangeOp { action, obj: ObjectId::Root, key, pred: SortedVec::new(), insert: false });
        objects.insert(field.number, OpId::new(ops.len() as u64, &actor));
    }
    let max_op = ops.len() as u64;
    let changes = if ops.is_empty() { Vec::new() } else { vec![change(actor.clone(), 1, 1, Vec::new(), ops)] };
    let frontier = changes.iter().map(Change::hash).collect();
    (objects, Made { actor, seq: 1, max_op, frontier, runs: Vec::new(), open: false }, changes)
}

fn change(actor_id: ActorId, seq: u64, start_op: u64, deps: Vec<ChangeHash>, operations: Vec<ChangeOp>) -> Change {
    Change::from(ExpandedChange {
        operations,
        actor_id,
        hash: None,
        seq,
        start_op: NonZeroU64::new(start_op).unwrap_or(NonZeroU64::MIN),
        time: 0,
        message: None,
        deps,
        extra_bytes: Vec::new(),
        author: None,
    })
}
