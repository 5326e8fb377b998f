//! Gaps: what is missing in a chain before its last entry.
//!
//! Anyone who was admitted, or was away, holds of a chain only what they may read, and passes on only that. Somebody who may read
//! more then has a gap that no comparison of ends shows. So a side says what its gaps are, and gets what lies in them from
//! anyone who has it.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use super::entries;
use super::message::{ChainGap, ChainSeq, Have};
use crate::circle::body::{ChainId, KeyClass};
use crate::circle::state::CircleState;
use crate::context::{Cx, InputError};
use crate::id::EpochId;
use crate::limits;
use crate::log::chain::{self, ChainHead, Heads, Lack};

/// What is missing in one of their chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct OpenGap {
    #[n(0)]
    pub(crate) chain: ChainId,
    /// Its first entry that was not sent.
    #[n(1)]
    pub(crate) first: u64,
    #[n(2)]
    pub(crate) last: u64,
    /// Nothing before this entry is for them.
    #[n(3)]
    pub(crate) looked: u64,
}

/// The gaps of one of our chains.
pub(super) fn of(head: &ChainHead) -> impl Iterator<Item = ChainGap> + use<> {
    let chain = head.id;
    head.gaps().into_iter().map(move |(first, last)| ChainGap { chain, first, last })
}

/// What they say is missing, in order, each entry once.
pub(super) fn in_order(missing: &[ChainGap]) -> Vec<OpenGap> {
    let mut named = missing.to_vec();
    named.sort_unstable();
    let mut gaps = Vec::with_capacity(named.len());
    for of_chain in named.chunk_by(|one, next| one.chain == next.chain) {
        let mut free = 1;
        for gap in of_chain.iter().take(limits::CHAIN_GAPS + 1) {
            let first = gap.first.max(free);
            if first <= gap.last {
                free = gap.last.saturating_add(1);
                gaps.push(OpenGap { chain: gap.chain, first, last: gap.last, looked: first });
            }
        }
    }
    gaps
}

/// Leaves out what cannot matter here.
pub(super) fn bound(gaps: &mut Vec<OpenGap>, heads: &Heads) {
    let mut unknown = 0;
    gaps.retain(|gap| {
        let known = heads.main(&gap.chain).is_some();
        unknown += usize::from(!known);
        known || unknown <= limits::UNKNOWN_GAPS
    });
}

/// What lies wholly in a gap. (Anyone who was served around it has what comes behind it from the start of an epoch, where a run
/// starts too.)
pub(super) fn lack<'a>(head: &ChainHead, gap: &OpenGap, talk: &'a BTreeSet<EpochId>) -> Lack<'a> {
    let talk = (head.id.class == KeyClass::Talk).then_some(talk);
    Lack { branch: head.no, after: gap.looked.saturating_sub(1), until: gap.last, talk }
}

/// How far our own entries have come to anyone who says `have`: not beyond what is missing there and will be sent, or may be.
pub(crate) fn reached(
    circle: &CircleState,
    cx: &mut Cx<'_, '_>,
    have: &Have,
    known: (&[OpenGap], &BTreeSet<EpochId>),
    heads: &Heads,
) -> Result<Vec<ChainSeq>, InputError> {
    let (gaps, talk) = known;
    let me = circle.device();
    let mut reached: Vec<ChainSeq> = have.chains.iter().map(|c| ChainSeq { chain: c.chain, seq: c.seq }).collect();
    reached.retain(|theirs| theirs.chain.device == me);
    for gap in gaps.iter().filter(|gap| gap.chain.device == me) {
        let Some(head) = heads.main(&gap.chain) else { continue };
        let lack = lack(head, gap, talk);
        if chain::has_lack(&cx.tx, circle.ring(), &lack, &mut cx.budget).map_err(entries::stop)? != Some(false) {
            reached.retain(|theirs| theirs.chain != gap.chain || theirs.seq < gap.first);
        }
    }
    Ok(reached)
}
