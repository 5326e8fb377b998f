//! A few nodes in one thread, with stores in memory and streams that lose nothing: the shortest way through the core.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test wants one answer and panics at any other")]

use std::collections::{BTreeMap, VecDeque};

use super::*;
use crate::control::{self, Code, Error, Item, Items, JoinStatus, Kind, NewItem, Response};
use crate::crypto::{Real, Seeded};
use crate::id::Addr;
use crate::peer::frame::{self, Frame};
use crate::store::{MemoryStore, Store};
use crate::sync::message::Message;
use crate::tomorrow::tomorrow;

mod acts;
mod away;
mod carried;
mod clocks;
mod costs;
mod cuts;
mod drafts;
mod epochs;
mod farewells;
mod guests;
mod handover;
mod healing;
mod imports;
mod introductions;
mod joining;
mod many;
mod mixed;
mod names;
mod news;
mod queries;
mod retention;
mod roles;
mod sayings;
mod slips;
mod strangers;
mod warnings;
mod ways_out;

struct Machine {
    store: MemoryStore,
    node: Node,
    rng: Seeded,
    peer: PeerId,
    online: bool,
    /// Does the next version of the program run here?
    tomorrow: bool,
}

struct Village {
    machines: Vec<Machine>,
    now: Millis,
    links: BTreeMap<(usize, Link), (usize, Link)>,
    queue: VecDeque<(usize, Input)>,
    replies: BTreeMap<CallId, Result<Answer, Error>>,
    next: u64,
    sent: usize,
    /// Most bytes that ever waited on one stream.
    widest: usize,
    /// Streams dropped because too much waited on them.
    dropped: usize,
}

fn peer(at: usize) -> PeerId {
    PeerId(vec![u8::try_from(at).expect("few"); 8])
}

impl Village {
    fn new(count: usize) -> Self {
        let machines = (0..count).map(|at| {
            let store = MemoryStore::default();
            let node = Node::open(&store, &Real, peer(at)).expect("an empty store opens");
            Machine { store, node, rng: Seeded::new(at as u64), peer: peer(at), online: true, tomorrow: false }
        });
        let mut village = Self {
            machines: machines.collect(),
            now: Millis(1_795_359_600_000),
            links: BTreeMap::new(),
            queue: VecDeque::new(),
            replies: BTreeMap::new(),
            next: 0,
            sent: 0,
            widest: 0,
            dropped: 0,
        };
        for at in 0..count {
            village.queue.push_back((at, Input::Listening(vec![Addr(vec![u8::try_from(at).expect("few")])])));
            let name = ["Amara", "Bea", "Chioma", "Dalia"][at];
            village.call(at, Command::Init { name: name.into() }).expect("a name");
        }
        village
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn handle(&mut self, at: usize, input: Input) {
        let machine = &mut self.machines[at];
        let _version = tomorrow(machine.tomorrow);
        let mut batch = Turn::default();
        let mut env = Env { now: self.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
        machine.node.handle(&mut env, &machine.store, &mut batch, input).expect("memory never fails");
        machine.store.commit(&batch.writes).expect("memory never fails");
        for effect in batch.effects {
            self.perform(at, effect);
        }
    }

    fn perform(&mut self, at: usize, effect: Effect) {
        match effect {
            Effect::Reply(call, answer) => {
                self.replies.insert(call, answer);
            }
            Effect::Send(link, bytes) => {
                self.sent += bytes.len();
                if let Some((other, theirs)) = self.links.get(&(at, link)).copied() {
                    self.queue.push_back((other, Input::Bytes(theirs, bytes)));
                    self.overflow((at, link), (other, theirs));
                }
            }
            Effect::Dial(to, _) => {
                let found = self.machines.iter().position(|m| m.peer == to && m.online).filter(|_| self.machines[at].online);
                let Some(other) = found else { return self.queue.push_back((at, Input::Failed(to))) };
                let (mine, theirs) = (Link(self.fresh()), Link(self.fresh()));
                let caller = self.machines[at].peer.clone();
                self.links.insert((at, mine), (other, theirs));
                self.links.insert((other, theirs), (at, mine));
                self.queue.push_back((at, Input::Opened { link: mine, peer: peer(other), dialer: true }));
                self.queue.push_back((other, Input::Opened { link: theirs, peer: caller, dialer: false }));
            }
            Effect::Close(link) => self.cut(at, link),
            Effect::Widen(_) | Effect::Notify(_) | Effect::Scrub => {}
            Effect::Log(line, _) => println!("machine {at}: {line}"),
        }
    }

    /// A stream that holds more than the daemon keeps for one is dropped, and what waits on it with it.
    fn overflow(&mut self, (at, link): (usize, Link), to: (usize, Link)) {
        let waits = |(who, input): &(usize, Input)| match input {
            Input::Bytes(link, bytes) if (*who, *link) == to => bytes.len(),
            _ => 0,
        };
        let waiting = self.queue.iter().map(waits).sum();
        self.widest = self.widest.max(waiting);
        if waiting > 3 * crate::limits::CREDIT_BYTES {
            self.queue.retain(|one| waits(one) == 0);
            self.dropped += 1;
            self.cut(at, link);
        }
    }

    fn cut(&mut self, at: usize, link: Link) {
        if let Some((other, theirs)) = self.links.remove(&(at, link)) {
            self.links.remove(&(other, theirs));
            self.queue.push_back((at, Input::Closed(link)));
            self.queue.push_back((other, Input::Closed(theirs)));
        }
    }

    fn offline(&mut self, at: usize) {
        self.machines[at].online = false;
        let links: Vec<Link> = self.links.keys().filter(|(m, _)| *m == at).map(|(_, link)| *link).collect();
        for link in links {
            self.cut(at, link);
        }
        self.settle();
    }

    fn online(&mut self, at: usize) {
        self.machines[at].online = true;
        let machine = &mut self.machines[at];
        let _version = tomorrow(machine.tomorrow);
        machine.node = Node::open(&machine.store, &Real, machine.peer.clone()).expect("opens again");
        self.queue.push_back((at, Input::Listening(vec![Addr(vec![u8::try_from(at).expect("few")])])));
        self.settle();
    }

    /// Until nothing is under way, then the next deadlines of the coming seconds.
    fn settle(&mut self) {
        let until = self.now.plus(5_000);
        loop {
            while let Some((at, input)) = self.queue.pop_front() {
                self.handle(at, input);
            }
            let due = self.machines.iter().enumerate().filter(|(_, m)| m.online);
            let due = due.filter_map(|(at, m)| Some((m.node.deadline(&m.store).expect("reads")?, at))).min();
            match due {
                Some((when, at)) if when <= until => {
                    self.now = Millis(self.now.0.max(when.0));
                    self.queue.push_back((at, Input::Tick));
                }
                _ => return self.heads_agree(),
            }
        }
    }

    fn call(&mut self, at: usize, command: Command) -> Result<Answer, Error> {
        let call = CallId(self.fresh());
        self.queue.push_back((at, Input::Call(call, command)));
        self.settle();
        self.replies.remove(&call).expect("an answer")
    }

    fn ask(&self, at: usize, query: Query) -> Answer {
        let _version = tomorrow(self.machines[at].tomorrow);
        answer(&self.machines[at].store, &Real, self.now, query).expect("reads").expect("an answer")
    }

    fn members(&self, at: usize) -> Vec<(String, String)> {
        match self.ask(at, Query::Members("-".into())) {
            Answer::Members(members) => members.into_iter().map(|m| (m.name, m.status.to_string())).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn circle(&self, at: usize) -> control::Circle {
        match self.ask(at, Query::Circle("Night shift".into())) {
            Answer::Circle(circle) => *circle,
            other => panic!("{other:?}"),
        }
    }

    fn found(&mut self, new: control::NewCircle) {
        let new = control::NewCircle { name: "Night shift".into(), ..new };
        assert!(matches!(self.call(0, Command::NewCircle(new)), Ok(Answer::Circle(_))));
    }

    fn link(&mut self) -> String {
        match self.call(0, Command::NewInvite("-".into(), control::NewInvite::default())) {
            Ok(Answer::Invite(invite)) => invite.link.expect("a link"),
            other => panic!("{other:?}"),
        }
    }

    fn join(&mut self, at: usize) {
        let link = self.link();
        let accept = control::Accept { link, confirm: true, ..Default::default() };
        self.call(at, Command::Accept(accept)).expect("a join");
        let Answer::Pending(pending) = self.ask(0, Query::Pending("-".into())) else { panic!("no list") };
        if let Some(first) = pending.first() {
            self.call(0, Command::Approve("-".into(), first.id.clone())).expect("approved");
        }
        let Answer::Joins(joins) = self.ask(at, Query::Joins) else { panic!("no list") };
        assert_eq!(joins.first().map(|j| j.status), Some(JoinStatus::Joined), "{joins:?}");
    }
}

#[test]
fn three_meet_and_agree_who_is_in() {
    let mut village = Village::new(3);
    village.found(control::NewCircle { agreement: "Be kind.".into(), ..Default::default() });
    village.join(1);
    village.join(2);
    let names =
        vec![("Amara".to_owned(), "current".to_owned()), ("Bea".into(), "current".into()), ("Chioma".into(), "current".into())];
    for at in 0..3 {
        assert_eq!(village.members(at), names, "at machine {at}");
        assert_eq!(village.circle(at).roster_hash, village.circle(0).roster_hash);
        assert_eq!(village.circle(at).heads, village.circle(0).heads);
    }
}

#[test]
fn a_quiet_village_sends_nothing() {
    let mut village = Village::new(3);
    village.found(control::NewCircle::default());
    village.join(1);
    village.join(2);
    let before = village.sent;
    village.now = village.now.plus(3_600_000);
    village.settle();
    assert_eq!(village.sent, before);
}

#[test]
fn a_removed_member_is_told_and_the_others_agree() {
    let mut village = Village::new(3);
    village.found(control::NewCircle::default());
    village.join(1);
    village.join(2);
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    assert_eq!(village.circle(2).status, control::CircleStatus::Removed);
    for at in 0..2 {
        assert_eq!(village.members(at)[2], ("Chioma".to_owned(), "removed".to_owned()));
        assert_eq!(village.circle(at).roster_hash, village.circle(0).roster_hash);
    }
    assert_ne!(village.circle(2).heads, village.circle(0).heads);
}

#[test]
fn who_was_away_learns_of_the_removal_and_the_removed_of_theirs() {
    let mut village = Village::new(3);
    village.found(control::NewCircle::default());
    village.join(1);
    village.join(2);
    village.offline(1);
    village.offline(2);
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    village.online(2);
    assert_eq!(village.circle(2).status, control::CircleStatus::Removed);
    village.online(1);
    assert_eq!(village.circle(1).roster_hash, village.circle(0).roster_hash);
}

#[test]
fn a_newcomer_meets_members_who_were_away() {
    let mut village = Village::new(3);
    village.found(control::NewCircle::default());
    village.join(1);
    village.offline(1);
    village.join(2);
    village.offline(0);
    village.online(1);
    village.now = village.now.plus(60_000);
    village.settle();
    assert_eq!(village.members(1).len(), 3, "Bea learns of Chioma from Chioma");
    village.note(2, "", "hello from Chioma");
    assert!(village.bodies(1).contains(&"hello from Chioma".to_owned()), "and has their keys: {:?}", village.bodies(1));
}

#[test]
fn leaving_is_told_to_anyone_who_is_there() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    village.call(1, Command::Leave("-".into(), control::LeaveCircle::default())).expect("left");
    assert_eq!(village.members(0)[1], ("Bea".to_owned(), "left".to_owned()));
    assert_eq!(village.circle(1).status, control::CircleStatus::Left);
}

impl Village {
    fn note(&mut self, at: usize, title: &str, body: &str) -> String {
        let new = control::NewNote { title: title.into(), body: body.into(), ..Default::default() };
        match self.call(at, Command::New("-".into(), NewItem::Note(new))) {
            Ok(Answer::Item(Item::Note(note))) => note.id,
            other => panic!("{other:?}"),
        }
    }

    fn notes(&self, at: usize) -> Vec<control::Note> {
        let list = Query::List { circle: None, kind: Kind::Note, filter: Filter { reveal: true, ..Filter::default() } };
        let Answer::Items(Items::Notes(notes)) = self.ask(at, list) else { panic!("no notes") };
        notes
    }

    fn bodies(&self, at: usize) -> Vec<String> {
        self.notes(at).into_iter().filter_map(|note| note.body).collect()
    }
}

fn circle_of_three() -> Village {
    let mut village = Village::new(3);
    village.found(control::NewCircle::default());
    village.join(1);
    village.join(2);
    village
}

#[test]
fn notes_replies_and_reactions_reach_everybody() {
    let mut village = circle_of_three();
    let id = village.note(1, "On-call", "Third night in a row.");
    let reply = control::NewReply { body: "I am here, no advice.".into(), content_warning: None };
    village.call(2, Command::Respond("-".into(), id.clone(), Response::Reply(reply))).expect("a reply");
    let heart = control::NewReaction { emoji: "❤".into(), remove: false };
    village.call(0, Command::Respond("-".into(), id.clone(), Response::Reaction(heart))).expect("a reaction");
    for at in 0..3 {
        let notes = village.notes(at);
        assert_eq!(notes.len(), 1, "at machine {at}");
        assert_eq!(notes[0].body.as_deref(), Some("Third night in a row."));
        assert_eq!(notes[0].author.name, "Bea");
        assert_eq!(notes[0].replies[0].body.as_deref(), Some("I am here, no advice."));
        assert_eq!(notes[0].reactions["❤"], ["Amara"]);
    }
    assert_eq!(village.notes(1)[0].delivery, Some(control::DeliveryStatus::All));
    assert_eq!(village.notes(0)[0].delivery, None);
}

#[test]
fn concurrent_edits_merge_alike_everywhere() {
    let mut village = circle_of_three();
    let new = control::NewResource { title: "EAP".into(), note: "Call them.".into(), ..Default::default() };
    let made = village.call(0, Command::New("-".into(), NewItem::Resource(new))).expect("a resource");
    let Answer::Item(Item::Resource(made)) = made else { panic!("no resource") };
    village.offline(1);
    let edit = |note: &str| control::EditItem::Resource(control::EditResource { note: Some(note.into()), ..Default::default() });
    village.call(0, Command::Edit("-".into(), made.id.clone(), edit("Call them early."))).expect("an edit");
    village.call(1, Command::Edit("-".into(), made.id.clone(), edit("Do call them."))).expect("an edit");
    village.online(1);
    let shown: Vec<Answer> = (0..3)
        .map(|at| village.ask(at, Query::Show { circle: None, kind: Kind::Resource, item: made.id.clone(), reveal: true }))
        .collect();
    let notes: Vec<String> =
        shown.iter().map(|a| if let Answer::Item(Item::Resource(r)) = a { r.note.clone() } else { String::new() }).collect();
    assert_eq!(notes, vec!["Do call them early."; 3]);
}

#[test]
fn what_a_removed_member_may_not_read_they_do_not_get() {
    let mut village = circle_of_three();
    village.note(0, "", "before");
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    village.note(0, "", "after");
    assert_eq!(village.bodies(1), ["before", "after"]);
    assert_eq!(village.bodies(2), ["before"]);
    let refused = village
        .call(2, Command::New("-".into(), NewItem::Note(control::NewNote { body: "still here".into(), ..Default::default() })));
    assert_eq!(refused.expect_err("they are out").code, Code::NotAllowed);
}

#[test]
fn a_newcomer_reads_the_library_and_no_talk_from_before() {
    let mut village = Village::new(3);
    village.found(control::NewCircle::default());
    village.join(1);
    village.note(0, "", "before their time");
    let resource = control::NewResource { title: "EAP hotline".into(), ..Default::default() };
    village.call(0, Command::New("-".into(), NewItem::Resource(resource))).expect("a resource");
    village.join(2);
    village.note(1, "", "welcome");
    assert_eq!(village.bodies(2), ["welcome"]);
    let list = Query::List { circle: None, kind: Kind::Resource, filter: Filter::default() };
    let Answer::Items(Items::Resources(resources)) = village.ask(2, list) else { panic!("no list") };
    assert_eq!(resources.len(), 1);
}

#[test]
fn a_removal_holds_back_what_was_written_unseen() {
    let mut village = circle_of_three();
    village.note(2, "", "seen");
    village.offline(2);
    village.note(2, "", "unseen");
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    assert_eq!(village.bodies(0), ["seen"]);
    village.online(2);
    assert_eq!(village.bodies(0), ["seen"]);
    assert_eq!(village.bodies(1), ["seen"]);
}

#[test]
fn many_notes_catch_up_in_blocks() {
    let mut village = circle_of_three();
    village.offline(1);
    for round in 0..3 {
        let items = (0..400).map(|n| {
            control::BatchItem::Note(control::NewNote {
                body: format!("note {round}-{n}, about nothing much"),
                ..Default::default()
            })
        });
        let batch = control::Batch { items: items.collect(), import: None };
        assert!(matches!(village.call(0, Command::Batch("-".into(), batch)), Ok(Answer::Made(made)) if made.ids.len() == 400));
    }
    village.online(1);
    assert_eq!(village.notes(1).len(), 1_200);
    let found = village.ask(1, Query::Search { words: "note 399".into(), circle: None, limit: 5 });
    assert!(matches!(found, Answer::Found(hits) if !hits.is_empty()));
}

#[test]
fn a_restart_forgets_nothing_and_a_rebuild_changes_nothing() {
    let mut village = circle_of_three();
    let id = village.note(1, "On-call", "Third night in a row.");
    let edit = control::EditItem::Note(control::EditNote { body: Some("Fourth night in a row.".into()), ..Default::default() });
    village.call(1, Command::Edit("-".into(), id, edit)).expect("an edit");
    let before = village.notes(0);
    assert_eq!(before[0].body.as_deref(), Some("Fourth night in a row."));
    village.offline(0);
    village.online(0);
    assert_eq!(village.notes(0), before);
    village.call(0, Command::Rebuild).expect("rebuilt");
    assert_eq!(village.notes(0), before);
}

#[test]
fn a_copied_folder_starts_fresh_chains_and_loses_nothing() {
    let mut village = circle_of_three();
    village.note(1, "", "one");
    let copy = village.machines[1].store.clone();
    village.note(1, "", "two");
    village.offline(1);
    village.machines[1].store = copy;
    village.online(1);
    village.note(1, "", "three");
    for at in 0..3 {
        assert_eq!(village.bodies(at), ["one", "two", "three"], "at machine {at}");
    }
}

#[test]
fn a_device_gets_what_its_copy_was_sent_once_the_copy_is_gone() {
    let mut village = circle_of_three();
    let (store, peer) = (village.machines[1].store.clone(), village.machines[1].peer.clone());
    let node = Node::open(&store, &Real, peer.clone()).expect("opens");
    village.machines.push(Machine { store, node, rng: Seeded::new(9), peer, online: false, tomorrow: false });
    village.online(3);
    village.note(0, "", "one");
    assert_eq!(village.bodies(3), ["one"], "the newer stream is the copy's");
    assert!(village.bodies(1).is_empty(), "the older one is not served twice");
    village.offline(3);
    assert_eq!(village.bodies(1), ["one"]);
}

#[test]
fn after_a_leave_the_next_writer_makes_new_keys() {
    let mut village = circle_of_three();
    let before = village.circle(0).epoch.map(|epoch| epoch.id);
    village.call(2, Command::Leave("-".into(), control::LeaveCircle::default())).expect("left");
    village.note(1, "", "just us");
    assert_ne!(village.circle(0).epoch.map(|epoch| epoch.id), before);
    assert_eq!(village.bodies(0), ["just us"]);
    assert!(village.bodies(2).is_empty());
}

#[test]
fn who_walks_away_after_seeing_the_members_is_never_named() {
    let mut village = Village::new(2);
    village.found(control::NewCircle { approval: "none".into(), ..Default::default() });
    let link = village.link();
    village.call(1, Command::Accept(control::Accept { link, ..Default::default() })).expect("a join");
    let Answer::Joins(joins) = village.ask(1, Query::Joins) else { panic!("no list") };
    assert_eq!(joins[0].status, JoinStatus::Admitted);
    let seen: Vec<(&str, bool)> = joins[0].members.iter().map(|m| (m.name.as_str(), m.me)).collect();
    assert_eq!(seen, [("Amara", false), ("Bea", true)], "one sees oneself by the name that one gave");
    assert_ne!(village.members(0)[1].0, "Bea");
    village.call(1, Command::AbandonJoin(joins[0].id.clone())).expect("walked away");
    village.offline(1);
    village.online(1);
    let members = village.members(0);
    assert_eq!(members[1].1, "left");
    assert_ne!(members[1].0, "Bea");
}

#[test]
fn a_welcome_for_keys_of_an_earlier_request_brings_nobody_in() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    let (first, second) = (village.link(), village.link());
    village.call(1, Command::Accept(control::Accept { link: first, ..Default::default() })).expect("asks");
    let Answer::Pending(pending) = village.ask(0, Query::Pending("-".into())) else { panic!("no list") };
    // Another link, other keys: what a steward approves now is the request by the first.
    village.call(1, Command::Accept(control::Accept { link: second, ..Default::default() })).expect("asks again");
    village.call(0, Command::Approve("-".into(), pending[0].id.clone())).expect("approved");
    let circle = village.circle(0).id;
    let refused = village.call(1, Command::ConfirmJoin(circle)).expect_err("they are not in");
    assert_eq!(refused.message, "A steward has not approved yet.");
}

#[test]
fn coming_back_after_leaving_keeps_what_was_held() {
    let mut village = circle_of_three();
    village.note(0, "", "while they were in");
    village.call(2, Command::Leave("-".into(), control::LeaveCircle::default())).expect("left");
    village.note(0, "", "while they were away");
    village.join(2);
    village.note(0, "", "back again");
    assert_eq!(village.bodies(2), ["while they were in", "back again"]);
    assert_eq!(village.bodies(1).len(), 3);
}

#[test]
fn a_claim_to_know_more_of_somebody_does_not_make_them_begin_again() {
    let mut village = circle_of_three();
    village.note(1, "", "one");
    let before = village.machines[1].node.state.circles.all.values().map(|c| c.own().incarnation()).collect::<Vec<_>>();
    for link in village.machines[1].node.state.peers.sessions.keys().copied().collect::<Vec<_>>() {
        let session = &village.machines[1].node.state.peers.sessions[&link];
        let Some(shared) = session.circles.values().next().filter(|_| session.peer == peer(2)) else { continue };
        let chain = crate::circle::body::ChainId {
            device: village.machines[1].node.state.circles.all.values().next().expect("a circle").device(),
            incarnation: before[0],
            class: crate::circle::body::KeyClass::Talk,
        };
        let lie = crate::sync::message::ChainHave { chain, seq: 99, head: crate::id::EntryId([9; 32]) };
        let have = crate::sync::message::Have { chains: vec![lie], ..crate::sync::message::Have::default() };
        let bytes = crate::codec::encode(&Frame::Circle(shared.theirs, Message::Have(have)));
        village.queue.push_back((1, Input::Bytes(link, bytes)));
    }
    village.settle();
    let after = village.machines[1].node.state.circles.all.values().map(|c| c.own().incarnation()).collect::<Vec<_>>();
    assert_eq!(before, after);
    village.note(1, "", "two");
    assert_eq!(village.bodies(0), ["one", "two"]);
}
