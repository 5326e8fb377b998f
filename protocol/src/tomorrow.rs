//! A next version of Kith, as far as it needs to differ: with the feature `switches` (tests only) it can be switched on, to show that
//! machines of both versions live in one circle. Production code asks a function that is constantly false.
//!
//! It knows one more field (6 of notes, a mood), kind (10, read as a reaction), policy (6, a motto) and act version (3, in which it
//! writes changes of roles), and writes them whenever it writes a note, a reaction, policies or a role.

/// The act version.
pub(crate) const ACT_VERSION: u64 = 3;
/// The policy.
pub(crate) const POLICY: u32 = 6;
/// The kind.
pub(crate) const KIND: u8 = 10;
/// The field.
pub(crate) const FIELD: u8 = 6;
/// What it says in notes that it writes,
pub const MOOD: &str = "hopeful";
/// and of circles whose policies it sets.
pub const MOTTO: &str = "slowly";

#[cfg(any(test, feature = "switches"))]
mod switch {
    use std::cell::Cell;
    use std::sync::OnceLock;

    thread_local! {
        static HERE: Cell<Option<bool>> = const { Cell::new(None) };
    }
    static EVERYWHERE: OnceLock<bool> = OnceLock::new();

    /// This thread runs that version, or this one, while this lives.
    #[derive(Debug)]
    #[must_use = "the version is as before once this is dropped"]
    pub struct Version(Option<bool>);

    /// Chooses for this thread: that version, or this one.
    pub fn tomorrow(on: bool) -> Version {
        Version(HERE.replace(Some(on)))
    }

    impl Drop for Version {
        fn drop(&mut self) {
            HERE.set(self.0);
        }
    }

    /// Is this that version? Where a thread did not choose, `KITH_TOMORROW` in the environment of the process says so.
    #[must_use]
    pub fn is_tomorrow() -> bool {
        let process = || *EVERYWHERE.get_or_init(|| std::env::var_os("KITH_TOMORROW").is_some());
        HERE.get().unwrap_or_else(process)
    }
}

#[cfg(any(test, feature = "switches"))]
pub use switch::{Version, is_tomorrow, tomorrow};

/// Is this that version? Never, outside of tests.
#[cfg(not(any(test, feature = "switches")))]
pub(crate) const fn is_tomorrow() -> bool {
    false
}
