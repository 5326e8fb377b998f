//! The usual place of an attack: a real daemon with two circles, an honest third member, and the question whether all goes on.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::Peer;
use crate::proc::{Home, peak_kb, until};

/// Kilobytes that a daemon may grow by under any attack.
const GROWTH_KB: u64 = 64 << 10;

/// Amara's daemon with two circles, and Bea, an honest member of the first.
#[derive(Debug)]
pub struct Scene {
    /// The daemon under attack; its founder's home.
    pub amara: Home,
    /// An honest member.
    pub bea: Peer,
    pid: u32,
    memory: u64,
    notes: AtomicU32,
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

impl Scene {
    /// The circle that the attacker is in.
    pub const CIRCLE: &str = "Night shift";
    /// The one it is not in.
    pub const OTHER: &str = "Book club";

    /// Amara's daemon, two circles, Bea in one of them.
    ///
    /// # Panics
    /// Where that does not come about.
    #[must_use]
    pub fn new() -> Self {
        let amara = Home::named("Amara");
        for circle in [Self::CIRCLE, Self::OTHER] {
            drop(amara.json(&["circle", "new", circle, "--approval", "none"]));
        }
        let bea = Peer::member_of(&amara, Self::CIRCLE, "Bea");
        let pid = amara.pid().expect("our child");
        Self { memory: peak_kb(pid), amara, bea, pid, notes: AtomicU32::new(0) }
    }

    /// Another member, who may be hostile.
    #[must_use]
    pub fn mallory(&self) -> Peer {
        Peer::member_of(&self.amara, Self::CIRCLE, "Mallory")
    }

    /// Has Amara make Mallory a steward; both Mallory and Bea know it when this returns.
    pub fn make_steward(&self, mallory: &Peer) {
        let both = [mallory, &self.bea];
        let known = both.map(Peer::acts_known);
        drop(self.amara.json(&["member", "role", "Mallory", "steward", "-c", Self::CIRCLE]));
        // That both know the same says nothing: they do before it arrives, too.
        let arrived = || both.iter().zip(known).all(|(peer, before)| peer.acts_known() > before);
        until("the role to arrive", || arrived().then_some(()));
    }

    /// The daemon's process.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// Titles of the notes that Amara sees in the first circle.
    #[must_use]
    pub fn titles(&self) -> Vec<String> {
        let notes = self.amara.rows(&["note", "list", "-c", Self::CIRCLE], "notes");
        notes.iter().filter_map(|note| note.get("title").and_then(Value::as_str)).map(str::to_owned).collect()
    }

    /// The daemon is the one that was started, was never fatter than it may be; it writes in both circles; it and an honest third
    /// member hear from each other.
    ///
    /// # Panics
    /// Where any of it is not so.
    pub fn holds(&self) {
        self.holds_within(GROWTH_KB);
    }

    /// The same where what is kept for good takes more room: so many kilobytes.
    ///
    /// # Panics
    /// Where any of it is not so.
    pub fn holds_within(&self, growth: u64) {
        let number = self.notes.fetch_add(1, Ordering::Relaxed);
        let (from_bea, theirs) = (format!("from Bea, {number}"), format!("from Amara, {number}"));
        for circle in [Self::CIRCLE, Self::OTHER] {
            drop(self.amara.json(&["note", "new", "-c", circle, "--title", &theirs, "x"]));
        }
        self.bea.note(&from_bea);
        self.bea.awaits_note(&theirs);
        until("Bea's note at Amara's", || self.titles().contains(&from_bea).then_some(()));
        let log = std::fs::read_to_string(self.amara.path().join("log/kithd.log")).expect("the daemon keeps a log");
        let faults: Vec<&str> = log.lines().filter(|line| line.contains("a fault in kithd")).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert_eq!(self.amara.pid(), Some(self.pid), "the daemon is another one");
        let memory = peak_kb(self.pid);
        assert!(memory > 0, "the daemon is gone");
        assert!(memory < self.memory + growth, "memory grew from {} to {memory} kB at its highest", self.memory);
    }

    /// Nothing but what honest people wrote is shown: no title holds this word.
    ///
    /// # Panics
    /// Where one does.
    pub fn shows_nothing_of(&self, word: &str) {
        let titles = self.titles();
        assert!(titles.iter().all(|title| !title.contains(word)), "it is shown: {titles:?}");
        let bea: Vec<String> = self.bea.notes().into_iter().map(|note| note.title).collect();
        assert!(bea.iter().all(|title| !title.contains(word)), "it was passed on: {bea:?}");
    }
}
