//! What is fuzzed: valid values, and a judge of any others.

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
