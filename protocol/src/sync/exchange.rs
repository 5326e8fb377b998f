//! Anti-entropy and live push: what the other side lacks, in causal order, within credit.
//!
//! Both sides compare a digest; where it differs they say what they have, and each sends what the other lacks: keys and acts,
//! records, then runs of entries. Own entries are pushed at once; others' are announced a moment later, and sent to whoever
//! asks. Nothing here runs while nothing is new.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::act_batches::ActBatches;
use super::frame::{Bytes, ChainHave, ChainSeq, Hash, Have, Message, Token};
use super::session::{CircleLink, Known, Rest, say};
use super::{branches, gaps};
use crate::circle::body::{ChainId, KeyClass};
use crate::circle::state::CircleState;
use crate::context::{Cx, InputError};
use crate::id::{ActId, CircleId, DeviceId};
use crate::io::Link;
use crate::limits;
use crate::log::chain::{self, ChainHead, Heads, Lack, Serving};
use crate::node::{NodeState, entries};
use crate::planted::{Bug, planted};
use crate::time::Millis;
use crate::work;

/// Bytes of records in one frame.
pub(super) const RECORDS_BYTES: usize = 256 << 10;
/// Bytes of one run; a block is sent whole.
pub(super) const RUN_BYTES: usize = 768 << 10;
/// Others' entries are announced to members who may have them already after so many milliseconds.
pub(crate) const ANNOUNCE_AFTER: u64 = 300;

/// Both devices are proved here: compare.
pub(crate) fn begin(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, link: Link, id: CircleId) -> Result<(), InputError> {
    let Some(circle) = rooms.circles.get(&id) else { return Ok(()) };
    let digest = digest(circle, rooms.heads_of(&id));
    let Some(shared) = rooms.shared(link, &id) else { return Ok(()) };
    let token = shared.mine;
    say(cx, link, token, Message::Digest(digest));
    super::welcome::forward_requests(rooms, cx, link, &id)
}

fn digest(circle: &CircleState, heads: &Heads) -> Hash {
    let have = have(circle, heads);
    let mut hasher = blake3::Hasher::new_derive_key("kith/v1/digest");
    hasher.update(&crate::codec::encode(&have.tips)).update(&crate::codec::encode(&have.epochs));
    hasher.update(&crate::codec::encode(&have.records));
    if !planted(Bug::BlindDigest) {
        hasher.update(&crate::codec::encode(&have.chains));
    }
    Hash(*hasher.finalize().as_bytes())
}

fn sorted(mut chains: Vec<ChainHave>) -> Vec<ChainHave> {
    chains.sort_unstable();
    chains
}

/// What we have of a circle.
fn have(circle: &CircleState, heads: &Heads) -> Have {
    let state = circle.now();
    Have {
        tips: circle.tips.iter().copied().collect(),
        epochs: circle.ring.iter().map(|(id, _)| *id).collect(),
        talk: circle.ring.iter().filter(|(_, row)| row.keys.talk.is_some()).map(|(id, _)| *id).collect(),
        records: circle.records.values().filter(|r| state.is_current(&r.device)).map(|r| (r.device, r.count)).collect(),
        missing: heads.all().flat_map(gaps::of).collect(),
        chains: sorted(heads.all().map(|c| ChainHave { chain: c.id, seq: c.seq, head: c.head }).collect()),
    }
}

/// Their digest came.
pub(crate) fn digest_came(
    rooms: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    theirs: Hash,
) -> Result<(), InputError> {
    let Some(circle) = rooms.circles.get(&id) else { return Ok(()) };
    if digest(circle, rooms.heads_of(&id)) != theirs {
        return say_have(rooms, cx, link, id);
    }
    let mine = have(circle, rooms.heads_of(&id));
    if !mine.missing.is_empty() {
        // Digests say how far chains go. What lies before that may be there and not here.
        return say_have(rooms, cx, link, id);
    }
    let known = known_from(circle, &mine);
    if let Some(shared) = rooms.shared(link, &id) {
        shared.known = Some(known);
        let device = shared.device;
        note_delivery(rooms, cx, &id, &device, mine.chains.iter().map(|c| ChainSeq { chain: c.chain, seq: c.seq }));
    }
    Ok(())
}

/// Says all we have on a link.
pub(crate) fn say_have(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, link: Link, id: CircleId) -> Result<(), InputError> {
    if !rooms.still_welcome(link, &id) {
        return Ok(());
    }
    let Some(circle) = rooms.circles.get(&id) else { return Ok(()) };
    let have = have(circle, rooms.heads_of(&id));
    if let Some(shared) = rooms.shared(link, &id) {
        let token = shared.mine;
        (shared.resync, shared.said) = (false, true);
        say(cx, link, token, Message::Have(have));
    }
    Ok(())
}

/// What a side that says `have` has, as far as we can tell.
fn known_from(circle: &CircleState, have: &Have) -> Known {
    let mut acts = BTreeSet::new();
    let mut open: Vec<ActId> = have.tips.iter().filter(|tip| circle.parents.contains_key(*tip)).copied().collect();
    while let Some(id) = open.pop() {
        if acts.insert(id) {
            open.extend(circle.parents.get(&id).into_iter().flatten().copied());
        }
    }
    Known {
        acts,
        epochs: have.epochs.iter().copied().collect(),
        talk: have.talk.iter().copied().collect(),
        records: have.records.iter().copied().collect(),
        chains: least(&have.chains),
        heads: have.chains.iter().map(|c| c.head).collect(),
        branches: BTreeMap::new(),
        shown: BTreeSet::new(),
        gaps: gaps::in_order(&have.missing),
        unsure: BTreeMap::new(),
        passed: BTreeMap::new(),
        complete_at: None,
        followed: None,
        behind: BTreeSet::new(),
    }
}

/// They say what they have: send what they lack. Who says it too often is heard later, and what she said last counts.
pub(crate) fn have_came(
    rooms: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    have: Have,
) -> Result<(), InputError> {
    let Some(shared) = rooms.shared(link, &id) else { return Ok(()) };
    if !shared.rest.hears(cx.env.now) {
        branches::named(&have)?;
        shared.rest.have = Some(Box::new(have));
        return Ok(());
    }
    shared.rest.have = None;
    hear(rooms, cx, link, id, &have)
}

fn hear(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, link: Link, id: CircleId, have: &Have) -> Result<(), InputError> {
    let named = branches::named(have)?;
    let Some(circle) = rooms.circles.get(&id) else { return Ok(()) };
    let heads = rooms.heads_of(&id);
    let mut known = known_from(circle, have);
    gaps::bound(&mut known.gaps, heads);
    known.unsure = branches::unsure(named, heads);
    let reached = gaps::reached(circle, cx, have, &known, heads)?;
    let Some(shared) = rooms.shared(link, &id) else { return Ok(()) };
    shared.known = Some(known);
    shared.in_flight = 0;
    let (device, silent) = (shared.device, !shared.said);
    note_delivery(rooms, cx, &id, &device, reached.into_iter());
    if silent {
        // Our digests crossed: theirs was ours by the time we saw it, and ours was another when they did. They wait for this.
        say_have(rooms, cx, link, id)?;
    }
    push(rooms, cx, link, &id)
}

/// Goes on with what was left over: what the budget of a turn did not reach to, and what was said too often.
pub(crate) fn go_on(rooms: &mut NodeState, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
    let mut due: Vec<(Link, CircleId)> = Vec::new();
    for (link, session) in &rooms.sessions {
        let now = cx.env.now;
        // A clock that was set back makes nobody wait.
        let due_now = |at: Millis| at <= now || at > now.plus(limits::HAVE_MILLIS);
        let left = |rest: &Rest| rest.unsent || rest.due().is_some_and(due_now);
        due.extend(session.circles.iter().filter(|(_, shared)| left(&shared.rest)).map(|(id, _)| (*link, *id)));
    }
    // Whoever was last comes last again.
    let first = due.iter().position(|(link, _)| Some(*link) > rooms.went_on).unwrap_or(0);
    due.rotate_left(first);
    for (link, id) in due {
        if cx.budget.spent() {
            break;
        }
        rooms.went_on = Some(link);
        let Some(shared) = rooms.shared(link, &id) else { continue };
        shared.rest.unsent = false;
        match shared.rest.have.take() {
            Some(have) if shared.rest.hears(cx.env.now) => hear(rooms, cx, link, id, &have)?,
            Some(have) => {
                shared.rest.have = Some(have);
                push(rooms, cx, link, &id)?;
            }
            None => push(rooms, cx, link, &id)?,
        }
    }
    Ok(())
}

/// How far they are on each chain; where they name branches, as far as all of them.
fn least(chains: &[ChainHave]) -> BTreeMap<ChainId, u64> {
    let mut out: BTreeMap<ChainId, u64> = BTreeMap::new();
    for theirs in chains {
        out.entry(theirs.chain).and_modify(|seq| *seq = (*seq).min(theirs.seq)).or_insert(theirs.seq);
    }
    out
}

/// A folder that was restored or cloned shows itself: entries of our own chain come that we did not know. Signed ones only: a
/// mere claim must not make us begin again.
pub(crate) fn begin_again(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, id: &CircleId) {
    let incarnation = crate::id::Incarnation(cx.random());
    if let Some(circle) = rooms.circles.get_mut(id) {
        circle.row.incarnation = incarnation;
        circle.save_row(cx);
        cx.log("this device was ahead of itself elsewhere: a fresh set of chains begins", Some(*id));
    }
}

// ---- sending --------------------------------------------------------------------------------------------------------

/// Sends everything that a link's other side is known to lack, within credit and the turn's budget.
pub(crate) fn push(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, link: Link, id: &CircleId) -> Result<(), InputError> {
    if !rooms.is_best(link, id) {
        return Ok(());
    }
    let (Some(circle), Some(heads)) = (rooms.circles.get(id), rooms.heads.get(id)) else { return Ok(()) };
    let shared = rooms.sessions.get_mut(&link).and_then(|session| session.circles.get_mut(id));
    let Some(shared) = shared.filter(|s| s.proved && s.known.is_some()) else { return Ok(()) };
    if !circle.is_current(&shared.device) {
        return Ok(());
    }
    // In this order: records and entries are judged by acts.
    if push_membership(circle, cx, link, shared)? && !push_runs(circle, heads, cx, link, shared)? {
        shared.rest.unsent = true;
    }
    Ok(())
}

/// Pushes to every proved link of a circle.
pub(crate) fn push_all(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, id: &CircleId) -> Result<(), InputError> {
    for link in rooms.links_of(id) {
        push(rooms, cx, link, id)?;
    }
    Ok(())
}

/// Sends acts, keys and records. True where nothing is left to send. Most pushes are about entries: as long as the circle is what it
/// was when the other side last had all of this, none of it is looked at.
fn push_membership(circle: &CircleState, cx: &mut Cx<'_, '_>, link: Link, shared: &mut CircleLink) -> Result<bool, InputError> {
    let complete = |shared: &CircleLink| shared.known.as_ref().is_some_and(|known| known.complete_at == Some(circle.revision()));
    if complete(shared) {
        return Ok(true);
    }
    let done = push_acts(circle, cx, link, shared)? && push_records(circle, cx, link, shared);
    if let Some(known) = shared.known.as_mut().filter(|_| done) {
        known.complete_at = Some(circle.revision());
    }
    Ok(done)
}

/// True where nothing is left to send.
fn push_acts(circle: &CircleState, cx: &mut Cx<'_, '_>, link: Link, shared: &mut CircleLink) -> Result<bool, InputError> {
    let Some(known) = shared.known.as_mut() else { return Ok(false) };
    let mut parts = ActBatches::of(circle, cx, shared.device, (&known.acts, &known.epochs, &known.talk));
    while shared.in_flight < limits::CREDIT_BYTES as u64 {
        let Some(part) = parts.next(circle, cx)? else { return Ok(true) };
        known.acts.extend(part.acts);
        known.epochs.extend(part.keys.iter().map(|(id, _)| *id));
        known.talk.extend(part.keys.iter().filter(|(_, talk)| *talk).map(|(id, _)| *id));
        shared.in_flight += part.message.weight();
        say(cx, link, shared.mine, Message::Acts(part.message));
    }
    Ok(false)
}

/// True where nothing is left to send.
fn push_records(circle: &CircleState, cx: &mut Cx<'_, '_>, link: Link, shared: &mut CircleLink) -> bool {
    let Some(known) = shared.known.as_mut() else { return false };
    let state = circle.now();
    let newer = circle.records.values().filter(|r| state.is_current(&r.device));
    let newer: Vec<_> = newer.filter(|r| known.records.get(&r.device).is_none_or(|count| *count < r.count)).collect();
    let mut newer = newer.into_iter().peekable();
    while newer.peek().is_some() {
        if shared.in_flight >= limits::CREDIT_BYTES as u64 {
            return false;
        }
        let (mut batch, mut size) = (Vec::new(), 0);
        while size <= RECORDS_BYTES
            && batch.len() < limits::FRAME_RECORDS
            && let Some(record) = newer.next()
        {
            known.records.insert(record.device, record.count);
            size += record.bytes.len();
            batch.push(Bytes(record.bytes.clone()));
        }
        shared.in_flight += size as u64;
        say(cx, link, shared.mine, Message::Records(batch));
    }
    true
}

/// `false`: the turn's budget is spent, and something may be left. Looks only at chains of which they may lack something.
fn push_runs(
    circle: &CircleState,
    heads: &Heads,
    cx: &mut Cx<'_, '_>,
    link: Link,
    shared: &mut CircleLink,
) -> Result<bool, InputError> {
    let Some(known) = shared.known.as_mut() else { return Ok(true) };
    if !branches::look(circle, cx, known, heads)? {
        return Ok(false);
    }
    known.follow(heads, circle.revision());
    let behind: Vec<&ChainHead> = known.behind.iter().flat_map(|chain| heads.branches(chain)).collect();
    work::did(|work| work.compared += behind.len() as u64);
    let (mains, branches): (Vec<&ChainHead>, Vec<&ChainHead>) = behind.into_iter().partition(|head| head.parent.is_none());
    for head in mains {
        let after = shared.known.as_ref().and_then(|known| known.chains.get(&head.id)).copied().unwrap_or(0);
        if push_chain(circle, cx, link, shared, head, after)?.is_none() {
            return Ok(false);
        }
        if shared.in_flight >= limits::CREDIT_BYTES as u64 {
            // The rest follows once they have acknowledged some of it.
            return Ok(true);
        }
        if let Some(known) = shared.known.as_mut().filter(|_| heads.branches(&head.id).count() == 1) {
            known.behind.remove(&head.id);
        }
    }
    for branch in branches {
        if !push_branch(circle, cx, link, shared, branch)? {
            return Ok(false);
        }
    }
    if let Some(known) = shared.known.as_mut().filter(|_| shared.in_flight < limits::CREDIT_BYTES as u64) {
        known.behind.clear();
    }
    gaps::push(circle, cx, link, shared, heads)
}

/// Sends a branch behind `after`, as far as credit goes; says how far they are now. `None`: the turn's budget is spent.
fn push_chain(
    circle: &CircleState,
    cx: &mut Cx<'_, '_>,
    link: Link,
    shared: &mut CircleLink,
    head: &ChainHead,
    mut after: u64,
) -> Result<Option<u64>, InputError> {
    let Some(known) = shared.known.as_mut() else { return Ok(Some(after)) };
    while after < head.seq && shared.in_flight < limits::CREDIT_BYTES as u64 {
        let talk = (head.id.class == KeyClass::Talk).then_some(&known.talk);
        let lack = Lack { branch: head.no, after: known.skip(head.no, after), until: u64::MAX, talk };
        let served = match chain::serve_lack(&cx.tx, &circle.ring, &lack, RUN_BYTES, &mut cx.budget).map_err(entries::stop)? {
            Serving::Run(served) => served,
            Serving::Nothing => {
                known.pass(head.no, head.seq);
                break;
            }
            Serving::Later(looked) => {
                known.pass(head.no, looked);
                return Ok(None);
            }
        };
        let skipped = served.first > after.saturating_add(1);
        shared.in_flight += served.run.len() as u64;
        after = served.last;
        known.sent(head, after);
        say(cx, link, shared.mine, Message::Run(Bytes(served.run), skipped));
    }
    Ok(Some(after))
}

/// A branch beside the main one is served once to whoever does not know its head. `false`: the turn's budget is spent.
fn push_branch(
    circle: &CircleState,
    cx: &mut Cx<'_, '_>,
    link: Link,
    shared: &mut CircleLink,
    branch: &ChainHead,
) -> Result<bool, InputError> {
    let Some(known) = shared.known.as_ref().filter(|known| !known.heads.contains(&branch.head)) else { return Ok(true) };
    let after = known.branches.get(&branch.no).copied().unwrap_or_else(|| branch.first.saturating_sub(1));
    let Some(after) = push_chain(circle, cx, link, shared, branch, after)? else { return Ok(false) };
    let all = after >= branch.seq || shared.in_flight < limits::CREDIT_BYTES as u64;
    if let (Some(known), true) = (shared.known.as_mut(), all) {
        known.heads.insert(branch.head);
    }
    Ok(true)
}

/// A run showed two branches of a chain: the other side may lack ours; it gets our main one from the start, once.
pub(crate) fn show_own_branch(rooms: &mut NodeState, link: Link, id: &CircleId, chain: &ChainId) {
    if let Some(known) = rooms.shared(link, id).and_then(|s| s.known.as_mut())
        && known.shown.insert(*chain)
    {
        known.lower(*chain, 0);
    }
}

// ---- acknowledgements -----------------------------------------------------------------------------------------------

/// Acknowledges acts or records: so many bytes more may be sent to us.
pub(super) fn acknowledge(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, link: Link, id: &CircleId, weight: u64) {
    if let Some(shared) = rooms.shared(link, id).filter(|_| weight > 0) {
        let token = shared.mine;
        say(cx, link, token, Message::Got(Vec::new(), weight));
    }
}

/// How far their chains are now.
pub(crate) fn got(
    rooms: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    chains: &[ChainSeq],
    freed: u64,
) -> Result<(), InputError> {
    if chains.is_empty() {
        if let Some(shared) = rooms.shared(link, &id) {
            shared.in_flight = shared.in_flight.saturating_sub(freed);
        }
        return push(rooms, cx, link, &id);
    }
    let (Some(heads), Some(session)) = (rooms.heads.get(&id), rooms.sessions.get_mut(&link)) else { return Ok(()) };
    let Some(shared) = session.circles.get_mut(&id) else { return Ok(()) };
    let (token, device) = (shared.mine, shared.device);
    shared.in_flight = shared.in_flight.saturating_sub(freed);
    let mut wanted = Vec::new();
    if let Some(known) = shared.known.as_mut() {
        for theirs in chains {
            let head = heads.main(&theirs.chain);
            let here = head.map_or(0, |head| head.seq);
            if theirs.seq > here && freed == 0 {
                wanted.push(ChainSeq { chain: theirs.chain, seq: here });
            }
            // What they claim beyond what we have is no reason to keep anything.
            if head.is_some() {
                let seq = known.chains.entry(theirs.chain).or_insert(0);
                *seq = (*seq).max(theirs.seq.min(here));
            }
        }
    }
    if !wanted.is_empty() {
        say(cx, link, token, Message::Want(wanted));
    }
    note_delivery(rooms, cx, &id, &device, chains.iter().copied());
    if freed > 0 { push(rooms, cx, link, &id) } else { Ok(()) }
}

/// They lack what we announced.
pub(crate) fn want(
    rooms: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: CircleId,
    chains: &[ChainSeq],
) -> Result<(), InputError> {
    if let Some(known) = rooms.shared(link, &id).and_then(|s| s.known.as_mut()) {
        for theirs in chains {
            if known.chains.contains_key(&theirs.chain) || known.chains.len() < limits::DEVICES * 4 {
                known.lower(theirs.chain, theirs.seq);
            }
        }
    }
    push(rooms, cx, link, &id)
}

/// Tells every link how far chains are here, for chains that grew by others' entries.
pub(crate) fn announce(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, id: &CircleId) -> Result<(), InputError> {
    let heads: Vec<ChainSeq> =
        rooms.heads_of(id).all().filter(|c| c.parent.is_none()).map(|c| ChainSeq { chain: c.id, seq: c.seq }).collect();
    for link in rooms.links_of(id) {
        if !rooms.is_best(link, id) {
            continue;
        }
        let Some(shared) = rooms.shared(link, id) else { continue };
        let Some(known) = shared.known.as_ref() else { continue };
        let news: Vec<ChainSeq> =
            heads.iter().filter(|h| known.chains.get(&h.chain).is_none_or(|seq| *seq < h.seq)).copied().collect();
        let token: Token = shared.mine;
        if !news.is_empty() {
            say(cx, link, token, Message::Got(news, 0));
        }
    }
    Ok(())
}

/// Remembers which of our own entries a device has, which is told to nobody but the author; and how far it says that it is on
/// chains of third devices, for whoever has to name what stands of them one day.
fn note_delivery(
    rooms: &mut NodeState,
    cx: &Cx<'_, '_>,
    id: &CircleId,
    device: &DeviceId,
    chains: impl Iterator<Item = ChainSeq>,
) {
    let (Some(circle), Some(heads)) = (rooms.circles.get(id), rooms.heads.get(id)) else { return };
    let me = circle.device();
    let here = chains.filter_map(|c| Some(ChainSeq { chain: c.chain, seq: c.seq.min(heads.main(&c.chain)?.seq) }));
    let (own, others): (Vec<ChainSeq>, Vec<ChainSeq>) = here.partition(|c| c.chain.device == me);
    rooms.delivery.note(*id, *device, own.into_iter(), cx.env.now);
    // Of a chain with branches, how far says nothing of where.
    let plain = |c: &ChainSeq| c.seq > 0 && c.chain.device != *device && heads.branches(&c.chain).count() == 1;
    rooms.delivery.witness(*id, *device, others.into_iter().filter(plain), cx.env.now);
}
