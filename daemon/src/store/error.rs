//! What can go wrong with a store, in the daemon's words and in the core's.

use kith_protocol::store::StoreError;
use rusqlite::ErrorCode;

use super::journal::JournalError;

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// Written by a newer program.
    #[error("the store has version {found}, this program knows {known}; install the newer kith again")]
    Newer {
        /// The file's version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// Written by a program from before the first release, whose circles mean something else today.
    #[error("the store has version {found}, written before the first release; this program reads version {oldest} and later")]
    Older {
        /// The file's version.
        found: i64,
        /// The oldest version that is read.
        oldest: i64,
    },
    /// The bytes are not what was written, or the key is not the file's.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// There is no store where one should be.
    #[error("the store is missing")]
    Missing,
    /// No room left.
    #[error("the disk is full")]
    Full,
    /// The disk or the operating system refused.
    #[error("the store cannot be opened: {0}")]
    Io(String),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Corrupt(what) => Self::Damaged(what),
            StoreError::Io(what) => Self::Io(what),
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        store_error(&error).into()
    }
}

/// What SQLite says, in the core's words. SQLite's messages name statements and tables, never values.
pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Io(error.to_string()),
    }
}

impl From<JournalError> for OpenError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Damaged => Self::Damaged("a record of its journal is not what was written".to_owned()),
            JournalError::Io(error) => Self::Io(error.to_string()),
        }
    }
}
