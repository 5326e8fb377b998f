//! Every value that the core writes into a table is a form with frozen examples, or one of the few that need none.
//!
//! The writes are found in the source: calls of `put` that name a table. Each stands in [`STORED`], with the file of its examples.

use crate::tokens::{code, matching};
use crate::{is_test, none, project_files, read, with_extension};

/// Values that say nothing: that they are there is all.
const MARK: &str = "mark";
/// Values that no codec writes, and why they need no example.
const PLAIN: [(&str, &str); 5] = [
    ("next number", "eight or four bytes, big-endian"),
    ("own key", "what the key of another row says"),
    ("circle", "the first eight bytes of its id"),
    ("hash", "32 bytes, compared and never read"),
    ("words", "text for the index, which cannot be read back"),
];

/// File, table, and the form of each value that the file puts there, in order.
const STORED: &[(&str, &str, &[&str])] = &[
    ("protocol/src/circle/act/store.rs", "Act", &["genesis", "genesis"]),
    ("protocol/src/circle/epoch/ring.rs", "Epoch", &["epoch-row"]),
    ("protocol/src/circle/news.rs", "Local", &["looked"]),
    ("protocol/src/circle/overview.rs", "Member", &["overview", "summary"]),
    ("protocol/src/circle/record.rs", "Record", &["record"]),
    ("protocol/src/circle/row.rs", "Circle", &["circle-row"]),
    ("protocol/src/item/apply.rs", "Local", &[MARK]),
    ("protocol/src/item/staging.rs", "Local", &[MARK]),
    ("protocol/src/item/built.rs", "Built", &["built-text", "built-row"]),
    ("protocol/src/item/imports.rs", "Local", &[MARK]),
    ("protocol/src/item/inbox.rs", "View", &["counter"]),
    ("protocol/src/item/index.rs", "Local", &["unindexed", "unindexed"]),
    ("protocol/src/item/index.rs", "Search", &["words"]),
    ("protocol/src/item/parts.rs", "Built", &["shares-row", MARK, "part-row", MARK, MARK]),
    ("protocol/src/item/clock_expiry.rs", "Local", &["again-row", "again-row"]),
    ("protocol/src/item/project.rs", "Local", &["circle"]),
    ("protocol/src/item/project.rs", "View", &["counter"]),
    ("protocol/src/item/rebuild.rs", "Local", &["circle"]),
    ("protocol/src/item/rebuild.rs", "View", &["counter"]),
    ("protocol/src/item/row.rs", "Item", &["item-row"]),
    ("protocol/src/item/row.rs", "Local", &["counter"]),
    ("protocol/src/log/chain/destroy.rs", "Block", &["block-row"]),
    ("protocol/src/log/chain/destroy.rs", "Tail", &["tail-row"]),
    ("protocol/src/log/chain/extend.rs", "Block", &["block-row", "block-row"]),
    ("protocol/src/log/chain/extend.rs", "Tail", &["tail-row"]),
    ("protocol/src/log/chain/receive.rs", "Chain", &["fork-row"]),
    ("protocol/src/log/rows.rs", "Chain", &["chain-row", "next number", "own key"]),
    ("protocol/src/node/commands/circles.rs", "Local", &["usual-name"]),
    ("protocol/src/node/commands/drafts.rs", "Local", &["draft-row"]),
    ("protocol/src/node/state.rs", "Local", &["hash"]),
    ("protocol/src/peer.rs", "Local", &["here"]),
    ("protocol/src/peer/join_row.rs", "Outbox", &["join-row"]),
    ("protocol/src/peer/requests.rs", "Outbox", &["request-row"]),
    ("protocol/src/peer/tickets.rs", "Local", &["invite-secret"]),
    ("protocol/src/sync/clocks.rs", "Local", &["heard-row", "clock"]),
    ("protocol/src/sync/cuts.rs", "Local", &["cut-row", MARK, "left-aside"]),
    ("protocol/src/sync/delivery.rs", "Local", &["seen-by", "acked"]),
    ("protocol/src/sync/entries.rs", "Local", &[MARK]),
];

/// The writes of one file: for each its table, and whether its value says nothing (`vec![1]` or `Vec::new()`).
fn puts(text: &str) -> Vec<(String, bool)> {
    let code = code(text);
    let put = [".", "put", "(", "Table", "::"];
    let starts =
        (0..code.len()).filter(|at| code[*at..].iter().zip(put).filter(|(token, put)| token == put).count() == put.len());
    let found = starts.map(|at| {
        let value = &code[..matching(&code, at + 2)];
        let value = value.strip_suffix(&[",".to_owned()]).unwrap_or(value);
        let nothing = ["vec ! [ 1 ]", "Vec :: new ( )"].iter().any(|nothing| value.join(" ").ends_with(nothing));
        (code[at + put.len()].clone(), nothing)
    });
    found.collect()
}

/// What is wrong with the writes of one file, by the rows of the table for it.
fn faults(path: &str, text: &str, stored: &[(&str, &str, &[&str])], examples: &[String]) -> Vec<String> {
    let mut left: Vec<(&str, Vec<&str>)> =
        stored.iter().filter(|row| row.0 == path).map(|(_, table, forms)| (*table, forms.to_vec())).collect();
    let mut found = Vec::new();
    for (table, nothing) in puts(text) {
        let row = left.iter_mut().find(|(of, forms)| *of == table && !forms.is_empty());
        let Some(form) = row.map(|(_, forms)| forms.remove(0)) else {
            found.push(format!("{path}: a value in {table} that is not in the list"));
            continue;
        };
        let frozen = |form: &str| examples.iter().any(|file| file.starts_with(&format!("protocol/testdata/{form}.v")));
        if (form == MARK) != nothing || form != MARK && !frozen(form) && PLAIN.iter().all(|(plain, _)| *plain != form) {
            found.push(format!("{path}: a value in {table} is said to be `{form}`"));
        }
    }
    let more = left.iter().flat_map(|(table, forms)| forms.iter().map(move |form| (table, form)));
    found.extend(more.map(|(table, form)| format!("{path}: nothing puts `{form}` into {table}")));
    found
}

#[test]
fn every_value_that_is_stored_has_frozen_examples() {
    let examples: Vec<String> = project_files().into_iter().filter(|path| path.starts_with("protocol/testdata/")).collect();
    let sources: Vec<String> =
        with_extension("rs").into_iter().filter(|path| path.starts_with("protocol/src/") && !is_test(path)).collect();
    let mut found: Vec<String> = sources.iter().flat_map(|path| faults(path, &read(path), STORED, &examples)).collect();
    let gone = STORED.iter().filter(|(path, ..)| !sources.iter().any(|source| source == path));
    found.extend(gone.map(|(path, ..)| format!("{path} is not there")));
    none("stored values without an example (see tests/architecture/stored.rs)", &found);
}

/// The newest step of the store's schema, and the first version that is still opened, have a home each, with all between them.
#[test]
fn every_version_of_a_home_has_a_frozen_one() {
    let steps = "daemon/src/store/";
    let oldest = read("daemon/src/store/migrate.rs");
    let oldest = oldest.split_once("const OLDEST: i64 = ").and_then(|(_, rest)| rest.split_once(';')).expect("the first version");
    let oldest: u32 = oldest.0.parse().expect("a number");
    let of = |path: String| path.strip_prefix(steps)?.strip_suffix(".sql")?.parse::<u32>().ok();
    let newest = with_extension("sql").into_iter().filter_map(of).max().expect("a step");
    assert!(oldest <= newest);
    let files = ["keys.toml", "config.toml", "store.db", "store.db-log"];
    let wanted = (oldest..=newest).flat_map(|version| files.map(|file| format!("daemon/testdata/home.v{version}/{file}")));
    let there = project_files();
    none("parts of a frozen home", &wanted.filter(|path| !there.contains(path)).collect::<Vec<_>>());
}

#[test]
fn a_value_without_an_example_is_noticed() {
    let source = "
        fn a(tx: &mut Tx) { tx.put(Table::Local, b\"x\", codec::encode(&row)); cx.tx.put(Table::Local, &key, vec![1]); }
        #[cfg(test)] mod tests { fn b() { tx.put(Table::Item, b\"\", bytes); } }";
    let examples = ["protocol/testdata/row.v1.hex".to_owned()];
    let of = |rows: &[&str]| faults("a.rs", source, &[("a.rs", "Local", rows), ("b.rs", "Item", &["row"])], &examples).len();
    assert_eq!(of(&["row", MARK]), 0);
    assert_eq!(of(&["row"]), 1, "one more");
    assert_eq!(of(&["row", MARK, "row"]), 1, "one less");
    assert_eq!(of(&["other", MARK]), 1, "no example");
    assert_eq!((of(&[MARK, MARK]), of(&["row", "row"])), (1, 1), "a mark, or not");
}
