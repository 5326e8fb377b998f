//! What an item says: the values of its fields, however many edits made them.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::edit::{Edit, Op, Value};
use super::kind::{Field, Form, Kind};
use crate::private::Private;
use crate::time::Millis;

/// The values of an item's fields; empty ones are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Fields {
    #[n(0)]
    single: BTreeMap<u8, Value>,
    #[n(1)]
    text: BTreeMap<u8, Private<String>>,
    #[n(2)]
    tags: BTreeMap<u8, BTreeSet<Private<String>>>,
}

impl Fields {
    /// The words of a single-valued or text field; empty where there are none.
    #[must_use]
    pub fn words(&self, field: u8) -> &str {
        match (self.text.get(&field), self.single.get(&field)) {
            (Some(text), _) => &text.0,
            (None, Some(Value::Text(words))) => &words.0,
            (None, Some(Value::None | Value::Moment(_) | Value::Flag(_) | Value::Unknown(_)) | None) => "",
        }
    }

    /// The words of a field, if it has any.
    #[must_use]
    pub(crate) fn some_words(&self, field: u8) -> Option<String> {
        let words = self.words(field);
        (!words.is_empty()).then(|| words.to_owned())
    }

    /// A moment.
    #[must_use]
    pub fn moment(&self, field: u8) -> Option<Millis> {
        match self.single.get(&field) {
            Some(Value::Moment(moment)) => Some(Millis(*moment)),
            Some(Value::None | Value::Text(_) | Value::Flag(_) | Value::Unknown(_)) | None => None,
        }
    }

    /// A truth value; absent is no.
    #[must_use]
    pub fn flag(&self, field: u8) -> bool {
        self.single.get(&field) == Some(&Value::Flag(true))
    }

    /// A set of words, ascending.
    pub fn tags(&self, field: u8) -> impl Iterator<Item = &str> {
        self.tags.get(&field).into_iter().flatten().map(|tag| tag.0.as_str())
    }

    /// The value of a single-valued field.
    #[must_use]
    pub fn value(&self, field: u8) -> Value {
        self.single.get(&field).cloned().unwrap_or(Value::None)
    }

    /// Sets a single-valued field.
    pub fn set(&mut self, field: u8, value: Value) {
        match value {
            Value::None => self.single.remove(&field),
            Value::Text(_) | Value::Moment(_) | Value::Flag(_) | Value::Unknown(_) => self.single.insert(field, value),
        };
    }

    /// Sets a text field.
    pub(crate) fn set_text(&mut self, field: u8, text: String) {
        if text.is_empty() {
            self.text.remove(&field);
        } else {
            self.text.insert(field, Private(text));
        }
    }

    /// Takes over what another state says in a field.
    pub(crate) fn take(&mut self, from: &Self, field: u8) {
        self.set(field, from.value(field));
        self.set_text(field, from.text.get(&field).map(|text| text.0.clone()).unwrap_or_default());
        match from.tags.get(&field) {
            Some(tags) => self.tags.insert(field, tags.clone()),
            None => self.tags.remove(&field),
        };
    }

    /// Adds to a set.
    pub(crate) fn add_tag(&mut self, field: u8, tag: &str) {
        self.tags.entry(field).or_default().insert(Private(tag.to_owned()));
    }

    /// A field as a history shows it.
    #[must_use]
    pub fn shown(&self, kind: Kind, field: u8) -> String {
        match kind.field(field).map(|field| field.form) {
            Some(Form::Moment) => self.moment(field).map(|moment| moment.to_string()).unwrap_or_default(),
            Some(Form::Flag) => if self.flag(field) { "yes" } else { "no" }.to_owned(),
            Some(Form::Tags) => self.tags(field).collect::<Vec<_>>().join(", "),
            Some(Form::Line(_) | Form::Lines(_) | Form::Text(_) | Form::Word(_)) | None => self.words(field).to_owned(),
        }
    }

    /// What a search looks through: the words of the fields that its kind says, short ones first, since a long text may be cut.
    #[must_use]
    pub fn searchable(&self, kind: Kind) -> String {
        let (texts, lines): (Vec<&Field>, Vec<&Field>) =
            kind.fields().iter().filter(|field| field.found).partition(|field| matches!(field.form, Form::Text(_)));
        let mut all: Vec<&str> = Vec::new();
        for field in lines.into_iter().chain(texts) {
            all.extend(self.tags(field.number));
            all.extend(Some(self.words(field.number)).filter(|words| !words.is_empty()));
        }
        all.join("\n")
    }
}

/// What an item of a kind says that exactly one edit made. Equal to what a [`super::doc::Doc`] of that edit says, and much cheaper.
#[must_use]
pub(crate) fn view_of_one(kind: Kind, edit: &Edit) -> Fields {
    let mut fields = Fields::default();
    for op in edit.ops.iter().filter(|op| op.is_understood(kind)) {
        match op {
            Op::Set(field, value) => fields.set(*field, value.clone()),
            Op::Insert(field, _, text) => fields.set_text(*field, text.0.clone()),
            Op::Add(field, tag) => fields.add_tag(*field, &tag.0),
            Op::Delete(..) | Op::Remove(..) => {}
        }
    }
    fields
}
