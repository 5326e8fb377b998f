//! The operations of an item's first edit.

use crate::control::{Code, Error, Hints};
use crate::item::edit::{Op, Value};
use crate::item::kind::fields;
use crate::item::valid;
use crate::limits::TITLE_CHARS;
use crate::private::Private;

/// Operations of a first edit; empty fields are left out.
#[derive(Default)]
pub(in crate::item) struct First(Vec<Op>);

impl First {
    pub(in crate::item) fn set(&mut self, field: u8, words: &str) {
        if !words.is_empty() {
            self.0.push(Op::Set(field, Value::text(words)));
        }
    }

    pub(in crate::item) fn value(&mut self, field: u8, value: Value) {
        self.0.push(Op::Set(field, value));
    }

    pub(in crate::item) fn text(&mut self, field: u8, text: String) {
        if !text.is_empty() {
            self.0.push(Op::Insert(field, None, Private(text)));
        }
    }

    pub(in crate::item) fn warning(&mut self, warning: Option<&str>) -> Result<(), Error> {
        self.set(fields::WARNING, &valid::line(warning.unwrap_or_default(), TITLE_CHARS, "The content warning")?);
        Ok(())
    }

    pub(in crate::item) fn tags(&mut self, tags: &[String]) -> Result<(), Error> {
        let tags = valid::tags(tags)?;
        self.0.extend(tags.into_iter().map(|tag| Op::Add(fields::TAGS, Private(tag))));
        Ok(())
    }

    pub(in crate::item) fn done(self) -> Vec<Op> {
        self.0
    }
}

/// Something that a new item must say.
pub(in crate::item) fn needed(text: &str, message: &str, hint: impl Into<Hints>) -> Result<(), Error> {
    if text.is_empty() { Err(Error::new(Code::Usage, message, hint)) } else { Ok(()) }
}
