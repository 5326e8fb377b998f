//! `kith`: what a person types.
//!
//! This package knows the local API's types and a small HTTP client over a Unix socket. It never opens a store, holds a key
//! or speaks to a peer. This file alone links the daemon, so that `kith daemon run` *is* the daemon and one binary is enough.

mod args;
mod calendar;
mod client;
mod commands;
mod context;
mod demo;
mod duration;
mod error;
mod exit;
mod export;
mod files;
mod global;
mod home;
mod import;
mod input;
mod interrupt;
mod left_out;
mod limits;
mod panic;
mod ui;

use std::path::Path;
use std::process::ExitCode;

use args::Args;
use commands::Command;
use commands::daemon::{DaemonRun, DaemonVerb};
use context::{Context, Setting, Settings};
use kith_daemon::ConfigError;
use kith_protocol::control::{Code, Error};

fn main() -> ExitCode {
    // A passphrase passes through here as well.
    kith_daemon::keep_secrets();
    panic::redact();
    // Ends here where a shell asks what could be typed next.
    args::complete();
    let args = match Args::read() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let context = match Context::new(args.global, SETTINGS, args.command.as_ref().is_none_or(Command::is_homeless)) {
        Ok(context) => context,
        Err((ui, stop)) => return ui::finish(&ui, Err(stop)),
    };
    if let Some(Command::Daemon(DaemonVerb::Run(run))) = args.command {
        return ui::finish(context.ui(), run_daemon(&context, run));
    }
    interrupt::listen();
    ui::finish(context.ui(), commands::run(&context, args.command, args::grammar))
}

/// Be the daemon until it is told to stop.
fn run_daemon(context: &Context, run: DaemonRun) -> error::Result<()> {
    let options = kith_daemon::Options {
        home: context.home().path().to_path_buf(),
        listen: run.listen,
        verbose: context.global().verbose > 0,
    };
    kith_daemon::run(&options).map_err(|error| error.told().into())
}

/// The daemon's rules about settings.
const SETTINGS: Settings = Settings { list: settings, set: set_setting };

fn settings(home: &Path) -> Result<Vec<Setting>, Error> {
    let all = kith_daemon::settings(home).map_err(|error| refused_setting(&error))?;
    Ok(all.into_iter().map(|kith_daemon::Setting { key, value, restart }| Setting { key, value, restart }).collect())
}

fn set_setting(home: &Path, key: &str, value: &str) -> Result<(), Error> {
    // Where the file itself is wrong it is named; otherwise it is what was typed.
    let sound = kith_daemon::settings(home).is_ok();
    kith_daemon::set_setting(home, key, value).map_err(|error| match &error {
        ConfigError::Invalid(why) if sound => refused(why),
        ConfigError::Invalid(_) | ConfigError::NoPort | ConfigError::Io(_) => refused_setting(&error),
    })
}

fn refused_setting(error: &ConfigError) -> Error {
    refused(&error.to_string())
}

fn refused(why: &str) -> Error {
    Error::new(Code::Usage, format!("Nothing was changed: {why}."), "`kith config list` lists all settings.")
}
