//! Folds the write-ahead log into the file, on a thread and a connection of its own, so that no commit waits for it.

use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags};

use super::{OpenError, connect};
use crate::keystore::MasterKey;

/// Pages of the log from which it is folded.
const FOLD_PAGES: i32 = 1_000;
/// Pages from which a commit waits for it after all, so that the log stays bounded.
const WAIT_PAGES: i32 = 16_000;
/// KiB of pages kept in memory by the folding connection.
const CACHE_KIB: i64 = 512;

/// The thread. Ends once the hook that wakes it is gone.
#[derive(Debug)]
pub(super) struct Folder {
    thread: JoinHandle<()>,
}

impl Folder {
    /// Starts the thread, and has `writer` wake it.
    pub(super) fn start(writer: &mut Connection, path: &Path, key: &MasterKey) -> Result<Self, OpenError> {
        let conn = connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE, CACHE_KIB)?;
        let (wake, woken) = sync_channel(1);
        let spawned = std::thread::Builder::new().name("fold".to_owned()).spawn(move || {
            while woken.recv().is_ok() {
                fold(&conn);
            }
        });
        let thread = spawned.map_err(|error| OpenError::Io(error.to_string()))?;
        writer.wal_hook(Some(move |wal: &mut Wal, pages| {
            wake_or_wait(&wake, wal, pages);
            Ok(())
        }))?;
        Ok(Self { thread })
    }

    /// Ends the thread and closes its connection.
    pub(super) fn stop(self, writer: &mut Connection) {
        let unhooked = writer.wal_hook(None::<fn(&mut Wal, i32) -> rusqlite::Result<()>>);
        if unhooked.is_err() || self.thread.join().is_err() {
            tracing::warn!("the log's folding did not end in order");
        }
    }
}

fn wake_or_wait(wake: &SyncSender<()>, wal: &mut Wal, pages: i32) {
    if pages >= WAIT_PAGES && wal.checkpoint().is_err() {
        tracing::warn!("the store's log grows: it could not be folded");
    }
    if pages >= FOLD_PAGES
        && let Err(TrySendError::Disconnected(())) = wake.try_send(())
    {
        tracing::warn!("the store's log is folded by nobody");
    }
}

/// Waits for nobody: what readers still need is folded next time.
fn fold(conn: &Connection) {
    if let Err(error) = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!("the store's log could not be folded: {error}");
    }
}
