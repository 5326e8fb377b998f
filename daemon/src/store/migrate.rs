//! The schema and its versions, by `PRAGMA user_version`. A migration runs in one transaction: killed midway, nothing happened.

use rusqlite::Connection;

use super::OpenError;

/// One step each, oldest first; never edit one that was released.
const STEPS: &[&str] = &[include_str!("0001.sql")];

/// The schema version that this program writes.
pub(super) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Brings the schema up to date, or refuses one from a newer program.
pub(super) fn run(conn: &mut Connection) -> Result<(), OpenError> {
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > newest() {
        return Err(OpenError::Newer { found, known: newest() });
    }
    let done = usize::try_from(found).map_err(|_| OpenError::Damaged("its version makes no sense".to_owned()))?;
    for (at, step) in STEPS.iter().enumerate().skip(done) {
        let tx = conn.transaction()?;
        tx.execute_batch(step)?;
        tx.pragma_update(None, "user_version", i64::try_from(at + 1).unwrap_or(i64::MAX))?;
        tx.commit()?;
    }
    Ok(())
}
