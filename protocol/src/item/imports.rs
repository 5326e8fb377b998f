//! Imports: which items one of them brought, so that they can be taken back together.
//!
//! Owns the rows of `Local` whose keys start with `item/import/`: one for each item, under its import's id and its key. Only this
//! machine knows them, and they hold no word of anything.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeSet;

use data_encoding::BASE32_NOPAD;
use rand_core::CryptoRng;

use super::resolve::{clipped, where_listed};
use super::row::{ItemRow, Tag, local};
use crate::control::{Code, Error, Hint, Import};
use crate::id::{CircleId, ItemKey};
use crate::store::{Read, StoreError, Table, all};
use crate::time::Millis;
use crate::tx::Tx;

/// An import's id: random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportId([u8; 10]);

impl ImportId {
    /// A new one.
    pub fn new(rng: &mut dyn CryptoRng) -> Self {
        let mut id = [0; 10];
        rng.fill_bytes(&mut id);
        Self(id)
    }

    /// What people see and type.
    #[must_use]
    pub fn text(&self) -> String {
        format!("im-{}", BASE32_NOPAD.encode(&self.0).to_ascii_lowercase())
    }

    /// The one that a text names, whole or by its unambiguous start. The outer error is the store's, the inner one is for the person.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub fn named(read: &dyn Read, text: &str) -> Result<Result<Self, Error>, StoreError> {
        let typed = text.trim().to_ascii_lowercase();
        let tail = typed.strip_prefix("im-").unwrap_or(&typed);
        let (mut found, mut after): (Vec<Self>, Vec<u8>) = (Vec::new(), Vec::new());
        // The first row of each import: what comes behind all items of the one before.
        while let Some((key, _)) = read.scan(Table::Local, local::IMPORT, &after, 1)?.pop() {
            let id = key.get(local::IMPORT.len()..).and_then(|rest| rest.first_chunk());
            let Some(import) = id.copied().map(Self) else { break };
            if !tail.is_empty() && import.text().get(3..).is_some_and(|known| known.starts_with(tail)) {
                found.push(import);
            }
            after = [local::import(&import.0).as_slice(), &[0xff; 17]].concat();
        }
        Ok(match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(not_found(text)),
            _ => Err(Error::new(
                Code::Ambiguous,
                "Several imports begin like that.",
                "Type a few more characters of the one you mean.",
            )),
        })
    }
}

fn not_found(text: &str) -> Error {
    let text = clipped(text);
    let hint = Hint::Text("An import's id is shown when it is done; one that was undone has none any more.".to_owned());
    Error::new(Code::NotFound, format!("There is no import `{text}` here."), hint)
}

/// Notes down what an import brought.
pub fn note(tx: &mut Tx<'_>, import: ImportId, items: impl Iterator<Item = ItemKey>) {
    for item in items {
        tx.put(Table::Local, &[local::import(&import.0).as_slice(), &item.0].concat(), vec![1]);
    }
}

/// What an import brought, as far as it is still here: oldest first.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn show(read: &dyn Read, circles: &[CircleId], import: ImportId) -> Result<Result<Import, Error>, StoreError> {
    let prefix = local::import(&import.0);
    let mut found: Vec<(Millis, u64, String, Tag)> = Vec::new();
    for (key, _) in all(read, Table::Local, &prefix)? {
        let Some(item) = key.get(prefix.len()..).and_then(|key| key.try_into().ok()).map(ItemKey) else { continue };
        let Some(row) = ItemRow::get(read, &item)?.filter(ItemRow::listed) else { continue };
        let Some(kind) = row.kind() else { continue };
        found.push((row.created, row.arrived, item.text(kind.letter()), row.circle));
    }
    found.sort();
    let circle = |tag: &Tag| circles.iter().find(|circle| Tag::of(circle) == *tag);
    let Some(circle) = found.first().and_then(|(.., tag)| circle(tag)) else {
        let hint = where_listed(&[]);
        return Ok(Err(Error::new(Code::NotFound, "Nothing of that import is here any more.", hint)));
    };
    let items = found.into_iter().map(|(_, _, id, _)| id).collect();
    Ok(Ok(Import { id: import.text(), circle: circle.text(), items }))
}

/// Forgets of which import an item is, for items that are gone altogether.
pub(super) fn forget_items(tx: &mut Tx<'_>, items: &BTreeSet<ItemKey>) -> Result<(), StoreError> {
    for (key, _) in all(tx, Table::Local, local::IMPORT)? {
        let item = key.last_chunk().copied().map(ItemKey);
        if item.is_some_and(|item| items.contains(&item)) {
            tx.delete(Table::Local, &key);
        }
    }
    Ok(())
}

/// Forgets an import; its items stay.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn forget(tx: &mut Tx<'_>, import: ImportId) -> Result<(), StoreError> {
    tx.delete_all(Table::Local, &local::import(&import.0))
}
