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
    let room = |path: &str| ["protocol/", "daemon/", "cli/", "tests/", "src/"].iter().any(|room| path.starts_with(room));
    let ours = |path: &&str| room(path) || path.contains('/') && path.ends_with(".rs");
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
    let text = "in `protocol/src/a.rs` and `cli/src/b.rs::holds`, `ui/d.rs`, not `src/NOUN.rs`, `e.rs`, `kith note`, daemon/src/c.rs or `/v1/src/`";
    assert_eq!(paths(text), ["protocol/src/a.rs", "cli/src/b.rs", "ui/d.rs"]);
}

/// Columns that a line of text may have in a document.
const COLUMNS: usize = 120;

/// The numbers of the lines of text that are wider than that. Tables, code and single words cannot be broken.
fn wide(text: &str) -> Vec<usize> {
    let (mut code, mut found) = (false, Vec::new());
    for (number, line) in (1..).zip(text.lines()) {
        let words = line.trim();
        if words.starts_with("```") {
            code = !code;
        } else if !code && !words.starts_with('|') && words.contains(' ') && line.chars().count() > COLUMNS {
            found.push(number);
        }
    }
    found
}

#[test]
fn text_of_documents_fits_a_screen() {
    // Transcripts show what a terminal shows, and a sample is a file that people import.
    let apart = |path: &String| path.starts_with("tests/transcripts/") || path.starts_with("cli/samples/");
    let mut found = Vec::new();
    for path in with_extension("md").into_iter().filter(|path| !apart(path)) {
        found.extend(wide(&read(&path)).into_iter().map(|line| format!("{path}:{line}")));
    }
    none("lines of text wider than 120 columns", &found);
}

#[test]
fn a_line_that_is_too_wide_is_noticed() {
    let (long, word) = (format!("{}end", "word ".repeat(24)), "w".repeat(121));
    let text = format!("# T\n\n{long}\n\n| {long} |\n```\n{long}\n```\n- {long}\n{word}\n{}\n", "ö ".repeat(60));
    assert_eq!(wide(&text), [3, 9]);
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

/// The glossary's rows: term and file.
fn glossary(text: &str) -> Vec<(&str, &str)> {
    let section = text.split_once("\n## Glossary\n").map_or("", |(_, rest)| rest);
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    cells.filter_map(|cells| Some((*cells.first()?, cells.get(3)?.strip_prefix('`')?.strip_suffix('`')?))).collect()
}

/// What is wrong with a glossary; `read` gives a file's text where there is such a file.
fn unclear(rows: &[(&str, &str)], read: &impl Fn(&str) -> Option<String>) -> Vec<String> {
    let disorder = rows.windows(2).filter(|pair| pair[0].0 >= pair[1].0);
    let mut found: Vec<String> = disorder.map(|pair| format!("{} before {}", pair[0].0, pair[1].0)).collect();
    for (term, file) in rows {
        let Some(text) = read(file) else {
            found.push(format!("{term}: there is no {file}"));
            continue;
        };
        let text = text.to_lowercase();
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        // A term of two words is found by its first; a name of a type may begin with it.
        let term = term.split(' ').next().unwrap_or_default();
        if !words.any(|word| word.strip_prefix(term).is_some_and(|rest| rest.is_empty() || rest == "s")) {
            found.push(format!("{file} does not say {term}"));
        }
    }
    found
}

#[test]
fn the_glossary_names_files_that_use_its_words() {
    let readme = read("protocol/README.md");
    let rows = glossary(&readme);
    assert!(rows.len() > 40, "it is found");
    let text = |path: &str| std::fs::read_to_string(root().join("protocol").join(path)).ok();
    none("glossary of protocol/README.md", &unclear(&rows, &text));
}

#[test]
fn a_glossary_that_is_out_of_date_is_noticed() {
    let text = "# A\n\n## Glossary\nWords.\n\n| term | elsewhere | what | where |\n|---|---|---|---|\n| act | op | It acts. | `a.rs` |\n\
        | edit list | ops | It edits. | `b.rs` |\n\n## Next\n| x | y | z | `c.rs` |\n";
    let rows = glossary(text);
    assert_eq!(rows, [("act", "a.rs"), ("edit list", "b.rs")]);
    let files = |act: &'static str| move |path: &str| (path != "c.rs").then(|| format!("//! {act}, and edits."));
    assert_eq!(unclear(&rows, &files("Acts")), Vec::<String>::new());
    assert_eq!(unclear(&rows, &files("Actors")), ["a.rs does not say act"]);
    assert_eq!(unclear(&[("act", "c.rs")], &files("Acts")), ["act: there is no c.rs"]);
    assert_eq!(unclear(&[rows[1], rows[0]], &files("Acts")).len(), 1, "order");
}
