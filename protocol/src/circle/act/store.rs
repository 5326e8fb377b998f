//! Acts in the store: table `Act`, key circle ‖ act id, the bytes as they came. Those that this program cannot judge stand behind
//! them, under the same key and a 1.

use super::SealedAct;
use crate::codec::CodecError;
use crate::id::{ActId, CircleId};
use crate::store::{self, Read, StoreError, Table};
use crate::tx::Tx;

/// Keeps an act whose signature was verified.
pub fn put_act(tx: &mut Tx<'_>, act: &SealedAct) {
    tx.put(Table::Act, &key(&act.circle(), &act.id()), act.bytes().to_vec());
}

/// Keeps an act whose signature was verified, and that cannot be judged here.
pub(crate) fn put_unread(tx: &mut Tx<'_>, act: &SealedAct) {
    tx.put(Table::Act, &unread_key(&act.circle(), &act.id()), act.bytes().to_vec());
}

/// Forgets one of those.
pub(crate) fn delete_unread(tx: &mut Tx<'_>, circle: &CircleId, id: &ActId) {
    tx.delete(Table::Act, &unread_key(circle, id));
}

/// A stored act.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn get_act(read: &dyn Read, circle: &CircleId, id: &ActId) -> Result<Option<SealedAct>, StoreError> {
    read.get(Table::Act, &key(circle, id))?.map(|bytes| damaged(SealedAct::parse(&bytes))).transpose()
}

/// An act that is kept here, as it travels, judged or not.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn get_kept(read: &dyn Read, circle: &CircleId, id: &ActId) -> Result<Option<Vec<u8>>, StoreError> {
    match read.get(Table::Act, &key(circle, id))? {
        None => read.get(Table::Act, &unread_key(circle, id)),
        judged => Ok(judged),
    }
}

/// The acts of a circle that are kept.
#[derive(Default)]
pub(crate) struct KeptActs {
    /// Those that were judged, by id. What a newer program judged, and this one cannot, is left out: others have it, and it comes again
    /// to be kept.
    pub(crate) judged: Vec<SealedAct>,
    /// Those that were not, by id.
    pub(crate) unread: Vec<SealedAct>,
}

/// All that are kept of a circle.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub(crate) fn kept(read: &dyn Read, circle: &CircleId) -> Result<KeptActs, StoreError> {
    let mut kept = KeptActs::default();
    for (key, bytes) in store::all(read, Table::Act, &circle.0)? {
        let act = damaged(SealedAct::parse_any(&bytes))?;
        if key.len() > size_of::<CircleId>() + size_of::<ActId>() {
            kept.unread.push(act);
        } else if !act.is_newer() {
            kept.judged.push(act);
        }
    }
    Ok(kept)
}

/// All stored acts of a circle that were judged, by id.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn acts(read: &dyn Read, circle: &CircleId) -> Result<Vec<SealedAct>, StoreError> {
    kept(read, circle).map(|kept| kept.judged)
}

fn key(circle: &CircleId, id: &ActId) -> Vec<u8> {
    [circle.0, id.0].concat()
}

fn unread_key(circle: &CircleId, id: &ActId) -> Vec<u8> {
    [&circle.0[..], &id.0, &[1]].concat()
}

fn damaged(act: Result<SealedAct, CodecError>) -> Result<SealedAct, StoreError> {
    act.map_err(|error| StoreError::Corrupt(format!("act: {error}")))
}
