//! Takes the write-ahead log into the file (SQLite calls it a checkpoint), on a thread and a connection of its own, so that no commit waits for it.

use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags};

use super::connection::connect;
use super::error::OpenError;
use crate::keystore::MasterKey;
use crate::limits::{CHECKPOINT_CACHE_KIB, CHECKPOINT_PAGES, WAIT_PAGES};

/// The thread. Ends once the hook that wakes it is gone.
#[derive(Debug)]
pub(super) struct Checkpointer {
    thread: JoinHandle<()>,
}

impl Checkpointer {
    /// Starts the thread, and has `writer` wake it.
    pub(super) fn start(writer: &mut Connection, path: &Path, key: &MasterKey) -> Result<Self, OpenError> {
        let conn = connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE, CHECKPOINT_CACHE_KIB)?;
        let (wake, woken) = sync_channel(1);
        let spawned = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(move || {
            while woken.recv().is_ok() {
                checkpoint(&conn);
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
            tracing::warn!("the log's checkpoints did not end in order");
        }
    }
}

fn wake_or_wait(wake: &SyncSender<()>, wal: &mut Wal, pages: i32) {
    if pages >= WAIT_PAGES && wal.checkpoint().is_err() {
        tracing::warn!("the store's log grows: no checkpoint was possible");
    }
    if pages >= CHECKPOINT_PAGES
        && let Err(TrySendError::Disconnected(())) = wake.try_send(())
    {
        tracing::warn!("the store's log grows: nobody makes checkpoints");
    }
}

/// Waits for nobody: what readers still need is taken next time.
fn checkpoint(conn: &Connection) {
    if let Err(error) = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!("no checkpoint was possible: {error}");
    }
}
