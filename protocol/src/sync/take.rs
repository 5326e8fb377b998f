//! What another device says and brings: judged, kept, and what came of it. Knows no link: [`take`] is the one way in, whatever
//! carries the messages.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;

use super::circles::Circles;
use super::have::{digest, have};
use super::known::Known;
use super::message::{Acts, Bytes, ChainSeq, Hash, Have, Message};
use super::rate_limit::{Giver, RateLimit};
use super::{clocks, entries, gaps};
use crate::circle::record::Record;
use crate::circle::state::{ActTaken, CircleState, OwnStanding};
use crate::context::{Cx, InputError};
use crate::id::{CircleId, DeviceId};
use crate::limits;
use crate::log::LogError;
use crate::log::chain::{self, Received, RunHead};
use crate::log::entry::Opened;

/// Whose message it is.
#[derive(Debug)]
pub(crate) struct Sender<'a> {
    /// Their device. The one who carries the message has seen the proof that it is this one, and that it is still in.
    pub(crate) device: DeviceId,
    /// What they have, as far as it is known; nothing before they said so.
    pub(crate) known: &'a mut Option<Known>,
    /// How much they may still bring.
    pub(crate) limit: &'a mut RateLimit,
}

/// What came of a message, and what is left to do for the one who carried it.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Acts came that were not known.
    pub(crate) acts: bool,
    /// Keys came of epochs that were known already.
    pub(crate) keys: bool,
    /// Entries came that were not here.
    pub(crate) entries: bool,
    /// Something cannot be judged yet: say what is here once more acts are known.
    pub(crate) held: bool,
    /// Something was too much for now: say what is here when it is time.
    pub(crate) later: bool,
    /// Something is no act of this circle; what came behind it was not looked at. Nothing more is to be had from them.
    pub(crate) bad: bool,
    /// They have something else than is here: say what is here.
    pub(crate) differs: bool,
    /// They may lack something that they were not known to lack: plan again.
    pub(crate) lack: bool,
    /// What to answer: an acknowledgement, or which chains they have more of.
    pub(crate) answer: Option<Message>,
}

/// Takes a message: keeps what it brings, notes in `from` what its sender has, and in `circles` what is new.
///
/// # Errors
/// [`InputError::Peer`] where it breaks a rule, [`InputError::Later`] where more has to be known before it can be judged,
/// [`InputError::Store`] where the store fails.
pub(crate) fn take(
    circles: &mut Circles,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
    message: &Message,
    from: Sender<'_>,
) -> Result<Taken, InputError> {
    match message {
        Message::Digest(theirs) => Ok(take_digest(circles, cx, id, from, *theirs)),
        Message::Have(theirs) => take_have(circles, cx, id, from, theirs),
        Message::Acts(acts) => take_acts(circles, cx, id, from, acts),
        Message::Records(records) => take_records(circles, cx, id, from, records),
        Message::Run(run, skipped) => take_run(circles, cx, id, from, &run.0, *skipped),
        Message::Got(chains, freed) => Ok(take_got(circles, cx, id, from, chains, *freed)),
        Message::Want(chains) => Ok(take_want(from, chains)),
        // Who somebody is, who is out and who asks to come in: the one who carries messages sees to it.
        Message::Prove(..) | Message::Farewell(_) | Message::Requests(_) => Ok(Taken::default()),
    }
}

/// A digest of all that they have.
fn take_digest(circles: &mut Circles, cx: &Cx<'_, '_>, id: &CircleId, from: Sender<'_>, theirs: Hash) -> Taken {
    let Some(circle) = circles.all.get(id) else { return Taken::default() };
    let mine = have(circle, circles.heads_of(id));
    // Digests say how far chains go. What lies before that may be there and not here.
    if digest(&mine) != theirs || !mine.missing.is_empty() {
        return Taken { differs: true, ..Taken::default() };
    }
    *from.known = Some(Known::alike(circle, from.device, &mine));
    let chains = mine.chains.iter().map(|c| ChainSeq { chain: c.chain, seq: c.seq });
    circles.note_reached(cx.env.now, id, &from.device, chains);
    Taken::default()
}

/// All that they have.
fn take_have(
    circles: &mut Circles,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
    from: Sender<'_>,
    theirs: &Have,
) -> Result<Taken, InputError> {
    let Some(circle) = circles.all.get(id) else { return Ok(Taken::default()) };
    let heads = circles.heads_of(id);
    let known = Known::of(circle, heads, from.device, theirs)?;
    let reached = gaps::reached(circle, cx, theirs, (&known.gaps, &known.talk), heads)?;
    *from.known = Some(known);
    circles.note_reached(cx.env.now, id, &from.device, reached.into_iter());
    Ok(Taken { lack: true, ..Taken::default() })
}

/// Keys and acts.
fn take_acts(
    circles: &mut Circles,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
    from: Sender<'_>,
    acts: &Acts,
) -> Result<Taken, InputError> {
    let Some(circle) = circles.all.get_mut(id) else { return Ok(Taken::default()) };
    if acts.acts.len() > limits::FRAME_ACTS {
        return Err(InputError::Peer("more acts than travel together"));
    }
    let giver = Giver::of(circle, &from.device);
    let mut offered = match &acts.keys {
        Some(sealed) => circle.open_box(cx.env.crypto, &sealed.0),
        None => BTreeMap::new(),
    };
    let keys: Vec<_> = offered.iter().map(|(id, keys)| (*id, keys.talk.is_some())).collect();
    let mut taken = Taken { answer: acknowledgement(acts.weight()), ..Taken::default() };
    let before = circle.count_kept();
    for bytes in &acts.acts {
        if giver.is_some() && !from.limit.allows(circle, giver.as_ref(), &bytes.0, cx.env.now) {
            taken.later = true;
            continue;
        }
        match circle.take_act(cx, &bytes.0, &mut offered)? {
            ActTaken::New => taken.acts = true,
            ActTaken::Known | ActTaken::Refused => {}
            ActTaken::Held => taken.held = true,
            ActTaken::Bad => {
                taken.bad = true;
                break;
            }
        }
    }
    if let Some(known) = from.known {
        known.has_acts(circle.kept_since(before), &keys);
    }
    taken.keys = circle.take_keys(cx, offered);
    if taken.acts {
        circles.touched(*id);
    } else if taken.keys {
        // Somebody may know the act without its keys, and wait for them.
        circles.push_soon(*id);
    }
    Ok(taken)
}

/// Records.
fn take_records(
    circles: &mut Circles,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
    from: Sender<'_>,
    records: &[Bytes],
) -> Result<Taken, InputError> {
    let Some(circle) = circles.all.get_mut(id) else { return Ok(Taken::default()) };
    if records.len() > limits::FRAME_RECORDS {
        return Err(InputError::Peer("more records than travel together"));
    }
    let mut news = false;
    for bytes in records {
        news |= circle.take_record(cx, &bytes.0);
    }
    let current = |device: &DeviceId, count: u64| circle.record_of(device).is_some_and(|record| record.count == count);
    let peeked = records.iter().filter_map(|bytes| Record::peek(&bytes.0).ok());
    let current: Vec<(DeviceId, u64)> =
        peeked.filter(|(device, count, _)| current(device, *count)).map(|(device, count, _)| (device, count)).collect();
    for (device, _) in current.iter().filter(|_| news) {
        let label = circle.record_of(device).map(|record| record.body.at);
        label.map_or(Ok(()), |label| clocks::heard_of(circle, cx, device, label))?;
    }
    if let Some(known) = from.known {
        current.into_iter().for_each(|(device, count)| known.has_record(device, count));
    }
    if news {
        circles.touched(*id);
    }
    let bytes = records.iter().map(|bytes| bytes.0.len() as u64).sum();
    Ok(Taken { answer: acknowledgement(bytes), ..Taken::default() })
}

/// A run of entries. `skipped`: entries before it are sealed under talk keys that this device does not hold.
fn take_run(
    circles: &mut Circles,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
    from: Sender<'_>,
    bytes: &[u8],
    skipped: bool,
) -> Result<Taken, InputError> {
    let circle = circles.all.get_mut(id).filter(|circle| circle.standing() != OwnStanding::Left);
    let Some(circle) = circle else { return Ok(Taken::default()) };
    let Received { chain, entries, heads: before, fork, last, .. } = receive(circle, cx, bytes, skipped)?;
    let fresh = !entries.is_empty();
    drop(entries::apply(circle, cx, &entries, Some(&before))?);
    let own = circle.writes(&chain);
    if own && (fresh || fork.is_some()) {
        // A folder that was restored or copied shows itself: entries of our own chain come that we did not know. (Signed ones
        // only: a mere claim must not make us begin again.)
        circle.begin_again(cx);
    }
    if fork.is_some() {
        cx.log("a device wrote two different entries at one place", Some(*id));
    }
    let ours = circle.device() == chain.device;
    let heads = circles.heads.entry(*id).or_default();
    heads.update(&cx.tx, id, &chain)?;
    let main = heads.main(&chain).map(|head| head.seq);
    let forked = fork.is_some() || heads.branches(&chain).count() > 1;
    // What lies on another branch says nothing of how far the other side is on ours.
    let theirs = main.filter(|_| !forked).map(|here| last.min(here));
    circles.new_words |= fresh;
    if let Some(seq) = theirs.filter(|_| ours) {
        // What of our own comes from somebody else is with them: of an older copy of this home, nobody else would say so.
        circles.note_reached(cx.env.now, id, &from.device, std::iter::once(ChainSeq { chain, seq }));
    }
    if let Some(known) = from.known {
        if main.is_some() && forked {
            known.show_main(chain);
        }
        theirs.into_iter().for_each(|seq| known.has_chain(chain, seq));
    }
    let through = main.map(|seq| ChainSeq { chain, seq });
    let answer = Some(Message::Got(through.into_iter().collect(), bytes.len() as u64));
    Ok(Taken { entries: fresh, lack: forked, answer, ..Taken::default() })
}

/// How far their chains are now. `freed`: bytes of what was sent to them that they acknowledge; none where they tell news.
fn take_got(circles: &mut Circles, cx: &Cx<'_, '_>, id: &CircleId, from: Sender<'_>, chains: &[ChainSeq], freed: u64) -> Taken {
    let further = from.known.as_mut().map(|known| known.got(circles.heads_of(id), chains)).unwrap_or_default();
    circles.note_reached(cx.env.now, id, &from.device, chains.iter().copied());
    let answer = (freed == 0 && !further.is_empty()).then_some(Message::Want(further));
    Taken { lack: freed > 0, answer, ..Taken::default() }
}

/// How little they have of chains that were announced to them.
fn take_want(from: Sender<'_>, chains: &[ChainSeq]) -> Taken {
    if let Some(known) = from.known {
        known.want(chains);
    }
    Taken { lack: true, ..Taken::default() }
}

/// So many bytes more may be sent to us.
fn acknowledgement(bytes: u64) -> Option<Message> {
    (bytes > 0).then_some(Message::Got(Vec::new(), bytes))
}

/// Verifies a run and keeps it, unless more has to be known first.
fn receive(circle: &CircleState, cx: &mut Cx<'_, '_>, bytes: &[u8], skipped: bool) -> Result<Received, InputError> {
    let later = || InputError::Later(circle.id(), bytes.len() as u64);
    let Ok(head) = RunHead::peek(bytes) else { return Err(InputError::Peer("a malformed run")) };
    if circle.now().person_of(&head.chain.device).is_none() {
        return Err(later());
    }
    let received = match chain::receive(&mut cx.tx, cx.env.crypto, circle.ring(), &circle.id(), bytes, skipped) {
        Ok(received) => received,
        Err(LogError::Store(error)) => return Err(InputError::Store(error)),
        Err(LogError::NoKey(_) | LogError::Quota(_)) => return Err(later()),
        Err(LogError::Codec(_) | LogError::Closed | LogError::Signature | LogError::Rule(_)) => {
            return Err(InputError::Peer("entries that do not verify"));
        }
    };
    let unknown = |entry: &Opened| entry.heads.iter().any(|head| !circle.has_act(head));
    if received.gap.is_some() || received.entries.iter().any(unknown) {
        return Err(later());
    }
    Ok(received)
}
