//! Connections to the file: the key, and how SQLite is to behave.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use super::error::OpenError;
use crate::keystore::MasterKey;
use crate::limits::{BUSY, STATEMENTS};

/// A connection that has proved its key.
pub(super) fn connect(path: &Path, key: &MasterKey, flags: OpenFlags, cache_kib: i64) -> Result<Connection, OpenError> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Before the key, or a wrong one is told to standard error.
    conn.execute_batch("PRAGMA cipher_log_level = NONE")?;
    let raw = Zeroizing::new(data_encoding::HEXLOWER.encode(key.store_key().as_ref()));
    conn.execute_batch(&Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", raw.as_str())))?;
    conn.busy_timeout(BUSY)?;
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without this, SQLite plans a statement again whenever a bound of its range changes, which costs more than reading it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // The first read proves the key.
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(conn)
}
