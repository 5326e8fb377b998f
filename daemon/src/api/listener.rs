//! The socket: made for this user only, and every peer's uid is checked on top. Where something takes its file away, it is made again.

use crate::limits::{BREATH, SOCKET_LOOK};

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

/// The listening socket; its file goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: UnixListener,
    /// Device and inode of its file.
    file: (u64, u64),
    path: PathBuf,
    uid: u32,
}

fn listen(path: &Path) -> io::Result<(UnixListener, (u64, u64))> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok((listener, file_at(path)?))
}

fn file_at(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|meta| (meta.dev(), meta.ino()))
}

impl Socket {
    /// Binds in a folder that only this user enters. The caller holds the home's lock, so what lies there is a leftover.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let (listener, file) = listen(path)?;
        Ok(Self { listener, file, path: path.to_owned(), uid: rustix::process::geteuid().as_raw() })
    }

    /// Makes the file again where it is gone: otherwise nobody can reach the daemon, not even to end it.
    fn mend(&mut self) {
        if file_at(&self.path).ok() == Some(self.file) {
            return;
        }
        match listen(&self.path) {
            Ok((listener, file)) => {
                tracing::warn!("the local socket was gone, and is there again");
                (self.listener, self.file) = (listener, file);
            }
            Err(error) => tracing::warn!("the local socket is gone: {}", error.kind()),
        }
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
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = tokio::time::sleep(SOCKET_LOOK) => {
                    self.mend();
                    continue;
                }
            };
            match accepted {
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

#[cfg(test)]
mod tests {
    use axum::serve::Listener;

    use super::*;

    /// Connects as soon as that is possible.
    async fn reach(path: &Path) -> UnixStream {
        loop {
            match UnixStream::connect(path).await {
                Ok(stream) => return stream,
                Err(_) => tokio::time::sleep(BREATH).await,
            }
        }
    }

    #[tokio::test]
    async fn a_socket_whose_file_is_gone_is_made_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("run/kithd.sock");
        let mut socket = Socket::bind(&path).expect("binds");
        for gone in [path.clone(), dir.path().join("run")] {
            if gone.is_dir() {
                std::fs::remove_dir_all(gone).expect("goes");
            } else {
                std::fs::remove_file(gone).expect("goes");
            }
            let both = async { tokio::join!(socket.accept(), reach(&path)) };
            tokio::time::timeout(10 * SOCKET_LOOK, both).await.expect("somebody is reached");
            let mode = std::fs::metadata(&path).expect("is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
