//! Reading and writing the person's own files: bounded, and never through a symbolic link.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use kith_protocol::control::Code;

use crate::error::{self, Result};

const NOFOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// Read a whole file of at most `limit` bytes; a symbolic link is refused.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let file = OpenOptions::new().read(true).custom_flags(NOFOLLOW).open(path).map_err(|e| refuse_link("read", path, &e))?;
    let meta = file.metadata().map_err(|e| error::io("Cannot read", path, &e))?;
    if !meta.is_file() {
        return Err(error::failed(format!("{} is not an ordinary file.", path.display()), "Name an ordinary file."));
    }
    let bytes = up_to(file, limit).map_err(|e| error::io("Cannot read", path, &e))?;
    bytes.ok_or_else(|| {
        error::refused(
            Code::TooLarge,
            format!("{} has {}; at most {} fit here.", path.display(), size(meta.len()), size(limit as u64)),
            "Split it, or keep the file elsewhere and add a link.",
        )
    })
}

/// Read a text file; it has to be UTF-8.
pub(crate) fn read_text(path: &Path, limit: usize) -> Result<String> {
    let bytes = read(path, limit)?;
    String::from_utf8(bytes)
        .map(|text| text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        .map_err(|_| error::failed(format!("{} is not UTF-8 text.", path.display()), "Save it as UTF-8 and try again."))
}

/// Read a stream of at most `limit` bytes; `None` if there is more.
pub(crate) fn up_to(stream: impl Read, limit: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    stream.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= limit).then_some(bytes))
}

/// Write a new file that only its owner may read. `replace`: an ordinary file of that name may be replaced.
pub(crate) fn write(path: &Path, bytes: &[u8], replace: bool) -> Result<()> {
    let mut file = create(path, replace)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| error::io("Cannot write", path, &e))
}

/// Write zeros over a file, then remove it. What a journal or the disk itself keeps of it elsewhere, no program can reach.
pub(crate) fn wipe(path: &Path) {
    if let Ok(mut file) = OpenOptions::new().write(true).custom_flags(NOFOLLOW).open(path)
        && let Ok(meta) = file.metadata()
        && meta.is_file()
    {
        // Where it cannot be written over it is removed all the same.
        drop(std::io::copy(&mut std::io::repeat(0).take(meta.len()), &mut file).and_then(|_| file.sync_all()));
    }
    drop(std::fs::remove_file(path));
}

fn create(path: &Path, replace: bool) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600).custom_flags(NOFOLLOW);
    if replace {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let file = options.open(path).map_err(|e| {
        if e.kind() == std::io::ErrorKind::AlreadyExists {
            return error::failed(format!("{} is there already.", path.display()), "Move it away or choose another place.");
        }
        refuse_link("write", path, &e)
    })?;
    let meta = file.metadata().map_err(|e| error::io("Cannot write", path, &e))?;
    if meta.is_file() {
        Ok(file)
    } else {
        Err(error::failed(format!("{} is not an ordinary file.", path.display()), "Name an ordinary file."))
    }
}

fn refuse_link(verb: &str, path: &Path, error: &std::io::Error) -> error::Stop {
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return error::failed(
            format!("{} is a symbolic link; Kith does not {verb} through links.", path.display()),
            "Name the real file.",
        );
    }
    error::io(if verb == "read" { "Cannot read" } else { "Cannot write" }, path, error)
}

/// Bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{}.{} KiB", bytes / 1_024, bytes % 1_024 * 10 / 1_024),
        _ => format!("{}.{} MiB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_not_followed_and_sizes_are_held() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real");
        let link = dir.path().join("link");
        write(&real, b"hello", false).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(read(&real, 5).unwrap(), b"hello");
        assert_eq!(read(&real, 4).unwrap_err().code(), Some(Code::TooLarge));
        assert!(read(&link, 100).unwrap_err().to_string().contains("symbolic link"));
        assert!(write(&link, b"x", true).unwrap_err().to_string().contains("symbolic link"));
        assert!(write(&real, b"x", false).unwrap_err().to_string().contains("already"));
        write(&real, b"bye", true).unwrap();
        assert_eq!(read_text(&real, 5).unwrap(), "bye");
    }

    #[test]
    fn what_is_wiped_is_zeros_before_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("draft"), dir.path().join("other"));
        write(&path, b"nobody is to read this", false).unwrap();
        // A second name for the same bytes shows what became of them.
        std::fs::hard_link(&path, &other).unwrap();
        wipe(&path);
        assert!(!path.exists());
        assert_eq!(std::fs::read(&other).unwrap(), [0; 22]);
        let link = dir.path().join("link");
        write(&path, b"kept", false).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        wipe(&link);
        assert!(!link.is_symlink());
        assert_eq!(std::fs::read(&path).unwrap(), b"kept");
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(size(12), "12 bytes");
        assert_eq!(size(53_602), "52.3 KiB");
        assert_eq!(size(3 << 20), "3.0 MiB");
    }
}
