//! `sim run --seeds N [--from S] [--json]` and `sim replay SEED [--trace]`: the simulated world from the command line.

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use kith_tests::sim::run::{self, Report};

const USAGE: &str = "usage: sim run --seeds N [--from S] [--json] | sim replay SEED [--trace]";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["run", flags @ ..] => many(flags),
        ["replay", seed, flags @ ..] => one(seed, flags),
        _ => None,
    };
    outcome.unwrap_or_else(|| {
        say(&mut std::io::stderr(), USAGE);
        ExitCode::from(2)
    })
}

fn one(seed: &str, flags: &[&str]) -> Option<ExitCode> {
    let keep = match flags {
        [] => false,
        ["--trace"] => true,
        _ => return None,
    };
    let report = run::run(seed.parse().ok()?, keep);
    for line in &report.lines {
        say(&mut std::io::stdout(), line);
    }
    say(&mut std::io::stdout(), &line(&report));
    for (why, times) in &report.refusals {
        say(&mut std::io::stdout(), &format!("  refused {times}×: {why}"));
    }
    Some(code(report.ok))
}

fn many(flags: &[&str]) -> Option<ExitCode> {
    let (mut seeds, mut from, mut json) = (None, 0, false);
    let mut rest = flags.iter();
    while let Some(flag) = rest.next() {
        match *flag {
            "--seeds" => seeds = Some(rest.next()?.parse::<u64>().ok()?),
            "--from" => from = rest.next()?.parse().ok()?,
            "--json" => json = true,
            _ => return None,
        }
    }
    let seeds = seeds?;
    let mut failed = Vec::new();
    let mut seconds = 0;
    let mut events = 0;
    each(from, seeds, |report| {
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
    if json {
        let object = serde_json::json!({"schema": "kith.sim.run/1", "from": from, "seeds": seeds, "virtual_seconds": seconds,
            "events": events, "failed": failed});
        say(&mut std::io::stdout(), &object.to_string());
    } else {
        let hours = seconds as f64 / 3600.0;
        say(
            &mut std::io::stdout(),
            &format!("{seeds} seeds, {hours:.0} virtual hours, {events} events: {} failed", failed.len()),
        );
    }
    Some(code(failed.is_empty()))
}

/// Runs the seeds on all cores and hands over each report as it comes.
fn each(from: u64, seeds: u64, mut take: impl FnMut(Report)) {
    let next = AtomicU64::new(from);
    let (send, receive) = mpsc::channel();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds || send.send(run::run(seed, false)).is_err() {
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
