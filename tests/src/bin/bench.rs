//! `bench [--quick] [--only NAME] [--notes FILE] [--json]`: how fast it is, beside what the machine can do at best.

use std::io::Write;
use std::process::ExitCode;

use kith_tests::bench::{self, BenchOptions, Row};

const USAGE: &str = "usage: bench [--quick] [--only NAME] [--notes FILE] [--json]";

fn main() -> ExitCode {
    let Some((options, json)) = parse() else {
        say(&mut std::io::stderr(), USAGE);
        return ExitCode::from(2);
    };
    // Before the private loopback: building may want the network.
    let _ = kith_tests::proc::binaries();
    let private = bench::private();
    let tell = |row: &Row| say(&mut std::io::stderr(), &format!("{:<28} {:>14.6} {}", row.metric, row.value, row.unit));
    match bench::run(&options, private, tell) {
        Ok(report) => {
            if report.rows.is_empty() {
                say(&mut std::io::stderr(), "bench: no metric has that name; without --only it takes all");
                return ExitCode::from(2);
            }
            let text = if json { serde_json::to_string(&report).unwrap_or_default() } else { report.table() };
            say(&mut std::io::stdout(), &text);
            ExitCode::SUCCESS
        }
        Err(why) => {
            say(&mut std::io::stderr(), &format!("bench: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn parse() -> Option<(BenchOptions, bool)> {
    let (mut options, mut json) = (BenchOptions::default(), false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--quick" => options.quick = true,
            "--json" => json = true,
            "--only" => options.only = Some(args.next()?),
            "--notes" => options.notes = Some(args.next()?.into()),
            _ => return None,
        }
    }
    Some((options, json))
}

fn say(to: &mut dyn Write, text: &str) {
    // Nobody may be reading any more.
    drop(writeln!(to, "{text}"));
}
