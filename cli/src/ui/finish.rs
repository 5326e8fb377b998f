//! The one place that tells a person (or a script) how a command ended.

use std::process::ExitCode;

use super::{Line, Ui, complain_json};
use crate::error::{Result, Stop};
use crate::exit::code;

/// Say how it ended, on stderr, and turn it into an exit code.
pub(crate) fn finish(ui: &Ui, result: Result<()>) -> ExitCode {
    ui.turn_pages();
    match result {
        Ok(()) | Err(Stop::DryRun | Stop::Closed) => ExitCode::SUCCESS,
        Err(Stop::Said(kind)) => ExitCode::from(code(kind)),
        Err(Stop::Refused(error)) => {
            if ui.json {
                complain_json(&error);
            } else {
                // What others wrote may be in it: rows that go on are marked.
                ui.complain(&Line::new().warn("kith: ").text(&error.message));
                for line in error.hints.to_string().lines().filter(|line| !line.is_empty()) {
                    ui.complain(&Line::new().text("      ").dim(line));
                }
            }
            ExitCode::from(code(error.code))
        }
    }
}
