//! What this device has of a circle, and its digest.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::gaps;
use super::message::{ChainHave, Hash, Have};
use crate::circle::state::CircleState;
use crate::log::chain::Heads;
use crate::planted::{Bug, planted};

/// What we have of a circle.
pub(crate) fn have(circle: &CircleState, heads: &Heads) -> Have {
    let mut chains: Vec<ChainHave> = heads.all().map(|c| ChainHave { chain: c.id, seq: c.seq, head: c.head }).collect();
    chains.sort_unstable();
    Have {
        tips: circle.tips().iter().copied().collect(),
        epochs: circle.ring().iter().map(|(id, _)| *id).collect(),
        talk: circle.ring().iter().filter(|(_, row)| row.keys.talk.is_some()).map(|(id, _)| *id).collect(),
        records: circle.current_records().map(|r| (r.device, r.count)).collect(),
        missing: heads.all().flat_map(gaps::of).collect(),
        chains,
    }
}

/// A digest of it: equal ones have the same. (Which talk keys one holds is everybody's own, and gaps are told apart from it.)
pub(crate) fn digest(have: &Have) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key("kith/v1/digest");
    hasher.update(&crate::codec::encode(&have.tips)).update(&crate::codec::encode(&have.epochs));
    hasher.update(&crate::codec::encode(&have.records));
    if !planted(Bug::BlindDigest) {
        hasher.update(&crate::codec::encode(&have.chains));
    }
    Hash(*hasher.finalize().as_bytes())
}
