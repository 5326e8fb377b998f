//! `kith man`.

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::context::Context;
use crate::error::{self, Result};
use crate::files;

/// Write the manual page to stdout, or all manual pages into a folder
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The folder, such as ~/.local/share/man/man1
    dir: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, args: &ManArgs, mut grammar: clap::Command) -> Result<()> {
    grammar.build();
    let Some(dir) = &args.dir else {
        if std::io::stdout().is_terminal() {
            // A terminal shows the page's source only; what it says is the help.
            context.ui().page();
            return context.ui().out_file(&format!("{}\n", grammar.render_long_help()));
        }
        return context.ui().out_file(&render(&grammar)?);
    };
    std::fs::create_dir_all(dir).map_err(|e| error::io("Cannot make the folder", dir, &e))?;
    let mut count = 0;
    let mut pages = vec![grammar];
    while let Some(command) = pages.pop() {
        pages.extend(command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned());
        let name = clap_mangen::Man::new(command.clone()).get_filename();
        files::write(&dir.join(name), render(&command)?.as_bytes(), true)?;
        count += 1;
    }
    context.ui().say(format!("{count} pages written to {}.", dir.display()));
    Ok(())
}

fn render(command: &clap::Command) -> Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .map_err(|e| error::failed(format!("Cannot write the page: {e}."), ""))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
