//! What another device brought: judged, kept, and what came of it. Knows no link: the one who carried it acknowledges and answers.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;

use super::circles::Circles;
use super::clocks;
use super::entries;
use super::message::{Acts, Bytes, ChainSeq};
use super::rate_limit::{Giver, RateLimit};
use crate::circle::record::Record;
use crate::circle::state::{CircleState, OwnStanding, Taken};
use crate::context::{Cx, InputError};
use crate::id::{ActId, CircleId, DeviceId, EpochId};
use crate::limits;
use crate::log::LogError;
use crate::log::chain::{self, Received, RunHead};
use crate::log::entry::Opened;

/// What came of acts and keys.
#[derive(Debug, Default)]
pub(crate) struct ActsTaken {
    /// An act that was not known.
    pub(crate) news: bool,
    /// Something that cannot be judged yet.
    pub(crate) held: bool,
    /// A key of an epoch that was known already.
    pub(crate) learned: bool,
    /// The new acts.
    pub(crate) taken: Vec<ActId>,
    /// The epochs whose keys came, and whether the talk key did.
    pub(crate) keys: Vec<(EpochId, bool)>,
    /// Something that was too much for now.
    pub(crate) later: bool,
    /// Something that is no act of this circle; what came behind it was not looked at.
    pub(crate) bad: bool,
}

/// Takes keys and acts. `giver`: who brings them; without one nothing is counted.
///
/// # Errors
/// [`InputError::Peer`] where there are more than travel together.
pub(crate) fn acts(
    circle: &mut CircleState,
    cx: &mut Cx<'_, '_>,
    acts: &Acts,
    giver: Option<&Giver>,
    limit: &mut RateLimit,
) -> Result<ActsTaken, InputError> {
    if acts.acts.len() > limits::FRAME_ACTS {
        return Err(InputError::Peer("more acts than travel together"));
    }
    let mut offered = match &acts.keys {
        Some(sealed) => circle.open_box(cx.env.crypto, &sealed.0),
        None => BTreeMap::new(),
    };
    let keys = offered.iter().map(|(id, keys)| (*id, keys.talk.is_some())).collect();
    let mut taken = ActsTaken { keys, ..ActsTaken::default() };
    let before = circle.count_kept();
    for bytes in &acts.acts {
        if giver.is_some() && !limit.allows(circle, giver, &bytes.0, cx.env.now) {
            taken.later = true;
            continue;
        }
        match circle.take_act(cx, &bytes.0, &mut offered)? {
            Taken::New => taken.news = true,
            Taken::Known | Taken::Refused => {}
            Taken::Held => taken.held = true,
            Taken::Bad => {
                taken.bad = true;
                break;
            }
        }
    }
    taken.taken = circle.kept_since(before).collect();
    taken.learned = circle.take_keys(cx, offered);
    Ok(taken)
}

/// What came of records.
#[derive(Debug)]
pub(crate) struct RecordsTaken {
    /// One that was not known.
    pub(crate) news: bool,
    /// Of those that came, the ones that stand here now, by device and count.
    pub(crate) current: Vec<(DeviceId, u64)>,
}

/// Takes records.
///
/// # Errors
/// [`InputError::Peer`] where there are more than travel together.
pub(crate) fn records(circle: &mut CircleState, cx: &mut Cx<'_, '_>, records: &[Bytes]) -> Result<RecordsTaken, InputError> {
    if records.len() > limits::FRAME_RECORDS {
        return Err(InputError::Peer("more records than travel together"));
    }
    let mut news = false;
    for bytes in records {
        news |= circle.take_record(cx, &bytes.0);
    }
    let stands = |device: &DeviceId, count: u64| circle.record_of(device).is_some_and(|record| record.count == count);
    let peeked = records.iter().filter_map(|bytes| Record::peek(&bytes.0).ok());
    let current: Vec<(DeviceId, u64)> =
        peeked.filter(|(device, count, _)| stands(device, *count)).map(|(device, count, _)| (device, count)).collect();
    for (device, _) in current.iter().filter(|_| news) {
        let label = circle.record_of(device).map(|record| record.body.at);
        label.map_or(Ok(()), |label| clocks::heard_of(circle, cx, device, label))?;
    }
    Ok(RecordsTaken { news, current })
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct RunTaken {
    /// Of which chain, and how far its main branch is here now.
    pub(crate) through: Option<ChainSeq>,
    /// How far the one who sent it is on that branch; nothing where the chain has several, and no end says where they are.
    pub(crate) theirs: Option<ChainSeq>,
    /// Entries that were not here.
    pub(crate) fresh: bool,
    /// The chain has several branches: they may lack ours.
    pub(crate) forked: bool,
}

/// Takes a run of entries. `skipped`: entries before it are sealed under talk keys that this device does not hold. Nothing: the
/// circle does not take any more.
///
/// # Errors
/// [`InputError::Later`] where more has to be known first, [`InputError::Peer`] where it does not verify.
pub(crate) fn run(
    circles: &mut Circles,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
    bytes: &[u8],
    skipped: bool,
) -> Result<Option<RunTaken>, InputError> {
    let Some(circle) = circles.all.get_mut(id).filter(|circle| circle.standing() != OwnStanding::Left) else { return Ok(None) };
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
    let heads = circles.heads.entry(*id).or_default();
    heads.update(&cx.tx, id, &chain)?;
    let through = heads.main(&chain).map(|head| ChainSeq { chain, seq: head.seq });
    let forked = fork.is_some() || heads.branches(&chain).count() > 1;
    // What lies on another branch says nothing of how far the other side is on ours.
    let theirs = through.filter(|_| !forked).map(|here| ChainSeq { chain, seq: last.min(here.seq) });
    circles.new_words |= fresh;
    Ok(Some(RunTaken { through, theirs, fresh, forked }))
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
