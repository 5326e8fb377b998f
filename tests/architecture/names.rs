//! One name, one thing: what several files of a crate can see is called differently from everything else that they can see.

use std::collections::BTreeMap;

use crate::imports::Crate;
use crate::ladder::checked;
use crate::none;

/// What names a type.
const TYPES: [&str; 5] = ["struct", "enum", "trait", "type", "union"];

/// Names of types that two files or more of a crate define for others.
fn twice(sources: &Crate) -> Vec<String> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (file, item) in sources.items().filter(|(_, item)| item.public && TYPES.contains(&item.kind.as_str())) {
        found.entry(&item.name).or_default().push(file);
    }
    let twice = found.into_iter().filter(|(_, files)| files.len() > 1);
    twice.map(|(name, files)| format!("{name}: {}", files.join(", "))).collect()
}

#[test]
fn no_type_that_others_can_see_has_the_name_of_another() {
    let found: Vec<String> = checked().flat_map(|sources| twice(&sources)).collect();
    none("names that stand for two things", &found);
}

#[test]
fn names_that_others_can_see_are_told_from_private_ones() {
    let files = |a: &str, b: &str| {
        let text = |path: &str| {
            Some(match path {
                "src/lib.rs" => "mod a; mod b;".to_owned(),
                "src/a.rs" => a.to_owned(),
                _ => b.to_owned(),
            })
        };
        twice(&Crate::read("src/lib.rs", &text))
    };
    let mine = "#[derive(Debug)]\npub(crate) struct Place<T>(T);";
    for theirs in [
        "pub enum Place { A }",
        "pub(super) type Place = u8;",
        "pub(in crate::b) trait Place {}",
        "pub mod inner { pub union Place { a: u8 } }",
    ] {
        assert_eq!(files(mine, theirs), ["Place: src/a.rs, src/b.rs"], "{theirs}");
    }
    for theirs in [
        "struct Place;",
        "pub fn f() { struct Place; }",
        "#[cfg(test)]\npub struct Place;",
        "pub use crate::a::Place;",
        "pub fn place() {} pub struct Places;",
        "// pub struct Place;",
        "impl X { type Place = u8; }",
    ] {
        assert_eq!(files(mine, theirs), Vec::<String>::new(), "{theirs}");
    }
}
