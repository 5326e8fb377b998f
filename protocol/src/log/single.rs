//! Single entries: the body of a run whose payloads stand there as they were sealed.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::entry::Meta;
use crate::circle::body::Retention;
use crate::codec::{self, CodecError};
use crate::id::{ActId, ItemId};
use crate::limits;

/// A payload as it travels: sealed, or only hash and length of what was sealed.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) enum Sealed {
    #[n(0)]
    Kept(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    #[n(1)]
    Gone {
        #[cbor(n(0), with = "minicbor::bytes")]
        hash: [u8; 32],
        #[n(1)]
        len: u32,
    },
}

/// One entry without what the run implies.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Single {
    #[n(0)]
    kind: u8,
    #[n(1)]
    item: ItemId,
    #[n(2)]
    retention: Retention,
    #[n(3)]
    heads: Option<Vec<ActId>>,
    #[n(4)]
    pub(super) sealed: Sealed,
}

impl Single {
    pub(super) fn new(meta: &Meta, sealed: Sealed) -> Self {
        let heads = meta.heads.as_ref().map(|heads| heads.to_vec());
        Self { kind: meta.kind, item: meta.item, retention: meta.retention, heads, sealed }
    }

    pub(super) fn meta(&self) -> Meta {
        let heads = self.heads.as_ref().map(|heads| Arc::from(heads.as_slice()));
        Meta { kind: self.kind, item: self.item, retention: self.retention, heads }
    }
}

pub(super) fn encode(singles: &Vec<Single>) -> Vec<u8> {
    codec::encode(singles)
}

pub(super) fn decode(body: &[u8]) -> Result<Vec<Single>, CodecError> {
    let singles: Vec<Single> = codec::decode(body, "single entries")?;
    let fits = |single: &Single| match &single.sealed {
        Sealed::Kept(bytes) => bytes.len() <= limits::SEALED_PAYLOAD_BYTES,
        Sealed::Gone { len, .. } => *len as usize <= limits::SEALED_PAYLOAD_BYTES,
    };
    let counted = !singles.is_empty() && singles.len() <= limits::BLOCK_ENTRIES;
    if counted && singles.iter().all(|single| fits(single) && single.heads.as_deref().is_none_or(heads_fit)) {
        Ok(singles)
    } else {
        Err(CodecError::Malformed("single entries"))
    }
}

/// Ascending, unique, at least one, at most [`limits::HEADS`]?
pub(super) fn heads_fit(heads: &[ActId]) -> bool {
    !heads.is_empty() && heads.len() <= limits::HEADS && heads.is_sorted_by(|a, b| a < b)
}
