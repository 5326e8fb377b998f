//! The word index: contentless FTS5. Knows words, not texts; what a person types is words, never query syntax.

use kith_protocol::store::StoreError;
use rusqlite::{Connection, params};

use super::error::store_error;
use crate::limits::{SEARCH_WORD_CHARS, SEARCH_WORDS};

const DELETE: &str = "DELETE FROM search WHERE rowid = ?1";
const PUT: &str = "REPLACE INTO search (rowid, text, key) VALUES (?1, ?2, ?3)";
const FIND: &str = "SELECT rowid, key FROM search WHERE search MATCH ?1 ORDER BY rowid DESC LIMIT ?2";

/// The row number that a key begins with, and what follows it.
fn split(key: &[u8]) -> rusqlite::Result<(i64, &[u8])> {
    let (head, rest) = key.split_first_chunk().ok_or(rusqlite::Error::InvalidQuery)?;
    Ok((i64::from_be_bytes(*head), rest))
}

pub(super) fn write(conn: &Connection, key: &[u8], text: Option<&[u8]>) -> rusqlite::Result<()> {
    let (row, key) = split(key)?;
    match text {
        Some(text) => conn.prepare_cached(PUT)?.execute(params![row, String::from_utf8_lossy(text), key])?,
        None => conn.prepare_cached(DELETE)?.execute([row])?,
    };
    Ok(())
}

/// Merges the index into one segment, which leaves the words of deleted rows out of it for good.
pub(super) fn optimize(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute("INSERT INTO search (search) VALUES ('optimize')", []).map(drop)
}

pub(super) fn find(conn: &Connection, words: &str, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let run = |query: &str| -> rusqlite::Result<Vec<Vec<u8>>> {
        let key = |row: &rusqlite::Row<'_>| {
            let (number, key): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
            Ok([&number.to_be_bytes()[..], &key].concat())
        };
        conn.prepare_cached(FIND)?.query_map(params![query, limit], key)?.collect()
    };
    let Some(query) = quoted(words, |c| c.is_alphanumeric() || may_be_mark(c)) else { return Ok(Vec::new()) };
    // Where SQLite parts a word that we do not, it is several to it: then by letters alone, at last each letter by itself.
    let letters: String = words.chars().flat_map(|c| [c, ' ']).collect();
    let again = |words: &str, error| quoted(words, char::is_alphanumeric).map_or(Err(error), |query| run(&query));
    let found = run(&query).or_else(|error| again(words, error)).or_else(|error| again(&letters, error));
    found.map_err(|error| store_error(&error))
}

/// What was typed as FTS5 strings of one word each, matched as prefixes; `None` where nothing could match. The index knows no
/// places, so a string of several words is an error to SQLite.
fn quoted(words: &str, in_word: impl Fn(char) -> bool) -> Option<String> {
    let words: Vec<String> = words
        .split(|c: char| !in_word(c))
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .take(SEARCH_WORDS)
        .map(|word| format!("\"{}\"*", word.chars().take(SEARCH_WORD_CHARS).collect::<String>()))
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Accents and vowel signs that stand as characters of their own belong to their word: whatever lies beyond the Latin letters
/// and is not in a block of punctuation or symbols.
fn may_be_mark(c: char) -> bool {
    let symbols = matches!(c, '\u{2000}'..='\u{2bff}' | '\u{3000}'..='\u{303f}' | '\u{fe10}'..='\u{ff0f}');
    c >= '\u{300}' && !symbols && !c.is_whitespace() && !c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_never_syntax() {
        assert_eq!(quoted("night AND (shift*)", char::is_alphanumeric), Some("\"night\"* \"AND\"* \"shift\"*".to_owned()));
        assert_eq!(quoted("say \"hi\" NEAR/2", char::is_alphanumeric), Some("\"say\"* \"hi\"* \"NEAR\"* \"2\"*".to_owned()));
        assert_eq!(quoted(" *** \" - ", char::is_alphanumeric), None);
    }
}
