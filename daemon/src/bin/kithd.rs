//! `kithd`: the daemon in the foreground, for service managers. `kith daemon run` is the same.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use kith_daemon::Options;
use kith_protocol::control::Code;

const USAGE: &str = "\
Keeps a member's circles on this machine and syncs them with the others.

Usage: kithd --home DIR [--listen ADDR]... [-v]

      --home DIR     the home folder; made where it is missing
      --listen ADDR  listen here instead of where config.toml says, e.g. /ip4/0.0.0.0/tcp/0 (may be repeated; port 0: the home's own)
  -v, --verbose      log to standard error, with more detail
      --version      print the version
      --help         print this
";

enum Asked {
    Run(Options),
    Print(String),
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok(Asked::Print(text)) => {
            drop(std::io::stdout().write_all(text.as_bytes()));
            ExitCode::SUCCESS
        }
        Ok(Asked::Run(options)) => match kith_daemon::run(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let told = error.told();
                say(&format!("kithd: {}\n{}\n", told.message, told.hints));
                if matches!(told.code, Code::Usage) { ExitCode::from(2) } else { ExitCode::FAILURE }
            }
        },
        Err(wrong) => {
            say(&format!("kithd: {wrong}\n\n{USAGE}"));
            ExitCode::from(2)
        }
    }
}

/// Nobody may be reading; that is no reason to fail.
fn say(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut options = Options::default();
    while let Some(arg) = args.next() {
        let (name, given) = match arg.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (arg, None),
        };
        let mut value = || given.clone().or_else(|| args.next()).ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--home" => options.home = PathBuf::from(value()?),
            "--listen" => options.listen.push(value()?),
            "-v" | "--verbose" => options.verbose = true,
            "--help" | "-h" => return Ok(Asked::Print(USAGE.to_owned())),
            "--version" => return Ok(Asked::Print(concat!("kithd ", env!("CARGO_PKG_VERSION"), "\n").to_owned())),
            other => return Err(format!("{other:?} is not known")),
        }
    }
    if options.home.as_os_str().is_empty() {
        return Err("--home is missing".to_owned());
    }
    Ok(Asked::Run(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str]) -> Result<Options, String> {
        match parse(args.iter().map(|arg| (*arg).to_owned()))? {
            Asked::Run(options) => Ok(options),
            Asked::Print(text) => Err(text),
        }
    }

    #[test]
    fn reads_its_arguments() {
        let options = run(&["--home=/tmp/a", "--listen", "/ip4/127.0.0.1/tcp/0", "-v"]).expect("reads");
        assert_eq!((options.home, options.listen.len(), options.verbose), (PathBuf::from("/tmp/a"), 1, true));
        for wrong in [&["--home"][..], &[], &["--home", "/tmp/a", "--what"]] {
            assert!(run(wrong).is_err());
        }
    }
}
