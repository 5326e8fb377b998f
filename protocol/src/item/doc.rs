//! What an item of several entries says, worked out from its standing entries.
//!
//! The set of entries decides everything: their causal order, the numbers of their operations, and which of two concurrent ones
//! comes first. No writer can choose any of these. Texts are handled by runs: a run of 60,000 characters costs as much as one of
//! one, until its words are copied out. The rules are those of Automerge's maps and texts, and a property test compares with it.
//! What a single edit makes needs none of this: `fields::view_of_one`.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use super::edit::{CharacterId, Edit, Op, Value};
use super::edit_builder::Character;
use super::fields::Fields;
use super::graph::{EditGraph, Past};
use super::kind::{Form, Kind};
use super::run::{Anchor, TextRun, Texts};
use crate::id::EntryId;
use crate::limits::TAGS;

/// One standing entry of an item.
#[derive(Clone, Debug)]
pub struct DocEntry {
    /// Its id.
    pub id: EntryId,
    /// What it does; checked against its kind's schema.
    pub edit: Arc<Edit>,
}

/// What became of an entry.
#[derive(Clone, Debug, Default)]
struct Made {
    /// The number of its first operation, and the highest in its past and itself.
    first: u64,
    last: u64,
    /// It names text that is not there, and does nothing.
    void: bool,
    /// Its inserted runs, as places among all, by their first characters.
    runs: std::ops::Range<usize>,
    /// Of its inserted characters, those of one field that follow each other: field, first, how many.
    spans: Vec<(u8, u32, u32)>,
}

/// Who added a tag, by the number of the operation and the entry's rank, and who took it out.
#[derive(Default)]
struct TagSteps {
    added: Vec<(u64, usize)>,
    removed: Vec<usize>,
}

/// An item's entries in order, and what each of them does.
#[derive(Debug)]
pub struct Doc {
    kind: Kind,
    /// In causal order.
    parts: Vec<DocEntry>,
    graph: EditGraph,
    made: Vec<Made>,
    texts: Texts,
}

impl Doc {
    /// Orders an item's standing entries. Entries whose past is not among them are left out.
    #[must_use]
    pub fn build(kind: Kind, parts: &[DocEntry]) -> Self {
        let unique: BTreeMap<EntryId, &DocEntry> = parts.iter().map(|part| (part.id, part)).collect();
        let parts: Vec<&DocEntry> = unique.into_values().collect();
        let rests: Vec<Vec<EntryId>> = parts.iter().map(|part| part.edit.rests_on()).collect();
        let ids: Vec<(EntryId, &[EntryId])> = parts.iter().zip(&rests).map(|(part, rests)| (part.id, rests.as_slice())).collect();
        let graph = EditGraph::new(&ids);
        let parts: Vec<DocEntry> = graph.order.iter().filter_map(|at| parts.get(*at).map(|part| (*part).clone())).collect();
        let ranks: BTreeMap<EntryId, usize> = parts.iter().enumerate().map(|(rank, part)| (part.id, rank)).collect();
        let mut doc = Self { kind, made: Vec::with_capacity(parts.len()), texts: Texts::default(), parts: Vec::new(), graph };
        for (rank, part) in parts.iter().enumerate() {
            let made = doc.make(rank, &part.edit, &ranks);
            doc.made.push(made);
        }
        doc.parts = parts;
        crate::work::did(|work| {
            work.built += 1;
            work.operations += doc.work() as u64;
        });
        doc
    }

    fn make(&mut self, rank: usize, edit: &Edit, ranks: &BTreeMap<EntryId, usize>) -> Made {
        let deps = self.graph.deps.get(rank).into_iter().flatten();
        let before = deps.filter_map(|dep| self.made.get(*dep)).map(|made| made.last).max().unwrap_or(0);
        let mut made = Made { first: before + 1, last: before, runs: self.texts.len()..self.texts.len(), ..Made::default() };
        let named: Vec<Option<usize>> = edit.names.iter().map(|id| ranks.get(id).copied()).collect();
        let there = edit.ops.iter().all(|op| match op {
            Op::Insert(field, Some(place), _) => self.has(&named, *field, *place, 1),
            Op::Delete(field, place, length) => self.has(&named, *field, *place, *length),
            Op::Set(..) | Op::Insert(_, None, _) | Op::Add(..) | Op::Remove(..) => true,
        });
        if !there {
            made.void = true;
            return made;
        }
        let (mut number, mut counter) = (made.first, 0);
        // The entries were given to the graph in the order of their ids.
        let by_id = self.graph.order.get(rank).copied().unwrap_or_default();
        for op in &edit.ops {
            match op {
                Op::Set(..) | Op::Add(..) | Op::Remove(..) => number += 1,
                Op::Insert(field, after, text) => {
                    let length = u32::try_from(text.0.chars().count()).unwrap_or(u32::MAX);
                    let after = after.and_then(|place| self.anchor(&named, place));
                    self.texts.insert(TextRun { rank, by_id, field: *field, first: counter, length, number, after });
                    made.extend(*field, counter, length);
                    counter = counter.saturating_add(length);
                    number += u64::from(length);
                }
                Op::Delete(_, place, length) => {
                    if let Some(of) = entry_of(&named, *place) {
                        self.texts.delete(rank, of, place.counter..place.counter.saturating_add(*length));
                    }
                    number += u64::from(*length);
                }
            }
        }
        made.last = number - 1;
        made.runs.end = self.texts.len();
        made
    }

    /// Are these characters of a field there?
    fn has(&self, named: &[Option<usize>], field: u8, place: CharacterId, length: u32) -> bool {
        let Some(made) = entry_of(named, place).and_then(|rank| self.made.get(rank)) else { return false };
        let at = made.spans.partition_point(|(_, first, _)| *first <= place.counter);
        let span = at.checked_sub(1).and_then(|at| made.spans.get(at));
        span.is_some_and(|(of, first, count)| {
            let inside = place.counter - first;
            *of == field && inside.checked_add(length).is_some_and(|end| end <= *count)
        })
    }

    /// The character that a place names.
    fn anchor(&self, named: &[Option<usize>], place: CharacterId) -> Option<Anchor> {
        let made = entry_of(named, place).and_then(|rank| self.made.get(rank))?;
        self.texts.find(made.runs.clone(), place.counter)
    }

    /// The heads that an edit depends on, where it may name only so many: those with the most behind them, ascending. Whatever
    /// it leaves out is concurrent with it.
    #[must_use]
    pub(crate) fn heads_within(&self, limit: usize) -> Vec<EntryId> {
        let mut heads: Vec<usize> = self.graph.heads.clone();
        heads.sort_by_key(|rank| std::cmp::Reverse((self.made.get(*rank).map_or(0, |made| made.last), *rank)));
        heads.truncate(limit);
        let mut heads: Vec<EntryId> = heads.into_iter().filter_map(|rank| self.parts.get(rank)).map(|part| part.id).collect();
        heads.sort_unstable();
        heads
    }

    /// What it took to put the item together: its operations, and the runs that its texts are made of.
    #[must_use]
    pub fn work(&self) -> usize {
        self.parts.iter().map(|part| part.edit.ops.len()).sum::<usize>() + self.texts.len()
    }

    /// What the item says.
    #[must_use]
    pub fn fields(&self) -> Fields {
        self.read(None)
    }

    /// What the item said to the author of an entry, right after it; nothing where it is none of the item's.
    #[must_use]
    pub(crate) fn fields_after(&self, entry: &EntryId) -> Fields {
        let Some(rank) = self.parts.iter().position(|part| part.id == *entry) else { return Fields::default() };
        let mut then = self.graph.past.get(rank).cloned().unwrap_or_default();
        then.add(rank);
        self.read(Some(&then))
    }

    /// What some of its entries and all that they rest on made of the item.
    pub(super) fn past(&self, heads: &[EntryId]) -> Past {
        let mut past = Past::default();
        for (rank, _) in self.parts.iter().enumerate().filter(|(_, part)| heads.contains(&part.id)) {
            self.graph.past.get(rank).into_iter().for_each(|before| past.join(before));
            past.add(rank);
        }
        past
    }

    /// What the item said to somebody who knew only that past.
    pub(super) fn fields_at(&self, past: &Past) -> Fields {
        self.read(Some(past))
    }

    /// Is an entry in a past?
    pub(super) fn is_in(&self, past: &Past, entry: &EntryId) -> bool {
        self.parts.iter().position(|part| part.id == *entry).is_some_and(|rank| past.has(rank))
    }

    /// The characters of a text field in order, each named by its entry and counter.
    #[must_use]
    pub fn characters(&self, field: u8) -> Vec<Character> {
        self.characters_within(field, |_| true)
    }

    /// The characters of a text field as somebody saw them who knew only that past.
    pub(super) fn characters_at(&self, field: u8, past: &Past) -> Vec<Character> {
        self.characters_within(field, |rank| past.has(rank))
    }

    fn characters_within(&self, field: u8, within: impl Fn(usize) -> bool) -> Vec<Character> {
        let mut characters = Vec::new();
        for piece in self.texts.pieces(field, within) {
            let Some(part) = self.parts.get(piece.rank) else { continue };
            characters.extend(piece.counters.map(|counter| (part.id, counter)));
        }
        characters
    }

    fn read(&self, then: Option<&Past>) -> Fields {
        let within = |rank: usize| then.is_none_or(|then| then.has(rank));
        let mut fields = Fields::default();
        self.read_single(&within, &mut fields);
        self.read_tags(&within, &mut fields);
        for field in self.kind.fields().iter().filter(|field| matches!(field.form, Form::Text(_))) {
            fields.set_text(field.number, self.text(field.number, &within));
        }
        fields
    }

    /// The operations that do something, with their entries' ranks and their numbers.
    fn ops(&self) -> impl Iterator<Item = (usize, u64, &Op)> {
        let entries = self.parts.iter().zip(&self.made).enumerate().filter(|(_, (_, made))| !made.void);
        entries.flat_map(|(rank, (part, made))| {
            part.edit.ops.iter().scan(made.first, move |next, op| {
                let number = *next;
                *next += match op {
                    Op::Insert(_, _, text) => text.0.chars().count() as u64,
                    Op::Delete(_, _, length) => u64::from(*length),
                    Op::Set(..) | Op::Add(..) | Op::Remove(..) => 1,
                };
                Some((rank, number, op))
            })
        })
    }

    /// Of all that set a field, the one with the highest number, ties by entry. Whatever had it in its past has a higher one.
    fn read_single(&self, within: &impl Fn(usize) -> bool, fields: &mut Fields) {
        let mut last: BTreeMap<u8, (u64, EntryId, &Value)> = BTreeMap::new();
        for (number, id, field, value) in self.sets(within) {
            if last.get(&field).is_none_or(|(than, of, _)| (*than, *of) < (number, id)) {
                last.insert(field, (number, id, value));
            }
        }
        for (field, (_, _, value)) in last {
            fields.set(field, value.clone());
        }
    }

    /// What set single-valued fields to something that is understood here: numbers, entries, fields and values.
    fn sets(&self, within: &impl Fn(usize) -> bool) -> impl Iterator<Item = (u64, EntryId, u8, &Value)> {
        self.ops().filter(|(rank, ..)| within(*rank)).filter_map(|(rank, number, op)| match op {
            Op::Set(field, value) if op.is_understood(self.kind) => Some((number, self.parts.get(rank)?.id, *field, value)),
            Op::Set(..) | Op::Insert(..) | Op::Delete(..) | Op::Add(..) | Op::Remove(..) => None,
        })
    }

    /// The entries that gave a single-valued field another value, in their order: the last of them gave it the value that stands.
    /// One that repeats what the field says already is not among them.
    pub(super) fn set_by(&self, field: u8) -> Vec<EntryId> {
        self.numbered(field).into_iter().map(|(_, id)| id).collect()
    }

    /// The same, each with its number: it is higher than those of all that its author knew.
    pub(super) fn numbered(&self, field: u8) -> Vec<(u64, EntryId)> {
        let mut sets: Vec<(u64, EntryId, &Value)> =
            self.sets(&|_| true).filter(|(_, _, of, _)| *of == field).map(|(number, id, _, value)| (number, id, value)).collect();
        sets.sort_by_key(|(number, id, _)| (*number, *id));
        sets.chunk_by(|(_, _, a), (_, _, b)| a == b)
            .filter_map(|same| same.first())
            .map(|(number, id, _)| (*number, *id))
            .collect()
    }

    /// The tags that an item shows: of those that stand, the ones that were added last, as many as it holds.
    fn read_tags(&self, within: &impl Fn(usize) -> bool, fields: &mut Fields) {
        for field in self.kind.fields().iter().filter(|field| field.form == Form::Tags) {
            for tag in self.standing_tags(field.number, within).into_iter().take(TAGS) {
                fields.add_tag(field.number, tag);
            }
        }
    }

    /// The tags that stood in a past and that nobody saw, because there were more than an item shows.
    pub(super) fn tags_beyond(&self, field: u8, past: Option<&Past>) -> Vec<String> {
        let standing = self.standing_tags(field, &|rank| past.is_none_or(|past| past.has(rank)));
        standing.into_iter().skip(TAGS).map(str::to_owned).collect()
    }

    /// The tags that stand, the one that was added last first. A tag stands where somebody added it and nobody who knew of that took
    /// it out. People who add some at the same time may come to more than an item shows.
    fn standing_tags(&self, field: u8, within: &impl Fn(usize) -> bool) -> Vec<&str> {
        let mut tags: BTreeMap<&str, TagSteps> = BTreeMap::new();
        for (rank, number, op) in self.ops().filter(|(rank, ..)| within(*rank)) {
            match op {
                Op::Add(of, tag) if *of == field => tags.entry(&tag.0).or_default().added.push((number, rank)),
                Op::Remove(of, tag) if *of == field => tags.entry(&tag.0).or_default().removed.push(rank),
                Op::Add(..) | Op::Remove(..) | Op::Set(..) | Op::Insert(..) | Op::Delete(..) => {}
            }
        }
        let mut standing: Vec<((u64, EntryId), &str)> = Vec::new();
        for (tag, TagSteps { added, removed }) in tags {
            let mut known = Past::default();
            for past in removed.iter().filter_map(|rank| self.graph.past.get(*rank)) {
                known.join(past);
            }
            let stands = added.into_iter().filter(|(_, rank)| !known.has(*rank));
            let places = stands.filter_map(|(number, rank)| Some((number, self.parts.get(rank)?.id)));
            standing.extend(places.max().map(|last| (last, tag)));
        }
        standing.sort_unstable_by(|a, b| b.cmp(a));
        standing.into_iter().map(|(_, tag)| tag).collect()
    }

    fn text(&self, field: u8, within: &impl Fn(usize) -> bool) -> String {
        let mut text = String::new();
        let mut words = Words::new(&self.parts);
        for piece in self.texts.pieces(field, within) {
            text.push_str(words.of(piece.rank, piece.counters));
        }
        text
    }
}

impl Made {
    fn extend(&mut self, field: u8, first: u32, length: u32) {
        match self.spans.last_mut() {
            Some((of, _, count)) if *of == field => *count = count.saturating_add(length),
            Some(_) | None => self.spans.push((field, first, length)),
        }
    }
}

fn entry_of(named: &[Option<usize>], place: CharacterId) -> Option<usize> {
    named.get(usize::try_from(place.entry).ok()?).copied().flatten()
}

/// The words that entries inserted, cut by characters.
struct Words<'a> {
    parts: &'a [DocEntry],
    /// By entry: where its runs begin, and where in its words one was last.
    found: BTreeMap<usize, Vec<(u32, &'a str)>>,
    /// Of a run, by entry and first character: characters and bytes that were passed already.
    passed: BTreeMap<(usize, u32), (u32, usize)>,
}

impl<'a> Words<'a> {
    const fn new(parts: &'a [DocEntry]) -> Self {
        Self { parts, found: BTreeMap::new(), passed: BTreeMap::new() }
    }

    /// Some characters of one run. Of each run they are asked for in order.
    fn of(&mut self, rank: usize, counters: std::ops::Range<u32>) -> &'a str {
        let runs = self.found.entry(rank).or_insert_with(|| runs_of(self.parts, rank));
        let at = runs.partition_point(|(first, _)| *first <= counters.start);
        let Some((first, words)) = at.checked_sub(1).and_then(|at| runs.get(at)).copied() else { return "" };
        let (passed, byte) = self.passed.entry((rank, first)).or_insert((0, 0));
        let (from, to) = (counters.start - first, counters.end.saturating_sub(first));
        let start = *byte + bytes_of(words.get(*byte..).unwrap_or_default(), from.saturating_sub(*passed));
        let rest = words.get(start..).unwrap_or_default();
        let end = start + bytes_of(rest, to.saturating_sub(from));
        (*passed, *byte) = (to, end);
        words.get(start..end).unwrap_or_default()
    }
}

fn runs_of(parts: &[DocEntry], rank: usize) -> Vec<(u32, &str)> {
    let mut first = 0_u32;
    let ops = parts.get(rank).map(|part| part.edit.ops.as_slice()).unwrap_or_default();
    let runs = ops.iter().filter_map(|op| {
        let Op::Insert(_, _, text) = op else { return None };
        let at = first;
        first = first.saturating_add(u32::try_from(text.0.chars().count()).unwrap_or(u32::MAX));
        Some((at, text.0.as_str()))
    });
    runs.collect()
}

/// The bytes of so many characters.
fn bytes_of(words: &str, count: u32) -> usize {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    words.char_indices().nth(count).map_or(words.len(), |(at, _)| at)
}

#[cfg(test)]
#[path = "doc_tests.rs"]
mod tests;
