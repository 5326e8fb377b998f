//! One item put together from its entries: the way every reader and every change of the store goes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::base;
use super::doc::{Doc, DocEntry};
use super::edit::{Edit, Op};
use super::edit_builder::Character;
use super::fields::{Fields, view_of_one};
use super::graph::{EditGraph, Past};
use super::kind::{Kind, fields};
use super::port::{People, Source};
use super::row::ItemRow;
use crate::circle::body::Retention;
use crate::id::{DeviceId, EntryId, ItemId, PersonId};
use crate::limits::{EDIT_DEPS, LIST_TEXT};
use crate::log::entry::{EntryAt, Opened, Said};
use crate::store::{Read, StoreError};
use crate::time::Millis;
use minicbor::{Decode, Encode};

/// An opened entry, read as an edit list.
#[derive(Clone, Debug)]
pub(super) struct ItemEntry {
    pub(super) id: EntryId,
    pub(super) at: EntryAt,
    pub(super) device: DeviceId,
    pub(super) item: ItemId,
    pub(super) kind: u8,
    pub(super) retention: Retention,
    /// None: destroyed, or of a form this program does not know.
    pub(super) edit: Option<Arc<Edit>>,
}

impl ItemEntry {
    pub(super) fn new(opened: &Opened, edit: Option<Edit>) -> Self {
        Self {
            id: opened.id,
            at: opened.at,
            device: opened.chain.device,
            item: opened.item,
            kind: opened.kind,
            retention: opened.retention,
            edit: edit.map(Arc::new),
        }
    }

    pub(super) fn of(opened: &Opened) -> Self {
        let edit = Kind::of(opened.kind).zip(opened.payload.as_deref());
        Self::new(opened, edit.and_then(|(kind, payload)| Edit::parse(payload, kind).ok()))
    }

    /// Who wrote it.
    pub(super) fn writer(&self, people: &dyn People) -> PersonId {
        people.person(&self.device).unwrap_or(self.item.creator)
    }
}

/// Entries at hand, so that none is opened twice.
#[derive(Debug, Default)]
pub(super) struct EntryCache(BTreeMap<EntryAt, Option<ItemEntry>>);

impl EntryCache {
    pub(super) fn put(&mut self, piece: ItemEntry) {
        self.0.insert(piece.at, Some(piece));
    }

    /// Opens entries in the log, those that are not at hand.
    pub(super) fn fetch(
        &mut self,
        read: &dyn Read,
        source: &dyn Source,
        places: impl IntoIterator<Item = EntryAt>,
    ) -> Result<(), StoreError> {
        let wanted: BTreeSet<EntryAt> = places.into_iter().filter(|at| !self.0.contains_key(at)).collect();
        let wanted: Vec<EntryAt> = wanted.into_iter().collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let opened = source.load_many(read, &wanted)?;
        self.0.extend(wanted.into_iter().map(|at| (at, None)));
        self.0.extend(opened.iter().map(|opened| (opened.at, Some(ItemEntry::of(opened)))));
        Ok(())
    }

    pub(super) fn get(&self, at: EntryAt) -> Option<&ItemEntry> {
        self.0.get(&at).and_then(Option::as_ref)
    }

    /// Was it looked for, found or not?
    pub(super) fn knows(&self, at: EntryAt) -> bool {
        self.0.contains_key(&at)
    }

    /// Can nothing of an item that does not stand ever stand: did each entry come destroyed, or does it rest on one that did?
    pub(super) fn lost(&self, row: &ItemRow) -> bool {
        let pieces: Vec<&ItemEntry> = row.slots.iter().filter_map(|slot| self.get(slot.at)).collect();
        if pieces.is_empty() || pieces.len() < row.slots.len() {
            return false;
        }
        let mut resting: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
        let mut queue = Vec::new();
        for piece in &pieces {
            match &piece.edit {
                Some(edit) => edit.rests_on().into_iter().for_each(|dep| resting.entry(dep).or_default().push(piece.id)),
                None => queue.push(piece.id),
            }
        }
        let mut lost = BTreeSet::new();
        while let Some(id) = queue.pop() {
            if lost.insert(id) {
                queue.extend(resting.remove(&id).unwrap_or_default());
            }
        }
        pieces.iter().all(|piece| lost.contains(&piece.id))
    }
}

/// An item as it stands.
#[derive(Debug)]
pub(super) struct LoadedItem {
    pub(super) kind: Kind,
    pub(super) item: ItemId,
    pub(super) about: Option<ItemId>,
    pub(super) created: Millis,
    pub(super) edited: Option<Millis>,
    /// Who edited it last.
    pub(super) edited_by: Option<PersonId>,
    /// The last change of what answers are about.
    pub(super) moved: Option<Move>,
    pub(super) retention: Retention,
    pub(super) fields: Fields,
    /// How many entries made it.
    pub(super) count: usize,
    /// The last of them that this machine's member wrote.
    pub(super) mine: Option<EntryAt>,
    /// Some entries wait for others.
    pub(super) waiting: bool,
    /// Its text goes on.
    pub(super) cut: bool,
    /// In causal order; left out where the built row says what it says.
    pub(super) steps: Vec<HistoryStep>,
    pub(super) doc: Option<Doc>,
    /// Its heads, where the built row says them.
    pub(super) heads: Option<Vec<EntryId>>,
}

/// A change of what answers to an item are about: those from before are asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub(super) struct Move {
    /// Its author's clock.
    #[n(0)]
    pub(super) at: Millis,
    /// Who made it.
    #[n(1)]
    pub(super) by: PersonId,
}

/// An entry that made an item what it is.
#[derive(Clone, Debug)]
pub(super) struct HistoryStep {
    pub(super) id: EntryId,
    pub(super) at: EntryAt,
    pub(super) writer: PersonId,
    pub(super) when: Millis,
    pub(super) edit: Arc<Edit>,
}

/// An item as somebody saw it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) fields: Fields,
    /// Those of its text.
    pub(super) characters: Vec<Character>,
    /// Tags that stood then and did not show, because there are more than an item shows.
    pub(super) tags_beyond: Vec<String>,
    /// What others and the member of this machine have done to it since.
    pub(super) since: Vec<HistoryStep>,
}

/// What came of putting an item together.
#[derive(Debug)]
pub(super) enum Loaded {
    /// It stands.
    Ready(Box<LoadedItem>),
    /// Nothing of it stands, though its first edit is here.
    Held,
    /// Its first edit is not here, not open, or destroyed.
    Absent,
}

/// Puts an item together from its entries, which must be in the cache.
pub(super) fn load(row: &ItemRow, cache: &EntryCache, people: &dyn People) -> Loaded {
    if let [slot] = row.slots.as_slice()
        && !slot.held
    {
        return cache
            .get(slot.at)
            .and_then(|piece| single(piece, people))
            .map_or(Loaded::Absent, |whole| Loaded::Ready(Box::new(whole)));
    }
    many(row, cache, people)
}

/// What an entry that opens an item says by itself.
pub(super) fn single(piece: &ItemEntry, people: &dyn People) -> Option<LoadedItem> {
    let edit = piece.edit.as_ref()?;
    let writer = piece.writer(people);
    let whole = alone(edit, writer, (piece.kind, piece.item, piece.retention, piece.at), people)?;
    let step = HistoryStep { id: piece.id, at: piece.at, writer, when: edit.at, edit: Arc::clone(edit) };
    Some(LoadedItem { steps: vec![step], ..whole })
}

/// The same of an entry of which it is known what it says, and not its id: without steps.
pub(super) fn skimmed(said: &Said, people: &dyn People) -> Option<LoadedItem> {
    let edit = Edit::parse(said.payload.as_deref()?, Kind::of(said.kind)?).ok()?;
    let writer = people.person(&said.device).unwrap_or(said.item.creator);
    alone(&edit, writer, (said.kind, said.item, said.retention, said.at), people)
}

fn alone(
    edit: &Edit,
    writer: PersonId,
    (kind, item, retention, at): (u8, ItemId, Retention, EntryAt),
    people: &dyn People,
) -> Option<LoadedItem> {
    let kind = Kind::of(kind).filter(|_| edit.opens())?;
    Some(LoadedItem {
        kind,
        item,
        about: edit.about,
        created: edit.at,
        edited: None,
        edited_by: None,
        moved: None,
        retention,
        fields: view_of_one(kind, edit),
        count: 1,
        mine: (writer == people.me()).then_some(at),
        waiting: false,
        cut: false,
        steps: Vec::new(),
        doc: None,
        heads: None,
    })
}

struct Known<'a> {
    piece: &'a ItemEntry,
    edit: &'a Arc<Edit>,
    writer: PersonId,
    held: bool,
}

fn many(row: &ItemRow, cache: &EntryCache, people: &dyn People) -> Loaded {
    let mut known: BTreeMap<EntryId, Known<'_>> = BTreeMap::new();
    for slot in &row.slots {
        let Some(piece) = cache.get(slot.at) else { continue };
        let Some(edit) = piece.edit.as_ref() else { continue };
        let writer = piece.writer(people);
        known.insert(piece.id, Known { piece, edit, writer, held: slot.held });
    }
    let mut known: Vec<Known<'_>> = known.into_values().collect();
    let opening =
        known.iter().filter(|known| known.edit.opens() && !known.held).min_by_key(|known| (known.edit.at, known.piece.id));
    let kind = opening.map_or(row.kind, |opening| opening.piece.kind);
    known.retain(|known| known.piece.kind == kind);
    let rests: Vec<Vec<EntryId>> = known.iter().map(|known| known.edit.rests_on()).collect();
    let ids: Vec<(EntryId, &[EntryId])> =
        known.iter().zip(&rests).map(|(known, rests)| (known.piece.id, rests.as_slice())).collect();
    let graph = EditGraph::new(&ids);
    let ordered: Vec<&Known<'_>> = graph.order.iter().filter_map(|at| known.get(*at)).collect();
    let standing = standing(&graph, &ordered);
    let Some(kind) = standing.first().and_then(|known| Kind::of(known.piece.kind)) else {
        return if ordered.is_empty() { Loaded::Absent } else { Loaded::Held };
    };
    build(kind, &standing, graph.order.len() < known.len(), people.me())
}

/// What stands, and what others' standing entries rest on. An own entry beyond a cut takes what its author built on it along.
fn standing<'a, 'b>(graph: &EditGraph, ordered: &[&'b Known<'a>]) -> Vec<&'b Known<'a>> {
    let mut held: BTreeMap<PersonId, Past> = BTreeMap::new();
    for (rank, known) in ordered.iter().enumerate().filter(|(_, known)| known.held) {
        held.entry(known.writer).or_default().add(rank);
    }
    let mut included = Past::default();
    for (rank, known) in ordered.iter().enumerate() {
        let Some(past) = graph.past.get(rank).filter(|_| !known.held) else { continue };
        if held.get(&known.writer).is_some_and(|held| past.meets(held)) {
            continue;
        }
        included.join(past);
        included.add(rank);
    }
    included.iter().filter_map(|rank| ordered.get(rank).copied()).collect()
}

fn build(kind: Kind, standing: &[&Known<'_>], waiting: bool, me: PersonId) -> Loaded {
    let openings = || standing.iter().filter(|known| known.edit.opens());
    let Some(first) = openings().min_by_key(|known| (known.edit.at, known.piece.id)) else { return Loaded::Absent };
    let edits = || standing.iter().filter(|known| !known.edit.opens());
    let last = edits().map(|known| (known.edit.at, known.writer)).max();
    let step = |known: &&Known<'_>| HistoryStep {
        id: known.piece.id,
        at: known.piece.at,
        writer: known.writer,
        when: known.edit.at,
        edit: Arc::clone(known.edit),
    };
    let mut whole = LoadedItem {
        kind,
        item: first.piece.item,
        about: first.edit.about,
        created: first.edit.at,
        edited: last.map(|(at, _)| at),
        edited_by: last.map(|(_, by)| by),
        moved: None,
        retention: first.piece.retention,
        fields: view_of_one(kind, first.edit),
        count: standing.len(),
        mine: standing.iter().rfind(|known| known.writer == me).map(|known| known.piece.at),
        waiting,
        cut: false,
        steps: standing.iter().map(step).collect(),
        doc: None,
        heads: None,
    };
    if standing.len() > 1 {
        let part = |known: &&Known<'_>| DocEntry { id: known.piece.id, edit: Arc::clone(known.edit) };
        let doc = Doc::build(kind, &standing.iter().map(part).collect::<Vec<_>>());
        whole.fields = doc.fields();
        whole.moved = last_move(kind, &doc, &edits().copied().collect::<Vec<_>>());
        whole.doc = Some(doc);
    }
    Loaded::Ready(Box::new(whole))
}

/// The last of the changes that gave what answers are about the values that stand, as values win: by number, then id. One that
/// another's took the place of moved nothing.
fn last_move(kind: Kind, doc: &Doc, edits: &[&Known<'_>]) -> Option<Move> {
    let stand: BTreeMap<EntryId, u64> = (kind.fields().iter().filter(|field| field.moves))
        .filter_map(|field| doc.numbered(field.number).pop())
        .map(|(number, id)| (id, number))
        .collect();
    let moves = || edits.iter().filter_map(|known| Some((stand.get(&known.piece.id)?, known)));
    let (_, last) = moves().max_by_key(|(number, known)| (**number, known.piece.id))?;
    let at = moves().map(|(_, known)| known.edit.at).max()?;
    Some(Move { at, by: last.writer })
}

impl LoadedItem {
    /// The entries that a next edit depends on, as many as it may name.
    pub(super) fn heads(&self) -> Vec<EntryId> {
        match (&self.doc, &self.heads) {
            (Some(doc), _) => doc.heads_within(EDIT_DEPS),
            (None, Some(heads)) => heads.clone(),
            (None, None) => self.steps.iter().map(|step| step.id).collect(),
        }
    }

    /// The characters of a text, named.
    pub(super) fn characters(&self, field: u8) -> Vec<Character> {
        match (&self.doc, self.steps.first()) {
            (Some(doc), _) => doc.characters(field),
            (None, Some(first)) => {
                // The only edit's counters run through all its runs in their order, also those of fields that are not known here.
                let mut counter = 0..;
                let mut characters = Vec::new();
                for op in &first.edit.ops {
                    let Op::Insert(of, _, text) = op else { continue };
                    let run = text.0.chars().zip(&mut counter).map(|(_, at)| (first.id, at));
                    if *of == field {
                        characters.extend(run);
                    } else {
                        run.for_each(drop);
                    }
                }
                characters
            }
            (None, None) => Vec::new(),
        }
    }

    /// What it said in a state that somebody saw, and the characters of its text then; `None` where no entries here make that state.
    pub(super) fn at(&self, base: &str) -> Option<Seen> {
        let heads = base::heads(base, self.steps.iter().map(|step| step.id))?;
        let Some(doc) = &self.doc else { return Some(self.as_it_is()) };
        let past = doc.past(&heads);
        let since = self.steps.iter().filter(|step| !doc.is_in(&past, &step.id)).cloned().collect();
        let characters = doc.characters_at(fields::BODY, &past);
        Some(Seen { fields: doc.fields_at(&past), characters, tags_beyond: doc.tags_beyond(fields::TAGS, Some(&past)), since })
    }

    /// The same of what it says now.
    pub(super) fn as_it_is(&self) -> Seen {
        let tags_beyond = self.doc.as_ref().map(|doc| doc.tags_beyond(fields::TAGS, None)).unwrap_or_default();
        Seen { fields: self.fields.clone(), characters: self.characters(fields::BODY), tags_beyond, since: Vec::new() }
    }

    /// Is its text longer than a list shows?
    pub(super) fn is_long(&self) -> bool {
        self.fields.words(fields::BODY).chars().nth(LIST_TEXT).is_some()
    }

    /// Leaves out what of a long text a list does not show.
    pub(super) fn shorten(&mut self) {
        let text = self.fields.words(fields::BODY);
        if let Some((end, _)) = text.char_indices().nth(LIST_TEXT).filter(|_| text.len() > LIST_TEXT) {
            let start = text.get(..end).unwrap_or_default().to_owned();
            self.fields.set_text(fields::BODY, start);
            self.cut = true;
        }
    }

    /// How many of its first steps are left out of its history, where for each all of it is looked through, and that is to be no more
    /// than so many bytes.
    pub(super) fn too_old(&self, bytes: usize) -> usize {
        let words = |step: &HistoryStep| {
            let inserted = step.edit.ops.iter().map(|op| if let Op::Insert(_, _, text) = op { text.0.len() } else { 0 });
            inserted.sum::<usize>() + 64 * step.edit.ops.len()
        };
        let all: usize = self.steps.iter().map(words).sum();
        self.steps.len().saturating_sub(bytes / all.max(1))
    }

    /// What it said to somebody who knew some of its entries, and what these rest on.
    pub(super) fn said_to(&self, knew: &[EntryId]) -> Fields {
        self.doc.as_ref().map_or_else(|| self.fields.clone(), |doc| doc.fields_at(&doc.past(knew)))
    }

    /// What it said right after one of its steps.
    pub(super) fn fields_after(&self, step: &HistoryStep) -> Fields {
        self.doc.as_ref().map_or_else(|| self.fields.clone(), |doc| doc.fields_after(&step.id))
    }
}

/// Does an edit change what answers are about?
pub(super) fn moves(kind: Kind, edit: &Edit) -> bool {
    touched(edit).into_iter().any(|number| kind.field(number).is_some_and(|field| field.moves))
}

/// The fields an edit touches.
pub(super) fn touched(edit: &Edit) -> BTreeSet<u8> {
    edit.ops.iter().map(Op::field).collect()
}
