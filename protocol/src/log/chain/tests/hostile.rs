//! Runs that were bent, moved, nested or signed over what was never sealed.
#![allow(clippy::indexing_slicing, reason = "as above")]

use super::*;

fn runs() -> [Vec<u8>; 3] {
    let mut ada = side(1);
    ada.write(FIRST, notes(1, "single"));
    let single = ada.serve(0).expect("serves").run;
    ada.write(FIRST, notes(70, "joined"));
    let block = ada.serve(0).expect("serves").run;
    let singles = ada.singly(&ada.serve(0).expect("serves")).run;
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
        assert!(crate::circle::act::SealedAct::parse(bytes).is_err());
        assert!(crate::circle::act::Farewell::parse(bytes).is_err());
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
        assert!(crate::circle::act::SealedAct::parse(&bytes).is_err());
        assert!(crate::circle::act::Farewell::parse(&bytes).is_err());
    }
}

/// A device that signs a payload which it did not seal: authentic, but nobody can open it.
#[test]
fn e13_what_is_not_sealed_is_never_shown_and_stops_nothing() {
    use crate::log::{run::RunForm, segment::Segment, single::Sealed};
    let (mut ada, mut bea, mut cleo) = (side(1), side(2), side(3));
    let open = crate::log::entry::Packed { zstd: false, bytes: b"in the open".to_vec() };
    let meta = crate::log::entry::Meta {
        kind: 1,
        item: note("").item,
        retention: Retention::Keep,
        heads: Some(HEADS.as_slice().into()),
    };
    let body = crate::log::entry::Body::Kept { nonce: [0; 24], packed: open };
    let sheets = vec![crate::log::entry::EntryRecord { meta: meta.clone(), body }];
    let head = RunHead { chain: talk(), epoch: FIRST, first: 1, previous: EntryId([0; 32]) };
    let key = ada.keys[&FIRST].talk.clone().expect("held");
    let mut piece = Segment::seal(&CIRCLE, &key, head, sheets, crate::crypto::Signature([0; 64])).expect("seals");
    piece.sealed = vec![Sealed::Kept([&[0; 24][..], b"in the open", &[0; 16]].concat())];
    let (hash, len) = crate::log::segment::hash_and_len(&piece.sealed[0]);
    piece.ids = vec![
        crate::log::chain_hasher::ChainHasher::new(&CIRCLE, &talk(), FIRST, &key, 1, head.previous).step_over(&meta, &hash, len),
    ];
    piece.sign(&Real, &signer(), &CIRCLE);
    let run = piece.run(&CIRCLE, &key, RunForm::Single).expect("encodes");
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
