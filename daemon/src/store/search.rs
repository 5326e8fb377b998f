//! The word index: contentless FTS5. Knows words, not texts; what a person types is words, never query syntax.

use kith_protocol::store::{StoreError, Table};
use rusqlite::{Connection, params};

use super::{rows, store_error};

/// Words of one search that are looked at.
const WORDS: usize = 16;
/// Characters of a word that are looked at.
const WORD_CHARS: usize = 64;
/// Keys under one row number: two need a collision of 8 bytes of BLAKE3, more are not looked at.
const KEYS_PER_ROW: usize = 4;

const CLEAR: &str = "DELETE FROM search WHERE rowid = ?1";
const INSERT: &str = "INSERT INTO search (rowid, text) VALUES (?1, ?2)";
const FIND: &str = "SELECT rowid FROM search WHERE search MATCH ?1 ORDER BY rank LIMIT ?2";

/// The row of a key, as `ItemKey::search_row` has it.
fn row_of(key: &[u8]) -> rusqlite::Result<i64> {
    key.first_chunk().map(|head| i64::from_be_bytes(*head)).ok_or(rusqlite::Error::InvalidQuery)
}

pub(super) fn write(conn: &Connection, key: &[u8], text: Option<&[u8]>) -> rusqlite::Result<()> {
    let row = row_of(key)?;
    conn.prepare_cached(CLEAR)?.execute([row])?;
    if let Some(text) = text {
        conn.prepare_cached(INSERT)?.execute(params![row, String::from_utf8_lossy(text)])?;
    }
    Ok(())
}

/// Merges the index into one segment, which leaves the words of deleted rows out of it for good.
pub(super) fn optimize(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute("INSERT INTO search (search) VALUES ('optimize')", []).map(drop)
}

pub(super) fn find(conn: &Connection, words: &str, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
    let Some(query) = quoted(words) else { return Ok(Vec::new()) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let run = || -> rusqlite::Result<Vec<i64>> {
        conn.prepare_cached(FIND)?.query_map(params![query, limit], |row| row.get(0))?.collect()
    };
    let mut keys = Vec::new();
    for row in run().map_err(|error| store_error(&error))? {
        let found = rows::scan(conn, Table::Item, &row.to_be_bytes(), &[], KEYS_PER_ROW)?;
        keys.extend(found.into_iter().map(|(key, _)| key));
    }
    Ok(keys)
}

/// What was typed as FTS5 phrases, each matched as a prefix; `None` where nothing could match.
fn quoted(words: &str) -> Option<String> {
    let phrases: Vec<String> = words
        .split(|c: char| c.is_whitespace() || c == '"' || c.is_control())
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .take(WORDS)
        .map(|word| format!("\"{}\"*", word.chars().take(WORD_CHARS).collect::<String>()))
        .collect();
    (!phrases.is_empty()).then(|| phrases.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_never_syntax() {
        assert_eq!(quoted("night AND (shift*)"), Some("\"night\"* \"AND\"* \"(shift*)\"*".to_owned()));
        assert_eq!(quoted("say \"hi\" NEAR/2"), Some("\"say\"* \"hi\"* \"NEAR/2\"*".to_owned()));
        assert_eq!(quoted(" *** \" - "), None);
    }
}
