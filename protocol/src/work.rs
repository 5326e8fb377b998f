//! What work an input causes, counted: so that tests bound it without looking at a clock. With the feature `switches` and in this
//! package's own tests each thread counts for itself; elsewhere nothing is counted. Must never decide anything.

/// Work done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Blocks opened: unsealed, inflated, every payload in them sealed again and hashed.
    pub opened: u64,
    /// Blocks joined, compressed and sealed: to be stored or sent.
    pub sealed: u64,
    /// Bytes that came out of a decompressor.
    pub inflated: u64,
    /// Items of several entries that were put together,
    pub built: u64,
    /// and the operations and runs that they were made of.
    pub operations: u64,
    /// Times that the rows of all chains of a circle were read.
    pub scanned: u64,
    /// Acts read: their bytes decoded.
    pub acts: u64,
    /// Circles whose people were read.
    pub people: u64,
    /// Acts, records and chains looked at for what the other side of a stream lacks.
    pub compared: u64,
}

#[cfg(any(test, feature = "switches"))]
mod counting {
    use std::cell::Cell;

    use super::Work;

    const NONE: Work =
        Work { opened: 0, sealed: 0, inflated: 0, built: 0, operations: 0, scanned: 0, acts: 0, people: 0, compared: 0 };

    thread_local! {
        static DONE: Cell<Work> = const { Cell::new(NONE) };
    }

    /// Runs something and says what work it caused in this thread.
    pub fn counted<T>(run: impl FnOnce() -> T) -> (T, Work) {
        let before = DONE.replace(Work::default());
        let out = run();
        let done = DONE.get();
        DONE.set(Work {
            opened: before.opened + done.opened,
            sealed: before.sealed + done.sealed,
            inflated: before.inflated + done.inflated,
            built: before.built + done.built,
            operations: before.operations + done.operations,
            scanned: before.scanned + done.scanned,
            acts: before.acts + done.acts,
            people: before.people + done.people,
            compared: before.compared + done.compared,
        });
        (out, done)
    }

    pub(crate) fn did(note: impl FnOnce(&mut Work)) {
        let mut done = DONE.get();
        note(&mut done);
        DONE.set(done);
    }
}

#[cfg(any(test, feature = "switches"))]
pub use counting::counted;
#[cfg(any(test, feature = "switches"))]
pub(crate) use counting::did;

/// Counts nothing, outside of tests.
#[cfg(not(any(test, feature = "switches")))]
pub(crate) fn did(_: impl FnOnce(&mut Work)) {}
