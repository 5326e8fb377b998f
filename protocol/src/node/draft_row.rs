//! Drafts as they are kept: sealed in this machine's store for a week, and never sent.

use minicbor::{Decode, Encode};

use super::named::by_prefix;
use crate::codec;
use crate::context::InputError;
use crate::control::{Draft, DraftOf, Hint, NewDraft, Time};
use crate::id::{CircleId, short_text};
use crate::io::Effect;
use crate::limits::DRAFTS;
use crate::private::Private;
use crate::store::{Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

/// The only version so far.
const VERSION: u8 = 1;
/// Keys go on with the moment until when it is kept, so that the first is due first, and 8 random bytes.
pub(super) const PREFIX: &[u8] = b"draft/";

type Words = Option<Private<String>>;

/// A draft as it is kept.
#[derive(Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct DraftRow {
    #[n(0)]
    version: u8,
    /// Its place in [`DraftOf::ALL`].
    #[n(1)]
    becomes: u8,
    #[n(2)]
    kept: Millis,
    #[n(3)]
    circle: String,
    #[n(4)]
    item: Option<String>,
    #[n(5)]
    body: Private<String>,
    #[n(6)]
    title: Words,
    #[n(7)]
    warning: Words,
    #[n(8)]
    want: Words,
    #[n(9)]
    lang: Words,
    #[n(10)]
    tags: Option<Vec<Private<String>>>,
    #[n(11)]
    base: Option<String>,
}

impl DraftRow {
    pub(super) fn new(text: NewDraft, kept: Millis) -> Self {
        let place = DraftOf::ALL.iter().position(|becomes| *becomes == text.becomes).unwrap_or_default();
        Self {
            version: VERSION,
            becomes: u8::try_from(place).unwrap_or_default(),
            kept,
            circle: text.circle,
            item: text.item,
            body: Private(text.body),
            title: text.title.map(Private),
            warning: text.content_warning.map(Private),
            want: text.want.map(|want| Private(want.word().to_owned())),
            lang: text.lang.map(Private),
            tags: text.tags.map(|tags| tags.into_iter().map(Private).collect()),
            base: text.base,
        }
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let row: Self = codec::decode(bytes, "draft").map_err(|error| StoreError::Corrupt(error.to_string()))?;
        if row.version == VERSION { Ok(row) } else { Err(StoreError::Corrupt("a draft of a newer form".to_owned())) }
    }

    pub(super) fn shown(self, key: &[u8]) -> Draft {
        let open = |words: Words| words.map(|words| words.0);
        let text = NewDraft {
            becomes: DraftOf::ALL.get(usize::from(self.becomes)).copied().unwrap_or(DraftOf::Note),
            circle: self.circle,
            item: self.item,
            body: self.body.0,
            title: open(self.title),
            content_warning: open(self.warning),
            want: self.want.and_then(|want| want.0.parse().ok()),
            lang: open(self.lang),
            tags: self.tags.map(|tags| tags.into_iter().map(|tag| tag.0).collect()),
            base: self.base,
        };
        Draft { id: id(key), text, kept_at: Time(self.kept), until: Time(due(key)) }
    }
}

fn id(key: &[u8]) -> String {
    short_text('l', key)
}

/// Until when the draft with that key is kept.
fn due(key: &[u8]) -> Millis {
    let moment = key.get(PREFIX.len()..PREFIX.len() + 8).and_then(|bytes| bytes.try_into().ok());
    Millis(moment.map_or(0, u64::from_be_bytes))
}

/// The keys of all of them, the oldest first.
pub(super) fn keys(read: &dyn Read) -> Result<Vec<Vec<u8>>, StoreError> {
    Ok(read.scan(Table::Local, PREFIX, &[], DRAFTS)?.into_iter().map(|(key, _)| key).collect())
}

/// All of them, the oldest first.
pub(super) fn all(read: &dyn Read) -> Result<Vec<Draft>, StoreError> {
    let rows = read.scan(Table::Local, PREFIX, &[], DRAFTS)?;
    rows.iter().map(|(key, bytes)| Ok(DraftRow::read(bytes)?.shown(key))).collect()
}

/// The key of the one that somebody names.
pub(super) fn find(read: &dyn Read, text: &str) -> Result<Vec<u8>, InputError> {
    let mut keys = keys(read)?;
    let named: Vec<(String, usize)> = keys.iter().enumerate().map(|(at, key)| (id(key), at)).collect();
    let at = by_prefix(named.into_iter(), text, "draft", Hint::run("draft", "list", &[], "shows them"))?;
    Ok(keys.swap_remove(at))
}

/// The one that somebody names.
pub(super) fn one(read: &dyn Read, text: &str) -> Result<Draft, InputError> {
    let key = find(read, text)?;
    let bytes = read.get(Table::Local, &key)?.unwrap_or_default();
    Ok(DraftRow::read(&bytes)?.shown(&key))
}

/// Throws away those whose week is over.
pub(super) fn sweep(tx: &mut Tx<'_>, now: Millis) -> Result<(), StoreError> {
    for key in keys(tx)?.iter().filter(|key| due(key) <= now) {
        tx.delete(Table::Local, key);
        tx.then(Effect::Scrub);
    }
    Ok(())
}

/// Throws away those for a circle.
pub(super) fn forget(tx: &mut Tx<'_>, circle: &CircleId) -> Result<(), StoreError> {
    for (key, bytes) in tx.scan(Table::Local, PREFIX, &[], DRAFTS)? {
        if DraftRow::read(&bytes)?.circle == circle.text() {
            tx.delete(Table::Local, &key);
        }
    }
    Ok(())
}

/// When the first of them is over.
pub(super) fn next_due(read: &dyn Read) -> Result<Option<Millis>, StoreError> {
    Ok(read.scan(Table::Local, PREFIX, &[], 1)?.first().map(|(key, _)| due(key)))
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::control::WantChange;
    use crate::frozen::{Form, frozen};

    fn rows() -> Vec<DraftRow> {
        let words = |text: &str| Some(text.to_owned());
        let full = NewDraft {
            becomes: DraftOf::Edit,
            circle: "c-abcdef".to_owned(),
            item: words("n-abcdef"),
            body: "Three nights.".to_owned(),
            title: words("On-call"),
            content_warning: words("burnout"),
            want: Some(WantChange::Listen),
            lang: words("en"),
            tags: Some(vec!["night".to_owned()]),
            base: words("abcd"),
        };
        let (item, title, content_warning, want, lang, tags, base) = (None, None, None, None, None, None, None);
        let becomes = DraftOf::Note;
        let short = NewDraft { becomes, item, title, content_warning, want, lang, tags, base, ..full.clone() };
        [full, short].map(|text| DraftRow::new(text, Millis(1_795_359_600_000))).into()
    }

    frozen![Form::new("draft-row", 1, &rows())];
}
