//! Core and daemon give hints as data, so that a page can show them too: no sentence of theirs names a command or an option of the
//! terminal.

use std::collections::BTreeSet;

use crate::{is_test, none, project_files, read, with_extension};

/// What people type behind `kith`: the nouns and verbs that have a file, and those that share one.
fn typed() -> BTreeSet<String> {
    let files = with_extension("rs").into_iter().filter_map(|path| {
        let rest = path.strip_prefix("cli/src/commands/")?.strip_suffix(".rs")?.to_owned();
        (!rest.contains('/')).then_some(rest)
    });
    files.chain(["start", "stop", "lock", "unlock", "passphrase", "reply"].map(str::to_owned)).collect()
}

/// What stands between quotes in a source text; comments left out.
fn strings(code: &str) -> Vec<String> {
    let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n").replace("'\"'", "' '");
    let (mut found, mut open, mut escaped) = (Vec::new(), None::<String>, false);
    for c in code.chars() {
        match &mut open {
            Some(text) if c != '"' || escaped => {
                escaped = c == '\\' && !escaped;
                text.push(c);
            }
            Some(_) => found.extend(open.take()),
            None if c == '"' => open = Some(String::new()),
            None => {}
        }
    }
    found
}

/// Commands that a string names.
fn commands<'a>(text: &'a str, typed: &BTreeSet<String>) -> Vec<&'a str> {
    let named = text.split("kith ").skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default());
    named.filter(|word| typed.contains(*word)).collect()
}

/// Options that a string names: two hyphens and a word. An option alone is an argument of a command, and a command is data.
fn options(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || "`(),.;:".contains(c));
    let is_option = |word: &&str| word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    let named = words.filter(is_option);
    if text.contains(char::is_whitespace) { named.collect() } else { Vec::new() }
}

/// Where text for a terminal belongs: what turns data into it, and programs that are run there.
fn is_of_a_terminal(path: &str) -> bool {
    path == "protocol/src/control/hint.rs" || path.starts_with("daemon/src/bin/") || path == "daemon/src/config.rs"
}

#[test]
fn options_are_found() {
    assert_eq!(options("Use `--home DIR`, or --limit."), ["--home", "--limit"]);
    assert_eq!(options("a -- b --- c 5--6"), [""; 0]);
    assert_eq!(options("--confirm"), [""; 0], "it is an argument of `Hint::run`");
}

#[test]
fn no_sentence_of_core_and_daemon_names_a_command_or_an_option() {
    let typed = typed();
    assert!(typed.contains("circle") && typed.contains("doctor") && typed.len() > 20, "{typed:?}");
    assert_eq!(commands("Try `kith circle list`, or kith rooms.", &typed), ["circle"], "the rule finds what it is to find");
    assert_eq!(strings("say(\"a \\\"b\\\"\", '\"', \"c\"); // \"d\"\n// \"e\"").len(), 3);
    let mut named = Vec::new();
    let ours = |path: &String| ["protocol/src/", "daemon/src/"].iter().any(|folder| path.starts_with(folder));
    for path in project_files().into_iter().filter(ours).filter(|path| path.ends_with(".rs")) {
        if is_test(&path) || is_of_a_terminal(&path) {
            continue;
        }
        let text = read(&path);
        // What stands behind it is compiled for tests only.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let shown = strings(code).into_iter().filter(|text| !commands(text, &typed).is_empty() || !options(text).is_empty());
        named.extend(shown.map(|text| format!("{path}: {text}")));
    }
    none("hints that only a terminal understands; use `Hint::run`", &named);
}
