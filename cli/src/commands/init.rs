//! `kith init`: a name, a passphrase, a home.

use serde_json::json;

use super::passphrase;
use crate::client::{Client, Reply, Route, launch};
use crate::context::{Context, Passphrase};
use crate::error::{self, Result};
use crate::ui::Line;

/// Set Kith up: choose a name and a passphrase
#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// Use this name, which others see, unless you choose another in a circle
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Use no passphrase, for development: anyone who has the files can read everything
    #[arg(long, conflicts_with = "passphrase_file")]
    pub(crate) no_passphrase: bool,
}

const WELCOME: &str = "\
Kith keeps your circles on this computer, encrypted, and syncs them only with the members' own computers.

If this computer is your employer's, or somebody else administers it: they may be able to see your screen and your keyboard, \
read the disk while you are logged in, and see which addresses you connect to and when. Kith cannot hide from the people who run the \
machine. A computer of your own is the better place.";

pub(crate) fn run(context: &Context, args: &InitArgs) -> Result<()> {
    let (client, reply) = begin(context, args)?;
    let ui = context.ui();
    if ui.json {
        return ui.out_json(reply.text());
    }
    let status = client.status()?;
    ui.tell(Line::new().good("All set. ").text("Kith is running, and everything is kept in ").strong(&status.home).text("."));
    if status.unprotected {
        ui.tell(
            Line::new().warn("There is no passphrase: anyone who has these files can read everything. For development only."),
        );
    }
    ui.tell(Line::new().text("Next: `kith circle new NAME` starts a circle, `kith join` joins one. `kith crisis` always works."));
    Ok(())
}

/// Make the home; the client is left running and unlocked.
pub(crate) fn begin(context: &Context, args: &InitArgs) -> Result<(Client, Reply)> {
    let ui = context.ui();
    let client = context.bare_client()?;
    if client.answers() && client.status()?.initialized {
        return Err(already(context));
    }
    if !context.global().dry_run && ui.interactive {
        ui.say_block(WELCOME);
        ui.say("");
    }
    let name = name(context, args)?;
    let passphrase = if args.no_passphrase { None } else { Some(new_passphrase(context)?) };
    if context.global().dry_run {
        ui.say(format!("This would make a home at {} for \"{name}\" and start Kith.", context.home().path().display()));
        return Err(error::Stop::DryRun);
    }
    launch::start(context.home(), &client, ui)?;
    if client.status()?.initialized {
        return Err(already(context));
    }
    let body = match &passphrase {
        Some(passphrase) => json!({ "name": name, "passphrase": passphrase.as_str() }),
        None => json!({ "name": name }),
    };
    let spinner = ui.spinner("Making keys");
    let reply = client.secretly("POST", &Route::new("init"), &body);
    drop(spinner);
    Ok((client, reply?))
}

fn already(context: &Context) -> error::Stop {
    error::failed(
        format!("There is a Kith at {} already.", context.home().path().display()),
        "`kith status` shows how things are. Another one needs another --home.",
    )
}

fn name(context: &Context, args: &InitArgs) -> Result<String> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None if context.ui().interactive => loop {
            let typed = context.ui().ask("What name should others see?", "")?;
            if !typed.is_empty() {
                break typed;
            }
            context.ui().warn(&"Type a name: any will do, and you can use another one in each circle.".into());
        },
        None => return Err(error::usage("A name is needed.", "Give it with --name NAME.")),
    };
    let name = name.trim().to_owned();
    if name.is_empty() { Err(error::usage("A name is needed.", "Give it with --name NAME.")) } else { Ok(name) }
}

fn new_passphrase(context: &Context) -> Result<Passphrase> {
    if !context.asks_secret() {
        return if context.global().passphrase_file.is_some() {
            context.passphrase("")
        } else {
            Err(error::usage(
                "A passphrase is needed.",
                "Give it with --passphrase-file FILE (- for stdin); --no-passphrase is for development.",
            ))
        };
    }
    passphrase::choose(context)
}
