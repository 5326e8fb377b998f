//! What the log's own steps cost, in blocks opened and written.

use super::*;
use crate::log::work::{Work, counted};

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
