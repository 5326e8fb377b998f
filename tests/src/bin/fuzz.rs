//! `fuzz [TARGET] [--seconds N] [--seed S]`: runs one target, or all in turn, seed after seed for so long. Stops at what breaks.

use std::ffi::OsString;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use kith_tests::fuzz::targets::ALL;
use kith_tests::fuzz::{RECORD, Target, cases, inside, watched};

const USAGE: &str = "usage: fuzz [TARGET] [--seconds N] [--seed S]";

struct Args {
    target: Option<Target>,
    seconds: u64,
    seed: u64,
}

fn main() -> ExitCode {
    let Some(args) = args() else {
        let names: Vec<&str> = ALL.iter().map(|target| target.name).collect();
        eprintln!("{USAGE}\ntargets: {}", names.join(" "));
        return ExitCode::from(2);
    };
    if let (Some(record), Some(target)) = (std::env::var_os(RECORD), &args.target) {
        inside(target, &record, args.seed, cases());
        return ExitCode::SUCCESS;
    }
    let (start, mut seed) = (Instant::now(), args.seed);
    while start.elapsed() < Duration::from_secs(args.seconds) {
        for target in ALL.iter().filter(|target| args.target.is_none_or(|only| only.name == target.name)) {
            if let Err(why) = watched(target, &mut again(target, seed), seed) {
                eprintln!("{why}");
                return ExitCode::FAILURE;
            }
        }
        seed = seed.wrapping_add(1);
    }
    ExitCode::SUCCESS
}

fn again(target: &Target, seed: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| OsString::from("fuzz").into()));
    command.args([target.name, "--seed", &seed.to_string()]);
    command
}

fn args() -> Option<Args> {
    let mut out = Args { target: None, seconds: 60, seed: 1 };
    let mut rest = std::env::args().skip(1);
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--seconds" => out.seconds = rest.next()?.parse().ok()?,
            "--seed" => out.seed = rest.next()?.parse().ok()?,
            name => out.target = Some(*ALL.iter().find(|target| target.name == name)?),
        }
    }
    Some(out)
}
