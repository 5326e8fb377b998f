//! Plays a transcript: a Markdown file whose `console` blocks are what people type and see.
//!
//! ```text
//! amara$ kith note new --title "On-call" "Long night."      a prompt names whose home it is; `$` alone is the first one's
//! ? 6                                                       the exit code that is expected, where it is not 0
//! Saved [NOTE]                                              capital letters in brackets stand for a word that is kept for later
//! [..]                                                      anything within a line
//! ...                                                       any number of lines
//! just now                                                  any moment, however it is told when one looks
//! ```
//! Two spaces or more stand for two or more: how wide a column is depends on what stands in it.
//! A command that only looks (`list`, `show`, `search` ...) is asked again for a while until it shows what is expected.

mod fit;

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{LOOK, PATIENCE, binaries};
use fit::{Words, fits};

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
    let mut words = Words::new();
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

fn perform(step: &Step, folder: &Path, words: &mut Words) -> Result<(), String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_steps() {
        let steps = parse("text\n```console\n$ kith crisis\n...\nbea$ kith status\n? 3\nnot running\n```\n$ not this\n");
        assert_eq!(steps.len(), 2);
        assert_eq!((steps[1].who.as_str(), steps[1].code, steps[1].expected.len()), ("bea", 3, 1));
    }
}
