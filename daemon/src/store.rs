//! The store on disk: one SQLCipher file with one table per [`Table`] and the word index, and a journal of the latest small commits.
//!
//! Owns the file format and its durability: a commit is synced before it returns, either as a record of the journal, or with
//! everything in the journal as one transaction of the file. What only the journal has is kept in memory and read over the file.
//! Never looks into keys or values, except that a search key's first 8 bytes are its row in the word index. Never deletes a file
//! it cannot read.

mod checkpoint;
mod connection;
mod error;
mod journal;
mod migrate;
mod reader;
mod rows;
mod search;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use kith_protocol::store::{Overlay, Read, Rows, Store, StoreError, Table, Writes};
use rand_core::TryRng;
use rusqlite::{Connection, OpenFlags};

use crate::keystore::MasterKey;
use crate::limits::{ALWAYS_CHECK_BYTES, READER_CACHE_KIB, WAL_BYTES, WRITER_CACHE_KIB};
use crate::random::Random;
use checkpoint::Checkpointer;
use connection::connect;
pub(crate) use error::OpenError;
use error::store_error;
use journal::{Generation, Journal};
pub(crate) use reader::{Leased, Leave, Reader};
use reader::{Recent, locked};
use rows::{GENERATION, Plain};

/// Bytes of a page of the store.
const PAGE: u64 = 4_096;
/// The one writing connection, and the journal.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    conn: Connection,
    path: PathBuf,
    journal: Journal,
    recent: Recent,
    checkpointer: Option<Checkpointer>,
}

impl SqliteStore {
    /// Makes a new store. The file must not exist.
    ///
    /// # Errors
    /// [`OpenError`] where the file is there already or cannot be written.
    pub(crate) fn create(path: &Path, key: &MasterKey) -> Result<Self, OpenError> {
        if path.exists() {
            return Err(OpenError::Io("a store is there already".to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::prepare(path, key, flags)
    }

    /// Opens the store that is there, checks it, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`]; nothing is changed or deleted then.
    pub(crate) fn open(path: &Path, key: &MasterKey) -> Result<Self, OpenError> {
        let bytes = std::fs::metadata(path).map_err(|_| OpenError::Missing)?.len();
        let unclean = std::fs::metadata(beside(path, "-wal")).is_ok_and(|meta| meta.len() > 0);
        if bytes < PAGE {
            // SQLite takes what is shorter than a page for a new database, and would write one over it.
            return Err(OpenError::Damaged("the file is cut off".to_owned()));
        }
        let mut store = Self::prepare(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        if unclean || bytes <= ALWAYS_CHECK_BYTES {
            store.check()?;
        }
        store.checkpointer = Some(Checkpointer::start(&mut store.conn, path, key)?);
        Ok(store)
    }

    fn prepare(path: &Path, key: &MasterKey, flags: OpenFlags) -> Result<Self, OpenError> {
        let mut conn = connect(path, key, flags, WRITER_CACHE_KIB)?;
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
        conn.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES, |_| Ok(()))?;
        migrate::run(&mut conn)?;
        let generation = rows::get(&conn, Table::Local, GENERATION)?.unwrap_or_default();
        let generation = Generation::try_from(generation.as_slice())
            .map_err(|_| OpenError::Damaged("it does not say which journal is its own".to_owned()))?;
        let (journal, recent) = Journal::open(&beside(path, "-log"), key, generation)?;
        let recent = Arc::new(Mutex::new(Arc::new(recent)));
        Ok(Self { conn, path: path.to_owned(), journal, recent, checkpointer: None })
    }

    fn check(&self) -> Result<(), OpenError> {
        let found: String = self.conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found == "ok" { Ok(()) } else { Err(OpenError::Damaged(found)) }
    }

    /// A second, read-only connection for lists and search.
    ///
    /// # Errors
    /// [`OpenError`] where the file cannot be read.
    pub(crate) fn reader(&self, key: &MasterKey) -> Result<Reader, OpenError> {
        let conn = connect(&self.path, key, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB)?;
        Ok(Reader::new(conn, Arc::clone(&self.recent)))
    }

    /// From here to the next commit all reading is of one state, without a lock for each statement.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        if self.conn.is_autocommit() { self.run("BEGIN") } else { Ok(()) }
    }

    /// Ends what [`Self::begin`] began, if anything; nothing is written.
    pub(crate) fn end(&self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.run("ROLLBACK")
        {
            tracing::warn!("a transaction did not end in order: {error}");
        }
    }

    fn read<T>(&self, read: impl FnOnce(&dyn Read) -> T) -> T {
        read(&Overlay::new(&Plain(&self.conn), &locked(&self.recent)))
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.conn.prepare_cached(sql).and_then(|mut run| run.execute([])).map(drop).map_err(|error| store_error(&error))
    }

    /// Writes all that the journal has, and these writes, into the file: one transaction, after which the journal is empty.
    fn settle(&mut self, writes: &Writes) -> Result<(), StoreError> {
        let start = Instant::now();
        let mut generation = Generation::default();
        let Ok(()) = Random.try_fill_bytes(&mut generation);
        self.begin()?;
        let recent = Arc::clone(&locked(&self.recent));
        for ((table, key), value) in recent.iter().filter(|(row, _)| !writes.contains_key(*row)).chain(writes) {
            rows::write(&self.conn, *table, key, value.as_deref())?;
        }
        rows::write(&self.conn, Table::Local, GENERATION, Some(&generation))?;
        let rows = start.elapsed();
        drop(recent);
        // Nobody may read the journal's writes over what came later.
        let mut recent = locked(&self.recent);
        self.journal.shut();
        self.run("COMMIT")?;
        *recent = Arc::default();
        self.journal.taken(generation);
        tracing::debug!(rows_us = rows.as_micros(), sync_us = (start.elapsed() - rows).as_micros(), "commit");
        Ok(())
    }

    /// Appends these writes to the journal.
    fn append(&mut self, writes: &Writes) -> Result<(), StoreError> {
        let start = Instant::now();
        self.journal.append(writes)?;
        let synced = start.elapsed();
        let mut recent = locked(&self.recent);
        Arc::make_mut(&mut recent).extend(writes.iter().map(|(key, value)| (key.clone(), value.clone())));
        tracing::debug!(rows_us = (start.elapsed() - synced).as_micros(), sync_us = synced.as_micros(), "commit");
        Ok(())
    }

    /// Makes destruction complete: the file takes the journal, words of deleted items leave the index, and nothing older stays in
    /// either log.
    ///
    /// # Errors
    /// [`StoreError`]; also where a reader is in the way. To be tried again then.
    pub(crate) fn scrub(&mut self) -> Result<(), StoreError> {
        self.empty_journal()?;
        search::optimize(&self.conn).map_err(|error| store_error(&error))?;
        self.truncate_log()
    }

    fn empty_journal(&mut self) -> Result<(), StoreError> {
        if !locked(&self.recent).is_empty() {
            let settled = self.settle(&Writes::new());
            self.end();
            settled?;
        }
        self.journal.wipe()
    }

    fn truncate_log(&self) -> Result<(), StoreError> {
        let busy: i64 =
            self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(|error| store_error(&error))?;
        if busy == 0 { Ok(()) } else { Err(StoreError::Io("a reader holds the log".to_owned())) }
    }

    /// Closes cleanly: everything in the one file, no log or journal left behind.
    ///
    /// # Errors
    /// [`StoreError`] where SQLite could not; what was committed stays committed.
    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        let emptied = self.empty_journal();
        let _reader_in_the_way = self.truncate_log();
        self.leave().and(emptied)
    }

    /// Closes a store that cannot go on: the journal stays as it is.
    ///
    /// # Errors
    /// [`StoreError`] where SQLite could not.
    pub(crate) fn leave(mut self) -> Result<(), StoreError> {
        if let Some(checkpointer) = self.checkpointer.take() {
            checkpointer.stop(&mut self.conn);
        }
        self.conn.close().map_err(|(_, error)| store_error(&error))
    }

    /// Caps the file's size in pages, as a full disk would.
    #[cfg(test)]
    pub(crate) fn cap_pages(&self, pages: u32) {
        self.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).expect("a pragma");
    }
}

/// Bytes of a store's files on disk.
#[must_use]
pub(crate) fn bytes_on_disk(path: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    size(path) + size(&beside(path, "-wal")) + size(&beside(path, "-log"))
}

/// Moves a store that nobody has open, with its logs.
pub(crate) fn move_aside(path: &Path, to: &Path) -> std::io::Result<()> {
    for suffix in ["-wal", "-log"].iter().filter(|suffix| beside(path, suffix).exists()) {
        std::fs::rename(beside(path, suffix), beside(to, suffix))?;
    }
    std::fs::rename(path, to)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Read for SqliteStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|read| read.get(table, key))
    }

    fn scan(&self, table: Table, prefix: &[u8], after: &[u8], limit: usize) -> Result<Rows, StoreError> {
        self.read(|read| read.scan(table, prefix, after, limit))
    }

    fn scan_back(&self, table: Table, prefix: &[u8], before: &[u8], limit: usize) -> Result<Rows, StoreError> {
        self.read(|read| read.scan_back(table, prefix, before, limit))
    }

    fn search(&self, terms: &[Vec<String>], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read(|read| read.search(terms, limit))
    }
}

impl Store for SqliteStore {
    fn commit(&mut self, writes: &Writes) -> Result<(), StoreError> {
        if writes.is_empty() {
            self.end();
            return Ok(());
        }
        if self.journal.takes(writes) {
            self.end();
            return self.append(writes);
        }
        let written = self.settle(writes);
        self.end();
        written
    }
}

#[cfg(test)]
mod frozen;
#[cfg(test)]
mod tests;
