//! What somebody keeps who is or was in a circle, and what it takes to introduce oneself there: the meeting key is the same for ever.

use kith_protocol::circle::act;
use kith_protocol::circle::epoch::Ring;
use kith_protocol::circle::record::{self, Record};
use kith_protocol::crypto;
use kith_protocol::limits;
use kith_protocol::store::{Read as _, Table};

use crate::cbor::Cbor;
use crate::sim::disk::Disk;
use crate::sim::own::OwnRow;
use crate::sim::rng::Rng;

/// Acts that one may hold without being too long.
const ACTS: usize = 24;
/// Their bytes.
const BYTES: usize = 12 << 10;

/// An introduction, sealed for a stream on which its sender said hello with that salt: without acts, or with some of those that were
/// known; with an old record, or without. None where nothing is kept.
#[must_use]
pub fn introduction(disk: &Disk, circle: &str, salt: &[u8; 32], rng: &mut Rng) -> Option<Vec<u8>> {
    let rows = disk.scan(Table::Circle, &[], &[], limits::CIRCLES).ok()?;
    let mut rows = rows.iter().filter_map(|(_, bytes)| minicbor::decode::<OwnRow>(bytes).ok());
    let row = rows.find(|row| row.circle.text() == circle)?;
    let ring = Ring::load(disk, &row.circle).ok()?;
    let acts = act::acts(disk, &row.circle).ok()?;
    let genesis = acts.iter().find(|act| act.is_genesis())?;
    let roster = ring.iter().map(|(_, row)| row.keys.roster.clone()).find(|key| genesis.open(key).is_some())?;
    let meeting = crypto::derive("kith/v1/meeting", &roster, &[&row.circle.0]);
    let from = rng.index(acts.len() + 1);
    let mut size = 0;
    let mut shown = Vec::new();
    for act in acts.iter().skip(from).take(ACTS) {
        size += act.bytes().len();
        if size > BYTES {
            break;
        }
        shown.push(Cbor::Bytes(act.bytes().to_vec()));
    }
    let mine = row.secrets.sign.id();
    let is_mine = |bytes: &Vec<u8>| Record::peek(bytes).is_ok_and(|(device, ..)| device == mine);
    let kept = record::stored(disk, &row.circle).unwrap_or_default().into_iter().find(is_mine);
    let record = kept.filter(|_| rng.chance(50)).unwrap_or_default();
    let plain = Cbor::Array(vec![Cbor::Array(shown), Cbor::Bytes(record)]).encode();
    Some(crypto::seal(&meeting, rng, salt, &plain))
}
