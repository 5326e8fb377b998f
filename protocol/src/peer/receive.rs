//! What members send over streams: handed to `sync/take`, answered on the stream, and followed up on others.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::Peers;
use super::exchange;
use super::session::{Rest, say};
use crate::circle::act::Farewell;
use crate::circle::body::Role;
use crate::circle::state::OwnStanding;
use crate::context::{Cx, InputError};
use crate::control::{Subject, Topic, WatchChange, WatchEvent};
use crate::id::CircleId;
use crate::io::{Effect, Link};
use crate::limits;
use crate::sync::branches;
use crate::sync::circles::Circles;
use crate::sync::message::{Have, Message};
use crate::sync::take::{Sender, take};
use crate::time::Millis;

/// A message came of a member who is proved and still in: taken, and answered.
pub(super) fn message(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    message: &Message,
) -> Result<(), InputError> {
    let Peers { sessions, rate_limit, .. } = &mut *peers;
    let shared = sessions.get_mut(&link).and_then(|session| session.circles.get_mut(&id));
    let Some(shared) = shared else { return Ok(()) };
    let from = Sender { device: shared.device, known: &mut shared.known, limit: rate_limit };
    let taken = take(circles, cx, &id, message, from)?;
    let silent = shared.heard(message);
    if taken.later {
        shared.ask_at = shared.ask_at.or(Some(cx.env.now.plus(limits::ROTATION_MILLIS)));
    }
    if taken.bad {
        peers.part_with(cx, link, "an act that is not what it claims");
    }
    if let Some(circle) = circles.all.get_mut(&id).filter(|_| matches!(message, Message::Records(_))) {
        circle.publish(cx, &peers.addresses);
    }
    if let (Some(answer), Some(shared)) = (taken.answer, peers.shared(link, &id)) {
        say(cx, link, shared.mine, answer);
    }
    if taken.acts || taken.keys {
        ask_again(circles, peers, cx, &id);
    }
    // What keys we hold decides what they may send us. (Of keys that came with their acts they know.)
    if taken.keys || taken.differs || silent {
        exchange::say_have(circles, peers, cx, link, id);
    }
    if let Some(shared) = peers.shared(link, &id).filter(|_| taken.held) {
        shared.resync = true;
    }
    if taken.lack {
        exchange::push(circles, peers, cx, link, &id)?;
    }
    if taken.entries {
        peers.announce_soon(id, cx.env.now);
    }
    Ok(())
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
    message(circles, peers, cx, link, id, &Message::Have(have))
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
            Some(have) if shared.rest.hears(cx.env.now) => {
                message(circles, peers, cx, link, id, &Message::Have(*have))?;
            }
            Some(have) => {
                shared.rest.have = Some(have);
                exchange::push(circles, peers, cx, link, &id)?;
            }
            None => exchange::push(circles, peers, cx, link, &id)?,
        }
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
