//! `kith inbox`.

use kith_protocol::control::{Inbox, InboxEntry, Subject};
use serde_json::json;

use super::show::{author, dotted, short_ids};
use crate::client::Route;
use crate::context::Context;
use crate::error::Result;
use crate::ui::{Line, Ui};

/// Show what is new for you, oldest first
#[derive(Debug, clap::Args)]
pub(crate) struct InboxArgs {
    /// Mark all of it as seen afterward
    #[arg(long)]
    seen: bool,
    /// Print only how many new things there are; never asks, so that a shell prompt can show it
    #[arg(long, conflicts_with = "seen")]
    count: bool,
}

pub(crate) fn run(context: &Context, args: &InboxArgs) -> Result<()> {
    if args.count {
        return count(context);
    }
    let client = context.client()?;
    let reply = client.get(&Route::new("inbox"))?;
    context.show(&reply, show)?;
    if args.seen {
        let body = context.global().circle.as_ref().map_or_else(|| json!({}), |circle| json!({ "circle": circle }));
        client.send("POST", &Route::new("seen"), &body)?;
        context.ui().tell("Marked as seen.");
    }
    Ok(())
}

fn count(context: &Context) -> Result<()> {
    let inbox: Inbox = context.bare_client()?.get(&Route::new("inbox"))?.read()?;
    let circle = context.global().circle.as_deref();
    let here = |entry: &&InboxEntry| circle.is_none_or(|circle| entry.circle_name == circle || entry.circle.starts_with(circle));
    let count = inbox.inbox.iter().filter(here).count();
    if context.ui().json {
        return context.ui().out_value(&json!({ "schema": "kith.inbox.count/1", "count": count }));
    }
    context.ui().out(count.to_string())
}

fn show(ui: &Ui, inbox: Inbox) -> Result<()> {
    let entries = inbox.inbox;
    if entries.is_empty() {
        ui.tell("Nothing new.");
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
