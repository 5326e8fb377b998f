//! Two versions of the program in one world, both ways: the one that does not know what the other writes keeps it and passes it on.

use kith_tests::sim::run::{Options, Report, run};

use crate::on_all_cores;

/// Seeds, from the first on.
const SEEDS: u64 = 120;

#[test]
fn two_versions_live_in_one_circle_and_nothing_is_lost_by_an_update() {
    let mixed = || Options { mixed: true, ..Options::default() };
    let reports = on_all_cores(SEEDS, |seed| run(seed, mixed()));
    let broken: Vec<String> = reports.iter().filter(|report| !report.ok).map(explain).collect();
    let (kept, with) = (reports.iter().map(|report| report.newer).sum::<u64>(), reports.iter().filter(|report| report.newer > 0));
    let with = with.count() as u64;
    eprintln!("{kept} things were kept without being understood, in {with} of {SEEDS} worlds");
    assert!(broken.is_empty(), "{} of {SEEDS} mixed seeds broke a promise:\n{}", broken.len(), broken.join("\n"));
    assert!(with > SEEDS / 3 && kept > SEEDS, "{kept} things in {with} worlds");
}

fn explain(report: &Report) -> String {
    let what: String = report.broken.as_deref().unwrap_or_default().chars().take(400).collect();
    format!("{what}\n  cargo run -p kith-tests --bin sim -- replay {} --mixed --trace", report.seed)
}
