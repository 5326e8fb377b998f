//! Structure-aware fuzzing on stable Rust: valid values are bent and handed to whatever decodes what peers and people send.
//!
//! A target has valid samples and says what became of any bytes; it panics where a promise is broken. Checksums, seals and
//! signatures that would hide the deeper code are made anew inside the target. A run is decided by its seed. It happens in a
//! process of its own with bounded memory and a stack as small as the daemon's, so that an overflow, an abort or a hang is a
//! finding too, and the bytes that did it are known.

mod bend;
mod child;
mod drive;
pub mod targets;
mod text;
mod tree;

pub use bend::{Bend, bend_bytes, bend_tree};
pub use child::{RECORD, check, inside, watched};
pub use drive::{Report, cases, kept, run};
pub use tree::{NULL, Tree};

/// How samples are bent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As CBOR trees, then as bytes.
    Cbor,
    /// As JSON trees, then as bytes.
    Json,
    /// As lines, words and numbers.
    Text,
}

/// What became of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They meant something.
    Taken,
    /// They were refused.
    Refused,
}

impl Verdict {
    /// Taken where it is so.
    #[must_use]
    pub const fn taken(so: bool) -> Self {
        if so { Self::Taken } else { Self::Refused }
    }
}

/// Says what becomes of bytes; panics where a promise is broken.
pub type Judge = Box<dyn FnMut(&[u8]) -> Verdict>;

/// A target, ready.
pub struct Prepared {
    /// Valid values.
    pub samples: Vec<Vec<u8>>,
    /// The judge.
    pub judge: Judge,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("samples", &self.samples.len()).finish_non_exhaustive()
    }
}

/// Something that decodes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called, also on the command line and in the corpus.
    pub name: &'static str,
    /// How its samples are bent.
    pub form: Form,
    /// For text: words that belong to it.
    pub words: &'static [&'static str],
    /// It runs one in so many of the executions that are asked for: more than 1 only where a whole daemon answers each.
    pub share: u32,
    /// Makes it ready.
    pub prepare: fn() -> Prepared,
}

/// A test that runs a target.
#[macro_export]
macro_rules! fuzz_test {
    ($test:ident, $target:expr) => {
        #[test]
        fn $test() {
            $crate::fuzz::check(&$target, concat!(module_path!(), "::", stringify!($test)));
        }
    };
}
