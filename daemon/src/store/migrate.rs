//! The schema and its versions, by `PRAGMA user_version`. A migration runs in one transaction: killed midway, nothing happened.

use rusqlite::Connection;

use super::OpenError;

/// One step each, oldest first; never edit one that was released. A step that changes rows must have the file take its journal
/// first, or rows of the older form would be laid over it.
const STEPS: &[&str] = &[include_str!("0001.sql"), include_str!("0002.sql"), include_str!("0003.sql")];

/// Brings the schema up to date, or refuses one from a newer program.
pub(super) fn run(conn: &mut Connection) -> Result<(), OpenError> {
    run_steps(conn, STEPS)
}

fn run_steps(conn: &mut Connection, steps: &[&str]) -> Result<(), OpenError> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    let done = usize::try_from(found).map_err(|_| OpenError::Damaged("its version makes no sense".to_owned()))?;
    for (at, step) in steps.iter().enumerate().skip(done) {
        let tx = conn.transaction()?;
        tx.execute_batch(step)?;
        tx.pragma_update(None, "user_version", i64::try_from(at + 1).unwrap_or(i64::MAX))?;
        tx.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(conn: &Connection) -> i64 {
        conn.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a pragma")
    }

    /// The next version of the schema is made up here.
    #[test]
    fn d11_a_step_that_breaks_off_leaves_the_version_before_and_is_made_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let open = || Connection::open(dir.path().join("store.db")).expect("opens");
        let (made, broken) =
            ("CREATE TABLE later (x); INSERT INTO later VALUES (1);", "CREATE TABLE later (x); INSERT INTO nowhere;");
        let mut conn = open();
        run(&mut conn).expect("today's schema");
        let now = version(&conn);
        assert!(run_steps(&mut conn, &[STEPS, &[broken]].concat()).is_err());
        assert_eq!(version(&conn), now);
        // Killed before its commit: the transaction is dropped with the process.
        let tx = conn.transaction().expect("begins");
        tx.execute_batch(made).expect("runs");
        drop(tx);
        drop(conn);
        let mut conn = open();
        assert_eq!(version(&conn), now);
        run_steps(&mut conn, &[STEPS, &[made]].concat()).expect("is made again");
        assert_eq!(version(&conn), now + 1);
        run_steps(&mut conn, &[STEPS, &[made]].concat()).expect("nothing is left to do");
        assert!(matches!(run(&mut conn), Err(OpenError::Newer { .. })), "and today's program refuses it");
    }
}
