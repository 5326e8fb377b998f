//! What ticket holders may cost: streams, frames, requests; and what a link's other side may cost anyone who follows it.

use std::cell::Cell;

use super::strangers::{SALT, stream_of};
use super::*;
use crate::circle::ticket::Ticket;
use crate::crypto::{Crypto, DeviceSecrets, SigningKey};
use crate::id::{CircleId, DeviceId};
use crate::limits::{ACT_BYTES, FRAME_ACTS, GUEST_FRAMES, GUEST_MILLIS, GUESTS, HEADS, WELCOME_PARTS};
use crate::peer::frame::{RequestBody, TicketAnswer, TicketProof, Token};
use crate::peer::requests::RequestRow;
use crate::peer::{tickets, welcome};
use crate::private::Private;
use crate::store::{Rows, Table};
use crate::sync::message::{Acts, Bytes, Request, SealedRequest};

/// A store that counts the bytes that are read of requests.
struct Counting<'a> {
    store: &'a MemoryStore,
    read: Cell<usize>,
}

impl Read for Counting<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.store.get(table, key)?;
        if table == Table::Outbox {
            self.read.set(self.read.get() + found.as_ref().map_or(0, Vec::len));
        }
        Ok(found)
    }

    fn scan(&self, table: Table, prefix: &[u8], after: &[u8], limit: usize) -> Result<Rows, StoreError> {
        let found = self.store.scan(table, prefix, after, limit)?;
        if table == Table::Outbox {
            self.read.set(self.read.get() + found.iter().map(|(_, value)| value.len()).sum::<usize>());
        }
        Ok(found)
    }

    fn scan_back(&self, table: Table, prefix: &[u8], before: &[u8], limit: usize) -> Result<Rows, StoreError> {
        self.store.scan_back(table, prefix, before, limit)
    }

    fn search(&self, terms: &[Vec<String>], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.store.search(terms, limit)
    }
}

fn guest(number: u16) -> PeerId {
    PeerId([&[88; 6][..], &number.to_be_bytes()].concat())
}

fn device(number: u16) -> SigningKey {
    SigningKey::generate(&mut Seeded::new(5_000 + u64::from(number)))
}

impl Village {
    /// A stream on which somebody proved a link's ticket to machine 0.
    fn asks(&mut self, link: &str, number: u16) -> Link {
        let stream = stream_of(self, 0, guest(number));
        let (key, device) = (Ticket::parse(link).expect("a link").key(), device(number));
        let salt = self.machines[0].node.state.peers.sessions[&stream].my_salt;
        let bound = tickets::proof_parts((&guest(number), &SALT), (&peer(0), &salt), &device.id());
        let sign = |key: &SigningKey| Real.sign(key, tickets::TICKET, &[&bound]);
        let (signature, device_signature) = (sign(&key), sign(&device));
        let proof = TicketProof { key: key.id(), signature, device: device.id(), device_signature };
        self.handle(0, Input::Bytes(stream, crate::codec::encode(&Frame::Ticket(proof))));
        stream
    }

    fn waiting(&self) -> usize {
        let id = *self.machines[0].node.state.circles.all.keys().next().expect("a circle");
        RequestRow::all(&self.machines[0].store, &id).expect("reads").len()
    }

    fn is_open(&self, link: Link) -> bool {
        self.machines[0].node.state.peers.sessions.contains_key(&link)
    }

    fn open_link(&mut self, uses: u32) -> String {
        let new = control::NewInvite { uses, ..Default::default() };
        match self.call(0, Command::NewInvite("-".into(), new)) {
            Ok(Answer::Invite(invite)) => invite.link.expect("a link"),
            other => panic!("{other:?}"),
        }
    }
}

/// As large as it may be; sealed to nobody here.
fn garbage(link: &str, number: u16, to: impl Fn(u8) -> DeviceId) -> Request {
    let many = u8::try_from(HEADS).expect("few");
    let sealed = (0..many).map(|n| SealedRequest { to: to(n), sealed: vec![n; 8 << 10] }).collect();
    Request { ticket: Ticket::parse(link).expect("a link").key().id(), device: device(number).id(), sealed, taken_back: None }
}

#[test]
fn one_more_request_reads_none_of_those_that_wait() {
    let mut village = Village::new(1);
    village.found(control::NewCircle::default());
    let links: Vec<String> = (0..4).map(|_| village.open_link(100)).collect();
    let mut last = None;
    for number in 0..60_u16 {
        let link = &links[usize::from(number) / 15];
        let stream = village.asks(link, number);
        let frame = crate::codec::encode(&Frame::Request(garbage(link, number, |n| DeviceId([n; 32]))));
        village.handle(0, Input::Bytes(stream, frame.clone()));
        last = Some((stream, frame));
    }
    assert_eq!(village.waiting(), 60);
    let (stream, frame) = last.expect("some");
    let machine = &mut village.machines[0];
    let store = Counting { store: &machine.store, read: Cell::new(0) };
    let mut batch = Turn::default();
    let mut env = Env { now: village.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
    machine.node.handle(&mut env, &store, &mut batch, Input::Bytes(stream, frame)).expect("handled");
    assert!(store.read.get() < 2 * ACT_BYTES, "{} bytes were read", store.read.get());
}

#[test]
fn what_is_known_of_requests_is_what_stands_in_the_store() {
    let mut village = Village::new(1);
    village.found(control::NewCircle::default());
    let link = village.open_link(100);
    for number in 0..20 {
        let stream = village.asks(&link, number);
        let frame = crate::codec::encode(&Frame::Request(garbage(&link, number, |n| DeviceId([n; 32]))));
        village.handle(0, Input::Bytes(stream, frame));
    }
    assert_eq!(village.waiting(), 16, "by one ticket");
    let id = *village.machines[0].node.state.circles.all.keys().next().expect("a circle");
    let known = |village: &Village| village.machines[0].node.state.peers.requests.of(&id).count();
    assert_eq!(known(&village), 16);
    village.online(0);
    assert_eq!(known(&village), 16, "after a restart");
    let Answer::Invites(invites) = village.ask(0, Query::Invites("-".into())) else { panic!("no list") };
    village.call(0, Command::RevokeInvite("-".into(), invites[0].id.clone())).expect("closed");
    assert_eq!((known(&village), village.waiting()), (0, 0), "a closed invite's are forgotten");
}

#[test]
fn a_request_that_cannot_be_opened_takes_no_other_with_it() {
    let mut village = Village::new(2);
    village.found(control::NewCircle { approval: "none".into(), ..Default::default() });
    village.join(1);
    let link = village.open_link(100);
    let key = Ticket::parse(&link).expect("a link").key();
    let circle = village.machines[0].node.state.circles.all.values().next().expect("a circle");
    let (id, steward, suite) = (circle.id(), circle.device(), circle.suite());
    let hpke = circle.keys_of(&steward).expect("known").hpke.clone();
    let secrets = DeviceSecrets::generate(&mut Seeded::new(9), suite);
    let keys = secrets.keys();
    let bound = crate::codec::encode(&(id, &keys, &None::<crate::circle::record::Digest>));
    let body = RequestBody {
        keys,
        name: Private("Chioma".into()),
        agreement: None,
        ticket_signature: welcome::sign_request(&Real, &key, &bound),
        signature: welcome::sign_request(&Real, &secrets.sign, &bound),
    };
    let info = crate::codec::encode(&(welcome::REQUEST, id, steward));
    let sealed = Real.box_seal(&mut Seeded::new(10), suite, &hpke, &info, &crate::codec::encode(&body)).expect("sealed");
    let sealed = vec![SealedRequest { to: steward, sealed }];
    let good = Request { ticket: key.id(), device: secrets.sign.id(), sealed, taken_back: None };
    let bad = garbage(&link, 1, |n| if n == 0 { steward } else { DeviceId([n; 32]) });
    let sessions = village.machines[0].node.state.peers.sessions.iter().rev();
    let mut tokens = sessions.filter_map(|(link, session)| Some((*link, session.circles.values().find(|s| s.proved)?.theirs)));
    let (stream, token): (Link, Token) = tokens.next().expect("Bea's");
    let frame = crate::codec::encode(&Frame::Circle(token, Message::Requests(vec![bad, good])));
    village.handle(0, Input::Bytes(stream, frame));
    assert!(village.machines[0].node.state.circles.all[&id].is_current(&secrets.sign.id()), "the good one is not in");
    assert_eq!(village.waiting(), 0, "the bad one waits");
    assert!(village.is_open(stream));
}

#[test]
fn only_who_asked_takes_a_request_back_and_its_words_go() {
    let mut village = Village::new(1);
    village.found(control::NewCircle::default());
    let link = village.open_link(100);
    let id = *village.machines[0].node.state.circles.all.keys().next().expect("a circle");
    let stream = village.asks(&link, 1);
    let asked = garbage(&link, 1, |n| DeviceId([n; 32]));
    village.handle(0, Input::Bytes(stream, crate::codec::encode(&Frame::Request(asked.clone()))));
    let (ticket, me) = (asked.ticket, asked.device);
    let row = |village: &Village| RequestRow::get(&village.machines[0].store, &id, &me).expect("reads").expect("it is kept");
    let sign =
        |by: u16, circle: CircleId| Real.sign(&device(by), welcome::TAKEN_BACK, &[&crate::codec::encode(&(circle, ticket, me))]);
    for (signature, waits) in [(sign(2, id), true), (sign(1, CircleId([0; 32])), true), (sign(1, id), false)] {
        let back = Request { sealed: Vec::new(), taken_back: Some(signature), ..asked.clone() };
        village.handle(0, Input::Bytes(stream, crate::codec::encode(&Frame::Request(back))));
        assert_eq!(row(&village).waits(), waits);
    }
    let kept = row(&village).request;
    assert!(kept.sealed.len() == HEADS && kept.sealed.iter().all(|sealed| sealed.sealed.is_empty()), "only whom it went to");
    // It does not come in again, from anybody who kept it.
    village.handle(0, Input::Bytes(stream, crate::codec::encode(&Frame::Request(asked))));
    assert!(!row(&village).waits());
}

#[test]
fn a_ticket_holders_stream_ends_and_takes_so_many_frames() {
    let mut village = Village::new(1);
    village.found(control::NewCircle::default());
    let link = village.open_link(100);
    let stream = village.asks(&link, 1);
    village.now = village.now.plus(GUEST_MILLIS - 1_000);
    village.handle(0, Input::Tick);
    assert!(village.is_open(stream), "there is time to ask and wait");
    village.now = village.now.plus(1_000);
    village.handle(0, Input::Tick);
    assert!(!village.is_open(stream), "it is open for good");
    let stream = village.asks(&link, 2);
    let frame = crate::codec::encode(&Frame::Taken(1));
    for _ in 0..=GUEST_FRAMES {
        village.handle(0, Input::Bytes(stream, frame.clone()));
    }
    assert!(!village.is_open(stream), "it takes frames without end");
}

#[test]
fn a_crowd_of_ticket_holders_keeps_no_other_out() {
    let mut village = Village::new(2);
    village.found(control::NewCircle { approval: "none".into(), ..Default::default() });
    let link = village.open_link(1_000);
    let most = u16::try_from(GUESTS).expect("few");
    let streams: Vec<Link> = (0..most + 5).map(|number| village.asks(&link, number)).collect();
    let open = streams.iter().filter(|stream| village.is_open(**stream)).count();
    assert_eq!(open, GUESTS);
    assert!(village.is_open(*streams.last().expect("some")), "who came last is heard");
    village.join(1);
    assert_eq!(village.members(0).len(), 2);
}

/// Machine 1 asks machine 0 to let it in and waits: its stream, and the circle.
fn newcomer(village: &mut Village) -> (Link, CircleId) {
    village.found(control::NewCircle::default());
    let link = village.link();
    let accept = control::Accept { link: link.clone(), confirm: true, ..Default::default() };
    village.call(1, Command::Accept(accept)).expect("asked");
    let stream = *village.machines[1].node.state.peers.sessions.keys().next_back().expect("a stream");
    (stream, Ticket::parse(&link).expect("a link").circle)
}

#[test]
fn a_welcome_has_an_end() {
    let mut village = Village::new(2);
    let (stream, _) = newcomer(&mut village);
    let part = |acts| crate::codec::encode(&Frame::Answer(TicketAnswer::Welcome(Acts { keys: None, acts }, Vec::new())));
    for _ in 0..WELCOME_PARTS {
        village.handle(1, Input::Bytes(stream, part(Vec::new())));
    }
    assert!(village.machines[1].node.state.peers.sessions.contains_key(&stream));
    village.handle(1, Input::Bytes(stream, part(Vec::new())));
    assert!(!village.machines[1].node.state.peers.sessions.contains_key(&stream), "it goes on for good");
}

#[test]
fn what_came_with_a_join_goes_with_it() {
    let mut village = Village::new(2);
    let (_, id) = newcomer(&mut village);
    let mut batch = Turn::default();
    for table in [Table::Act, Table::Epoch, Table::Record] {
        let mut tx = Tx::new(&village.machines[1].store, &batch);
        (0..700_u16).for_each(|n| tx.put(table, &[&id.0[..], &n.to_be_bytes()].concat(), vec![1]));
        tx.put(table, &[9; 40], vec![1]);
        tx.finish().join(&mut batch);
    }
    village.machines[1].store.commit(&batch.writes).expect("memory never fails");
    village.call(1, Command::AbandonJoin("-".into())).expect("abandoned");
    for table in [Table::Act, Table::Epoch, Table::Record] {
        let left = village.machines[1].store.scan(table, &[], &[], 2_000).expect("reads");
        assert_eq!(left.len(), 1, "another circle's stays, and nothing else");
    }
}

#[test]
fn a_frame_holds_so_many_acts_and_no_more() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let sessions = village.machines[0].node.state.peers.sessions.iter().rev();
    let mut tokens = sessions.filter_map(|(link, session)| Some((*link, session.circles.values().find(|s| s.proved)?.theirs)));
    let (stream, token): (Link, Token) = tokens.next().expect("Bea's");
    let id = *village.machines[0].node.state.circles.all.keys().next().expect("a circle");
    let known = crate::circle::act::acts(&village.machines[0].store, &id).expect("reads").remove(0);
    let frame = |many| {
        let acts = Acts { keys: None, acts: vec![Bytes(known.bytes().to_vec()); many] };
        crate::codec::encode(&Frame::Circle(token, Message::Acts(acts)))
    };
    village.handle(0, Input::Bytes(stream, frame(FRAME_ACTS)));
    assert!(village.is_open(stream));
    let before = village.sent;
    village.handle(0, Input::Bytes(stream, frame(FRAME_ACTS + 1)));
    assert!(!village.is_open(stream), "as many as fit into a mebibyte");
    assert_eq!(village.sent, before, "nothing is acknowledged");
}

#[test]
fn an_invite_made_right_after_a_start_says_where_this_machine_was_last() {
    let mut village = Village::new(1);
    village.found(control::NewCircle::default());
    let before = Ticket::parse(&village.link()).expect("a link").hints;
    assert!(before.iter().all(|hint| !hint.addresses.is_empty()));
    let machine = &mut village.machines[0];
    machine.node = Node::open(&machine.store, &Real, machine.peer.clone()).expect("opens again");
    assert_eq!(Ticket::parse(&village.link()).expect("a link").hints, before);
}

#[test]
fn a_machine_that_nobody_can_reach_makes_no_invite() {
    let mut village = Village::new(1);
    village.found(control::NewCircle::default());
    village.queue.push_back((0, Input::Listening(Vec::new())));
    village.settle();
    let refused = village.call(0, Command::NewInvite("-".into(), control::NewInvite::default())).expect_err("no address");
    assert!(refused.message.contains("no address"), "{}", refused.message);
    let Answer::Invites(invites) = village.ask(0, Query::Invites("-".into())) else { panic!("no list") };
    assert!(invites.is_empty());
}
