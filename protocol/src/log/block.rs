//! Blocks: the body of a joined run. Up to 256 entries by columns, compressed together, padded, sealed once.
//!
//! What is random (nonces, item nonces) stands beside the compressed part, so that it does not spoil its statistics. The seal's
//! nonce is a MAC of what is sealed: making a block needs no randomness, and the same block is the same bytes.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::entry::{Body, EntryRecord, Meta, Packed};
use super::payload::inflate;
use super::run::RunHead;
use super::single::heads_fit;
use crate::circle::body::Retention;
use crate::codec;
use crate::crypto::{Key, derive, mac, open, pad, seal_with, unpad};
use crate::id::{ActId, CircleId, ItemId, PersonId};
use crate::limits;
use crate::work;

/// zstd level. Measured on 10,000 notes of 280 characters: 743 kB in 11 ms; level 1 needs 3 % more bytes, level 6 four times the
/// time for 0.4 % less.
const LEVEL: i32 = 3;

/// Beside the compressed part.
#[derive(Encode, Decode)]
#[cbor(array)]
struct BlockColumns<'b> {
    #[n(0)]
    count: u16,
    /// 24 bytes for each payload that is kept.
    #[cbor(b(1), with = "minicbor::bytes")]
    nonces: &'b [u8],
    /// 16 bytes for each entry.
    #[cbor(b(2), with = "minicbor::bytes")]
    items: &'b [u8],
    /// [`BlockFrame`], as one zstd frame.
    #[cbor(b(3), with = "minicbor::bytes")]
    frame: &'b [u8],
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct BlockFrame<'b> {
    /// A byte for each entry.
    #[cbor(b(0), with = "minicbor::bytes")]
    kinds: &'b [u8],
    /// The creators of the entries' items, each once.
    #[n(1)]
    creators: Vec<PersonId>,
    /// For each entry, the place of its item's creator among them.
    #[cbor(b(2), with = "minicbor::bytes")]
    by: &'b [u8],
    /// Retentions, each with the number of consecutive entries it holds for.
    #[n(3)]
    retentions: Vec<(u16, Retention)>,
    /// Membership heads, with the place of the entry that names them.
    #[n(4)]
    heads: Vec<(u16, Vec<ActId>)>,
    /// For each entry 0 where its payload is gone, else 1 + 2 × bytes + (1 where they are compressed).
    #[n(5)]
    sizes: Vec<u32>,
    /// Hash and length of each payload that is gone.
    #[n(6)]
    gone: Vec<GonePayload>,
    /// The payloads that are kept, end to end.
    #[cbor(b(7), with = "minicbor::bytes")]
    data: &'b [u8],
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct GonePayload {
    #[cbor(n(0), with = "minicbor::bytes")]
    hash: [u8; 32],
    #[n(1)]
    len: u32,
}

/// Joins entries and seals them under the block key of their class. `key`: of the epoch and the class.
pub(super) fn seal(circle: &CircleId, head: &RunHead, key: &Key, sheets: &[EntryRecord]) -> Vec<u8> {
    work::did(|work| work.sealed += 1);
    let plain = pad(join(sheets));
    let (key, place) = (block_key(key, circle), head.place());
    let tag = mac("kith/v1/block-nonce", &key, &[&place, &plain]);
    let (nonce, _) = tag.split_first_chunk().unwrap_or((&[0; 24], &[]));
    seal_with(&key, nonce, &place, &plain)
}

/// Opens what [`seal`] made. `None`: another key or place, or not a block.
pub(super) fn unseal(circle: &CircleId, head: &RunHead, key: &Key, body: &[u8]) -> Option<Vec<EntryRecord>> {
    work::did(|work| work.opened += 1);
    let plain = open(&block_key(key, circle), &head.place(), body)?;
    split(unpad(&plain)?)
}

fn block_key(key: &Key, circle: &CircleId) -> Key {
    derive("kith/v1/block", key, &[&circle.0])
}

/// Counts fit: a block has at most 256 entries, a payload at most 64 KiB.
fn small(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn join(sheets: &[EntryRecord]) -> Vec<u8> {
    let (mut nonces, mut items) = (Vec::with_capacity(sheets.len() * 24), Vec::with_capacity(sheets.len() * 16));
    let (mut kinds, mut by, mut data) = (Vec::new(), Vec::new(), Vec::with_capacity(sheets.len() * 400));
    let (mut creators, mut places) = (Vec::new(), BTreeMap::new());
    let mut retentions: Vec<(u16, Retention)> = Vec::new();
    let (mut heads, mut sizes, mut gone) = (Vec::new(), Vec::with_capacity(sheets.len()), Vec::new());
    for (index, EntryRecord { meta, body }) in sheets.iter().enumerate() {
        kinds.push(meta.kind);
        items.extend_from_slice(&meta.item.nonce);
        by.push(*places.entry(meta.item.creator).or_insert_with(|| {
            creators.push(meta.item.creator);
            u8::try_from(creators.len() - 1).unwrap_or(u8::MAX)
        }));
        match retentions.last_mut() {
            Some((count, retention)) if *retention == meta.retention => *count += 1,
            _ => retentions.push((1, meta.retention)),
        }
        if let Some(named) = &meta.heads {
            heads.push((small(index), named.to_vec()));
        }
        match body {
            Body::Kept { nonce, packed } => {
                nonces.extend_from_slice(nonce);
                sizes.push(1 + 2 * u32::try_from(packed.bytes.len()).unwrap_or(0) + u32::from(packed.zstd));
                data.extend_from_slice(&packed.bytes);
            }
            Body::Gone { hash, len } => {
                sizes.push(0);
                gone.push(GonePayload { hash: *hash, len: *len });
            }
        }
    }
    let inner = BlockFrame { kinds: &kinds, creators, by: &by, retentions, heads, sizes, gone, data: &data };
    // Compressing fails only where memory does.
    let frame = zstd::bulk::compress(&codec::encode(&inner), LEVEL).unwrap_or_default();
    codec::encode(&BlockColumns { count: small(sheets.len()), nonces: &nonces, items: &items, frame: &frame })
}

fn split(plain: &[u8]) -> Option<Vec<EntryRecord>> {
    let outer: BlockColumns<'_> = whole(plain)?;
    let count = usize::from(outer.count);
    let frame = inflate(outer.frame, limits::BLOCK_BYTES)?;
    let inner: BlockFrame<'_> = whole(&frame)?;
    let counted = [outer.items.len() / 16, inner.kinds.len(), inner.by.len(), inner.sizes.len()].iter().all(|n| *n == count);
    if count == 0 || count > limits::BLOCK_ENTRIES || !counted || !outer.items.len().is_multiple_of(16) {
        return None;
    }
    let mut nonces = outer.nonces.chunks_exact(24);
    let mut gone = inner.gone.iter();
    let mut retentions = inner.retentions.iter().flat_map(|(count, retention)| (0..*count).map(move |_| *retention));
    let mut heads = inner.heads.into_iter().peekable();
    let mut data = inner.data;
    let mut sheets = Vec::with_capacity(count);
    let entries = inner.kinds.iter().zip(inner.by).zip(&inner.sizes).zip(outer.items.chunks_exact(16));
    for (index, (((kind, by), size), item)) in entries.enumerate() {
        let named = heads.next_if(|(at, _)| usize::from(*at) == index).map(|(_, heads)| heads);
        if !named.as_deref().is_none_or(heads_fit) {
            return None;
        }
        let body = match size.checked_sub(1) {
            None => gone.next().map(|gone| Body::Gone { hash: gone.hash, len: gone.len })?,
            Some(size) => {
                let (bytes, rest) = data.split_at_checked(usize::try_from(size / 2).ok()?)?;
                data = rest;
                let nonce = nonces.next()?.try_into().ok()?;
                Body::Kept { nonce, packed: Packed { zstd: size % 2 == 1, bytes: bytes.to_vec() } }
            }
        };
        let item = ItemId { creator: *inner.creators.get(usize::from(*by))?, nonce: item.try_into().ok()? };
        let meta = Meta { kind: *kind, item, retention: retentions.next()?, heads: named.map(Arc::from) };
        sheets.push(EntryRecord { meta, body });
    }
    let rest = nonces.remainder().len() + nonces.len() + gone.len() + data.len() + usize::from(heads.peek().is_some());
    (rest == 0 && retentions.next().is_none()).then_some(sheets)
}

/// Decodes all of the bytes. Blocks are not hashed, so another encoding of the same columns does no harm.
fn whole<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Option<T> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().ok()?;
    (decoder.position() == bytes.len()).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::{DeviceId, EntryId, EpochId, Incarnation};

    fn sheets() -> Vec<EntryRecord> {
        let sheet = |at: u8| {
            let item = ItemId { creator: PersonId([at % 3; 32]), nonce: [at; 16] };
            let heads = at.is_multiple_of(7).then(|| Arc::from([ActId([at; 32]), ActId([at + 1; 32])]));
            let meta = Meta { kind: at % 4, item, retention: Retention::Days(u32::from(at / 8)), heads };
            let body = if at.is_multiple_of(5) {
                Body::Gone { hash: [at; 32], len: 300 }
            } else {
                Body::Kept { nonce: [at; 24], packed: Packed { zstd: at == 3, bytes: vec![at; usize::from(at)] } }
            };
            EntryRecord { meta, body }
        };
        (0..40).map(sheet).collect()
    }

    fn head() -> RunHead {
        let chain = crate::circle::body::ChainId {
            device: DeviceId([1; 32]),
            incarnation: Incarnation([2; 16]),
            class: crate::circle::body::KeyClass::Talk,
        };
        RunHead { chain, epoch: EpochId([3; 32]), first: 4, previous: EntryId([5; 32]) }
    }

    #[test]
    fn columns_come_back_as_entries() {
        let (circle, key) = (CircleId([6; 32]), Key::from_bytes([7; 32]));
        let body = seal(&circle, &head(), &key, &sheets());
        assert!(unseal(&circle, &head(), &key, &body).is_some_and(|back| back == sheets()));
        assert!(unseal(&circle, &RunHead { first: 5, ..head() }, &key, &body).is_none());
        assert!(unseal(&CircleId([8; 32]), &head(), &key, &body).is_none());
        assert_eq!(body, seal(&circle, &head(), &key, &sheets()));
    }

    #[test]
    fn w14_a_bomb_in_a_block_is_refused() {
        let frame = zstd::bulk::compress(&vec![0; 64 << 20], LEVEL).unwrap_or_default();
        let outer = BlockColumns { count: 1, nonces: &[0; 24], items: &[0; 16], frame: &frame };
        assert!(split(&codec::encode(&outer)).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

        /// A member holds the key, and may seal any columns.
        #[test]
        fn hostile_columns_are_survived(at in any::<prop::sample::Index>(), byte in any::<u8>(), inner in any::<bool>()) {
            let mut plain = join(&sheets());
            if inner {
                let outer: BlockColumns<'_> = whole(&plain).ok_or_else(|| TestCaseError::fail("decodes"))?;
                let mut columns = inflate(outer.frame, limits::BLOCK_BYTES).unwrap_or_default();
                let at = at.index(columns.len());
                columns.splice(at..=at, [byte]);
                let frame = zstd::bulk::compress(&columns, LEVEL).unwrap_or_default();
                plain = codec::encode(&BlockColumns { frame: &frame, ..outer });
            } else {
                let at = at.index(plain.len());
                plain.splice(at..=at, [byte]);
            }
            if let Some(sheets) = split(&plain) {
                prop_assert!(sheets.len() <= limits::BLOCK_ENTRIES);
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(split(&bytes).is_none());
        }
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};

    fn columns_again(bytes: &[u8]) -> Option<Vec<u8>> {
        codec::decode::<BlockColumns<'_>>(bytes, "columns").ok().map(|columns| codec::encode(&columns))
    }

    fn frame_again(bytes: &[u8]) -> Option<Vec<u8>> {
        codec::decode::<BlockFrame<'_>>(bytes, "frame").ok().map(|frame| codec::encode(&frame))
    }

    fn outer() -> Vec<u8> {
        codec::encode(&BlockColumns { count: 2, nonces: &[19; 24], items: &[8; 32], frame: &[20; 9] })
    }

    fn inner() -> Vec<u8> {
        codec::encode(&BlockFrame {
            kinds: &[1, 2],
            creators: vec![PersonId([2; 32])],
            by: &[0, 0],
            retentions: vec![(1, Retention::Keep), (1, Retention::Days(90))],
            heads: vec![(0, vec![ActId([4; 32])])],
            sizes: vec![7, 0],
            gone: vec![GonePayload { hash: [21; 32], len: 300 }],
            data: &[1, 2, 3],
        })
    }

    frozen![
        Form::borrowed("block-columns", 1, "BlockColumns", vec![outer()], columns_again),
        Form::borrowed("block-frame", 1, "BlockFrame", vec![inner()], frame_again),
    ];
}
