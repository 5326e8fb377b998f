//! The log: lines without content, names or titles; at most two files of 2 MiB.
//!
//! Only this program's own targets are on; libraries that print addresses or bytes stay silent.

use crate::limits::LOG_BYTES;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Starts the log: to the file, or to standard error with more detail. A second call in one process changes nothing.
///
/// # Errors
/// Where the file cannot be opened.
pub(crate) fn start(path: &Path, verbose: bool) -> io::Result<()> {
    redact_panics();
    let filter = |level| EnvFilter::new(format!("off,kith_daemon={level},kith_protocol={level}"));
    let done = if verbose {
        tracing_subscriber::fmt().with_env_filter(filter("debug")).with_writer(io::stderr).try_init()
    } else {
        let file = CappedFile::open(path, LOG_BYTES)?;
        tracing_subscriber::fmt().with_env_filter(filter("info")).with_ansi(false).with_writer(file).try_init()
    };
    if done.is_err() {
        tracing::debug!("the log runs already");
    }
    Ok(())
}

/// A panic's message may carry what a person wrote; its place says enough.
fn redact_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        tracing::error!("a fault in kithd at {place}");
    }));
}

/// A log file that moves itself aside when it is full.
#[derive(Clone, Debug)]
struct CappedFile(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: File,
    bytes: u64,
    max: u64,
}

impl CappedFile {
    fn open(path: &Path, max: u64) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self(Arc::new(Mutex::new(Inner { path: path.to_owned(), file, bytes, max }))))
    }
}

impl Write for CappedFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.bytes >= inner.max {
            std::fs::rename(&inner.path, inner.path.with_extension("log.1"))?;
            inner.file = File::options().append(true).create(true).open(&inner.path)?;
            inner.bytes = 0;
        }
        let written = inner.file.write(line)?;
        inner.bytes += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).file.flush()
    }
}

impl MakeWriter<'_> for CappedFile {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hook belongs to a whole process, so the test runs itself in one of its own.
    #[test]
    fn u8_a_fault_is_logged_by_its_place_and_without_content() {
        const INSIDE: &str = "KITHD_TEST_FAULT";
        let test = "logging::tests::u8_a_fault_is_logged_by_its_place_and_without_content";
        if let Some(path) = std::env::var_os(INSIDE) {
            start(Path::new(&path), false).expect("starts");
            std::panic::catch_unwind(|| "1x".parse::<u8>().expect("somebody's zaunkönig")).ok();
            std::process::exit(0);
        }
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("kithd.log");
        let mut command = std::process::Command::new(std::env::current_exe().expect("a test knows its own path"));
        let out = command.args([test, "--exact", "--nocapture"]).env(INSIDE, &path).output().expect("runs");
        let log = std::fs::read_to_string(&path).expect("a log");
        assert!(log.contains("a fault in kithd at ") && log.contains("logging.rs"), "{log}");
        let said = format!("{log}{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(!said.contains("zaunkönig") && !said.contains("somebody"), "{said}");
    }

    #[test]
    fn the_log_stays_small() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("kithd.log");
        let mut file = CappedFile::open(&path, 100).expect("opens");
        for _ in 0..50 {
            file.write_all(&[b'x'; 30]).expect("writes");
        }
        assert!(std::fs::metadata(&path).expect("is there").len() <= 130);
        assert!(std::fs::metadata(path.with_extension("log.1")).expect("is there").len() <= 130);
    }
}
