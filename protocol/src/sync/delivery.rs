//! Which of our own entries other devices are known to have: told to the author, and to nobody else. How far others are known to
//! be on somebody else's chains: for anyone who has to say what stands of it.
//!
//! What is learned is written a moment later, so that acknowledgements of the same entries share a commit. What a crash forgets
//! comes again with the next exchange; nothing is ever noted that was not so.

use std::collections::BTreeMap;

use super::message::ChainSeq;
use crate::circle::body::ChainId;
use crate::codec;
use crate::id::{CircleId, DeviceId};
use crate::limits::{DELIVERY_MILLIS, WITNESSES};
use crate::planted::{Bug, planted};
use crate::store::{self, Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

/// How far a device is known to have each of our chains.
type Reached = BTreeMap<ChainId, u64>;

/// For each device, how far it is known to have each of our chains.
pub(crate) type ReachedBy = BTreeMap<DeviceId, Reached>;

/// Who acknowledged how much of a chain, the furthest first.
pub(crate) type Witnesses = Vec<(DeviceId, u64)>;

/// What was learned and is not written yet.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    learned: BTreeMap<(CircleId, DeviceId), Reached>,
    witnessed: BTreeMap<(CircleId, ChainId), BTreeMap<DeviceId, u64>>,
    due: Option<Millis>,
}

impl Delivery {
    /// Notes how far a device is on our own chains.
    pub(crate) fn note(&mut self, circle: CircleId, device: DeviceId, own: impl Iterator<Item = ChainSeq>, now: Millis) {
        for ChainSeq { chain, seq } in own {
            let reached = self.learned.entry((circle, device)).or_default().entry(chain).or_insert(0);
            *reached = (*reached).max(if planted(Bug::EarlyDelivery) { u64::MAX } else { seq });
            self.due.get_or_insert(now.plus(DELIVERY_MILLIS));
        }
    }

    /// Notes how far a device is on chains that are neither its own nor ours.
    pub(crate) fn witness(&mut self, circle: CircleId, device: DeviceId, others: impl Iterator<Item = ChainSeq>, now: Millis) {
        for ChainSeq { chain, seq } in others {
            let reached = self.witnessed.entry((circle, chain)).or_default().entry(device).or_insert(0);
            *reached = (*reached).max(seq);
            self.due.get_or_insert(now.plus(DELIVERY_MILLIS));
        }
    }

    /// Forgets how far a circle's entries are.
    pub(super) fn forget(&mut self, circle: &CircleId) {
        self.learned.retain(|(of, _), _| of != circle);
        self.witnessed.retain(|(of, _), _| of != circle);
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
        for ((circle, chain), learned) in std::mem::take(&mut self.witnessed) {
            let before = witnesses(tx, &circle, &chain)?;
            let mut furthest: BTreeMap<DeviceId, u64> = before.iter().copied().collect();
            for (device, seq) in learned {
                let reached = furthest.entry(device).or_insert(0);
                *reached = (*reached).max(seq);
            }
            let mut after: Witnesses = furthest.into_iter().collect();
            after.sort_by_key(|(_, seq)| std::cmp::Reverse(*seq));
            after.truncate(WITNESSES);
            if after != before {
                tx.put(Table::Local, &witness_key(&circle, &chain), codec::encode(&after));
            }
        }
        Ok(())
    }
}

const ACKED: &[u8] = b"acked";
const SEEN_BY: &[u8] = b"seen-by";

fn witness_key(circle: &CircleId, chain: &ChainId) -> Vec<u8> {
    [ACKED, &circle.0, &codec::encode(chain)].concat()
}

/// Forgets who has what of a circle.
pub(crate) fn forget(tx: &mut Tx<'_>, circle: &CircleId) -> Result<(), StoreError> {
    [ACKED, SEEN_BY].into_iter().try_for_each(|prefix| tx.delete_all(Table::Local, &[prefix, &circle.0].concat()))
}

/// Who is known to have how much of somebody else's chain.
pub(crate) fn witnesses(read: &dyn Read, circle: &CircleId, chain: &ChainId) -> Result<Witnesses, StoreError> {
    let bytes = read.get(Table::Local, &witness_key(circle, chain))?;
    Ok(bytes.and_then(|bytes| codec::decode(&bytes, "acknowledgements").ok()).unwrap_or_default())
}

fn key(circle: &CircleId, device: &DeviceId) -> Vec<u8> {
    [SEEN_BY, &circle.0, &device.0].concat()
}

/// All that is written for a circle.
pub(crate) fn load(read: &dyn Read, circle: &CircleId) -> Result<ReachedBy, StoreError> {
    let prefix = [SEEN_BY, &circle.0].concat();
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

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::circle::body::KeyClass;
    use crate::frozen::{Form, frozen};
    use crate::id::Incarnation;

    fn chain(class: KeyClass) -> ChainId {
        ChainId { device: DeviceId([3; 32]), incarnation: Incarnation([7; 16]), class }
    }

    frozen![
        Form::new("seen-by", 1, &[Reached::from([(chain(KeyClass::Library), 3), (chain(KeyClass::Talk), 300)])]),
        Form::new("acked", 1, &[Witnesses::from([(DeviceId([23; 32]), 300), (DeviceId([33; 32]), 3)])]),
    ];
}
