//! Reading beside the driver, for lists and search.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kith_protocol::store::{Overlay, Read, Rows, StoreError, Table, Writes};
use rusqlite::Connection;

use super::error::store_error;
use super::rows::{self, GENERATION, Plain};

/// What the journal has and the file lacks. A reader that goes on clones the pointer; then the next commit clones the writes.
pub(super) type Recent = Arc<Mutex<Arc<Writes>>>;

pub(super) fn locked(recent: &Recent) -> MutexGuard<'_, Arc<Writes>> {
    recent.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reading connection.
#[derive(Debug)]
pub(crate) struct Reader {
    conn: Connection,
    recent: Recent,
}

impl Reader {
    pub(super) const fn new(conn: Connection, recent: Recent) -> Self {
        Self { conn, recent }
    }

    /// Lets `f` read one unchanging state: the last commit before the call.
    ///
    /// # Errors
    /// Those of `f`, and [`StoreError`] where the store fails.
    pub(crate) fn snapshot<T>(&mut self, f: impl FnOnce(&dyn Read) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let tx = self.conn.transaction().map_err(|error| store_error(&error))?;
        let recent = {
            let recent = locked(&self.recent);
            // SQLite fixes what a transaction sees when it first reads: here, while the file cannot take what is recent.
            rows::get(&tx, Table::Local, GENERATION)?;
            Arc::clone(&recent)
        };
        f(&Overlay::new(&Plain(&tx), &recent))
    }
}

/// How long somebody may read. Looked at before each row or range that is read.
#[derive(Clone, Debug)]
pub(crate) struct Leave {
    ended: Arc<AtomicBool>,
    until: Instant,
}

impl Leave {
    /// From now on, as long as nobody ends it.
    pub(crate) fn new(ended: &Arc<AtomicBool>, patience: Duration) -> Self {
        Self { ended: Arc::clone(ended), until: Instant::now() + patience }
    }

    /// Is it over because everything ends?
    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Is it over because it took so long?
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.is_ended() || self.is_over() {
            return Err(StoreError::Io("reading took too long".to_owned()));
        }
        Ok(())
    }
}

/// Reading that ends when its leave does.
pub(crate) struct Leased<'a> {
    pub(crate) read: &'a dyn Read,
    pub(crate) leave: &'a Leave,
}

impl Read for Leased<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.leave.check()?;
        self.read.get(table, key)
    }

    fn scan(&self, table: Table, prefix: &[u8], after: &[u8], limit: usize) -> Result<Rows, StoreError> {
        self.leave.check()?;
        self.read.scan(table, prefix, after, limit)
    }

    fn scan_back(&self, table: Table, prefix: &[u8], before: &[u8], limit: usize) -> Result<Rows, StoreError> {
        self.leave.check()?;
        self.read.scan_back(table, prefix, before, limit)
    }

    fn search(&self, terms: &[Vec<String>], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.leave.check()?;
        self.read.search(terms, limit)
    }
}
