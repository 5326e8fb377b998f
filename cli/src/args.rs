//! What can be typed. Help texts are the doc comments.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, Parser, Subcommand};
use kith_protocol::control::{Code, Error};

use crate::commands::{
    circle, completions, crisis, daemon, demo, doctor, event, export, import, inbox, init, invite, join, man, member, note,
    power, resource, search, status, today, watch,
};
use crate::ui::clean;

/// Kith keeps a peer-support circle's notes, events and resources on its members' own machines.
#[derive(Debug, Parser)]
#[command(name = "kith", version, propagate_version = true, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes, before or after it.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Where Kith keeps everything [default: KITH_HOME, else the platform's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Which circle, by name or id; may be left out while there is only one
    #[arg(short, long, global = true, value_name = "CIRCLE")]
    pub(crate) circle: Option<String>,
    /// Answer in JSON, one object
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Stable, uncoloured lines, columns separated by tabs
    #[arg(long, global = true)]
    pub(crate) plain: bool,
    /// More detail
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Data and errors only, no talk
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Never ask anything, never start the daemon unasked
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Wait until it is done, or that long (`--wait=60s`)
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "", value_name = "DURATION", value_parser = wait)]
    pub(crate) wait: Option<Wait>,
    /// Show what would be sent and do nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Confirm what cannot be undone, by the name of what it is done to
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
    /// Read the passphrase from the first line of a file, or from stdin (-)
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// How long to wait; without a length, until it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) Option<Duration>);

/// The nouns and the verbs that have none.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Args),
    Join(join::Args),
    Start(power::Start),
    Stop(power::Stop),
    Lock(power::Lock),
    Unlock(power::Unlock),
    Status(status::Args),
    Doctor(doctor::Args),
    /// Circles: closed groups with their own keys, members and rules
    #[command(subcommand)]
    Circle(circle::Verb),
    /// Invites: how people come into a circle
    #[command(subcommand)]
    Invite(invite::Verb),
    /// Members of a circle
    #[command(subcommand)]
    Member(member::Verb),
    /// Notes: what people tell each other
    #[command(subcommand)]
    Note(note::Verb),
    /// Events: meetings, once or again and again
    #[command(subcommand)]
    Event(event::Verb),
    /// Resources: links, numbers and places worth keeping
    #[command(subcommand)]
    Resource(resource::Verb),
    Inbox(inbox::Args),
    Today(today::Args),
    Search(search::Args),
    Crisis(crisis::Args),
    Watch(watch::Args),
    Import(import::Args),
    Export(export::Args),
    Demo(demo::Args),
    /// The program in the background
    #[command(subcommand)]
    Daemon(daemon::Verb),
    Completions(completions::Args),
    Man(man::Args),
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
                crate::ui::complain_json(&refusal);
            } else {
                drop(error.print());
            }
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }
}

fn wait(text: &str) -> Result<Wait, String> {
    if text.is_empty() { Ok(Wait(None)) } else { duration(text).map(|d| Wait(Some(d))) }
}

/// A length of time as people write it: `60s`, `1h30m`, `72h`, `7d`, `2w`; a bare number counts seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no length of time; write it like 60s, 90m, 1h30m, 72h or 7d");
    let mut total = 0_u64;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit_len = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let seconds = match unit.trim() {
            "" | "s" | "sec" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return Err(wrong()),
        };
        total = number.checked_mul(seconds).and_then(|n| total.checked_add(n)).ok_or_else(wrong)?;
        rest = after;
    }
    Ok(Duration::from_secs(total))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_holds() {
        Args::command().debug_assert();
    }

    #[test]
    fn durations() {
        assert_eq!(duration("60s").unwrap().as_secs(), 60);
        assert_eq!(duration("1h30m").unwrap().as_secs(), 5_400);
        assert_eq!(duration("7d").unwrap().as_secs(), 604_800);
        assert_eq!(duration("5").unwrap().as_secs(), 5);
        for wrong in ["", "h", "5x", "-3s", "99999999999999999999s", "9999999999999999w"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
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
            &["invite", "approve", "r-abc", "-c", "Night shift"],
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
