//! The rows of the tables `Chain`, `Block` and `Tail`.
//!
//! Chains have a number on this machine, which keeps the other keys short:
//! `Chain`: `c` ‖ circle ‖ device ‖ incarnation ‖ class ‖ number → [`ChainRow`]; `n` ‖ number → the part of that key before the
//! number; `x` → the next number; `f` ‖ circle ‖ device ‖ incarnation ‖ class ‖ seq → [`ForkRow`].
//! `Block`: number ‖ first seq → [`BlockRow`]. `Tail`: number ‖ seq → [`TailRow`]. Numbers are big-endian.

use minicbor::{Decode, Encode};

use super::single::Single;
use crate::circle::body::{ChainId, KeyClass};
use crate::codec;
use crate::crypto::Signature;
use crate::id::{ActId, CircleId, DeviceId, EntryId, EpochId, Incarnation};
use crate::store::{self, Read, StoreError, Table};
use crate::tx::Tx;

pub(super) const VERSION: u8 = 1;

/// One chain, or one branch of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct ChainRow {
    #[n(0)]
    pub(super) version: u8,
    /// Its first entry here, and the id before that.
    #[n(1)]
    pub(super) first: u64,
    #[n(2)]
    pub(super) before: EntryId,
    /// Its last entry.
    #[n(3)]
    pub(super) seq: u64,
    #[n(4)]
    pub(super) head: EntryId,
    #[n(5)]
    pub(super) epoch: EpochId,
    /// Membership heads at its last entry.
    #[n(6)]
    pub(super) heads: Vec<ActId>,
    /// The first entry that is kept singly (`seq` + 1: none), the id before it, and the weight of all that are.
    #[n(7)]
    pub(super) tail: u64,
    #[n(8)]
    pub(super) tail_before: EntryId,
    #[n(9)]
    pub(super) tail_weight: u64,
    /// For a branch: the number of the chain it parted from; it did so at `first`.
    #[n(10)]
    pub(super) parent: Option<u32>,
    /// What is missing between `first` and `seq`: first and last, ascending.
    #[n(11)]
    pub(super) gaps: Vec<(u64, u64)>,
}

impl ChainRow {
    /// A chain of which nothing is kept yet, about to start at `first`.
    pub(super) const fn starting(first: u64, before: EntryId, epoch: EpochId, parent: Option<u32>) -> Self {
        Self {
            version: VERSION,
            first,
            before,
            seq: first.saturating_sub(1),
            head: before,
            epoch,
            heads: Vec::new(),
            tail: first,
            tail_before: before,
            tail_weight: 0,
            parent,
            gaps: Vec::new(),
        }
    }

    pub(super) const fn tail_len(&self) -> u64 {
        (self.seq + 1).saturating_sub(self.tail)
    }
}

/// A block as it came, and what is needed to use it without what came before.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct BlockRow {
    #[n(0)]
    pub(super) version: u8,
    #[n(1)]
    pub(super) count: u16,
    /// The id of its last entry.
    #[n(2)]
    pub(super) last: EntryId,
    /// The heads in force at its first entry, where that does not name them.
    #[n(3)]
    pub(super) heads: Vec<ActId>,
    /// The run; empty where its key was destroyed.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub(super) run: Vec<u8>,
}

/// One entry, kept singly. All of a chain's are of the epoch that the chain's row names.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct TailRow {
    #[n(0)]
    pub(super) version: u8,
    #[n(1)]
    pub(super) id: EntryId,
    #[n(2)]
    pub(super) single: Single,
    /// The heads in force, where it does not name them.
    #[n(3)]
    pub(super) heads: Vec<ActId>,
    #[n(4)]
    pub(super) signature: Option<Signature>,
}

/// Two entries at one place.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct ForkRow {
    #[n(0)]
    pub(super) version: u8,
    #[n(1)]
    pub(super) one: EntryId,
    #[n(2)]
    pub(super) other: EntryId,
}

pub(super) fn chain_prefix(kind: u8, circle: &CircleId, chain: Option<&ChainId>) -> Vec<u8> {
    let mut key = Vec::with_capacity(94);
    key.push(kind);
    key.extend_from_slice(&circle.0);
    if let Some(chain) = chain {
        key.extend_from_slice(&chain.device.0);
        key.extend_from_slice(&chain.incarnation.0);
        key.push(match chain.class {
            KeyClass::Roster => 0,
            KeyClass::Library => 1,
            KeyClass::Talk => 2,
        });
    }
    key
}

/// What the keys of one device's chains begin with.
pub(super) fn device_prefix(circle: &CircleId, device: &DeviceId) -> Vec<u8> {
    [b"c", &circle.0[..], &device.0].concat()
}

fn chain_key(circle: &CircleId, chain: &ChainId, number: u32) -> Vec<u8> {
    let mut key = chain_prefix(b'c', circle, Some(chain));
    key.extend_from_slice(&number.to_be_bytes());
    key
}

pub(super) fn fork_key(circle: &CircleId, chain: &ChainId, seq: u64) -> Vec<u8> {
    let mut key = chain_prefix(b'f', circle, Some(chain));
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

/// Reads circle, chain and what follows from a key behind its first byte.
pub(crate) fn split_key(key: &[u8]) -> Option<(CircleId, ChainId, &[u8])> {
    let (circle, rest) = key.split_first_chunk::<32>()?;
    let (device, rest) = rest.split_first_chunk::<32>()?;
    let (incarnation, rest) = rest.split_first_chunk::<16>()?;
    let (class, rest) = rest.split_first()?;
    let class = match class {
        1 => KeyClass::Library,
        2 => KeyClass::Talk,
        _ => return None,
    };
    let chain = ChainId { device: DeviceId(*device), incarnation: Incarnation(*incarnation), class };
    Some((CircleId(*circle), chain, rest))
}

pub(super) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(what.to_owned())
}

pub(super) fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8], what: &str) -> Result<T, StoreError> {
    codec::check_version(bytes, u64::from(VERSION), "row").map_err(|error| corrupt(&format!("{what}: {error}")))?;
    minicbor::decode(bytes).map_err(|_| corrupt(what))
}

/// All branches of a chain, by number.
pub(super) fn branches(read: &dyn Read, circle: &CircleId, chain: &ChainId) -> Result<Vec<(u32, ChainRow)>, StoreError> {
    let rows = store::all(read, Table::Chain, &chain_prefix(b'c', circle, Some(chain)))?;
    rows.iter().map(|(key, value)| Ok((number_of(key)?, decode(value, "chain row")?))).collect()
}

pub(super) fn number_of(key: &[u8]) -> Result<u32, StoreError> {
    let number = key.split_last_chunk::<4>().map(|(_, number)| u32::from_be_bytes(*number));
    number.ok_or_else(|| corrupt("key of a chain row"))
}

/// Where the name of the chain with this number is.
pub(super) fn name_key(number: u32) -> [u8; 5] {
    let [a, b, c, d] = number.to_be_bytes();
    [b'n', a, b, c, d]
}

/// Which chain has this number.
pub(super) fn named(read: &dyn Read, number: u32) -> Result<Option<(CircleId, ChainId)>, StoreError> {
    let Some(value) = read.get(Table::Chain, &name_key(number))? else { return Ok(None) };
    let (circle, chain, _) = split_key(&value).ok_or_else(|| corrupt("name of a chain"))?;
    Ok(Some((circle, chain)))
}

pub(super) fn get_chain(
    read: &dyn Read,
    circle: &CircleId,
    chain: &ChainId,
    number: u32,
) -> Result<Option<ChainRow>, StoreError> {
    read.get(Table::Chain, &chain_key(circle, chain, number))?.map(|value| decode(&value, "chain row")).transpose()
}

pub(super) fn put_chain(tx: &mut Tx<'_>, circle: &CircleId, chain: &ChainId, number: u32, row: &ChainRow) {
    tx.put(Table::Chain, &chain_key(circle, chain, number), codec::encode(row));
}

/// Gives a new chain its number.
pub(super) fn number(tx: &mut Tx<'_>, circle: &CircleId, chain: &ChainId) -> Result<u32, StoreError> {
    let next = match tx.get(Table::Chain, b"x")? {
        None => 1,
        Some(bytes) => u32::from_be_bytes(bytes.try_into().map_err(|_| corrupt("number of chains"))?),
    };
    tx.put(Table::Chain, b"x", next.saturating_add(1).to_be_bytes().to_vec());
    let mut name = chain_prefix(b'n', circle, Some(chain));
    name.remove(0);
    tx.put(Table::Chain, &name_key(next), name);
    Ok(next)
}

/// The key of a block or a tail entry.
pub(super) fn place_key(number: u32, seq: u64) -> [u8; 12] {
    let mut key = [0; 12];
    let (head, rest) = key.split_at_mut(4);
    head.copy_from_slice(&number.to_be_bytes());
    rest.copy_from_slice(&seq.to_be_bytes());
    key
}

/// The sequence number in such a key.
pub(super) fn seq_of(key: &[u8]) -> Result<u64, StoreError> {
    let seq = key.split_last_chunk::<8>().map(|(_, seq)| u64::from_be_bytes(*seq));
    seq.ok_or_else(|| corrupt("key of an entry"))
}
