//! Anti-entropy and live push over streams: what the other side lacks, in causal order, within credit.
//!
//! Both sides compare a digest; where it differs they say what they have, and each sends what the other lacks: keys and acts,
//! records, then runs of entries. Own entries are pushed at once; others' are announced a moment later, and sent to anyone who
//! asks. Nothing here runs while nothing is new.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::Peers;
use super::session::{Rest, say};
use crate::context::{Cx, InputError};
use crate::id::{CircleId, DeviceId};
use crate::io::Link;
use crate::limits;
use crate::sync::circles::Circles;
use crate::sync::have::{digest, have};
use crate::sync::known::Known;
use crate::sync::message::{ChainSeq, Hash, Have, Message};
use crate::sync::plan::plan;
use crate::sync::{branches, gaps};
use crate::time::Millis;

/// Both devices are proved here: compare.
pub(super) fn begin(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
) -> Result<(), InputError> {
    let Some(circle) = circles.all.get(&id) else { return Ok(()) };
    let digest = digest(&have(circle, circles.heads_of(&id)));
    let Some(shared) = peers.shared(link, &id) else { return Ok(()) };
    say(cx, link, shared.mine, Message::Digest(digest));
    super::welcome::forward_requests(circles, peers, cx, link, &id)
}

/// Their digest came.
pub(super) fn digest_came(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    theirs: Hash,
) -> Result<(), InputError> {
    let Some(circle) = circles.all.get(&id) else { return Ok(()) };
    let mine = have(circle, circles.heads_of(&id));
    // Digests say how far chains go. What lies before that may be there and not here.
    if digest(&mine) != theirs || !mine.missing.is_empty() {
        say_have(circles, peers, cx, link, id);
        return Ok(());
    }
    if let Some(shared) = peers.shared(link, &id) {
        let device = shared.device;
        shared.known = Some(Known::alike(circle, device, &mine));
        let chains = mine.chains.iter().map(|c| ChainSeq { chain: c.chain, seq: c.seq });
        note_delivery(circles, cx.env.now, &id, &device, chains);
    }
    Ok(())
}

/// Says all we have on a link.
pub(super) fn say_have(circles: &Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>, link: Link, id: CircleId) {
    if !peers.still_welcome(circles, link, &id) {
        return;
    }
    let Some(circle) = circles.all.get(&id) else { return };
    if let Some(shared) = peers.shared(link, &id) {
        (shared.resync, shared.said) = (false, true);
        say(cx, link, shared.mine, Message::Have(have(circle, circles.heads_of(&id))));
    }
}

/// They say what they have: send what they lack. Who says it too often is heard later, and what they said last counts.
pub(super) fn have_came(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    have: Have,
) -> Result<(), InputError> {
    let Some(shared) = peers.shared(link, &id) else { return Ok(()) };
    if !shared.rest.hears(cx.env.now) {
        drop(branches::named(&have)?);
        shared.rest.have = Some(Box::new(have));
        return Ok(());
    }
    shared.rest.have = None;
    hear(circles, peers, cx, link, id, &have)
}

fn hear(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    have: &Have,
) -> Result<(), InputError> {
    let (Some(circle), Some(shared)) = (circles.all.get(&id), peers.shared(link, &id)) else { return Ok(()) };
    let (heads, device, silent) = (circles.heads_of(&id), shared.device, !shared.said);
    let known = Known::of(circle, heads, device, have)?;
    let reached = gaps::reached(circle, cx, have, (&known.gaps, &known.talk), heads)?;
    shared.known = Some(known);
    shared.in_flight = 0;
    note_delivery(circles, cx.env.now, &id, &device, reached.into_iter());
    if silent {
        // Our digests crossed: theirs was ours by the time we saw it, and ours was another when they did. They wait for this.
        say_have(circles, peers, cx, link, id);
    }
    push(circles, peers, cx, link, &id)
}

/// Goes on with what was left over: what the budget of a turn did not reach to, and what was said too often.
pub(crate) fn go_on(circles: &mut Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
    let mut due: Vec<(Link, CircleId)> = Vec::new();
    for (link, session) in &peers.sessions {
        let now = cx.env.now;
        // A clock that was set back makes nobody wait.
        let due_now = |at: Millis| at <= now || at > now.plus(limits::HAVE_MILLIS);
        let left = |rest: &Rest| rest.unsent || rest.due().is_some_and(due_now);
        due.extend(session.circles.iter().filter(|(_, shared)| left(&shared.rest)).map(|(id, _)| (*link, *id)));
    }
    // The one who was last comes last again.
    let first = due.iter().position(|(link, _)| Some(*link) > peers.went_on).unwrap_or(0);
    due.rotate_left(first);
    for (link, id) in due {
        if cx.budget.spent() {
            break;
        }
        peers.went_on = Some(link);
        let Some(shared) = peers.shared(link, &id) else { continue };
        shared.rest.unsent = false;
        match shared.rest.have.take() {
            Some(have) if shared.rest.hears(cx.env.now) => hear(circles, peers, cx, link, id, &have)?,
            Some(have) => {
                shared.rest.have = Some(have);
                push(circles, peers, cx, link, &id)?;
            }
            None => push(circles, peers, cx, link, &id)?,
        }
    }
    Ok(())
}

/// Sends everything that a link's other side is known to lack, within credit and the turn's budget.
pub(super) fn push(
    circles: &Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: &CircleId,
) -> Result<(), InputError> {
    if !peers.is_best(link, id) {
        return Ok(());
    }
    let (Some(circle), Some(shared)) = (circles.all.get(id), peers.shared(link, id)) else { return Ok(()) };
    let Some(known) = shared.known.as_mut().filter(|_| shared.proved && circle.is_current(&shared.device)) else {
        return Ok(());
    };
    let room = (limits::CREDIT_BYTES as u64).saturating_sub(shared.in_flight);
    let plan = plan(circle, circles.heads_of(id), cx, known, room)?;
    shared.in_flight += plan.bytes;
    shared.rest.unsent |= plan.unfinished;
    for message in plan.messages {
        say(cx, link, shared.mine, message);
    }
    Ok(())
}

/// Pushes to every proved link of a circle.
pub(crate) fn push_all(circles: &Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>, id: &CircleId) -> Result<(), InputError> {
    for link in peers.links_of(id) {
        push(circles, peers, cx, link, id)?;
    }
    Ok(())
}

/// Acknowledges acts or records: so many bytes more may be sent to us.
pub(super) fn acknowledge(peers: &mut Peers, cx: &mut Cx<'_, '_>, link: Link, id: &CircleId, weight: u64) {
    if let Some(shared) = peers.shared(link, id).filter(|_| weight > 0) {
        say(cx, link, shared.mine, Message::Got(Vec::new(), weight));
    }
}

/// How far their chains are now.
pub(super) fn got(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    chains: &[ChainSeq],
    freed: u64,
) -> Result<(), InputError> {
    let Some(shared) = peers.shared(link, &id) else { return Ok(()) };
    shared.in_flight = shared.in_flight.saturating_sub(freed);
    if chains.is_empty() {
        return push(circles, peers, cx, link, &id);
    }
    let further = shared.known.as_mut().map(|known| known.got(circles.heads_of(&id), chains)).unwrap_or_default();
    if freed == 0 && !further.is_empty() {
        say(cx, link, shared.mine, Message::Want(further));
    }
    let device = shared.device;
    note_delivery(circles, cx.env.now, &id, &device, chains.iter().copied());
    if freed > 0 { push(circles, peers, cx, link, &id) } else { Ok(()) }
}

/// They lack what we announced.
pub(super) fn want(
    circles: &Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    chains: &[ChainSeq],
) -> Result<(), InputError> {
    if let Some(known) = peers.shared(link, &id).and_then(|shared| shared.known.as_mut()) {
        known.want(chains);
    }
    push(circles, peers, cx, link, &id)
}

/// Tells every link about others' entries whose time has come.
pub(crate) fn announce_due(circles: &Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>) {
    let due: Vec<CircleId> = peers.announce.iter().filter(|(_, at)| **at <= cx.env.now).map(|(id, _)| *id).collect();
    for id in due {
        peers.announce.remove(&id);
        announce(circles, peers, cx, &id);
    }
}

/// Tells every link how far chains are here, for chains that grew by others' entries.
fn announce(circles: &Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>, id: &CircleId) {
    for link in peers.links_of(id) {
        if !peers.is_best(link, id) {
            continue;
        }
        let Some(shared) = peers.shared(link, id) else { continue };
        let news = shared.known.as_ref().map(|known| known.lacks(circles.heads_of(id))).unwrap_or_default();
        if !news.is_empty() {
            say(cx, link, shared.mine, Message::Got(news, 0));
        }
    }
}

/// Remembers how far a device is on one of our own chains.
pub(super) fn note_own(circles: &mut Circles, now: Millis, id: &CircleId, device: &DeviceId, theirs: ChainSeq) {
    if circles.all.get(id).is_some_and(|circle| circle.device() == theirs.chain.device) {
        note_delivery(circles, now, id, device, std::iter::once(theirs));
    }
}

/// Remembers which of our own entries a device has, which is told to nobody but the author; and how far it says that it is on
/// chains of third devices, for anyone who has to name what stands of them one day.
fn note_delivery(circles: &mut Circles, now: Millis, id: &CircleId, device: &DeviceId, chains: impl Iterator<Item = ChainSeq>) {
    let (Some(circle), Some(heads)) = (circles.all.get(id), circles.heads.get(id)) else { return };
    let me = circle.device();
    let here = chains.filter_map(|c| Some(ChainSeq { chain: c.chain, seq: c.seq.min(heads.main(&c.chain)?.seq) }));
    let (own, others): (Vec<ChainSeq>, Vec<ChainSeq>) = here.partition(|c| c.chain.device == me);
    circles.delivery.note(*id, *device, own.into_iter(), now);
    // Of a chain with branches, how far says nothing of where.
    let plain = |c: &ChainSeq| c.seq > 0 && c.chain.device != *device && heads.branches(&c.chain).count() == 1;
    circles.delivery.witness(*id, *device, others.into_iter().filter(plain), now);
}
