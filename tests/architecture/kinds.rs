//! One kind, one file, and nobody outside who asks which kind it is.

use kith_protocol::control::Kind;

use crate::{is_test, none, project_files, read};

/// The folder that has a file for each kind.
const KINDS: &str = "protocol/src/item/kinds/";

#[test]
fn every_kind_has_a_file_and_a_row_in_the_specification() {
    let files: Vec<String> = project_files().into_iter().filter_map(|path| Some(path.strip_prefix(KINDS)?.to_owned())).collect();
    let mut missing: Vec<String> = Kind::ALL
        .into_iter()
        .filter(|kind| !files.contains(&format!("{}.rs", kind.noun())))
        .map(|kind| format!("{KINDS}{}.rs is not there", kind.noun()))
        .collect();
    let stray = files.iter().filter(|file| !Kind::ALL.iter().any(|kind| **file == format!("{}.rs", kind.noun())));
    missing.extend(stray.map(|file| format!("{KINDS}{file} is in no row of the table")));
    let readme = read("protocol/README.md");
    let row = |kind: &Kind| format!("| {} | {} | `{}` |", kind.number(), kind.noun(), kind.letter());
    let unsaid = Kind::ALL.into_iter().filter(|kind| !readme.contains(&row(kind)));
    missing.extend(unsaid.map(|kind| format!("protocol/README.md has no row `{}`", row(&kind))));
    none("kinds that are not everywhere", &missing);
}

/// Does a source ask which of several kinds something is? Then the table of kinds lacks a column.
fn asks(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    // `ErrorKind::` is another matter.
    let named = |(at, _): &(usize, &str), line: &str| !line[..*at].ends_with(char::is_alphanumeric);
    let several = |line: &&str| line.match_indices("Kind::").filter(|found| named(found, line)).count() > 1;
    lines
        .filter(|line| line.contains("matches!(") || line.contains(" == ") || line.contains("contains("))
        .filter(several)
        .map(str::to_owned)
        .collect()
}

#[test]
fn nobody_asks_which_kind_it_is() {
    let sources = project_files().into_iter().filter(|path| {
        let ours = ["protocol/src/", "daemon/src/", "cli/src/"].iter().any(|folder| path.starts_with(folder));
        ours && path.ends_with(".rs") && !is_test(path) && !path.starts_with(KINDS)
    });
    let found: Vec<String> =
        sources.flat_map(|path| asks(&read(&path)).into_iter().map(move |line| format!("{path}: {line}"))).collect();
    none("these ask which kind an item is; the table in protocol/src/item/kinds.rs should say what they need to know", &found);
}

#[test]
fn a_question_about_kinds_is_seen() {
    let asked = "let a = matches!(kind, Kind::Note | Kind::Event);\nif kind == Kind::Note || kind == Kind::Reply {\n";
    assert_eq!(asks(asked).len(), 2);
    assert!(
        asks("Kind::Note => NewItem::Note(new),\nKind::Reply | Kind::Pin => None,\n// matches!(Kind::A | Kind::B)\n").is_empty()
    );
    assert!(asks("if matches!(error.kind(), ErrorKind::Full | ErrorKind::Other) {").is_empty());
    assert!(asks("if kind == Kind::Tombstone {\n#[cfg(test)]\nmatches!(kind, Kind::Note | Kind::Pin)").is_empty());
}
