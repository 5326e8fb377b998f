//! Files in: what they hold becomes new items; what they hold that has no place is named.

pub(crate) mod calendar;
pub(crate) mod csv;
pub(crate) mod folder;
#[cfg(test)]
mod fuzz;
pub(crate) mod links;

use kith_protocol::control::BatchItem;

pub(crate) use crate::calendar::read::Weight;

/// One thing to import.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// What people call it.
    pub(crate) title: String,
    /// The thing.
    pub(crate) item: BatchItem,
}

/// A remark about something that is not imported as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// Which thing.
    pub(crate) item: String,
    /// What about it, the sentence's end.
    pub(crate) part: String,
    /// What became of it.
    pub(crate) weight: Weight,
}

/// What a file or folder holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Haul {
    pub(crate) found: Vec<Found>,
    pub(crate) remarks: Vec<Remark>,
}

impl Haul {
    pub(crate) fn remark(&mut self, item: impl Into<String>, part: impl Into<String>) {
        self.remarks.push(Remark { item: item.into(), part: part.into(), weight: Weight::Dropped });
    }
}
