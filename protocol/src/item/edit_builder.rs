//! From what an item says and what it shall say to the operations between.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeSet;

use super::edit::{CharacterId, Edit, Op, VERSION, Value};
use super::fields::Fields;
use super::text_diff::hunks;
use crate::id::EntryId;
use crate::limits::TAGS;
use crate::private::Private;
use crate::time::Millis;

/// A character of a text: the entry that inserted it and its counter there.
pub type Character = (EntryId, u32);

/// One save under way: operations whose text is still named by entry.
#[derive(Clone, Debug, Default)]
pub struct EditBuilder {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Plain(Op),
    Insert(u8, Option<Character>, Private<String>),
    Delete(u8, Character, u32),
}

impl EditBuilder {
    /// Has nothing changed?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Makes a single-valued field hold `wanted`.
    pub fn set(&mut self, now: &Fields, field: u8, wanted: Value) {
        if now.value(field) != wanted {
            self.steps.push(Step::Plain(Op::Set(field, wanted)));
        }
    }

    /// Sets a single-valued field, whether or not it holds that already.
    pub fn put(&mut self, field: u8, wanted: Value) {
        self.steps.push(Step::Plain(Op::Set(field, wanted)));
    }

    /// Makes a set hold exactly `wanted`. `beyond`: what stands and does not show, because there is more than an item shows; it would
    /// show in the place of what is taken out, so it goes with that.
    pub fn tags(&mut self, now: &Fields, field: u8, beyond: &[String], wanted: &BTreeSet<String>) {
        let there: BTreeSet<&str> = now.tags(field).collect();
        if there.iter().copied().eq(wanted.iter().map(String::as_str)) {
            return;
        }
        let hidden = beyond.iter().map(String::as_str).take(TAGS);
        let gone = there.iter().copied().chain(hidden).filter(|tag| !wanted.contains(*tag));
        self.steps.extend(gone.map(|tag| Step::Plain(Op::Remove(field, Private(tag.to_owned())))));
        let new = wanted.iter().filter(|tag| !there.contains(tag.as_str()));
        self.steps.extend(new.map(|tag| Step::Plain(Op::Add(field, Private(tag.clone())))));
    }

    /// Makes a text read `wanted`; `characters` names the ones it has now, in order. What both share stays, so that
    /// what others do there at the same time finds its place.
    pub fn text(&mut self, now: &Fields, field: u8, characters: &[Character], wanted: &str) {
        let old: Vec<char> = now.words(field).chars().collect();
        let new: Vec<char> = wanted.chars().collect();
        for hunk in hunks(&old, &new) {
            let gone = characters.iter().skip(hunk.at).take(hunk.gone);
            self.steps.extend(runs(gone).into_iter().map(|(character, length)| Step::Delete(field, character, length)));
            if !hunk.text.is_empty() {
                let after = hunk.at.checked_sub(1).and_then(|at| characters.get(at)).copied();
                self.steps.push(Step::Insert(field, after, Private(hunk.text)));
            }
        }
    }

    /// The edit list, for an item whose heads are `deps`.
    #[must_use]
    pub fn finish(self, at: Millis, mut deps: Vec<EntryId>) -> Edit {
        deps.sort_unstable();
        let names: BTreeSet<EntryId> = self.steps.iter().filter_map(Step::named).collect();
        let names: Vec<EntryId> = names.into_iter().collect();
        let place = |(entry, counter): Character| CharacterId {
            entry: names.binary_search(&entry).ok().and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX),
            counter,
        };
        let ops = self.steps.into_iter().map(|step| match step {
            Step::Plain(op) => op,
            Step::Insert(field, after, text) => Op::Insert(field, after.map(place), text),
            Step::Delete(field, character, length) => Op::Delete(field, place(character), length),
        });
        let ops = ops.collect();
        Edit { version: VERSION, at, about: None, deps, names, ops }
    }
}

impl Step {
    const fn named(&self) -> Option<EntryId> {
        match self {
            Self::Insert(_, Some((entry, _)), _) | Self::Delete(_, (entry, _), _) => Some(*entry),
            Self::Plain(_) | Self::Insert(_, None, _) => None,
        }
    }
}

/// Neighbours that one entry inserted one after the other, joined.
fn runs<'a>(characters: impl Iterator<Item = &'a Character>) -> Vec<(Character, u32)> {
    let mut runs: Vec<(Character, u32)> = Vec::new();
    for character in characters {
        match runs.last_mut() {
            Some(((entry, first), length)) if *entry == character.0 && first.checked_add(*length) == Some(character.1) => {
                *length += 1;
            }
            Some(_) | None => runs.push((*character, 1)),
        }
    }
    runs
}
