//! What the log's own steps cost, in blocks opened and written.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test wants one answer and panics at any other")]

use super::*;
use crate::budget::Budget;
use crate::work::{Work, counted};

#[test]
fn a_block_is_opened_once_for_all_that_is_read_of_it() {
    let mut ada = side(1);
    ada.write(FIRST, notes(512, "words"));
    let places: Vec<EntryAt> = (1..=256).map(|seq| EntryAt { chain: 1, seq }).collect();
    let (found, work) = counted(|| load_many(&ada.store, &ada.keys, &places).expect("loads"));
    assert_eq!((found.len(), work.opened, work.sealed), (256, 1, 0));
    assert!(work.inflated > 256 * 8, "{work:?}");
    let (_, one_by_one) = counted(|| places.iter().filter_map(|at| load(&ada.store, &ada.keys, *at).expect("loads")).count());
    assert_eq!(one_by_one.opened, 256);
    let ((), nothing) = counted(|| ());
    assert_eq!(nothing, Work::default());
}

/// A side whose chain is so many blocks and a tail of a few single entries.
fn blocks(count: usize) -> Side {
    let mut ada = side(1);
    for _ in 0..count {
        ada.write(FIRST, notes(limits::BLOCK_ENTRIES, "words"));
    }
    for _ in 0..5 {
        ada.write(FIRST, notes(1, "in the tail"));
    }
    ada
}

const BLOCK: u64 = limits::BLOCK_ENTRIES as u64;

#[test]
fn destroying_rewrites_a_block_once_and_as_many_as_a_turn_allows() {
    let many = limits::TURN_BLOCKS + 3;
    let mut ada = blocks(many);
    let end = many as u64 * BLOCK + 5;
    let mut left: Vec<EntryAt> = (1..=end).map(|seq| EntryAt { chain: 1, seq }).collect();
    let mut turns = Vec::new();
    while !left.is_empty() {
        let (rest, work) = counted(|| ada.change(|tx, keys, _| destroy_some(tx, keys, &left, &mut Budget::default())));
        left = rest.expect("destroys");
        turns.push((work.opened, work.sealed));
    }
    assert_eq!(turns, [(limits::TURN_BLOCKS as u64, limits::TURN_BLOCKS as u64), (3, 3)]);
    assert!(ada.all().iter().all(|entry| entry.payload.is_none()));
    let mut bea = side(2);
    assert_eq!(bea.pull(&ada).len() as u64, end, "the chain still verifies");
}

fn lack(after: u64, until: u64) -> Lack<'static> {
    Lack { branch: 1, after, until, talk: None }
}

#[test]
fn what_a_hole_does_not_hold_whole_is_not_opened() {
    let ada = blocks(2);
    let serve = |after, until| {
        let (served, work) = counted(|| {
            let mut budget = Budget::default();
            let lack = lack(after, until);
            let has = has_lack(&ada.store, &ada.keys, &lack, &mut budget).expect("looks");
            let served = super::serve(&ada.store, &ada.keys, &lack, MUCH, &mut budget).expect("serves");
            assert_eq!(has, Some(matches!(served, Serving::Run(_))));
            served
        });
        let run = if let Serving::Run(served) = served { Some((served.first, served.last)) } else { None };
        (run, work.opened + work.sealed)
    };
    assert_eq!(serve(0, BLOCK - 1), (None, 0), "a signature behind the gap");
    assert_eq!(serve(2, 2), (None, 0));
    assert_eq!(serve(0, BLOCK), (Some((1, BLOCK)), 0), "a block as it lies there");
    assert_eq!(serve(4, BLOCK), (Some((5, BLOCK)), 2), "a part is opened and joined");
    assert_eq!(serve(2 * BLOCK, 2 * BLOCK + 3), (Some((2 * BLOCK + 1, 2 * BLOCK + 3)), 1), "a part of the tail");
}

#[test]
fn ids_are_compared_without_opening_or_once_a_block() {
    let ada = blocks(limits::TURN_BLOCKS + 2);
    let other = EntryId([9; 32]);
    let compare = |claims: &[(u64, EntryId)]| {
        let (found, work) = counted(|| compare(&ada.store, &ada.keys, 1, claims, &mut Budget::default()).expect("compares"));
        (found, work.opened)
    };
    let id = |seq| id_of(&ada.store, &ada.keys, EntryAt { chain: 1, seq }).expect("reads").expect("known");
    let (inside, end) = (id(7), id(BLOCK));
    assert_eq!(compare(&[(BLOCK, end)]), (Compared::Alike, 0), "the end of a block");
    assert_eq!(compare(&[(BLOCK, other), (2 * BLOCK, other)]), (Compared::Other, 0));
    assert_eq!(compare(&[(5, other), (6, other), (7, inside)]), (Compared::Alike, 1));
    assert_eq!(compare(&[(5, other), (6, other), (7, other)]), (Compared::Other, 1));
    // One claim in the middle of each block: as many as a turn allows, then the others.
    let claims: Vec<(u64, EntryId)> = (0..limits::TURN_BLOCKS as u64 + 2).map(|block| (block * BLOCK + 3, other)).collect();
    let (Compared::Later(left), opened) = compare(&claims) else { panic!("all of them at once") };
    assert_eq!((left.len(), opened), (2, limits::TURN_BLOCKS as u64));
    assert_eq!(compare(&left), (Compared::Other, 2));
}

#[test]
fn looking_for_what_somebody_may_read_goes_on_where_it_stopped() {
    let (mut ada, none) = (side(1), BTreeSet::new());
    let many = limits::TURN_LOOKS + 10;
    for _ in 0..many {
        ada.write(FIRST, notes(limits::BLOCK_DIRECT, "not for them"));
        ada.write(SECOND, notes(limits::BLOCK_DIRECT, "nor this"));
    }
    let (mut after, mut turns) = (0, 0);
    loop {
        let lack = Lack { branch: 1, after, until: u64::MAX, talk: Some(&none) };
        let serving = super::serve(&ada.store, &ada.keys, &lack, MUCH, &mut Budget::default()).expect("serves");
        turns += 1;
        match serving {
            Serving::Later(looked) => {
                assert!(looked > after, "it goes on");
                after = looked;
            }
            other => break assert_eq!(other, Serving::Nothing),
        }
    }
    assert_eq!(turns, 3);
}

#[test]
fn what_is_made_to_inflate_makes_blocks_shorter() {
    let mut ada = side(1);
    let letter = |_| NewEntry { payload: vec![b'a'; 60_000], ..note("") };
    ada.write(FIRST, (0..256).map(letter).collect());
    let most = (limits::BLOCK_BYTES * (limits::BLOCK_DENSITY + 1)) as u64;
    let mut seq = 1;
    while seq <= 256 {
        let (found, work) = counted(|| load(&ada.store, &ada.keys, EntryAt { chain: 1, seq }).expect("loads"));
        assert!(found.is_some() && work.opened == 1 && work.inflated <= most, "{seq}: {work:?}");
        seq += 13;
    }
}
