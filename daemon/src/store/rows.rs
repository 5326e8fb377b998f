//! Statements on the plain tables: get, range scans both ways, put, delete.

use kith_protocol::store::{Read, Rows, StoreError, Table};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::store_error;
use super::search;

/// Where the file keeps its generation: in a table of the core, under a first byte that the core does not use.
pub(super) const GENERATION: &[u8] = b"\xffkithd/generation";

/// The file as one connection sees it, without what the journal has.
pub(super) struct Plain<'a>(pub(super) &'a Connection);

impl Read for Plain<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        get(self.0, table, key)
    }

    fn scan(&self, table: Table, prefix: &[u8], after: &[u8], limit: usize) -> Result<Rows, StoreError> {
        scan(self.0, table, prefix, after, limit)
    }

    fn scan_back(&self, table: Table, prefix: &[u8], before: &[u8], limit: usize) -> Result<Rows, StoreError> {
        scan_back(self.0, table, prefix, before, limit)
    }

    fn search(&self, terms: &[Vec<String>], limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        search::find(self.0, terms, limit)
    }
}

/// The statements of one table, written out so that they are prepared once and found again by their text.
struct Statements {
    get: &'static str,
    put: &'static str,
    delete: &'static str,
    up: &'static str,
    up_to: &'static str,
    down: &'static str,
    down_from: &'static str,
}

macro_rules! statements {
    ($table:literal) => {
        &Statements {
            get: concat!("SELECT value FROM ", $table, " WHERE key = ?1"),
            put: concat!("REPLACE INTO ", $table, " (key, value) VALUES (?1, ?2)"),
            delete: concat!("DELETE FROM ", $table, " WHERE key = ?1"),
            up: concat!("SELECT key, value FROM ", $table, " WHERE key >= ?1 ORDER BY key LIMIT ?2"),
            up_to: concat!("SELECT key, value FROM ", $table, " WHERE key >= ?1 AND key < ?3 ORDER BY key LIMIT ?2"),
            down: concat!("SELECT key, value FROM ", $table, " WHERE key >= ?1 ORDER BY key DESC LIMIT ?2"),
            down_from: concat!("SELECT key, value FROM ", $table, " WHERE key >= ?1 AND key < ?3 ORDER BY key DESC LIMIT ?2"),
        }
    };
}

/// `None`: the word index, which has its own statements.
fn statements(table: Table) -> Option<&'static Statements> {
    Some(match table {
        Table::Circle => statements!("circle"),
        Table::Act => statements!("act"),
        Table::Chain => statements!("chain"),
        Table::Block => statements!("block"),
        Table::Tail => statements!("tail"),
        Table::Member => statements!("member"),
        Table::Epoch => statements!("epoch"),
        Table::Record => statements!("record"),
        Table::Item => statements!("item"),
        Table::View => statements!("view"),
        Table::Outbox => statements!("outbox"),
        Table::Local => statements!("local"),
        Table::Built => statements!("built"),
        Table::Search => return None,
    })
}

fn readable(table: Table) -> Result<&'static Statements, StoreError> {
    statements(table).ok_or_else(|| StoreError::Io("the word index keeps no text to read back".to_owned()))
}

pub(super) fn get(conn: &Connection, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = readable(table)?.get;
    let run = || conn.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional();
    run().map_err(|error| store_error(&error))
}

fn scan(conn: &Connection, table: Table, prefix: &[u8], after: &[u8], limit: usize) -> Result<Rows, StoreError> {
    let s = readable(table)?;
    // The least key greater than `after` is `after` and a zero byte.
    let mut from = after.to_vec();
    if !from.is_empty() {
        from.push(0);
    }
    let from = from.as_slice().max(prefix);
    let end = successor(prefix);
    range(conn, if end.is_some() { s.up_to } else { s.up }, from, end.as_deref(), limit)
}

fn scan_back(conn: &Connection, table: Table, prefix: &[u8], before: &[u8], limit: usize) -> Result<Rows, StoreError> {
    let s = readable(table)?;
    let end = match (successor(prefix), before.is_empty()) {
        (end, true) => end,
        (None, false) => Some(before.to_vec()),
        (Some(end), false) => Some(end.min(before.to_vec())),
    };
    range(conn, if end.is_some() { s.down_from } else { s.down }, prefix, end.as_deref(), limit)
}

fn range(conn: &Connection, sql: &str, from: &[u8], end: Option<&[u8]>, limit: usize) -> Result<Rows, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let run = || -> rusqlite::Result<Rows> {
        let mut statement = conn.prepare_cached(sql)?;
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        match end {
            Some(end) => statement.query_map(params![from, limit, end], row)?.collect(),
            None => statement.query_map(params![from, limit], row)?.collect(),
        }
    };
    run().map_err(|error| store_error(&error))
}

/// The least byte string greater than all that start with `prefix`, if there is one.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

pub(super) fn write(conn: &Connection, table: Table, key: &[u8], value: Option<&[u8]>) -> Result<(), StoreError> {
    let run = || match (statements(table), value) {
        (Some(s), Some(value)) => conn.prepare_cached(s.put)?.execute(params![key, value]).map(drop),
        (Some(s), None) => conn.prepare_cached(s.delete)?.execute([key]).map(drop),
        (None, value) => search::write(conn, key, value),
    };
    run().map_err(|error: rusqlite::Error| store_error(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_successor_ends_a_prefix() {
        assert_eq!(successor(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(successor(&[1, 255, 255]), Some(vec![2]));
        assert_eq!(successor(&[255, 255]), None);
        assert_eq!(successor(b""), None);
    }
}
