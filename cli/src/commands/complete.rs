//! What Tab offers: ids with their titles, people, circles. Asks a daemon that is running and unlocked, and nothing else.

use std::path::PathBuf;

use clap::Command;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use serde_json::Value;

use crate::client::{Client, Route};
use crate::global::Global;
use crate::home::Home;
use crate::limits::ID_CHARS;
use crate::ui::{Ui, clean};

/// The variable by which a shell asks.
pub(crate) const ASKED: &str = "KITH_COMPLETE";

/// What is completed: the noun of its command, the argument, and the list that it comes from.
const KNOWN: &[(&str, &str, List)] = &[
    ("note", "id", List::Items("notes")),
    ("event", "id", List::Items("events")),
    ("resource", "id", List::Items("resources")),
    ("member", "who", List::People("members")),
    ("invite", "id", List::Items("pending")),
    ("circle", "which", List::Circles),
];

#[derive(Clone, Copy, Debug)]
enum List {
    Circles,
    Items(&'static str),
    People(&'static str),
}

/// The grammar with completions of values.
pub(crate) fn with_values(command: Command) -> Command {
    with(command.mut_arg("circle", |arg| arg.add(completer(List::Circles))), "")
}

fn with(mut command: Command, noun: &str) -> Command {
    // A changed argument goes behind all others, so every one whose place counts is touched, in order.
    let places: Vec<String> = command.get_positionals().map(|arg| arg.get_id().to_string()).collect();
    for name in places {
        let list = KNOWN.iter().find(|(of, called, _)| *of == noun && *called == name).map(|(.., list)| *list);
        command = command.mut_arg(name, |arg| match list {
            Some(list) => arg.add(completer(list)),
            None => arg,
        });
    }
    let top = noun.is_empty();
    command.mut_subcommands(|sub| {
        let name = if top { sub.get_name().to_owned() } else { noun.to_owned() };
        with(sub, &name)
    })
}

fn completer(list: List) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &std::ffi::OsStr| candidates(list, &typed.to_string_lossy()).unwrap_or_default())
}

/// Nothing where there is no home, no daemon, or a locked one: Tab asks nobody and starts nothing.
fn candidates(list: List, typed: &str) -> Option<Vec<CompletionCandidate>> {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let home = Home::find(named(&words, &["--home"]).map(PathBuf::from).as_deref()).ok()?;
    let client = Client::new(&home, false, Ui::new(&Global::quiet())).ok()?;
    if !client.answers() {
        return None;
    }
    let circle = named(&words, &["-c", "--circle"]).unwrap_or_else(|| "-".to_owned());
    let (route, name) = match list {
        List::Circles => (Route::new("circles"), "circles"),
        List::Items(name) | List::People(name) => (Route::new("circles").seg(&circle).seg(name), name),
    };
    let items: Vec<Value> = client.get(&route).ok()?.field(name).ok()?;
    let found = items.iter().filter_map(|item| candidate(list, item));
    Some(found.filter(|(value, _)| value.starts_with(typed)).map(|(value, help)| shown(value, &help)).collect())
}

/// What is typed, and what it stands for.
fn candidate(list: List, item: &Value) -> Option<(String, String)> {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match list {
        List::Circles | List::People(_) => Some((text("name"), text("role"))).filter(|(name, _)| safe(name)),
        List::Items(_) => {
            let id: String = text("id").chars().take(ID_CHARS + 4).collect();
            let title = if text("title").is_empty() { text("name") } else { text("title") };
            Some((id, title)).filter(|(id, _)| safe(id))
        }
    }
}

/// What others wrote goes onto the command line only where nothing in it could do anything there.
fn safe(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || " -_.".contains(c)) && !value.starts_with('-')
}

fn shown(value: String, help: &str) -> CompletionCandidate {
    let help = clean::name(help);
    CompletionCandidate::new(value).help((!help.is_empty()).then(|| help.into()))
}

/// The value of a flag among the words that are typed already.
fn named(words: &[String], flags: &[&str]) -> Option<String> {
    words
        .windows(2)
        .find(|pair| pair.first().is_some_and(|word| flags.contains(&word.as_str())))
        .and_then(|pair| pair.get(1).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_argument_keeps_its_place() {
        use clap::{Arg, Command};
        let note = Command::new("react").arg(Arg::new("id").required(true)).arg(Arg::new("emoji").required(true));
        let kith = Command::new("kith").arg(Arg::new("circle").short('c').global(true));
        let grammar = with_values(kith.subcommand(Command::new("note").subcommand(note)));
        grammar.clone().debug_assert();
        let react = grammar.find_subcommand("note").and_then(|note| note.find_subcommand("react")).unwrap();
        let names: Vec<&str> = react.get_positionals().map(|arg| arg.get_id().as_str()).collect();
        assert_eq!(names, ["id", "emoji"]);
        let id = react.get_positionals().next().unwrap();
        assert!(id.get::<ArgValueCompleter>().is_some(), "Tab offers ids");
    }

    #[test]
    fn only_harmless_values_are_offered() {
        let item = |name: &str| serde_json::json!({ "name": name, "role": "member" });
        let offered = |name: &str| candidate(List::People("members"), &item(name)).map(|(value, _)| value);
        assert_eq!(offered("Amara Ö."), Some("Amara Ö.".to_owned()));
        for hostile in ["$(reboot)", "`x`", "a;b", "-rf", "a\nb", "a\u{1b}[0m", "", "a'b"] {
            assert_eq!(offered(hostile), None, "{hostile:?}");
        }
    }
}
