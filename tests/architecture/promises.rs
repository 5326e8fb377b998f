//! The promises: each row of the table in `SECURITY.md` names tests that hold it, and those tests are there.

use crate::{none, read, root, tests_in};

/// The promises' rows: number, and the tests as file and function.
fn promises() -> Vec<(String, Vec<(String, String)>)> {
    let security = read("SECURITY.md");
    let (_, section) = security.split_once("## Promises").unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let row = |line: &str| {
        let columns: Vec<&str> = line.strip_prefix("| ")?.split(" | ").collect();
        columns.first()?.parse::<u8>().ok()?;
        let tests = columns.get(2)?.split('`').filter_map(|quoted| quoted.split_once("::"));
        let tests = tests.map(|(file, test)| (file.to_owned(), test.to_owned())).collect();
        Some((columns[0].to_owned(), tests))
    };
    section.lines().filter_map(row).collect()
}

#[test]
fn every_promise_names_tests_that_are_there() {
    let promises = promises();
    assert_eq!(promises.len(), 6, "SECURITY.md has six promises");
    let mut found = Vec::new();
    for (number, tests) in &promises {
        if tests.len() < 3 {
            found.push(format!("promise {number} names too few tests"));
        }
        for (file, test) in tests {
            let held = root().join(file).is_file() && tests_in(&read(file)).contains(&test.as_str());
            if !held {
                found.push(format!("promise {number} names {file}::{test}, which is not there"));
            }
        }
    }
    none("promises", &found);
}
