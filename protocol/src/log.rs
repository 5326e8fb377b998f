//! The log of entries, as they are signed, sealed, chained, stored and served.
//!
//! Owns the tables `Chain`, `Block` and `Tail`. Must never judge what an entry means, nor store or pass on
//! anything whose signature was not verified.

mod block;
pub mod chain;
mod chain_hasher;
pub mod entry;
mod payload;
mod rows;
mod run;
mod segment;
mod single;

use crate::codec::CodecError;
use crate::id::EpochId;
use crate::store::StoreError;

/// Why the log did not take or give something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not the bytes of a run.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The key of this epoch and class is not held.
    #[error("the key of epoch {0} is not held")]
    NoKey(EpochId),
    /// Sealed under another key, or for another place.
    #[error("the run does not open")]
    Closed,
    /// The signature at the run's end is not the device's.
    #[error("the signature is wrong")]
    Signature,
    /// Well-formed, but not what an entry may be here.
    #[error("not allowed: {0}")]
    Rule(&'static str),
    /// More than is kept of one device.
    #[error("too many {0}")]
    Quota(&'static str),
}

#[cfg(test)]
mod frozen;
