//! What is known of one open stream.

use std::collections::{BTreeMap, BTreeSet};

use super::frame::{Frame, Salt, Token};
use crate::circle::epoch::EpochKeys;
use crate::circle::state::CircleState;
use crate::circle::ticket::Ticket;
use crate::codec;
use crate::context::Cx;
use crate::id::{ActId, CircleId, DeviceId, EpochId, PeerId};
use crate::io::{Effect, Link};
use crate::limits;
use crate::sync::known::Known;
use crate::sync::message::{Have, Message};
use crate::time::Millis;

/// One open stream.
#[derive(Debug)]
pub(crate) struct Session {
    /// Who, as the transport proved.
    pub(crate) peer: PeerId,
    /// Our salt.
    pub(crate) my_salt: Salt,
    /// Theirs, once their hello came.
    pub(crate) their_salt: Option<Salt>,
    /// Every token the other side sent.
    pub(crate) their_tokens: BTreeSet<Token>,
    /// The circles shared on this link.
    pub(crate) circles: BTreeMap<CircleId, CircleLink>,
    /// Circles that were greeted in after the first tokens.
    pub(crate) offered: BTreeSet<CircleId>,
    /// Circles that came to an end on this link.
    pub(crate) parted: BTreeSet<CircleId>,
    /// Which ticket we proved last on this link, while an answer to it may come.
    pub(crate) asked: Option<AskedWith>,
    /// The circle that welcomes us on this link, as far as it came: part of nothing until the last part is here.
    pub(crate) arriving: Option<Box<Arriving>>,
    /// We were told to ask again with a ticket, and when.
    pub(crate) ask_again: Option<Millis>,
    /// A ticket's holder on the other side, once proved: the circle, the invite's key, the device that asks.
    pub(crate) guest: Option<Guest>,
    /// What was sent to them.
    pub(crate) welcome: Welcome,
    /// Parts of a welcome that came from the other side.
    pub(crate) welcomed: usize,
    /// When it opened.
    since: Millis,
    /// When the other side first proved a ticket.
    guest_since: Option<Millis>,
    /// Frames that came while the other side had proved nothing.
    strange: usize,
}

/// A ticket that we proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AskedWith {
    /// The circle it is for.
    pub(crate) circle: CircleId,
    /// The public half of its key.
    pub(crate) key: DeviceId,
}

impl AskedWith {
    /// Was it this one?
    pub(crate) fn is(&self, ticket: &Ticket) -> bool {
        ticket.circle == self.circle && ticket.key().id() == self.key
    }
}

/// A ticket's holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guest {
    /// The circle the ticket is for.
    pub(crate) circle: CircleId,
    /// The public half of its key.
    pub(crate) ticket: DeviceId,
    /// The device that asks.
    pub(crate) device: DeviceId,
    /// Was all of it sent on this link already?
    pub(crate) welcomed: bool,
}

/// A circle that welcomes us, while its acts and keys come in parts. It goes with the stream on which they come: anyone who
/// welcomes us on the next one begins again.
#[derive(Debug)]
pub(crate) struct Arriving {
    pub(crate) circle: CircleState,
    /// Keys that came before the acts of their epochs.
    pub(crate) offered: BTreeMap<EpochId, EpochKeys>,
}

/// How far a welcome is.
#[derive(Debug, Default)]
pub(crate) struct Welcome {
    pub(crate) acts: BTreeSet<ActId>,
    /// Epochs whose keys went, the talk key included where they may have it.
    pub(crate) epochs: BTreeSet<EpochId>,
    /// Bytes sent and not acknowledged yet.
    pub(crate) in_flight: u64,
}

/// One circle on one link.
#[derive(Debug)]
pub(crate) struct CircleLink {
    /// The token we name it by.
    pub(crate) mine: Token,
    /// The token they name it by.
    pub(crate) theirs: Token,
    /// Their device.
    pub(crate) device: DeviceId,
    /// Did they prove it?
    pub(crate) proved: bool,
    /// Is what they have known (from their `Have`, or equal digests)?
    pub(crate) known: Option<Known>,
    /// Did we say what we have?
    pub(crate) said: bool,
    /// Bytes sent and not acknowledged yet.
    pub(crate) in_flight: u64,
    /// Something they sent could not be used yet; ask again once more acts are known.
    pub(crate) resync: bool,
    /// They brought more than they may at once: when to ask for the rest.
    pub(crate) ask_at: Option<Millis>,
    /// What is left of their asking for later turns.
    pub(crate) rest: Rest,
}

impl CircleLink {
    /// A message was taken: they have room for as much more as they say. True where they said what they have and we did not: our
    /// digests crossed (theirs was ours by the time we saw it, and ours was another when they did), and they wait for it.
    pub(crate) fn heard(&mut self, message: &Message) -> bool {
        match message {
            Message::Have(_) => self.in_flight = 0,
            Message::Got(_, freed) => self.in_flight = self.in_flight.saturating_sub(*freed),
            Message::Prove(..)
            | Message::Farewell(_)
            | Message::Digest(_)
            | Message::Acts(_)
            | Message::Records(_)
            | Message::Run(..)
            | Message::Requests(_)
            | Message::Want(_) => {}
        }
        matches!(message, Message::Have(_)) && !self.said
    }
}

/// What one side asked of us and was not done yet.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    /// The budget of a turn was spent before all was sent that they lack.
    pub(crate) unsent: bool,
    /// What they said last that they have, more often than it is heard.
    pub(crate) have: Option<Box<Have>>,
    /// How often they said so, as far as it is not forgotten, and since when.
    haves: u64,
    since: Millis,
}

impl Rest {
    /// May what they say they have be looked at now? So many times at once, then one a second.
    pub(crate) fn hears(&mut self, now: Millis) -> bool {
        let back = now.since(self.since) / limits::HAVE_MILLIS;
        self.haves = self.haves.saturating_sub(back);
        // A clock that was set back counts on from where it is.
        self.since = if self.haves == 0 { now } else { self.since.plus(back.saturating_mul(limits::HAVE_MILLIS)).min(now) };
        let hears = self.haves < limits::HAVES;
        self.haves += u64::from(hears);
        hears
    }

    /// When what waits may be looked at.
    pub(crate) fn due(&self) -> Option<Millis> {
        self.have.as_ref().map(|_| self.since.plus(limits::HAVE_MILLIS))
    }
}

impl Session {
    /// A fresh stream.
    pub(crate) fn new(peer: PeerId, my_salt: Salt, since: Millis) -> Self {
        Self {
            peer,
            my_salt,
            their_salt: None,
            their_tokens: BTreeSet::new(),
            circles: BTreeMap::new(),
            offered: BTreeSet::new(),
            parted: BTreeSet::new(),
            asked: None,
            arriving: None,
            ask_again: None,
            guest: None,
            welcome: Welcome::default(),
            welcomed: 0,
            since,
            guest_since: None,
            strange: 0,
        }
    }

    /// Has this side nothing to do with the other: nothing is proved, nobody asks for anything?
    fn is_strange(&self) -> bool {
        let asks = self.asked.is_some() || self.ask_again.is_some() || self.guest.is_some();
        !asks && !self.circles.values().any(|shared| shared.proved)
    }

    /// Is the other side only a ticket's holder: is nothing else proved, and asked for?
    fn is_guest(&self) -> bool {
        let ours = self.asked.is_some() || self.ask_again.is_some() || self.circles.values().any(|shared| shared.proved);
        self.guest.is_some() && !ours
    }

    /// Since when the other side is a ticket's holder, if it is nothing more.
    pub(crate) fn guest_since(&self) -> Option<Millis> {
        self.guest_since.filter(|_| self.is_guest())
    }

    /// The other side proves a ticket. (How often does not matter.)
    pub(crate) fn asked_since(&mut self, now: Millis) {
        self.guest_since.get_or_insert(now);
    }

    /// When it is closed unless something is proved by then. Guests come again, as often as they like, to ask how it stands.
    pub(crate) fn ends(&self) -> Option<Millis> {
        let strange = || self.is_strange().then(|| self.since.plus(limits::STRANGER_MILLIS));
        self.guest_since().map(|since| since.plus(limits::GUEST_MILLIS)).or_else(strange)
    }

    /// Was it for nothing so far?
    pub(crate) fn in_vain(&self) -> bool {
        self.is_strange()
    }

    /// Counts a frame. May it be looked at?
    pub(crate) fn one_more(&mut self) -> bool {
        let most = match (self.is_guest(), self.is_strange()) {
            (true, _) => limits::GUEST_FRAMES,
            (_, true) => limits::STRANGER_FRAMES,
            (false, false) => return true,
        };
        self.strange += 1;
        self.strange <= most
    }

    /// The circle that a token of theirs names.
    pub(crate) fn circle_of(&self, token: &Token) -> Option<CircleId> {
        self.circles.iter().find(|(_, link)| link.theirs == *token).map(|(id, _)| *id)
    }
}

/// Sends one frame once the commit is durable.
pub(crate) fn send(cx: &mut Cx<'_, '_>, link: Link, frame: &Frame) {
    cx.tx.then(Effect::Send(link, codec::encode(frame)));
}

/// Sends a circle's message.
pub(crate) fn say(cx: &mut Cx<'_, '_>, link: Link, token: Token, message: Message) {
    send(cx, link, &Frame::Circle(token, message));
}
