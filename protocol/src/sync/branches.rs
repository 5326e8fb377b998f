//! Branches that the other side names: has it ours, or others only?
//!
//! Anyone who wrote in two places (a restored folder, a copied machine) has several branches of a chain, and each member begins
//! with whichever came first. A side whose heads of a chain all lie beside our main branch gets ours from the start.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;

use super::message::{ChainHave, Have};
use crate::circle::body::ChainId;
use crate::context::InputError;
use crate::id::EntryId;
use crate::limits;
use crate::log::chain::Heads;

/// Heads of theirs that are not compared yet with what stands here, by chain.
pub(crate) type Unsure = BTreeMap<ChainId, Vec<(u64, EntryId)>>;

/// What they name of each chain, each entry once.
///
/// # Errors
/// [`InputError::Peer`] where it is more of one chain than anybody keeps.
pub(crate) fn named(have: &Have) -> Result<Unsure, InputError> {
    let mut named = Unsure::new();
    for ChainHave { chain, seq, head } in &have.chains {
        let of_chain = named.entry(*chain).or_default();
        if !of_chain.contains(&(*seq, *head)) {
            of_chain.push((*seq, *head));
        }
        if of_chain.len() > limits::BRANCHES + 1 {
            return Err(InputError::Peer("more branches of a chain than anybody keeps"));
        }
    }
    named.values_mut().for_each(|of_chain| of_chain.retain(|(seq, _)| *seq > 0));
    named.retain(|_, of_chain| !of_chain.is_empty());
    Ok(named)
}

/// Of what they name, what is worth comparing: where they have our main branch that is plain.
pub(super) fn unsure(named: Unsure, heads: &Heads) -> Unsure {
    let mut unsure = Unsure::new();
    for (chain, mut of_chain) in named {
        // Chains that are not known here are none of this: they are asked for.
        let Some(main) = heads.main(&chain) else { continue };
        let on_main = |(seq, head): &(u64, EntryId)| *head == main.head || *seq > main.seq;
        if of_chain.iter().any(on_main) {
            continue;
        }
        let beside = |head: &EntryId| heads.branches(&chain).any(|other| other.parent.is_some() && other.head == *head);
        of_chain.retain(|(_, head)| !beside(head));
        unsure.insert(chain, of_chain);
    }
    unsure
}
