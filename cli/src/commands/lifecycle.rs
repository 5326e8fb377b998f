//! `start`, `stop`, `lock`, `unlock`: each does nothing where it is so already.

use kith_protocol::control::Code;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::client::{Client, Route, launch};
use crate::context::Context;
use crate::error::{self, Result, Stop};
use crate::limits::{ENDING, STOP};
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
    let was_running = client.answers();
    if context.global().dry_run {
        ui.say(if was_running {
            let locked = client.status()?.locked;
            format!(
                "Kith is running already{}",
                if locked { ", locked; this would unlock it." } else { "; this would do nothing." }
            )
        } else {
            format!("This would start Kith with its home at {}.", context.home().path().display())
        });
        return Ok(());
    }
    if !was_running {
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
        context.unlock(&client).map_err(|stop| if was_running { stop } else { started_all_the_same(stop) })?;
    } else if status.locked {
        ui.tell("Kith is running and locked. `kith unlock` unlocks it.");
        return answer(context, &client);
    }
    ui.tell("Kith is running.");
    answer(context, &client)
}

/// It was not unlocked, but it was started.
fn started_all_the_same(stop: Stop) -> Stop {
    match stop.code() {
        Some(Code::NeedsPassphrase) => error::refused(
            Code::NeedsPassphrase,
            "Wrong passphrase. Kith is running now, and locked.",
            "`kith unlock` asks for the passphrase again; `kith stop` ends it.",
        ),
        _ => stop,
    }
}

pub(crate) fn stop(context: &Context) -> Result<()> {
    let (ui, client) = (context.ui(), context.bare_client()?);
    let asked = if client.answers() { Some(client.send("POST", &Route::new("stop"), &json!({}))) } else { None };
    match asked {
        Some(Ok(_)) => {}
        Some(Err(stop @ (Stop::DryRun | Stop::Closed))) => return Err(stop),
        // It is stuck, or its socket is gone: it is asked as the system asks.
        Some(Err(_)) | None => {
            let Some(holder) = context.home().holder() else {
                ui.tell("Kith is not running.");
                return stopped(context);
            };
            signal(holder, &[Signal::TERM, Signal::CONT])?;
            // The same one still: its number may be another process's by now.
            if wait(context, ENDING).is_err() && context.home().holder() == Some(holder) {
                // Nothing that was saved is lost by that.
                signal(holder, &[Signal::KILL])?;
                ui.tell("The daemon did not stop when it was asked to, so this command ended it.");
            }
        }
    }
    wait(context, STOP).map_err(|_| error::refused(Code::TimedOut, "Kith is still busy ending.", "`kith status` asks again."))?;
    ui.tell("Kith stopped. Everything written is kept.");
    stopped(context)
}

fn signal(holder: Pid, signals: &[Signal]) -> Result<()> {
    let sent = signals.iter().try_for_each(|signal| kill_process(holder, *signal));
    sent.or_else(|e| if e == rustix::io::Errno::SRCH { Ok(()) } else { Err(e) })
        .map_err(|e| error::failed(format!("Cannot end the daemon: {}.", e.kind()), "It is another user's, perhaps."))
}

/// Waits until no daemon holds the home.
fn wait(context: &Context, limit: std::time::Duration) -> Result<()> {
    context.until(Some(limit), || Ok((!context.home().is_held()).then_some(())))
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
