//! Writing: this device's own entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_core::CryptoRng;

use super::extend::extend;
use super::find::ChainRef;
use crate::circle::body::{ChainId, KeyClass};
use crate::circle::epoch::KeyRing;
use crate::crypto::{Crypto, Signature, SigningKey};
use crate::id::{ActId, CircleId, EpochId, Incarnation};
use crate::limits;
use crate::log::LogError;
use crate::log::chain_hasher::NOTHING;
use crate::log::entry::{Body, EntryRecord, Meta, NewEntry, Opened};
use crate::log::payload::pack;
use crate::log::rows::{self, ChainRow};
use crate::log::run::RunHead;
use crate::log::segment::{Segment, class_key};
use crate::tx::Tx;

/// Which of a device's chains: its circle and incarnation. The device is the signer's, the class each entry's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainPlace {
    /// The circle.
    pub circle: CircleId,
    /// The incarnation.
    pub incarnation: Incarnation,
}

/// Writes entries under an epoch whose keys are in `ring`, knowing `heads`; signs once for each chain and 256 entries.
/// What comes back is in the order of `entries`.
///
/// # Errors
/// [`LogError::NoKey`] where the epoch's keys are not held, [`LogError::Rule`] where an entry is none, or the store's error.
#[expect(clippy::too_many_arguments, reason = "randomness, signing, storage and keys are arguments of the core")]
pub fn append(
    tx: &mut Tx<'_>,
    crypto: &dyn Crypto,
    rng: &mut dyn CryptoRng,
    ring: &dyn KeyRing,
    signer: &SigningKey,
    place: &ChainPlace,
    epoch: &EpochId,
    heads: &[ActId],
    entries: Vec<NewEntry>,
) -> Result<Vec<Opened>, LogError> {
    let mut heads = heads.to_vec();
    heads.sort_unstable();
    heads.dedup();
    if heads.is_empty() || heads.len() > limits::HEADS {
        return Err(LogError::Rule("membership heads of an entry"));
    }
    let heads: Arc<[ActId]> = Arc::from(heads);
    let mut classes: BTreeMap<KeyClass, Vec<(usize, NewEntry)>> = BTreeMap::new();
    for (order, entry) in entries.into_iter().enumerate() {
        classes.entry(entry.class).or_default().push((order, entry));
    }
    let mut written = Vec::new();
    for (class, entries) in classes {
        if class == KeyClass::Roster {
            return Err(LogError::Rule("an entry is of the library or talk"));
        }
        let chain = ChainId { device: signer.id(), incarnation: place.incarnation, class };
        let (orders, entries): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let mut chain = Own::open(tx, place.circle, chain, *epoch)?;
        let mut opened = Vec::with_capacity(entries.len());
        let mut batch = Vec::new();
        let mut weight = 0;
        for entry in entries {
            let sheet = sheet(entry, rng)?;
            if batch.len() == limits::BLOCK_ENTRIES || weight + sheet.weight() + limits::HEADS_WEIGHT > limits::BLOCK_BYTES {
                opened.extend(chain.write(tx, crypto, ring, signer, *epoch, &heads, std::mem::take(&mut batch))?);
                weight = 0;
            }
            weight += sheet.weight();
            batch.push(sheet);
        }
        opened.extend(chain.write(tx, crypto, ring, signer, *epoch, &heads, batch)?);
        chain.close(tx);
        written.extend(orders.into_iter().zip(opened));
    }
    written.sort_unstable_by_key(|(order, _)| *order);
    Ok(written.into_iter().map(|(_, opened)| opened).collect())
}

fn sheet(entry: NewEntry, rng: &mut dyn CryptoRng) -> Result<EntryRecord, LogError> {
    let mut nonce = [0; 24];
    rng.fill_bytes(&mut nonce);
    let NewEntry { kind, item, retention, payload, .. } = entry;
    let body = Body::Kept { nonce, packed: pack(payload)? };
    Ok(EntryRecord { meta: Meta { kind, item, retention, heads: None }, body })
}

/// One of this device's own chains while it is written.
struct Own {
    place: ChainRef,
    row: ChainRow,
}

impl Own {
    fn open(tx: &mut Tx<'_>, circle: CircleId, chain: ChainId, epoch: EpochId) -> Result<Self, LogError> {
        let (number, row) = match rows::branches(tx, &circle, &chain)?.into_iter().next() {
            Some(known) => known,
            None => (rows::number(tx, &circle, &chain)?, ChainRow::starting(1, NOTHING, epoch, None)),
        };
        Ok(Self { place: ChainRef { circle, chain, number }, row })
    }

    #[expect(clippy::too_many_arguments, reason = "as above")]
    fn write(
        &mut self,
        tx: &mut Tx<'_>,
        crypto: &dyn Crypto,
        ring: &dyn KeyRing,
        signer: &SigningKey,
        epoch: EpochId,
        heads: &Arc<[ActId]>,
        mut sheets: Vec<EntryRecord>,
    ) -> Result<Vec<Opened>, LogError> {
        let same = self.row.seq > 0 && self.row.epoch == epoch && self.row.heads.as_slice() == &**heads;
        if let Some(first) = sheets.first_mut().filter(|_| !same) {
            first.meta.heads = Some(Arc::clone(heads));
        }
        let ChainRef { circle, chain, number } = self.place;
        let head = RunHead { chain, epoch, first: self.row.seq + 1, previous: self.row.head };
        let key = class_key(ring, &epoch, &chain)?;
        let mut piece = Segment::seal(&circle, key, head, sheets, Signature([0; 64]))?;
        piece.sign(crypto, signer, &circle);
        piece.heads = Arc::clone(heads);
        extend(tx, ring, &self.place, &mut self.row, &piece, None)?;
        Ok(piece.into_opened(&circle, number))
    }

    fn close(self, tx: &mut Tx<'_>) {
        rows::put_chain(tx, &self.place.circle, &self.place.chain, self.place.number, &self.row);
    }
}
