//! Holes: what is missing in a chain before its last entry.
//!
//! Whoever was admitted, or was away, holds of a chain only what she may read, and passes on only that. Somebody who may read
//! more then has a hole that no comparison of ends shows. So a side says what its holes are, and gets what lies in them from
//! whoever has it.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::exchange::RUN_BYTES;
use super::frame::{Bytes, ChainHole, ChainSeq, Have, Message};
use super::session::{CircleLink, Known, say};
use crate::circle::body::{ChainId, KeyClass};
use crate::circle::state::CircleState;
use crate::id::EpochId;
use crate::limits;
use crate::log::chain::{self, ChainHead, Served};
use crate::node::{Cx, Link, Stop, entries};

/// The holes of one of our chains.
pub(super) fn of(head: &ChainHead) -> impl Iterator<Item = ChainHole> + use<> {
    let chain = head.id;
    head.holes().into_iter().map(move |(first, last)| ChainHole { chain, first, last })
}

/// What they say is missing, in order, each entry once.
pub(super) fn in_order(missing: &[ChainHole]) -> Vec<ChainHole> {
    let mut named = missing.to_vec();
    named.sort_unstable();
    let mut holes = Vec::with_capacity(named.len());
    for of_chain in named.chunk_by(|one, next| one.chain == next.chain) {
        let mut free = 1;
        for hole in of_chain.iter().take(limits::CHAIN_GAPS + 1) {
            let first = hole.first.max(free);
            if first <= hole.last {
                free = hole.last.saturating_add(1);
                holes.push(ChainHole { first, ..*hole });
            }
        }
    }
    holes
}

/// What is missing in their chains is served once, as far as it is here.
pub(super) fn push(
    circle: &CircleState,
    cx: &mut Cx<'_, '_>,
    link: Link,
    shared: &mut CircleLink,
    heads: &[ChainHead],
) -> Result<(), Stop> {
    let Some(known) = shared.known.as_mut().filter(|known| !known.holes.is_empty()) else { return Ok(()) };
    let heads: BTreeMap<ChainId, &ChainHead> = heads.iter().map(|head| (head.id, head)).collect();
    for hole in &mut known.holes {
        let Some(head) = heads.get(&hole.chain) else { continue };
        while hole.first <= hole.last.min(head.seq) && shared.in_flight < limits::CREDIT_BYTES as u64 {
            let Some(served) = next(circle, cx, head, hole, &known.talk)? else {
                hole.first = hole.last.min(head.seq).saturating_add(1);
                break;
            };
            shared.in_flight += served.run.len() as u64;
            hole.first = served.last.saturating_add(1);
            say(cx, link, shared.mine, Message::Run(Bytes(served.run), served.skipped));
        }
    }
    known.holes.retain(|hole| hole.first <= hole.last);
    Ok(())
}

/// The next run for a hole: one that lies wholly in it. (Whoever was served around it has what comes behind it from the start
/// of an epoch, where a run starts too.)
fn next(
    circle: &CircleState,
    cx: &Cx<'_, '_>,
    head: &ChainHead,
    hole: &ChainHole,
    talk: &BTreeSet<EpochId>,
) -> Result<Option<Served>, Stop> {
    let talk = (head.id.class == KeyClass::Talk).then_some(talk);
    let served = chain::serve_branch(&cx.tx, &circle.ring, head.no, hole.first.saturating_sub(1), RUN_BYTES, talk);
    Ok(served.map_err(entries::stop)?.filter(|served| served.last <= hole.last))
}

/// How far our own entries have come to whoever says `have`: not beyond what is missing there and will be sent.
pub(super) fn reached(circle: &CircleState, cx: &Cx<'_, '_>, have: &Have, known: &Known) -> Result<Vec<ChainSeq>, Stop> {
    let me = circle.device();
    let mut reached: Vec<ChainSeq> = have.chains.iter().map(|c| ChainSeq { chain: c.chain, seq: c.seq }).collect();
    reached.retain(|theirs| theirs.chain.device == me);
    let heads = chain::chains(&cx.tx, &circle.id)?;
    for hole in known.holes.iter().filter(|hole| hole.chain.device == me) {
        let Some(head) = heads.iter().find(|head| head.id == hole.chain && head.parent.is_none()) else { continue };
        if next(circle, cx, head, hole, &known.talk)?.is_some() {
            reached.retain(|theirs| theirs.chain != hole.chain || theirs.seq < hole.first);
        }
    }
    Ok(reached)
}
