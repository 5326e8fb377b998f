//! The journal: small commits, each sealed and synced to a file of its own, until the store's file takes many of them together.
//!
//! A commit of the store writes whole pages, encrypts and authenticates each, and costs three times what the disk asks for a few
//! hundred bytes. So a small commit is appended here first, and is as durable. Each record names the *generation* of the store's
//! file that it follows, a random number that the file draws again whenever it takes in what stands here: with that, the journal
//! is empty and is written from its start again.
//!
//! A record: the generation (16 bytes), the record's number in it and the length of what follows the nonce (4 each,
//! little-endian), a random nonce (24), and the writes, sealed with XChaCha20-Poly1305 under a key of the journal's own; the
//! first 24 bytes are authenticated with them.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use kith_protocol::store::{StoreError, Table, Writes};
use rand_core::TryRng;

use crate::keystore::MasterKey;
use crate::limits::{JOURNAL_BYTES, JOURNAL_COMMIT_BYTES};
use crate::random::Random;

/// Which state of the store's file.
pub(super) type Generation = [u8; 16];

const HEADER: usize = 24;
const NONCE: usize = 24;
const TAG: usize = 16;
/// Stands for the length of a value that is deleted.
const DELETED: u32 = u32::MAX;

/// The file, and where in it the next record goes.
pub(super) struct Journal {
    path: PathBuf,
    cipher: XChaCha20Poly1305,
    /// Made with the first record: most starts write none.
    file: Option<File>,
    generation: Generation,
    records: u32,
    end: u64,
    /// Nothing more goes into this generation: what stands here was found here, or what was written last may stand here or not,
    /// or the file may be of the next one already.
    shut: bool,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("records", &self.records).field("end", &self.end).finish_non_exhaustive()
    }
}

/// Why a journal cannot be read.
#[derive(Debug)]
pub(super) enum JournalError {
    /// A record is not what was written, and whole ones follow it.
    Damaged,
    /// The disk or the operating system refused.
    Io(std::io::Error),
}

impl Journal {
    /// The journal of a store whose file has this generation, and what the file lacks. A last record that power cut short was
    /// never answered for, and is left out. So is a journal of another generation: the file has taken it, or is an older one that
    /// was put back.
    pub(super) fn open(path: &Path, key: &MasterKey, generation: Generation) -> Result<(Self, Writes), JournalError> {
        let cipher = XChaCha20Poly1305::new(&Key::from(*key.journal_key()));
        let (path, records, end) = (path.to_owned(), 0, 0);
        let mut journal = Self { path, cipher, file: None, generation, records, end, shut: false };
        let mut bytes = Vec::new();
        match File::open(&journal.path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(JournalError::Io(error)),
        }
        let (mut rest, mut writes) = (bytes.as_slice(), Writes::new());
        while let Some((record, length)) = journal.record(rest, |number| number == journal.records) {
            writes.extend(decoded(&record).ok_or(JournalError::Damaged)?);
            rest = rest.get(length..).unwrap_or_default();
            journal.records += 1;
        }
        if journal.follows_another(&bytes) {
            journal.shut = true;
            return Ok((journal, writes));
        }
        let later = |number| number > journal.records;
        if (1..rest.len()).any(|at| rest.get(at..).is_some_and(|rest| journal.record(rest, later).is_some())) {
            return Err(JournalError::Damaged);
        }
        journal.shut = journal.records > 0;
        Ok((journal, writes))
    }

    /// Does it begin with a whole first record of another generation?
    fn follows_another(&self, bytes: &[u8]) -> bool {
        let ours = bytes.starts_with(&self.generation);
        !ours && bytes.first_chunk().is_some_and(|other| self.opened(other, bytes, |number| number == 0).is_some())
    }

    /// The writes at the head of `bytes`, if a record of this generation with such a number stands there, and its length.
    fn record(&self, bytes: &[u8], wanted: impl Fn(u32) -> bool) -> Option<(Vec<u8>, usize)> {
        self.opened(&self.generation, bytes, wanted)
    }

    fn opened(&self, generation: &Generation, bytes: &[u8], wanted: impl Fn(u32) -> bool) -> Option<(Vec<u8>, usize)> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let (of, place) = header.split_first_chunk::<16>()?;
        let (number, length) = place.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(length.try_into().ok()?);
        if of != generation || !wanted(u32::from_le_bytes(*number)) {
            return None;
        }
        let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
        let sealed = rest.get(..length as usize)?;
        let opened = self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: header }).ok()?;
        Some((opened, HEADER + NONCE + sealed.len()))
    }

    /// Does a commit of these writes belong here, or into the file with all that stands here?
    pub(super) fn takes(&self, writes: &Writes) -> bool {
        // The word index is the file's alone.
        let words = writes.range((Table::Search, Vec::new())..).next().is_some_and(|((table, _), _)| *table == Table::Search);
        !self.shut && !words && self.end < JOURNAL_BYTES && encoded_len(writes) <= JOURNAL_COMMIT_BYTES
    }

    /// Appends one commit; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError`]; until the file's next commit, the journal takes nothing more then.
    pub(super) fn append(&mut self, writes: &Writes) -> Result<(), StoreError> {
        let mut nonce = [0; NONCE];
        let Ok(()) = Random.try_fill_bytes(&mut nonce);
        let record = self.sealed(&encoded(writes), nonce)?;
        self.put(&record).inspect_err(|_| self.shut = true)?;
        self.records += 1;
        self.end += record.len() as u64;
        Ok(())
    }

    /// The next record, with these writes.
    fn sealed(&self, plain: &[u8], nonce: [u8; NONCE]) -> Result<Vec<u8>, StoreError> {
        let length = u32::try_from(plain.len() + TAG).unwrap_or(u32::MAX);
        let header = [&self.generation[..], &self.records.to_le_bytes(), &length.to_le_bytes()].concat();
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &header });
        let sealed = sealed.map_err(|_| StoreError::Io("a record could not be sealed".to_owned()))?;
        Ok([&header[..], &nonce, &sealed].concat())
    }

    fn put(&mut self, record: &[u8]) -> Result<(), StoreError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(made(&self.path).map_err(|error| disk_error(&error))?),
        };
        let written = file.write_all_at(record, self.end).and_then(|()| file.sync_data());
        written.map_err(|error| {
            // Told as not written: so it should not come back after all. A disk that takes not even this may bring it back.
            let _as_far_as_it_goes = file.write_all_at(&[0; HEADER], self.end);
            disk_error(&error)
        })
    }

    /// The file is about to take everything. If that comes to nothing it may have happened all the same, for anyone who opens the
    /// file next; so only the file goes on, whose next commit writes over what was left of this one.
    pub(super) const fn shut(&mut self) {
        self.shut = true;
    }

    /// The file has taken everything, and is of this generation now.
    pub(super) const fn taken(&mut self, generation: Generation) {
        (self.generation, self.records, self.end, self.shut) = (generation, 0, 0, false);
    }

    /// Leaves nothing of earlier generations on the disk.
    ///
    /// # Errors
    /// [`StoreError`] where the disk refuses.
    pub(super) fn wipe(&mut self) -> Result<(), StoreError> {
        self.file = None;
        let removed = std::fs::remove_file(&self.path).and_then(|()| sync_folder(&self.path));
        removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(disk_error(&error)) })
    }
}

/// A file for its owner only, that stays where it is when power fails.
fn made(path: &Path) -> std::io::Result<File> {
    let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    sync_folder(path)?;
    Ok(file)
}

/// What was made or removed beside `path` stays so when power fails.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn disk_error(error: &std::io::Error) -> StoreError {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        StoreError::Full
    } else {
        StoreError::Io(error.to_string())
    }
}

/// Bytes of [`encoded`].
fn encoded_len(writes: &Writes) -> usize {
    writes.iter().map(|((_, key), value)| 9 + key.len() + value.as_ref().map_or(0, Vec::len)).sum()
}

/// Row after row: the table's place in [`Table::ALL`], the lengths of key and value (little-endian), key, value.
fn encoded(writes: &Writes) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded_len(writes));
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(DELETED).to_le_bytes();
    for ((table, key), value) in writes {
        out.extend(Table::ALL.iter().position(|other| other == table).and_then(|place| u8::try_from(place).ok()));
        out.extend(length(key));
        out.extend(value.as_ref().map_or(DELETED.to_le_bytes(), |value| length(value)));
        out.extend(key);
        out.extend(value.iter().flatten());
    }
    out
}

/// `None`: not what [`encoded`] makes.
fn decoded(mut bytes: &[u8]) -> Option<Writes> {
    let mut writes = Writes::new();
    while let Some((place, rest)) = bytes.split_first() {
        let (key_length, rest) = rest.split_first_chunk()?;
        let (value_length, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key_length) as usize)?;
        let value_length = Some(u32::from_le_bytes(*value_length)).filter(|length| *length != DELETED);
        let (value, rest) = rest.split_at_checked(value_length.unwrap_or(0) as usize)?;
        let table = *Table::ALL.get(usize::from(*place))?;
        writes.insert((table, key.to_vec()), value_length.map(|_| value.to_vec()));
        bytes = rest;
    }
    Some(writes)
}

/// The same records, made again from what they say, by somebody who has the key.
#[cfg(test)]
pub(super) fn made_again(bytes: &[u8], key: &MasterKey, generation: Generation) -> Vec<u8> {
    let (mut journal, _) = Journal::open(Path::new("/nowhere"), key, generation).expect("nothing is there");
    let mut again = Vec::new();
    while let Some((plain, length)) = journal.record(&bytes[again.len()..], |number| number == journal.records) {
        let nonce = *bytes[again.len() + HEADER..].first_chunk().expect("a whole record");
        let writes = decoded(&plain).expect("writes");
        let record = journal.sealed(&encoded(&writes), nonce).expect("seals");
        assert_eq!(record.len(), length);
        again.extend(record);
        journal.records += 1;
    }
    again
}

/// Every record that stands in the file, of whatever generation, opened.
#[cfg(test)]
pub(super) fn every_record(path: &Path, key: &MasterKey) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let at = |place: usize| {
        let rest = bytes.get(place..)?;
        let (journal, _) = Journal::open(Path::new("/nowhere"), key, *rest.first_chunk()?).ok()?;
        journal.record(rest, |_| true).map(|(plain, _)| plain)
    };
    (0..bytes.len()).filter_map(at).collect()
}

#[cfg(test)]
mod tests;
