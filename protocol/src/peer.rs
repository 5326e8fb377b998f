//! Streams with peers: the hidden hello, what is exchanged over them, and the way in for newcomers.
//!
//! Owns links, credit, back-off and the joins under way. Must never judge: what comes goes to `sync`. What is known of a stream
//! may be forgotten in a crash; it is exchanged again at the next meeting.

pub(crate) mod dial;
pub(crate) mod dispatch;
pub(crate) mod exchange;
pub(crate) mod frame;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
pub(crate) mod hello;
pub(crate) mod join;
pub(crate) mod join_row;
mod parting;
pub(crate) mod receive;
pub(crate) mod requests;
pub(crate) mod session;
pub(crate) mod tickets;
pub(crate) mod tries;
pub(crate) mod welcome;

use std::collections::BTreeMap;

use dial::{Dialer, Wanted};
use frame::Frame;
use join_row::{JoinRow, Looking};
use requests::Requests;
use session::{CircleLink, Session, say};
use tries::Tries;

use crate::circle::state::OwnStanding;
use crate::circle::ticket::PeerHint;
use crate::codec;
use crate::context::Cx;
use crate::id::{Addr, CircleId, PeerId};
use crate::io::{Effect, Env, Link};
use crate::limits;
use crate::store::{Read, StoreError, Table};
use crate::sync::circles::Circles;
use crate::sync::message::Message;
use crate::sync::rate_limit::RateLimit;
use crate::time::{DAY, Millis};
use crate::tx::Tx;

/// Where this node was reachable last, for links made again later.
const HERE: &[u8] = b"here";

/// Where this node was reachable last.
pub(crate) fn here(read: &dyn Read) -> Result<Option<PeerHint>, StoreError> {
    Ok(read.get(Table::Local, HERE)?.and_then(|bytes| codec::decode(&bytes, "addresses").ok()))
}

/// This node among its peers.
#[derive(Debug)]
pub(crate) struct Peers {
    /// This node's transport id.
    pub(crate) peer: PeerId,
    /// Where this node listens.
    pub(crate) addresses: Vec<Addr>,
    pub(crate) joins: BTreeMap<CircleId, JoinRow>,
    /// Previews of links under way.
    pub(crate) looking: Vec<Looking>,
    pub(crate) sessions: BTreeMap<Link, Session>,
    pub(crate) dialer: Dialer,
    pub(crate) tries: Tries,
    /// How much everybody may still bring.
    pub(crate) rate_limit: RateLimit,
    /// Requests that wait here.
    pub(crate) requests: Requests,
    /// Circles whose others' entries are to be announced, and when.
    announce: BTreeMap<CircleId, Millis>,
    /// The link that was last gone on with.
    went_on: Option<Link>,
}

impl Peers {
    /// What the store holds.
    pub(crate) fn open(base: &dyn Read, peer: PeerId) -> Result<Self, StoreError> {
        // Where this node was reachable last is right until it hears where it is now.
        let last = here(base)?.filter(|here| here.peer == peer).map(|here| here.addresses);
        Ok(Self {
            peer,
            addresses: last.unwrap_or_default(),
            joins: JoinRow::all(base)?,
            looking: Vec::new(),
            sessions: BTreeMap::new(),
            dialer: Dialer::default(),
            tries: Tries::default(),
            rate_limit: RateLimit::default(),
            requests: Requests::load(base)?,
            announce: BTreeMap::new(),
            went_on: None,
        })
    }

    /// The draft was dropped: reads again what it had changed in memory.
    pub(crate) fn reload(&mut self, view: &dyn Read) -> Result<(), StoreError> {
        self.joins = JoinRow::all(view)?;
        self.requests.reload(view)
    }

    /// The other side sent something bad behind something good: what was good stays, and the stream ends. (Dropping the draft
    /// would make it worth sending the same again.)
    pub(crate) fn part_with(&mut self, cx: &mut Cx<'_, '_>, link: Link, why: &'static str) {
        cx.log(why, None);
        self.ended(cx.env, link);
        cx.tx.then(Effect::Close(link));
    }

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
    pub(crate) fn still_welcome(&self, circles: &Circles, link: Link, id: &CircleId) -> bool {
        let Some(shared) = self.sessions.get(&link).and_then(|s| s.circles.get(id)) else { return false };
        shared.proved && circles.all.get(id).is_some_and(|c| c.is_current(&shared.device))
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
    pub(crate) fn put_off(&mut self, circles: &Circles, tx: &mut Tx<'_>, link: Link, id: &CircleId, size: u64) {
        if !self.still_welcome(circles, link, id) {
            return;
        }
        if let Some(shared) = self.shared(link, id) {
            shared.resync = true;
            let frame = Frame::Circle(shared.mine, Message::Got(Vec::new(), size));
            tx.then(Effect::Send(link, codec::encode(&frame)));
        }
    }

    /// There are others' entries to announce, in a moment.
    pub(crate) fn announce_soon(&mut self, id: CircleId, now: Millis) {
        self.announce.entry(id).or_insert(now.plus(limits::ANNOUNCE_MILLIS));
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

    /// Everybody worth calling, and where.
    fn wanted(&self, circles: &Circles) -> BTreeMap<PeerId, Wanted> {
        let mut wanted: BTreeMap<PeerId, Wanted> = BTreeMap::new();
        let tickets = self.joins.values().filter(|j| j.open()).map(|j| &j.ticket).chain(self.looking.iter().map(|l| &l.ticket));
        for hint in tickets.flat_map(|t| &t.hints) {
            wanted.entry(hint.peer.clone()).or_default().at(hint.addresses.iter());
        }
        for circle in circles.all.values().filter(|c| c.is_in_touch()) {
            for device in circle.others() {
                if let Some(record) = circle.record_of(&device) {
                    let call = wanted.entry(record.body.peer.clone()).or_default();
                    call.says(circle.id(), device, record.body.addresses.iter());
                }
            }
        }
        wanted.remove(&self.peer);
        wanted
    }

    /// Keeps the dialer's wishes in step with the circles and the tickets.
    pub(crate) fn call_whom(&mut self, circles: &Circles, env: Option<&mut Env<'_>>) {
        let wanted = self.wanted(circles);
        self.dialer.want(env, wanted);
    }

    /// This node is reachable at other addresses now: says so in every circle.
    pub(crate) fn listening(&mut self, circles: &mut Circles, cx: &mut Cx<'_, '_>, mut addresses: Vec<Addr>) {
        addresses.truncate(limits::ADDRESSES);
        self.addresses = addresses;
        let here = PeerHint { peer: self.peer.clone(), addresses: self.addresses.clone() };
        if !matches!(self::here(&cx.tx), Ok(Some(stored)) if stored == here) {
            cx.tx.put(Table::Local, HERE, codec::encode(&here));
        }
        let ids: Vec<CircleId> = circles.all.values().filter(|c| c.is_in()).map(|c| c.id()).collect();
        for id in ids {
            if circles.all.get_mut(&id).is_some_and(|circle| circle.publish(cx, &self.addresses)) {
                circles.touched(id);
            }
        }
        self.dialer.all_now();
    }

    /// Closes streams on which nobody proved anything for too long.
    pub(crate) fn part_with_strangers(&mut self, cx: &mut Cx<'_, '_>) {
        let over = |session: &Session| session.ends().is_some_and(|end| end <= cx.env.now);
        let links: Vec<Link> = self.sessions.iter().filter(|(_, session)| over(session)).map(|(link, _)| *link).collect();
        for link in links {
            self.ended(cx.env, link);
            cx.tx.then(Effect::Close(link));
        }
    }

    /// Ends the exchange with devices that are no longer in; a removed one gets their farewell.
    pub(crate) fn drop_strangers(&mut self, circles: &Circles, cx: &mut Cx<'_, '_>, id: &CircleId) {
        let Some(circle) = circles.all.get(id) else { return };
        for (link, session) in &mut self.sessions {
            let Some(shared) = session.circles.get(id).filter(|shared| !circle.is_current(&shared.device)) else { continue };
            let messages = if shared.proved { parting::parting(circle, &shared.device, cx.env) } else { Vec::new() };
            for message in messages {
                say(cx, *link, shared.mine, message);
            }
            session.circles.remove(id);
        }
    }

    /// When a stream, a join, a call or an announcement is due next. `go_on_at`: when it is gone on with what a turn did not reach to.
    pub(crate) fn deadline(&self, go_on_at: Millis) -> Option<Millis> {
        let looks = self.looking.iter().map(|l| l.since.plus(limits::PREVIEW_MILLIS + 1));
        let joins = self.joins.values().filter(|j| j.over()).map(|j| j.at.plus(DAY + 1));
        let strangers = self.sessions.values().filter_map(|session| session.ends().or(session.ask_again));
        let shared = || self.sessions.values().flat_map(|session| session.circles.values());
        let asks = shared().filter_map(|shared| shared.ask_at);
        let left = shared().filter_map(|shared| if shared.rest.unsent { Some(go_on_at) } else { shared.rest.due() });
        let all = self.announce.values().copied().chain(self.dialer.deadline()).chain(looks).chain(joins);
        all.chain(strangers).chain(asks).chain(left).min()
    }

    /// A member noted our leave: there is nothing more to say.
    pub(crate) fn left(&mut self, circles: &mut Circles, cx: &mut Cx<'_, '_>, id: &CircleId) {
        let Some(circle) = circles.all.get_mut(id) else { return };
        circle.left(cx);
        if circle.standing() == OwnStanding::Left {
            self.close_circle(id);
        }
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};

    fn reachable() -> PeerHint {
        PeerHint { peer: PeerId(vec![12; 38]), addresses: vec![Addr(vec![4, 127, 0, 0, 1, 6, 16, 0])] }
    }

    frozen![Form::new("here", 1, &[reachable()])];
}
