//! Planted bugs: each is switched on for itself, and some seed must find it.

use kith_protocol::planted::Bug;
use serde::Serialize;

use super::run::{Options, Report, run};

/// A planted bug, and who found it.
#[derive(Debug, Serialize)]
pub struct Find {
    /// Its name.
    pub name: &'static str,
    /// The promise that it breaks.
    pub promise: &'static str,
    /// The first seed that found it; none, where none did.
    pub seed: Option<u64>,
    /// The check that noticed.
    pub check: Option<&'static str>,
}

/// Looks for a bug in the seeds below `seeds`; the run that found it, with what it found.
#[must_use]
pub fn find(bug: Bug, seeds: u64) -> (Find, Option<Report>) {
    let (name, promise) = Bug::ALL.iter().find(|(its, ..)| *its == bug).map_or(("", ""), |(_, name, promise)| (name, promise));
    let report = (0..seeds).map(|seed| run(seed, Options { bug: Some(bug), ..Options::default() })).find(|report| !report.ok);
    let found = report.as_ref();
    let (seed, check) = (found.map(|report| report.seed), found.and_then(|report| report.check));
    (Find { name, promise, seed, check }, report)
}
