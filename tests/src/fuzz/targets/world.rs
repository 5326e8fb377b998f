//! A few whole nodes over memory that talk to each other, and what each of them saw: chapters that can be played again with
//! other frames.

use std::collections::VecDeque;

use kith_protocol::control::{Accept, Kind, NewCircle, NewInvite, NewItem, NewNote, NewReply, Response};
use kith_protocol::crypto::Seeded;
use kith_protocol::id::{Addr, PeerId};
use kith_protocol::node::{self, Answer, CallId, Command, Effect, Env, Filter, Input, Link, Node, Query};
use kith_protocol::store::{MemoryStore, Store};
use kith_protocol::time::Millis;
use kith_protocol::tx::Turn;

use super::crypto::Trusting;

const START: Millis = Millis(1_795_359_600_000);
const CIRCLE: &str = "Night shift";
/// Turns of a conversation; it ends long before.
const TURNS: usize = 2_000;
/// How far a deadline may lie off to be waited for, in milliseconds.
const SOON: u64 = 2_000;

/// One thing that happens to a machine.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "steps are few, and kept as they came")]
pub(super) enum NodeStep {
    Call(Command),
    Opened(Link, PeerId, bool),
    Bytes(Link, Vec<u8>),
    Closed(Link),
    Listening(Vec<Addr>),
    Tick,
}

/// What happened to one machine, and how it was before.
#[derive(Clone, Debug)]
pub(super) struct Chapter {
    pub(super) peer: PeerId,
    seed: u64,
    store: MemoryStore,
    pub(super) steps: Vec<(Millis, NodeStep)>,
}

/// A machine: a node over its store.
pub(super) struct FuzzedNode {
    peer: PeerId,
    store: MemoryStore,
    node: Node,
    rng: Seeded,
    calls: u64,
}

impl FuzzedNode {
    fn open(peer: &PeerId, store: &MemoryStore, seed: u64) -> Self {
        let node = Node::open(store, &Trusting, peer.clone()).expect("a store that a node wrote can be opened");
        Self { peer: peer.clone(), store: store.clone(), node, rng: Seeded::new(seed), calls: 0 }
    }

    /// Handles one step and commits; a store that fails is a broken promise, no matter who sent what.
    pub(super) fn turn(&mut self, now: Millis, step: NodeStep) -> Vec<Effect> {
        self.calls += 1;
        let input = match step {
            NodeStep::Call(command) => Input::Call(CallId(self.calls), command),
            NodeStep::Opened(link, peer, dialer) => Input::Opened { link, peer, dialer },
            NodeStep::Bytes(link, bytes) => Input::Bytes(link, bytes),
            NodeStep::Closed(link) => Input::Closed(link),
            NodeStep::Listening(addrs) => Input::Listening(addrs),
            NodeStep::Tick => Input::Tick,
        };
        let mut batch = Turn::default();
        let mut env = Env { now, rng: &mut self.rng, crypto: &Trusting, peer: &self.peer };
        self.node.handle(&mut env, &self.store, &mut batch, input).expect("no peer's bytes make the store fail");
        self.store.commit(&batch.writes).expect("memory never fails");
        batch.effects
    }

    /// Everything that a person could ask for; a store that fails is a broken promise.
    pub(super) fn look(&self, now: Millis) -> Vec<Answer> {
        let list = |kind| Query::List { circle: None, kind, filter: Filter { reveal: true, ..Filter::default() } };
        let queries = [
            Query::Circles,
            Query::Joins,
            Query::Doctor,
            Query::Status,
            Query::Inbox { circle: None },
            Query::Pending(CIRCLE.to_owned()),
        ];
        let more = [Query::Members(CIRCLE.to_owned()), Query::Invites(CIRCLE.to_owned())];
        let lists = Kind::listed().map(list);
        let all = queries.into_iter().chain(more).chain(lists);
        let ask = |query| node::answer(&self.store, &Trusting, now, query).expect("no peer's bytes make the store fail").ok();
        all.filter_map(ask).collect()
    }

    /// The same machine after a restart.
    pub(super) fn restarted(&self) -> Self {
        Self::open(&self.peer, &self.store, 1)
    }
}

impl Chapter {
    /// The machine as it was when the chapter began.
    pub(super) fn machine(&self) -> FuzzedNode {
        FuzzedNode::open(&self.peer, &self.store, self.seed)
    }

    /// The frames it saw.
    pub(super) fn frames(&self) -> Vec<Vec<u8>> {
        let frame =
            |(_, step): &(Millis, NodeStep)| if let NodeStep::Bytes(_, bytes) = step { Some(bytes.clone()) } else { None };
        self.steps.iter().filter_map(frame).collect()
    }
}

/// Everybody, and the steps since the chapter began.
struct World {
    machines: Vec<FuzzedNode>,
    chapters: Vec<Chapter>,
    /// Open streams: who and its name there, twice.
    links: Vec<[(usize, Link); 2]>,
    /// Who is away.
    away: Vec<usize>,
    next: u64,
    now: Millis,
    queue: VecDeque<(usize, NodeStep)>,
    answers: Vec<Answer>,
}

impl World {
    fn new(people: usize) -> Self {
        let peer = |n: usize| PeerId(format!("peer {n}").into_bytes());
        let machines = (0..people).map(|n| FuzzedNode::open(&peer(n), &MemoryStore::default(), n as u64)).collect();
        let mut world = Self {
            machines,
            chapters: Vec::new(),
            links: Vec::new(),
            away: Vec::new(),
            next: 1,
            now: START,
            queue: VecDeque::new(),
            answers: Vec::new(),
        };
        world.begin();
        world
    }

    /// A new chapter: everybody restarts, all streams are closed.
    fn begin(&mut self) {
        self.links.clear();
        self.chapters.clear();
        for (n, machine) in self.machines.iter_mut().enumerate() {
            // Never the same twice: keys that were drawn once belong to one epoch.
            let seed = 100 * (self.next + 1) + n as u64;
            let (peer, store) = (machine.peer.clone(), machine.store.clone());
            *machine = FuzzedNode::open(&peer, &store, seed);
            self.chapters.push(Chapter { peer, seed, store, steps: Vec::new() });
        }
        for n in 0..self.machines.len() {
            if !self.away.contains(&n) {
                self.queue.push_back((n, NodeStep::Listening(vec![addr(n)])));
            }
        }
        self.settle();
    }

    fn call(&mut self, who: usize, command: Command) -> Vec<Answer> {
        self.queue.push_back((who, NodeStep::Call(command)));
        self.settle();
        std::mem::take(&mut self.answers)
    }

    /// Until nothing is left to do for a while.
    fn settle(&mut self) {
        for _ in 0..TURNS {
            let Some((who, step)) = self.queue.pop_front().or_else(|| self.due()) else { return };
            self.chapters[who].steps.push((self.now, step.clone()));
            let effects = self.machines[who].turn(self.now, step);
            effects.into_iter().for_each(|effect| self.carry_out(who, effect));
        }
        panic!("the machines do not come to rest");
    }

    fn due(&mut self) -> Option<(usize, NodeStep)> {
        let mut next = Vec::new();
        for (n, machine) in self.machines.iter().enumerate().filter(|(n, _)| !self.away.contains(n)) {
            next.extend(machine.node.deadline(&machine.store).expect("memory never fails").map(|at| (at, n)));
        }
        let (at, who) = next.into_iter().min()?;
        (at.0 <= self.now.0 + SOON).then(|| {
            self.now = self.now.max(at);
            (who, NodeStep::Tick)
        })
    }

    fn carry_out(&mut self, who: usize, effect: Effect) {
        let other = |links: &[[(usize, Link); 2]], link: Link| {
            let pair = links.iter().find(|pair| pair.contains(&(who, link)))?;
            pair.iter().find(|end| **end != (who, link)).copied()
        };
        match effect {
            Effect::Send(link, bytes) => {
                self.queue.extend(other(&self.links, link).map(|(whom, link)| (whom, NodeStep::Bytes(link, bytes))));
            }
            Effect::Dial(peer, _) => {
                let whom = self.machines.iter().position(|machine| machine.peer == peer);
                if let Some(whom) = whom.filter(|whom| *whom != who && !self.away.contains(whom)) {
                    let (here, there) = (Link(self.next), Link(self.next + 1));
                    self.next += 2;
                    self.links.push([(who, here), (whom, there)]);
                    self.queue.push_back((who, NodeStep::Opened(here, peer, true)));
                    self.queue.push_back((whom, NodeStep::Opened(there, self.machines[who].peer.clone(), false)));
                }
            }
            Effect::Close(link) => {
                self.queue.extend(other(&self.links, link).map(|(whom, link)| (whom, NodeStep::Closed(link))));
                self.links.retain(|pair| !pair.contains(&(who, link)));
            }
            Effect::Reply(_, answer) => self.answers.extend(answer.ok()),
            Effect::Widen(_) | Effect::Notify(_) | Effect::Scrub | Effect::Log(..) => {}
        }
    }
}

fn addr(n: usize) -> Addr {
    Addr(format!("addr {n}").into_bytes())
}

fn note(title: &str) -> Command {
    Command::New(
        CIRCLE.to_owned(),
        NewItem::Note(NewNote { title: title.to_owned(), body: "words ".repeat(9), ..NewNote::default() }),
    )
}

/// Lets somebody in, from the invite to their first sync.
fn admit(world: &mut World, who: usize, name: &str) {
    let invite = world.call(0, Command::NewInvite(CIRCLE.to_owned(), NewInvite::default()));
    let link = invite.into_iter().find_map(|answer| if let Answer::Invite(invite) = answer { invite.link } else { None });
    let link = link.expect("an invite has a link");
    drop(world.call(who, Command::Init { name: name.to_owned() }));
    world.begin();
    let accept = Accept { link, as_name: name.to_owned(), ..Accept::default() };
    drop(world.call(who, Command::Accept(accept)));
    drop(world.call(0, Command::Approve(CIRCLE.to_owned(), name.to_owned())));
    drop(world.call(who, Command::ConfirmJoin(CIRCLE.to_owned())));
}

/// What two and then three people live through: joining, syncing after a time apart, an introduction, a removal. Each machine's
/// own side of it is a chapter.
pub(super) fn chapters() -> Vec<Chapter> {
    let mut out = Vec::new();
    let mut world = World::new(3);
    drop(world.call(0, Command::Init { name: "Amara".to_owned() }));
    let circle = NewCircle { name: CIRCLE.to_owned(), agreement: "Be kind.".to_owned(), ..NewCircle::default() };
    drop(world.call(0, Command::NewCircle(circle)));
    drop(world.call(0, note("before")));
    let keep = |world: &World, who: &[usize], out: &mut Vec<Chapter>| {
        out.extend(who.iter().map(|who| world.chapters[*who].clone()));
    };
    admit(&mut world, 1, "Bea");
    // Amara is reachable at another address from now on, and says so in a new record.
    world.queue.push_back((0, NodeStep::Listening(vec![addr(9)])));
    world.settle();
    keep(&world, &[0, 1], &mut out);
    // Apart, both write; then they meet.
    world.away = vec![0, 1];
    world.links.clear();
    for n in 0..3 {
        drop(world.call(0, note(&format!("ours {n}"))));
        drop(world.call(1, note(&format!("mine {n}"))));
    }
    world.away.clear();
    world.begin();
    drop(world.call(1, note("together")));
    keep(&world, &[0, 1], &mut out);
    // Somebody joins while Bea is away, and meets Bea later.
    world.away = vec![1];
    world.begin();
    admit(&mut world, 2, "Chioma");
    world.away = vec![0];
    world.begin();
    drop(world.call(2, note("new here")));
    keep(&world, &[1, 2], &mut out);
    // Bea is removed while away.
    world.away = vec![1];
    world.begin();
    let removed = world.call(0, Command::RemoveMember(CIRCLE.to_owned(), "Bea".to_owned()));
    assert!(matches!(removed.as_slice(), [Answer::Member(_)]), "Bea is removed: {removed:?}");
    keep(&world, &[0, 2], &mut out);
    world.away.clear();
    world.begin();
    let reply = NewReply { body: "after".to_owned(), content_warning: None };
    drop(world.call(0, Command::Respond(CIRCLE.to_owned(), "new here".to_owned(), Response::Reply(reply))));
    keep(&world, &[0, 1, 2], &mut out);
    out.retain(|chapter| chapter.frames().len() > 1);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chapters_show_what_they_are_for() {
        let chapters = chapters();
        let frames: Vec<Vec<u8>> = chapters.iter().flat_map(Chapter::frames).collect();
        // Of each kind of frame, by its number in front; and of each of a circle's messages.
        let number = |frame: &Vec<u8>| frame.get(1).copied().unwrap_or(u8::MAX);
        let message = |frame: &Vec<u8>| (number(frame) == 3).then(|| frame.get(21).copied()).flatten();
        for kind in 0..=6 {
            assert!(frames.iter().any(|frame| number(frame) == kind), "no frame of kind {kind}");
        }
        for kind in [0, 1, 2, 3, 4, 5, 6, 7] {
            assert!(frames.iter().any(|frame| message(frame) == Some(kind)), "no message of kind {kind}");
        }
        for chapter in &chapters {
            let mut machine = chapter.machine();
            chapter.steps.iter().for_each(|(now, step)| drop(machine.turn(*now, step.clone())));
            assert!(!machine.look(START).is_empty());
        }
    }
}
