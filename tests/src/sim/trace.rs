//! What happened, line by line: a running hash that names the whole run, and the lines themselves when somebody wants to read them.

use kith_protocol::time::Millis;

/// The record of a run.
#[derive(Debug)]
pub struct Trace {
    hasher: blake3::Hasher,
    start: Millis,
    keep: bool,
    /// The lines, if kept.
    pub lines: Vec<String>,
    /// How many lines there were.
    pub count: u64,
}

impl Trace {
    /// An empty record; `keep` keeps the lines, not only their hash.
    #[must_use]
    pub fn new(start: Millis, keep: bool) -> Self {
        Self { hasher: blake3::Hasher::new(), start, keep, lines: Vec::new(), count: 0 }
    }

    /// Adds a line.
    pub fn line(&mut self, now: Millis, what: &str) {
        let at = now.since(self.start);
        self.count += 1;
        self.hasher.update(&at.to_le_bytes()).update(what.as_bytes()).update(b"\n");
        if self.keep {
            self.lines.push(format!("{:>10.3}s {what}", at as f64 / 1000.0));
        }
    }

    /// The run's name: equal for equal runs.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hasher.finalize().to_hex().chars().take(16).collect()
    }
}
