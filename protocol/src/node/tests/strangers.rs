//! What strangers may cost: time, frames, tries with a ticket; and what anyone who was told to wait does.

use super::*;
use crate::circle::ticket::Ticket;
use crate::control::Accept;
use crate::crypto::{Crypto, SigningKey};
use crate::limits::{STRANGER_FRAMES, STRANGER_MILLIS, TICKET_TRIES};
use crate::peer::frame::{Refusal, Salt, TicketAnswer, TicketProof, Token};
use crate::peer::tickets;
use crate::sync::message::Bytes;
use crate::time::{HOUR, MINUTE};

pub(super) const SALT: Salt = Salt([1; 32]);

pub(super) fn eve() -> PeerId {
    PeerId(vec![99; 8])
}

/// A link of machine 0 with somebody who is no machine of ours.
fn stranger(village: &mut Village) -> Link {
    stranger_at(village, 0)
}

pub(super) fn stranger_at(village: &mut Village, at: usize) -> Link {
    stream_of(village, at, eve())
}

/// A link of a machine with somebody of this peer id.
pub(super) fn stream_of(village: &mut Village, at: usize, peer: PeerId) -> Link {
    let link = Link(village.fresh());
    village.handle(at, Input::Opened { link, peer, dialer: false });
    village.handle(at, Input::Bytes(link, crate::codec::encode(&Frame::Hello { version: 1, salt: SALT })));
    link
}

/// A machine takes a frame of somebody's; what it does.
fn does(village: &mut Village, at: usize, link: Link, frame: &Frame) -> Vec<Effect> {
    let machine = &mut village.machines[at];
    let mut batch = Turn::default();
    let mut env = Env { now: village.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
    machine.node.handle(&mut env, &machine.store, &mut batch, Input::Bytes(link, crate::codec::encode(frame))).expect("handled");
    machine.store.commit(&batch.writes).expect("memory never fails");
    batch.effects
}

/// The frames that it sends there.
pub(super) fn sent(village: &mut Village, at: usize, link: Link, frame: &Frame) -> Vec<Frame> {
    let mut sent = Vec::new();
    for effect in does(village, at, link, frame) {
        match effect {
            Effect::Send(to, bytes) if to == link => sent.push(crate::codec::decode(&bytes, "frame").expect("a frame")),
            effect => village.perform(at, effect),
        }
    }
    sent
}

/// What can be seen from outside when a machine is sent this: the frames it sends there, tokens aside, and what becomes of the
/// stream.
pub(super) fn seen(village: &mut Village, at: usize, link: Link, frame: &Frame) -> Vec<String> {
    let mut seen = Vec::new();
    for effect in does(village, at, link, frame) {
        match effect {
            Effect::Send(to, bytes) if to == link => seen.push(match crate::codec::decode(&bytes, "frame").expect("a frame") {
                Frame::Tokens(tokens) => format!("{} tokens", tokens.len()),
                frame => format!("{frame:?}"),
            }),
            Effect::Widen(to) | Effect::Close(to) if to == link => seen.push(format!("{effect:?}")),
            effect => village.perform(at, effect),
        }
    }
    let ends = village.machines[at].node.state.peers.sessions.get(&link).map(crate::peer::session::Session::ends);
    seen.push(format!("ends {ends:?}"));
    seen
}

/// A ticket's key, proved by a device on a link with that machine.
fn proof(village: &Village, at: usize, link: Link, ticket: &SigningKey, device: &SigningKey) -> Frame {
    let salt = village.machines[at].node.state.peers.sessions[&link].my_salt;
    let bound = tickets::proof_parts((&eve(), &SALT), (&peer(at), &salt), &device.id());
    let sign = |key: &SigningKey| Real.sign(key, tickets::TICKET, &[&bound]);
    let (signature, device_signature) = (sign(ticket), sign(device));
    Frame::Ticket(TicketProof { key: ticket.id(), signature, device: device.id(), device_signature })
}

/// What a machine shows to anyone who proves a link's key with that device, on a fresh stream.
fn told(village: &mut Village, at: usize, link: &str, device: &SigningKey) -> Vec<String> {
    let key = Ticket::parse(link).expect("a link").key();
    let stream = stranger_at(village, at);
    let proof = proof(village, at, stream, &key, device);
    seen(village, at, stream, &proof)
}

/// Amara's circle with Bea in it; Chioma is let in by the link; Dalia is in no circle.
fn with_a_used_link() -> (Village, String) {
    let mut village = Village::new(4);
    village.found(control::NewCircle { approval: "none".into(), ..Default::default() });
    village.join(1);
    let link = village.link();
    let accept = Accept { link: link.clone(), confirm: true, ..Default::default() };
    village.call(2, Command::Accept(accept)).expect("joins");
    assert_eq!(village.members(1).len(), 3);
    (village, link)
}

/// What somebody says who is in no circle at all.
fn nothing() -> String {
    format!("{:?}", Frame::Answer(TicketAnswer::Refused(Refusal::Unknown)))
}

#[test]
fn an_old_link_tells_of_nobody_but_its_maker() {
    let (mut village, used) = with_a_used_link();
    let closed = village.link();
    let Answer::Invites(invites) = village.ask(0, Query::Invites("-".into())) else { panic!("no list") };
    let open = invites.iter().find(|invite| invite.status == control::InviteStatus::Open).expect("the newest");
    village.call(0, Command::RevokeInvite("-".into(), open.id.clone())).expect("closed");
    let ended = village.link();
    let anybody = SigningKey::generate(&mut Seeded::new(77));
    let fresh = told(&mut village, 0, &ended, &anybody);
    assert!(fresh[0].contains("Widen") && fresh[1].contains("Card"), "its maker shows an open one's card: {fresh:?}");
    assert!(told(&mut village, 1, &ended, &anybody)[0] == nothing(), "and nobody else does");
    village.now = village.now.plus(100 * HOUR);
    village.settle();
    for (link, why) in [(used, Refusal::Used), (closed, Refusal::Closed), (ended, Refusal::Expired)] {
        let maker = told(&mut village, 0, &link, &anybody);
        assert_eq!(maker[0], format!("{:?}", Frame::Answer(TicketAnswer::Refused(why))));
        assert!(maker[1].starts_with("ends Some(Some("), "nothing is open to its holder: {maker:?}");
        let outside = told(&mut village, 3, &link, &anybody);
        assert_eq!((outside.len(), outside[0].as_str()), (2, nothing().as_str()));
        for member in [1, 2] {
            assert_eq!(told(&mut village, member, &link, &anybody), outside, "machine {member} tells that it is in");
        }
    }
}

#[test]
fn an_old_link_tells_a_removed_member_of_nobody_but_its_maker() {
    let (mut village, link) = with_a_used_link();
    let theirs = village.machines[2].node.state.circles.all.values().next().expect("theirs").signer().clone();
    assert!(told(&mut village, 1, &link, &theirs)[0].contains("Widen"), "anyone who is in, is");
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    let outside = told(&mut village, 3, &link, &theirs);
    assert_eq!(told(&mut village, 1, &link, &theirs), outside);
}

fn knows(village: &Village, link: Link) -> bool {
    village.machines[0].node.state.peers.sessions.contains_key(&link)
}

#[test]
fn w2_a_stream_on_which_nothing_is_proved_is_closed() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let link = stranger(&mut village);
    let friends = village.machines[0].node.state.peers.sessions.len() - 1;
    assert!(friends > 0 && knows(&village, link));
    village.now = village.now.plus(STRANGER_MILLIS);
    village.settle();
    assert!(!knows(&village, link), "it is still open");
    assert_eq!(village.machines[0].node.state.peers.sessions.len(), friends, "those who proved themselves stay");
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
fn m14_who_is_told_to_wait_asks_again_later_and_comes_in() {
    let mut village = Village::new(2);
    village.found(control::NewCircle { approval: "none".into(), ..Default::default() });
    let link = village.link();
    for _ in 0..TICKET_TRIES {
        let seen = village.call(1, Command::PreviewInvite(link.clone()));
        assert!(matches!(seen, Ok(Answer::Preview(_))), "{seen:?}");
    }
    let refused = village.call(1, Command::PreviewInvite(link.clone())).expect_err("too many tries");
    assert!(refused.message.contains("Too many"), "{refused:?}");
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
    let mut tries = crate::peer::tries::Tries::default();
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
