//! The house rules that a compiler does not hold: arrows between crates, sizes, links, what a README promises.
//!
//! Each test names every place that breaks its rule, so that one run is enough to mend them all.

mod arrows;
mod attacks;
mod bounds;
mod documents;
mod files;
mod frozen;
mod hints;
mod ids;
mod imports;
mod kinds;
mod ladder;
mod limits;
mod lock;
mod loops;
mod names;
mod plain;
mod promises;
mod sentences;
mod source;
mod stored;
mod tokens;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's folder.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests are a folder of the workspace").to_owned()
}

/// Every file of the project, by its path from the root: what git follows or would follow.
fn project_files() -> Vec<String> {
    let git = Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root()).output();
    if let Ok(out) = git
        && out.status.success()
    {
        let listed = String::from_utf8_lossy(&out.stdout);
        return listed.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect();
    }
    let mut files = Vec::new();
    walk(&root(), &mut files);
    files
}

/// Without git: every file but what is built.
fn walk(folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && name != ".git" {
            walk(&path, files);
        } else if path.is_file() {
            files.push(path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned());
        }
    }
}

fn read(path: &str) -> String {
    String::from_utf8_lossy(&std::fs::read(root().join(path)).expect("a readable file")).into_owned()
}

/// Is this a file that only tests compile?
fn is_test(path: &str) -> bool {
    path.ends_with("tests.rs") || path.ends_with("/frozen.rs") || path.contains("/tests/")
}

fn with_extension(extension: &str) -> Vec<String> {
    project_files().into_iter().filter(|path| Path::new(path).extension().is_some_and(|e| e == extension)).collect()
}

/// The names of a source's tests: functions with an attribute that makes them one.
fn tests_in(source: &str) -> Vec<&str> {
    let (mut tests, mut marked) = (Vec::new(), false);
    for line in source.lines().map(str::trim_start) {
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            marked = true;
        } else if let Some(rest) = function {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            tests.extend(std::mem::take(&mut marked).then_some(name));
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            marked = false;
        }
    }
    tests
}

#[test]
fn a_test_is_what_cargo_runs() {
    let source = "#[test]\n#[should_panic]\n/// Words.\nfn one() {\nfn two() {\n#[tokio::test(flavor)]\n    async fn three() {\n\
        // #[test]\nfn four() {\n#[test]\nconst X: u8 = 1;\nfn five() {";
    assert_eq!(tests_in(source), ["one", "three"]);
}

fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}
