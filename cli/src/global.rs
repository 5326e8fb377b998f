//! The flags that every command takes. They are below everything that a command is made of, so that each part can be given them.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgAction;

use crate::duration::duration;

/// Flags that every command takes, before or after it.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Where Kith keeps everything [default: KITH_HOME, else the platform's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Which circle, by name or id; may be left out while there is only one
    #[arg(short, long, global = true, value_name = "CIRCLE")]
    pub(crate) circle: Option<String>,
    /// Answer in JSON, one object
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Stable, uncoloured lines, columns separated by tabs
    #[arg(long, global = true)]
    pub(crate) plain: bool,
    /// More detail
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Data and errors only, no talk
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Never ask anything, never start the daemon unasked
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Wait until it is done, or that long (`--wait=60s`)
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "", value_name = "DURATION", value_parser = wait)]
    pub(crate) wait: Option<Wait>,
    /// Show what would be sent and do nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Confirm what cannot be undone, by the name of what it is done to
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
    /// Read the passphrase from the first line of a file, or from stdin (-)
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// How long to wait; without a length, until it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) Option<Duration>);

fn wait(text: &str) -> Result<Wait, String> {
    if text.is_empty() { Ok(Wait(None)) } else { duration(text).map(|d| Wait(Some(d))) }
}
