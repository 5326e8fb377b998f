//! `kith version`.

use serde_json::json;

use crate::context::Context;
use crate::error::Result;

/// Show the version of this program and of the daemon that is running
#[derive(Debug, clap::Args)]
pub(crate) struct VersionArgs {}

pub(crate) fn run(context: &Context) -> Result<()> {
    let (ui, own) = (context.ui(), env!("CARGO_PKG_VERSION"));
    let client = context.bare_client()?;
    let daemon = if client.answers() { client.status().ok().map(|status| status.version) } else { None };
    if ui.json {
        return ui.out_value(&json!({ "schema": "kith.version/1", "version": own, "daemon": daemon }));
    }
    ui.out(format!("kith {own}"))?;
    match daemon {
        Some(daemon) if daemon != own => {
            ui.out(format!("The daemon that is running is version {daemon}. `kith stop`, then `kith start` brings in this one."))
        }
        Some(_) | None => Ok(()),
    }
}
