//! Chains between stores: written, served, received, bent, forked, destroyed.
#![allow(clippy::indexing_slicing, reason = "a test that fails is what a wrong index should be")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::circle::body::{KeyClass, Retention};
use crate::circle::epoch::EpochKeys;
use crate::crypto::{Real, Seeded, SigningKey};
use crate::id::{ActId, EpochId, Incarnation, ItemId, PersonId};
use crate::limits;
use crate::log::LogError;
use crate::log::entry::{EntryAt, NewEntry, Opened};
use crate::store::{MemoryStore, Store};
use crate::tx::{Batch, Tx};

type Keys = BTreeMap<EpochId, EpochKeys>;

const CIRCLE: CircleId = CircleId([1; 32]);
const FIRST: EpochId = EpochId([2; 32]);
const SECOND: EpochId = EpochId([3; 32]);
const HEADS: [ActId; 1] = [ActId([4; 32])];
const MUCH: usize = 1 << 20;

/// One machine.
#[derive(Clone)]
struct Side {
    store: MemoryStore,
    keys: Keys,
    rng: Seeded,
}

fn side(seed: u64) -> Side {
    let mut rng = Seeded::new(9);
    let keys = [FIRST, SECOND].map(|id| (id, EpochKeys::random(&mut rng)));
    Side { store: MemoryStore::default(), keys: keys.into(), rng: Seeded::new(seed) }
}

fn signer() -> SigningKey {
    SigningKey::from_seed([7; 32])
}

fn talk() -> ChainId {
    ChainId { device: signer().id(), incarnation: Incarnation([5; 16]), class: KeyClass::Talk }
}

fn note(words: &str) -> NewEntry {
    let item = ItemId { creator: PersonId([6; 32]), nonce: [8; 16] };
    NewEntry { class: KeyClass::Talk, kind: 1, item, retention: Retention::Keep, payload: words.as_bytes().to_vec() }
}

fn notes(count: usize, words: &str) -> Vec<NewEntry> {
    (0..count).map(|at| note(&format!("{words} {at}"))).collect()
}

impl Side {
    fn change<T>(&mut self, change: impl FnOnce(&mut Tx<'_>, &Keys, &mut Seeded) -> Result<T, LogError>) -> Result<T, LogError> {
        let mut batch = Batch::default();
        let done = {
            let mut tx = Tx::new(&self.store, &batch);
            let done = change(&mut tx, &self.keys, &mut self.rng)?;
            let draft = tx.finish();
            draft.join(&mut batch);
            done
        };
        self.store.commit(&batch.writes).expect("memory never fails");
        Ok(done)
    }

    fn write(&mut self, epoch: EpochId, entries: Vec<NewEntry>) -> Vec<Opened> {
        let place = ChainPlace { circle: CIRCLE, incarnation: talk().incarnation };
        self.change(|tx, keys, rng| append(tx, &Real, rng, keys, &signer(), &place, &epoch, &HEADS, entries)).expect("appends")
    }

    fn take(&mut self, served: &Served) -> Result<Received, LogError> {
        self.change(|tx, keys, _| receive(tx, &Real, keys, &CIRCLE, &served.run, served.skipped))
    }

    fn serve(&self, after: u64) -> Option<Served> {
        serve(&self.store, &self.keys, &CIRCLE, &talk(), after, MUCH, None).expect("serves")
    }

    fn head(&self) -> (u64, EntryId) {
        chains(&self.store, &CIRCLE).expect("reads").first().map_or((0, EntryId([0; 32])), |chain| (chain.seq, chain.head))
    }

    /// Takes all that the other has of the chain.
    fn pull(&mut self, from: &Self) -> Vec<Opened> {
        let mut all = Vec::new();
        while let Some(served) = from.serve(self.head().0) {
            let received = self.take(&served).expect("receives");
            assert_eq!((received.fork, received.gap), (None, None));
            all.extend(received.entries);
        }
        all
    }

    fn all(&self) -> Vec<Opened> {
        let heads = chains(&self.store, &CIRCLE).expect("reads");
        let places = heads.iter().flat_map(|chain| (chain.first..=chain.seq).map(|seq| EntryAt { chain: chain.no, seq }));
        load_many(&self.store, &self.keys, &places.collect::<Vec<_>>()).expect("loads")
    }

    fn rows(&self, table: Table) -> usize {
        self.store.scan(table, &[], &[], usize::MAX).expect("reads").len()
    }
}

#[test]
fn what_one_writes_the_other_reads() {
    let (mut ada, mut bea) = (side(1), side(2));
    let mut written = Vec::new();
    for count in [1, 1, 3, 40, 1, 64, 100, 256, 300, 2] {
        written.extend(ada.write(FIRST, notes(count, "words")));
        if count == 40 {
            bea.pull(&ada);
            let next = ada.write(FIRST, notes(1, "next"));
            let received = bea.take(&ada.serve(bea.head().0).expect("serves")).expect("receives");
            assert_eq!((received.heads.as_ref(), &received.entries), (&HEADS[..], &next));
            written.extend(next);
        }
    }
    bea.pull(&ada);
    assert_eq!(ada.head(), bea.head());
    assert_eq!(ada.all(), written);
    assert_eq!(bea.all(), written);
    assert_eq!(written.len(), 769);
    for entry in written.iter().step_by(61).chain(written.last()) {
        assert_eq!(load(&bea.store, &bea.keys, entry.at).expect("loads").as_ref(), Some(entry));
        assert_eq!(id_of(&bea.store, &bea.keys, entry.at), Ok(Some(entry.id)));
    }
    assert_eq!(load(&bea.store, &bea.keys, EntryAt { chain: 1, seq: 770 }), Ok(None));
    assert!(bea.serve(769).is_none());
    assert!(ada.rows(Table::Block) <= 6 && ada.rows(Table::Tail) < 256);
}

#[test]
fn single_entries_fold_into_blocks() {
    let (mut ada, mut bea) = (side(1), side(2));
    let mut written = Vec::new();
    for at in 0..600 {
        written.extend(ada.write(if at < 300 { FIRST } else { SECOND }, notes(1, &format!("live {at}"))));
        let served = ada.serve(at).expect("serves");
        assert_eq!((served.first, served.last), (at + 1, at + 1));
        assert_eq!(bea.take(&served).expect("receives").entries, written[written.len() - 1..]);
    }
    assert_eq!((ada.rows(Table::Block), ada.rows(Table::Tail)), (3, 44));
    assert_eq!(ada.store.scan(Table::Block, &[], &[], 9), bea.store.scan(Table::Block, &[], &[], 9));
    assert_eq!(bea.all(), written);
    let mut cleo = side(3);
    assert_eq!(cleo.pull(&bea), written);
}

#[test]
fn library_and_talk_are_two_chains() {
    let mut ada = side(1);
    let mut mixed = notes(4, "mixed");
    mixed[1].class = KeyClass::Library;
    mixed[3].class = KeyClass::Library;
    let written = ada.write(FIRST, mixed);
    assert_eq!(written.iter().map(|entry| entry.at.seq).collect::<Vec<_>>(), [1, 1, 2, 2]);
    assert_eq!(written[3].payload.as_deref(), Some(&b"mixed 3"[..]));
    assert_eq!(chains(&ada.store, &CIRCLE).expect("reads").len(), 2);
    let mut roster = notes(1, "no");
    roster[0].class = KeyClass::Roster;
    let place = ChainPlace { circle: CIRCLE, incarnation: talk().incarnation };
    let refused = ada.change(|tx, keys, rng| append(tx, &Real, rng, keys, &signer(), &place, &FIRST, &HEADS, roster));
    assert!(matches!(refused, Err(LogError::Rule(_))));
}

#[test]
fn a_newcomer_starts_at_her_first_epoch_and_fills_in_what_she_gets_later() {
    let (mut ada, mut bea) = (side(1), side(2));
    let old = ada.write(FIRST, notes(70, "before her time"));
    let new = ada.write(SECOND, notes(3, "hers"));
    let first_keys = bea.keys.remove(&FIRST).expect("held");
    let served = ada.serve(0).expect("serves");
    assert!(matches!(bea.take(&served), Err(LogError::NoKey(FIRST))));
    let mine: BTreeSet<EpochId> = [SECOND].into();
    let served = serve(&ada.store, &ada.keys, &CIRCLE, &talk(), 0, MUCH, Some(&mine)).expect("serves").expect("has some");
    assert!(served.skipped && served.first == 71);
    assert_eq!(bea.take(&served).expect("receives").entries, new);
    bea.keys.insert(FIRST, first_keys);
    let received = bea.take(&ada.serve(0).expect("serves")).expect("receives");
    assert_eq!(received.entries, old);
    assert_eq!(bea.all().len(), 73);
}

#[test]
fn who_was_away_has_a_gap_that_can_be_filled() {
    let (mut ada, mut bea) = (side(1), side(2));
    ada.write(FIRST, notes(2, "together"));
    bea.pull(&ada);
    let missed = ada.write(SECOND, notes(5, "without her"));
    ada.write(FIRST, notes(2, "together again"));
    let mine: BTreeSet<EpochId> = [FIRST].into();
    let served = serve(&ada.store, &ada.keys, &CIRCLE, &talk(), 2, MUCH, Some(&mine)).expect("serves").expect("has some");
    let gap = bea.take(&Served { skipped: false, ..served.clone() }).expect("receives");
    assert_eq!((gap.gap, gap.entries.len()), (Some(Gap { after: 2, before: 8 }), 0));
    assert_eq!(bea.take(&served).expect("receives").entries.len(), 2);
    assert_eq!(chains(&bea.store, &CIRCLE).expect("reads")[0].missing, [(3, 7)]);
    let filled = bea.take(&ada.serve(2).expect("serves")).expect("receives");
    assert_eq!(filled.entries, missed);
    assert!(chains(&bea.store, &CIRCLE).expect("reads")[0].missing.is_empty());
    assert_eq!(bea.all(), ada.all());
}

#[test]
fn e7_e9_repeats_are_skipped_and_gaps_reported() {
    let (mut ada, mut bea) = (side(1), side(2));
    ada.write(FIRST, notes(2, "a"));
    let early = ada.serve(0).expect("serves");
    assert_eq!(bea.take(&early).expect("receives").entries.len(), 2);
    ada.write(FIRST, notes(2, "b"));
    let overlapping = ada.serve(0).expect("serves");
    assert_eq!((overlapping.first, overlapping.last), (1, 4));
    let late = ada.serve(3);
    ada.write(FIRST, notes(1, "c"));
    let later = ada.serve(4).expect("serves");
    let gap = bea.take(&later).expect("receives");
    assert_eq!(gap.gap, Some(Gap { after: 2, before: 5 }));
    assert!(gap.entries.is_empty() && late.is_some());
    assert_eq!(bea.take(&overlapping).expect("receives").entries.len(), 2);
    assert_eq!(bea.take(&early).expect("receives").entries.len(), 0);
    assert_eq!(bea.take(&later).expect("receives").entries.len(), 1);
    assert_eq!(bea.head(), ada.head());
}

#[test]
fn a_fork_keeps_both_branches_and_tells() {
    for before in [0, 3, 80] {
        for (one, two) in [(1, 1), (70, 2), (2, 300)] {
            let mut ada = side(1);
            if before > 0 {
                ada.write(FIRST, notes(before, "common"));
            }
            let (mut left, mut right, mut bea) = (ada.clone(), ada, side(2));
            right.rng = Seeded::new(77);
            left.write(FIRST, notes(one, "left"));
            right.write(FIRST, notes(two, "right"));
            bea.pull(&left);
            let mut fork = None;
            let mut after = 0;
            while let Some(served) = right.serve(after) {
                after = served.last;
                let received = bea.take(&served).expect("receives");
                fork = fork.or(received.fork);
            }
            let fork = fork.expect("told");
            assert_eq!((fork.seq, fork.known), (before as u64 + 1, left.all()[before].id));
            assert_eq!(fork.other, right.all()[before].id);
            let heads = chains(&bea.store, &CIRCLE).expect("reads");
            assert_eq!(heads.len(), 2, "{before} {one} {two}");
            assert_eq!((heads[0].head, heads[1].head), (left.head().1, right.head().1));
            assert_eq!(bea.all().len(), before + one + two);
            assert_eq!(forks(&bea.store, &CIRCLE).expect("reads").len(), 1);
            // And a branch is served on.
            let served =
                serve_branch(&bea.store, &bea.keys, heads[1].no, before as u64, MUCH, None).expect("serves").expect("some");
            assert_eq!(left.take(&served).expect("receives").fork.expect("told").branch, Some(2));
        }
    }
}

#[test]
fn a_fork_whose_beginning_is_unknown_is_told_and_stored_when_it_comes() {
    let (mut left, mut bea) = (side(1), side(2));
    left.write(FIRST, notes(2, "common"));
    let mut right = left.clone();
    right.rng = Seeded::new(78);
    left.write(FIRST, notes(3, "left"));
    right.write(FIRST, notes(3, "right"));
    let start = right.serve(2).expect("serves");
    right.write(FIRST, notes(1, "right on"));
    bea.pull(&left);
    let received = bea.take(&right.serve(5).expect("serves")).expect("receives");
    let fork = received.fork.expect("told");
    assert_eq!((fork.branch, fork.seq), (None, 5));
    assert_eq!(bea.take(&start).expect("receives").fork.expect("told").branch, Some(2));
    let rest = bea.take(&right.serve(5).expect("serves")).expect("receives");
    assert_eq!((rest.fork, rest.entries.len()), (None, 1));
}

#[test]
fn branches_are_bounded() {
    let mut ada = side(1);
    ada.write(FIRST, notes(1, "common"));
    let mut bea = ada.clone();
    for seed in 0..12 {
        let mut other = ada.clone();
        other.rng = Seeded::new(100 + seed);
        other.write(FIRST, notes(1, "branch"));
        let received = bea.take(&other.serve(1).expect("serves")).expect("receives");
        assert_eq!(received.fork.is_some_and(|fork| fork.branch.is_none()), seed >= 8);
    }
    assert_eq!(chains(&bea.store, &CIRCLE).expect("reads").len(), limits::BRANCHES);
}

#[test]
fn destroyed_payloads_are_gone_and_the_chain_still_verifies() {
    let (mut ada, mut bea) = (side(1), side(2));
    ada.write(FIRST, notes(70, "in a block"));
    ada.write(FIRST, notes(5, "in the tail"));
    let doomed = [3, 69, 72].map(|seq| EntryAt { chain: 1, seq });
    let destroyed = ada.change(|tx, keys, _| destroy(tx, keys, &doomed)).expect("destroys");
    assert_eq!(destroyed, 3);
    assert_eq!(ada.change(|tx, keys, _| destroy(tx, keys, &doomed)).expect("destroys"), 0);
    let here = ada.all();
    for (at, entry) in here.iter().enumerate() {
        assert_eq!(entry.payload.is_none(), doomed.iter().any(|doomed| doomed.seq == at as u64 + 1));
    }
    assert_eq!(bea.pull(&ada), here);
    assert_eq!(bea.head(), ada.head());
    let single = serve_single(&ada.store, &ada.keys, 1, 70, MUCH, None).expect("serves").expect("some");
    let mut cleo = side(3);
    cleo.keys = bea.keys.clone();
    cleo.pull(&Side { store: MemoryStore::default(), ..ada.clone() });
    assert_eq!((single.first, single.last), (71, 75));
}

#[test]
fn a_destroyed_talk_key_leaves_only_the_ends_of_blocks() {
    let (mut ada, mut bea) = (side(1), side(2));
    ada.write(FIRST, notes(70, "old"));
    ada.write(FIRST, notes(3, "old, single"));
    ada.write(SECOND, notes(3, "new"));
    let forgotten = ada.change(|tx, _, _| Ok(forget_epoch(tx, &CIRCLE, &FIRST)?)).expect("forgets");
    assert_eq!(forgotten, 73);
    ada.keys.remove(&FIRST);
    assert_eq!(ada.all().len(), 3);
    ada.write(SECOND, notes(1, "newer"));
    let served = ada.serve(0).expect("serves");
    assert!(served.skipped);
    assert_eq!(bea.take(&served).expect("receives").entries.len(), 4);
    // The tail of a key that is gone folds into its end alone.
    ada.keys.remove(&SECOND);
    ada.keys.insert(FIRST, EpochKeys::random(&mut ada.rng));
    ada.write(FIRST, notes(1, "newest"));
    assert_eq!((ada.head().0, ada.all().len()), (78, 1));
}

#[test]
fn large_payloads_close_blocks_early() {
    let (mut ada, mut bea) = (side(1), side(2));
    let mut noise = vec![0; limits::PAYLOAD_BYTES];
    let mut entries = Vec::new();
    for _ in 0..40 {
        use rand_core::Rng;
        ada.rng.fill_bytes(&mut noise);
        entries.push(NewEntry { payload: noise.clone(), ..note("") });
    }
    entries.push(NewEntry { payload: vec![b'x'; limits::PAYLOAD_BYTES], ..note("") });
    let written = ada.write(FIRST, entries);
    let mut after = 0;
    while let Some(served) = ada.serve(after) {
        assert!(served.run.len() <= limits::FRAME_BYTES);
        after = served.last;
        let single = serve_single(&ada.store, &ada.keys, 1, served.first - 1, MUCH, None).expect("serves").expect("some");
        assert!(single.run.len() <= limits::FRAME_BYTES && single.last == served.last);
    }
    assert_eq!(bea.pull(&ada), written);
    let place = ChainPlace { circle: CIRCLE, incarnation: talk().incarnation };
    let over = vec![NewEntry { payload: vec![0; limits::PAYLOAD_BYTES + 1], ..note("") }];
    let refused = ada.change(|tx, keys, rng| append(tx, &Real, rng, keys, &signer(), &place, &FIRST, &HEADS, over));
    assert!(matches!(refused, Err(LogError::Rule(_))));
}

#[test]
fn blocks_fall_back_to_single_entries() {
    let (mut ada, mut bea) = (side(1), side(2));
    let written = ada.write(FIRST, notes(100, "joined"));
    let mut got = Vec::new();
    while let Some(served) = serve_single(&ada.store, &ada.keys, 1, got.len() as u64, MUCH, None).expect("serves") {
        got.extend(bea.take(&served).expect("receives").entries);
    }
    assert_eq!(got, written);
    assert_eq!(bea.all(), written);
}

fn runs() -> [Vec<u8>; 3] {
    let mut ada = side(1);
    ada.write(FIRST, notes(1, "single"));
    let single = ada.serve(0).expect("serves").run;
    ada.write(FIRST, notes(70, "joined"));
    let block = ada.serve(0).expect("serves").run;
    let singles = serve_single(&ada.store, &ada.keys, 1, 0, MUCH, None).expect("serves").expect("some").run;
    [single, block, singles]
}

#[test]
fn e6_a_run_of_another_circle_is_refused() {
    for run in runs() {
        let mut bea = side(2);
        let refused = bea.change(|tx, keys, _| receive(tx, &Real, keys, &CircleId([9; 32]), &run, false));
        assert!(matches!(refused, Err(LogError::Closed | LogError::Signature)));
    }
}

#[test]
fn e9_e10_a_hostile_place_is_refused() {
    let mut ada = side(1);
    ada.write(FIRST, notes(1, "single"));
    let run = ada.serve(0).expect("serves").run;
    let open = crate::log::run::Run::parse(&run).expect("parses");
    for (first, previous) in [(u64::MAX, EntryId([1; 32])), (2, EntryId([1; 32])), (1, EntryId([1; 32])), (2, EntryId([0; 32]))] {
        let head = RunHead { first, previous, ..open.head };
        let bent = crate::log::run::Run { head, form: open.form, signature: open.signature, body: open.body }.encode();
        let mut bea = side(2);
        assert!(bea.change(|tx, keys, _| receive(tx, &Real, keys, &CIRCLE, &bent, false)).is_err());
    }
}

#[test]
fn e12_no_form_passes_for_another() {
    let [single, block, _] = runs();
    let mut rng = Seeded::new(5);
    let device = crate::crypto::DeviceSecrets::generate(&mut rng, crate::crypto::Suite::X25519);
    let boxed = crate::circle::epoch::pack(&Real, &mut rng, crate::crypto::Suite::X25519, &CIRCLE, &device.keys(), &[]);
    let boxed = boxed.expect("packs");
    for bytes in [&single, &block, &boxed] {
        assert!(crate::log::act::SealedAct::parse(bytes).is_err());
        assert!(crate::log::act::Farewell::parse(bytes).is_err());
    }
    assert!(RunHead::peek(&boxed).is_err());
    for run in [&single, &block] {
        assert!(crate::circle::epoch::unpack(&Real, &CIRCLE, &device.sign.id(), &device.hpke, run).is_err());
    }
}

#[test]
fn w13_deep_nesting_is_refused() {
    for head in [&[][..], &[0x8a, 1], &[0x88, 1], &[0x83, 1]] {
        let mut bytes = head.to_vec();
        bytes.resize(100_000, 0x81);
        assert!(RunHead::peek(&bytes).is_err());
        assert!(crate::log::act::SealedAct::parse(&bytes).is_err());
        assert!(crate::log::act::Farewell::parse(&bytes).is_err());
    }
}

/// A device that signs a payload which it did not seal: authentic, but nobody can open it.
#[test]
fn e13_what_is_not_sealed_is_never_shown_and_stops_nothing() {
    use crate::log::{piece::Piece, run::Form, single::Sealed};
    let (mut ada, mut bea, mut cleo) = (side(1), side(2), side(3));
    let open = crate::log::entry::Packed { zstd: false, bytes: b"in the open".to_vec() };
    let meta = crate::log::entry::Meta {
        kind: 1,
        item: note("").item,
        retention: Retention::Keep,
        heads: Some(HEADS.as_slice().into()),
    };
    let body = crate::log::entry::Body::Kept { nonce: [0; 24], packed: open };
    let sheets = vec![crate::log::entry::Sheet { meta: meta.clone(), body }];
    let head = RunHead { chain: talk(), epoch: FIRST, first: 1, previous: EntryId([0; 32]) };
    let key = ada.keys[&FIRST].talk.clone().expect("held");
    let mut piece = Piece::seal(&CIRCLE, &key, head, sheets, crate::crypto::Signature([0; 64])).expect("seals");
    piece.sealed = vec![Sealed::Kept([&[0; 24][..], b"in the open", &[0; 16]].concat())];
    let (hash, len) = crate::log::piece::hash_and_len(&piece.sealed[0]);
    piece.ids = vec![crate::log::walk::Walker::new(&CIRCLE, &talk(), FIRST, &key, 1, head.previous).step_over(&meta, &hash, len)];
    piece.sign(&Real, &signer(), &CIRCLE);
    let run = piece.run(&CIRCLE, &key, Form::Single).expect("encodes");
    let served = Served { run, first: 1, last: 1, skipped: false };
    for side in [&mut ada, &mut bea] {
        let received = side.take(&served).expect("receives");
        assert_eq!((received.entries.len(), &received.entries[0].payload), (1, &None));
    }
    ada.write(FIRST, notes(2, "and on"));
    assert_eq!(bea.pull(&ada).len(), 2);
    assert_eq!(cleo.pull(&bea), bea.all());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn e1_no_bent_run_passes(which in 0..3usize, at in any::<prop::sample::Index>(), bit in 0..8u32) {
        static RUNS: std::sync::LazyLock<[Vec<u8>; 3]> = std::sync::LazyLock::new(runs);
        let mut run = RUNS[which].clone();
        let at = at.index(run.len());
        run[at] ^= 1 << bit;
        let mut bea = side(2);
        // A payload that does not open any more is only found after the signature, which covers its hash.
        prop_assert!(bea.change(|tx, keys, _| receive(tx, &Real, keys, &CIRCLE, &run, false)).is_err());
        prop_assert_eq!(bea.rows(Table::Chain), 0);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(RunHead::peek(&bytes).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_split_into_batches_gives_the_same_entries(sizes in prop::collection::vec((1..90usize, any::<bool>()), 1..8)) {
        let (mut ada, mut bea, mut cleo) = (side(1), side(2), side(3));
        let mut written = Vec::new();
        for (size, pull) in sizes {
            let epoch = if pull { FIRST } else { SECOND };
            written.extend(ada.write(epoch, notes(size, "words")));
            if pull {
                bea.pull(&ada);
            }
        }
        bea.pull(&ada);
        cleo.pull(&bea);
        prop_assert_eq!(&bea.all(), &written);
        prop_assert_eq!(&cleo.all(), &written);
        prop_assert_eq!(&ada.all(), &written);
    }
}

/// Time on a processor, which other work on the machine does not lengthen.
fn cpu() -> std::time::Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
    std::time::Duration::from_nanos(nanos)
}

/// Not a test: how long receiving takes. `cargo test -p kith-protocol --config 'profile.dev.package.kith-protocol.opt-level=3'
/// measure -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn measure() {
    use rand_core::Rng;
    let words =
        ["night", "shift", "tired", "listening", "tomorrow", "together", "remember", "coffee", "breathe", "on-call", "slowly"];
    let mut ada = side(1);
    let text = |rng: &mut Seeded| {
        let mut text = String::new();
        while text.len() < 280 {
            text.push_str(words[rng.next_u32() as usize % words.len()]);
            text.push_str(&format!("{} ", rng.next_u32() % 1_000));
        }
        text.truncate(280);
        text
    };
    let entry = |rng: &mut Seeded| {
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        NewEntry { item: ItemId { creator: PersonId([6; 32]), nonce }, ..note(&text(rng)) }
    };
    let entries: Vec<NewEntry> = (0..10_000).map(|_| entry(&mut ada.rng)).collect();
    let start = cpu();
    ada.write(FIRST, entries);
    println!("append 10,000: {:?}", cpu() - start);
    let mut served = Vec::new();
    let mut after = 0;
    let start = cpu();
    while let Some(one) = ada.serve(after) {
        after = one.last;
        served.push(one);
    }
    println!("serve: {:?}, {} bytes a note", cpu() - start, served.iter().map(|one| one.run.len()).sum::<usize>() / 10_000);
    stages(&served, &ada.keys);
    let mut bea = side(2);
    let start = cpu();
    for one in &served {
        assert!(!bea.take(one).expect("receives").entries.is_empty());
    }
    println!("receive: {:?}", cpu() - start);
    let stored: usize = [Table::Block, Table::Tail, Table::Chain]
        .map(|table| {
            bea.store.scan(table, &[], &[], usize::MAX).expect("reads").iter().map(|(k, v)| k.len() + v.len()).sum::<usize>()
        })
        .iter()
        .sum();
    println!("stored: {} bytes a note", stored / 10_000);
    let start = cpu();
    assert_eq!(bea.all().len(), 10_000);
    println!("load all: {:?}", cpu() - start);
    let start = cpu();
    for _ in 0..200 {
        let entry = entry(&mut ada.rng);
        ada.write(FIRST, vec![entry]);
        let served = ada.serve(ada.head().0 - 1).expect("serves");
        assert_eq!(bea.take(&served).expect("receives").entries.len(), 1);
    }
    println!("200 live notes, both sides: {:?}", cpu() - start);
}

fn stages(served: &[Served], keys: &Keys) {
    use crate::log::piece::{Piece, class_key};
    use crate::log::run::Run;
    let mut spent = [std::time::Duration::ZERO; 4];
    for one in served {
        let start = cpu();
        let run = Run::parse(&one.run).expect("parses");
        spent[0] += cpu() - start;
        let key = class_key(keys, &run.head.epoch, &run.head.chain).expect("held");
        let start = cpu();
        let sheets = crate::log::block::unseal(&CIRCLE, &run.head, key, run.body).expect("opens");
        spent[1] += cpu() - start;
        let start = cpu();
        let piece = Piece::seal(&CIRCLE, key, run.head, sheets, run.signature).expect("seals");
        spent[2] += cpu() - start;
        let start = cpu();
        assert!(!piece.into_opened(&CIRCLE, 1).is_empty());
        spent[3] += cpu() - start;
    }
    println!("parse, open, seal and hash, hand over: {spent:?}");
}
