//! The home folder: its layout, its permissions, and that only one daemon lives in it.

use kith_protocol::control::Hint;
use kith_protocol::limits::SOCKET_PATH_BYTES;

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another daemon lives here.
    #[error("another kithd already runs for this home")]
    Taken,
    /// The path does not fit into a socket's address.
    #[error("the home's path is too long for a socket by {0} bytes")]
    TooLong(usize),
    /// Somebody else's folder.
    #[error("the home {0} belongs to another user")]
    NotMine(PathBuf),
    /// The disk or the operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What was said.
        source: std::io::Error,
    },
}

/// A home folder and the places in it.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// Makes the folder ready: there, ours, closed to others.
    ///
    /// # Errors
    /// [`HomeError`] where it is not and cannot be made so.
    pub(crate) fn prepare(root: &Path) -> Result<Self, HomeError> {
        make_private(root)?;
        let root = root.canonicalize().map_err(|source| HomeError::Io { path: root.to_owned(), source })?;
        let home = Self { root };
        let over = home.socket().as_os_str().len().saturating_sub(SOCKET_PATH_BYTES);
        if over > 0 {
            return Err(HomeError::TooLong(over));
        }
        for folder in [home.run_dir(), home.log_dir()] {
            make_private(&folder)?;
        }
        Ok(home)
    }

    /// Takes the home for this process, until the returned file is dropped.
    ///
    /// # Errors
    /// [`HomeError::Taken`] where another process has it.
    pub(crate) fn lock(&self) -> Result<File, HomeError> {
        let path = self.root.join("kithd.lock");
        let io = |source| HomeError::Io { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {
                // A daemon that does not answer is found by this; only the holder of the lock writes it.
                let pid = std::process::id().to_string();
                file.set_len(0).and_then(|()| (&file).write_all(pid.as_bytes())).map_err(io)?;
                Ok(file)
            }
            Err(TryLockError::WouldBlock) => Err(HomeError::Taken),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// The folder itself.
    #[must_use]
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// `config.toml`.
    #[must_use]
    pub(crate) fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// `keys.toml`; the home is initialised once it is there.
    #[must_use]
    pub(crate) fn keys(&self) -> PathBuf {
        self.root.join("keys.toml")
    }

    /// `store.db`.
    #[must_use]
    pub(crate) fn store(&self) -> PathBuf {
        self.root.join("store.db")
    }

    /// `run/kithd.sock`.
    #[must_use]
    pub(crate) fn socket(&self) -> PathBuf {
        self.run_dir().join("kithd.sock")
    }

    /// `log/kithd.log`.
    #[must_use]
    pub(crate) fn log(&self) -> PathBuf {
        self.log_dir().join("kithd.log")
    }

    fn run_dir(&self) -> PathBuf {
        self.root.join("run")
    }

    fn log_dir(&self) -> PathBuf {
        self.root.join("log")
    }
}

fn make_private(folder: &Path) -> Result<(), HomeError> {
    let io = |source| HomeError::Io { path: folder.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
    let meta = std::fs::metadata(folder).map_err(io)?;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(HomeError::NotMine(folder.to_owned()));
    }
    if meta.permissions().mode() & 0o777 != 0o700 {
        std::fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(io)?;
    }
    Ok(())
}

/// Where a home cannot be used, another one can; `brings` says what for.
pub(crate) fn another_home(brings: &str) -> Hint {
    Hint::run("", "init", &["--home", "DIR"], brings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_private_and_has_one_daemon() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::prepare(&dir.path().join("a/b")).expect("a home");
        let mode = std::fs::metadata(home.root()).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let lock = home.lock().expect("free");
        assert!(matches!(home.lock(), Err(HomeError::Taken)));
        let pid = std::fs::read_to_string(home.root().join("kithd.lock")).expect("reads");
        assert_eq!(pid, std::process::id().to_string(), "the process is named");
        drop(lock);
        assert!(home.lock().is_ok());
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(matches!(Home::prepare(&dir.path().join("x".repeat(120))), Err(HomeError::TooLong(_))));
    }
}
