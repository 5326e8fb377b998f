//! What strangers may cost: time, frames, tries with a ticket; and what whoever was told to wait does.

use super::*;
use crate::control::Accept;
use crate::limits::{STRANGER_FRAMES, STRANGER_MILLIS, TICKET_TRIES};
use crate::sync::frame::{Bytes, Salt, Token};
use crate::time::MINUTE;

/// A link of machine 0 with somebody who is no machine of ours.
fn stranger(village: &mut Village) -> Link {
    let link = Link(village.fresh());
    village.handle(0, Input::Opened { link, peer: PeerId(vec![99; 8]), dialer: false });
    village.handle(0, Input::Bytes(link, crate::codec::encode(&Frame::Hello { version: 1, salt: Salt([1; 32]) })));
    link
}

fn knows(village: &Village, link: Link) -> bool {
    village.machines[0].node.rooms.sessions.contains_key(&link)
}

#[test]
fn w2_a_stream_on_which_nothing_is_proved_is_closed() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let link = stranger(&mut village);
    let friends = village.machines[0].node.rooms.sessions.len() - 1;
    assert!(friends > 0 && knows(&village, link));
    village.now = village.now.plus(STRANGER_MILLIS);
    village.settle();
    assert!(!knows(&village, link), "it is still open");
    assert_eq!(village.machines[0].node.rooms.sessions.len(), friends, "those who proved themselves stay");
}

#[test]
fn n9_a_stranger_is_cut_off_after_so_many_frames() {
    let mut village = Village::new(1);
    village.found(control::NewCircle::default());
    let link = stranger(&mut village);
    let intro = crate::codec::encode(&Frame::Intro(Bytes(vec![7; 9_000])));
    for _ in 0..STRANGER_FRAMES {
        village.handle(0, Input::Bytes(link, intro.clone()));
    }
    assert!(!knows(&village, link));
    let link = stranger(&mut village);
    village.handle(0, Input::Bytes(link, crate::codec::encode(&Frame::Tokens(vec![Token([1; 16])]))));
    assert!(knows(&village, link), "a few frames are anybody's right");
}

#[test]
fn m14_whoever_is_told_to_wait_asks_again_later_and_comes_in() {
    let mut village = Village::new(2);
    village.found(control::NewCircle { approval: "none".into(), ..Default::default() });
    let link = village.link();
    for _ in 0..TICKET_TRIES {
        let seen = village.call(1, Command::PreviewInvite(link.clone()));
        assert!(matches!(seen, Ok(Answer::Preview(_))), "{seen:?}");
    }
    let refused = village.call(1, Command::PreviewInvite(link.clone())).expect_err("too many tries");
    assert!(refused.message.contains("too many"), "{refused:?}");
    let accept = Accept { link, confirm: true, ..Default::default() };
    village.call(1, Command::Accept(accept)).expect("a join begins");
    let status = |village: &Village| match village.ask(1, Query::Joins) {
        Answer::Joins(joins) => joins.first().map(|join| join.status),
        other => panic!("{other:?}"),
    };
    assert_eq!(status(&village), Some(JoinStatus::Contacting));
    village.now = village.now.plus(MINUTE);
    village.settle();
    assert_eq!(status(&village), Some(JoinStatus::Joined));
}

#[test]
fn m14_a_crowd_of_peer_ids_keeps_no_honest_one_out() {
    let mut tries = crate::sync::welcome::Tries::default();
    for number in 0..10_000_u32 {
        assert!(tries.one_more(&PeerId(number.to_be_bytes().to_vec()), Millis(u64::from(number))));
    }
    let honest = PeerId(vec![1; 8]);
    for _ in 0..TICKET_TRIES {
        assert!(tries.one_more(&honest, Millis(10_000)));
    }
    assert!(!tries.one_more(&honest, Millis(10_000)));
    assert!(tries.one_more(&honest, Millis(10_000 + MINUTE)));
}
