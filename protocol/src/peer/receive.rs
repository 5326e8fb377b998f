//! What members send over streams: handed to those who judge it, acknowledged and answered.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::Peers;
use super::exchange;
use super::session::say;
use crate::circle::act::Farewell;
use crate::circle::body::Role;
use crate::circle::state::OwnStanding;
use crate::context::{Cx, InputError};
use crate::control::{Subject, Topic, WatchChange, WatchEvent};
use crate::id::CircleId;
use crate::io::{Effect, Link};
use crate::limits;
use crate::sync::circles::Circles;
use crate::sync::message::{Acts, Bytes, Message};
use crate::sync::rate_limit::Giver;
use crate::sync::take;

/// Acts and keys came.
pub(super) fn acts(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    acts: &Acts,
) -> Result<(), InputError> {
    let device = peers.shared(link, &id).map(|shared| shared.device);
    let Some(circle) = circles.all.get_mut(&id) else { return Ok(()) };
    let giver = device.and_then(|device| Giver::of(circle, &device));
    let taken = take::acts(circle, cx, acts, giver.as_ref(), &mut peers.rate_limit)?;
    if let Some(shared) = peers.shared(link, &id) {
        if taken.later {
            shared.ask_at = shared.ask_at.or(Some(cx.env.now.plus(limits::ROTATION_MILLIS)));
        }
        if let Some(known) = shared.known.as_mut() {
            known.acts.extend(taken.taken);
            known.holds(&taken.keys);
        }
    }
    if taken.news {
        circles.touched(id);
    } else if taken.learned {
        // Somebody may know the act without its keys, and wait for them.
        circles.push_soon(id);
    }
    if taken.bad {
        peers.part_with(cx, link, "an act that is not what it claims");
    }
    exchange::acknowledge(peers, cx, link, &id, acts.weight());
    if taken.news || taken.learned {
        ask_again(circles, peers, cx, &id);
    }
    if taken.learned {
        // What keys we hold decides what they may send us. (Of keys that came with their acts they know.)
        exchange::say_have(circles, peers, cx, link, id);
    }
    if taken.held
        && let Some(shared) = peers.shared(link, &id)
    {
        shared.resync = true;
    }
    Ok(())
}

/// Asks those for the rest who brought more than they may at once, and when it is time.
pub(crate) fn ask_for_rest(circles: &Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>) {
    let mut due = Vec::new();
    for (link, session) in &mut peers.sessions {
        for (id, shared) in &mut session.circles {
            due.extend(shared.ask_at.take_if(|at| *at <= cx.env.now).map(|_| (*link, *id)));
        }
    }
    due.into_iter().for_each(|(link, id)| exchange::say_have(circles, peers, cx, link, id));
}

/// Asks again on every link where something could not be used before.
fn ask_again(circles: &Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>, id: &CircleId) {
    for link in peers.links_of(id) {
        if peers.shared(link, id).is_some_and(|shared| shared.resync) {
            exchange::say_have(circles, peers, cx, link, *id);
        }
    }
}

/// Records came.
pub(super) fn records(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    records: &[Bytes],
) -> Result<(), InputError> {
    let Some(circle) = circles.all.get_mut(&id) else { return Ok(()) };
    let taken = take::records(circle, cx, records)?;
    circle.publish(cx, &peers.addresses);
    if let Some(known) = peers.shared(link, &id).and_then(|shared| shared.known.as_mut()) {
        known.records.extend(taken.current);
    }
    exchange::acknowledge(peers, cx, link, &id, records.iter().map(|bytes| bytes.0.len() as u64).sum());
    if taken.news {
        circles.touched(id);
    }
    Ok(())
}

/// A run of entries came.
pub(crate) fn run(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    bytes: &[u8],
    skipped: bool,
) -> Result<(), InputError> {
    let Some(taken) = take::run(circles, cx, &id, bytes, skipped)? else { return Ok(()) };
    if let (Some(theirs), Some(shared)) = (taken.theirs, peers.shared(link, &id)) {
        // What of our own comes from somebody else is with them: of an older copy of this home, nobody else would say so.
        exchange::note_own(circles, cx.env.now, &id, &shared.device, theirs);
    }
    if let Some(shared) = peers.shared(link, &id) {
        if let Some(known) = shared.known.as_mut() {
            if let Some(through) = taken.through.filter(|_| taken.forked) {
                known.show_main(through.chain);
            }
            if let Some(theirs) = taken.theirs {
                let held = known.chains.entry(theirs.chain).or_insert(0);
                *held = (*held).max(theirs.seq);
            }
        }
        say(cx, link, shared.mine, Message::Got(taken.through.into_iter().collect(), bytes.len() as u64));
    }
    if taken.forked {
        exchange::push(circles, peers, cx, link, &id)?;
    }
    if taken.fresh {
        peers.announce.entry(id).or_insert(cx.env.now.plus(limits::ANNOUNCE_MILLIS));
    }
    Ok(())
}

/// Somebody noted that we left.
pub(crate) fn noted(circles: &mut Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>, id: &CircleId) {
    peers.left(circles, cx, id);
}

/// A member hands us our farewell. It counts if its signer could remove us in our own view.
pub(crate) fn farewell(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    id: CircleId,
    bytes: &[u8],
) -> Result<(), InputError> {
    let Some(circle) = circles.all.get_mut(&id).filter(|circle| circle.is_in_touch()) else { return Ok(()) };
    let farewell = Farewell::parse(bytes).ok().filter(|farewell| farewell.verify(cx.env.crypto));
    let Some(farewell) = farewell else { return Err(InputError::Peer("a farewell that does not verify")) };
    let state = circle.now();
    let me = state.person_of(&circle.device());
    let mine = state.role_of(&circle.device()).unwrap_or(Role::Guest);
    let signer = state.role_of(&farewell.signer);
    let could = signer == Some(Role::Founder) || signer == Some(Role::Steward) && mine < Role::Steward;
    if farewell.circle != id || Some(farewell.person) != me || !could {
        return Ok(());
    }
    if circle.standing() == OwnStanding::Leaving {
        // Removed before anybody heard of their leave: it is known that they are out, which is all they wait for.
        peers.left(circles, cx, &id);
        return Ok(());
    }
    circle.removed(cx);
    circles.touched(id);
    peers.close_circle(&id);
    let event = WatchEvent::new(Topic::Member, (id.text(), id.text()), Subject::Circle, WatchChange::Removed, cx.env.now);
    cx.tx.then(Effect::Notify(event));
    Ok(())
}
