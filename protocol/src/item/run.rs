//! Texts as trees of runs: what was inserted behind what, and which characters are deleted.
//!
//! A run is what one operation inserted. Runs behind the same character stand in the order of their numbers, the highest first,
//! ties by entry; what stands behind a character comes before the rest of the character's own run. Must never look at words:
//! costs follow from runs and deletions, not from characters.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

/// The character that a run stands behind: the run it is part of, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Anchor {
    run: usize,
    offset: u32,
}

/// Characters that one operation inserted.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextRun {
    /// Its entry, by place in the causal order, and among all entries by id.
    pub(super) rank: usize,
    pub(super) by_id: usize,
    pub(super) field: u8,
    /// The counter of its first character in its entry.
    pub(super) first: u32,
    /// Characters.
    pub(super) length: u32,
    /// The number of its first character's operation.
    pub(super) number: u64,
    /// None: at the start of the text.
    pub(super) after: Option<Anchor>,
}

/// Characters of one entry that stand in a text, next to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TextSpan {
    pub(super) rank: usize,
    pub(super) counters: Range<u32>,
}

/// Everything that was inserted into an item's texts, and deleted.
#[derive(Debug, Default)]
pub(super) struct Texts {
    runs: Vec<TextRun>,
    /// Who deleted, of whose characters, which.
    deleted: Vec<(usize, usize, Range<u32>)>,
}

impl Texts {
    pub(super) const fn len(&self) -> usize {
        self.runs.len()
    }

    pub(super) fn insert(&mut self, run: TextRun) {
        self.runs.push(run);
    }

    pub(super) fn delete(&mut self, by: usize, of: usize, counters: Range<u32>) {
        self.deleted.push((by, of, counters));
    }

    /// A character, among the runs of its entry.
    pub(super) fn find(&self, runs: Range<usize>, counter: u32) -> Option<Anchor> {
        let of_entry = self.runs.get(runs.clone())?;
        let at = of_entry.partition_point(|run| run.first <= counter).checked_sub(1)?;
        let run = of_entry.get(at)?;
        let offset = counter - run.first;
        (offset < run.length).then_some(Anchor { run: runs.start + at, offset })
    }

    /// A field's text, in order, as far as some entries made it.
    pub(super) fn pieces(&self, field: u8, within: impl Fn(usize) -> bool) -> Vec<TextSpan> {
        let gone = self.gone(&within);
        let behind = self.behind(field, &within);
        let mut walk = Walk { texts: self, gone: &gone, behind: &behind, pieces: Vec::new() };
        walk.all();
        walk.pieces
    }

    /// By entry: its deleted characters, ascending, none twice.
    fn gone(&self, within: &impl Fn(usize) -> bool) -> BTreeMap<usize, Vec<Range<u32>>> {
        let mut gone: BTreeMap<usize, Vec<Range<u32>>> = BTreeMap::new();
        for (_, of, counters) in self.deleted.iter().filter(|(by, ..)| within(*by)) {
            gone.entry(*of).or_default().push(counters.clone());
        }
        for ranges in gone.values_mut() {
            ranges.sort_unstable_by_key(|range| (range.start, range.end));
            let mut joined: Vec<Range<u32>> = Vec::with_capacity(ranges.len());
            for range in ranges.drain(..) {
                match joined.last_mut() {
                    Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                    Some(_) | None => joined.push(range),
                }
            }
            *ranges = joined;
        }
        gone
    }

    /// The runs of a field, by what they stand behind, in their order there.
    fn behind(&self, field: u8, within: &impl Fn(usize) -> bool) -> Vec<(Option<Anchor>, usize)> {
        let of_field = self.runs.iter().enumerate().filter(|(_, run)| run.field == field && within(run.rank));
        let mut behind: Vec<(Option<Anchor>, usize)> = of_field.map(|(at, run)| (run.after, at)).collect();
        behind.sort_unstable_by_key(|(after, at)| (*after, Reverse(self.runs.get(*at).map(|run| (run.number, run.by_id)))));
        behind
    }
}

/// A run under way: how far it is written, and where what stands behind its characters begins.
struct Step {
    run: usize,
    written: u32,
    next: usize,
}

struct Walk<'a> {
    texts: &'a Texts,
    gone: &'a BTreeMap<usize, Vec<Range<u32>>>,
    behind: &'a [(Option<Anchor>, usize)],
    pieces: Vec<TextSpan>,
}

impl Walk<'_> {
    fn all(&mut self) {
        let starts = self.behind.partition_point(|(after, _)| after.is_none());
        let mut under_way: Vec<Step> = Vec::new();
        for at in 0..starts {
            under_way.extend(self.step(at));
            // A stack of its own: a hostile text is as deep as it is long.
            while let Some(step) = under_way.last_mut() {
                let child = self.behind.get(step.next).filter(|(after, _)| after.is_some_and(|after| after.run == step.run));
                let until = child.and_then(|(after, _)| *after).map_or(u32::MAX, |after| after.offset + 1);
                let (run, from, next) = (step.run, step.written, step.next);
                if child.is_none() {
                    under_way.pop();
                    self.write(run, from, u32::MAX);
                    continue;
                }
                (step.written, step.next) = (until, next + 1);
                self.write(run, from, until);
                under_way.extend(self.step(next));
            }
        }
    }

    fn step(&self, at: usize) -> Option<Step> {
        let run = self.behind.get(at)?.1;
        let next = self.behind.partition_point(|(after, _)| *after < Some(Anchor { run, offset: 0 }));
        Some(Step { run, written: 0, next })
    }

    /// Some characters of a run, those that are not deleted.
    fn write(&mut self, run: usize, from: u32, to: u32) {
        let Some(run) = self.texts.runs.get(run) else { return };
        let (mut at, end) = (run.first.saturating_add(from), run.first.saturating_add(to.min(run.length)));
        let gone = self.gone.get(&run.rank).map(Vec::as_slice).unwrap_or_default();
        let first = gone.partition_point(|range| range.end <= at);
        for range in gone.iter().skip(first).take_while(|range| range.start < end) {
            self.push(run.rank, at..range.start);
            at = at.max(range.end);
        }
        self.push(run.rank, at..end);
    }

    fn push(&mut self, rank: usize, counters: Range<u32>) {
        if counters.start < counters.end {
            self.pieces.push(TextSpan { rank, counters });
        }
    }
}
