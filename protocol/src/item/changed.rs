//! What changed in an item since somebody saw it, by who wrote what stands now.
//!
//! Each field is asked by itself: of two people who changed an item, each is named with the fields that say what they wrote. What the
//! member of this machine wrote is no news to them, but that somebody else's change took its place is.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::doc::Doc;
use super::fields::Fields;
use super::kind::{Field, Form, Kind, fields};
use super::kinds;
use super::load::{HistoryStep, LoadedItem, touched};
use crate::control::{FieldChange, Happening};
use crate::id::{EntryId, PersonId};
use crate::log::entry::EntryAt;
use crate::time::Millis;

/// What one person changed.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) by: PersonId,
    /// The label of the last of their changes that stand.
    pub(super) at: Millis,
    pub(super) what: Happening,
    kind: Kind,
    /// What the reader knew, and what is so now of these fields.
    before: Fields,
    after: Fields,
    /// Which fields, and whether the reader's own value went.
    fields: Vec<(&'static Field, bool)>,
}

impl Changed {
    /// Does what was said stand behind a warning?
    pub(super) fn is_warned(&self) -> bool {
        self.before.some_words(fields::WARNING).is_some()
    }

    /// The fields as they are told. `hidden`: without what they say.
    pub(super) fn fields(&self, hidden: bool) -> Vec<FieldChange> {
        let says = |fields: &Fields, field: &Field| {
            (!hidden && !matches!(field.form, Form::Text(_))).then(|| kinds::says(self.kind, fields, field.number))
        };
        let told = |(field, lost): &(&Field, bool)| FieldChange {
            field: field.name.to_owned(),
            before: says(&self.before, field),
            after: says(&self.after, field),
            lost: *lost,
        };
        self.fields.iter().map(told).collect()
    }
}

/// What others changed in an item, one of them after the other. `late`: the entries since it was seen.
pub(super) fn since(whole: &LoadedItem, late: &BTreeSet<EntryAt>, me: PersonId) -> Vec<Changed> {
    let Some(doc) = &whole.doc else { return Vec::new() };
    let story = Story { whole, doc, late: whole.steps.iter().filter(|step| late.contains(&step.at)).collect(), me };
    let knew: Vec<EntryId> = whole.steps.iter().filter(|step| !late.contains(&step.at)).map(|step| step.id).collect();
    let before = story.known(&whole.said_to(&knew));
    let mut by_person: BTreeMap<PersonId, Vec<(&'static Field, &HistoryStep)>> = BTreeMap::new();
    for field in whole.kind.fields() {
        let differs = kinds::says(whole.kind, &before, field.number) != kinds::says(whole.kind, &whole.fields, field.number);
        if let Some(step) = story.wrote(field).filter(|step| differs && step.writer != me) {
            by_person.entry(step.writer).or_default().push((field, step));
        }
    }
    let told = by_person.into_iter().filter_map(|(by, changes)| {
        let mut after = before.clone();
        changes.iter().for_each(|(field, _)| after.take(&whole.fields, field.number));
        Some(Changed {
            by,
            at: changes.iter().map(|(_, step)| step.when).max()?,
            what: kinds::happening(whole.kind, &before, &after),
            kind: whole.kind,
            before: before.clone(),
            after,
            fields: changes.iter().map(|(field, step)| (*field, story.is_lost(field, step))).collect(),
        })
    });
    told.collect()
}

struct Story<'a> {
    whole: &'a LoadedItem,
    doc: &'a Doc,
    /// In causal order.
    late: Vec<&'a HistoryStep>,
    me: PersonId,
}

impl Story<'_> {
    fn step(&self, id: &EntryId) -> Option<&HistoryStep> {
        self.whole.steps.iter().find(|step| step.id == *id)
    }

    /// Late steps that touch a text or a set.
    fn touching(&self, field: &Field) -> impl DoubleEndedIterator<Item = &HistoryStep> {
        self.late.iter().copied().filter(|step| touched(&step.edit).contains(&field.number))
    }

    /// Who wrote what a field says. Of a text that several changed, and of tags, the last of the others.
    fn wrote(&self, field: &Field) -> Option<&HistoryStep> {
        if merges(field) {
            return self.touching(field).filter(|step| step.writer != self.me).max_by_key(|step| (step.when, step.id));
        }
        self.doc.set_by(field.number).last().and_then(|id| self.step(id))
    }

    /// What the reader knew: what they saw, and what they wrote since.
    fn known(&self, seen: &Fields) -> Fields {
        let late: BTreeSet<EntryId> = self.late.iter().filter(|step| step.writer == self.me).map(|step| step.id).collect();
        let mut known = seen.clone();
        let mut after: BTreeMap<EntryId, Fields> = BTreeMap::new();
        for field in self.whole.kind.fields() {
            let own = if merges(field) {
                self.touching(field).map(|step| step.id).rfind(|id| late.contains(id))
            } else {
                self.doc.set_by(field.number).into_iter().rfind(|id| late.contains(id))
            };
            if let Some(own) = own {
                let then = after.entry(own).or_insert_with(|| self.doc.fields_after(&own));
                known.take(then, field.number);
            }
        }
        known
    }

    /// Did the reader set this field before, without the writer of what it says now knowing?
    fn is_lost(&self, field: &Field, stands: &HistoryStep) -> bool {
        let set = if merges(field) { Vec::new() } else { self.doc.set_by(field.number) };
        let own = set.iter().filter_map(|id| self.step(id)).rfind(|step| step.writer == self.me && !step.edit.opens());
        own.is_some_and(|own| !self.doc.is_in(&self.doc.past(&stands.edit.rests_on()), &own.id))
    }
}

/// Do changes of it by several people stand together?
const fn merges(field: &Field) -> bool {
    matches!(field.form, Form::Text(_) | Form::Tags)
}
