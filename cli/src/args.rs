//! What can be typed. Help texts are the doc comments: of the flags for everything in `global.rs`, of a noun in its own file.

use std::process::ExitCode;

use clap::Parser;
use kith_protocol::control::{Code, Error};

use crate::commands::Command;
use crate::global::Global;
use crate::ui::{self, clean};

/// Kith keeps a peer-support circle's notes, events and resources on its members' own machines.
#[derive(Debug, Parser)]
#[command(name = "kith", version, propagate_version = true, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// Read the command line; help, version and mistakes end here.
    pub(crate) fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            let json = std::env::args_os().any(|arg| arg == "--json");
            if json && error.use_stderr() {
                let text =
                    clean::line(error.render().to_string().lines().next().unwrap_or_default().trim_start_matches("error: "));
                let refusal = Error::new(Code::Usage, text, "See `kith --help`.");
                ui::complain_json(&refusal);
            } else {
                drop(error.print());
            }
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::CommandFactory;

    use super::*;
    use crate::global::Wait;

    #[test]
    fn the_grammar_holds() {
        Args::command().debug_assert();
    }

    #[test]
    fn globals_stand_before_or_after() {
        let before = Args::try_parse_from(["kith", "--json", "-c", "Night shift", "note", "list"]).unwrap();
        let after = Args::try_parse_from(["kith", "note", "list", "-c", "Night shift", "--json"]).unwrap();
        assert_eq!(before.global.circle, after.global.circle);
        assert!(before.global.json && after.global.json);
    }

    #[test]
    fn waiting() {
        let parse = |flag: &str| Args::try_parse_from(["kith", "note", "list", flag]).unwrap().global.wait;
        assert_eq!(parse("--wait"), Some(Wait(None)));
        assert_eq!(parse("--wait=60s"), Some(Wait(Some(Duration::from_secs(60)))));
        assert!(Args::try_parse_from(["kith", "note", "list", "--wait=soon"]).is_err());
    }

    #[test]
    fn the_examples_parse() {
        let lines: &[&[&str]] = &[
            &["init", "--name", "Amara", "--passphrase-file", "pass.txt"],
            &["circle", "new", "Night shift", "--retention", "90d", "--agreement", "rules.md"],
            &["invite", "new", "-c", "Night shift", "--expires", "72h"],
            &["invite", "show", "-"],
            &["invite", "accept", "-", "--as", "Bea", "--yes", "--wait=60s"],
            &["invite", "approve", "q-abc", "-c", "Night shift"],
            &["note", "new", "-c", "Night shift", "--title", "On-call", "--want", "listen", "--cw", "burnout", "-"],
            &["note", "list", "--new"],
            &[
                "event",
                "new",
                "--title",
                "Circle",
                "--starts",
                "2026-12-01T18:00",
                "--tz",
                "Europe/Madrid",
                "--duration",
                "1h",
                "--rrule",
                "FREQ=WEEKLY;COUNT=8",
            ],
            &["event", "rsvp", "e-abc", "yes"],
            &["resource", "new", "--title", "EAP hotline", "--url", "https://example.org", "--tag", "eap", "--lang", "en"],
            &["note", "reply", "n-abc", "I am here, no advice."],
            &["note", "react", "n-abc", "❤"],
            &["member", "remove", "Chioma", "-c", "Night shift", "--confirm", "Chioma", "--passphrase-file", "pass.txt"],
            &["import", "meetings.ics", "-c", "Night shift"],
            &["export", "-c", "Night shift", "--only", "events", "-o", "-"],
        ];
        for line in lines {
            let words = std::iter::once(&"kith").chain(line.iter());
            assert!(Args::try_parse_from(words).is_ok(), "{line:?}");
        }
    }
}
