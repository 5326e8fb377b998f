//! Chains between stores: written, served, received, bent, forked, destroyed.
#![allow(clippy::indexing_slicing, reason = "a test that fails is what a wrong index should be")]

mod costs;
mod hostile;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::circle::body::{KeyClass, Retention};
use crate::circle::epoch::EpochKeys;
use crate::crypto::{Real, Seeded, SigningKey};
use crate::id::{ActId, EpochId, Incarnation, ItemId, PersonId};
use crate::limits;
use crate::log::LogError;
use crate::log::entry::{EntryAt, NewEntry, Opened, Said};
use crate::store::{MemoryStore, Store};
use crate::tx::{Turn, Tx};
use crate::work;

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
        let mut batch = Turn::default();
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
        self.serve_to(after, None)
    }

    /// The chain's next run for somebody who holds these talk keys.
    fn serve_to(&self, after: u64, talk_keys: Option<&BTreeSet<EpochId>>) -> Option<Served> {
        let main = branches(&self.store, &CIRCLE, &talk()).expect("reads").first().map(|head| head.no);
        main.and_then(|branch| self.serve_branch(branch, after, talk_keys))
    }

    fn serve_branch(&self, branch: u32, after: u64, talk_keys: Option<&BTreeSet<EpochId>>) -> Option<Served> {
        endless::serve_branch(&self.store, &self.keys, branch, after, MUCH, talk_keys).expect("serves")
    }

    /// The same entries one by one.
    fn singly(&self, served: &Served) -> Served {
        endless::serve_single(&self.store, &self.keys, 1, served.first - 1, MUCH, None).expect("serves").expect("some")
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
        let places: Vec<EntryAt> = places.collect();
        let all = load_many(&self.store, &self.keys, &places).expect("loads");
        let skimmer = Skimmer::default();
        let skimmed = places.iter().filter_map(|at| skimmer.load(&self.store, &self.keys, *at).expect("skims"));
        assert_eq!(skimmed.collect::<Vec<_>>(), all.iter().cloned().map(Said::from).collect::<Vec<_>>());
        all
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
fn a_newcomer_starts_at_their_first_epoch_and_fills_in_what_they_get_later() {
    let (mut ada, mut bea) = (side(1), side(2));
    let old = ada.write(FIRST, notes(70, "before their time"));
    let new = ada.write(SECOND, notes(3, "theirs"));
    let first_keys = bea.keys.remove(&FIRST).expect("held");
    let served = ada.serve(0).expect("serves");
    assert!(matches!(bea.take(&served), Err(LogError::NoKey(FIRST))));
    let mine: BTreeSet<EpochId> = [SECOND].into();
    let served = ada.serve_to(0, Some(&mine)).expect("has some");
    assert!(served.skipped && served.first == 71);
    assert_eq!(bea.take(&served).expect("receives").entries, new);
    bea.keys.insert(FIRST, first_keys);
    let received = bea.take(&ada.serve(0).expect("serves")).expect("receives");
    assert_eq!(received.entries, old);
    assert_eq!(bea.all().len(), 73);
}

#[test]
fn what_lies_before_a_chains_beginning_here_comes_in_any_cut_from_anybody() {
    let (mut ada, mut bea, mut dalia) = (side(1), side(2), side(3));
    let mut old = ada.write(FIRST, notes(40, "first"));
    dalia.pull(&ada);
    old.extend(ada.write(FIRST, notes(30, "second")));
    let more = ada.write(SECOND, notes(30, "third"));
    let third = EpochId([9; 32]);
    for side in [&mut ada, &mut bea] {
        side.keys.insert(third, EpochKeys::random(&mut Seeded::new(11)));
    }
    let new = ada.write(third, notes(3, "theirs"));
    let served = |epochs: &[EpochId], after| {
        let epochs = epochs.iter().copied().collect();
        ada.serve_to(after, Some(&epochs)).expect("has some")
    };
    assert_eq!(bea.take(&served(&[third], 0)).expect("receives").entries, new);
    let gaps = |side: &Side| chains(&side.store, &CIRCLE).expect("reads")[0].gaps();
    assert_eq!(gaps(&bea), [(1, 100)]);
    // From the start, from somebody who has not much; then all of it, of which they know the beginning by now.
    assert_eq!(bea.take(&dalia.serve(0).expect("serves")).expect("receives").entries, old[..40]);
    assert_eq!(gaps(&bea), [(41, 100)]);
    let received = bea.take(&served(&[FIRST], 0)).expect("receives");
    assert_eq!((received.fork, received.gap, &received.entries[..]), (None, None, &old[40..]));
    assert_eq!(gaps(&bea), [(71, 100)]);
    assert_eq!(bea.take(&served(&[SECOND], 70)).expect("receives").entries, more);
    assert!(gaps(&bea).is_empty());
    assert_eq!(bea.all(), ada.all());
    assert!(forks(&bea.store, &CIRCLE).expect("reads").is_empty());
    assert_eq!((bea.take(&served(&[FIRST], 0)).expect("receives").entries.len(), bea.pull(&ada).len()), (0, 0));
}

#[test]
fn a_stretch_with_nothing_around_it_is_kept_where_the_rest_is_not_for_them() {
    let (mut ada, mut bea) = (side(1), side(2));
    let third = EpochId([9; 32]);
    for side in [&mut ada, &mut bea] {
        side.keys.insert(third, EpochKeys::random(&mut Seeded::new(11)));
    }
    ada.write(FIRST, notes(5, "before their time"));
    let middle = ada.write(SECOND, notes(70, "theirs"));
    ada.write(FIRST, notes(5, "not theirs again"));
    ada.write(third, notes(2, "last"));
    let served = |epochs: &[EpochId]| {
        let epochs = epochs.iter().copied().collect();
        ada.serve_to(0, Some(&epochs)).expect("has some")
    };
    assert!(!bea.take(&served(&[third])).expect("receives").entries.is_empty());
    let middles = served(&[SECOND]);
    assert!(bea.take(&Served { skipped: false, ..middles.clone() }).expect("receives").entries.is_empty());
    assert_eq!(bea.take(&middles).expect("receives").entries, middle);
    assert_eq!(chains(&bea.store, &CIRCLE).expect("reads")[0].gaps(), [(1, 5), (76, 80)]);
    assert_eq!(bea.pull(&ada).len(), 0);
    assert!(forks(&bea.store, &CIRCLE).expect("reads").is_empty());
}

#[test]
fn who_was_away_has_a_gap_that_can_be_filled() {
    let (mut ada, mut bea) = (side(1), side(2));
    ada.write(FIRST, notes(2, "together"));
    bea.pull(&ada);
    let missed = ada.write(SECOND, notes(5, "without them"));
    ada.write(FIRST, notes(2, "together again"));
    let mine: BTreeSet<EpochId> = [FIRST].into();
    let served = ada.serve_to(2, Some(&mine)).expect("has some");
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
            let served = bea.serve_branch(heads[1].no, before as u64, None).expect("some");
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
    ada.change(|tx, keys, _| destroy(tx, keys, &doomed)).expect("destroys");
    let (again, work) = work::counted(|| ada.change(|tx, keys, _| destroy(tx, keys, &doomed)));
    assert_eq!((again, work.sealed), (Ok(()), 0), "what is gone is not written again");
    let here = ada.all();
    for (at, entry) in here.iter().enumerate() {
        assert_eq!(entry.payload.is_none(), doomed.iter().any(|doomed| doomed.seq == at as u64 + 1));
    }
    assert_eq!(bea.pull(&ada), here);
    assert_eq!(bea.head(), ada.head());
    let single = ada.singly(&ada.serve(70).expect("some"));
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
        assert!(ada.singly(&served).run.len() <= limits::FRAME_BYTES);
    }
    assert_eq!(bea.pull(&ada), written);
    let place = ChainPlace { circle: CIRCLE, incarnation: talk().incarnation };
    let over = vec![NewEntry { payload: vec![0; limits::PAYLOAD_BYTES + 1], ..note("") }];
    let refused = ada.change(|tx, keys, rng| append(tx, &Real, rng, keys, &signer(), &place, &FIRST, &HEADS, over));
    assert!(matches!(refused, Err(LogError::Rule(_))));
}

#[test]
fn entries_of_a_block_may_come_one_by_one() {
    let (mut ada, mut bea) = (side(1), side(2));
    let written = ada.write(FIRST, notes(100, "joined"));
    let mut got = Vec::new();
    while let Some(served) = ada.serve(got.len() as u64) {
        got.extend(bea.take(&ada.singly(&served)).expect("receives").entries);
    }
    assert_eq!(got, written);
    assert_eq!(bea.all(), written);
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
