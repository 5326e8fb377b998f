//! What is known of one open stream.

use std::collections::{BTreeMap, BTreeSet};

use super::branches::Unsure;
use super::frame::{Frame, Have, Message, Salt, Token};
use crate::circle::body::ChainId;
use crate::circle::epoch::EpochKeys;
use crate::circle::state::CircleState;
use crate::codec;
use crate::context::Cx;
use crate::id::{ActId, CircleId, DeviceId, EntryId, EpochId, PeerId};
use crate::io::{Effect, Link};
use crate::limits;
use crate::log::chain::{ChainHead, Heads};
use crate::time::Millis;

/// Tokens that one side may send on a link, padding included.
pub(crate) const TOKENS: usize = 256;

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
    /// Which circle's ticket we proved on this link.
    pub(crate) asked: Option<CircleId>,
    /// The circle that welcomes us on this link, as far as it came: part of nothing until the last part is here.
    pub(crate) arriving: Option<Box<Arriving>>,
    /// We were told to ask again with a ticket, and when.
    pub(crate) ask_again: Option<Millis>,
    /// A ticket's holder on the other side, once proved: the circle, the invite's key, the device that asks.
    pub(crate) guest: Option<Guest>,
    /// What was sent to her.
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

/// A circle that welcomes us, while its acts and keys come in parts. It goes with the stream on which they come: whoever welcomes
/// us on the next one begins again.
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
    /// Epochs whose keys went, the talk key included where she may have it.
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

/// What is missing in one of their chains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenGap {
    pub(crate) chain: ChainId,
    /// Its first entry that was not sent.
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// Nothing before this entry is for them.
    pub(crate) looked: u64,
}

/// What the other side has, as far as we know.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) acts: BTreeSet<ActId>,
    pub(crate) epochs: BTreeSet<EpochId>,
    pub(crate) talk: BTreeSet<EpochId>,
    pub(crate) records: BTreeMap<DeviceId, u64>,
    /// How far they are on the main branch of each chain, or will be once what we sent has arrived.
    pub(crate) chains: BTreeMap<ChainId, u64>,
    /// Heads they named, and heads of side branches that we sent.
    pub(crate) heads: BTreeSet<EntryId>,
    /// How far side branches were sent, by their number here.
    pub(crate) branches: BTreeMap<u32, u64>,
    /// Chains that were sent again from the start because of a fork.
    pub(crate) shown: BTreeSet<ChainId>,
    /// What is missing in their chains, as far as we did not look yet whether we can send it.
    pub(crate) gaps: Vec<OpenGap>,
    /// Heads they named that are still to be compared with ours.
    pub(crate) unsure: Unsure,
    /// Up to where our branches, by their number here, hold nothing for them beyond what was sent: under the talk keys that they
    /// had at that time.
    pub(crate) passed: BTreeMap<u32, (usize, u64)>,
    /// The circle's revision at which they had all acts, keys and records that they may have.
    pub(crate) complete_at: Option<u64>,
    /// As of when `behind` holds: the circle's revision, how many talk keys they had, and the mark of our heads.
    pub(crate) followed: Option<(u64, usize, u64)>,
    /// Chains of which they may lack something: all others were looked at, and did not change since.
    pub(crate) behind: BTreeSet<ChainId>,
}

impl Known {
    /// They are no further than this on a chain.
    pub(crate) fn lower(&mut self, chain: ChainId, seq: u64) {
        self.chains.insert(chain, seq);
        self.behind.insert(chain);
    }

    /// Notes which chains are to be looked at again: those that changed, or all of them where other keys decide what may be sent.
    pub(crate) fn follow(&mut self, heads: &Heads, revision: u64) {
        let (talk, mark) = (self.talk.len(), heads.mark());
        match self.followed {
            Some((as_of, keys, before)) if (as_of, keys) == (revision, talk) => self.behind.extend(heads.since(before)),
            _ => self.behind.extend(heads.all().map(|head| head.id)),
        }
        self.followed = Some((revision, talk, mark));
    }

    /// From where on a branch is looked at again: behind what was sent, and behind what is not for them.
    pub(crate) fn skip(&self, branch: u32, after: u64) -> u64 {
        let passed = self.passed.get(&branch).filter(|(keys, _)| *keys == self.talk.len());
        passed.map_or(after, |(_, seq)| after.max(*seq))
    }

    /// A branch holds nothing for them up to this entry, beyond what was sent, with the talk keys they have.
    pub(crate) fn pass(&mut self, branch: u32, seq: u64) {
        self.passed.insert(branch, (self.talk.len(), seq));
    }

    /// A branch was sent up to this entry.
    pub(crate) fn sent(&mut self, branch: &ChainHead, seq: u64) {
        if branch.parent.is_some() {
            self.branches.insert(branch.no, seq);
        } else if seq > 0 {
            self.chains.insert(branch.id, seq);
        }
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
