//! The simulated world from the command line: many seeds, one seed again and shrunk, the planted bugs.

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use kith_protocol::planted::Bug;
use kith_tests::sim::planted::{self, Find};
use kith_tests::sim::run::{self, Options, Report};
use kith_tests::sim::script::Case;
use kith_tests::sim::shrink::shrink;

const USAGE: &str = "usage: sim run --seeds N [--from S] [--minutes M] [--bug NAME] [--mixed] [--json] | sim replay SEED [--trace] [--bug NAME] [--mixed] [--whole] [--save FILE] | sim replay --script FILE [--trace] [--bug NAME] [--seed N] | sim planted [--seeds N] [--json]";
/// Runs that shrinking may take.
const TRIES: usize = 400;
/// Seeds in which each planted bug is looked for, as in the tests.
const SEEDS: u64 = 1_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["run", flags @ ..] => many(flags),
        ["replay", "--script", file, flags @ ..] => script(file, flags),
        ["replay", seed, flags @ ..] => one(seed, flags),
        ["planted", flags @ ..] => bugs(flags),
        _ => None,
    };
    outcome.unwrap_or_else(|| {
        say(&mut std::io::stderr(), USAGE);
        ExitCode::from(2)
    })
}

/// What is asked about one run.
#[derive(Default)]
struct Asked {
    trace: bool,
    whole: bool,
    mixed: bool,
    bug: Option<Bug>,
    save: Option<String>,
    seed: Option<u64>,
}

impl Asked {
    fn read(flags: &[&str]) -> Option<Self> {
        let mut asked = Self::default();
        let mut rest = flags.iter();
        while let Some(flag) = rest.next() {
            match *flag {
                "--trace" => asked.trace = true,
                "--whole" => asked.whole = true,
                "--mixed" => asked.mixed = true,
                "--bug" => asked.bug = Some(Bug::named(rest.next()?)?),
                "--seed" => asked.seed = Some(rest.next()?.parse().ok()?),
                "--save" => asked.save = Some((*rest.next()?).to_owned()),
                _ => return None,
            }
        }
        Some(asked)
    }
}

/// One seed, and where it fails the shortest script that fails alike.
fn one(seed: &str, flags: &[&str]) -> Option<ExitCode> {
    let Asked { trace: keep_trace, whole, mixed, bug, save, seed: None } = Asked::read(flags)? else { return None };
    let report = run::run(seed.parse().ok()?, Options { keep_trace, bug, mixed, script: None });
    let out = &mut std::io::stdout();
    told(&report, report.ok || whole);
    if report.ok {
        return Some(ExitCode::SUCCESS);
    }
    if whole {
        report.script.steps.iter().for_each(|step| say(out, &step.to_string()));
        return Some(ExitCode::FAILURE);
    }
    let before = report.script.steps.len();
    let shrunk = shrink(report, &Options { bug, mixed, ..Options::default() }, TRIES);
    say(out, &format!("shrunk from {before} steps to {} in {} runs:", shrunk.script.steps.len(), shrunk.runs));
    shrunk.script.steps.iter().for_each(|step| say(out, &step.to_string()));
    let (shape, check) = (shrunk.report.shape.clone(), shrunk.report.check.unwrap_or_default().to_owned());
    let case = Case { check, shape, script: shrunk.script };
    if keep_trace {
        let again = Options { keep_trace, bug, mixed, script: Some(case.script.clone()) };
        run::play(&case.shape, again).lines.iter().for_each(|line| say(out, line));
    }
    // A file says nothing of versions.
    if let Some(Err(why)) = save.filter(|_| !mixed).map(|file| std::fs::write(file, case.write())) {
        say(&mut std::io::stderr(), &format!("the script could not be written: {why}"));
    }
    let (formed, healed) = (case.script.formed / 1_000, case.script.healed / 1_000);
    say(out, &format!("(the storm from {formed} s to {healed} s) {}", shrunk.report.broken.unwrap_or_default()));
    Some(ExitCode::FAILURE)
}

/// A script from a file, as it stands there.
fn script(file: &str, flags: &[&str]) -> Option<ExitCode> {
    let Asked { trace, bug, whole: false, mixed: false, save: None, seed } = Asked::read(flags)? else { return None };
    let text = std::fs::read_to_string(file).map_err(|why| why.to_string());
    match text.and_then(|text| Case::read(&text)) {
        Ok(case) => {
            let report = run::replay(&case.under(seed.unwrap_or(case.shape.seed)), bug, trace);
            case.script.steps.iter().for_each(|step| say(&mut std::io::stdout(), &step.to_string()));
            told(&report, trace);
            Some(code(report.ok))
        }
        Err(why) => {
            say(&mut std::io::stderr(), &format!("{file}: {why}"));
            Some(ExitCode::from(2))
        }
    }
}

/// How a run went, its trace first where it is asked for.
fn told(report: &Report, trace: bool) {
    let out = &mut std::io::stdout();
    if trace {
        report.lines.iter().for_each(|line| say(out, line));
    }
    say(out, &line(report));
    report.doctors.iter().for_each(|said| say(out, &format!("  {said}")));
    for (why, times) in &report.refusals {
        say(out, &format!("  refused {times}×: {why}"));
    }
}

fn bugs(flags: &[&str]) -> Option<ExitCode> {
    let (mut seeds, mut json) = (SEEDS, false);
    let mut rest = flags.iter();
    while let Some(flag) = rest.next() {
        match *flag {
            "--seeds" => seeds = rest.next()?.parse::<u64>().ok()?,
            "--json" => json = true,
            _ => return None,
        }
    }
    let mut finds: Vec<(usize, Find)> = Vec::new();
    let out = &mut std::io::stdout();
    let next = AtomicU64::new(0);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                while let Some((at, (bug, ..))) =
                    usize::try_from(next.fetch_add(1, Ordering::Relaxed)).ok().and_then(|at| Some((at, Bug::ALL.get(at)?)))
                {
                    if send.send((at, planted::find(*bug, seeds).0)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for (at, find) in receive {
            if !json {
                let Find { name, promise, seed, check, expected } = &find;
                let seed = seed.map_or("not found".to_owned(), |seed| format!("seed {seed}"));
                let (found, meant) = (check.unwrap_or_default(), expected.join(" "));
                say(out, &format!("{name:16} {seed:10} {found:28} of {meant:50} {promise}"));
            }
            finds.push((at, find));
        }
    });
    finds.sort_by_key(|(at, _)| *at);
    let finds: Vec<Find> = finds.into_iter().map(|(_, find)| find).collect();
    if json {
        say(out, &serde_json::json!({ "planted": finds }).to_string());
    }
    Some(code(finds.iter().all(|find| find.seed.is_some())))
}

/// Which seeds to run.
struct Range {
    from: u64,
    seeds: u64,
    /// No new seed begins after this long.
    within: Option<Duration>,
    bug: Option<Bug>,
    mixed: bool,
}

fn many(flags: &[&str]) -> Option<ExitCode> {
    let (mut seeds, mut json) = (None, false);
    let mut range = Range { from: 0, seeds: 0, within: None, bug: None, mixed: false };
    let mut rest = flags.iter();
    while let Some(flag) = rest.next() {
        match *flag {
            "--seeds" => seeds = Some(rest.next()?.parse::<u64>().ok()?),
            "--from" => range.from = rest.next()?.parse().ok()?,
            "--minutes" => range.within = Some(Duration::from_secs(rest.next()?.parse::<u64>().ok()?.checked_mul(60)?)),
            "--bug" => range.bug = Some(Bug::named(rest.next()?)?),
            "--mixed" => range.mixed = true,
            "--json" => json = true,
            _ => return None,
        }
    }
    // With a limit of time, no other is needed.
    range.seeds = seeds.or(range.within.map(|_| u64::MAX))?;
    let from = range.from;
    let mut failed = Vec::new();
    let (mut seconds, mut events) = (0, 0);
    let next = each(&range, |report| {
        seconds += report.seconds;
        events += report.events;
        if !report.ok {
            if !json {
                say(&mut std::io::stdout(), &line(&report));
            }
            failed.push(report);
        }
    });
    failed.sort_by_key(|report| report.seed);
    let (seeds, hours) = (next - from, seconds as f64 / 3600.0);
    if json {
        let object = serde_json::json!({"schema": "kith.sim.run/1", "from": from, "seeds": seeds, "next": next,
            "virtual_seconds": seconds, "virtual_hours": hours, "events": events, "failed": failed});
        say(&mut std::io::stdout(), &object.to_string());
    } else {
        let failed = failed.len();
        say(
            &mut std::io::stdout(),
            &format!("{seeds} seeds, {hours:.0} virtual hours, {events} events: {failed} failed; the next seed is {next}"),
        );
    }
    Some(code(failed.is_empty()))
}

/// Runs the seeds on all cores and hands over each report as it comes. The first seed that was not run: all before it were.
fn each(range: &Range, mut take: impl FnMut(Report)) -> u64 {
    let (start, end) = (Instant::now(), range.from.saturating_add(range.seeds));
    let next = AtomicU64::new(range.from);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                while range.within.is_none_or(|within| start.elapsed() < within) {
                    let more = |seed: u64| (seed < end).then(|| seed + 1);
                    let Ok(seed) = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) else { return };
                    if send.send(run::run(seed, Options { bug: range.bug, mixed: range.mixed, ..Options::default() })).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for report in receive {
            take(report);
        }
    });
    next.into_inner()
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn line(report: &Report) -> String {
    let verdict = match &report.broken {
        None => "ok".to_owned(),
        Some(what) => format!("FAILED {what}\n  replay: cargo run -p kith-tests --bin sim -- replay {} --trace", report.seed),
    };
    format!(
        "seed {} trace {}: {} machines, {} boots, {} faults, {} items, {} frames, {} s, {} events: {verdict}",
        report.seed,
        report.trace,
        report.machines.0,
        report.machines.1,
        report.machines.2,
        report.items,
        report.wire.0,
        report.seconds,
        report.events
    )
}

fn code(ok: bool) -> ExitCode {
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(out: &mut dyn Write, line: &str) {
    // A closed pipe ends the talk, not the run.
    let _ = writeln!(out, "{line}");
}
