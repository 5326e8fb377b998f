//! An invite link as it is given, and what it offers: for `kith invite show` and before joining.

use kith_protocol::control::Preview;
use serde_json::json;

use crate::client::{Client, Reply, Route};
use crate::context::Context;
use crate::error::{self, Result};
use crate::input;
use crate::ui::{Line, Ui};

/// A link as given, or from stdin: it is a secret, and arguments stand in the shell's history.
pub(crate) fn read_link(context: &Context, given: &str) -> Result<String> {
    let link = if given == "-" { input::secret_line(context, "The invite link")? } else { given.trim().to_owned() };
    if link.is_empty() {
        Err(error::usage("There is no link.", "Paste the whole link, in quotes, or use - and stdin."))
    } else {
        Ok(link)
    }
}

/// What a link offers. Asking changes nothing, so `--dry-run` asks too.
pub(crate) fn preview(context: &Context, client: &Client, link: &str) -> Result<Reply> {
    let spinner = context.ui().spinner("Looking for somebody in this circle");
    let reply = client.secretly("POST", &Route::new("invites").seg("preview"), &json!({ "link": link }));
    drop(spinner);
    reply
}

pub(crate) fn show_preview(ui: &Ui, preview: &Preview) -> Result<()> {
    ui.facts(&[
        ("circle", Line::new().strong(&preview.circle)),
        ("invited by", Line::new().name(&preview.inviter)),
        ("members", preview.members.to_string().into()),
        ("you would be", preview.role.word().into()),
        ("history", history(&preview.history).into()),
        ("kept", retention(&preview.retention).into()),
        ("who sees you", preview.visible_to.as_str().into()),
        ("good until", ui.when(preview.expires_at).into()),
    ])?;
    if preview.agreement.is_empty() {
        return Ok(());
    }
    ui.gap()?;
    ui.out(Line::new().dim("The agreement you sign by joining:"))?;
    ui.block(2, &preview.agreement)
}

fn history(policy: &str) -> String {
    match policy.strip_prefix("days:") {
        Some(days) => format!("you'll see the last {days} days, and perhaps a little more"),
        None if policy == "all" => "you'll see all of it".to_owned(),
        None if policy == "since-join" => "you'll see what is written after you join".to_owned(),
        None => policy.to_owned(),
    }
}

fn retention(policy: &str) -> String {
    match policy.strip_prefix("days:") {
        Some(days) => format!("conversation is deleted after {days} days"),
        None if policy == "keep" => "conversation is kept".to_owned(),
        None => policy.to_owned(),
    }
}
