//! A thousand seeds of the simulated world, half of them fresh ones; the planted bugs that seeds find, and that a seed means one run.

mod adversary;
mod mixed;
mod scripts;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use kith_protocol::control::Kind;
use kith_protocol::planted::Bug;
use kith_tests::sim::fresh;
use kith_tests::sim::planted::{self, Find};
use kith_tests::sim::run::{Options, Report, run};
use kith_tests::sim::shrink::shrink;

/// Seeds that always run here, from the first on, and as many that follow from the sources. More of them:
/// `cargo run -p kith-tests --bin sim -- run --seeds 5000`.
const SEEDS: u64 = 500;
/// Seeds in which each planted bug is looked for.
const PLANTED: u64 = 1_000;
/// Seeds in which every kind of items is looked for.
const WRITTEN: u64 = 40;
/// Virtual hours that a seed comes to, at least, on average.
const HOURS: u64 = 20;
/// Kinds of deeds, all of which happen often enough to matter.
const DEEDS: usize = 28;
/// Steps of a shrunk script, at most: what a person reads in one sitting.
const READABLE: usize = 25;

/// Does the work of each number below `end` on all cores; the results in order.
pub fn on_all_cores<T: Send>(end: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let (next, done) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        return;
                    }
                    let result = work(number);
                    done.lock().expect("nobody panics with it").push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("nobody panicked with it");
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[test]
fn every_promise_holds_in_every_seed() {
    let seeds = seeds();
    let reports = on_all_cores(seeds.len() as u64, |number| {
        let at = usize::try_from(number).expect("few");
        run(seeds[at], Options::default())
    });
    let broken: Vec<String> = reports.iter().filter(|report| !report.ok).map(explain).collect();
    let sum = |part: fn(&Report) -> u64| reports.iter().map(part).sum::<u64>();
    let hours = sum(|report| report.seconds) / 3_600;
    eprintln!(
        "{} seeds, {hours} virtual hours, {} faults, {} frames, {} items, {} things said about them; {} with real keys, {} with somebody hostile, {} with a copy, {} that live for weeks",
        reports.len(),
        sum(|report| report.machines.2),
        sum(|report| report.wire.0),
        sum(|report| report.items as u64),
        sum(|report| report.said as u64),
        sum(|report| u64::from(report.kinds.0)),
        sum(|report| u64::from(report.kinds.1)),
        sum(|report| u64::from(report.kinds.2)),
        sum(|report| u64::from(report.kinds.3)),
    );
    let mut deeds: BTreeMap<&str, u64> = BTreeMap::new();
    reports.iter().flat_map(|report| &report.deeds).for_each(|(deed, times)| *deeds.entry(deed).or_default() += times);
    eprintln!("{deeds:?}");
    let all = seeds.len() as u64;
    assert!(broken.is_empty(), "{} of {all} seeds broke a promise:\n{}", broken.len(), broken.join("\n"));
    assert_eq!(reports.len() as u64, all);
    assert!(hours >= all * HOURS, "only {hours} virtual hours");
    assert_eq!(sum(|report| u64::from(report.kinds.0)), all / 10, "one seed in ten runs real cryptography");
    assert!(sum(|report| u64::from(report.kinds.3)).abs_diff(all / 16) <= 1, "one seed in sixteen lives long");
    assert!(sum(|report| report.said as u64) > all, "hardly anything is said about items");
    let rare: Vec<_> = deeds.iter().filter(|(_, times)| **times < 3).collect();
    assert!(rare.is_empty() && deeds.len() == DEEDS, "{rare:?} hardly ever happen, of {} that do", deeds.len());
}

/// The fixed seeds and the fresh ones, with the command that runs the fresh ones again: also where this test passes, whose other
/// words are not shown.
fn seeds() -> Vec<u64> {
    let fresh = fresh::begin();
    let words = fresh.map_or_else(
        || "sim: no fresh seeds, since git does not name the sources".to_owned(),
        |from| format!("sim: fresh seeds: cargo run --release -p kith-tests --bin sim -- run --from {from} --seeds {SEEDS}"),
    );
    writeln!(std::io::stderr(), "{words}").expect("the command is written down");
    (0..SEEDS).chain(fresh.into_iter().flat_map(|from| from..from + SEEDS)).collect()
}

fn explain(report: &Report) -> String {
    let what: String = report.broken.as_deref().unwrap_or_default().chars().take(400).collect();
    format!("{what}\n  cargo run -p kith-tests --bin sim -- replay {} --trace", report.seed)
}

/// What nobody writes is not tried: a new kind needs people in the workload who write it.
#[test]
fn people_write_every_kind_of_items() {
    let mut missing: BTreeSet<Kind> = Kind::ALL.into_iter().collect();
    for seed in 0..WRITTEN {
        let written = run(seed, Options::default()).entries;
        missing.retain(|kind| !written.iter().any(|(number, _)| *number == kind.number()));
        if missing.is_empty() {
            return;
        }
    }
    let missing: Vec<&str> = missing.into_iter().map(Kind::noun).collect();
    panic!("nobody in tests/src/sim/workload.rs writes a {}", missing.join(", a "));
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [1, 2, 9] {
        let (first, second) = (run(seed, Options::default()), run(seed, Options::default()));
        assert_eq!((first.trace, first.events), (second.trace, second.events), "seed {seed}");
    }
    assert_ne!(run(1, Options::default()).trace, run(2, Options::default()).trace);
}

#[test]
fn every_planted_bug_is_found() {
    let finds = on_all_cores(Bug::ALL.len() as u64, |number| {
        let at = usize::try_from(number).expect("few");
        planted::find(Bug::ALL[at].0, PLANTED).0
    });
    let line =
        |find: &Find| format!("{:16} seed {:?} {:?} of {:?}: {}", find.name, find.seed, find.check, find.expected, find.promise);
    finds.iter().for_each(|find| println!("{}", line(find)));
    let quiet: Vec<String> = finds.iter().filter(|find| find.seed.is_none()).map(line).collect();
    assert!(quiet.is_empty(), "no check that is there for these notices them:\n{}", quiet.join("\n"));
}

/// The first run that shows a planted bug, and whose script shows it, too. (What was on people's screens is no part of a script, so
/// now and then one takes another course.)
fn found_again(bug: Bug, check: &str) -> Report {
    let again = |report: &Report| {
        let script = Some(report.script.clone());
        run(report.seed, Options { bug: Some(bug), script, ..Options::default() }).check == report.check
    };
    let runs = (0..PLANTED).map(|seed| run(seed, Options { bug: Some(bug), ..Options::default() }));
    runs.filter(|report| report.check == Some(check)).find(again).expect("a seed finds it")
}

#[test]
fn a_failing_run_is_shrunk_to_what_a_person_can_read() {
    let bug = Some(Bug::OldKeys);
    let report = found_again(Bug::OldKeys, "confidentiality/sealed");
    let seed = report.seed;
    let (check, before) = (report.check, report.script.steps.len());
    let shrunk = shrink(report, &Options { bug, ..Options::default() }, 200);
    let left = shrunk.script.steps.len();
    assert_eq!(shrunk.report.check, check);
    assert!(left <= READABLE && left < before / 2, "{left} of {before} steps are left");
    // What is left is a run of its own, and it fails because of the bug alone.
    let again = |bug| run(seed, Options { bug, script: Some(shrunk.script.clone()), ..Options::default() });
    assert_eq!((again(bug).check, again(bug).trace), (check, shrunk.report.trace));
    assert_eq!(again(None).broken, None);
}
