//! The schema and its versions, by `PRAGMA user_version`. A migration runs in one transaction: killed midway, nothing happened.

use rusqlite::Connection;

use super::error::OpenError;

/// One step each, oldest first; never edit one that was released. A step that changes rows must have the file take its journal
/// first, or rows of the older form would be laid over it.
const STEPS: &[&str] = &[include_str!("0001.sql"), include_str!("0002.sql"), include_str!("0003.sql"), include_str!("0004.sql")];

/// The first version whose rows mean what they mean today: acts name entries in their cuts from then on, and the circles of an
/// earlier store would be others to everybody who holds the same acts. Nothing was released before it.
const OLDEST: i64 = 3;

/// Brings the schema up to date, or refuses one from a newer program, or from before the first release.
pub(super) fn run(conn: &mut Connection) -> Result<(), OpenError> {
    run_steps(conn, STEPS)
}

fn run_steps(conn: &mut Connection, steps: &[&str]) -> Result<(), OpenError> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    if (1..OLDEST).contains(&found) {
        return Err(OpenError::Older { found, oldest: OLDEST });
    }
    make(conn, steps)
}

/// Takes the steps that were not taken yet.
fn make(conn: &mut Connection, steps: &[&str]) -> Result<(), OpenError> {
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
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

    #[test]
    fn a_store_from_before_the_first_release_is_refused_and_left_as_it_is() {
        for found in 1..OLDEST {
            let mut conn = Connection::open_in_memory().expect("opens");
            make(&mut conn, &STEPS[..usize::try_from(found).expect("few")]).expect("as it was then");
            assert!(matches!(run(&mut conn), Err(OpenError::Older { found: it, oldest: OLDEST }) if it == found));
            assert_eq!(version(&conn), found);
        }
        let mut conn = Connection::open_in_memory().expect("opens");
        run(&mut conn).expect("a new one is made");
        assert!(version(&conn) >= OLDEST);
        run(&mut conn).expect("and opened");
    }

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
