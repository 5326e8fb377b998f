//! `kith watch`.

use kith_protocol::control::WatchEvent;

use super::show::short_id;
use crate::context::Context;
use crate::error::{self, Result};
use crate::ui::Line;

/// Tell what happens as it happens, until Ctrl-C; ids only, never content
#[derive(Debug, clap::Args)]
pub(crate) struct WatchArgs {}

pub(crate) fn run(context: &Context) -> Result<()> {
    let ui = context.ui();
    let client = context.client()?;
    let mut last = None;
    ui.say(Line::new().dim("Watching; Ctrl-C ends it."));
    loop {
        client.watch(&mut last, |data| {
            if ui.json {
                return ui.out_json(data);
            }
            let Ok(event) = serde_json::from_str::<WatchEvent>(data) else { return Ok(()) };
            let now =
                if ui.plain { jiff::Timestamp::now().to_string() } else { jiff::Zoned::now().strftime("%H:%M:%S").to_string() };
            let id = short_id(ui, &event.id);
            let cells = vec![
                now.into(),
                event.event.word().into(),
                event.noun.word().into(),
                event.change.word().into(),
                Line::new().dim(&id),
            ];
            if ui.plain { ui.table(&[], &[cells]) } else { ui.out(super::show::dotted(cells)) }
        })?;
        // The stream ended: the daemon stopped, or was locked. Say which, or go on where it stopped.
        if !client.answers() {
            return Err(client.not_running());
        }
        if client.status()?.locked {
            return Err(error::refused(kith_protocol::control::Code::Locked, "Kith was locked.", "`kith unlock` opens it."));
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}
