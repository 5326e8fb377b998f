//! The keys that this device holds of a circle's epochs: rows in the store, a map in memory.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::{EpochKeys, KeyRing};
use crate::circle::body::History;
use crate::codec;
use crate::id::{ActId, CircleId, EpochId};
use crate::limits::PAGE_ROWS;
use crate::store::{Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

const VERSION: u64 = 2;

/// What is kept of an epoch whose keys are held. Key of the row: circle ‖ epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EpochRow {
    #[n(0)]
    version: u64,
    /// The keys.
    #[n(1)]
    pub keys: EpochKeys,
    /// The act that carries it.
    #[n(2)]
    pub act: ActId,
    /// When it was made, by its maker's clock.
    #[n(3)]
    pub made_at: Millis,
    /// How much of its talk newcomers may read.
    #[n(4)]
    pub history: History,
    /// When it was first seen here not to be in force, by this machine's clock.
    #[n(5)]
    pub superseded_at: Option<Millis>,
    /// When its talk key was destroyed; it must not be taken from a box again.
    #[n(6)]
    pub talk_destroyed_at: Option<Millis>,
    /// When its keys first were here, by this machine's clock.
    #[n(7)]
    pub held_at: Millis,
}

impl EpochRow {
    /// A row for an epoch in force whose keys come now.
    #[must_use]
    pub const fn new(keys: EpochKeys, act: ActId, made_at: Millis, history: History, now: Millis) -> Self {
        Self { version: VERSION, keys, act, made_at, history, superseded_at: None, talk_destroyed_at: None, held_at: now }
    }
}

fn row_key(circle: &CircleId, epoch: &EpochId) -> Vec<u8> {
    [circle.0, epoch.0].concat()
}

/// Writes an epoch's row.
pub fn put_epoch(tx: &mut Tx<'_>, circle: &CircleId, epoch: &EpochId, row: &EpochRow) {
    tx.put(Table::Epoch, &row_key(circle, epoch), codec::encode(row));
}

/// An epoch's row, if its keys are held.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn get_epoch(read: &dyn Read, circle: &CircleId, epoch: &EpochId) -> Result<Option<EpochRow>, StoreError> {
    read.get(Table::Epoch, &row_key(circle, epoch))?.map(|bytes| decode(&bytes)).transpose()
}

fn decode(bytes: &[u8]) -> Result<EpochRow, StoreError> {
    codec::check_version(bytes, VERSION, "epoch row")
        .and_then(|()| codec::decode(bytes, "epoch row"))
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// All epochs of a circle whose keys are held.
#[derive(Clone, Debug, Default)]
pub struct Ring(BTreeMap<EpochId, EpochRow>);

impl Ring {
    /// Reads a circle's epochs.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or is damaged.
    pub fn load(read: &dyn Read, circle: &CircleId) -> Result<Self, StoreError> {
        let mut ring = Self::default();
        let mut after = Vec::new();
        loop {
            let rows = read.scan(Table::Epoch, &circle.0, &after, PAGE_ROWS)?;
            let full = rows.len() == PAGE_ROWS;
            for (key, value) in rows {
                let id = key.get(CircleId::LEN..).and_then(EpochId::from_slice);
                let id = id.ok_or_else(|| StoreError::Corrupt("key of an epoch row".to_owned()))?;
                ring.0.insert(id, decode(&value)?);
                after = key;
            }
            if !full {
                return Ok(ring);
            }
        }
    }

    /// Adds or replaces an epoch in memory.
    pub fn insert(&mut self, id: EpochId, row: EpochRow) {
        self.0.insert(id, row);
    }

    /// Takes an epoch out of memory.
    pub fn remove(&mut self, id: &EpochId) {
        self.0.remove(id);
    }

    /// One epoch's row.
    #[must_use]
    pub fn row(&self, id: &EpochId) -> Option<&EpochRow> {
        self.0.get(id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&EpochId, &EpochRow)> {
        self.0.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// None?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl KeyRing for Ring {
    fn epoch(&self, id: &EpochId) -> Option<&EpochKeys> {
        self.0.get(id).map(|row| &row.keys)
    }
}

impl KeyRing for BTreeMap<EpochId, EpochKeys> {
    fn epoch(&self, id: &EpochId) -> Option<&EpochKeys> {
        self.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Seeded;
    use crate::store::{MemoryStore, Store};
    use crate::tx::Turn;

    #[test]
    fn a_ring_comes_back_from_the_store() {
        let mut store = MemoryStore::default();
        let mut batch = Turn::default();
        let (circle, other) = (CircleId([1; 32]), CircleId([2; 32]));
        let row = EpochRow::new(EpochKeys::random(&mut Seeded::new(1)), ActId([3; 32]), Millis(4), History::Days(5), Millis(6));
        let mut tx = Tx::new(&store, &batch);
        for epoch in 0..3 {
            put_epoch(&mut tx, &circle, &EpochId([epoch; 32]), &row);
        }
        put_epoch(&mut tx, &other, &EpochId([9; 32]), &row);
        tx.finish().join(&mut batch);
        store.commit(&batch.writes).expect("memory never fails");
        let ring = Ring::load(&store, &circle).expect("reads");
        assert_eq!(ring.len(), 3);
        assert_eq!(ring.epoch(&EpochId([2; 32])), Some(&row.keys));
        assert_eq!(ring.epoch(&EpochId([9; 32])), None);
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::crypto::Key;
    use crate::frozen::{Form, frozen};

    fn row(talk: Option<Key>, superseded: Option<Millis>, destroyed: Option<Millis>) -> EpochRow {
        let key = |byte| Key::from_bytes([byte; 32]);
        let (keys, act) = (EpochKeys { roster: key(15), library: key(16), talk }, ActId([4; 32]));
        let (made_at, held_at) = (Millis(1_795_359_600_000), Millis(1_795_359_660_000));
        let row = EpochRow::new(keys, act, made_at, History::Days(30), held_at);
        EpochRow { superseded_at: superseded, talk_destroyed_at: destroyed, ..row }
    }

    frozen![Form::new(
        "epoch-row",
        2,
        &[
            row(Some(Key::from_bytes([17; 32])), None, None),
            row(None, Some(Millis(1_795_532_400_000)), Some(Millis(1_795_618_800_000))),
        ]
    )];
}
