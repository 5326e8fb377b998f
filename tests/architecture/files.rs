//! The shape of the tree: what may stand where, and how large it may grow.

use crate::{is_test, none, project_files, read, root, with_extension};

/// Lines of a source file before its tests.
const LINES: usize = 600;

/// Files that may be longer, and why.
const LONG_FOR_A_REASON: [(&str, &str); 0] = [];

#[test]
fn the_top_holds_nothing_but_the_house() {
    let house = [
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "SECURITY.md",
        "protocol",
        "daemon",
        "cli",
        "tests",
    ];
    let top = |path: &String| path.split('/').next().unwrap_or_default().to_owned();
    let mut found: Vec<String> = project_files().iter().map(top).filter(|name| !name.starts_with('.')).collect();
    found.retain(|name| !house.contains(&name.as_str()));
    found.dedup();
    none("not part of the house", &found);
}

#[test]
fn no_file_outgrows_one_sitting() {
    let mut found = Vec::new();
    for path in with_extension("rs") {
        let lines = read(&path).lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        let excused = LONG_FOR_A_REASON.iter().any(|(excused, _)| *excused == path);
        if lines > LINES && !excused {
            found.push(format!("{path}: {lines} lines before its tests"));
        }
        assert!(!excused || lines > LINES, "{path} is short again: strike it from the list of excuses");
    }
    none("divide these by who owns the data", &found);
}

#[test]
fn every_source_file_says_what_it_is() {
    // Tests of a module that stand in a file of their own need no words: the module has them.
    let silent = |path: &String| !is_test(path) && !read(path).starts_with("//!") && !read(path).starts_with("#![doc");
    let found: Vec<String> = with_extension("rs").into_iter().filter(silent).collect();
    none("these open without a word about what they own", &found);
}

#[test]
fn modules_are_named_after_themselves() {
    let found: Vec<String> = project_files().into_iter().filter(|path| path.ends_with("/mod.rs")).collect();
    none("foo.rs and foo/bar.rs, never mod.rs", &found);
}

#[test]
fn every_package_keeps_the_lints() {
    for package in ["protocol", "daemon", "cli"] {
        assert!(
            read(&format!("{package}/Cargo.toml")).contains("[lints]\nworkspace = true"),
            "{package} leaves the workspace's lints"
        );
    }
}

#[test]
fn s4_no_package_may_hold_unsafe_code() {
    // Forbidden, not denied: no `allow` in a file can take it back, and the compiler itself holds it from there on.
    for manifest in ["Cargo.toml", "tests/Cargo.toml"] {
        assert!(read(manifest).contains("unsafe_code = \"forbid\""), "{manifest} forbids no unsafe code");
    }
    let manifests: Vec<String> = project_files().into_iter().filter(|path| path.ends_with("/Cargo.toml")).collect();
    assert_eq!(manifests.len(), 4, "a package without rules: {manifests:?}");
    let word = concat!("uns", "afe ");
    let mut found = Vec::new();
    for path in with_extension("rs") {
        let text = read(&path);
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//") && !line.contains('"'));
        found.extend(code.filter(|line| line.contains(word)).map(|line| format!("{path}: {}", line.trim())));
    }
    none("code that the compiler cannot vouch for", &found);
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let words = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("../sha", "red"), concat!("/ho", "me/user")];
    let mut found = Vec::new();
    for path in project_files().into_iter().filter(|path| path != "Cargo.lock" && root().join(path).is_file()) {
        let text = read(&path);
        for (number, line) in (1..).zip(text.lines()) {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    none("paths of somebody's machine", &found);
}
