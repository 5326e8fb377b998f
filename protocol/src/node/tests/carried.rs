//! What devices lack and what they bring, with no stream between them: planned on one machine, carried by hand, taken by another.

use super::*;
use crate::circle::state::CircleState;
use crate::id::DeviceId;
use crate::limits::{FRAME_ACTS, FRAME_RECORDS};
use crate::sync::have::{digest, have};
use crate::sync::known::Known;
use crate::sync::message::{Acts, Bytes, ChainSeq, Have};
use crate::sync::plan::{Plan, plan};
use crate::sync::rate_limit::RateLimit;
use crate::sync::take::{Sender, Taken, take};

/// More than anything here weighs.
const ROOM: u64 = 1 << 30;

impl Village {
    pub(super) fn the(&self, at: usize) -> &CircleState {
        self.machines[at].node.state.circles.all.values().next().expect("a circle")
    }

    fn what_is_at(&self, at: usize) -> Have {
        have(self.the(at), self.machines[at].node.state.circles.heads_of(&self.the(at).id()))
    }

    pub(super) fn device(&self, at: usize) -> DeviceId {
        self.the(at).device()
    }

    /// What one machine knows of another that says what it has.
    fn known(&self, at: usize, of: usize, have: &Have) -> Known {
        let circle = self.the(at);
        Known::of(circle, self.machines[at].node.state.circles.heads_of(&circle.id()), self.device(of), have)
            .expect("no more than is kept")
    }

    /// Something done on a machine as an input does it; kept unless refused.
    pub(super) fn does<T>(
        &mut self,
        at: usize,
        what: impl FnOnce(&mut NodeState, &mut Cx<'_, '_>) -> Result<T, InputError>,
    ) -> Result<T, InputError> {
        let machine = &mut self.machines[at];
        let _version = tomorrow(machine.tomorrow);
        let mut batch = Turn::default();
        let mut env = Env { now: self.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
        let mut cx = Cx::new(Tx::new(&machine.store, &batch), &mut env);
        let done = what(&mut machine.node.state, &mut cx);
        if done.is_ok() {
            cx.tx.finish().join(&mut batch);
            machine.node.state.saved();
        }
        machine.store.commit(&batch.writes).expect("memory never fails");
        done
    }

    fn plans(&mut self, at: usize, known: &mut Known, room: u64) -> Plan {
        let planned = self.does(at, |node, cx| {
            let (id, circle) = node.circles.all.iter().next().expect("a circle");
            plan(circle, node.circles.heads_of(id), cx, known, room)
        });
        planned.expect("reads")
    }

    /// A machine takes what another carried to it, as far as that one may still bring something. Nobody else hears of it.
    pub(super) fn takes_within(
        &mut self,
        at: usize,
        from: usize,
        message: &Message,
        (known, limit): (&mut Option<Known>, &mut RateLimit),
    ) -> Result<Taken, InputError> {
        let (device, id) = (self.device(from), self.the(at).id());
        let taken = self.does(at, |node, cx| take(&mut node.circles, cx, &id, message, Sender { device, known, limit }));
        drop(self.machines[at].node.state.circles.take_news());
        taken
    }

    /// A machine takes what another carried to it.
    pub(super) fn takes(&mut self, at: usize, from: usize, message: &Message) -> Result<Taken, InputError> {
        self.takes_within(at, from, message, (&mut None, &mut RateLimit::default()))
    }

    /// Acts are carried from the first machine to the second.
    fn takes_acts(&mut self, acts: &Acts) -> Result<Taken, InputError> {
        self.takes(1, 0, &Message::Acts(acts.clone()))
    }
}

fn kinds(plan: &Plan) -> Vec<&'static str> {
    let kind = |message: &Message| match message {
        Message::Acts(_) => "acts",
        Message::Records(_) => "records",
        Message::Run(..) => "run",
        _ => "other",
    };
    plan.messages.iter().map(kind).collect()
}

/// Three members; the last is away while the first writes a note, changes a policy and moves to another address.
fn somebody_was_away() -> Village {
    changes_while_others_are_away(circle_of_three())
}

fn changes_while_others_are_away(mut village: Village) -> Village {
    village.offline(2);
    village.offline(1);
    village.note(0, "", "while you were away");
    village
        .call(0, Command::EditCircle("-".into(), control::EditCircle { name: Some("Day shift".into()), ..Default::default() }))
        .expect("edited");
    village.queue.push_back((0, Input::Listening(vec![Addr(vec![77])])));
    village.settle();
    village
}

#[test]
fn who_has_the_same_is_sent_nothing() {
    let mut village = circle_of_three();
    village.note(0, "", "one");
    assert_eq!(digest(&village.what_is_at(0)), digest(&village.what_is_at(1)));
    let mut known = village.known(0, 1, &village.what_is_at(1));
    let plan = village.plans(0, &mut known, ROOM);
    assert_eq!((kinds(&plan), plan.bytes, plan.unfinished), (vec![], 0, false));
}

#[test]
fn who_has_nothing_is_sent_all_of_it_in_causal_order_and_once() {
    let mut village = circle_of_three();
    village.note(0, "", "one");
    let mut known = village.known(0, 1, &Have::default());
    let plan = village.plans(0, &mut known, ROOM);
    let kinds_sent = kinds(&plan);
    let mut in_order = kinds_sent.clone();
    in_order.sort_by_key(|kind| ["acts", "records", "run"].iter().position(|one| one == kind));
    assert_eq!(kinds_sent, in_order);
    assert_eq!(kinds_sent.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{kinds_sent:?}");
    let Some(Message::Acts(first)) = plan.messages.first() else { panic!("acts come first") };
    assert!(first.keys.is_some(), "with the keys that open them");
    assert!(village.plans(0, &mut known, ROOM).messages.is_empty(), "what was planned counts as known");
}

#[test]
fn who_lacks_something_is_sent_that() {
    let mut village = circle_of_three();
    let before = village.what_is_at(1);
    village.note(0, "", "one");
    let mut known = village.known(0, 1, &before);
    assert_eq!(kinds(&village.plans(0, &mut known, ROOM)), ["run"]);

    let before = village.what_is_at(1);
    village
        .call(0, Command::EditCircle("-".into(), control::EditCircle { name: Some("Day shift".into()), ..Default::default() }))
        .expect("edited");
    let mut known = village.known(0, 1, &before);
    assert_eq!(kinds(&village.plans(0, &mut known, ROOM)), ["acts"]);

    let before = village.what_is_at(1);
    village.queue.push_back((0, Input::Listening(vec![Addr(vec![77])])));
    village.settle();
    let mut known = village.known(0, 1, &before);
    assert_eq!(kinds(&village.plans(0, &mut known, ROOM)), ["records"]);
}

#[test]
fn without_room_nothing_is_planned_and_with_little_one_message() {
    let mut village = somebody_was_away();
    let mut known = village.known(0, 2, &village.what_is_at(2));
    let all = kinds(&village.plans(0, &mut known, ROOM)).len();
    assert!(all > 2);
    let mut known = village.known(0, 2, &village.what_is_at(2));
    assert!(village.plans(0, &mut known, 0).messages.is_empty());
    let one_by_one: Vec<usize> = (0..all).map(|_| village.plans(0, &mut known, 1).messages.len()).collect();
    assert_eq!(one_by_one, vec![1; all], "nothing is left out, nothing comes twice");
    assert!(village.plans(0, &mut known, 1).messages.is_empty());
}

#[test]
fn what_is_carried_by_hand_brings_two_devices_together() {
    let mut village = somebody_was_away();
    village.note(2, "", "and I wrote this meanwhile");
    for _ in 0..4 {
        for (from, to) in [(0, 2), (2, 0)] {
            let (have, mut known) = (Message::Have(village.what_is_at(to)), None);
            assert!(village.takes_within(from, to, &have, (&mut known, &mut RateLimit::default())).expect("is taken").lack);
            for message in village.plans(from, &mut known.expect("they said it"), ROOM).messages {
                village.takes(to, from, &message).expect("is taken");
            }
        }
    }
    assert_eq!(digest(&village.what_is_at(0)), digest(&village.what_is_at(2)));
    assert_eq!(village.bodies(0).len(), 2);
}

/// The messages that bring the third machine what it lacks of the first, and what each of them has.
fn brought_to_the_third(village: &mut Village, before: &Have) -> (Plan, Option<Known>, Option<Known>) {
    let mut there = village.known(0, 2, &village.what_is_at(2));
    let plan = village.plans(0, &mut there, ROOM);
    assert_eq!(kinds(&plan).iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "of every kind");
    let known = village.known(2, 0, before);
    (plan, Some(there), Some(known))
}

#[test]
fn what_somebody_brought_is_not_sent_back_to_them() {
    let village = circle_of_three();
    let before = village.what_is_at(0);
    let mut village = changes_while_others_are_away(village);
    let (plan, _, mut known) = brought_to_the_third(&mut village, &before);
    for message in &plan.messages {
        village.takes_within(2, 0, message, (&mut known, &mut RateLimit::default())).expect("is taken");
    }
    let back = village.plans(2, known.as_mut().expect("as before"), ROOM);
    assert_eq!(kinds(&back), Vec::<&str>::new());
}

#[test]
fn each_message_is_acknowledged_by_what_it_weighs_and_equal_digests_end_it() {
    let village = circle_of_three();
    let before = village.what_is_at(0);
    let mut village = changes_while_others_are_away(village);
    let (plan, mut there, mut known) = brought_to_the_third(&mut village, &before);
    let (mut freed, mut limit) = (0, RateLimit::default());
    for message in &plan.messages {
        let taken = village.takes_within(2, 0, message, (&mut known, &mut limit)).expect("is taken");
        let Some(Message::Got(chains, bytes)) = taken.answer else { panic!("no answer to {message:?}") };
        assert_eq!(chains.is_empty(), !matches!(message, Message::Run(..)), "how far a chain is");
        freed += bytes;
        let got = village.takes_within(0, 2, &Message::Got(chains, bytes), (&mut there, &mut limit)).expect("is taken");
        assert!(got.lack && got.answer.is_none(), "there is room for more");
    }
    assert_eq!(freed, plan.bytes);
    let mut nothing = None;
    let mine = Message::Digest(digest(&village.what_is_at(2)));
    assert!(!village.takes_within(0, 2, &mine, (&mut nothing, &mut limit)).expect("is taken").differs);
    assert!(village.plans(0, &mut nothing.expect("they have the same"), ROOM).messages.is_empty());
    village.note(0, "", "one more");
    let mut nothing = None;
    assert!(village.takes_within(0, 2, &mine, (&mut nothing, &mut limit)).expect("is taken").differs);
    assert!(nothing.is_none());
}

#[test]
fn news_of_chains_is_asked_for_and_then_sent() {
    let mut village = circle_of_three();
    let before = (village.what_is_at(0), village.what_is_at(2));
    village.offline(2);
    village.note(0, "", "one");
    let (mut there, mut known) = (Some(village.known(0, 2, &before.1)), Some(village.known(2, 0, &before.0)));
    let heads = village.machines[0].node.state.circles.heads_of(&village.the(0).id());
    let news = Message::Got(there.as_ref().expect("they said so").lacks(heads), 0);
    let mut limit = RateLimit::default();
    let taken = village.takes_within(2, 0, &news, (&mut known, &mut limit)).expect("is taken");
    assert!(!taken.lack);
    let want = taken.answer.expect("they have more");
    assert!(matches!(want, Message::Want(_)), "{want:?}");
    assert!(village.takes_within(0, 2, &want, (&mut there, &mut limit)).expect("is taken").lack);
    assert_eq!(kinds(&village.plans(0, there.as_mut().expect("as before"), ROOM)), ["run"]);
}

#[test]
fn what_is_known_can_be_kept_and_gone_on_with() {
    let mut village = somebody_was_away();
    let mut known = village.known(0, 2, &village.what_is_at(2));
    let first = village.plans(0, &mut known, 1).messages.len();
    let kept = crate::codec::encode(&known);
    let mut again: Known = crate::codec::decode(&kept, "what is known").expect("as it was kept");
    let rest = (kinds(&village.plans(0, &mut again, ROOM)), kinds(&village.plans(0, &mut known, ROOM)));
    assert_eq!(rest.0, rest.1);
    assert!(first == 1 && !rest.0.is_empty());
}

#[test]
fn acts_are_news_once_held_until_their_parents_come_and_refused_where_they_are_none() {
    let mut village = circle_of_three();
    village.offline(1);
    for name in ["Day shift", "Late shift"] {
        let edit = control::EditCircle { name: Some(name.into()), ..Default::default() };
        village.call(0, Command::EditCircle("-".into(), edit)).expect("edited");
    }
    let mut known = village.known(0, 1, &village.what_is_at(1));
    let plan = village.plans(0, &mut known, ROOM);
    let Some(Message::Acts(acts)) = plan.messages.into_iter().next() else { panic!("acts") };
    let [first, second] = acts.acts.as_slice() else { panic!("two acts, not {}", acts.acts.len()) };
    let only = |act: &Bytes| Acts { keys: None, acts: vec![act.clone()] };
    let held = village.takes_acts(&only(second)).expect("looked at");
    assert!((held.acts, held.held, held.bad) == (false, true, false), "its parent is not here");
    let news = village.takes_acts(&only(first)).expect("looked at");
    assert!(news.acts && !news.held);
    assert!(village.takes_acts(&only(second)).expect("looked at").acts);
    assert!(!village.takes_acts(&acts).expect("looked at").acts, "known by now");
    let bad = Acts { keys: None, acts: vec![Bytes(vec![0; 40]), first.clone()] };
    assert!(village.takes_acts(&bad).expect("looked at").bad);
    let many = Acts { keys: None, acts: vec![Bytes(Vec::new()); FRAME_ACTS + 1] };
    assert!(matches!(village.takes_acts(&many), Err(InputError::Peer(_))));
}

#[test]
fn of_a_members_own_rotations_some_wait() {
    let mut village = circle_of_three();
    village.offline(0);
    let many = crate::limits::ROTATIONS + 1;
    for _ in 0..many {
        village.does(1, |node, cx| node.circles.all.values_mut().next().expect("a circle").rotate(cx)).expect("new keys");
    }
    let mut known = village.known(1, 0, &village.what_is_at(0));
    let messages = village.plans(1, &mut known, ROOM).messages;
    let (mut limit, mut later) = (RateLimit::default(), 0);
    for message in messages.iter().filter(|message| matches!(message, Message::Acts(_))) {
        let taken = village.takes_within(0, 1, message, (&mut None, &mut limit));
        later += u32::from(taken.expect("looked at").later);
    }
    assert!(later > 0, "the last one waits");
}

#[test]
fn records_are_news_where_they_are_newer() {
    let mut village = circle_of_three();
    let old: Vec<Bytes> = village.the(0).records().map(|record| Bytes(record.bytes.clone())).collect();
    village.offline(1);
    village.queue.push_back((0, Input::Listening(vec![Addr(vec![77])])));
    village.settle();
    let new: Vec<Bytes> = village.the(0).records().map(|record| Bytes(record.bytes.clone())).collect();
    let counts = |village: &Village| village.the(1).records().map(|record| (record.device, record.count)).collect::<Vec<_>>();
    let bring = |village: &mut Village, records: &[Bytes]| {
        let before = counts(village);
        village.takes(1, 0, &Message::Records(records.to_vec())).map(|_| before != counts(village))
    };
    assert!(!bring(&mut village, &old).expect("looked at"));
    assert!(bring(&mut village, &new).expect("looked at"));
    assert!(!bring(&mut village, &old).expect("looked at"), "nobody goes back to an older one");
    let count = village.the(0).record_of(&village.device(0)).expect("there").count;
    assert_eq!(village.the(1).record_of(&village.device(0)).expect("there").count, count);
    let mut forged = new.clone();
    forged.iter_mut().for_each(|record| *record.0.last_mut().expect("bytes") ^= 1);
    assert!(!bring(&mut village, &forged).expect("looked at"));
    let many = vec![Bytes(Vec::new()); FRAME_RECORDS + 1];
    assert!(matches!(bring(&mut village, &many), Err(InputError::Peer(_))));
}

#[test]
fn a_run_is_taken_once_waits_for_what_comes_before_it_and_is_refused_where_it_is_none() {
    let mut village = circle_of_three();
    village.note(1, "", "zero");
    village.offline(1);
    let before = village.what_is_at(0);
    village.note(1, "", "one");
    let known_before = village.known(1, 0, &before);
    let Some(Message::Run(first, _)) = village.plans(1, &mut known_before.clone(), ROOM).messages.pop() else { panic!("a run") };
    let between = village.what_is_at(1);
    village.note(1, "", "two");
    let Some(Message::Run(second, _)) = village.known_then(1, 0, &between) else { panic!("a run") };
    assert!(matches!(village.takes(0, 1, &Message::Run(second.clone(), false)), Err(InputError::Later(..))), "a gap");
    assert!(village.takes(0, 1, &Message::Run(first.clone(), false)).expect("taken").entries);
    assert!(!village.takes(0, 1, &Message::Run(first, false)).expect("taken").entries, "nothing new in it");
    assert!(village.takes(0, 1, &Message::Run(second.clone(), false)).expect("taken").entries);
    let mut bad = second;
    *bad.0.last_mut().expect("bytes") ^= 1;
    assert!(matches!(village.takes(0, 1, &Message::Run(bad, false)), Err(InputError::Peer(_))));
    assert!(matches!(village.takes(0, 1, &Message::Run(Bytes(vec![9; 9]), false)), Err(InputError::Peer(_))));
}

impl Village {
    /// The last message for a device that had this.
    fn known_then(&mut self, at: usize, of: usize, have: &Have) -> Option<Message> {
        let mut known = self.known(at, of, have);
        self.plans(at, &mut known, ROOM).messages.pop()
    }
}

#[test]
fn acknowledgements_say_how_far_they_are_and_claims_beyond_what_is_here_are_asked_for() {
    let mut village = circle_of_three();
    village.note(0, "", "one");
    let mut known = village.known(0, 1, &Have::default());
    let circle = village.the(0);
    let heads = village.machines[0].node.state.circles.heads_of(&circle.id());
    let here = heads.all().find(|head| head.id.device == circle.device() && head.seq > 0).expect("a chain");
    assert_eq!(known.lacks(heads).iter().find(|c| c.chain == here.id).map(|c| c.seq), Some(here.seq));
    let all = [ChainSeq { chain: here.id, seq: here.seq }];
    assert!(known.got(heads, &all).is_empty());
    assert!(known.lacks(heads).iter().all(|c| c.chain != here.id));
    let beyond = [ChainSeq { chain: here.id, seq: here.seq + 7 }];
    assert_eq!(known.got(heads, &beyond), all, "they have more: ask from here on");
    known.want(&[ChainSeq { chain: here.id, seq: 0 }]);
    assert!(known.lacks(heads).iter().any(|c| c.chain == here.id), "they said that they lack it");
}

#[test]
fn keys_that_come_late_are_passed_on_at_once() {
    let mut village = circle_of_three();
    village.does(2, |node, cx| node.circles.all.values_mut().next().expect("a circle").rotate(cx)).expect("new keys");
    let epoch = village.the(2).usable_epoch().expect("they are");
    let mut known = village.known(2, 0, &village.what_is_at(0));
    let Some(Message::Acts(acts)) = village.plans(2, &mut known, ROOM).messages.into_iter().next() else { panic!("acts") };
    let alone = Message::Acts(Acts { keys: None, acts: acts.acts.clone() });
    for at in [0, 1] {
        assert!(village.takes(at, 2, &alone).expect("looked at").acts);
        assert!(village.the(at).ring().row(&epoch).is_none(), "the act came without its keys");
    }
    let id = village.the(0).id();
    let sessions = &village.machines[0].node.state.peers.sessions;
    let (link, session) = sessions.iter().find(|(_, session)| session.peer == peer(2)).expect("a stream");
    let (link, token) = (*link, session.circles[&id].theirs);
    village.queue.push_back((0, Input::Bytes(link, crate::codec::encode(&Frame::Circle(token, Message::Acts(acts))))));
    village.settle();
    for at in [0, 1] {
        assert!(village.the(at).ring().row(&epoch).is_some(), "machine {at} has the keys");
    }
}
