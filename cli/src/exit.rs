//! Exit codes, and the one place that tells a person (or a script) how a command ended.

use std::process::ExitCode;

use kith_protocol::control::Code;

use crate::error::{Result, Stop};
use crate::ui::{Line, Ui};

/// Interrupted from the keyboard.
pub(crate) const INTERRUPTED: u8 = 130;
/// Told to end by another process.
pub(crate) const TERMINATED: u8 = 143;
/// The terminal went away.
pub(crate) const HUNG_UP: u8 = 129;

/// The exit code of a kind of refusal.
pub(crate) const fn code(code: Code) -> u8 {
    match code {
        Code::Failed | Code::DiskFull | Code::Damaged => 1,
        Code::Usage | Code::TooLarge => 2,
        Code::NotRunning => 3,
        Code::Locked => 4,
        Code::NotAllowed => 5,
        Code::NotFound | Code::Ambiguous => 6,
        Code::NeedsConfirmation | Code::NeedsPassphrase => 7,
        Code::TimedOut => 8,
    }
}

/// Say how it ended, on stderr, and turn it into an exit code.
pub(crate) fn finish(ui: &Ui, result: Result<()>) -> ExitCode {
    match result {
        Ok(()) | Err(Stop::DryRun | Stop::Closed) => ExitCode::SUCCESS,
        Err(Stop::Said(kind)) => ExitCode::from(code(kind)),
        Err(Stop::Refused(error)) => {
            if ui.json {
                crate::ui::complain_json(&error);
            } else {
                ui.complain(&Line::new().warn("kith: ").text(&error.message));
                for line in error.hint.lines().filter(|line| !line.is_empty()) {
                    ui.complain(&Line::new().text("      ").dim(line));
                }
            }
            ExitCode::from(code(error.code))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_contract() {
        let pairs = [
            (Code::Failed, 1),
            (Code::Usage, 2),
            (Code::NotRunning, 3),
            (Code::Locked, 4),
            (Code::NotAllowed, 5),
            (Code::Ambiguous, 6),
            (Code::NeedsPassphrase, 7),
            (Code::TimedOut, 8),
        ];
        for (kind, expected) in pairs {
            assert_eq!(code(kind), expected, "{kind:?}");
        }
    }
}
