//! Acts between nodes: many of them, large ones, and bad ones behind good ones.

use std::cell::RefCell;

use super::*;
use crate::circle::act::{ActBody, ActPlace, SealedAct, get_act, write_act};
use crate::circle::body::{Role, Statement};
use crate::circle::epoch::KeyRing;
use crate::crypto::SigningKey;
use crate::id::CircleId;
use crate::limits::{AGREEMENT_BYTES, CREDIT_BYTES, FRAME_BYTES};
use crate::store::{Rows, Table};
use crate::sync::message::{Acts, Bytes};

/// Acts that come to more than a stream may hold at once.
const MANY: usize = 3 * CREDIT_BYTES / AGREEMENT_BYTES + 40;

/// A store that remembers of which circles acts were read.
struct Watched<'a> {
    store: &'a MemoryStore,
    read: RefCell<Vec<Vec<u8>>>,
}

impl Read for Watched<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(table, key)
    }

    fn scan(&self, table: Table, prefix: &[u8], after: &[u8], limit: usize) -> Result<Rows, StoreError> {
        if table == Table::Act {
            self.read.borrow_mut().push(prefix.to_vec());
        }
        self.store.scan(table, prefix, after, limit)
    }

    fn scan_back(&self, table: Table, prefix: &[u8], before: &[u8], limit: usize) -> Result<Rows, StoreError> {
        self.store.scan_back(table, prefix, before, limit)
    }

    fn search(&self, terms: &[Vec<String>], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.store.search(terms, limit)
    }
}

impl Village {
    /// Amara changes the agreement so many times, to a long text each time.
    fn agree(&mut self, times: usize) {
        for number in 0..times {
            let agreement = format!("{number} {}", "Be kind. ".repeat(AGREEMENT_BYTES / 9 - 2));
            let edit = control::EditCircle { agreement: Some(agreement), ..Default::default() };
            self.call(0, Command::EditCircle("-".into(), edit)).expect("an edit");
        }
    }

    fn only(&self, at: usize) -> CircleId {
        *self.machines[at].node.state.circles.all.keys().next().expect("a circle")
    }

    /// An invite, signed by the machine's member, whose own node does not know of it.
    fn invite(&mut self, at: usize) -> SealedAct {
        let machine = &mut self.machines[at];
        let circle = machine.node.state.circles.all.values().next().expect("a circle");
        let epoch = circle.usable_epoch().expect("keys");
        let keys = circle.ring().epoch(&epoch).expect("held");
        let place = ActPlace::In { circle: circle.id(), parents: circle.heads(&epoch), epoch, roster: &keys.roster };
        let key = SigningKey::generate(&mut machine.rng).id();
        let statement = Statement::Invite { role: Role::Member, key, expires: self.now.plus(1_000), uses: 1 };
        let body = ActBody { at: self.now, statement, epoch: None };
        write_act(&Real, &mut machine.rng, circle.signer(), place, &body).expect("an act")
    }

    /// The stream on which a machine is proved in the circle, and the other side's name for it.
    fn friend(&self, at: usize) -> (Link, frame::Token) {
        let id = self.only(at);
        let sessions = &self.machines[at].node.state.peers.sessions;
        let proved = |(link, session): (&Link, &crate::peer::session::Session)| {
            session.circles.get(&id).filter(|shared| shared.proved).map(|shared| (*link, shared.theirs))
        };
        sessions.iter().find_map(proved).expect("a friend")
    }

    /// A machine takes a frame; of which circles did it read the acts?
    fn watched(&mut self, at: usize, input: Input) -> Vec<Vec<u8>> {
        let machine = &mut self.machines[at];
        let mut batch = Turn::default();
        let mut env = Env { now: self.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
        let watched = Watched { store: &machine.store, read: RefCell::default() };
        machine.node.handle(&mut env, &watched, &mut batch, input).expect("memory never fails");
        let read = watched.read.into_inner();
        machine.store.commit(&batch.writes).expect("memory never fails");
        batch.effects.into_iter().for_each(|effect| self.perform(at, effect));
        read
    }
}

#[test]
fn a_newcomer_comes_into_a_circle_with_many_large_acts() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.agree(MANY);
    village.join(1);
    assert_eq!(village.circle(1).heads, village.circle(0).heads);
    assert_eq!(village.dropped, 0, "streams were dropped");
    assert!(village.widest <= CREDIT_BYTES + 2 * FRAME_BYTES, "{} bytes waited on a stream", village.widest);
}

#[test]
fn who_was_away_catches_up_with_many_large_acts() {
    let mut village = circle_of_three();
    village.offline(2);
    village.agree(MANY);
    let before = village.sent;
    village.online(2);
    assert_eq!(village.circle(2).roster_hash, village.circle(0).roster_hash);
    assert_eq!(village.circle(2).heads, village.circle(0).heads);
    assert_eq!(village.dropped, 0, "streams were dropped");
    assert!(village.widest <= CREDIT_BYTES + 2 * FRAME_BYTES, "{} bytes waited on a stream", village.widest);
    // Either of the others sends what they lack, and what one brought they offer the other.
    let sent = village.sent - before;
    assert!(sent < 7 * MANY * AGREEMENT_BYTES / 2, "{sent} bytes for {} of acts", MANY * AGREEMENT_BYTES);
}

#[test]
fn keys_made_again_and_again_arrive_with_their_acts() {
    let mut village = Village::new(2);
    village.found(control::NewCircle { history: "all".into(), ..Default::default() });
    let rotations = 3 * crate::limits::BOX_EPOCHS;
    let machine = &mut village.machines[0];
    let mut batch = Turn::default();
    for _ in 0..rotations {
        let mut env = Env { now: village.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
        let mut cx = Cx::new(Tx::new(&machine.store, &batch), &mut env);
        machine.node.state.circles.all.values_mut().next().expect("a circle").rotate(&mut cx).expect("new keys");
        cx.tx.finish().join(&mut batch);
    }
    machine.store.commit(&batch.writes).expect("memory never fails");
    village.note(0, "", "under the newest keys");
    village.join(1);
    assert_eq!(village.bodies(1), ["under the newest keys"]);
    let held = |at: usize| village.machines[at].node.state.circles.all.values().next().map(|circle| circle.ring().iter().count());
    assert_eq!(held(1), held(0), "keys are missing");
    assert!(held(0) > Some(rotations));
}

#[test]
fn what_is_good_before_something_bad_is_kept_and_nothing_is_read_again() {
    let mut village = circle_of_three();
    let steward = Command::SetRole("-".into(), "Bea".into(), control::SetRole::to(control::Role::Steward));
    village.call(0, steward).expect("a role");
    let id = village.only(0);
    let good = village.invite(1);
    let mut bad = good.bytes().to_vec();
    *bad.last_mut().expect("bytes") ^= 1;
    for garbage in [vec![7; 100], bad] {
        let good = village.invite(1);
        let (link, token) = village.friend(0);
        let acts = Acts { keys: None, acts: vec![Bytes(good.bytes().to_vec()), Bytes(garbage)] };
        let frame = crate::codec::encode(&Frame::Circle(token, Message::Acts(acts)));
        assert_eq!(village.watched(0, Input::Bytes(link, frame.clone())), Vec::<Vec<u8>>::new(), "acts were read again");
        assert!(matches!(get_act(&village.machines[0].store, &id, &good.id()), Ok(Some(_))), "the good act is lost");
        assert!(!village.machines[0].node.state.peers.sessions.contains_key(&link), "the stream goes on");
        assert_eq!(village.watched(0, Input::Bytes(link, frame)), Vec::<Vec<u8>>::new());
        village.online(1);
    }
    for at in 1..3 {
        assert_eq!(village.circle(at).heads, village.circle(0).heads);
        assert_eq!(village.circle(at).roster_hash, village.circle(0).roster_hash);
    }
}

#[test]
fn what_one_input_spoilt_is_read_again_and_no_other_circle() {
    let mut village = circle_of_three();
    let first = village.only(0);
    let new = control::NewCircle { name: "Day shift".into(), ..Default::default() };
    village.call(0, Command::NewCircle(new)).expect("another circle");
    let (link, _) = village.friend(0);
    village.machines[0].node.state.circles.all.get_mut(&first).expect("there").change();
    assert_eq!(village.watched(0, Input::Bytes(link, vec![7; 100])), [first.0.to_vec()]);
}
