//! Conversation whose time is over by this machine's clock. A clock alone destroys nothing: such an item is hidden. It is destroyed
//! once two other people's clocks have passed that moment as well, or when this machine's clock has said so for a week and was not
//! set back meanwhile. A clock that is set right brings everything back that it hid.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use minicbor::{Decode, Encode};

use super::apply::Report;
use super::load::EntryCache;
use super::port::Ports;
use super::project::{Projector, Times};
use super::row::{ItemRow, Tag, local, view_item};
use crate::codec;
use crate::id::{CircleId, ItemKey};
use crate::limits::{OVER_MILLIS, TURN_DESTROYED};
use crate::log::entry::EntryAt;
use crate::store::{Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

/// An item whose time is to be judged.
#[derive(Clone, Debug)]
pub struct Ending {
    circle: Tag,
    /// Which.
    pub key: ItemKey,
    /// Its entries, as they came.
    pub entries: Vec<EntryAt>,
}

impl Ending {
    pub(super) fn of(key: ItemKey, row: &ItemRow) -> Self {
        Self { circle: row.circle, key, entries: row.slots.iter().map(|slot| slot.at).collect() }
    }

    /// Is it one of that circle's?
    #[must_use]
    pub fn is_of(&self, circle: &CircleId) -> bool {
        self.circle == Tag::of(circle)
    }
}

/// Where looking at all of them again has come to.
#[derive(Debug, Encode, Decode)]
#[cbor(array)]
struct AgainRow {
    /// This machine's clock was set back: what it said before counts no more.
    #[n(0)]
    back: bool,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    after: Vec<u8>,
}

fn again_row(read: &dyn Read) -> Result<Option<AgainRow>, StoreError> {
    let bytes = read.get(Table::Local, local::OVER_AGAIN)?;
    let row = bytes.map(|bytes| codec::decode(&bytes, "items to be judged again"));
    row.transpose().map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Everything that is hidden so is to be judged again: others' clocks said something, or this machine's was set back.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn look_again(tx: &mut Tx<'_>, back: bool) -> Result<(), StoreError> {
    if tx.scan(Table::Local, local::OVER, &[], 1)?.is_empty() {
        return Ok(());
    }
    let back = back || again_row(tx)?.is_some_and(|row| row.back);
    tx.put(Table::Local, local::OVER_AGAIN, codec::encode(&AgainRow { back, after: Vec::new() }));
    Ok(())
}

/// When [`waiting`] has something next.
pub(super) fn next(read: &dyn Read) -> Result<Option<Millis>, StoreError> {
    if read.get(Table::Local, local::OVER_AGAIN)?.is_some() {
        return Ok(Some(Millis(0)));
    }
    let first = read.scan(Table::Local, local::OVER, &[], 1)?;
    Ok(first.first().and_then(|(key, _)| local::over_since(key)).map(|since| since.plus(OVER_MILLIS)))
}

/// Hidden items that are to be judged now, at most so many, and whether this machine's clock was set back.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn waiting(tx: &mut Tx<'_>, now: Millis, limit: usize) -> Result<(Vec<Ending>, bool), StoreError> {
    let again = again_row(tx)?;
    let (after, back) = again.map_or((None, false), |row| (Some(row.after), row.back));
    let rows = tx.scan(Table::Local, local::OVER, after.as_deref().unwrap_or_default(), limit)?;
    let due = |key: &[u8]| after.is_some() || local::over_since(key).is_some_and(|since| since.plus(OVER_MILLIS) <= now);
    let mut found = Vec::new();
    for (place, _) in rows.iter().filter(|(place, _)| due(place)) {
        let key = view_item(place)?;
        match ItemRow::get(tx, &key)?.filter(|row| row.over.is_some()) {
            Some(row) => found.push(Ending::of(key, &row)),
            None => tx.delete(Table::Local, place),
        }
    }
    if after.is_some() {
        match rows.last() {
            Some((last, _)) if rows.len() == limit => {
                tx.put(Table::Local, local::OVER_AGAIN, codec::encode(&AgainRow { back, after: last.clone() }));
            }
            Some(_) | None => tx.delete(Table::Local, local::OVER_AGAIN),
        }
    }
    Ok((found, back))
}

/// Judges items of one circle whose time may be over: each with the latest moment that is known to lie before its first words. They
/// are hidden, shown again, or said to be destroyed.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn judge_time(
    tx: &mut Tx<'_>,
    ports: Ports<'_>,
    circle: &CircleId,
    items: &[(ItemKey, Option<Millis>)],
    times: Times,
) -> Result<Report, StoreError> {
    let mut cache = EntryCache::default();
    let mut projector = Projector::new(tx, circle, ports, &mut cache)?;
    let (mut report, mut left) = (Report::default(), false);
    for (key, past) in items {
        left = report.destroy.len() >= TURN_DESTROYED;
        if left {
            break;
        }
        let settled = projector.judge_time(key, *past, times)?;
        report.changes.extend(settled.applied);
        report.destroy.extend(settled.destroy);
        for target in settled.targets {
            let settled = projector.refresh(&target)?;
            report.changes.extend(settled.applied);
            report.destroy.extend(settled.destroy);
        }
    }
    projector.close()?;
    if left {
        // What is due is due as before; what is hidden waits to be looked at.
        look_again(tx, times.back)?;
    }
    Ok(report)
}

/// How many items of a circle are hidden so, and since when the first of them.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn hidden(read: &dyn Read, circle: &CircleId) -> Result<Option<(u64, Millis)>, StoreError> {
    let tag = Tag::of(circle);
    let (mut count, mut first, mut after) = (0, None, Vec::new());
    loop {
        let rows = read.scan(Table::Local, local::OVER, &after, crate::limits::PAGE_ROWS)?;
        for (place, _) in rows.iter().filter(|(_, value)| value.as_slice() == tag.0) {
            count += 1;
            first = first.or_else(|| local::over_since(place));
        }
        match rows.last() {
            Some((last, _)) if rows.len() == crate::limits::PAGE_ROWS => after.clone_from(last),
            Some(_) | None => return Ok(first.map(|first| (count, first))),
        }
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};

    frozen![Form::new(
        "again-row",
        1,
        &[AgainRow { back: true, after: vec![7; 9] }, AgainRow { back: false, after: Vec::new() }]
    )];
}
