//! Where things are in a home folder, as far as the command line may know.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::{self, Result};
use kith_protocol::limits::SOCKET_PATH_BYTES;

/// A home folder; it need not exist.
#[derive(Clone, Debug)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// The one that was named, else the platform's data folder.
    pub(crate) fn find(named: Option<&Path>) -> Result<Self> {
        let from_env = std::env::var_os("KITH_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
        let Some(path) = named.map(Path::to_path_buf).or(from_env).or_else(platform) else {
            return Err(error::usage("No home folder is known.", "Name one with --home DIR or KITH_HOME."));
        };
        let path = std::path::absolute(&path).map_err(|e| error::io("Cannot use", &path, &e))?;
        let home = Self(path);
        if home.socket().as_os_str().len() > SOCKET_PATH_BYTES {
            return Err(error::usage(
                format!("The path {} is too long for a local socket.", home.0.display()),
                format!("Choose a shorter --home (at most {} bytes).", SOCKET_PATH_BYTES - "/run/kithd.sock".len()),
            ));
        }
        Ok(home)
    }

    /// No folder at all, for what needs none: nothing can be found or made in it.
    pub(crate) fn nowhere() -> Self {
        Self(PathBuf::from("/dev/null"))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Is there such a folder at all?
    pub(crate) fn exists(&self) -> bool {
        self.0.is_dir()
    }

    /// Has somebody begun here, so that there are keys?
    pub(crate) fn is_begun(&self) -> bool {
        self.0.join("keys.toml").exists()
    }

    /// Refuse a folder of another user's: its owner can put their own program where the daemon listens, and read what is
    /// written there. One that is not there yet is nobody's.
    pub(crate) fn must_be_mine(&self) -> Result<()> {
        use std::os::unix::fs::MetadataExt;
        let me = rustix::process::geteuid().as_raw();
        for folder in [self.0.clone(), self.0.join("run")] {
            if std::fs::metadata(&folder).is_ok_and(|meta| meta.uid() != me) {
                return Err(error::failed(
                    format!("The folder {} belongs to another user; nothing was sent or written there.", folder.display()),
                    "Choose another --home, or run kith as that user.",
                ));
            }
        }
        Ok(())
    }

    /// The daemon's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("run").join("kithd.sock")
    }

    /// Does a daemon hold this home? One that ends goes on holding it for a moment after its socket is closed. Asking takes a shared
    /// lock, so that two who ask at once do not take each other for a daemon.
    pub(crate) fn is_held(&self) -> bool {
        let lock = std::fs::File::open(self.0.join("kithd.lock"));
        lock.is_ok_and(|file| matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
    }

    /// The process that holds this home, where one does.
    pub(crate) fn holder(&self) -> Option<rustix::process::Pid> {
        let text = self.is_held().then(|| std::fs::read_to_string(self.0.join("kithd.lock")).ok()).flatten()?;
        // Numbers below name groups of processes, or all.
        let pid = text.trim().parse::<i32>().ok().filter(|pid| *pid > 1)?;
        rustix::process::Pid::from_raw(pid)
    }

    /// What the daemon says while it starts.
    pub(crate) fn start_log(&self) -> PathBuf {
        self.0.join("log").join("start.log")
    }

    /// Logs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.0.join("log")
    }

    /// The circle's own crisis card, where one is kept. Not encrypted, so that it is there when nothing else is.
    pub(crate) fn crisis_card(&self) -> PathBuf {
        self.0.join("crisis-card.md")
    }
}

/// Make a folder (and those above it) that only its owner may enter.
pub(crate) fn private_dir(path: &Path) -> Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| error::io("Cannot make the folder", path, &e))
}

fn platform() -> Option<PathBuf> {
    let user = std::env::var_os("HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    if cfg!(target_os = "macos") {
        return user.map(|home| home.join("Library/Application Support/kith"));
    }
    std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| user.map(|home| home.join(".local/share")))
        .map(|data| data.join("kith"))
}
