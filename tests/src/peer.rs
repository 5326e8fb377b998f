//! The hostile peer kit: a member of real circles, with real keys, who may say anything.
//!
//! A [`Peer`] runs the real core over a store in memory and talks `/kith/sync/1` to real daemons over TCP or QUIC on loopback. It
//! joins by a real invite, so it can do what any member can; beyond that, a test may send any frame in its name ([`Peer::send`],
//! [`Peer::say`]), and any run of entries or any act, signed with its keys, with one field hostile ([`Peer::run`],
//! [`Peer::act`]). [`Scene`] is the usual place: a daemon, an honest third member, and the checks that all goes on.
//! Below that, [`wire`] opens connections and streams by hand, and [`raw`] speaks to sockets byte by byte.
//!
//! ```text
//! use kith_tests::peer::Scene;
//! let scene = Scene::new();
//! let mallory = scene.mallory();
//! let mut run = mallory.run("a note that looks good");
//! run.first = u64::MAX;
//! mallory.send_run(&run);
//! scene.holds();
//! ```
//!
//! What is here must never decide what a test expects, and never touch a daemon but through its sockets.

pub mod costly;
pub mod forge;
pub mod guest;
pub mod link;
mod member;
pub mod raw;
mod roster;
mod scene;
mod spam;
pub mod wire;

use std::sync::{Arc, MutexGuard};

use kith_protocol::circle::epoch::Ring;
use kith_protocol::control::{Accept, Error, Items, JoinStatus, Kind, NewItem, NewNote, Note};
use kith_protocol::crypto::{Real, SigningKey};
use kith_protocol::id::CircleId;
use kith_protocol::node::{Answer, Command, Filter, Link, Query, answer};
use kith_protocol::store::{MemoryStore, Read, Table};
use libp2p::identity::Keypair;

use self::member::{Member, State, now};
use self::wire::Manners;
use crate::cbor::{Cbor, array, bytes};
use crate::proc::{Home, until};
pub use scene::Scene;

/// A member in the test's own hands.
#[derive(Debug)]
pub struct Peer {
    member: Arc<Member>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.member.leave();
    }
}

impl Peer {
    /// A machine that is in no circle yet.
    ///
    /// # Panics
    /// Where the core does not take its name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let peer = Self { member: Member::new() };
        drop(peer.call(Command::Init { name: name.to_owned() }).expect("a name is taken"));
        peer
    }

    /// A member of a daemon's circle, by invite and approval; synced.
    #[must_use]
    pub fn member_of(home: &Home, circle: &str, name: &str) -> Self {
        let peer = Self::named(name);
        peer.join(home, circle);
        peer
    }

    /// The same over QUIC.
    #[must_use]
    pub fn member_by_quic(home: &Home, circle: &str, name: &str) -> Self {
        let peer = Self::named(name);
        peer.lock().quic = true;
        peer.join(home, circle);
        peer
    }

    /// Joins a daemon's circle by invite and approval.
    ///
    /// # Panics
    /// Where that does not come about.
    pub fn join(&self, home: &Home, circle: &str) {
        self.join_by(home, circle, &home.field(&["invite", "new", "-c", circle], "link"));
    }

    /// The same by this link.
    ///
    /// # Panics
    /// Where that does not come about.
    pub fn join_by(&self, home: &Home, circle: &str, link: &str) {
        drop(self.accept(link).expect("the link is read"));
        let approved = || {
            let row = home.rows(&["invite", "pending", "-c", circle], "pending").into_iter().next()?;
            Some(row.get("id")?.as_str()?.to_owned())
        };
        let request = until("the request to arrive", || self.joined().then(String::new).or_else(approved));
        if !request.is_empty() {
            drop(home.json(&["invite", "approve", &request, "-c", circle]));
        }
        until("to be let in", || self.joined().then_some(()));
        self.synced();
    }

    /// Asks to come in by a link, and says yes in advance.
    ///
    /// # Errors
    /// As the core says it.
    pub fn accept(&self, link: &str) -> Result<Answer, Error> {
        self.call(Command::Accept(Accept { link: link.to_owned(), as_name: String::new(), confirm: true }))
    }

    fn joined(&self) -> bool {
        let Ok(Answer::Joins(joins)) = self.ask(Query::Joins) else { return false };
        !joins.is_empty() && joins.iter().all(|join| join.status == JoinStatus::Joined)
    }

    /// What came of the joins that this peer began.
    #[must_use]
    pub fn joins(&self) -> Vec<JoinStatus> {
        let Ok(Answer::Joins(joins)) = self.ask(Query::Joins) else { return Vec::new() };
        joins.into_iter().map(|join| join.status).collect()
    }

    /// Waits until this peer and a daemon have proved themselves to each other in a circle.
    pub fn synced(&self) {
        until("both sides to prove themselves", || self.token().and(self.their_token()));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.member.lock()
    }

    // ---- as an honest member ----------------------------------------------------------------------------------------

    /// Asks the core for something that changes something.
    ///
    /// # Errors
    /// As the core says it.
    pub fn call(&self, command: Command) -> Result<Answer, Error> {
        let call = self.member.call(command);
        until("the core to answer", || self.lock().replies.remove(&call))
    }

    /// Asks the core for something that changes nothing.
    ///
    /// # Errors
    /// As the core says it.
    ///
    /// # Panics
    /// Where the store in memory fails.
    pub fn ask(&self, query: Query) -> Result<Answer, Error> {
        answer(&self.lock().store, &Real, now(), query).expect("memory does not fail")
    }

    /// Writes a note as any member would.
    ///
    /// # Panics
    /// Where the core refuses it.
    pub fn note(&self, title: &str) {
        let note = NewNote { title: title.to_owned(), body: "x".to_owned(), ..NewNote::default() };
        drop(self.call(Command::New(self.circle().text(), NewItem::Note(note))).expect("a note is written"));
    }

    /// The notes it sees.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        let list = Query::List { circle: None, kind: Kind::Note, filter: Filter::default() };
        if let Ok(Answer::Items(Items::Notes(notes))) = self.ask(list) { notes } else { Vec::new() }
    }

    /// Waits until it sees a note.
    pub fn awaits_note(&self, title: &str) {
        until(&format!("the note “{title}” at a peer"), || self.notes().iter().any(|note| note.title == title).then_some(()));
    }

    // ---- what it holds ----------------------------------------------------------------------------------------------

    /// Its transport keys.
    #[must_use]
    pub fn keys(&self) -> &Keypair {
        &self.member.keys
    }

    /// Its circle, the first of several.
    ///
    /// # Panics
    /// Where it is in none.
    #[must_use]
    pub fn circle(&self) -> CircleId {
        *self.circles().first().expect("it is in a circle")
    }

    /// Its circles.
    #[must_use]
    pub fn circles(&self) -> Vec<CircleId> {
        let rows = self.lock().store.scan(Table::Circle, &[], &[], 64).unwrap_or_default();
        rows.iter().filter_map(|(key, _)| CircleId::from_slice(key)).collect()
    }

    /// A copy of its store.
    #[must_use]
    pub fn store(&self) -> MemoryStore {
        self.lock().store.clone()
    }

    /// The keys of epochs that it holds.
    ///
    /// # Panics
    /// Where its store is damaged.
    #[must_use]
    pub fn ring(&self, circle: &CircleId) -> Ring {
        Ring::load(&self.lock().store, circle).expect("memory does not fail")
    }

    /// The key that its device signs with in a circle.
    ///
    /// # Panics
    /// Where it is not in that circle.
    #[must_use]
    pub fn signing_key(&self, circle: &CircleId) -> SigningKey {
        let row = self.lock().store.get(Table::Circle, &circle.0).expect("memory does not fail").expect("it is in the circle");
        // [version, circle, [sign, hpke, hello], ...]
        let row = Cbor::parse(&row).expect("a row of the core");
        let seed = row.at(2).at(0).as_bytes().try_into().expect("a seed of 32 bytes");
        SigningKey::from_seed(seed)
    }

    // ---- links ------------------------------------------------------------------------------------------------------

    /// Keeps what comes in from the core from now on, so that only the test answers; or no longer.
    pub fn deaf(&self, deaf: bool) {
        self.lock().deaf = deaf;
    }

    /// How streams that the other side opens are answered on connections made from now on.
    pub fn behave(&self, manners: Manners) {
        self.lock().manners = manners;
    }

    /// The newest open link.
    #[must_use]
    pub fn link(&self) -> Option<Link> {
        self.lock().streams.keys().next_back().copied()
    }

    /// Who is at the other end of the newest link.
    ///
    /// # Panics
    /// Where no link is open.
    #[must_use]
    pub fn other_end(&self) -> Vec<u8> {
        self.lock().streams.values().next_back().expect("a link is open").other_end()
    }

    /// What came in on the newest link.
    #[must_use]
    pub fn heard(&self) -> Vec<Cbor> {
        let state = self.lock();
        let frames = state.streams.values().next_back().map(|stream| stream.heard.clone()).unwrap_or_default();
        frames.iter().filter_map(|frame| Cbor::parse(frame)).collect()
    }

    /// What went out on the newest link.
    #[must_use]
    pub fn said(&self) -> Vec<Cbor> {
        let state = self.lock();
        let frames = state.streams.values().next_back().map(|stream| stream.said.clone()).unwrap_or_default();
        frames.iter().filter_map(|frame| Cbor::parse(frame)).collect()
    }

    /// Sends any bytes as one frame, if a link is open.
    pub fn send_bytes(&self, frame: Vec<u8>) {
        let mut state = self.lock();
        if let Some(link) = state.streams.keys().next_back().copied() {
            member::say(&mut state, link, frame);
        }
    }

    /// Sends any bytes, not even a frame.
    pub fn send_raw(&self, bytes: Vec<u8>) {
        let state = self.lock();
        if let Some(out) = state.streams.values().next_back().and_then(|stream| stream.out.as_ref()) {
            // A stream that ended says so by itself.
            drop(out.send(bytes));
        }
    }

    /// Sends one frame.
    pub fn send(&self, frame: &Cbor) {
        self.send_bytes(frame.encode());
    }

    /// The token by which this side names its circle on the newest link: whatever its core used last.
    #[must_use]
    pub fn token(&self) -> Option<Vec<u8>> {
        self.said().iter().rev().find_map(circle_token)
    }

    /// The token by which the other side names it.
    #[must_use]
    pub fn their_token(&self) -> Option<Vec<u8>> {
        self.heard().iter().rev().find_map(circle_token)
    }

    /// Says something in the circle: `[number, [fields]]`.
    pub fn say(&self, number: u64, fields: Vec<Cbor>) {
        if let Some(token) = self.token() {
            self.send(&array([3.into(), array([bytes(token), array([number.into(), Cbor::Array(fields)])])]));
        }
    }

    /// Calls an address, as somebody who was told of it, and waits until the stream stands and both said hello.
    pub fn dial(&self, addr: &libp2p::Multiaddr) {
        wire::runtime().spawn(member::meet(Arc::clone(&self.member), None, Some(addr.clone())));
        until("a stream", || (self.heard().len() > 1).then_some(()));
    }

    /// Calls an address, whether or not anybody answers.
    pub fn knock(&self, addr: &libp2p::Multiaddr) {
        wire::runtime().spawn(member::meet(Arc::clone(&self.member), None, Some(addr.clone())));
    }

    /// Closes every stream.
    pub fn hang_up(&self) {
        let links: Vec<Link> = self.lock().streams.keys().copied().collect();
        links.into_iter().for_each(|link| self.member.closed(link));
    }

    /// Says that it can be reached at an address where nobody is: what names addresses names this one.
    pub fn listens_nowhere(&self) {
        let nowhere = [4, 127, 0, 0, 1, 6, 0, 9];
        self.member.feed(kith_protocol::node::Input::Listening(vec![kith_protocol::id::Addr(nowhere.to_vec())]));
    }

    /// Calls everybody again at once.
    pub fn redial(&self) {
        self.member.feed(kith_protocol::node::Input::Woke);
    }

    /// Waits until everything said so far was handled: either the other side answers a question asked last, or it closed the link.
    /// True: the link still stands.
    pub fn handled(&self) -> bool {
        let Some(link) = self.link() else { return false };
        let before = self.count_have(link).unwrap_or(0);
        self.say(2, vec![bytes([0; 32])]);
        until("an answer, or the end of the link", || match self.count_have(link) {
            None => Some(false),
            Some(count) => (count > before).then_some(true),
        })
    }

    /// How often the other side said what it has; none: the link is over.
    fn count_have(&self, link: Link) -> Option<usize> {
        let state = self.lock();
        let stream = state.streams.get(&link)?;
        let frames = stream.heard.iter().filter_map(|frame| Cbor::parse(frame));
        Some(frames.filter(|frame| message_of(frame).at(0).number() == Some(3)).count())
    }

    /// The messages of one number that came in on the newest link: their fields.
    #[must_use]
    pub fn messages(&self, number: u64) -> Vec<Cbor> {
        let heard = self.heard();
        let messages = heard.iter().map(message_of).filter(|message| message.at(0).number() == Some(number));
        messages.map(|message| message.at(1).clone()).collect()
    }
}

/// The message of a circle's frame; null for another frame.
fn message_of(frame: &Cbor) -> &Cbor {
    if frame.at(0).number() == Some(3) { frame.at(1).at(1) } else { &Cbor::Null }
}

fn circle_token(frame: &Cbor) -> Option<Vec<u8>> {
    (frame.at(0).number() == Some(3)).then(|| frame.at(1).at(0).as_bytes().to_vec())
}
