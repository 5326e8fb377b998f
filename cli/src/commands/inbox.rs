//! `kith inbox`.

use kith_protocol::control::{Inbox, InboxEntry, Subject};
use serde_json::json;

use super::show::{author, dotted, short_ids};
use crate::client::Route;
use crate::context::Context;
use crate::error::Result;
use crate::ui::{Line, Ui};

/// What is new for you, oldest first; the marks stay on this computer
#[derive(Debug, clap::Args)]
pub(crate) struct InboxArgs {
    /// Then mark all of it as seen
    #[arg(long)]
    seen: bool,
}

pub(crate) fn run(context: &Context, args: &InboxArgs) -> Result<()> {
    let client = context.client()?;
    let reply = client.get(&Route::new("inbox"))?;
    context.show(&reply, show)?;
    if args.seen {
        let body = context.global().circle.as_ref().map_or_else(|| json!({}), |circle| json!({ "circle": circle }));
        client.send("POST", &Route::new("seen"), &body)?;
        context.ui().say("Marked as seen.");
    }
    Ok(())
}

fn show(ui: &Ui, inbox: Inbox) -> Result<()> {
    let entries = inbox.inbox;
    if entries.is_empty() {
        ui.say("Nothing new.");
        return Ok(());
    }
    let ids = short_ids(ui, entries.iter().map(|entry| entry.id.as_str()));
    let rows: Vec<Vec<Line>> = entries.iter().zip(ids).map(|(entry, id)| row(ui, entry, &id)).collect();
    ui.table(&["id", "what", "circle", "when", ""], &rows)
}

fn row(ui: &Ui, entry: &InboxEntry, id: &str) -> Vec<Line> {
    let warning =
        entry.content_warning.as_deref().map(|warning| Line::new().warn(&format!("[warning: {warning}]"))).unwrap_or_default();
    let what = if entry.kind == Subject::Pending { "asks to come in" } else { entry.kind.word() };
    vec![
        Line::new().dim(id),
        what.into(),
        entry.circle_name.as_str().into(),
        Line::new().dim(&ui.when(entry.created_at)),
        dotted(vec![author(&entry.author), Line::new().part(&entry.title), warning]),
    ]
}
