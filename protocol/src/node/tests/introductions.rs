//! Who is told anything in answer to an introduction. Everybody who was ever in a circle can seal one, for ever.

use super::strangers::{SALT, eve, seen, sent, stranger_at, stream_of};
use super::*;
use crate::circle::act::{self, ActBody, ActPlace, SealedAct, write_act};
use crate::circle::body::Statement;
use crate::circle::epoch::KeyRing;
use crate::circle::record::Record;
use crate::circle::state::CircleState;
use crate::crypto::{self, Crypto, Key};
use crate::id::ActId;
use crate::limits;
use crate::peer::frame::{Gone, Introduction};
use crate::peer::hello;
use crate::sync::message::Bytes;
use crate::time::DAY;

/// What somebody keeps of a circle that they are in: what they need to introduce themselves, whatever became of them.
struct Kept {
    circle: CircleState,
    store: MemoryStore,
    key: Key,
}

impl Kept {
    fn of(village: &Village, at: usize) -> Self {
        let store = village.machines[at].store.clone();
        let node = Node::open(&store, &Real, peer(at)).expect("opens");
        let circle = node.state.circles.all.into_values().next().expect("a circle");
        let key = hello::meeting_key(&circle).expect("anyone who is in has it");
        Self { circle, store, key }
    }

    fn intro(&self, acts: &[SealedAct], record: Vec<u8>, gone: Option<Gone>) -> Frame {
        let acts = acts.iter().map(|act| Bytes(act.bytes().to_vec())).collect();
        let plain = crate::codec::encode(&Introduction { acts, record: Bytes(record), gone });
        Frame::Intro(Bytes(crypto::seal(&self.key, &mut Seeded::new(5), &SALT.0, &plain)))
    }

    fn acts(&self) -> Vec<SealedAct> {
        let read = |id: &ActId| act::get_act(&self.store, &self.circle.id(), id).expect("reads").expect("is there");
        self.circle.judged().iter().map(read).collect()
    }

    /// A record of this device, newer than any before, that names this peer.
    fn record(&self, peer: PeerId) -> Vec<u8> {
        let device = self.circle.device();
        let known = self.circle.record_of(&device).expect("it had one");
        let (epoch, keys) = self.circle.ring().iter().next().map(|(id, row)| (*id, row.keys.clone())).expect("keys");
        let body = crate::circle::record::RecordBody { peer, ..known.body.clone() };
        let signer = self.circle.signer();
        let count = known.count + 1;
        Record::write(&Real, &mut Seeded::new(6), &self.circle.id(), signer, (&epoch, &keys.roster), count, body).bytes
    }

    /// A leave, written as if nothing had happened since.
    fn leave(&self, at: Millis) -> SealedAct {
        let epoch = self.circle.usable_epoch().expect("keys");
        let keys = self.circle.ring().epoch(&epoch).expect("held");
        let place = ActPlace::In { circle: self.circle.id(), parents: self.circle.heads(&epoch), epoch, roster: &keys.roster };
        let body = ActBody { at, statement: Statement::Leave, epoch: None };
        write_act(&Real, &mut Seeded::new(7), self.circle.signer(), place, &body).expect("an act")
    }

    /// The device's own word on a stream between Eve and a machine, for anyone who has this peer id.
    fn gone(&self, village: &Village, (at, link): (usize, Link), us: PeerId) -> Gone {
        let salt = village.machines[at].node.state.peers.sessions[&link].my_salt;
        let device = self.circle.device();
        let eve = eve();
        let circle = self.circle.id();
        let parts = hello::parts(&circle, &device, (&eve, &SALT), (&us, &salt));
        Gone { device, signature: Real.sign(self.circle.signer(), hello::GONE, &parts) }
    }
}

/// What a machine shows Eve in answer to an introduction on a fresh stream.
fn answer_to(village: &mut Village, at: usize, make: impl Fn(&Village, Link) -> Frame) -> Vec<String> {
    let link = stranger_at(village, at);
    let intro = make(village, link);
    seen(village, at, link, &intro)
}

/// Amara and Chioma were in, Chioma was removed, then Bea came. Dalia is in no circle.
fn removed() -> (Village, Kept) {
    let mut village = Village::new(4);
    village.found(control::NewCircle::default());
    village.join(2);
    let kept = Kept::of(&village, 2);
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    village.offline(2);
    village.join(1);
    (village, kept)
}

#[test]
fn an_introduction_by_somebody_who_is_out_tells_of_nobody() {
    let (mut village, kept) = removed();
    let all = kept.acts();
    let old = kept.circle.record_of(&kept.circle.device()).expect("theirs").bytes.clone();
    let leave = kept.leave(village.now);
    let introductions = [
        ("nothing at all", kept.intro(&[], Vec::new(), None)),
        ("all that they knew", kept.intro(&all, old.clone(), None)),
        ("a record with a new peer id", kept.intro(&all, kept.record(eve()), None)),
        ("somebody's leave", kept.intro(&[all.as_slice(), std::slice::from_ref(&leave)].concat(), old, None)),
    ];
    for (what, intro) in introductions {
        let outside = answer_to(&mut village, 3, |_, _| intro.clone());
        assert_eq!(outside.len(), 1, "only when the stream ends is to be seen: {outside:?}");
        for at in [0, 1] {
            assert_eq!(answer_to(&mut village, at, |_, _| intro.clone()), outside, "{what}, at machine {at}");
        }
        // From the peer id that was theirs, too: who knew it said in the hello what is to be said.
        for at in [0, 1] {
            let link = stream_of(&mut village, at, peer(2));
            assert_eq!(seen(&mut village, at, link, &intro).len(), 1, "{what}, at machine {at}");
        }
    }
}

#[test]
fn a_leave_is_noted_to_the_device_itself_and_by_those_whom_it_knew() {
    let (mut village, kept) = removed();
    let acts = [kept.acts(), vec![kept.leave(village.now)]].concat();
    let proved = |at: usize, to: usize| {
        let (kept, acts) = (&kept, &acts);
        move |village: &Village, link: Link| kept.intro(acts, Vec::new(), Some(kept.gone(village, (at, link), peer(to))))
    };
    assert_eq!(answer_to(&mut village, 1, proved(1, 1)).len(), 1, "Bea came later");
    let told = answer_to(&mut village, 0, proved(0, 0));
    assert!(told[0].contains("Farewell"), "Amara knew them, and they did not know of their removal: {told:?}");
    let elsewhere = answer_to(&mut village, 0, proved(0, 1));
    assert_eq!(elsewhere.len(), 1, "what was signed for another stream is nobody's word");
    village.now = village.now.plus(91 * DAY);
    assert_eq!(answer_to(&mut village, 0, proved(0, 0)).len(), 1, "and not for ever");
}

#[test]
fn a_removed_member_sees_after_a_time_what_anybody_sees() {
    let (mut village, kept) = removed();
    // A stream of theirs to Amara, who knows their peer id: do they name the circle by a token that Chioma can find?
    let named = |village: &mut Village| {
        let link = Link(village.fresh());
        village.handle(0, Input::Opened { link, peer: peer(2), dialer: false });
        let salt = village.machines[0].node.state.peers.sessions[&link].my_salt;
        let amara = kept.circle.others()[0];
        let shared = kept.circle.shared_with(&amara).expect("keys");
        let expected = hello::token(&shared, &kept.circle.id(), (&peer(0), &salt), (&peer(2), &SALT));
        let sent = sent(village, 0, link, &Frame::Hello { version: 1, salt: SALT });
        assert!(!sent.is_empty());
        sent.iter().any(|frame| matches!(frame, Frame::Tokens(tokens) if tokens.contains(&expected)))
    };
    assert!(named(&mut village), "they have to be told");
    village.now = village.now.plus(91 * DAY);
    assert!(!named(&mut village), "and then no more");
}

#[test]
fn an_introduction_is_tried_as_often_in_every_home() {
    let mut village = Village::new(2);
    let tries = |village: &Village, at: usize| hello::meeting_keys(&village.machines[at].node.state.circles).len();
    village.found(control::NewCircle::default());
    for number in 1..4 {
        let new = control::NewCircle { name: format!("Circle {number}"), ..Default::default() };
        village.call(0, Command::NewCircle(new)).expect("another circle");
    }
    assert_eq!((tries(&village, 0), tries(&village, 1)), (limits::CIRCLES, limits::CIRCLES));
}

/// Chioma came and went while Bea was away, and nobody has passed on what Chioma says of themself.
#[test]
fn who_was_put_out_before_they_were_known_is_told_by_those_whom_they_know() {
    let mut village = Village::new(4);
    village.found(control::NewCircle::default());
    village.join(1);
    village.offline(1);
    village.join(2);
    let kept = Kept::of(&village, 2);
    village.offline(2);
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    village.join(3);
    village.online(1);
    let mine = || kept.intro(&kept.acts(), kept.circle.record_of(&kept.circle.device()).expect("there").bytes.clone(), None);
    let told = |village: &mut Village, at: usize, peer: PeerId| {
        let link = stream_of(village, at, peer);
        seen(village, at, link, &mine())
    };
    assert_eq!(told(&mut village, 1, eve()).len(), 1, "their record does not name this peer");
    assert_eq!(told(&mut village, 3, peer(2)).len(), 1, "Dalia came later");
    let now = village.now;
    village.now = now.plus(91 * DAY);
    assert_eq!(told(&mut village, 1, peer(2)).len(), 1, "and not for ever");
    village.now = now;
    village.offline(0);
    village.offline(3);
    village.online(2);
    let standing = village.machines[2].node.state.circles.all.values().next().map(|circle| circle.standing());
    assert_eq!(standing, Some(crate::circle::state::OwnStanding::Removed), "Bea told them");
}
