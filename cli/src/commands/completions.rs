//! `kith completions`.

use clap::CommandFactory;

use crate::args;
use crate::context::Context;
use crate::error::Result;

/// Completions for your shell, on stdout
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::Args::command(), "kith", &mut script);
    context.ui().out_file(&String::from_utf8_lossy(&script))
}
