//! Segments: consecutive entries of one chain and one epoch, opened, their ids known. Runs, blocks and tails become segments to
//! be looked at, and segments become runs and rows.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::sync::Arc;

use super::LogError;
use super::block;
use super::chain_hasher::{ChainHasher, payload_hash};
use super::entry::{Body, EntryAt, EntryRecord, Opened};
use super::payload::unpack;
use super::run::{Run, RunForm, RunHead};
use super::single::{self, Sealed, Single};
use crate::circle::body::ChainId;
use crate::circle::epoch::KeyRing;
use crate::crypto::{Crypto, Key, Signature};
use crate::id::{ActId, CircleId, EntryId, EpochId};
use crate::limits;

/// What a device signs: an entry's id, which covers its whole chain up to there.
const PURPOSE: &str = "kith/v1/entry";

/// Entries of a chain, opened.
pub(super) struct Segment {
    pub(super) head: RunHead,
    pub(super) sheets: Vec<EntryRecord>,
    pub(super) ids: Vec<EntryId>,
    /// The payloads as they are sealed; empty, or one for each entry.
    pub(super) sealed: Vec<Sealed>,
    /// Known signatures, by index, ascending; the last entry has one.
    pub(super) signatures: Vec<(usize, Signature)>,
    /// The heads in force before the first entry, where known.
    pub(super) heads: Arc<[ActId]>,
}

/// The key that a chain's entries of an epoch are sealed under.
pub(super) fn class_key<'r>(ring: &'r dyn KeyRing, epoch: &EpochId, chain: &ChainId) -> Result<&'r Key, LogError> {
    ring.epoch(epoch).and_then(|keys| keys.class(chain.class)).ok_or(LogError::NoKey(*epoch))
}

impl Segment {
    /// Opens a run and computes its ids; with `crypto`, verifies the signature at its end.
    pub(super) fn open(crypto: Option<&dyn Crypto>, ring: &dyn KeyRing, circle: &CircleId, run: &[u8]) -> Result<Self, LogError> {
        let run = Run::parse(run)?;
        let key = class_key(ring, &run.head.epoch, &run.head.chain)?;
        let piece = match run.form {
            RunForm::Block => {
                let sheets = block::unseal(circle, &run.head, key, run.body).ok_or(LogError::Closed)?;
                let piece = Self::seal(circle, key, run.head, sheets, run.signature)?;
                piece.verify(crypto, circle)?;
                piece
            }
            RunForm::Single => Self::open_singles(crypto, circle, key, &run)?,
        };
        Ok(piece)
    }

    /// The entries of a stored run, which was verified when it came. Their ids stay unknown.
    pub(super) fn sheets(ring: &dyn KeyRing, circle: &CircleId, run: &[u8]) -> Result<Vec<EntryRecord>, LogError> {
        let parsed = Run::parse(run)?;
        match parsed.form {
            RunForm::Block => {
                let key = class_key(ring, &parsed.head.epoch, &parsed.head.chain)?;
                block::unseal(circle, &parsed.head, key, parsed.body).ok_or(LogError::Closed)
            }
            RunForm::Single => Ok(Self::open(None, ring, circle, run)?.sheets),
        }
    }

    /// Seals entries, one after the other; `signature` is the last one's, and may be set later.
    pub(super) fn seal(
        circle: &CircleId,
        key: &Key,
        head: RunHead,
        sheets: Vec<EntryRecord>,
        signature: Signature,
    ) -> Result<Self, LogError> {
        check_size(&head, sheets.len(), sheets.iter().map(EntryRecord::weight).sum())?;
        let mut walker = ChainHasher::new(circle, &head.chain, head.epoch, key, head.first, head.previous);
        let keep = sheets.len() < limits::BLOCK_DIRECT;
        let mut sealed = Vec::new();
        let mut ids = Vec::with_capacity(sheets.len());
        for EntryRecord { meta, body } in &sheets {
            ids.push(walker.step(meta, body));
            if keep {
                sealed.push(match body {
                    Body::Kept { .. } => Sealed::Kept(walker.sealed().to_vec()),
                    Body::Gone { hash, len } => Sealed::Gone { hash: *hash, len: *len },
                });
            }
        }
        let signatures = vec![(sheets.len().saturating_sub(1), signature)];
        Ok(Self { head, sheets, ids, sealed, signatures, heads: Arc::default() })
    }

    /// First the hashes and the signature, then the payloads.
    fn open_singles(crypto: Option<&dyn Crypto>, circle: &CircleId, key: &Key, run: &Run<'_>) -> Result<Self, LogError> {
        let singles = single::decode(run.body)?;
        let head = run.head;
        let walker = || ChainHasher::new(circle, &head.chain, head.epoch, key, head.first, head.previous);
        let mut over = walker();
        let ids = singles.iter().map(|single| {
            let (hash, len) = hash_and_len(&single.sealed);
            over.step_over(&single.meta(), &hash, len)
        });
        let ids: Vec<EntryId> = ids.collect();
        let signatures = vec![(ids.len().saturating_sub(1), run.signature)];
        let empty = Self { head, sheets: Vec::new(), ids, sealed: Vec::new(), signatures, heads: Arc::default() };
        empty.verify(crypto, circle)?;
        let piece = empty.with_singles(walker(), singles);
        check_size(&head, piece.sheets.len(), piece.weight())?;
        Ok(piece)
    }

    /// Opens single entries whose ids are known.
    pub(super) fn with_singles(mut self, mut walker: ChainHasher, singles: Vec<Single>) -> Self {
        for (single, id) in singles.into_iter().zip(&self.ids) {
            let meta = single.meta();
            let gone = |sealed: &Sealed| {
                let (hash, len) = hash_and_len(sealed);
                Body::Gone { hash, len }
            };
            let body = match &single.sealed {
                Sealed::Kept(bytes) => match (bytes.split_first_chunk(), walker.open(&meta, bytes)) {
                    (Some((nonce, _)), Some(packed)) => Body::Kept { nonce: *nonce, packed },
                    _ => gone(&single.sealed),
                },
                Sealed::Gone { .. } => gone(&single.sealed),
            };
            walker.pass(*id);
            self.sealed.push(single.sealed);
            self.sheets.push(EntryRecord { meta, body });
        }
        self
    }

    fn verify(&self, crypto: Option<&dyn Crypto>, circle: &CircleId) -> Result<(), LogError> {
        let Some(crypto) = crypto else { return Ok(()) };
        let signed = self.ids.last().zip(self.signatures.last());
        let good = signed
            .is_some_and(|(id, (_, signature))| crypto.verify(&self.head.chain.device, PURPOSE, &[&circle.0, &id.0], signature));
        if good { Ok(()) } else { Err(LogError::Signature) }
    }

    /// Signs the last entry, and with it all of them.
    pub(super) fn sign(&mut self, crypto: &dyn Crypto, signer: &crate::crypto::SigningKey, circle: &CircleId) {
        if let Some(id) = self.ids.last() {
            self.signatures = vec![(self.ids.len() - 1, crypto.sign(signer, PURPOSE, &[&circle.0, &id.0]))];
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.ids.len()
    }

    /// Sequence number of the last entry.
    pub(super) const fn last(&self) -> u64 {
        (self.head.first + self.ids.len() as u64).saturating_sub(1)
    }

    /// Id of the last entry.
    pub(super) fn last_id(&self) -> EntryId {
        self.ids.last().copied().unwrap_or(self.head.previous)
    }

    /// The id at a sequence number of the piece, or right before it.
    pub(super) fn id_at(&self, seq: u64) -> Option<EntryId> {
        if seq + 1 == self.head.first {
            return Some(self.head.previous);
        }
        self.ids.get(usize::try_from(seq.checked_sub(self.head.first)?).ok()?).copied()
    }

    pub(super) fn weight(&self) -> usize {
        self.sheets.iter().map(EntryRecord::weight).sum()
    }

    pub(super) fn end_signature(&self) -> Option<Signature> {
        let (index, signature) = self.signatures.last()?;
        (index + 1 == self.len()).then_some(*signature)
    }

    /// The heads in force at an entry of the piece (by index), which may be inherited.
    pub(super) fn heads_at(&self, index: usize) -> Arc<[ActId]> {
        let named = self.sheets.iter().take(index + 1).rev().find_map(|sheet| sheet.meta.heads.clone());
        named.unwrap_or_else(|| Arc::clone(&self.heads))
    }

    /// Only the entries from `from` on (an index).
    pub(super) fn tail_from(mut self, from: usize) -> Self {
        if from == 0 {
            return self;
        }
        let from = from.min(self.len());
        let previous = self.ids.get(from - 1).copied().unwrap_or(self.head.previous);
        self.heads = self.heads_at(from - 1);
        self.head = RunHead { first: self.head.first + from as u64, previous, ..self.head };
        self.sheets.drain(..from);
        self.ids.drain(..from);
        if !self.sealed.is_empty() {
            self.sealed.drain(..from);
        }
        self.signatures.retain(|(index, _)| *index >= from);
        self.signatures.iter_mut().for_each(|(index, _)| *index -= from);
        self
    }

    /// Only the entries before `to` (an index).
    pub(super) fn front_to(mut self, to: usize) -> Self {
        self.sheets.truncate(to);
        self.ids.truncate(to);
        self.sealed.truncate(to);
        self.signatures.retain(|(index, _)| *index < to);
        self
    }

    /// As a run: joined, or entry by entry.
    pub(super) fn run(&self, circle: &CircleId, key: &Key, form: RunForm) -> Result<Vec<u8>, LogError> {
        let signature = self.end_signature().ok_or(LogError::Signature)?;
        let body = match form {
            RunForm::Block => block::seal(circle, &self.head, key, &self.sheets),
            RunForm::Single => single::encode(&self.singles(circle, key)),
        };
        Ok(Run { head: self.head, form, signature, body: &body }.encode())
    }

    /// Entry by entry, as they are sealed.
    pub(super) fn singles(&self, circle: &CircleId, key: &Key) -> Vec<Single> {
        if self.sealed.len() == self.sheets.len() {
            return self
                .sheets
                .iter()
                .zip(&self.sealed)
                .map(|(sheet, sealed)| Single::new(&sheet.meta, sealed.clone()))
                .collect();
        }
        let RunHead { chain, epoch, first, previous } = self.head;
        let mut walker = ChainHasher::new(circle, &chain, epoch, key, first, previous);
        let single = |EntryRecord { meta, body }: &EntryRecord| {
            walker.step(meta, body);
            let sealed = match body {
                Body::Kept { .. } => Sealed::Kept(walker.sealed().to_vec()),
                Body::Gone { hash, len } => Sealed::Gone { hash: *hash, len: *len },
            };
            Single::new(meta, sealed)
        };
        self.sheets.iter().map(single).collect()
    }

    /// All entries, for anyone who applies or shows them.
    pub(super) fn into_opened(self, circle: &CircleId, number: u32) -> Vec<Opened> {
        let RunHead { chain, epoch, first, .. } = self.head;
        let mut heads = self.heads;
        let entries = self.sheets.into_iter().zip(self.ids).zip(first..);
        let open = |((sheet, id), seq): ((EntryRecord, EntryId), u64)| {
            let EntryRecord { meta, body } = sheet;
            if let Some(named) = meta.heads {
                heads = named;
            }
            let payload = match body {
                Body::Kept { packed, .. } => unpack(packed),
                Body::Gone { .. } => None,
            };
            Opened {
                id,
                at: EntryAt { chain: number, seq },
                chain,
                circle: *circle,
                heads: Arc::clone(&heads),
                epoch,
                kind: meta.kind,
                item: meta.item,
                retention: meta.retention,
                payload,
            }
        };
        entries.map(open).collect()
    }
}

/// Hash and length of a sealed payload, kept or gone.
pub(super) fn hash_and_len(sealed: &Sealed) -> ([u8; 32], u32) {
    match sealed {
        Sealed::Kept(bytes) => (payload_hash(bytes), u32::try_from(bytes.len()).unwrap_or(u32::MAX)),
        Sealed::Gone { hash, len } => (*hash, *len),
    }
}

fn check_size(head: &RunHead, count: usize, weight: usize) -> Result<(), LogError> {
    if count == 0 || count > limits::BLOCK_ENTRIES || weight > limits::BLOCK_BYTES {
        return Err(LogError::Rule("size of a run"));
    }
    if head.first.checked_add(count as u64).is_none_or(|end| end > limits::MAX_SEQ) {
        return Err(LogError::Rule("sequence number"));
    }
    Ok(())
}
