//! `kith status`.

use kith_protocol::control::DaemonStatus;

use super::lifecycle;
use crate::client::Route;
use crate::context::Context;
use crate::error::Result;
use crate::files::size;
use crate::ui::{Line, Ui};

/// Show status
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {}

pub(crate) fn run(context: &Context) -> Result<()> {
    let client = context.bare_client()?;
    let reply = client.get(&Route::new("status"))?;
    context.show(&reply, |ui, status: DaemonStatus| show(ui, &status))
}

fn show(ui: &Ui, status: &DaemonStatus) -> Result<()> {
    let mut facts = vec![
        ("Kith", lifecycle::state(status.locked).text(&format!(", version {}, process {}", status.version, status.pid))),
        ("home", Line::from(status.home.as_str())),
    ];
    if !status.initialized {
        facts.push(("note", Line::new().warn("Nothing is here yet. `kith init` sets Kith up.")));
        return ui.facts(&facts);
    }
    if status.unprotected {
        facts.push((
            "note",
            Line::new().warn("No passphrase: anyone who has these files can read everything. For development only."),
        ));
    }
    if status.locked {
        facts.push(("note", "Locked means offline; `kith unlock` unlocks it.".into()));
        return ui.facts(&facts);
    }
    let sync = match (status.sync.pending_in, status.sync.pending_out) {
        (0, 0) => Line::new().good("everything delivered"),
        (coming, 0) => format!("{coming} still to come").into(),
        (0, going) => format!("{going} not delivered yet").into(),
        (coming, going) => format!("{coming} still to come, {going} not delivered yet").into(),
    };
    facts.extend([
        ("name", Line::new().name(status.name.as_deref().unwrap_or_default())),
        ("circles", status.circles.to_string().into()),
        (
            "connected",
            format!("{} other computer{}", status.peers.connected, if status.peers.connected == 1 { "" } else { "s" }).into(),
        ),
        ("sync", sync),
        ("last", status.sync.last.map(|at| ui.when(at)).unwrap_or_default().into()),
        ("kept", format!("{} items, {} entries, {}", status.store.items, status.store.entries, size(status.store.bytes)).into()),
    ]);
    if let Some(doubt) = &status.clock {
        facts.push(("clock", Line::new().warn(&doubt.to_string())));
    }
    if ui.verbose > 0 {
        facts.push(("listening", status.listening.join(", ").into()));
    }
    ui.facts(&facts)?;
    super::show::notices(ui, &status.notices)
}
