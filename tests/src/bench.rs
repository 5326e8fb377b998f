//! The benchmark: real daemons on loopback, driven through the local API, with what the machine can do at best beside them.
//!
//! Measures and reports; never judges, never runs as a test. Every daemon that it starts ends with it. Figures are medians;
//! how each is taken stands at its function in the rooms `bench/*`.

mod circle;
mod client;
mod floor;
mod membership;
mod network;
mod notes;
mod process;
mod report;
mod rows;
mod turns;
mod worst;

use std::path::PathBuf;

pub use network::private;
pub use report::{BenchReport, Host, Row};
use rows::Bench;

/// What to measure.
#[derive(Clone, Debug, Default)]
pub struct BenchOptions {
    /// Fewer repetitions, nothing above 10,000 notes.
    pub quick: bool,
    /// Only metrics whose name begins so.
    pub only: Option<String>,
    /// Notes to write, as JSON lines with `title` and `body`; otherwise they are made.
    pub notes: Option<PathBuf>,
}

impl BenchOptions {
    /// A name stands for itself and for all that go on with an underscore.
    fn wants(&self, metric: &str) -> bool {
        let within =
            |name: &str, whole: &str| name.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
        self.only.as_ref().is_none_or(|only| within(metric, only) || within(only, metric))
    }
}

/// Measures everything that is wanted. `tell` hears each row as soon as it is known.
///
/// # Errors
/// What went wrong, in words.
pub fn run(options: &BenchOptions, private: bool, tell: impl FnMut(&Row)) -> Result<BenchReport, String> {
    let notes = match &options.notes {
        Some(file) => notes::read(file)?,
        None => notes::made(if options.quick { 12_000 } else { 110_000 }),
    };
    let machine = Host::here(private);
    let mut bench = Bench::new(options.clone(), notes, tell);
    bench.all()?;
    Ok(BenchReport { schema: "kith.bench/1", machine, rows: bench.rows })
}
