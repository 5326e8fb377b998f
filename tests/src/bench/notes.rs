//! What the circle's members write: English-like notes of about 280 characters, no two alike, the same on every run.

use std::path::Path;

use serde_json::{Value, json};

use crate::dice::Dice;

const SENTENCES: &str = include_str!("sentences.txt");

/// A note.
#[derive(Clone, Debug)]
pub struct Note {
    /// Four words.
    pub title: String,
    /// Two to five sentences, cut at 220 to 340 characters.
    pub body: String,
}

impl Note {
    /// As the local API takes it.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({"title": self.title, "body": self.body})
    }

    /// As an item of a batch.
    #[must_use]
    pub fn in_batch(&self) -> Value {
        json!({"kind": "note", "title": self.title, "body": self.body})
    }
}

/// Makes notes: sentences with a third of their words swapped.
#[must_use]
pub fn made(count: usize) -> Vec<Note> {
    let pool: Vec<&str> = SENTENCES.lines().collect();
    let mut words: Vec<&str> = SENTENCES.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 3).collect();
    words.sort_unstable();
    words.dedup();
    let mut dice = Dice::new(20_261_122);
    (0..count).map(|_| one(&mut dice, &pool, &words)).collect()
}

fn one(dice: &mut Dice, pool: &[&str], words: &[&str]) -> Note {
    let length = 220 + dice.below(121);
    let mut body = String::new();
    while body.chars().count() < length {
        let mut sentence: Vec<&str> = dice.pick(pool).map(|sentence| sentence.split(' ').collect()).unwrap_or_default();
        for _ in 0..sentence.len().div_ceil(3) {
            let at = dice.below(sentence.len());
            if let (Some(word), Some(other)) = (sentence.get_mut(at), dice.pick(words)) {
                *word = other;
            }
        }
        body.push_str(if body.is_empty() { "" } else { " " });
        body.push_str(&sentence.join(" "));
    }
    let body: String = body.chars().take(length).collect();
    let title: Vec<&str> = dice.sample(words, 4);
    Note { title: title.join(" "), body: body.trim().to_owned() }
}

/// Reads notes from a file of JSON lines with `title` and `body`, so that other programs can be measured with the same ones.
///
/// # Errors
/// What is wrong with the file, in words.
pub fn read(file: &Path) -> Result<Vec<Note>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let note = |line: &str| {
        let row: Value = serde_json::from_str(line.trim()).map_err(|error| format!("{}: {error}", file.display()))?;
        let field = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(title), Some(body)) = (field("title"), field("body")) else {
            return Err(format!("{}: a line without title and body", file.display()));
        };
        Ok(Note { title, body })
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(note).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn notes_differ_and_are_about_as_long_as_people_write() {
        let notes = made(2_000);
        let total: usize = notes.iter().map(|note| note.body.chars().count()).sum();
        assert!((270..290).contains(&(total / notes.len())), "{}", total / notes.len());
        let distinct: BTreeSet<&str> = notes.iter().map(|note| note.body.as_str()).collect();
        assert_eq!(distinct.len(), notes.len());
    }
}
