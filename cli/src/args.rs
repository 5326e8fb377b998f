//! What can be typed. Help texts are the doc comments: of the flags for everything in `global.rs`, of a noun in its own file.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Arg, CommandFactory, Parser};
use kith_protocol::control::{Code, Error};

use crate::commands::{Command, complete, examples};
use crate::global::Global;
use crate::ui::{self, clean};

/// Kith keeps a support circle's notes, events and resources on its members' own computers
#[derive(Debug, Parser)]
#[command(
    name = "kith",
    version,
    max_term_width = 100,
    after_help = "Run `kith` alone to see how things are and what to do next."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
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
            } else if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
                // Only now is it worth the time to put all of it together as people read it.
                let again = grammar().try_get_matches_from(std::env::args_os()).err();
                drop(again.as_ref().unwrap_or(&error).print());
            } else {
                drop(error.print());
            }
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }
}

/// All that can be typed, as help and manual pages show it: with examples, and the global options only once.
pub(crate) fn grammar() -> clap::Command {
    let root = Args::command();
    let globals: Vec<Arg> = root.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.clone().hide(true)).collect();
    root.mut_subcommands(|sub| {
        let name = sub.get_name().to_owned();
        explained(sub, &name, &globals)
    })
}

fn explained(command: clap::Command, path: &str, globals: &[Arg]) -> clap::Command {
    let examples = examples::of(path);
    let mut after = if examples.is_empty() { String::new() } else { format!("Examples:\n  {}\n\n", examples.join("\n  ")) };
    after.push_str("Global options, such as -c and --json: `kith --help`");
    let command = command.disable_help_subcommand(true).args(globals).after_help(after);
    command.mut_subcommands(|sub| {
        let path = format!("{path} {}", sub.get_name());
        explained(sub, &path, globals)
    })
}

/// Tells a shell what could be typed next, where it asks; the process ends then.
pub(crate) fn complete() {
    clap_complete::CompleteEnv::with_factory(|| complete::with_values(Args::command())).var(complete::ASKED).complete();
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::global::Wait;

    #[test]
    fn the_grammar_holds() {
        Args::command().debug_assert();
        grammar().debug_assert();
        complete::with_values(Args::command()).debug_assert();
    }

    /// The commands that do something, each by its words.
    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        for sub in command.get_subcommands() {
            let path = format!("{path} {}", sub.get_name()).trim().to_owned();
            if sub.has_subcommands() { leaves(sub, &path, found) } else { found.push(path) }
        }
    }

    /// The words of a line, as a shell takes it apart.
    fn shell_words(line: &str) -> Vec<String> {
        let line = line.split(['<', '>']).next().unwrap_or_default();
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for c in line.chars() {
            match quote {
                Some(open) if c == open => quote = None,
                None if c == '"' || c == '\'' => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                None if c == ' ' => words.extend(word.take()),
                Some(_) | None => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        words
    }

    #[test]
    fn every_help_has_examples_that_work_and_global_options_only_once() {
        let mut commands = Vec::new();
        leaves(&grammar(), "", &mut commands);
        assert!(commands.len() > 50, "{commands:?}");
        for path in &commands {
            let lines = examples::of(path);
            assert!(!lines.is_empty(), "`kith {path}` has no example");
            for line in lines {
                assert!(line.starts_with(&format!("kith {path}")), "{line}");
                let parsed = Args::try_parse_from(shell_words(line));
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
            let words = format!("kith {path} --help");
            let help = grammar().try_get_matches_from(words.split(' ')).unwrap_err().to_string();
            assert!(help.contains(lines[0]) && !help.contains("--passphrase-file <FILE>"), "{help}");
        }
        assert!(grammar().try_get_matches_from(["kith", "--help"]).unwrap_err().to_string().contains("--passphrase-file"));
        let asked = Args::try_parse_from(["kith", "help", "note", "new"]).unwrap_err();
        assert_eq!(asked.kind(), ErrorKind::DisplayHelp);
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
