//! Seeds that nobody has run: every change of the core, or of this world, meets some of its own, and anybody can run them again.

use std::path::Path;
use std::process::Command;

/// Seeds below this are for people to choose from.
pub const FIRST: u64 = 1_000_000_000;

/// A little more than a million million seeds are drawn from, so that nobody meets the same ones twice.
const DRAWN: u64 = 1_000_000_000_000;

/// The folders whose content decides what a seed does.
const TREES: [&str; 2] = ["protocol", "tests/src/sim"];

/// Where fresh seeds begin for the sources of this commit: it follows from what git calls their folders. `None` without git.
#[must_use]
pub fn begin() -> Option<u64> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let mut git = Command::new("git");
    git.current_dir(workspace).arg("rev-parse").args(TREES.map(|tree| format!("HEAD:./{tree}")));
    let out = git.output().ok().filter(|out| out.status.success())?;
    let text = String::from_utf8(out.stdout).ok()?;
    let names: Vec<&str> = text.split_whitespace().collect();
    (names.len() == TREES.len()).then(|| follows(&names))
}

/// The seed that follows from names of trees. A multiple of 1,000, which is easier to read aloud.
fn follows(names: &[&str]) -> u64 {
    let hash = blake3::hash(names.join(" ").as_bytes());
    let drawn = hash.as_bytes()[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)) % DRAWN;
    FIRST + drawn / 1_000 * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sources_give_other_seeds_and_the_same_ones_the_same() {
        let seeds: Vec<u64> = ["a", "b", "c"].iter().map(|tree| follows(&[tree, "x"])).collect();
        assert_eq!(follows(&["a", "x"]), seeds[0]);
        assert!(seeds[0] != seeds[1] && seeds[1] != seeds[2] && follows(&["a", "y"]) != seeds[0]);
        assert!(seeds.iter().all(|seed| *seed >= FIRST && seed.is_multiple_of(1_000)));
    }
}
