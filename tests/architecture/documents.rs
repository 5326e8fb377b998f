//! What the documents promise: commands that exist, links that lead somewhere, a README in every room.

use std::path::Path;

use crate::{none, project_files, read, root, with_extension};

#[test]
fn every_room_has_a_readme() {
    let rooms = ["README.md", "protocol/README.md", "daemon/README.md", "cli/README.md", "tests/README.md"];
    let missing: Vec<String> = rooms.iter().filter(|path| !root().join(path).is_file()).map(|path| (*path).to_owned()).collect();
    none("missing", &missing);
}

#[test]
fn the_readme_names_the_two_commands() {
    let readme = read("README.md");
    for command in ["cargo run --bin kith -- demo", "cargo test --workspace"] {
        assert!(readme.contains(command), "README.md says nothing of `{command}`");
    }
}

#[test]
fn links_lead_somewhere() {
    let mut found = Vec::new();
    for path in with_extension("md") {
        for target in links(&read(&path)) {
            let (file, _) = target.split_once('#').unwrap_or((&target, ""));
            let folder = Path::new(&path).parent().unwrap_or(Path::new(""));
            if !file.is_empty() && !root().join(folder).join(file).exists() {
                found.push(format!("{path} → {target}"));
            }
        }
    }
    none("links that lead nowhere", &found);
}

/// Targets of Markdown links that stay in the tree.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).map(str::to_owned).collect()
}

/// Files and folders that a text names in backticks, test names behind `::` left out. A word in capitals stands for many.
fn paths(text: &str) -> Vec<&str> {
    let named = text.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.split("::").next());
    let ours = |path: &&str| ["protocol/", "daemon/", "cli/", "tests/", "src/"].iter().any(|room| path.starts_with(room));
    let one = |path: &&str| path.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c));
    named.filter(ours).filter(one).collect()
}

#[test]
fn paths_that_documents_name_are_there() {
    let mut found = Vec::new();
    for document in with_extension("md") {
        let text = read(&document);
        let folder = Path::new(&document).parent().unwrap_or(Path::new(""));
        let there = |path: &&str| root().join(path).exists() || root().join(folder).join(path).exists();
        found.extend(paths(&text).into_iter().filter(|path| !there(path)).map(|path| format!("{document}: {path}")));
    }
    none("files and folders that are not there", &found);
}

#[test]
fn paths_are_told_from_other_words() {
    let text = "in `protocol/src/a.rs` and `cli/src/b.rs::holds`, not `src/NOUN.rs`, `kith note`, daemon/src/c.rs or `/v1/src/`";
    assert_eq!(paths(text), ["protocol/src/a.rs", "cli/src/b.rs"]);
}

#[test]
fn cargo_commands_name_what_exists() {
    let packages = ["kith-protocol", "kith-daemon", "kith-cli", "kith-tests"];
    let binaries: Vec<String> = binaries();
    let mut found = Vec::new();
    for path in with_extension("md") {
        let text = read(&path);
        for line in text.lines().filter(|line| line.contains("cargo ")) {
            for (flag, known) in [("-p", packages.map(str::to_owned).as_slice()), ("--bin", &binaries), ("--test", &targets())] {
                let words: Vec<&str> = line.split([' ', '`']).collect();
                let named = words.windows(2).filter(|pair| pair.first() == Some(&flag)).filter_map(|pair| pair.get(1));
                let known = |name: &&&str| !known.iter().any(|known| known == **name) && !name.contains(['<', '$', 'X']);
                found.extend(named.filter(known).map(|name| format!("{path}: {flag} {name}")));
            }
        }
    }
    none("commands of the documents that name what is not there", &found);
}

fn binaries() -> Vec<String> {
    let mut names: Vec<String> = vec!["kith".to_owned()];
    for path in project_files().iter().filter(|path| path.contains("/src/bin/")) {
        names.extend(Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names
}

/// The `[[test]]` targets of the tests' manifest, and those that cargo finds by itself.
fn targets() -> Vec<String> {
    let manifest = read("tests/Cargo.toml");
    let blocks = manifest.split("[[test]]").skip(1);
    let named =
        blocks.filter_map(|block| block.lines().find(|line| line.starts_with("name = "))?.split('"').nth(1).map(str::to_owned));
    let found = project_files().into_iter().filter(|path| path.contains("/tests/") && path.ends_with(".rs"));
    let stems = found.filter_map(|path| Path::new(&path).file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    named.chain(stems).collect()
}
