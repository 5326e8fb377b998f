//! Which of our own entries other devices are known to have: told to the author, and to nobody else.

use std::collections::BTreeMap;

use crate::circle::body::ChainId;
use crate::codec;
use crate::id::{CircleId, DeviceId};
use crate::node::Cx;
use crate::planted::{Bug, planted};
use crate::store::{Read, StoreError, Table};
use crate::sync::frame::ChainSeq;

/// For each device, how far it is known to have each of our chains.
pub(crate) type Seen = BTreeMap<DeviceId, BTreeMap<ChainId, u64>>;

fn key(circle: &CircleId, device: &DeviceId) -> Vec<u8> {
    [b"seen-by", &circle.0[..], &device.0].concat()
}

/// Notes how far a device is on our own chains. Never goes back.
pub(crate) fn note(cx: &mut Cx<'_, '_>, circle: &CircleId, device: &DeviceId, own: &[ChainSeq]) -> Result<(), StoreError> {
    if own.is_empty() {
        return Ok(());
    }
    let key = key(circle, device);
    let mut seen: BTreeMap<ChainId, u64> =
        cx.tx.get(Table::Local, &key)?.and_then(|bytes| codec::decode(&bytes, "delivery").ok()).unwrap_or_default();
    let before = seen.clone();
    for chain in own {
        let seq = seen.entry(chain.chain).or_insert(0);
        *seq = (*seq).max(if planted(Bug::EarlyDelivery) { u64::MAX } else { chain.seq });
    }
    if seen != before {
        cx.tx.put(Table::Local, &key, codec::encode(&seen));
    }
    Ok(())
}

/// All that is known for a circle.
pub(crate) fn load(read: &dyn Read, circle: &CircleId) -> Result<Seen, StoreError> {
    let prefix = [b"seen-by", &circle.0[..]].concat();
    let rows = read.scan(Table::Local, &prefix, &[], crate::limits::DEVICES * 2)?;
    Ok(rows
        .into_iter()
        .filter_map(|(key, bytes)| {
            let device = DeviceId::from_slice(key.get(prefix.len()..)?)?;
            Some((device, codec::decode(&bytes, "delivery").ok()?))
        })
        .collect())
}
