//! Anti-entropy and live push over streams: what the other side lacks, in causal order, within credit.
//!
//! Both sides compare a digest; where it differs they say what they have, and each sends what the other lacks: keys and acts,
//! records, then runs of entries. Own entries are pushed at once; others' are announced a moment later, and sent to anyone who
//! asks. Nothing here runs while nothing is new.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::Peers;
use super::session::say;
use crate::context::{Cx, InputError};
use crate::id::CircleId;
use crate::io::Link;
use crate::limits;
use crate::sync::circles::Circles;
use crate::sync::have::{digest, have};
use crate::sync::message::Message;
use crate::sync::plan::plan;

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
