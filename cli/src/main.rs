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
mod error;
mod exit;
mod export;
mod fault;
mod files;
mod home;
mod import;
mod interrupt;
mod text;
mod ui;

use std::process::ExitCode;

use args::{Args, Command};
use context::Context;

fn main() -> ExitCode {
    // A passphrase passes through here as well.
    kith_daemon::keep_secrets();
    fault::redact();
    let args = match Args::read() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let context = match Context::new(args.global) {
        Ok(context) => context,
        Err((ui, stop)) => return exit::finish(&ui, Err(stop)),
    };
    if let Command::Daemon(commands::daemon::Verb::Run(run)) = args.command {
        return exit::finish(context.ui(), run_daemon(&context, run));
    }
    interrupt::listen();
    exit::finish(context.ui(), commands::run(&context, args.command))
}

/// Be the daemon until it is told to stop.
fn run_daemon(context: &Context, run: commands::daemon::Run) -> error::Result<()> {
    let options = kith_daemon::Options {
        home: context.home().path().to_path_buf(),
        listen: run.listen,
        verbose: context.global().verbose > 0,
    };
    kith_daemon::run(&options).map_err(|error| error.told().into())
}
