//! What the node keeps in memory, room by room, and what has to happen after each input whatever it was.

use std::collections::{BTreeMap, BTreeSet};

use super::delivery::Delivery;
use super::{Dialer, call_whom, cuts, entries};
use crate::circle::state::own::MERGES;
use crate::circle::state::{CircleState, OwnStanding};
use crate::circle::summary::Summary;
use crate::circle::ticket::Hint;
use crate::codec;
use crate::context::{Cx, InputError};
use crate::control::WatchEvent;
use crate::crypto::Crypto;
use crate::id::{Addr, CircleId, PeerId};
use crate::io::{Effect, Env, Link};
use crate::item;
use crate::log::chain::Heads;
use crate::planted::{Bug, planted};
use crate::store::{Read, StoreError, Table};
use crate::sync::dial::Wanted;
use crate::sync::exchange;
use crate::sync::frame::{Bytes, Frame, Message};
use crate::sync::hello;
use crate::sync::join::{self, JoinRow, Looking};
use crate::sync::rate_limit::RateLimit;
use crate::sync::receive;
use crate::sync::requests::Requests;
use crate::sync::session::{CircleLink, Session, say};
use crate::sync::welcome::{self, Tries};
use crate::time::{DAY, Millis};
use crate::tx::Tx;

/// Where this node was reachable last, for links made again later.
const HERE: &[u8] = b"here";

/// Where this node was reachable last.
pub(crate) fn here(read: &dyn Read) -> Result<Option<Hint>, StoreError> {
    Ok(read.get(Table::Local, HERE)?.and_then(|bytes| codec::decode(&bytes, "addresses").ok()))
}

/// Is it time for the next slice? A clock that was set back makes nobody wait.
fn of_time(at: Millis, now: Millis) -> bool {
    at <= now || at > now.plus(1)
}

/// The rooms' memory.
#[derive(Debug)]
pub(crate) struct NodeState {
    /// This node's transport id.
    pub(crate) peer: PeerId,
    /// Where this node listens.
    pub(crate) addresses: Vec<Addr>,
    pub(crate) circles: BTreeMap<CircleId, CircleState>,
    /// How far each chain is here, of every circle.
    pub(crate) heads: BTreeMap<CircleId, Heads>,
    pub(crate) joins: BTreeMap<CircleId, JoinRow>,
    pub(crate) looking: Vec<Looking>,
    pub(crate) sessions: BTreeMap<Link, Session>,
    pub(crate) dialer: Dialer,
    pub(crate) tries: Tries,
    pub(crate) pace: RateLimit,
    /// Requests that wait here.
    pub(crate) requests: Requests,
    /// The link that was last gone on with.
    pub(crate) went_on: Option<Link>,
    /// When it is gone on with what the budget of a turn did not reach to.
    go_on_at: Millis,
    /// Circles whose others' entries are to be announced, and when.
    pub(crate) announce: BTreeMap<CircleId, Millis>,
    /// Circles with more heads than an act can name, which a refused command began to bring together, and when to go on.
    gathering: BTreeMap<CircleId, Millis>,
    /// Circles whose membership, records or own entries changed during this input.
    touched: BTreeSet<CircleId>,
    wrote: BTreeSet<CircleId>,
    pub(crate) last_arrival: Option<Millis>,
    pub(crate) delivery: Delivery,
    /// When words that wait are indexed.
    index_at: Millis,
    /// When items are gone on with that are to be put together.
    build_at: Millis,
    /// And when at the latest.
    index_by: Option<Millis>,
    /// How many slices were judged again since the node was opened: a deadline that has passed, and moves.
    rejudged: u64,
}

/// Words are indexed so many milliseconds after the last entry,
const INDEX_AFTER: u64 = 250;
/// or so many after the first, while more keep coming.
const INDEX_BY: u64 = 2_000;

impl NodeState {
    pub(crate) fn open(base: &dyn Read, crypto: &dyn Crypto, peer: PeerId) -> Result<Self, StoreError> {
        let circles = CircleState::load_all(base, crypto)?;
        let heads = circles.keys().map(|id| Ok((*id, Heads::load(base, id)?))).collect::<Result<_, StoreError>>()?;
        // Where this node was reachable last is right until it hears where it is now.
        let last = here(base)?.filter(|here| here.peer == peer).map(|here| here.addresses);
        let mut rooms = Self {
            peer,
            addresses: last.unwrap_or_default(),
            circles,
            heads,
            joins: JoinRow::all(base)?,
            looking: Vec::new(),
            sessions: BTreeMap::new(),
            dialer: Dialer::default(),
            tries: Tries::default(),
            pace: RateLimit::default(),
            requests: Requests::load(base)?,
            went_on: None,
            go_on_at: Millis(0),
            announce: BTreeMap::new(),
            gathering: BTreeMap::new(),
            touched: BTreeSet::new(),
            wrote: BTreeSet::new(),
            last_arrival: None,
            delivery: Delivery::default(),
            index_at: Millis(0),
            build_at: Millis(0),
            index_by: None,
            rejudged: 0,
        };
        call_whom(&mut rooms, None);
        Ok(rooms)
    }

    /// A circle's membership or records changed.
    pub(crate) fn touched(&mut self, id: CircleId) {
        self.touched.insert(id);
    }

    /// Own entries were written in a circle.
    pub(crate) fn wrote(&mut self, id: CircleId) {
        self.wrote.insert(id);
    }

    /// There may be new words to index, once it is quiet.
    pub(crate) fn index_soon(&mut self, now: Millis) {
        let by = *self.index_by.get_or_insert(now.plus(INDEX_BY));
        self.index_at = now.plus(INDEX_AFTER).min(by);
    }

    /// After every input: derived rows, pushes, calls.
    pub(crate) fn settle(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        let touched = std::mem::take(&mut self.touched);
        for id in &touched {
            let mut ended = Vec::new();
            if let Some(circle) = self.circles.get_mut(id) {
                circle.note_ends(cx);
                if !planted(Bug::StaleSummary) || circle.records.len() < 2 {
                    Summary::of(circle).save(&mut cx.tx);
                }
                cuts::changed(circle, cx)?;
                ended = welcome::forget_requests(circle, &mut self.requests, cx);
                cx.tx.then(Effect::Notify(WatchEvent {
                    event: "member".into(),
                    circle: id.text(),
                    noun: "circle".into(),
                    id: id.text(),
                    change: "edit".into(),
                }));
            }
            self.drop_strangers(cx, id);
            hello::offer(self, cx, id);
            welcome::welcome_guests(self, cx, id)?;
            welcome::refuse_guests(self, cx, id, &ended);
        }
        let wrote = std::mem::take(&mut self.wrote);
        for id in touched.union(&wrote) {
            exchange::push_all(self, cx, id)?;
        }
        if !touched.is_empty() {
            call_whom(self, Some(&mut *cx.env));
        }
        self.dialer.run(cx);
        Ok(())
    }

    /// Ends the exchange with devices that are no longer in; a removed one gets her farewell.
    fn drop_strangers(&mut self, cx: &mut Cx<'_, '_>, id: &CircleId) {
        let Some(circle) = self.circles.get(id) else { return };
        let state = circle.now();
        for (link, session) in &mut self.sessions {
            let Some(shared) = session.circles.get(id) else { continue };
            if state.is_current(&shared.device) {
                continue;
            }
            let farewell = state.person_of(&shared.device).and_then(|person| circle.farewells.get(&person));
            let noted = circle.notes_leaves().then(|| Message::Got(Vec::new(), 0));
            let message = farewell.map(|(farewell, _)| Message::Farewell(Bytes(farewell.bytes()))).or(noted);
            if let Some(message) = message.filter(|_| shared.proved) {
                say(cx, *link, shared.mine, message);
            }
            session.circles.remove(id);
        }
    }

    /// The draft joined a batch: memory and store agree.
    pub(crate) fn saved(&mut self) {
        for circle in self.circles.values_mut() {
            circle.dirty = false;
        }
        self.heads.values_mut().for_each(Heads::keep);
        self.requests.saved();
    }

    /// A command was refused, and what it had brought together with it. It is done again in turns of its own, so that it need not be
    /// refused the next time.
    pub(crate) fn gather_soon(&mut self, now: Millis) {
        let begun = self.circles.values().filter(|circle| circle.is_gathering()).map(|circle| (circle.id, now.plus(1)));
        self.gathering.extend(begun);
    }

    fn gather(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        let due: Vec<CircleId> = self.gathering.iter().filter(|(_, at)| of_time(**at, cx.env.now)).map(|(id, _)| *id).collect();
        for id in due {
            self.gathering.remove(&id);
            let Some(circle) = self.circles.get_mut(&id) else { continue };
            match circle.gather(cx, MERGES) {
                Ok(false) if circle.is_gathering() => drop(self.gathering.insert(id, cx.env.now.plus(1))),
                Ok(_) | Err(InputError::Refused(_)) => {}
                Err(other) => return Err(other),
            }
            self.touched.insert(id);
        }
        Ok(())
    }

    /// The draft was dropped: reads again what it had changed in memory.
    pub(crate) fn reload(&mut self, view: &dyn Read, crypto: &dyn Crypto) -> Result<(), StoreError> {
        self.touched.clear();
        self.wrote.clear();
        self.joins = JoinRow::all(view)?;
        self.requests.reload(view)?;
        self.heads.values_mut().for_each(Heads::undo);
        let dirty: Vec<CircleId> = self.circles.values().filter(|c| c.dirty).map(|c| c.id).collect();
        for id in dirty {
            match CircleState::row(view, &id)? {
                Some(row) => self.put_circle(CircleState::load(view, crypto, row)?),
                None => drop(self.circles.remove(&id)),
            }
        }
        Ok(())
    }

    /// Takes a circle in, in place of what was in memory of it before.
    pub(crate) fn put_circle(&mut self, mut circle: CircleState) {
        if let Some(before) = self.circles.get(&circle.id) {
            circle.replaces(before);
        }
        self.heads.entry(circle.id).or_default();
        self.circles.insert(circle.id, circle);
    }

    /// How far each chain of a circle is here.
    pub(crate) fn heads_of(&self, id: &CircleId) -> &Heads {
        const NONE: &Heads = &Heads::none();
        self.heads.get(id).unwrap_or(NONE)
    }

    /// The other side sent something bad behind something good: what was good stays, and the stream ends. (Dropping the draft
    /// would make it worth sending the same again.)
    pub(crate) fn part_with(&mut self, cx: &mut Cx<'_, '_>, link: Link, why: &'static str) {
        cx.log(why, None);
        self.ended(cx.env, link);
        cx.tx.then(Effect::Close(link));
    }

    // ---- links ------------------------------------------------------------------------------------------------------

    /// A circle on a link.
    pub(crate) fn shared(&mut self, link: Link, id: &CircleId) -> Option<&mut CircleLink> {
        self.sessions.get_mut(&link)?.circles.get_mut(id)
    }

    /// Proved links of a circle.
    pub(crate) fn links_of(&self, id: &CircleId) -> Vec<Link> {
        let proved = |s: &Session| s.circles.get(id).is_some_and(|shared| shared.proved);
        self.sessions.iter().filter(|(_, s)| proved(s)).map(|(link, _)| *link).collect()
    }

    /// Of several links with one device the newest is used.
    pub(crate) fn is_best(&self, link: Link, id: &CircleId) -> bool {
        let device = self.sessions.get(&link).and_then(|s| s.circles.get(id)).map(|s| s.device);
        let same = |s: &Session| s.circles.get(id).is_some_and(|shared| shared.proved && Some(shared.device) == device);
        !self.sessions.range(Link(link.0.saturating_add(1))..).any(|(_, s)| same(s))
    }

    /// Is the other side proved, and still in?
    pub(crate) fn still_welcome(&self, link: Link, id: &CircleId) -> bool {
        let Some(shared) = self.sessions.get(&link).and_then(|s| s.circles.get(id)) else { return false };
        shared.proved && self.circles.get(id).is_some_and(|c| c.is_current(&shared.device))
    }

    /// A stream is over, for whatever reason. An older one to the same device is the best again: what waited is sent there.
    pub(crate) fn ended(&mut self, env: &mut Env<'_>, link: Link) {
        let Some(session) = self.sessions.remove(&link) else { return };
        if session.in_vain() {
            self.dialer.in_vain(env, &session.peer);
        } else {
            self.dialer.closed(env, &session.peer);
        }
        for (id, ended) in &session.circles {
            let rest = self.sessions.values_mut().filter_map(|session| session.circles.get_mut(id));
            for shared in rest.filter(|shared| shared.device == ended.device) {
                shared.rest.unsent = true;
            }
        }
    }

    /// What a link sent cannot be judged yet: acknowledges the bytes, and asks again once more acts are known.
    pub(crate) fn put_off(&mut self, tx: &mut Tx<'_>, link: Link, id: &CircleId, size: u64) {
        if !self.still_welcome(link, id) {
            return;
        }
        if let Some(shared) = self.shared(link, id) {
            shared.resync = true;
            let frame = Frame::Circle(shared.mine, Message::Got(Vec::new(), size));
            tx.then(Effect::Send(link, codec::encode(&frame)));
        }
    }

    /// Ends a circle on every link.
    pub(crate) fn close_circle(&mut self, id: &CircleId) {
        for session in self.sessions.values_mut() {
            session.circles.remove(id);
            session.parted.insert(*id);
        }
    }

    /// Takes out previews under way that match.
    pub(crate) fn take_looking(&mut self, which: impl Fn(&Looking) -> bool) -> Vec<Looking> {
        let (taken, kept) = std::mem::take(&mut self.looking).into_iter().partition(|l| which(l));
        self.looking = kept;
        taken
    }

    // ---- who is called ----------------------------------------------------------------------------------------------

    /// Everybody worth calling, and where.
    pub(crate) fn wanted(&self) -> BTreeMap<PeerId, Wanted> {
        let mut wanted: BTreeMap<PeerId, Wanted> = BTreeMap::new();
        let tickets = self.joins.values().filter(|j| j.open()).map(|j| &j.ticket).chain(self.looking.iter().map(|l| &l.ticket));
        for hint in tickets.flat_map(|t| &t.hints) {
            wanted.entry(hint.peer.clone()).or_default().at(hint.addresses.iter());
        }
        for circle in self.circles.values().filter(|c| matches!(c.row.standing, OwnStanding::In | OwnStanding::Leaving)) {
            for device in circle.others() {
                if let Some(record) = circle.records.get(&device) {
                    let call = wanted.entry(record.body.peer.clone()).or_default();
                    call.says(circle.id, device, record.body.addresses.iter());
                }
            }
        }
        wanted.remove(&self.peer);
        wanted
    }

    /// This node is reachable at other addresses now: say so in every circle.
    pub(crate) fn listening(&mut self, cx: &mut Cx<'_, '_>, mut addresses: Vec<Addr>) {
        addresses.truncate(crate::limits::ADDRESSES);
        self.addresses = addresses;
        let here = Hint { peer: self.peer.clone(), addresses: self.addresses.clone() };
        if !matches!(self::here(&cx.tx), Ok(Some(stored)) if stored == here) {
            cx.tx.put(Table::Local, HERE, codec::encode(&here));
        }
        let ids: Vec<CircleId> = self.circles.values().filter(|c| c.row.standing == OwnStanding::In).map(|c| c.id).collect();
        for id in ids {
            if self.circles.get_mut(&id).is_some_and(|circle| circle.publish(cx, &self.addresses)) {
                self.touched.insert(id);
            }
        }
        self.dialer.all_now();
    }

    // ---- time -------------------------------------------------------------------------------------------------------

    /// Closes streams on which nobody proved anything for too long.
    fn part_with_strangers(&mut self, cx: &mut Cx<'_, '_>) {
        let over = |session: &Session| session.ends().is_some_and(|end| end <= cx.env.now);
        let links: Vec<Link> = self.sessions.iter().filter(|(_, session)| over(session)).map(|(link, _)| *link).collect();
        for link in links {
            self.ended(cx.env, link);
            cx.tx.then(Effect::Close(link));
        }
    }

    /// Whatever is due.
    pub(crate) fn tick(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        let now = cx.env.now;
        let due: Vec<CircleId> = self.announce.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id).collect();
        for id in due {
            self.announce.remove(&id);
            exchange::announce(self, cx, &id)?;
        }
        receive::ask_for_rest(self, cx)?;
        if of_time(self.go_on_at, now) {
            // The next slice is a new deadline, so that other inputs come in between and none waits for long. Destroying goes
            // first: what others ask for has no end.
            self.go_on_at = now.plus(1);
            if entries::next_sweep(&cx.tx)?.is_some_and(|due| due <= now) {
                entries::sweep(self, cx)?;
            }
            exchange::go_on(self, cx)?;
        }
        self.gather(cx)?;
        if self.delivery.due().is_some_and(|due| due <= now) {
            self.delivery.write(&mut cx.tx)?;
        }
        join::tidy(self, cx)?;
        self.part_with_strangers(cx);
        join::ask_again(self, cx)?;
        if self.build_at <= now {
            // As for words: other inputs come in between.
            self.build_at = now.plus(1);
            if entries::catch_up(self, cx)? {
                self.index_soon(now);
            }
        }
        if cuts::waits(&cx.tx)? {
            self.rejudged += 1;
            self.rejudge(cx)?;
        }
        if self.index_at <= now {
            // The next slice is a new deadline, so that other inputs come in between and none waits for long.
            self.index_at = now.plus(1);
            if !entries::index(self, cx)? {
                self.index_by = None;
            }
        }
        call_whom(self, Some(&mut *cx.env));
        Ok(())
    }

    /// Judges a slice of what cuts reach again.
    fn rejudge(&self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        for circle in self.circles.values() {
            if cuts::advance(circle, cx)? {
                break;
            }
        }
        Ok(())
    }

    /// When something is due next.
    pub(crate) fn deadline(&self, base: &dyn Read) -> Result<Option<Millis>, StoreError> {
        let looks = self.looking.iter().map(|l| l.since.plus(join::LOOK_FOR + 1));
        let joins = self.joins.values().filter(|j| j.over()).map(|j| j.at.plus(DAY + 1));
        let destroy = entries::next_sweep(base)?.map(|due| due.max(self.go_on_at));
        let index = item::unindexed(base)?.then_some(self.index_at).into_iter();
        let index = index.chain(item::unbuilt(base)?.then_some(self.build_at));
        let rejudge = cuts::waits(base)?.then_some(Millis(self.rejudged));
        let strangers = self.sessions.values().filter_map(|session| session.ends().or(session.ask_again));
        let rest = self.sessions.values().flat_map(|session| session.circles.values().filter_map(|shared| shared.ask_at));
        let left = self.sessions.values().flat_map(|session| session.circles.values().map(|shared| &shared.rest));
        let left = left.filter_map(|rest| if rest.unsent { Some(self.go_on_at) } else { rest.due() });
        let rest = rest.chain(left);
        let soon = self.announce.values().chain(self.gathering.values()).copied();
        let all = soon.chain(self.dialer.deadline()).chain(looks).chain(joins).chain(strangers).chain(rest);
        Ok(all.chain(destroy).chain(rejudge).chain(index).chain(self.delivery.due()).min())
    }

    /// A member noted our leave: there is nothing more to say.
    pub(crate) fn left(&mut self, cx: &mut Cx<'_, '_>, id: &CircleId) {
        let Some(circle) = self.circles.get_mut(id) else { return };
        if circle.row.standing == OwnStanding::Leaving {
            circle.row.standing = OwnStanding::Left;
            circle.save_row(cx);
            Summary::of(circle).save(&mut cx.tx);
        }
        if circle.row.standing == OwnStanding::Left {
            self.close_circle(id);
        }
    }
}
