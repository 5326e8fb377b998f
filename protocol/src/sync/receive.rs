//! What members send: judged, kept, acknowledged.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;

use super::exchange;
use super::frame::{Acts, Bytes, ChainSeq, Message};
use super::rate_limit::{Giver, RateLimit};
use super::session::say;
use crate::circle::act::Farewell;
use crate::circle::body::Role;
use crate::circle::state::{CircleState, OwnStanding, Taken};
use crate::context::{Cx, InputError};
use crate::id::{ActId, CircleId, EpochId};
use crate::io::{Effect, Link};
use crate::limits;
use crate::log::LogError;
use crate::log::chain::{self, RunHead};
use crate::log::entry::Opened;
use crate::node::{NodeState, entries};

/// Acts and keys came.
pub(crate) fn acts(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, link: Link, id: CircleId, acts: &Acts) -> Result<(), InputError> {
    if acts.acts.len() > limits::FRAME_ACTS {
        return Err(InputError::Peer("more acts than travel together"));
    }
    let device = rooms.shared(link, &id).map(|shared| shared.device);
    let Some(circle) = rooms.circles.get_mut(&id) else { return Ok(()) };
    let giver = device.and_then(|device| Giver::of(circle, &device));
    let Brought { news, held, learned, taken, keys, later, bad } = take(circle, cx, acts, giver.as_ref(), &mut rooms.pace)?;
    if later && let Some(shared) = rooms.shared(link, &id) {
        shared.ask_at = shared.ask_at.or(Some(cx.env.now.plus(limits::ROTATION_MILLIS)));
    }
    if let Some(known) = rooms.shared(link, &id).and_then(|s| s.known.as_mut()) {
        known.acts.extend(taken);
        known.epochs.extend(keys.iter().map(|(id, _)| *id));
        known.talk.extend(keys.iter().filter(|(_, talk)| *talk).map(|(id, _)| *id));
    }
    if news {
        rooms.touched(id);
    }
    if bad {
        rooms.part_with(cx, link, "an act that is not what it claims");
    }
    exchange::acknowledge(rooms, cx, link, &id, acts.weight());
    if news || learned {
        resync(rooms, cx, &id)?;
    }
    if learned {
        // What keys we hold decides what they may send us. (Of keys that came with their acts they know.)
        exchange::say_have(rooms, cx, link, id)?;
    }
    if held && let Some(shared) = rooms.shared(link, &id) {
        shared.resync = true;
    }
    Ok(())
}

/// What came of a frame of acts.
#[derive(Default)]
struct Brought {
    /// An act that was not known.
    news: bool,
    /// Something that cannot be judged yet.
    held: bool,
    /// A key of an epoch that was known already.
    learned: bool,
    /// The new acts.
    taken: Vec<ActId>,
    /// The epochs whose keys came, and whether the talk key did.
    keys: Vec<(EpochId, bool)>,
    /// Something that was too much for now.
    later: bool,
    /// Something that is no act of this circle; what came behind it was not looked at.
    bad: bool,
}

/// Takes keys and acts.
fn take(
    circle: &mut CircleState,
    cx: &mut Cx<'_, '_>,
    acts: &Acts,
    giver: Option<&Giver>,
    pace: &mut RateLimit,
) -> Result<Brought, InputError> {
    let mut offered = match &acts.keys {
        Some(sealed) => circle.open_box(cx.env.crypto, &sealed.0),
        None => BTreeMap::new(),
    };
    let keys = offered.iter().map(|(id, keys)| (*id, keys.talk.is_some())).collect();
    let mut brought = Brought { keys, ..Brought::default() };
    let before = circle.order.len();
    for bytes in &acts.acts {
        if giver.is_some() && !pace.allows(circle, giver, &bytes.0, cx.env.now) {
            brought.later = true;
            continue;
        }
        match circle.take_act(cx, &bytes.0, &mut offered)? {
            Taken::New => brought.news = true,
            Taken::Known | Taken::Refused => {}
            Taken::Held => brought.held = true,
            Taken::Bad => {
                brought.bad = true;
                break;
            }
        }
    }
    brought.taken = circle.order.iter().skip(before).copied().collect();
    brought.learned = circle.take_keys(cx, offered);
    Ok(brought)
}

/// Asks those for the rest who brought more than they may at once, and when it is time.
pub(crate) fn ask_for_rest(rooms: &mut NodeState, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
    let mut due = Vec::new();
    for (link, session) in &mut rooms.sessions {
        for (id, shared) in &mut session.circles {
            due.extend(shared.ask_at.take_if(|at| *at <= cx.env.now).map(|_| (*link, *id)));
        }
    }
    due.into_iter().try_for_each(|(link, id)| exchange::say_have(rooms, cx, link, id))
}

/// Asks again on every link where something could not be used before.
fn resync(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, id: &CircleId) -> Result<(), InputError> {
    for link in rooms.links_of(id) {
        if rooms.shared(link, id).is_some_and(|s| s.resync) {
            exchange::say_have(rooms, cx, link, *id)?;
        }
    }
    Ok(())
}

/// Records came.
pub(crate) fn records(
    rooms: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    records: &[Bytes],
) -> Result<(), InputError> {
    if records.len() > limits::FRAME_RECORDS {
        return Err(InputError::Peer("more records than travel together"));
    }
    let Some(circle) = rooms.circles.get_mut(&id) else { return Ok(()) };
    let mut news = false;
    for bytes in records {
        news |= circle.take_record(cx, &bytes.0);
    }
    circle.publish(cx, &rooms.addresses);
    let counts: Vec<_> = circle.records.values().map(|r| (r.device, r.count)).collect();
    if let Some(known) = rooms.shared(link, &id).and_then(|s| s.known.as_mut()) {
        for bytes in records {
            if let Ok((device, count, _)) = crate::circle::record::Record::peek(&bytes.0)
                && counts.contains(&(device, count))
            {
                known.records.insert(device, count);
            }
        }
    }
    exchange::acknowledge(rooms, cx, link, &id, records.iter().map(|bytes| bytes.0.len() as u64).sum());
    if news {
        rooms.touched(id);
    }
    Ok(())
}

/// A run of entries came.
pub(crate) fn run(
    rooms: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    bytes: &[u8],
    skipped: bool,
) -> Result<(), InputError> {
    let Some(circle) = rooms.circles.get(&id).filter(|circle| circle.row.standing != OwnStanding::Left) else { return Ok(()) };
    let size = bytes.len() as u64;
    let Ok(head) = RunHead::peek(bytes) else { return Err(InputError::Peer("a run that is none")) };
    if circle.now().person_of(&head.chain.device).is_none() {
        return Err(InputError::Later(id, size));
    }
    let received = match chain::receive(&mut cx.tx, cx.env.crypto, &circle.ring, &id, bytes, skipped) {
        Ok(received) => received,
        Err(LogError::Store(error)) => return Err(InputError::Store(error)),
        Err(LogError::NoKey(_) | LogError::Quota(_)) => return Err(InputError::Later(id, size)),
        Err(LogError::Codec(_) | LogError::Closed | LogError::Signature | LogError::Rule(_)) => {
            return Err(InputError::Peer("entries that do not verify"));
        }
    };
    let unknown = |entry: &Opened| entry.heads.iter().any(|head| !circle.parents.contains_key(head));
    if received.gap.is_some() || received.entries.iter().any(unknown) {
        return Err(InputError::Later(id, size));
    }
    let fresh = !received.entries.is_empty();
    drop(entries::apply(circle, cx, &received.entries, Some(&received.heads))?);
    let own = (circle.device(), circle.row.incarnation) == (received.chain.device, received.chain.incarnation);
    if own && (fresh || received.fork.is_some()) {
        exchange::begin_again(rooms, cx, &id);
    }
    if received.fork.is_some() {
        cx.log("a device wrote two different entries at one place", Some(id));
    }
    let heads = rooms.heads.entry(id).or_default();
    heads.update(&cx.tx, &id, &received.chain)?;
    let head = heads.main(&received.chain).map(|head| head.seq);
    let forked = received.fork.is_some() || heads.branches(&received.chain).count() > 1;
    if forked {
        exchange::show_own_branch(rooms, link, &id, &received.chain);
    }
    let through = head.map(|seq| ChainSeq { chain: received.chain, seq });
    // What lies on another branch says nothing of how far the other side is on ours.
    let same = through.filter(|_| !forked);
    if let (Some(known), Some(through)) = (rooms.shared(link, &id).and_then(|s| s.known.as_mut()), same) {
        let held = known.chains.entry(through.chain).or_insert(0);
        *held = (*held).max(received.last.min(through.seq));
    }
    if let Some(shared) = rooms.shared(link, &id) {
        let token = shared.mine;
        say(cx, link, token, Message::Got(through.into_iter().collect(), size));
    }
    if forked {
        exchange::push(rooms, cx, link, &id)?;
    }
    if fresh {
        rooms.last_arrival = Some(cx.env.now);
        rooms.index_soon(cx.env.now);
        let at = cx.env.now.plus(exchange::ANNOUNCE_AFTER);
        rooms.announce.entry(id).or_insert(at);
    }
    Ok(())
}

/// Somebody noted that we left.
pub(crate) fn noted(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, id: &CircleId) {
    rooms.left(cx, id);
}

/// A member hands us our farewell. It counts if its signer could remove us in our own view.
pub(crate) fn farewell(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, id: CircleId, bytes: &[u8]) -> Result<(), InputError> {
    let in_touch = |c: &&mut CircleState| matches!(c.row.standing, OwnStanding::In | OwnStanding::Leaving);
    let Some(circle) = rooms.circles.get_mut(&id).filter(in_touch) else { return Ok(()) };
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
    if circle.row.standing == OwnStanding::Leaving {
        // Removed before anybody heard of her leave: it is known that she is out, which is all she waits for.
        rooms.left(cx, &id);
        return Ok(());
    }
    circle.row.standing = OwnStanding::Removed;
    circle.save_row(cx);
    rooms.touched(id);
    rooms.close_circle(&id);
    cx.tx.then(Effect::Notify(crate::control::WatchEvent {
        event: "member".into(),
        circle: id.text(),
        noun: "circle".into(),
        id: id.text(),
        change: "removed".into(),
    }));
    Ok(())
}
