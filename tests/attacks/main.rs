//! Attacks, each a test named by its label, against the real binaries wherever that shows it. What lives in other layers, and what
//! cannot be shown from outside, stands in the table of `tests/README.md`.

mod disk;
mod local_api;
mod people;

use serde_json::Value;

/// A text field of a row.
fn text(row: &Value, field: &str) -> String {
    row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Kilobytes of memory that a process holds now.
fn memory_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
