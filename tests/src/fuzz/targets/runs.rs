//! Runs of entries, single and joined: every seal, hash and frame is made again around what was bent, so that the receiving code
//! is reached, and what it took is served again to somebody else.

use std::collections::BTreeMap;

use kith_protocol::circle::body::{ChainId, KeyClass};
use kith_protocol::circle::epoch::EpochKeys;
use kith_protocol::codec;
use kith_protocol::crypto::{Key, Seeded, derive, hash, pad, seal_with};
use kith_protocol::id::{CircleId, DeviceId, EntryId, EpochId, Incarnation};
use kith_protocol::log::chain::endless::serve_branch;
use kith_protocol::log::chain::{Received, branches, receive};
use kith_protocol::store::{MemoryStore, Store};
use kith_protocol::tx::{Turn, Tx};

use super::super::{Form, NULL, Prepared, Target, Tree, Verdict};
use super::crypto::Trusting;

/// Runs of single entries.
pub const SINGLE: Target = Target { name: "run-single", form: Form::Cbor, words: &[], share: 1, prepare: singles };
/// Joined runs.
pub const BLOCK: Target = Target { name: "run-block", form: Form::Cbor, words: &[], share: 1, prepare: blocks };

const CIRCLE: CircleId = CircleId([7; 32]);
const EPOCH: EpochId = EpochId([8; 32]);

fn chain() -> ChainId {
    ChainId { device: DeviceId([1; 32]), incarnation: Incarnation([2; 16]), class: KeyClass::Talk }
}

fn ring() -> BTreeMap<EpochId, EpochKeys> {
    BTreeMap::from([(EPOCH, EpochKeys::random(&mut Seeded::new(8)))])
}

fn talk(ring: &BTreeMap<EpochId, EpochKeys>) -> Key {
    ring.get(&EPOCH).and_then(|keys| keys.talk.clone()).expect("the ring holds the talk key")
}

fn id(n: u8) -> Tree {
    Tree::Bytes(vec![n; 32])
}

/// `[kind, item, retention, heads, form and bytes]` of an entry; a payload of length 0 stands for one that was destroyed.
fn entry(n: u8) -> Tree {
    let words = [&[0][..], &b"words "[..].repeat(usize::from(n % 7))].concat();
    let item = Tree::List(vec![id(n % 3), Tree::Bytes(vec![n; 16])]);
    let retention =
        if n.is_multiple_of(2) { Tree::List(vec![Tree::Uint(0), Tree::List(Vec::new())]) } else { days(u64::from(n)) };
    let heads = if n.is_multiple_of(5) { Tree::List(vec![id(n), id(n + 1)]) } else { NULL };
    Tree::List(vec![Tree::Uint(1), item, retention, heads, Tree::Bytes(if n == 4 { Vec::new() } else { words })])
}

fn days(n: u64) -> Tree {
    Tree::List(vec![Tree::Uint(1), Tree::List(vec![Tree::Uint(n)])])
}

/// The run around a body; what it says openly comes first in what was bent.
fn wire(form: u64, first: &Tree, previous: &Tree, body: Vec<u8>) -> Vec<u8> {
    let ChainId { device, incarnation, .. } = chain();
    let open = vec![
        Tree::Uint(1),
        Tree::Uint(form),
        Tree::Bytes(device.0.to_vec()),
        Tree::Bytes(incarnation.0.to_vec()),
        Tree::Uint(2),
        Tree::Bytes(EPOCH.0.to_vec()),
        first.clone(),
        previous.clone(),
        Tree::Bytes(vec![5; 64]),
        Tree::Bytes(body),
    ];
    Tree::List(open).cbor()
}

/// Takes a run; what came of it must be servable, and mean the same to the next.
fn taken(base: &MemoryStore, ring: &BTreeMap<EpochId, EpochKeys>, run: &[u8], skipped: bool) -> Verdict {
    let mut batch = Turn::default();
    let mut tx = Tx::new(base, &batch);
    let Ok(received) = receive(&mut tx, &Trusting, ring, &CIRCLE, run, skipped) else { return Verdict::Refused };
    let Received { entries, gap, fork, last, .. } = received;
    tx.finish().join(&mut batch);
    assert!(entries.len() <= kith_protocol::limits::BLOCK_ENTRIES);
    if gap.is_some() || fork.is_some() || entries.is_empty() {
        return Verdict::Taken;
    }
    let after = last - entries.len() as u64;
    let view = Tx::new(base, &batch);
    let main = branches(&view, &CIRCLE, &chain()).expect("memory never fails").first().expect("it is there").no;
    let served = serve_branch(&view, ring, main, after, 1 << 20, None).expect("what was taken is served");
    let served = served.expect("there is something behind what was there");
    let nothing = Turn::default();
    let mut next = Tx::new(base, &nothing);
    let again = receive(&mut next, &Trusting, ring, &CIRCLE, &served.run, skipped || served.skipped);
    let again = again.expect("what is served is taken");
    let ids = |entries: &[kith_protocol::log::entry::Opened]| {
        entries.iter().map(|entry| (entry.id, entry.payload.clone())).collect::<Vec<_>>()
    };
    let (ours, theirs) = (ids(&entries), ids(&again.entries));
    assert_eq!(theirs, ours.into_iter().take(theirs.len()).collect::<Vec<_>>(), "the next reads the same");
    Verdict::Taken
}

/// A store with a few entries of the chain, so that a run may continue, repeat or contradict.
fn base(ring: &BTreeMap<EpochId, EpochKeys>) -> (MemoryStore, Vec<EntryId>) {
    let mut store = MemoryStore::default();
    let entries: Vec<Tree> = (0..4).map(|n| entry(n * 5)).collect();
    let run = sealed_singles(ring, &[Tree::Uint(1), Tree::Bytes(vec![0; 32]), Tree::List(entries)]).expect("a sample");
    let mut batch = Turn::default();
    let mut tx = Tx::new(&store, &batch);
    let received = receive(&mut tx, &Trusting, ring, &CIRCLE, &run, false).expect("a sample is taken");
    let ids = received.entries.iter().map(|entry| entry.id).collect();
    tx.finish().join(&mut batch);
    store.commit(&batch.writes).expect("memory never fails");
    (store, ids)
}

/// By the specification: each payload sealed in its place, each id hashed over its header.
fn sealed_singles(ring: &BTreeMap<EpochId, EpochKeys>, parts: &[Tree]) -> Option<Vec<u8>> {
    let [first, previous, Tree::List(entries)] = parts else { return None };
    let key = derive("kith/v1/entry-payload", &talk(ring), &[&CIRCLE.0]);
    let ChainId { device, incarnation, .. } = chain();
    let (mut seq, mut before) = (first.number().unwrap_or(1), previous.clone());
    let mut singles = Vec::new();
    for entry in entries {
        let [kind, item, retention, heads, payload] = entry.list() else {
            singles.push(entry.clone());
            continue;
        };
        let header = [
            Tree::Uint(1),
            Tree::Bytes(CIRCLE.0.to_vec()),
            Tree::Bytes(device.0.to_vec()),
            Tree::Bytes(incarnation.0.to_vec()),
            Tree::Uint(2),
            Tree::Uint(seq),
            before.clone(),
            heads.clone(),
            Tree::Bytes(EPOCH.0.to_vec()),
            kind.clone(),
            item.clone(),
            retention.clone(),
        ];
        let bound: Vec<u8> = header.iter().flat_map(Tree::cbor).collect();
        let plain = payload.bytes().unwrap_or_default();
        let sealed = seal_with(&key, &[seq.to_le_bytes()[0]; 24], &bound, &pad(plain.clone()));
        let gone = payload.bytes().is_some_and(|bytes| bytes.is_empty());
        let digest = hash("kith/v1/entry-sealed", &[&sealed]);
        let mut whole = header.to_vec();
        whole.extend([Tree::Bytes(digest.to_vec()), Tree::Uint(sealed.len() as u64)]);
        before = Tree::Bytes(hash("kith/v1/entry", &[&Tree::List(whole).cbor()]).to_vec());
        seq = seq.wrapping_add(1);
        let kept = if gone {
            vec![Tree::Uint(1), Tree::List(vec![Tree::Bytes(digest.to_vec()), Tree::Uint(sealed.len() as u64)])]
        } else {
            vec![Tree::Uint(0), Tree::List(vec![Tree::Bytes(sealed)])]
        };
        singles.push(Tree::List(vec![kind.clone(), item.clone(), retention.clone(), heads.clone(), Tree::List(kept)]));
    }
    Some(wire(1, first, previous, Tree::List(singles).cbor()))
}

fn singles() -> Prepared {
    let ring = ring();
    let (store, ids) = base(&ring);
    let last = ids.last().map_or_else(|| id(0), |id| Tree::Bytes(id.0.to_vec()));
    let run = |first: u64, previous: Tree, entries: std::ops::Range<u8>| {
        Tree::List(vec![Tree::Uint(first), previous, Tree::List(entries.map(entry).collect())]).cbor()
    };
    let samples = vec![run(5, last.clone(), 0..6), run(5, last, 5..6), run(1, id(0), 0..3), run(9, id(9), 5..30)];
    let judge = move |bytes: &[u8]| {
        let parts = Tree::from_cbor(bytes);
        let run = parts.as_ref().and_then(|parts| sealed_singles(&ring, parts.list()));
        // What is no such list may still be tried as the body itself.
        let run = run.unwrap_or_else(|| wire(1, &Tree::Uint(5), &id(0), bytes.to_vec()));
        taken(&store, &ring, &run, bytes.len().is_multiple_of(2))
    };
    Prepared { samples, judge: Box::new(judge) }
}

/// By the specification: `[first, previous, count, nonces, items, columns]`, the columns framed, all of it sealed.
fn sealed_block(ring: &BTreeMap<EpochId, EpochKeys>, parts: &[Tree]) -> Option<Vec<u8>> {
    let [first, previous, count, nonces, items, columns] = parts else { return None };
    let frame = columns.bytes().unwrap_or_else(|| framed(&columns.cbor()));
    let outer = Tree::List(vec![count.clone(), nonces.clone(), items.clone(), Tree::Bytes(frame)]).cbor();
    let chain = Tree::from_cbor(&codec::encode(&chain()))?;
    let place = Tree::List(vec![chain, Tree::Bytes(EPOCH.0.to_vec()), first.clone(), previous.clone()]).cbor();
    let key = derive("kith/v1/block", &talk(ring), &[&CIRCLE.0]);
    Some(wire(0, first, previous, seal_with(&key, &[4; 24], &place, &pad(outer))))
}

/// A zstd frame of raw blocks (RFC 8878): what is in it can be bent without a compressor.
fn framed(content: &[u8]) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    out.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    let blocks = content.len().div_ceil(100_000).max(1);
    for at in 0..blocks {
        let block = content.chunks(100_000).nth(at).unwrap_or_default();
        let head = u32::try_from(block.len() << 3).unwrap_or(0) | u32::from(at + 1 == blocks);
        out.extend_from_slice(&head.to_le_bytes()[..3]);
        out.extend_from_slice(block);
    }
    out
}

/// Columns of so many entries.
fn columns(count: u8) -> [Tree; 4] {
    let all = || 0..count;
    let gone = |n: &u8| *n % 6 == 5;
    let kept = all().filter(|n| !gone(n)).collect::<Vec<_>>();
    let text = |n: u8| [b'a' + n % 20].repeat(usize::from(n % 9));
    let sizes = all().map(|n| Tree::Uint(if gone(&n) { 0 } else { 1 + 2 * text(n).len() as u64 })).collect();
    let lost = all().filter(gone).map(|n| Tree::List(vec![id(n), Tree::Uint(300)])).collect();
    let heads = Tree::List(vec![Tree::Uint(0), Tree::List(vec![id(1), id(2)])]);
    let retention = Tree::List(vec![Tree::Uint(u64::from(count)), days(30)]);
    let inner = vec![
        Tree::Bytes(vec![1; usize::from(count)]),
        Tree::List(vec![id(1), id(2)]),
        Tree::Bytes(all().map(|n| n % 2).collect()),
        Tree::List(vec![retention]),
        Tree::List(vec![heads]),
        Tree::List(sizes),
        Tree::List(lost),
        Tree::Bytes(kept.iter().flat_map(|n| text(*n)).collect()),
    ];
    let nonces = kept.iter().flat_map(|n| [*n; 24]).collect();
    let items = all().flat_map(|n| [n; 16]).collect();
    [Tree::Uint(u64::from(count)), Tree::Bytes(nonces), Tree::Bytes(items), Tree::List(inner)]
}

fn blocks() -> Prepared {
    let ring = ring();
    let (store, ids) = base(&ring);
    let last = ids.last().map_or_else(|| id(0), |id| Tree::Bytes(id.0.to_vec()));
    let run = |first: u64, previous: Tree, count: u8| {
        Tree::List([vec![Tree::Uint(first), previous], columns(count).to_vec()].concat()).cbor()
    };
    let raw = [vec![Tree::Uint(5), last.clone()], columns(3).to_vec()].concat();
    let raw = raw.into_iter().map(|part| if part.list().is_empty() { part } else { Tree::Bytes(framed(&part.cbor())) });
    let samples =
        vec![run(5, last.clone(), 7), run(5, last, 70), run(1, id(0), 9), run(90, id(9), 5), Tree::List(raw.collect()).cbor()];
    let judge = move |bytes: &[u8]| {
        let parts = Tree::from_cbor(bytes);
        let Some(run) = parts.as_ref().and_then(|parts| sealed_block(&ring, parts.list())) else {
            return taken(&store, &ring, &wire(0, &Tree::Uint(5), &id(0), bytes.to_vec()), false);
        };
        taken(&store, &ring, &run, bytes.len().is_multiple_of(2))
    };
    Prepared { samples, judge: Box::new(judge) }
}
