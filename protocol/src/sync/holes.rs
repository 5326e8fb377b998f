//! Holes: what is missing in a chain before its last entry.
//!
//! Whoever was admitted, or was away, holds of a chain only what she may read, and passes on only that. Somebody who may read
//! more then has a hole that no comparison of ends shows. So a side says what its holes are, and gets what lies in them from
//! whoever has it.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::exchange::RUN_BYTES;
use super::frame::{Bytes, ChainHole, ChainSeq, Have, Message};
use super::session::{CircleLink, Known, OpenGap, say};
use crate::circle::body::{ChainId, KeyClass};
use crate::circle::state::CircleState;
use crate::context::{Cx, Stop};
use crate::id::EpochId;
use crate::io::Link;
use crate::limits;
use crate::log::chain::{self, ChainHead, Lack, Serving};
use crate::node::entries;

/// The holes of one of our chains.
pub(super) fn of(head: &ChainHead) -> impl Iterator<Item = ChainHole> + use<> {
    let chain = head.id;
    head.holes().into_iter().map(move |(first, last)| ChainHole { chain, first, last })
}

/// What they say is missing, in order, each entry once.
pub(super) fn in_order(missing: &[ChainHole]) -> Vec<OpenGap> {
    let mut named = missing.to_vec();
    named.sort_unstable();
    let mut holes = Vec::with_capacity(named.len());
    for of_chain in named.chunk_by(|one, next| one.chain == next.chain) {
        let mut free = 1;
        for hole in of_chain.iter().take(limits::CHAIN_GAPS + 1) {
            let first = hole.first.max(free);
            if first <= hole.last {
                free = hole.last.saturating_add(1);
                holes.push(OpenGap { chain: hole.chain, first, last: hole.last, looked: first });
            }
        }
    }
    holes
}

/// Holes in chains that are not known here are kept up to so many: the chain may come.
const UNKNOWN: usize = 1_024;

/// Leaves out what cannot matter here.
pub(super) fn bound(holes: &mut Vec<OpenGap>, heads: &[ChainHead]) {
    let known: BTreeSet<ChainId> = heads.iter().map(|head| head.id).collect();
    let mut unknown = 0;
    holes.retain(|hole| {
        unknown += usize::from(!known.contains(&hole.chain));
        known.contains(&hole.chain) || unknown <= UNKNOWN
    });
}

/// What is missing in their chains is served once, as far as it is here. `false`: the turn's budget is spent.
pub(super) fn push(
    circle: &CircleState,
    cx: &mut Cx<'_, '_>,
    link: Link,
    shared: &mut CircleLink,
    heads: &[ChainHead],
) -> Result<bool, Stop> {
    let Some(known) = shared.known.as_mut().filter(|known| !known.holes.is_empty()) else { return Ok(true) };
    let heads: BTreeMap<ChainId, &ChainHead> = heads.iter().map(|head| (head.id, head)).collect();
    let mut spent = false;
    for hole in &mut known.holes {
        let Some(head) = heads.get(&hole.chain) else { continue };
        while !spent && hole.first <= hole.last.min(head.seq) && shared.in_flight < limits::CREDIT_BYTES as u64 {
            let lack = lack(head, hole, &known.talk);
            match chain::serve_lack(&cx.tx, &circle.ring, &lack, RUN_BYTES, &mut cx.budget).map_err(entries::stop)? {
                Serving::Run(served) => {
                    shared.in_flight += served.run.len() as u64;
                    let skipped = served.first > hole.first;
                    hole.first = served.last.saturating_add(1);
                    hole.looked = hole.first;
                    say(cx, link, shared.mine, Message::Run(Bytes(served.run), skipped));
                }
                Serving::Nothing => hole.first = hole.last.min(head.seq).saturating_add(1),
                Serving::Later(looked) => {
                    hole.looked = looked.saturating_add(1);
                    spent = true;
                }
            }
        }
    }
    known.holes.retain(|hole| hole.first <= hole.last);
    Ok(!spent)
}

/// What lies wholly in a hole. (Whoever was served around it has what comes behind it from the start of an epoch, where a run
/// starts too.)
fn lack<'a>(head: &ChainHead, hole: &OpenGap, talk: &'a BTreeSet<EpochId>) -> Lack<'a> {
    let talk = (head.id.class == KeyClass::Talk).then_some(talk);
    Lack { branch: head.no, after: hole.looked.saturating_sub(1), until: hole.last, talk }
}

/// How far our own entries have come to whoever says `have`: not beyond what is missing there and will be sent, or may be.
pub(super) fn reached(
    circle: &CircleState,
    cx: &mut Cx<'_, '_>,
    have: &Have,
    known: &Known,
    heads: &[ChainHead],
) -> Result<Vec<ChainSeq>, Stop> {
    let me = circle.device();
    let mut reached: Vec<ChainSeq> = have.chains.iter().map(|c| ChainSeq { chain: c.chain, seq: c.seq }).collect();
    reached.retain(|theirs| theirs.chain.device == me);
    let main = |head: &&ChainHead| head.id.device == me && head.parent.is_none();
    let heads: BTreeMap<ChainId, &ChainHead> = heads.iter().filter(main).map(|head| (head.id, head)).collect();
    for hole in &known.holes {
        let Some(head) = heads.get(&hole.chain) else { continue };
        let lack = lack(head, hole, &known.talk);
        if chain::has_lack(&cx.tx, &circle.ring, &lack, &mut cx.budget).map_err(entries::stop)? != Some(false) {
            reached.retain(|theirs| theirs.chain != hole.chain || theirs.seq < hole.first);
        }
    }
    Ok(reached)
}
