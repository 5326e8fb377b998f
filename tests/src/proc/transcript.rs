//! Plays a transcript: a Markdown file whose `console` blocks are what people type and see.
//!
//! ```text
//! amara$ kith note new --title "On-call" "Long night."      a prompt names whose home it is; `$` alone is the first one's
//! ? 6                                                       the exit code that is expected, where it is not 0
//! Saved [NOTE]                                              capital letters in brackets stand for a word that is kept for later
//! [..]                                                      anything within a line
//! ...                                                       any number of lines
//! ```
//! A command that only looks (`list`, `show`, `search` ...) is asked again for a while until it shows what is expected.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{LOOK, PATIENCE, binaries};

/// Verbs that change nothing, so that asking twice harms nobody.
const LOOKING: [&str; 9] = [" list", " show", " search", " inbox", " pending", " status", " doctor", " today", " export"];

#[derive(Debug, Default)]
struct Step {
    line: usize,
    who: String,
    command: String,
    code: i32,
    expected: Vec<String>,
}

/// Plays a transcript in homes below `folder`, which also is the working folder, with `files` copied into it.
///
/// # Errors
/// The first step whose output or exit code is not what the transcript says.
pub fn play(transcript: &str, folder: &Path) -> Result<(), String> {
    let steps = parse(transcript);
    let mut words = BTreeMap::new();
    let mut outcome = Ok(());
    for step in &steps {
        outcome = perform(step, folder, &mut words);
        if outcome.is_err() {
            break;
        }
    }
    let people: std::collections::BTreeSet<&str> = steps.iter().map(|step| step.who.as_str()).collect();
    for who in people {
        drop(shell(who, "kith stop --no-input", folder));
    }
    outcome
}

fn parse(transcript: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(transcript.lines()) {
        if line.starts_with("```") {
            inside = !inside && line.starts_with("```console");
            continue;
        }
        if !inside {
            continue;
        }
        match line.split_once("$ ") {
            Some((who, command)) if who.chars().all(|c| c.is_ascii_lowercase()) => {
                let who = if who.is_empty() { "amara" } else { who };
                steps.push(Step { line: number, who: who.to_owned(), command: command.to_owned(), ..Step::default() });
            }
            _ => {
                let Some(step) = steps.last_mut() else { continue };
                match line.strip_prefix("? ").and_then(|code| code.parse().ok()) {
                    Some(code) => step.code = code,
                    None => step.expected.push(line.to_owned()),
                }
            }
        }
    }
    steps
}

fn perform(step: &Step, folder: &Path, words: &mut BTreeMap<String, String>) -> Result<(), String> {
    let mut command = step.command.clone();
    for (name, word) in &*words {
        command = command.replace(&format!("[{name}]"), word);
    }
    let looks = LOOKING.iter().any(|verb| command.contains(verb));
    let start = Instant::now();
    loop {
        let (code, shown) = shell(&step.who, &command, folder);
        let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
        let expected: Vec<&str> = step.expected.iter().map(|line| line.trim_end()).collect();
        let mut found = words.clone();
        if code == step.code && fits(&expected, &lines, &mut found) {
            *words = found;
            return Ok(());
        }
        if !looks || start.elapsed() > PATIENCE / 2 {
            let expected = step.expected.join("\n");
            let line = step.line;
            return Err(format!(
                "line {line}: {}$ {command}\nexpected (exit {}):\n{expected}\nshown (exit {code}):\n{shown}",
                step.who, step.code
            ));
        }
        // Only another process can make the difference; look again.
        std::thread::sleep(LOOK * 4);
    }
}

/// Runs a line in a shell, with the binaries on its path; stdout and stderr together, as a terminal shows them.
fn shell(who: &str, line: &str, folder: &Path) -> (i32, String) {
    let folders = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{folders}", binaries().folder.display());
    let mut out = tempfile::tempfile().expect("a file");
    let also = |file: &File| Stdio::from(file.try_clone().expect("a second handle"));
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(folder).env("PATH", path).env("KITH_HOME", folder.join(who)).env("HOME", folder);
    shell.envs([("NO_COLOR", "1"), ("TZ", "UTC"), ("COLUMNS", "100"), ("LC_ALL", "C.UTF-8")]).env_remove("EDITOR");
    let status = shell.stdin(Stdio::null()).stdout(also(&out)).stderr(also(&out)).status().expect("a shell runs");
    let mut bytes = Vec::new();
    out.rewind().and_then(|()| out.read_to_end(&mut bytes)).expect("what was shown is read");
    (status.code().unwrap_or(-1), String::from_utf8_lossy(&bytes).into_owned())
}

fn fits(expected: &[&str], shown: &[&str], words: &mut BTreeMap<String, String>) -> bool {
    match expected.split_first() {
        None => shown.is_empty(),
        Some((&"...", rest)) => (0..=shown.len()).any(|skip| {
            let mut tried = words.clone();
            let fit = fits(rest, shown.get(skip..).unwrap_or_default(), &mut tried);
            if fit {
                *words = tried;
            }
            fit
        }),
        Some((line, rest)) => match shown.split_first() {
            Some((first, others)) => line_fits(line, first, words) && fits(rest, others, words),
            None => false,
        },
    }
}

/// Does a line fit? `[..]` is anything, `[WORD]` the word kept under that name, or a new one to keep.
fn line_fits(expected: &str, shown: &str, words: &mut BTreeMap<String, String>) -> bool {
    let Some((before, rest)) = expected.split_once('[') else { return expected == shown };
    let Some((name, after)) = rest.split_once(']') else { return expected == shown };
    let Some(shown) = shown.strip_prefix(before) else { return false };
    if name == ".." {
        let starts = shown.char_indices().map(|(at, _)| at).chain([shown.len()]);
        return starts.into_iter().any(|at| line_fits(after, shown.get(at..).unwrap_or_default(), words));
    }
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) {
        return shown.strip_prefix(&format!("[{name}]")).is_some_and(|shown| line_fits(after, shown, words));
    }
    if let Some(word) = words.get(name).cloned() {
        return shown.strip_prefix(&word).is_some_and(|shown| line_fits(after, shown, words));
    }
    let ends = shown.char_indices().map(|(at, _)| at).chain([shown.len()]).filter(|at| *at > 0);
    let ends: Vec<usize> = ends.take_while(|at| !shown.get(..*at).unwrap_or_default().contains(char::is_whitespace)).collect();
    ends.into_iter().rev().any(|end| {
        let (word, rest) = shown.split_at(end);
        let mut tried = words.clone();
        tried.insert(name.to_owned(), word.to_owned());
        let fit = line_fits(after, rest, &mut tried);
        if fit {
            *words = tried;
        }
        fit
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(expected: &str, shown: &str) -> Option<BTreeMap<String, String>> {
        let mut words = BTreeMap::new();
        let lines = |text: &'static str| text.lines().collect::<Vec<_>>();
        let (expected, shown): (String, String) = (expected.to_owned(), shown.to_owned());
        let (expected, shown) = (lines(expected.leak()), lines(shown.leak()));
        fits(&expected, &shown, &mut words).then_some(words)
    }

    #[test]
    fn wildcards_and_words() {
        assert!(fit("a\n...\nz", "a\nb\nc\nz").is_some());
        assert!(fit("a\n...\nz", "a\nb\nc").is_none());
        assert!(fit("at [..] there", "at 12:00 there").is_some());
        let words = fit("saved [NOTE]\nshown [NOTE].", "saved n-abc\nshown n-abc.").expect("fits");
        assert_eq!(words.get("NOTE").map(String::as_str), Some("n-abc"));
        assert!(fit("saved [NOTE]\nshown [NOTE]", "saved n-abc\nshown n-abd").is_none());
        assert!(fit("[eap] plain", "[eap] plain").is_some());
    }

    #[test]
    fn blocks_become_steps() {
        let steps = parse("text\n```console\n$ kith crisis\n...\nbea$ kith status\n? 3\nnot running\n```\n$ not this\n");
        assert_eq!(steps.len(), 2);
        assert_eq!((steps[1].who.as_str(), steps[1].code, steps[1].expected.len()), ("bea", 3, 1));
    }
}
