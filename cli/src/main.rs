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

use std::process::ExitCode;

use args::Args;
use clap::CommandFactory;
use commands::Command;
use commands::daemon::{DaemonRun, DaemonVerb};
use context::Context;

fn main() -> ExitCode {
    // A passphrase passes through here as well.
    kith_daemon::keep_secrets();
    panic::redact();
    let args = match Args::read() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let context = match Context::new(args.global) {
        Ok(context) => context,
        Err((ui, stop)) => return ui::finish(&ui, Err(stop)),
    };
    if let Command::Daemon(DaemonVerb::Run(run)) = args.command {
        return ui::finish(context.ui(), run_daemon(&context, run));
    }
    interrupt::listen();
    ui::finish(context.ui(), commands::run(&context, args.command, Args::command))
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
