//! Why a command ends before its work is done, and the few ways to say so.

use kith_protocol::control::{Code, Error};

/// What the commands return.
pub(crate) type Result<T> = std::result::Result<T, Stop>;

/// Why a command ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// Something refused; told to the person, and the exit code follows from its code.
    #[error("{}", .0.message)]
    Refused(Error),
    /// `--dry-run`: what would be sent was shown, nothing was.
    #[error("dry run")]
    DryRun,
    /// All was said already; only the exit code is left.
    #[error("said")]
    Said(Code),
    /// Anyone who read our output went away: nothing is left to say.
    #[error("output closed")]
    Closed,
}

impl Stop {
    /// Which kind of refusal, if it is one.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(error) => Some(error.code),
            Self::Said(code) => Some(*code),
            Self::DryRun | Self::Closed => None,
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// A refusal of any kind.
pub(crate) fn refused(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Stop {
    let hint = hint.into();
    let hint = if hint.is_empty() { usual_hint(code).to_owned() } else { hint };
    Stop::Refused(Error::new(code, message, hint))
}

/// What to do next where nothing better is known: nobody is left with a message alone.
const fn usual_hint(code: Code) -> &'static str {
    match code {
        Code::Usage | Code::TooLarge => "Add `--help` to the command to see how it works.",
        Code::NotFound | Code::Ambiguous => "Check the name or path.",
        Code::NeedsConfirmation | Code::NeedsPassphrase => "Nothing was done; try again.",
        Code::TimedOut => "`kith status` shows how things are now.",
        Code::NotRunning => "`kith start` starts it.",
        Code::Locked => "`kith unlock` unlocks it.",
        Code::NotAllowed => "A steward of the circle can do it.",
        Code::DiskFull => "Make room on the disk and try again; what was saved is safe.",
        Code::Failed | Code::Damaged => "Try again. `kith doctor` and `kith daemon logs` tell more.",
    }
}

/// Something went wrong.
pub(crate) fn failed(message: impl Into<String>, hint: impl Into<String>) -> Stop {
    refused(Code::Failed, message, hint)
}

/// What was typed makes no sense.
pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Stop {
    refused(Code::Usage, message, hint)
}

/// A file or folder would not do what was asked.
pub(crate) fn io(what: &str, path: &std::path::Path, error: &std::io::Error) -> Stop {
    let code = if error.kind() == std::io::ErrorKind::StorageFull {
        Code::DiskFull
    } else if error.kind() == std::io::ErrorKind::NotFound {
        Code::NotFound
    } else {
        Code::Failed
    };
    refused(code, format!("{what} {}: {}.", path.display(), reason(error)), io_hint(error.kind()))
}

/// What to do about a file or folder; nothing of it is the daemon's.
fn io_hint(kind: std::io::ErrorKind) -> &'static str {
    use std::io::ErrorKind;
    let hints: [(&[ErrorKind], &str); 4] = [
        // The usual ones say it.
        (&[ErrorKind::StorageFull, ErrorKind::NotFound], ""),
        (&[ErrorKind::NotADirectory, ErrorKind::AlreadyExists], "A file is where a folder is needed. Choose another place."),
        (&[ErrorKind::IsADirectory], "It is a folder. Name a file."),
        (&[ErrorKind::PermissionDenied], "Look at who may read and write there, or choose another place."),
    ];
    let known = hints.iter().find(|(kinds, _)| kinds.contains(&kind));
    known.map_or("Check the path, or choose another place.", |(_, hint)| hint)
}

/// An I/O error without its number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}
