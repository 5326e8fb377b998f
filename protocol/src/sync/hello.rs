//! The hidden hello: two nodes find out which circles they share, and nobody else does.
//!
//! For each circle in which the other side's peer id is known, a token: a MAC under the static Diffie-Hellman key of the two
//! devices' hello keys over circle, both peer ids, both salts and the direction. Tokens are padded with random ones. Whoever
//! matches one proves a device key that is currently in the roster. A stranger sees the same two frames whatever we know.
//! A newcomer whom the other side does not know yet presents her acts and record, sealed under the circle's meeting key.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;

use super::frame::{Bytes, Frame, Introduction, Message, Salt, Token};
use super::session::{CircleLink, Session, TOKENS, say, send};
use super::{exchange, join};
use crate::circle::epoch::KeyRing;
use crate::circle::membership::Status;
use crate::circle::state::{CircleState, Standing, Taken};
use crate::codec;
use crate::crypto::{self, Key};
use crate::id::{CircleId, DeviceId, PeerId};
use crate::limits;
use crate::log::act::{self, SealedAct};
use crate::node::{Cx, Effect, Link, Rooms, Stop};
use crate::time::DAY;

const PROVE: &str = "kith/v1/prove";
const INTRO: &str = "kith/v1/meeting";
/// Tokens are sent in multiples of this many.
const PADDING: usize = 8;
/// A farewell is handed over for so long.
const FAREWELL_DAYS: u64 = 90;
/// Bytes of a sealed introduction.
const INTRO_BYTES: usize = 14 << 10;

/// A stream is open: say hello.
pub(crate) fn opened(rooms: &mut Rooms, cx: &mut Cx<'_, '_>, link: Link, peer: PeerId) {
    if rooms.sessions.len() >= limits::LINKS {
        cx.tx.then(Effect::Close(link));
        return;
    }
    rooms.dialer.connected(&peer);
    let salt = Salt(cx.random());
    rooms.sessions.insert(link, Session::new(peer, salt, cx.env.now));
    send(cx, link, &Frame::Hello { version: super::frame::VERSION, salt });
}

/// Their hello came: send our tokens, and what a joiner has to say.
pub(crate) fn hello(rooms: &mut Rooms, cx: &mut Cx<'_, '_>, link: Link, salt: Salt) -> Result<(), Stop> {
    let Some(session) = rooms.sessions.get_mut(&link).filter(|s| s.their_salt.is_none()) else {
        return Err(Stop::Peer("a second hello"));
    };
    session.their_salt = Some(salt);
    let pairs = pairs(rooms, link);
    send_tokens(cx, link, pairs.iter().map(|pair| pair.mine).collect());
    join::greet(rooms, cx, link)
}

/// A device of the other side's that we know, and the tokens for it.
struct Pair {
    circle: CircleId,
    device: DeviceId,
    mine: Token,
    theirs: Token,
}

fn token(key: &Key, circle: &CircleId, from: (&PeerId, &Salt), to: (&PeerId, &Salt)) -> Token {
    let mac = crypto::mac("kith/v1/hello-token", key, &[&circle.0, &from.0.0, &to.0.0, &from.1.0, &to.1.0]);
    let mut out = [0; 16];
    out.copy_from_slice(mac.split_at(16).0);
    Token(out)
}

/// The tokens for a device at the other end of a stream.
fn pair(rooms: &Rooms, session: &Session, circle: &CircleState, device: DeviceId) -> Option<Pair> {
    let shared = circle.row.secrets.hello.agree(&circle.keys.get(&device)?.hello)?;
    let us = (&rooms.peer, &session.my_salt);
    let them = (&session.peer, session.their_salt.as_ref()?);
    let (mine, theirs) = (token(&shared, &circle.id, us, them), token(&shared, &circle.id, them, us));
    Some(Pair { circle: circle.id, device, mine, theirs })
}

/// Every device that the link's peer is known to be, in circles we are in.
fn pairs(rooms: &Rooms, link: Link) -> Vec<Pair> {
    let Some(session) = rooms.sessions.get(&link) else { return Vec::new() };
    let mut out = Vec::new();
    for (id, circle) in &rooms.circles {
        // Whoever left still says so to those who call her, because nobody told them: the one who noted it may have kept it to
        // herself.
        let told = session.parted.contains(id);
        if !(matches!(circle.row.standing, Standing::In | Standing::Leaving) || circle.row.standing == Standing::Left && !told) {
            continue;
        }
        let hers = circle.records.values().filter(|r| r.body.peer == session.peer && r.device != circle.device());
        let mut devices: Vec<DeviceId> = hers.map(|r| r.device).collect();
        // A peer has one device in a circle; what else claims her id comes last, and little of it.
        devices.sort_by_key(|device| !circle.is_current(device));
        let devices = devices.into_iter().take(PADDING);
        out.extend(devices.filter_map(|device| pair(rooms, session, circle, device)));
    }
    out.truncate(TOKENS);
    out
}

fn send_tokens(cx: &mut Cx<'_, '_>, link: Link, mut tokens: Vec<Token>) {
    let padded = tokens.len().next_multiple_of(PADDING).max(PADDING);
    while tokens.len() < padded {
        tokens.push(Token(cx.random()));
    }
    tokens.sort_unstable();
    send(cx, link, &Frame::Tokens(tokens));
}

/// Their tokens came: prove ourselves where they match, introduce ourselves where they should have and did not.
pub(crate) fn tokens(rooms: &mut Rooms, cx: &mut Cx<'_, '_>, link: Link, tokens: Vec<Token>) -> Result<(), Stop> {
    let Some(session) = rooms.sessions.get_mut(&link).filter(|s| s.their_salt.is_some()) else {
        return Err(Stop::Peer("tokens before hello"));
    };
    if session.their_tokens.len() + tokens.len() > 2 * TOKENS {
        return Err(Stop::Peer("too many tokens"));
    }
    let first = session.their_tokens.is_empty();
    session.their_tokens.extend(tokens);
    let unmatched = match_up(rooms, cx, link);
    if first {
        for circle in unmatched {
            introduce(rooms, cx, link, &circle);
        }
    }
    Ok(())
}

/// Proves ourselves in every circle that their tokens name; returns circles in which they do not know us.
fn match_up(rooms: &mut Rooms, cx: &mut Cx<'_, '_>, link: Link) -> Vec<CircleId> {
    let mut unmatched = Vec::new();
    for pair in pairs(rooms, link) {
        let Some(session) = rooms.sessions.get_mut(&link) else { break };
        if session.circles.contains_key(&pair.circle) {
            continue;
        }
        let Some(circle) = rooms.circles.get(&pair.circle) else { continue };
        let current = circle.is_current(&pair.device);
        if !session.their_tokens.contains(&pair.theirs) {
            if current {
                unmatched.push(pair.circle);
            }
            continue;
        }
        if !current {
            farewell(circle, cx, link, &pair);
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
        };
        let signature = {
            let (us, them) = ((&rooms.peer, &session.my_salt), (&session.peer, session.their_salt.unwrap_or(session.my_salt)));
            let device = circle.device();
            let parts: [&[u8]; 6] = [&pair.circle.0, &device.0, &us.0.0, &them.0.0, &us.1.0, &them.1.0];
            cx.env.crypto.sign(&circle.row.secrets.sign, PROVE, &parts)
        };
        session.circles.insert(pair.circle, fresh);
        say(cx, link, pair.mine, Message::Prove(circle.device(), signature));
    }
    unmatched
}

/// Hands a removed device her farewell, and nothing else.
fn farewell(circle: &CircleState, cx: &mut Cx<'_, '_>, link: Link, pair: &Pair) {
    let state = circle.now();
    let person = state.person_of(&pair.device);
    let Some((farewell, at)) = person.and_then(|person| circle.farewells.get(&person)) else {
        let left = person.and_then(|person| state.people.get(&person)).is_some_and(|person| person.status == Status::Left);
        if left && circle.notes_leaves() {
            say(cx, link, pair.mine, Message::Got(Vec::new(), 0));
        }
        return;
    };
    if cx.env.now.since(*at) <= FAREWELL_DAYS * DAY {
        say(cx, link, pair.mine, Message::Farewell(Bytes(farewell.bytes())));
    }
}

/// The circle in whose name a farewell comes: one in which we know the sender, who does not count us in any more.
pub(crate) fn circle_of_farewell(rooms: &Rooms, link: Link, token: &Token) -> Option<CircleId> {
    pairs(rooms, link).into_iter().find(|pair| pair.theirs == *token).map(|pair| pair.circle)
}

/// They prove a device.
pub(crate) fn prove(
    rooms: &mut Rooms,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    device: DeviceId,
    signature: &crypto::Signature,
) -> Result<(), Stop> {
    let (Some(session), Some(circle)) = (rooms.sessions.get_mut(&link), rooms.circles.get(&id)) else { return Ok(()) };
    let (them, us) = ((&session.peer, session.their_salt.unwrap_or(session.my_salt)), (&rooms.peer, &session.my_salt));
    let parts: [&[u8]; 6] = [&id.0, &device.0, &them.0.0, &us.0.0, &them.1.0, &us.1.0];
    let right = cx.env.crypto.verify(&device, PROVE, &parts, signature);
    let Some(shared) = session.circles.get_mut(&id) else { return Ok(()) };
    if !right || shared.device != device || !circle.is_current(&device) {
        return Err(Stop::Peer("a proof that does not hold"));
    }
    shared.proved = true;
    rooms.dialer.proved(&session.peer);
    cx.tx.then(Effect::Widen(link));
    exchange::begin(rooms, cx, link, id)
}

// ---- newcomers ------------------------------------------------------------------------------------------------------

/// The key under which a circle's newcomers introduce themselves: known to every member, constant.
fn meeting_key(circle: &CircleState) -> Option<Key> {
    let genesis = circle.order.first()?;
    let keys = circle.ring.epoch(circle.carried.get(genesis)?)?;
    Some(crypto::derive(INTRO, &keys.roster, &[&circle.id.0]))
}

/// Somebody we know now may be at the other end of a stream that has nothing to do with the circle yet: greet her in it, once.
pub(crate) fn offer(rooms: &mut Rooms, cx: &mut Cx<'_, '_>, id: &CircleId) {
    let links: Vec<Link> = rooms.sessions.iter().filter(|(_, s)| !s.circles.contains_key(id)).map(|(link, _)| *link).collect();
    for link in links {
        let tokens: Vec<Token> = pairs(rooms, link).into_iter().filter(|pair| pair.circle == *id).map(|pair| pair.mine).collect();
        let fresh = !tokens.is_empty() && rooms.sessions.get_mut(&link).is_some_and(|s| s.offered.insert(*id));
        if fresh {
            send_tokens(cx, link, tokens);
            match_up(rooms, cx, link);
        }
    }
}

/// On a stream that is open already: we are in a circle now that the other side may share.
pub(crate) fn present(rooms: &Rooms, cx: &mut Cx<'_, '_>, link: Link, id: &CircleId) {
    let tokens = pairs(rooms, link).into_iter().filter(|pair| pair.circle == *id).map(|pair| pair.mine).collect();
    send_tokens(cx, link, tokens);
    introduce(rooms, cx, link, id);
}

/// Presents our admission and record to a member who does not know us yet.
fn introduce(rooms: &Rooms, cx: &mut Cx<'_, '_>, link: Link, id: &CircleId) {
    let (Some(circle), Some(session)) = (rooms.circles.get(id), rooms.sessions.get(&link)) else { return };
    let Some(key) = meeting_key(circle) else { return };
    let record = circle.records.get(&circle.device()).map(|record| record.bytes.clone()).unwrap_or_default();
    if record.is_empty() && circle.row.standing != Standing::Leaving {
        return;
    }
    let mut acts: Vec<Bytes> = Vec::new();
    let mut size = record.len();
    // Back from our admission, as far as it fits: whoever lacks more learns it from somebody else first.
    let admission = circle.order.iter().rposition(|act| circle.introduces(act, &circle.device()));
    let last = if circle.row.standing == Standing::Leaving { circle.order.len() } else { admission.map_or(0, |at| at + 1) };
    for act in circle.order.iter().take(last).rev() {
        let Ok(Some(sealed)) = act::get_act(&cx.tx, id, act) else { break };
        size += sealed.bytes().len() + 8;
        if size > INTRO_BYTES - 256 {
            break;
        }
        acts.push(Bytes(sealed.bytes().to_vec()));
    }
    acts.reverse();
    let plain = codec::encode(&Introduction { acts, record: Bytes(record) });
    let sealed = crypto::seal(&key, cx.env.rng, &session.my_salt.0, &plain);
    send(cx, link, &Frame::Intro(Bytes(sealed)));
}

/// Somebody introduces herself: if it opens in a circle of ours, learn her and send the token she could not expect.
pub(crate) fn introduced(rooms: &mut Rooms, cx: &mut Cx<'_, '_>, link: Link, sealed: &[u8]) -> Result<(), Stop> {
    let Some(salt) = rooms.sessions.get(&link).and_then(|s| s.their_salt) else {
        return Err(Stop::Peer("an introduction before hello"));
    };
    if sealed.len() > INTRO_BYTES + 64 {
        return Err(Stop::Peer("an introduction that is too long"));
    }
    let found = rooms.circles.values().filter(|c| c.row.standing == Standing::In).find_map(|circle| {
        let plain = crypto::open(&meeting_key(circle)?, &salt.0, sealed)?;
        let intro: Introduction = codec::decode_within(&plain, INTRO_BYTES, "introduction").ok()?;
        Some((circle.id, intro))
    });
    let Some((id, intro)) = found else { return Ok(()) };
    let Some(circle) = rooms.circles.get_mut(&id) else { return Ok(()) };
    let mut news = false;
    for bytes in &intro.acts {
        if !rooms.pace.allows(circle, None, &bytes.0, cx.env.now) {
            continue;
        }
        news |= circle.take_act(cx, &bytes.0, &mut BTreeMap::new())? == Taken::New;
    }
    news |= circle.take_record(cx, &intro.record.0);
    if news {
        rooms.touched(id);
    }
    let tokens: Vec<Token> = pairs(rooms, link).into_iter().filter(|p| p.circle == id).map(|p| p.mine).collect();
    send_tokens(cx, link, tokens);
    match_up(rooms, cx, link);
    // Whoever says that she left is told that it is noted, or she would say so for ever: no record of hers names her here.
    let (Some(circle), Some(session)) = (rooms.circles.get(&id), rooms.sessions.get(&link)) else { return Ok(()) };
    let author = intro.acts.last().and_then(|act| SealedAct::parse(&act.0).ok()).map(|act| act.author());
    let gone = author.filter(|author| !circle.is_current(author));
    if let Some(pair) = gone.and_then(|author| pair(rooms, session, circle, author)) {
        farewell(circle, cx, link, &pair);
    }
    Ok(())
}
