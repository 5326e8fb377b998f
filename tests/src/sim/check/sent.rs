//! Committed before sent: what a frame shows or claims stands on its sender's disk at that moment.

use kith_protocol::circle::act::{SealedAct, get_kept};
use kith_protocol::circle::body::ChainId;
use kith_protocol::circle::epoch::get_epoch;
use kith_protocol::circle::record::{self, Record};
use kith_protocol::codec;
use kith_protocol::id::{ActId, CircleId, EntryId, EpochId};
use kith_protocol::limits;
use kith_protocol::log::chain::{self, RunHead};
use kith_protocol::store::{Read, Table};

use super::Found;
use crate::cbor::Cbor;
use crate::sim::disk::Disk;
use crate::sim::net::Who;
use crate::sim::world::World;

/// A machine sends a frame.
pub fn sent(world: &mut World, who: Who, frame: &[u8]) {
    let found = judge(&world.machines[who].disk, frame);
    if let Some((check, what)) = found {
        world.breaks(check, format!("machine {who} {what}"));
    }
}

fn judge(disk: &Disk, frame: &[u8]) -> Option<Found> {
    let Some(tree) = Cbor::parse(frame).filter(|tree| tree.encode() == frame) else {
        return Some(("contract/frame", "sends a frame that is not in canonical form".to_owned()));
    };
    let Cbor::Array(parts) = tree else { return Some(("contract/frame", "sends a frame that is no list".to_owned())) };
    let [Cbor::Uint(3), Cbor::Array(inner)] = parts.as_slice() else {
        let long = frame.len() > limits::HELLO_BYTES && !matches!(parts.first(), Some(Cbor::Uint(5 | 6)));
        return long.then(|| ("bounds/frame", format!("says hello in {} bytes", frame.len())));
    };
    let [_, Cbor::Array(message)] = inner.as_slice() else { return None };
    let [Cbor::Uint(kind), Cbor::Array(said)] = message.as_slice() else { return None };
    let circles: Vec<CircleId> = disk
        .scan(Table::Circle, &[], &[], limits::CIRCLES)
        .unwrap_or_default()
        .iter()
        .filter_map(|(key, _)| CircleId::from_slice(key))
        .collect();
    let claim = Claims { disk, circles };
    let missing = match (kind, said.as_slice()) {
        (3, [Cbor::Array(have)]) => claim.have(have),
        (4, [Cbor::Array(acts)]) => claim.acts(acts),
        (5, [Cbor::Array(records)]) => claim.records(records),
        (6, [Cbor::Bytes(run), _]) => claim.run(run),
        (7, [Cbor::Array(chains), _]) => chains.iter().find_map(|chain| claim.chain(chain)),
        _ => None,
    };
    missing.map(|what| ("durability/sent", format!("sends {what}, which is not on its disk")))
}

struct Claims<'a> {
    disk: &'a Disk,
    circles: Vec<CircleId>,
}

impl Claims<'_> {
    fn anywhere(&self, there: impl Fn(&CircleId) -> bool) -> bool {
        self.circles.iter().any(there)
    }

    fn have(&self, have: &[Cbor]) -> Option<String> {
        let [Cbor::Array(tips), Cbor::Array(epochs), _, _, Cbor::Array(chains), Cbor::Array(_)] = have else {
            return Some("half of what it has".to_owned());
        };
        let tip = |tip: &&Cbor| {
            let Cbor::Bytes(id) = tip else { return false };
            ActId::from_slice(id)
                .is_some_and(|id| !self.anywhere(|circle| matches!(get_kept(self.disk, circle, &id), Ok(Some(_)))))
        };
        let epoch = |epoch: &&Cbor| {
            let Cbor::Bytes(id) = epoch else { return false };
            let held = |id: &EpochId| self.anywhere(|circle| matches!(get_epoch(self.disk, circle, id), Ok(Some(_))));
            EpochId::from_slice(id).is_some_and(|id| !held(&id))
        };
        let act = tips.iter().find(tip).map(|_| "an act as its newest".to_owned());
        let key = || epochs.iter().find(epoch).map(|_| "an epoch whose key it holds".to_owned());
        act.or_else(key).or_else(|| chains.iter().find_map(|chain| self.chain(chain)))
    }

    fn acts(&self, acts: &[Cbor]) -> Option<String> {
        let [_, Cbor::Array(acts)] = acts else { return Some("acts that are none".to_owned()) };
        acts.iter().find_map(|bytes| {
            let Cbor::Bytes(bytes) = bytes else { return Some("an act that is none".to_owned()) };
            let sealed = SealedAct::parse(bytes).ok()?;
            let there = matches!(get_kept(self.disk, &sealed.circle(), &sealed.id()), Ok(Some(_)));
            (!there).then(|| format!("the act {:?}", sealed.id()))
        })
    }

    fn records(&self, records: &[Cbor]) -> Option<String> {
        records.iter().find_map(|bytes| {
            let Cbor::Bytes(bytes) = bytes else { return Some("a record that is none".to_owned()) };
            let (device, count, _) = Record::peek(bytes).ok()?;
            // A later input of the same commit may have written a newer one over it.
            let kept = |bytes: &Vec<u8>| Record::peek(bytes).is_ok_and(|(its, newer, _)| its == device && newer >= count);
            let there = |circle: &CircleId| record::stored(self.disk, circle).unwrap_or_default().iter().any(kept);
            (!self.anywhere(there)).then(|| format!("record {count} of {device}"))
        })
    }

    fn run(&self, run: &[u8]) -> Option<String> {
        let head = RunHead::peek(run).ok()?;
        let reaches = |circle: &CircleId| {
            chain::branches(self.disk, circle, &head.chain).unwrap_or_default().iter().any(|known| known.seq >= head.first)
        };
        (!self.anywhere(reaches)).then(|| format!("a run from {} of {:?}", head.first, head.chain))
    }

    /// A chain's place, with or without the entry that stands there.
    fn chain(&self, chain: &Cbor) -> Option<String> {
        let Cbor::Array(parts) = chain else { return None };
        let id: ChainId = codec::decode(&parts.first()?.encode(), "chain").ok()?;
        let Cbor::Uint(seq) = parts.get(1)? else { return None };
        let head = parts.get(2).and_then(|head| if let Cbor::Bytes(id) = head { EntryId::from_slice(id) } else { None });
        let reaches = |circle: &CircleId| {
            let known = chain::branches(self.disk, circle, &id).unwrap_or_default();
            known.iter().any(|known| known.seq >= *seq && head.is_none_or(|head| known.seq > *seq || known.head == head))
        };
        (!self.anywhere(reaches)).then(|| format!("place {seq} of {id:?}"))
    }
}
