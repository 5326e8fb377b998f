//! Records: what a device says of itself. Signed, sealed under the roster key, counted; the highest count wins.
//!
//! A record is outside the acts: names and addresses come and go without anybody judging them. It names the person's chosen
//! name, the device's, how to reach it, and which agreement was signed.

use minicbor::{Decode, Encode};

use super::text;
use crate::codec::{self, CodecError};
use crate::crypto::{self, Crypto, Key, Signature, SigningKey};
use crate::id::{Addr, CircleId, DeviceId, EpochId, PeerId};
use crate::limits;
use crate::private::Private;
use crate::store::{self, Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

const VERSION: u8 = 1;
const PURPOSE: &str = "kith/v1/record";

/// What a device says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RecordBody {
    /// Its clock's label.
    #[n(0)]
    pub at: Millis,
    /// The person's name in this circle: one line of at most [`limits::NAME_CHARS`] characters.
    #[n(1)]
    pub name: Private<String>,
    /// The device's name.
    #[n(2)]
    pub device_name: Private<String>,
    /// Its transport id.
    #[n(3)]
    pub peer: PeerId,
    /// Where it may be reached, at most [`limits::ADDRESSES`].
    #[n(4)]
    pub addresses: Vec<Addr>,
    /// BLAKE3 of the agreement's text that the person signed by this record; absent where there is none.
    #[n(5)]
    pub agreement: Option<Digest>,
}

/// 32 bytes of BLAKE3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Digest(#[cbor(with = "minicbor::bytes")] pub [u8; 32]);

/// The digest by which an agreement is signed.
#[must_use]
pub fn agreement_digest(text: &str) -> Digest {
    Digest(crypto::hash("kith/v1/agreement", &[text.as_bytes()]))
}

/// The wire form.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct RecordWire {
    #[n(0)]
    version: u8,
    #[n(1)]
    device: DeviceId,
    #[n(2)]
    count: u64,
    #[n(3)]
    epoch: EpochId,
    #[cbor(n(4), with = "minicbor::bytes")]
    sealed: Vec<u8>,
    #[n(5)]
    signature: Signature,
}

/// A record as it travels, and its opened body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose.
    pub device: DeviceId,
    /// How often it was written; the highest wins.
    pub count: u64,
    /// What it says.
    pub body: RecordBody,
    /// As received.
    pub bytes: Vec<u8>,
}

/// The parts that a signature covers and that the seal binds.
fn bound(circle: &CircleId, device: &DeviceId, count: u64, epoch: &EpochId) -> Vec<u8> {
    [&circle.0[..], &device.0, &count.to_be_bytes(), &epoch.0].concat()
}

fn well_formed(body: &RecordBody) -> bool {
    text::is_name(&body.name.0)
        && text::is_name(&body.device_name.0)
        && body.peer.0.len() <= limits::PEER_ID_BYTES
        && body.addresses.len() <= limits::ADDRESSES
        && body.addresses.iter().all(|a| a.0.len() <= limits::ADDRESS_BYTES)
}

impl Record {
    /// Writes a record.
    pub fn write(
        crypto: &dyn Crypto,
        rng: &mut dyn rand_core::CryptoRng,
        circle: &CircleId,
        signer: &SigningKey,
        epoch: (&EpochId, &Key),
        count: u64,
        body: RecordBody,
    ) -> Self {
        let device = signer.id();
        let bound = bound(circle, &device, count, epoch.0);
        let sealed = crypto::seal(&crypto::derive(PURPOSE, epoch.1, &[]), rng, &bound, &codec::encode(&body));
        let signature = crypto.sign(signer, PURPOSE, &[&bound, &sealed]);
        let wire = RecordWire { version: VERSION, device, count, epoch: *epoch.0, sealed, signature };
        Self { device, count, body, bytes: codec::encode(&wire) }
    }

    /// Whose it is, its count and its epoch, before anything is verified.
    ///
    /// # Errors
    /// [`CodecError`] where the bytes are no record.
    pub fn peek(bytes: &[u8]) -> Result<(DeviceId, u64, EpochId), CodecError> {
        let wire: RecordWire = codec::decode_within(bytes, limits::RECORD_BYTES, "record")?;
        if wire.version != VERSION {
            return Err(CodecError::Version(u64::from(wire.version)));
        }
        Ok((wire.device, wire.count, wire.epoch))
    }

    /// Verifies and opens; `None` where signature, seal or contents are not as they should be.
    #[must_use]
    pub fn read(crypto: &dyn Crypto, circle: &CircleId, roster: &Key, bytes: &[u8]) -> Option<Self> {
        let wire: RecordWire =
            codec::decode_within(bytes, limits::RECORD_BYTES, "record").ok().filter(|w: &RecordWire| w.version == VERSION)?;
        let bound = bound(circle, &wire.device, wire.count, &wire.epoch);
        if !crypto.verify(&wire.device, PURPOSE, &[&bound, &wire.sealed], &wire.signature) {
            return None;
        }
        let plain = crypto::open(&crypto::derive(PURPOSE, roster, &[]), &bound, &wire.sealed)?;
        let body: RecordBody = codec::decode(&plain, "record body").ok().filter(well_formed)?;
        Some(Self { device: wire.device, count: wire.count, body, bytes: bytes.to_vec() })
    }
}

fn key(circle: &CircleId, device: &DeviceId) -> Vec<u8> {
    [&circle.0[..], &device.0].concat()
}

/// Keeps a record.
pub fn put(tx: &mut Tx<'_>, circle: &CircleId, record: &Record) {
    tx.put(Table::Record, &key(circle, &record.device), record.bytes.clone());
}

/// All stored records of a circle, as received.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn stored(read: &dyn Read, circle: &CircleId) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = store::all(read, Table::Record, &circle.0)?;
    Ok(rows.into_iter().map(|(_, bytes)| bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, Store};

    #[test]
    fn records_of_thousands_of_devices_present_and_past_are_all_read() {
        let (circle, mut store) = (CircleId([1; 32]), MemoryStore::default());
        let device = |n: u16| DeviceId([&n.to_be_bytes()[..], &[7; 30]].concat().try_into().expect("32 bytes"));
        let writes = (0..2_100).map(|n| ((Table::Record, key(&circle, &device(n))), Some(n.to_be_bytes().to_vec())));
        store.commit(&writes.collect()).expect("memory never fails");
        let read = stored(&store, &circle).expect("reads");
        assert_eq!(read, (0..2_100_u16).map(|n| n.to_be_bytes().to_vec()).collect::<Vec<_>>());
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};

    const BY: DeviceId = DeviceId([3; 32]);

    fn sealed() -> RecordWire {
        let (epoch, signature) = (EpochId([5; 32]), Signature([10; 64]));
        RecordWire { version: VERSION, device: BY, count: 300, epoch, sealed: vec![11; 40], signature }
    }

    fn said(agreement: Option<Digest>) -> RecordBody {
        let (at, peer) = (Millis(1_795_359_600_000), PeerId(vec![12; 38]));
        let (name, device_name) = (Private("Amara".to_owned()), Private("laptop".to_owned()));
        RecordBody { at, name, device_name, peer, addresses: vec![Addr(vec![4, 127, 0, 0, 1, 6, 16, 0])], agreement }
    }

    frozen![Form::new("record", 1, &[sealed()]), Form::new("record-body", 1, &[said(None), said(Some(Digest([13; 32])))]),];
}
