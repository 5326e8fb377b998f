//! Bounds are defined in the limits files, each once, with its unit and its reason; nowhere else.
//!
//! A bound is a named number or span of time: a constant of one of [`TYPES`]. Numbers of forms are bytes (`u8`) or called `VERSION`;
//! what else is no bound, but part of a form or a unit, is listed here with its reason.

use std::collections::BTreeMap;

use syn::{Item, Type};

use crate::source::{is_test_only, last};
use crate::{is_test, none, read, with_extension};

const TYPES: [&str; 8] = ["usize", "u16", "u32", "u64", "i32", "i64", "Duration", "Millis"];

/// Constants that bound nothing: file, names, reason.
const NO_BOUNDS: &[(&str, &[&str], &str)] = &[
    ("protocol/src/time.rs", &["SECOND", "MINUTE", "HOUR", "DAY"], "units"),
    ("protocol/src/tomorrow.rs", &["ACT_VERSION", "POLICY"], "numbers of forms"),
    ("protocol/src/crypto/key.rs", &["NONCE_BYTES", "TAG_BYTES"], "what XChaCha20-Poly1305 says"),
    ("protocol/src/circle/epoch.rs", &["LINK_BYTES"], "the size of a sealed link"),
    ("protocol/src/log/chain_hasher.rs", &["ARRAY_HEAD"], "how CBOR begins an array"),
    ("protocol/src/log/block.rs", &["LEVEL"], "a measured setting of zstd"),
    ("protocol/src/log/payload.rs", &["LEVEL"], "a setting of zstd"),
    ("daemon/src/keystore.rs", &["SALT", "NONCE", "MASTER"], "sizes in the keys file"),
    ("daemon/src/store/journal.rs", &["HEADER", "NONCE", "TAG", "DELETED"], "sizes in a record, and a mark in it"),
    ("daemon/src/store/migrate.rs", &["OLDEST"], "a version"),
    ("daemon/src/store.rs", &["PAGE"], "the size of SQLite's pages"),
    ("cli/src/export/calendar.rs", &["LINE"], "what RFC 5545 says"),
    ("cli/src/ui/table.rs", &["SPACE"], "how a table looks"),
    ("cli/src/ui/pager.rs", &["NOT_FOUND"], "an exit code of shells"),
    ("cli/src/files.rs", &["NOFOLLOW"], "a flag of the system"),
];

/// The constants of a file that look like bounds, those of its tests left out.
fn bounds(items: &[Item]) -> Vec<String> {
    let mut found = Vec::new();
    for item in items {
        match item {
            Item::Mod(module) if !is_test_only(&module.attrs) => {
                found.extend(bounds(module.content.as_ref().map_or(&[][..], |(_, items)| items)));
            }
            Item::Const(it) if it.ident != "VERSION" && !is_test_only(&it.attrs) => {
                let of = if let Type::Path(of) = &*it.ty { last(&of.path).0 } else { String::new() };
                found.extend(TYPES.contains(&of.as_str()).then(|| it.ident.to_string()));
            }
            _ => {}
        }
    }
    found
}

fn parsed(path: &str, text: &str) -> Vec<String> {
    bounds(&syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}")).items)
}

fn sources() -> Vec<String> {
    let ours = |path: &String| ["protocol/src/", "daemon/src/", "cli/src/"].iter().any(|folder| path.starts_with(folder));
    with_extension("rs").into_iter().filter(|path| ours(path) && !is_test(path)).collect()
}

#[test]
fn bounds_stand_in_the_limits_files() {
    let mut found = Vec::new();
    let mut excuses: Vec<(&str, &str)> =
        NO_BOUNDS.iter().flat_map(|(file, names, _)| names.iter().map(|name| (*file, *name))).collect();
    for path in sources().into_iter().filter(|path| !path.ends_with("/limits.rs")) {
        for name in parsed(&path, &read(&path)) {
            let excused = excuses.iter().position(|(file, its)| (*file, *its) == (path.as_str(), name.as_str()));
            match excused {
                Some(at) => drop(excuses.remove(at)),
                None => found.push(format!("{path}: {name}")),
            }
        }
    }
    none("bounds outside of the limits files", &found);
    let stale: Vec<String> = excuses.iter().map(|(file, name)| format!("{file}: {name}")).collect();
    none("excused, and not there", &stale);
}

#[test]
fn no_bound_is_defined_twice() {
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in sources().into_iter().filter(|path| path.ends_with("/limits.rs")) {
        for name in parsed(&path, &read(&path)) {
            by_name.entry(name).or_default().push(path.clone());
        }
    }
    assert!(by_name.len() > 150, "they are found");
    // The same word for different things: what a daemon and what a command line keep to.
    let own = ["LOG_BYTES", "DIAL_ADDRESSES", "BODY_BYTES"];
    let twice = by_name.iter().filter(|(name, paths)| paths.len() > 1 && !own.contains(&name.as_str()));
    let found: Vec<String> = twice.map(|(name, paths)| format!("{name}: {}", paths.join(", "))).collect();
    none("defined more than once", &found);
}

#[test]
fn a_bound_in_the_wrong_place_is_noticed() {
    let source = "const LIMIT: usize = 9; pub(crate) const WAIT: std::time::Duration = X; const VERSION: u64 = 1; const NAME: &str = \"a\";
        const NUMBER: u8 = 3; mod inner { pub const DEEP: u64 = 1 << 4; } #[cfg(test)] mod tests { const MANY: usize = 5; }";
    assert_eq!(parsed("a.rs", source), ["LIMIT", "WAIT", "DEEP"]);
}
