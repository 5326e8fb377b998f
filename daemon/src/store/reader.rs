//! Reading beside the driver, for lists and search.

use std::sync::Arc;

use kith_protocol::store::{Over, Read, StoreError, Table};
use rusqlite::Connection;

use super::rows::{self, Plain};
use super::{GENERATION, Recent, locked, store_error};

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
        f(&Over::new(&Plain(&tx), &recent))
    }
}
