//! The flags that every command takes. They are below everything that a command is made of, so that each part can be given them.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgAction;

use crate::duration::patience;

/// Flags that every command takes, before or after it.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Use this home folder [default: KITH_HOME, else the platform's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Choose the circle, by name or id [default: KITH_CIRCLE, else `kith config get circle`, else the only one]
    #[arg(short, long, global = true, value_name = "CIRCLE", value_parser = not_empty)]
    pub(crate) circle: Option<String>,
    /// Print one JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print stable lines without color, with tabs between columns
    #[arg(long, global = true)]
    pub(crate) plain: bool,
    /// Show more detail
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Print only results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Never ask anything, and never start the daemon
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Wait until it is done, or for this long (`--wait=60s`)
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "", value_name = "DURATION", value_parser = wait)]
    pub(crate) wait: Option<Wait>,
    /// Show what would be sent, and change nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Confirm what cannot be undone, by naming what it is done to
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
    /// Read the passphrase from the first line of a file, or from stdin (-)
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl Global {
    /// As if nothing was said but `--quiet`, for what runs with nobody there to read or answer.
    pub(crate) const fn quiet() -> Self {
        Self {
            home: None,
            circle: None,
            json: false,
            plain: true,
            verbose: 0,
            quiet: true,
            no_input: true,
            wait: None,
            dry_run: false,
            confirm: None,
            passphrase_file: None,
        }
    }
}

/// How long to wait; without a length, until it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) Option<Duration>);

/// What names a thing: an id, a name, a link. An unset variable of a script names nothing.
pub(crate) fn not_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("it is empty, so it names nothing".to_owned()) } else { Ok(text.to_owned()) }
}

fn wait(text: &str) -> Result<Wait, String> {
    if text.is_empty() { Ok(Wait(None)) } else { patience(text).map(|d| Wait(Some(d))) }
}
