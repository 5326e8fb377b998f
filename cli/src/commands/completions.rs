//! `kith completions`.

use clap_complete::env::Shells;

use super::complete::ASKED;
use crate::context::Context;
use crate::error::{self, Result};

/// Print completions for your shell: commands, flags, and the ids and names of your circles
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(context: &Context, args: &CompletionsArgs) -> Result<()> {
    let shells = Shells::builtins();
    let name = args.shell.to_string();
    let shell = shells.completer(&name).ok_or_else(|| error::usage(format!("There are no completions for {name}."), ""))?;
    let mut script = Vec::new();
    shell
        .write_registration(ASKED, "kith", "kith", "kith", &mut script)
        .map_err(|e| error::failed(format!("Cannot write the completions: {}.", error::reason(&e)), ""))?;
    context.ui().out_file(&String::from_utf8_lossy(&script))
}
