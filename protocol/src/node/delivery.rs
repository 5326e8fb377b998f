//! Which of our own entries other devices are known to have: told to the author, and to nobody else.
//!
//! What is learned is written a moment later, so that acknowledgements of the same entries share a commit. What a crash forgets
//! comes again with the next exchange; nothing is ever noted that was not so.

use std::collections::BTreeMap;

use crate::circle::body::ChainId;
use crate::codec;
use crate::id::{CircleId, DeviceId};
use crate::planted::{Bug, planted};
use crate::store::{self, Read, StoreError, Table};
use crate::sync::frame::ChainSeq;
use crate::time::Millis;
use crate::tx::Tx;

/// Written so many milliseconds after it was learned.
const WRITE_AFTER: u64 = 200;

/// How far a device is known to have each of our chains.
type Reached = BTreeMap<ChainId, u64>;

/// For each device, how far it is known to have each of our chains.
pub(crate) type Seen = BTreeMap<DeviceId, Reached>;

/// What was learned and is not written yet.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    learned: BTreeMap<(CircleId, DeviceId), Reached>,
    due: Option<Millis>,
}

impl Delivery {
    /// Notes how far a device is on our own chains.
    pub(crate) fn note(&mut self, circle: CircleId, device: DeviceId, own: impl Iterator<Item = ChainSeq>, now: Millis) {
        for ChainSeq { chain, seq } in own {
            let reached = self.learned.entry((circle, device)).or_default().entry(chain).or_insert(0);
            *reached = (*reached).max(if planted(Bug::EarlyDelivery) { u64::MAX } else { seq });
            self.due.get_or_insert(now.plus(WRITE_AFTER));
        }
    }

    /// When [`Self::write`] is due.
    pub(crate) const fn due(&self) -> Option<Millis> {
        self.due
    }

    /// Writes what was learned. What is written never goes back.
    pub(crate) fn write(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.due = None;
        for ((circle, device), learned) in std::mem::take(&mut self.learned) {
            let key = key(&circle, &device);
            let before = tx.get(Table::Local, &key)?;
            let mut seen: Reached = before.as_ref().and_then(|bytes| codec::decode(bytes, "delivery").ok()).unwrap_or_default();
            for (chain, seq) in learned {
                let reached = seen.entry(chain).or_insert(0);
                *reached = (*reached).max(seq);
            }
            let seen = codec::encode(&seen);
            if before.as_ref() != Some(&seen) {
                tx.put(Table::Local, &key, seen);
            }
        }
        Ok(())
    }
}

fn key(circle: &CircleId, device: &DeviceId) -> Vec<u8> {
    [b"seen-by", &circle.0[..], &device.0].concat()
}

/// All that is written for a circle.
pub(crate) fn load(read: &dyn Read, circle: &CircleId) -> Result<Seen, StoreError> {
    let prefix = [b"seen-by", &circle.0[..]].concat();
    let rows = store::all(read, Table::Local, &prefix)?;
    Ok(rows
        .into_iter()
        .filter_map(|(key, bytes)| {
            let device = DeviceId::from_slice(key.get(prefix.len()..)?)?;
            Some((device, codec::decode(&bytes, "delivery").ok()?))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circle::body::KeyClass;
    use crate::id::Incarnation;
    use crate::store::{MemoryStore, Store};

    #[test]
    fn what_thousands_of_devices_have_is_all_known() {
        let (circle, mut store) = (CircleId([1; 32]), MemoryStore::default());
        let device = |n: u16| DeviceId([&n.to_be_bytes()[..], &[7; 30]].concat().try_into().expect("32 bytes"));
        let own = ChainId { device: DeviceId([9; 32]), incarnation: Incarnation([0; 16]), class: KeyClass::Talk };
        let reached = codec::encode(&Reached::from([(own, 5)]));
        let writes = (0..2_100).map(|n| ((Table::Local, key(&circle, &device(n))), Some(reached.clone())));
        store.commit(&writes.collect()).expect("memory never fails");
        assert_eq!(load(&store, &circle).expect("reads").len(), 2_100);
    }
}
