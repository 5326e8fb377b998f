//! A few hundred seeds of the simulated world, and that a seed means one run.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use kith_tests::sim::run::{Report, run};

/// Seeds that run here. More of them: `cargo run -p kith-tests --bin sim -- run --seeds 5000`.
const SEEDS: u64 = 60;

#[test]
fn every_promise_holds_in_every_seed() {
    let next = AtomicU64::new(0);
    let reports: Mutex<Vec<Report>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= SEEDS {
                        return;
                    }
                    let report = run(seed, false);
                    reports.lock().expect("nobody panics with it").push(report);
                }
            });
        }
    });
    let mut reports = reports.into_inner().expect("nobody panicked with it");
    reports.sort_by_key(|report| report.seed);
    let broken: Vec<String> = reports.iter().filter(|report| !report.ok).map(explain).collect();
    let sum = |part: fn(&Report) -> u64| reports.iter().map(part).sum::<u64>();
    eprintln!(
        "{} seeds, {} virtual hours, {} faults, {} frames, {} items",
        reports.len(),
        sum(|report| report.seconds) / 3600,
        sum(|report| report.machines.2),
        sum(|report| report.wire.0),
        sum(|report| report.items as u64),
    );
    assert!(broken.is_empty(), "{} of {SEEDS} seeds broke a promise:\n{}", broken.len(), broken.join("\n"));
}

fn explain(report: &Report) -> String {
    let what: String = report.broken.as_deref().unwrap_or_default().chars().take(400).collect();
    format!("{what}\n  cargo run -p kith-tests --bin sim -- replay {} --trace", report.seed)
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [1, 2, 3] {
        let (first, second) = (run(seed, false), run(seed, false));
        assert_eq!((first.trace, first.events), (second.trace, second.events), "seed {seed}");
    }
    assert_ne!(run(1, false).trace, run(2, false).trace);
}
