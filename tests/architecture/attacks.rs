//! The attack cases: each that must be there has a test named by its label, and the table in `tests/README.md` says where.

use crate::{none, read, tests_in, with_extension};

/// Every case that must be there.
const CASES: [&str; 65] = [
    "W1", "W2", "W4", "W5", "W7", "W11", "W13", "W14", "W16", "W17", "W19", "W20", "W22", "W23", "W25", "E1", "E3", "E4", "E6",
    "E7", "E9", "E10", "E12", "E13", "M1", "M2", "M4", "M7", "M8", "M10", "M11", "M13", "M14", "M16", "M17", "N4", "L2", "L8",
    "L9", "D1", "D2", "D4", "D5", "D7", "D8", "D10", "D11", "D13", "D14", "U1", "U2", "U4", "U5", "U7", "U8", "S1", "S2", "S4",
    "S5", "N1", "N3", "N9", "N10", "E15", "E16",
];

/// Does this source hold a test of that case: its label in lower case among the first parts of a test's name?
fn tests_case(source: &str, label: &str) -> bool {
    let label = label.to_lowercase();
    let is_label = |part: &&str| part.len() > 1 && part[1..].bytes().all(|byte| byte.is_ascii_digit());
    tests_in(source).iter().any(|name| name.split('_').take_while(is_label).any(|part| part == label))
}

/// The table's rows: a case, and the files that hold its tests.
fn table() -> Vec<(String, Vec<String>)> {
    let readme = read("tests/README.md");
    let rows = readme.lines().filter_map(|line| {
        let columns: Vec<&str> = line.strip_prefix("| ")?.split(" | ").collect();
        let label = columns.first().filter(|label| label.len() < 4 && label[1..].parse::<u8>().is_ok())?;
        let files = columns.get(2)?.split('`').filter(|file| file.ends_with(".rs")).map(str::to_owned).collect();
        Some(((*label).to_owned(), files))
    });
    rows.collect()
}

#[test]
fn every_attack_has_a_test_of_its_name_and_stands_in_the_table() {
    let sources: Vec<String> = with_extension("rs").iter().map(|path| read(path)).collect();
    let table = table();
    let mut found = Vec::new();
    for case in CASES {
        if !sources.iter().any(|source| tests_case(source, case)) {
            found.push(format!("{case} has no test"));
        }
        if !table.iter().any(|(label, _)| label == case) {
            found.push(format!("{case} is not in the table of tests/README.md"));
        }
    }
    for (label, files) in &table {
        let without = files.iter().filter(|file| !crate::root().join(file).is_file() || !tests_case(&read(file), label));
        found.extend(without.map(|file| format!("{label} is not tested in {file}, whatever the table says")));
        if files.is_empty() {
            found.push(format!("{label} names no file in the table"));
        }
    }
    none("attack cases", &found);
}

#[test]
fn a_label_is_found_where_it_stands_and_nowhere_else() {
    assert!(tests_case("#[test]\n    fn e7_e9_repeats() {", "E9"));
    assert!(tests_case("#[tokio::test]\nasync fn w22_a_frame() {", "W22"));
    assert!(!tests_case("#[test]\nfn w22_a_frame() {", "W2"));
    assert!(!tests_case("#[test]\nfn a_w2_frame() {", "W2"));
    assert!(!tests_case("fn w2_a_frame() {", "W2"), "nobody runs it");
}
