//! Acts in the store: table `Act`, key circle ‖ act id, the bytes as they came.

use super::SealedAct;
use crate::id::{ActId, CircleId};
use crate::limits::PAGE_ROWS;
use crate::store::{Read, StoreError, Table};
use crate::tx::Tx;

/// Keeps an act whose signature was verified.
pub fn put_act(tx: &mut Tx<'_>, act: &SealedAct) {
    tx.put(Table::Act, &key(&act.circle(), &act.id()), act.bytes().to_vec());
}

/// A stored act.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn get_act(read: &dyn Read, circle: &CircleId, id: &ActId) -> Result<Option<SealedAct>, StoreError> {
    read.get(Table::Act, &key(circle, id))?.map(|bytes| parse(&bytes)).transpose()
}

/// All stored acts of a circle, by id.
///
/// # Errors
/// [`StoreError`] where the store fails or is damaged.
pub fn acts(read: &dyn Read, circle: &CircleId) -> Result<Vec<SealedAct>, StoreError> {
    let mut all = Vec::new();
    let mut after = Vec::new();
    loop {
        let mut rows = read.scan(Table::Act, &circle.0, &after, PAGE_ROWS)?;
        let full = rows.len() == PAGE_ROWS;
        for (_, bytes) in &rows {
            all.push(parse(bytes)?);
        }
        match rows.pop() {
            Some((last, _)) if full => after = last,
            _ => return Ok(all),
        }
    }
}

fn key(circle: &CircleId, id: &ActId) -> Vec<u8> {
    [circle.0, id.0].concat()
}

fn parse(bytes: &[u8]) -> Result<SealedAct, StoreError> {
    SealedAct::parse(bytes).map_err(|error| StoreError::Corrupt(format!("act: {error}")))
}
