//! What can be typed. Help texts are the doc comments: of the flags for everything in `global.rs`, of a noun in its own file.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
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
            let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
            let error = usage(error);
            let json = std::env::args_os().any(|arg| arg == "--json");
            if json && error.use_stderr() {
                ui::complain_json(&as_refusal(&error.render().to_string()));
            } else if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
                // Only now is it worth the time to put all of it together as people read it.
                let again = grammar().try_get_matches_from(std::env::args_os()).err();
                drop(again.as_ref().unwrap_or(&error).print());
            } else if error.use_stderr() {
                ui::usage_error(&error);
            } else {
                drop(error.print());
            }
            code
        })
    }
}

/// A mistake for machines: the whole of its first paragraph, which names what is missing, and how the command goes.
fn as_refusal(told: &str) -> Error {
    let first = told.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
    let usage = told.lines().find_map(|line| line.strip_prefix("Usage: "));
    let hint =
        usage.map_or_else(|| "See `kith --help`.".to_owned(), |usage| format!("It goes like this: `{}`.", clean::line(usage)));
    Error::new(Code::Usage, sentence(clean::line(first.trim_start_matches("error: "))), hint)
}

/// What clap says, as a sentence: it begins with a small letter and ends without a period.
fn sentence(mut text: String) -> String {
    text.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
    if !text.is_empty() && !text.ends_with(['.', '?', '!']) {
        text.push('.');
    }
    text
}

/// A mistake, with what helps: several words want quotes, and what is suggested is to be what was meant.
fn usage(mut error: clap::Error) -> clap::Error {
    let text = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let typed = text(&error, ContextKind::InvalidArg).unwrap_or_default();
    // An option of every command is meant only by what begins like it: `--jsn`, not `--phone`.
    let begins = |option: &str| option.trim_start_matches('-').chars().next();
    let meant = text(&error, ContextKind::SuggestedArg);
    if meant.is_some_and(|meant| is_global(&meant) && begins(&meant) != begins(&typed)) {
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Suggested);
        // It shows the command with what was suggested.
        error.remove(ContextKind::Usage);
    }
    if error.kind() == ErrorKind::UnknownArgument && !typed.starts_with('-') {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![one_word_too_many(&typed, std::env::args()).into()]));
    }
    error
}

fn is_global(option: &str) -> bool {
    let name = option.trim_start_matches('-').split(['=', ' ']).next().unwrap_or_default().to_owned();
    Args::command().get_arguments().any(|arg| arg.is_global_set() && arg.get_long() == Some(&name))
}

/// What to do about a word that has no place: it belongs to the one before it, or it is a title.
fn one_word_too_many(typed: &str, words: impl Iterator<Item = String>) -> String {
    let mut command = Args::command();
    for word in words.skip(1) {
        let Some(sub) = command.find_subcommand(&word) else { continue };
        command = sub.clone();
    }
    let takes_words = command.get_positionals().next().is_some();
    let titled = command.get_arguments().any(|arg| arg.get_long() == Some("title"));
    if titled && !takes_words {
        return format!("Give the title with --title, and put quotes around several words: --title \"{typed} ...\"");
    }
    if !takes_words && !command.has_subcommands() {
        return format!("A circle is named with -c, in quotes if it has several words: -c \"{typed}\"");
    }
    "Put quotes around a name or text of several words: \"Tea party\"".to_owned()
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

    /// What may be empty: running text, and what an empty word takes back or leaves out.
    const MAY_BE_EMPTY: [&str; 9] = ["body", "country", "emoji", "role", "value", "words", "answer", "tags", "name"];

    /// Every command with its positional arguments.
    fn arguments(command: &clap::Command, path: &[String], found: &mut Vec<(Vec<String>, Vec<String>)>) {
        for sub in command.get_subcommands() {
            let path = [path, &[sub.get_name().to_owned()]].concat();
            let names: Vec<String> = sub.get_positionals().map(|arg| arg.get_id().to_string()).collect();
            found.push((path.clone(), names));
            arguments(sub, &path, found);
        }
    }

    #[test]
    fn nothing_is_named_by_an_empty_word() {
        let (mut found, mut tried) = (Vec::new(), 0);
        arguments(&Args::command(), &["kith".to_owned()], &mut found);
        for (path, names) in &found {
            for (at, name) in names.iter().enumerate().filter(|(_, name)| !MAY_BE_EMPTY.contains(&name.as_str())) {
                let words = names.iter().enumerate().map(|(other, _)| if other == at { "" } else { "1" });
                let parsed = Args::try_parse_from(path.iter().map(String::as_str).chain(words)).map(drop);
                let refused = parsed.err().map(|error| error.to_string()).unwrap_or_default();
                assert!(refused.contains(&name.to_uppercase()), "{path:?} {name}: {refused}");
                tried += 1;
            }
        }
        assert!(tried > 25, "{tried}");
        for line in ["kith -c= note list", "kith import --undo=", "kith circle leave --successor=", "kith note new --cw= x"] {
            let refused = Args::try_parse_from(line.split(' ')).map(drop).unwrap_err().to_string();
            assert!(refused.contains("invalid value ''"), "{line}: {refused}");
        }
    }

    #[test]
    fn what_is_missing_is_named_to_machines_too() {
        let told = |line: &str| as_refusal(&Args::try_parse_from(line.split(' ')).map(drop).unwrap_err().render().to_string());
        let missing = told("kith note react");
        assert_eq!(missing.message, "The following required arguments were not provided: <ID> <EMOJI>.");
        assert!(missing.hints.to_string().contains("kith note react"), "{}", missing.hints);
        let event = told("kith event new --title Circle");
        assert!(event.message.contains("--starts <TIME>"), "{}", event.message);
        assert!(told("kith note list --limit 0").message.starts_with("Invalid value '0' for '--limit <N>'"));
    }

    /// What is said about a line that cannot be understood.
    fn said(line: &[&str]) -> String {
        usage(Args::try_parse_from(std::iter::once(&"kith").chain(line)).unwrap_err()).to_string()
    }

    #[test]
    fn only_what_could_be_meant_is_suggested() {
        assert!(!said(&["resource", "new", "--phone", "112"]).contains("--home"));
        assert!(said(&["note", "list", "--jsn"]).contains("--json"));
        assert!(said(&["event", "new", "--title", "x", "--start", "18:00"]).contains("--starts"));
    }

    #[test]
    fn several_words_want_quotes() {
        assert!(said(&["circle", "new", "Tea", "party"]).contains("Put quotes around"));
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(one_word_too_many("party", words("kith circle new Tea party").into_iter()).starts_with("Put quotes"));
        assert!(one_word_too_many("Tea", words("kith event new Tea --starts 18:00").into_iter()).contains("--title \"Tea"));
        assert!(one_word_too_many("words", words("kith note new two words").into_iter()).starts_with("Put quotes"));
        for line in ["kith circle leave Tea", "kith export Tea", "kith inbox Tea", "kith note list Tea"] {
            assert!(one_word_too_many("Tea", words(line).into_iter()).contains("-c \"Tea\""), "{line}");
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
