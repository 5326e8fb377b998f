//! Real daemons, real sockets, real files: what a member's machine does when things go well and when they do not.

mod clocks;
mod durability;
mod edits;
mod files;
mod imports;
mod kinds;
mod mixed;
mod privacy;
mod refusals;
mod stories;
mod stuck;
mod terminal;
mod tools;
mod watch;

use kith_tests::alike::strip;
use serde_json::Value;

/// A text field of a row.
fn text(row: &Value, field: &str) -> String {
    row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Rows without what is each member's own, as one text: equal among members who agree.
fn shared(rows: Vec<Value>) -> String {
    let mut value = Value::from(rows);
    strip(&mut value);
    value.to_string()
}
