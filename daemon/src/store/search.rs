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

pub(super) fn find(conn: &Connection, terms: &[Vec<String>], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
    let Some(query) = query(terms) else { return Ok(Vec::new()) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let run = || -> rusqlite::Result<Vec<Vec<u8>>> {
        let key = |row: &rusqlite::Row<'_>| {
            let (number, key): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
            Ok([&number.to_be_bytes()[..], &key].concat())
        };
        conn.prepare_cached(FIND)?.query_map(params![query, limit], key)?.collect()
    };
    run().map_err(|error| store_error(&error))
}

/// Terms as FTS5 strings of one word each, matched as prefixes; `None` where there are none.
fn query(terms: &[Vec<String>]) -> Option<String> {
    let quoted = |word: &String| format!("\"{}\"*", word.replace('"', "").chars().take(SEARCH_WORD_CHARS).collect::<String>());
    let spellings = |words: &Vec<String>| format!("({})", words.iter().map(quoted).collect::<Vec<_>>().join(" OR "));
    let terms: Vec<String> = terms.iter().filter(|words| !words.is_empty()).take(SEARCH_WORDS).map(spellings).collect();
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_never_syntax() {
        let terms =
            |words: &[&[&str]]| words.iter().map(|word| word.iter().map(|w| (*w).to_owned()).collect()).collect::<Vec<_>>();
        assert_eq!(query(&terms(&[&["night"], &["and", "or"]])), Some("(\"night\"*) AND (\"and\"* OR \"or\"*)".to_owned()));
        assert_eq!(query(&terms(&[&["say \"hi\""]])), Some("(\"say hi\"*)".to_owned()));
        assert_eq!(query(&terms(&[&[]])), None);
        assert_eq!(query(&[]), None);
    }
}
