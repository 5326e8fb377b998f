//! Plain English for everyone: people are they, and words that nobody says any more stand nowhere, not even in the name of a test.

use crate::{none, project_files, read};

/// Words that are not written here. Each is looked for whole, also as a part of a name such as `what_she_gets`.
const FORBIDDEN: [&str; 27] = [
    "she",
    "her",
    "hers",
    "herself",
    "he",
    "him",
    "his",
    "himself",
    "anew",
    "whoever",
    "whomever",
    "whosoever",
    "thereof",
    "therein",
    "thereto",
    "wherein",
    "whereof",
    "whereupon",
    "hitherto",
    "henceforth",
    "hence",
    "whence",
    "whilst",
    "amidst",
    "betwixt",
    "albeit",
    "lest",
];

/// The words of a text, small; names are taken apart.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Lines with a word that is not written here.
fn found(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().zip(1..);
    let bad = |(line, number)| words(line).filter(|word| FORBIDDEN.contains(&word.as_str())).map(move |word| (number, word));
    lines.flat_map(bad).collect()
}

#[test]
fn english_is_plain() {
    let written = |path: &String| [".rs", ".md", ".sh", ".toml"].iter().any(|end| path.ends_with(end));
    let other = |path: &String| path == "tests/architecture/plain.rs" || path.starts_with("tests/corpus/");
    let mut all = Vec::new();
    for path in project_files().into_iter().filter(|path| written(path) && !other(path)) {
        all.extend(found(&read(&path)).into_iter().map(|(line, word)| format!("{path}:{line}: {word}")));
    }
    none("words that are not written here", &all);
}

#[test]
fn a_word_is_found_within_a_name_and_not_within_another_word() {
    let text = "fn what_she_gets() {}\n/// Whoever asks, ANEW.\nlet there = the(here, hers);\n\"help-her\"";
    let found: Vec<(usize, String)> = found(text);
    let found: Vec<(usize, &str)> = found.iter().map(|(line, word)| (*line, word.as_str())).collect();
    assert_eq!(found, [(1, "she"), (2, "whoever"), (2, "anew"), (3, "hers"), (4, "her")]);
}
