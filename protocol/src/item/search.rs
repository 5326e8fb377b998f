//! Full-text search over what members wrote. The store finds the items, the words around the match come from the opened body.

use std::collections::BTreeMap;

use super::kind::fields;
use super::reader::{ItemReader, Shown};
use super::row::{ItemRow, Tag};
use super::words::Sought;
use super::{excerpt, index};
use crate::control::{SearchHit, Time};
use crate::id::ItemKey;
use crate::limits::SPARE_HITS;
use crate::store::{Read, StoreError};

/// What was found in some circles, the newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn search(read: &dyn Read, readers: &[ItemReader<'_>], typed: &str, limit: usize) -> Result<Vec<SearchHit>, StoreError> {
    let wanted = Sought::new(typed);
    let terms = wanted.terms();
    if terms.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let (mut hits, mut seen, mut ask) = (Vec::new(), 0, limit.saturating_mul(SPARE_HITS).saturating_add(64));
    loop {
        let found = read.search(&terms, ask)?;
        let keys: Vec<ItemKey> = found.iter().skip(seen).filter_map(|place| index::found(place)).collect();
        for part in keys.chunks(limit) {
            hits.extend(among(read, readers, part, &wanted)?);
            if hits.len() >= limit {
                hits.truncate(limit);
                return Ok(hits);
            }
        }
        // Those found may all be hidden, over, or of another circle: what lies behind them counts as well.
        if found.len() < ask {
            return Ok(hits);
        }
        (seen, ask) = (found.len(), ask.saturating_mul(SPARE_HITS));
    }
}

/// Of some items, those that match and may be shown, in their order. Read together: neighbours often lie in one block.
fn among(read: &dyn Read, readers: &[ItemReader<'_>], keys: &[ItemKey], wanted: &Sought) -> Result<Vec<SearchHit>, StoreError> {
    let mut places = BTreeMap::new();
    for key in keys {
        places.extend(ItemRow::get(read, key)?.map(|row| (*key, row.circle)));
    }
    let mut hits = BTreeMap::new();
    for reader in readers {
        let own: Vec<ItemKey> =
            keys.iter().filter(|key| places.get(key).is_some_and(|tag| *tag == Tag::of(&reader.circle))).copied().collect();
        for shown in reader.shown(&own, true)?.iter().filter(|shown| shown.whole.is_some()) {
            hits.extend(hit(reader, shown, wanted)?.map(|hit| (shown.key, hit)));
        }
    }
    Ok(keys.iter().filter_map(|key| hits.remove(key)).collect())
}

fn hit(reader: &ItemReader<'_>, shown: &Shown, wanted: &Sought) -> Result<Option<SearchHit>, StoreError> {
    let Some(kind) = shown.row.kind().filter(|kind| kind.is_indexed()) else { return Ok(None) };
    let text = || shown.whole.as_ref().map(|whole| whole.fields.searchable(kind)).unwrap_or_default();
    if !wanted.holds(text) {
        return Ok(None);
    }
    let Some(target) = reader.target(kind, shown)? else { return Ok(None) };
    let titled = target.as_ref().unwrap_or(shown);
    let title = titled.words(fields::TITLE);
    let content_warning = shown.some_words(fields::WARNING).or_else(|| titled.some_words(fields::WARNING));
    let warned = content_warning.is_some();
    Ok(Some(SearchHit {
        kind: kind.subject(),
        id: shown.id(),
        circle: reader.circle.text(),
        title: if warned { String::new() } else { title },
        excerpt: (!warned).then(|| excerpt::around(&shown.words(fields::BODY), wanted)),
        content_warning,
        author: reader.author(shown.author),
        created_at: Time(shown.row.created),
    }))
}
