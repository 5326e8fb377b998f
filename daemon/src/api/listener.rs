//! The socket: made for this user only, and every peer's uid is checked on top.

use crate::limits::BREATH;

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

/// The listening socket; its file goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    uid: u32,
}

impl Socket {
    /// Binds in a folder that only this user enters. The caller holds the home's lock, so what lies there is a leftover.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path: path.to_owned(), uid: rustix::process::geteuid().as_raw() })
    }

    fn mine(&self, stream: &UnixStream) -> bool {
        stream.peer_cred().is_ok_and(|peer| peer.uid() == self.uid)
    }
}

impl axum::serve::Listener for Socket {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, addr)) if self.mine(&stream) => return (stream, addr),
                Ok(_) => tracing::warn!("another user tried the local API"),
                Err(error) => {
                    tracing::warn!("the local API: {}", error.kind());
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}
