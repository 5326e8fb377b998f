//! The hidden hello: two nodes find out which circles they share, and nobody else does.
//!
//! For each circle in which the other side's peer id is known, a token: a MAC under the static Diffie-Hellman key of the two
//! devices' hello keys over circle, both peer ids, both salts and the direction. Tokens are padded with random ones. Anyone who
//! matches one proves a device key that is currently in the roster. A stranger sees the same two frames whatever we know.
//! A newcomer whom the other side does not know yet presents their acts and record, sealed under the circle's meeting key.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;

use super::Peers;
use super::frame::{Frame, Gone, Introduction, Salt, Token};
use super::parting::{farewells, is_told, parting};
use super::session::{CircleLink, Rest, Session, say, send};
use super::{exchange, join};
use crate::circle::act::{self, SealedAct};
use crate::circle::record::Record;
use crate::circle::state::{ActTaken, CircleState, OwnStanding};
use crate::codec;
use crate::context::{Cx, InputError};
use crate::crypto::{self, Key};
use crate::id::{CircleId, DeviceId, EpochId, PeerId};
use crate::io::{Effect, Link};
use crate::limits;
use crate::planted::{Bug, planted};
use crate::sync::circles::Circles;
use crate::sync::message::{Bytes, Message};
use crate::time::Millis;

const PROVE: &str = "kith/v1/prove";
pub(crate) const GONE: &str = "kith/v1/gone";
const INTRO: &str = "kith/v1/meeting";

/// A stream is open: say hello.
pub(crate) fn opened(peers: &mut Peers, cx: &mut Cx<'_, '_>, link: Link, peer: PeerId) {
    if peers.sessions.len() >= limits::LINKS {
        cx.tx.then(Effect::Close(link));
        return;
    }
    peers.dialer.connected(&peer);
    let salt = Salt(cx.random());
    peers.sessions.insert(link, Session::new(peer, salt, cx.env.now));
    send(cx, link, &Frame::Hello { version: super::frame::VERSION, salt });
}

/// Their hello came: send our tokens, and what a joiner has to say.
pub(crate) fn hello(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    salt: Salt,
) -> Result<(), InputError> {
    let Some(session) = peers.sessions.get_mut(&link).filter(|s| s.their_salt.is_none()) else {
        return Err(InputError::Peer("a second hello"));
    };
    session.their_salt = Some(salt);
    let pairs = pairs(circles, peers, cx.env.now, link);
    send_tokens(cx, link, pairs.iter().map(|pair| pair.mine).collect());
    join::greet(peers, cx, link)
}

/// A device of the other side's that we know, and the tokens for it.
struct Pair {
    circle: CircleId,
    device: DeviceId,
    mine: Token,
    theirs: Token,
}

/// The token of a circle on a stream, from one end to the other.
pub(crate) fn token(key: &Key, circle: &CircleId, from: (&PeerId, &Salt), to: (&PeerId, &Salt)) -> Token {
    let mac = crypto::mac("kith/v1/hello-token", key, &[&circle.0, &from.0.0, &to.0.0, &from.1.0, &to.1.0]);
    let mut out = [0; 16];
    out.copy_from_slice(mac.split_at(16).0);
    Token(out)
}

/// This end of a stream.
const fn ours<'a>(peers: &'a Peers, session: &'a Session) -> (&'a PeerId, &'a Salt) {
    (&peers.peer, &session.my_salt)
}

/// The other end of a stream.
fn theirs(session: &Session) -> (&PeerId, &Salt) {
    (&session.peer, session.their_salt.as_ref().unwrap_or(&session.my_salt))
}

/// What a device signs of itself on a stream, from its end to the other.
pub(crate) fn parts<'a>(
    circle: &'a CircleId,
    device: &'a DeviceId,
    from: (&'a PeerId, &'a Salt),
    to: (&'a PeerId, &'a Salt),
) -> [&'a [u8]; 6] {
    [&circle.0, &device.0, &from.0.0, &to.0.0, &from.1.0, &to.1.0]
}

/// The tokens for a device at the other end of a stream.
fn pair(peers: &Peers, session: &Session, circle: &CircleState, device: DeviceId) -> Option<Pair> {
    let shared = circle.shared_with(&device)?;
    let us = (&peers.peer, &session.my_salt);
    let them = (&session.peer, session.their_salt.as_ref()?);
    let (mine, theirs) = (token(&shared, &circle.id(), us, them), token(&shared, &circle.id(), them, us));
    Some(Pair { circle: circle.id(), device, mine, theirs })
}

/// Every device that the link's peer is known to be, in circles we are in: those that are in, and those that have to be told that
/// they are not.
fn pairs(circles: &Circles, peers: &Peers, now: Millis, link: Link) -> Vec<Pair> {
    let Some(session) = peers.sessions.get(&link) else { return Vec::new() };
    let mut out = Vec::new();
    for (id, circle) in &circles.all {
        // Anyone who left still says so to those who call them, because nobody told them: the one who noted it may have kept it
        // to themself.
        let told = session.parted.contains(id);
        if !(circle.is_in_touch() || circle.standing() == OwnStanding::Left && !told) {
            continue;
        }
        let theirs = circle.records().filter(|r| r.body.peer == session.peer && r.device != circle.device());
        let concerned = |device: &DeviceId| circle.is_current(device) || is_told(circle, device, now);
        let mut devices: Vec<DeviceId> = theirs.map(|r| r.device).filter(concerned).collect();
        // A peer has one device in a circle; what else claims their id comes last, and little of it.
        devices.sort_by_key(|device| !circle.is_current(device));
        let devices = devices.into_iter().take(limits::TOKEN_STEP);
        out.extend(devices.filter_map(|device| pair(peers, session, circle, device)));
    }
    out.truncate(limits::TOKENS);
    out
}

fn send_tokens(cx: &mut Cx<'_, '_>, link: Link, mut tokens: Vec<Token>) {
    let padded = tokens.len().next_multiple_of(limits::TOKEN_STEP).max(limits::TOKEN_STEP);
    while tokens.len() < padded {
        tokens.push(Token(cx.random()));
    }
    tokens.sort_unstable();
    send(cx, link, &Frame::Tokens(tokens));
}

/// Their tokens came: prove ourselves where they match, introduce ourselves where they should have and did not.
pub(crate) fn tokens(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    tokens: Vec<Token>,
) -> Result<(), InputError> {
    let Some(session) = peers.sessions.get_mut(&link).filter(|s| s.their_salt.is_some()) else {
        return Err(InputError::Peer("tokens before hello"));
    };
    if session.their_tokens.len() + tokens.len() > limits::PEER_TOKENS {
        return Err(InputError::Peer("too many tokens"));
    }
    let first = session.their_tokens.is_empty();
    session.their_tokens.extend(tokens);
    let unmatched = match_up(circles, peers, cx, link);
    if first {
        for circle in unmatched {
            introduce(circles, peers, cx, link, &circle);
        }
    }
    Ok(())
}

/// Proves ourselves in every circle that their tokens name; returns circles in which they do not know us.
fn match_up(circles: &mut Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>, link: Link) -> Vec<CircleId> {
    let mut unmatched = Vec::new();
    for pair in pairs(circles, peers, cx.env.now, link) {
        let Some(session) = peers.sessions.get_mut(&link) else { break };
        if session.circles.contains_key(&pair.circle) {
            continue;
        }
        let Some(circle) = circles.all.get(&pair.circle) else { continue };
        let current = circle.is_current(&pair.device);
        if !session.their_tokens.contains(&pair.theirs) {
            if current {
                unmatched.push(pair.circle);
            }
            continue;
        }
        if !current {
            for message in parting(circle, &pair.device, cx.env) {
                say(cx, link, pair.mine, message);
            }
            continue;
        }
        let fresh = CircleLink {
            mine: pair.mine,
            theirs: pair.theirs,
            device: pair.device,
            proved: false,
            known: None,
            said: false,
            in_flight: 0,
            resync: false,
            ask_at: None,
            rest: Rest::default(),
        };
        let device = circle.device();
        let parts = parts(&pair.circle, &device, (&peers.peer, &session.my_salt), theirs(session));
        let signature = cx.env.crypto.sign(circle.signer(), PROVE, &parts);
        session.circles.insert(pair.circle, fresh);
        say(cx, link, pair.mine, Message::Prove(device, signature));
    }
    unmatched
}

/// The circle in whose name a farewell comes: one in which we know the sender, who does not count us in any more.
pub(crate) fn circle_of_farewell(circles: &Circles, peers: &Peers, now: Millis, link: Link, token: &Token) -> Option<CircleId> {
    pairs(circles, peers, now, link).into_iter().find(|pair| pair.theirs == *token).map(|pair| pair.circle)
}

/// They prove a device.
pub(crate) fn prove(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    device: DeviceId,
    signature: &crypto::Signature,
) -> Result<(), InputError> {
    let (Some(session), Some(circle)) = (peers.sessions.get_mut(&link), circles.all.get(&id)) else { return Ok(()) };
    let parts = parts(&id, &device, theirs(session), (&peers.peer, &session.my_salt));
    let right = cx.env.crypto.verify(&device, PROVE, &parts, signature);
    let Some(shared) = session.circles.get_mut(&id) else { return Ok(()) };
    if !right || shared.device != device || !circle.is_current(&device) {
        return Err(InputError::Peer("a proof that does not hold"));
    }
    shared.proved = true;
    peers.dialer.proved(&session.peer);
    cx.tx.then(Effect::Widen(link));
    exchange::begin(circles, peers, cx, link, id)
}

// ---- newcomers ------------------------------------------------------------------------------------------------------

/// The key under which a circle's newcomers introduce themselves: known to every member, constant.
pub(crate) fn meeting_key(circle: &CircleState) -> Option<Key> {
    let (_, roster) = first_keys(circle)?;
    Some(crypto::derive(INTRO, roster, &[&circle.id().0]))
}

/// The first epoch, whose roster key every member holds.
fn first_keys(circle: &CircleState) -> Option<(&EpochId, &Key)> {
    let epoch = circle.epoch_of(circle.judged().first()?)?;
    Some((epoch, circle.roster_key(epoch)?))
}

/// Somebody we know now may be at the other end of a stream that has nothing to do with the circle yet: greet them in it, once.
pub(crate) fn offer(circles: &mut Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>, id: &CircleId) {
    let links: Vec<Link> = peers.sessions.iter().filter(|(_, s)| !s.circles.contains_key(id)).map(|(link, _)| *link).collect();
    for link in links {
        let pairs = pairs(circles, peers, cx.env.now, link).into_iter();
        let tokens: Vec<Token> = pairs.filter(|pair| pair.circle == *id).map(|pair| pair.mine).collect();
        let fresh = !tokens.is_empty() && peers.sessions.get_mut(&link).is_some_and(|s| s.offered.insert(*id));
        if fresh {
            send_tokens(cx, link, tokens);
            match_up(circles, peers, cx, link);
        }
    }
}

/// On a stream that is open already: we are in a circle now that the other side may share.
pub(crate) fn present(circles: &Circles, peers: &Peers, cx: &mut Cx<'_, '_>, link: Link, id: &CircleId) {
    let pairs = pairs(circles, peers, cx.env.now, link).into_iter();
    send_tokens(cx, link, pairs.filter(|pair| pair.circle == *id).map(|pair| pair.mine).collect());
    introduce(circles, peers, cx, link, id);
}

/// Presents our admission and record to a member who does not know us yet.
fn introduce(circles: &Circles, peers: &Peers, cx: &mut Cx<'_, '_>, link: Link, id: &CircleId) {
    let (Some(circle), Some(session)) = (circles.all.get(id), peers.sessions.get(&link)) else { return };
    let Some(key) = meeting_key(circle) else { return };
    // Sealed so that members can open it who were away when the newest keys were made.
    let known = circle.record_of(&circle.device()).zip(first_keys(circle)).map(|(record, first)| {
        let (signer, body) = (circle.signer(), record.body.clone());
        Record::write(cx.env.crypto, cx.env.rng, id, signer, first, record.count, body).bytes
    });
    let record = known.unwrap_or_default();
    if record.is_empty() && circle.standing() != OwnStanding::Leaving {
        return;
    }
    let mut acts: Vec<Bytes> = Vec::new();
    let mut size = record.len();
    // Back from our admission, as far as it fits: anyone who lacks more learns it from somebody else first.
    let admission = circle.judged().iter().rposition(|act| circle.introduces(act, &circle.device()));
    let last = if circle.standing() == OwnStanding::Leaving { circle.judged().len() } else { admission.map_or(0, |at| at + 1) };
    for act in circle.judged().iter().take(last).rev() {
        let Ok(Some(sealed)) = act::get_act(&cx.tx, id, act) else { break };
        size += sealed.bytes().len() + 8;
        if size > limits::INTRO_ACTS_BYTES {
            break;
        }
        acts.push(Bytes(sealed.bytes().to_vec()));
    }
    acts.reverse();
    let gone = (circle.standing() == OwnStanding::Leaving).then(|| {
        let device = circle.device();
        let parts = parts(id, &device, ours(peers, session), theirs(session));
        Gone { device, signature: cx.env.crypto.sign(circle.signer(), GONE, &parts) }
    });
    let plain = codec::encode(&Introduction { acts, record: Bytes(record), gone });
    let sealed = crypto::seal(&key, cx.env.rng, &session.my_salt.0, &plain);
    send(cx, link, &Frame::Intro(Bytes(sealed)));
}

/// The keys to try on an introduction: those of our circles, and others that open nothing, as many in every home.
pub(crate) fn meeting_keys(circles: &Circles) -> Vec<(Option<CircleId>, Key)> {
    let ours = circles.all.values().filter(|circle| circle.is_in());
    let mut keys: Vec<_> = ours.filter_map(|circle| Some((Some(circle.id()), meeting_key(circle)?))).collect();
    while keys.len() < limits::CIRCLES {
        keys.push((None, crypto::derive(INTRO, &Key::from_bytes([0; 32]), &[&[0; 32]])));
    }
    keys
}

/// Opens an introduction in the circle whose it is. All keys are tried, wherever one fits: the time it takes does not tell in how
/// many circles we are.
fn opened_in(circles: &Circles, salt: &Salt, sealed: &[u8]) -> Option<(CircleId, Introduction)> {
    let mut found = None;
    for (circle, key) in meeting_keys(circles) {
        let plain = crypto::open(&key, &salt.0, sealed);
        if found.is_none() {
            found = circle.zip(plain);
        }
    }
    let (circle, plain) = found?;
    Some((circle, codec::decode_within(&plain, limits::INTRO_BYTES, "introduction").ok()?))
}

/// Somebody introduces themself: if it opens in a circle of ours, learn of them, and send the token they could not expect. Anyone
/// who ever was in can seal an introduction, so any answer at all tells them that we are in. It goes to a device only that is in,
/// and that by its own record is at the other end; or to one that was put out before anybody here had a record of it, and knew
/// us.
pub(crate) fn introduced(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    sealed: &[u8],
) -> Result<(), InputError> {
    let Some(salt) = peers.sessions.get(&link).and_then(|s| s.their_salt) else {
        return Err(InputError::Peer("an introduction before hello"));
    };
    if sealed.len() > limits::SEALED_INTRO_BYTES {
        return Err(InputError::Peer("an introduction that is too long"));
    }
    let Some((id, intro)) = opened_in(circles, &salt, sealed) else { return Ok(()) };
    let Some(circle) = circles.all.get_mut(&id) else { return Ok(()) };
    let mut news = false;
    for bytes in &intro.acts {
        if !peers.rate_limit.allows(circle, None, &bytes.0, cx.env.now) {
            continue;
        }
        news |= circle.take_act(cx, &bytes.0, &mut BTreeMap::new())? == ActTaken::New;
    }
    news |= circle.take_record(cx, &intro.record.0);
    let out = Record::peek(&intro.record.0).ok().map(|(device, ..)| device);
    let farewell = out.filter(|device| farewells(circle, device, cx.env.now).next().is_some());
    let peer = peers.sessions.get(&link).filter(|_| farewell.is_some()).map(|session| session.peer.clone());
    let late = peer.and_then(|peer| circle.take_late_record(cx, &intro.record.0, &peer));
    if news || late.is_some() {
        circles.touched(id);
    }
    let Some(circle) = circles.all.get(&id) else { return Ok(()) };
    let pairs = pairs(circles, peers, cx.env.now, link).into_iter();
    let known = pairs.filter(|pair| pair.circle == id && circle.is_current(&pair.device));
    let tokens: Vec<Token> = known.map(|pair| pair.mine).collect();
    if !tokens.is_empty() || planted(Bug::Greets) {
        send_tokens(cx, link, tokens);
        match_up(circles, peers, cx, link);
    }
    note_leave(circles, peers, cx, link, &id, &intro);
    if let Some(device) = late {
        part(circles, peers, cx, link, &id, device);
    }
    Ok(())
}

/// Tells a device that is not in any more what it is told.
fn part(circles: &Circles, peers: &Peers, cx: &mut Cx<'_, '_>, link: Link, id: &CircleId, device: DeviceId) {
    if let (Some(circle), Some(session)) = (circles.all.get(id), peers.sessions.get(&link))
        && let Some(pair) = pair(peers, session, circle, device)
    {
        for message in parting(circle, &device, cx.env) {
            say(cx, link, pair.mine, message);
        }
    }
}

/// Anyone who left is told that it is noted, or they would say so for ever: no record of theirs names them here. Only the device
/// itself is told, and only by somebody who was in when it left: it knows that one anyway.
fn note_leave(circles: &Circles, peers: &Peers, cx: &mut Cx<'_, '_>, link: Link, id: &CircleId, intro: &Introduction) {
    let (Some(circle), Some(session), Some(gone)) = (circles.all.get(id), peers.sessions.get(&link), &intro.gone) else {
        return;
    };
    let parts = parts(id, &gone.device, theirs(session), ours(peers, session));
    if circle.is_current(&gone.device) || !cx.env.crypto.verify(&gone.device, GONE, &parts, &gone.signature) {
        return;
    }
    let mut acts = intro.acts.iter().rev().filter_map(|act| SealedAct::parse(&act.0).ok());
    let leave = acts.find(|act| act.author() == gone.device);
    let then = leave.and_then(|leave| circle.membership().state_at(leave.parents()));
    if !then.is_some_and(|state| state.is_current(&circle.device())) {
        return;
    }
    part(circles, peers, cx, link, id, gone.device);
}
