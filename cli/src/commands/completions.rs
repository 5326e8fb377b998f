//! `kith completions`.

use crate::context::Context;
use crate::error::Result;

/// Completions for your shell, on stdout
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(context: &Context, args: &CompletionsArgs, mut grammar: clap::Command) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut grammar, "kith", &mut script);
    context.ui().out_file(&String::from_utf8_lossy(&script))
}
