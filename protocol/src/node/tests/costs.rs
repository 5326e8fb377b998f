//! What one input from a member may cost everybody else, counted in blocks opened and written; what is left over follows.

use super::*;
use crate::circle::body::{ChainId, KeyClass, Retention};
use crate::id::{CircleId, EntryId, Incarnation, ItemId};
use crate::item::edit::{Edit, Op, Value};
use crate::item::kind::fields;
use crate::item::kinds::event;
use crate::limits::{BLOCK_DIRECT, BLOCK_ENTRIES, BRANCHES, HAVE_MILLIS, HAVES, TURN_BLOCKS};
use crate::log::chain::{self, ChainHead};
use crate::log::entry::{EntryAt, NewEntry};
use crate::peer::frame::Token;
use crate::store::Table;
use crate::sync::entries;
use crate::sync::message::{ChainGap, ChainHave, ChainSeq, Have};
use crate::work::{Work, counted};

const BLOCK: u64 = BLOCK_ENTRIES as u64;
/// Entries that make a block of their own where they come at once.
const FEW: u64 = BLOCK_DIRECT as u64;
const TURN: u64 = TURN_BLOCKS as u64;

pub(super) fn circle_of_two() -> Village {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    village
}

pub(super) fn item(creator: crate::id::PersonId, number: u64) -> ItemId {
    let mut nonce = [7; 16];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    ItemId { creator, nonce }
}

pub(super) fn opening(now: Millis, item: ItemId, title: &str) -> NewEntry {
    let ops = vec![Op::Set(fields::TITLE, Value::text(title)), Op::Set(event::STARTS, Value::Moment(now.0))];
    let payload = crate::codec::encode(&Edit { version: 1, at: now, about: None, deps: vec![], names: vec![], ops });
    NewEntry { class: KeyClass::Library, kind: Kind::Event.number(), item, retention: Retention::Keep, payload }
}

impl Village {
    pub(super) fn circle_id(&self, at: usize) -> CircleId {
        *self.machines[at].node.state.circles.all.keys().next().expect("a circle")
    }

    /// Handles one input and says what work it caused.
    fn work(&mut self, at: usize, input: Input) -> Work {
        counted(|| self.handle(at, input)).1
    }

    /// A machine writes entries, and nobody hears of them yet. In a chain of its own, where asked.
    fn writes(&mut self, at: usize, fresh: bool, entries: impl FnOnce(crate::id::PersonId) -> Vec<NewEntry>) -> Vec<EntryId> {
        let id = self.circle_id(at);
        let machine = &mut self.machines[at];
        let mut batch = Turn::default();
        let mut env = Env { now: self.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
        let mut cx = Cx::new(Tx::new(&machine.store, &batch), &mut env);
        if fresh {
            machine.node.state.circles.all.get_mut(&id).expect("there").begin_again(&mut cx);
        }
        let me = machine.node.state.circles.all[&id].me().expect("a member");
        let before: Vec<ChainHead> = chain::chains(&cx.tx, &id).expect("reads");
        drop(entries::write(&mut machine.node.state.circles, &mut cx, &id, entries(me)).expect("writes"));
        let known = |head: &ChainHead| before.iter().find(|old| old.no == head.no).map_or(0, |old| old.seq);
        let heads = chain::chains(&cx.tx, &id).expect("reads");
        let places = heads.iter().flat_map(|head| (known(head) + 1..=head.seq).map(|seq| EntryAt { chain: head.no, seq }));
        let ring = machine.node.state.circles.all[&id].ring();
        let written = chain::load_many(&cx.tx, ring, &places.collect::<Vec<_>>()).expect("reads");
        machine.node.state.settle(&mut cx).expect("settles");
        cx.tx.finish().join(&mut batch);
        machine.node.state.saved();
        machine.store.commit(&batch.writes).expect("memory never fails");
        batch.effects.into_iter().for_each(|effect| self.perform(at, effect));
        written.into_iter().map(|entry| entry.id).collect()
    }

    /// So many events by machine 1, each block a chain of its own, known to machine 0.
    pub(super) fn chains(&mut self, count: u64) {
        for number in 0..count {
            let now = self.now;
            self.writes(1, true, |me| (0..BLOCK).map(|n| opening(now, item(me, number * BLOCK + n), "x")).collect());
        }
        self.settle();
    }

    /// A link of machine 0 with machine 1, and the token that machine 1 names the circle by.
    fn member(&self) -> (Link, Token) {
        let open = self.machines[0].node.state.peers.sessions.iter().rev();
        let mut links = open.filter_map(|(link, session)| Some((*link, session.circles.values().find(|s| s.proved)?.theirs)));
        links.next().expect("a link")
    }

    pub(super) fn says(&mut self, message: Message) -> Work {
        let (link, token) = self.member();
        self.work(0, Input::Bytes(link, crate::codec::encode(&Frame::Circle(token, message))))
    }

    pub(super) fn heads_at_0(&self) -> Vec<ChainHead> {
        chain::chains(&self.machines[0].store, &self.circle_id(0)).expect("reads")
    }

    /// Ticks until nothing is due at once; the work of each.
    fn ticks(&mut self, at: usize) -> Vec<Work> {
        let mut all = Vec::new();
        loop {
            let machine = &self.machines[at];
            let due = machine.node.deadline(&machine.store).expect("reads");
            if due.is_none_or(|due| due > self.now.plus(5)) {
                return all;
            }
            self.now = Millis(self.now.0.max(due.expect("due").0));
            all.push(self.work(at, Input::Tick));
            assert!(all.len() < 10_000, "it never ends");
        }
    }
}

fn have(chains: Vec<ChainHave>, missing: Vec<ChainGap>) -> Message {
    Message::Have(Have { chains, missing, ..Have::default() })
}

fn elsewhere(chain: ChainId, seq: u64) -> ChainHave {
    ChainHave { chain, seq, head: EntryId([9; 32]) }
}

#[test]
fn a_have_that_names_one_chain_without_end_is_refused_and_opens_nothing() {
    let mut village = circle_of_two();
    village.chains(1);
    let chain = village.heads_at_0()[0].id;
    let (link, _) = village.member();
    let work = village.says(have((1..=400).map(|seq| elsewhere(chain, seq % 250 + 1)).collect(), vec![]));
    assert_eq!(work, Work::default());
    assert!(!village.machines[0].node.state.peers.sessions.contains_key(&link), "the stream goes on");
}

#[test]
fn the_same_entry_named_often_counts_once_and_what_is_unknown_costs_nothing() {
    let mut village = circle_of_two();
    village.chains(1);
    let chain = village.heads_at_0()[0].id;
    let (link, _) = village.member();
    let work = village.says(have(vec![elsewhere(chain, 9); 400], vec![]));
    assert_eq!(work.opened, 1, "{work:?}");
    let unknown = |n: u32| {
        let mut incarnation = [3; 16];
        incarnation[..4].copy_from_slice(&n.to_be_bytes());
        elsewhere(ChainId { incarnation: Incarnation(incarnation), ..chain }, 5)
    };
    let work = village.says(have((0..9_000).map(unknown).collect(), vec![]));
    assert_eq!((work.opened, work.sealed), (0, 0));
    let most = (0..=BRANCHES as u64).map(|n| elsewhere(chain, 10 + n)).collect();
    assert_eq!(village.says(have(most, vec![])).opened, 1, "all in one block");
    assert!(village.machines[0].node.state.peers.sessions.contains_key(&link), "none of this is an offence");
}

#[test]
fn holes_that_no_run_lies_in_open_nothing() {
    let mut village = circle_of_two();
    village.chains(1);
    let head = village.heads_at_0().remove(0);
    let all = vec![ChainHave { chain: head.id, seq: head.seq, head: head.head }];
    let gaps = (0..65).map(|n| ChainGap { chain: head.id, first: 2 + 3 * n, last: 2 + 3 * n }).collect();
    let work = village.says(have(all, gaps));
    assert_eq!((work.opened, work.sealed), (0, 0), "{work:?}");
}

#[test]
fn what_a_have_asks_about_many_chains_is_done_over_several_turns() {
    let mut village = circle_of_two();
    let many = 2 * TURN + 3;
    village.chains(many);
    let heads = village.heads_at_0();
    assert_eq!(heads.len() as u64, many);
    let first = village.says(have(heads.iter().map(|head| elsewhere(head.id, 100)).collect(), vec![]));
    assert_eq!(first.opened, TURN, "{first:?}");
    let rest = village.ticks(0);
    assert!(rest.iter().all(|work| work.opened <= TURN && work.sealed <= TURN), "{rest:?}");
    assert_eq!(first.opened + rest.iter().map(|work| work.opened).sum::<u64>(), many, "each is compared, once");
    // All of them lie beside ours, so ours are sent from the start, as they lie there.
    assert_eq!(first.sealed + rest.iter().map(|work| work.sealed).sum::<u64>(), 0);
    village.settle();
    let want = heads.iter().map(|head| ChainSeq { chain: head.id, seq: 100 }).collect();
    let first = village.says(Message::Want(want));
    let rest = village.ticks(0);
    assert!(first.sealed <= TURN && rest.iter().all(|work| work.sealed <= TURN), "{first:?} {rest:?}");
    assert_eq!(first.sealed + rest.iter().map(|work| work.sealed).sum::<u64>(), many, "each rest of a block is sent, once");
}

#[test]
fn who_says_without_end_what_they_have_is_heard_once_a_second() {
    let mut village = circle_of_two();
    village.chains(1);
    village.now = village.now.plus(60_000);
    // They claim to have nothing, so that each time all is sent again.
    let answer = |village: &mut Village| {
        let before = village.sent;
        village.says(have(vec![], vec![]));
        village.sent - before
    };
    let heard = (0..50).filter(|_| answer(&mut village) > 5_000).count();
    assert_eq!(heard as u64, HAVES);
    // What they said last is heard when it is time, and a clock that is set back makes nobody wait much longer.
    let sent = village.sent;
    village.now = Millis(village.now.0 - 3_600_000);
    village.handle(0, Input::Tick);
    village.now = village.now.plus(HAVE_MILLIS);
    village.handle(0, Input::Tick);
    assert!(village.sent - sent > 5_000, "they are not heard any more");
}

#[test]
fn destroying_goes_on_where_it_stopped_also_after_a_restart() {
    let mut village = circle_of_two();
    let (blocks, now) = (2 * TURN + 4, village.now);
    let first = village.writes(1, false, |me| vec![opening(now, item(me, 0), "to be destroyed")]);
    for block in 0..blocks {
        village.writes(1, false, |me| {
            let change = |n: u64| {
                let ops = vec![Op::Set(event::LOCATION, Value::text(&format!("place {block} {n}")))];
                let edit = Edit { version: 1, at: now, about: None, deps: first.clone(), names: vec![], ops };
                NewEntry { payload: crate::codec::encode(&edit), ..opening(now, item(me, 0), "") }
            };
            let other = |n: u64| opening(now, item(me, 1 + block * FEW + n), "stays");
            (0..10).map(change).chain((10..FEW).map(other)).collect()
        });
    }
    village.settle();
    let events = |village: &Village| {
        let list = Query::List { circle: None, kind: Kind::Event, filter: Filter::default() };
        let Answer::Items(Items::Events(events)) = village.ask(0, list) else { panic!("no events") };
        events
    };
    let doomed = events(&village).into_iter().find(|event| event.title == "to be destroyed").expect("it is here").id;
    let others = events(&village).len() - 1;
    village.now = village.now.plus(1_000);
    let call = CallId(village.fresh());
    let remove = Command::Remove { circle: "-".into(), item: doomed.clone(), now: true };
    village.handle(1, Input::Call(call, remove));
    assert!(village.replies.remove(&call).is_some_and(|answer| answer.is_ok()));
    let mut first = Work::default();
    while let Some((at, input)) = village.queue.pop_front() {
        let work = village.work(at, input);
        assert!(work.sealed <= TURN + 1, "{work:?}");
        if at == 0 {
            first.sealed += work.sealed;
        }
    }
    assert!(first.sealed >= TURN, "{first:?}");
    assert_eq!(events(&village).len(), others, "what is to be destroyed is hidden at once");
    // The machine stops here.
    let machine = &mut village.machines[0];
    machine.node = Node::open(&machine.store, &Real, machine.peer.clone()).expect("opens again");
    let rest = village.ticks(0);
    assert!(rest.iter().all(|work| work.sealed <= TURN), "{rest:?}");
    let sealed: u64 = first.sealed + rest.iter().map(|work| work.sealed).sum::<u64>();
    assert!(sealed <= blocks + 2, "{sealed} blocks written for {blocks}");
    let machine = &village.machines[0];
    let circle = machine.node.state.circles.all.values().next().expect("a circle");
    for head in chain::chains(&machine.store, &circle.id()).expect("reads") {
        let places: Vec<EntryAt> = (1..=head.seq).map(|seq| EntryAt { chain: head.no, seq }).collect();
        let kept = chain::load_many(&machine.store, circle.ring(), &places).expect("reads").into_iter();
        let kept = kept.filter(|entry| entry.item.nonce == item(entry.item.creator, 0).nonce && entry.payload.is_some());
        assert_eq!(kept.count(), 0, "bytes are left");
    }
    assert!(machine.store.scan(Table::Local, b"destroy/", &[], 1).expect("reads").is_empty());
}
