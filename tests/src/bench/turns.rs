//! What a daemon says of its turns: how long its stages took, read from its log.

use std::collections::BTreeMap;
use std::path::Path;

/// The stages of a turn, in their order: what one commit takes in, the rows it writes, the disk's sync, what is then sent.
pub const STAGES: [(&str, &str); 4] =
    [("handle", "handle_us"), ("rows", "rows_us"), ("sync", "sync_us"), ("effects", "effects_us")];

/// Microseconds of each stage, turn by turn, from a line on.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    /// By stage.
    pub stages: BTreeMap<&'static str, Vec<f64>>,
    /// Lines read so far.
    pub lines: usize,
}

impl Turns {
    /// Reads what was said after so many lines of the turns that count. Those that wrote nothing are left out.
    #[must_use]
    pub fn read(file: &Path, after: usize, counts: impl Fn(&str) -> bool) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let mut turns = Self { lines: text.lines().count(), ..Self::default() };
        // A commit is told before the turn that it belongs to.
        let mut commit = "";
        for line in text.lines().skip(after) {
            if line.contains(" commit ") || line.contains(": commit") {
                commit = line;
            } else if line.contains(": turn") && !line.contains(" rows=0 ") && counts(line) {
                for (stage, field) in STAGES {
                    turns.stages.entry(stage).or_default().extend(value(line, field).or_else(|| value(commit, field)));
                }
            }
        }
        turns
    }
}

/// The longest turn that was told after so many lines, in seconds, and how many lines there are now.
#[must_use]
pub fn longest(file: &Path, after: usize) -> (f64, usize) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let turns = text.lines().skip(after).filter(|line| line.contains(": turn"));
    let took = |line: &str| ["handle_us", "commit_us", "effects_us"].iter().filter_map(|field| value(line, field)).sum::<f64>();
    (turns.map(took).fold(0.0, f64::max) / 1e6, text.lines().count())
}

fn value(line: &str, field: &str) -> Option<f64> {
    let rest = line.split_once(&format!(" {field}="))?.1;
    rest.split(' ').next()?.trim_end_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_from_lines() {
        let line =
            "2026-11-22T18:00:00Z DEBUG kith_daemon::driver: turn events=1 rows=9 handle_us=120 commit_us=300 effects_us=7";
        assert_eq!((value(line, "handle_us"), value(line, "effects_us"), value(line, "sync_us")), (Some(120.0), Some(7.0), None));
    }
}
