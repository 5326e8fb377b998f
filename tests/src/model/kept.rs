//! A signed history on a member's disk, as their node would have kept it.

use kith_protocol::circle::act::{SealedAct, put_act};
use kith_protocol::circle::body::History;
use kith_protocol::circle::epoch::{EpochRow, put_epoch};
use kith_protocol::codec;
use kith_protocol::crypto::DeviceSecrets;
use kith_protocol::id::{ActId, CircleId, DeviceId, Incarnation};
use kith_protocol::store::Table;
use kith_protocol::time::Millis;
use kith_protocol::tx::Tx;
use minicbor::Encode;

use super::signed::Signed;

#[derive(Encode)]
#[cbor(array)]
struct Row {
    #[n(0)]
    version: u8,
    #[n(1)]
    circle: CircleId,
    #[n(2)]
    secrets: DeviceSecrets,
    #[n(3)]
    incarnation: Incarnation,
    #[n(4)]
    name: String,
    /// In.
    #[n(5)]
    standing: u8,
    #[n(6)]
    records: u64,
    #[n(7)]
    suite: u8,
}

/// Writes what the owner of `device` keeps of a circle of which they know these acts.
///
/// # Panics
/// Where the device is none of the history's.
pub fn keep<'a>(
    tx: &mut Tx<'_>,
    signed: &Signed,
    device: &DeviceId,
    (name, since): (&str, Millis),
    acts: impl Iterator<Item = &'a SealedAct>,
) {
    let row = Row {
        version: 1,
        circle: signed.circle,
        secrets: signed.secrets.get(device).cloned().expect("every device of a history has its secrets"),
        incarnation: Incarnation([7; 16]),
        name: name.to_owned(),
        standing: 1,
        records: 1,
        suite: 2,
    };
    tx.put(Table::Circle, &signed.circle.0, codec::encode(&row));
    let (epoch, keys) = (&signed.epoch.0, signed.epoch.1.clone());
    put_epoch(tx, &signed.circle, epoch, &EpochRow::new(keys, ActId(signed.circle.0), since, History::SinceJoin, since));
    acts.for_each(|act| put_act(tx, act));
}
