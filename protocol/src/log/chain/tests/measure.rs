//! How long it takes; no tests.
#![allow(clippy::indexing_slicing, reason = "as above")]

use super::*;

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
