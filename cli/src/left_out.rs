//! What of a file has no place in Kith, or only in another form: how imports name it.

/// Where something stands in what is imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The file within its folder, where a folder is imported.
    pub(crate) file: Option<String>,
    /// The line of its file, counted from 1, where it is known.
    pub(crate) line: Option<usize>,
}

impl Origin {
    /// A line of the file that is imported.
    pub(crate) const fn line(line: usize) -> Self {
        Self { file: None, line: Some(line) }
    }
}

/// Something that is not imported as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Where it stands.
    pub(crate) origin: Origin,
    /// What people call it.
    pub(crate) what: String,
    /// Why, or in which form it is kept: the end of a sentence that begins with `what`.
    pub(crate) why: String,
    /// What became of it.
    pub(crate) weight: Weight,
}

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It is not kept.
    Dropped,
    /// It is kept in another form.
    Changed,
    /// Bookkeeping of other programs, which people need not hear about.
    Minor,
}
