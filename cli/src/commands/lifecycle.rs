//! `start`, `stop`, `lock`, `unlock`: each does nothing where it is so already.

use kith_protocol::control::Code;
use serde_json::json;

use crate::client::{Client, Route, launch};
use crate::context::Context;
use crate::error::{self, Result};
use crate::limits::STOP;
use crate::ui::Line;

/// Start Kith in the background and unlock it
#[derive(Debug, clap::Args)]
pub(crate) struct StartArgs {}

/// Stop Kith; nothing is synced until it starts again
#[derive(Debug, clap::Args)]
pub(crate) struct StopArgs {}

/// Lock Kith: keys are wiped from memory, and it goes offline
#[derive(Debug, clap::Args)]
pub(crate) struct LockArgs {}

/// Unlock Kith with the passphrase
#[derive(Debug, clap::Args)]
pub(crate) struct UnlockArgs {}

pub(crate) fn start(context: &Context) -> Result<()> {
    let ui = context.ui();
    let client = context.bare_client()?;
    if context.global().dry_run {
        ui.say(format!("This would start Kith with its home at {}.", context.home().path().display()));
        return Ok(());
    }
    if !client.answers() {
        if !context.home().exists() {
            return Err(context.nothing_here());
        }
        launch::start(context.home(), &client, ui)?;
    }
    let status = client.status()?;
    if !status.initialized {
        return Err(context.nothing_here());
    }
    if status.locked && (ui.interactive || context.global().passphrase_file.is_some()) {
        context.unlock(&client)?;
    } else if status.locked {
        ui.tell("Kith is running and locked. `kith unlock` unlocks it.");
        return answer(context, &client);
    }
    ui.tell("Kith is running.");
    answer(context, &client)
}

pub(crate) fn stop(context: &Context) -> Result<()> {
    let client = context.bare_client()?;
    if !client.answers() {
        context.ui().tell("Kith is not running.");
        return stopped(context);
    }
    client.send("POST", &Route::new("stop"), &json!({}))?;
    context
        .until(Some(STOP), || Ok((!client.answers() && !context.home().is_held()).then_some(())))
        .map_err(|_| error::refused(Code::TimedOut, "Kith is still busy ending.", "`kith status` asks again."))?;
    context.ui().tell("Kith stopped. Everything written is kept.");
    stopped(context)
}

fn stopped(context: &Context) -> Result<()> {
    if context.ui().json { context.ui().out_value(&json!({ "schema": "kith.stop/1", "running": false })) } else { Ok(()) }
}

pub(crate) fn lock(context: &Context) -> Result<()> {
    let client = context.bare_client()?;
    let status = client.status()?;
    if !status.locked {
        if status.unprotected {
            return Err(error::failed(
                "This home has no passphrase, so it cannot be locked.",
                "It was made with --no-passphrase, for development.",
            ));
        }
        client.send("POST", &Route::new("lock"), &json!({}))?;
    }
    context.ui().tell("Locked. The keys are wiped and Kith is offline until `kith unlock`.");
    answer(context, &client)
}

pub(crate) fn unlock(context: &Context) -> Result<()> {
    let client = context.bare_client()?;
    if !client.answers() && context.ui().interactive && context.home().exists() {
        launch::start(context.home(), &client, context.ui())?;
    }
    let status = client.status()?;
    if !status.initialized {
        return Err(context.nothing_here());
    }
    if status.locked {
        context.unlock(&client)?;
    }
    context.ui().tell("Unlocked.");
    answer(context, &client)
}

/// With `--json`: how it is now.
fn answer(context: &Context, client: &Client) -> Result<()> {
    if !context.ui().json {
        return Ok(());
    }
    context.ui().out_json(client.get(&Route::new("status"))?.text())
}

/// For those who look at the word rather than the reply.
pub(crate) fn state(locked: bool) -> Line {
    if locked { Line::new().warn("locked") } else { Line::new().good("running") }
}
