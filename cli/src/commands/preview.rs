//! An invite link as it is given, and what it offers: for `kith invite show` and before joining.

use kith_protocol::control::{Preview, Shortened, Time};
use kith_protocol::time::DAY;
use serde_json::json;

use super::show::is_ahead;
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
        ("history", history(ui, &preview.history, preview.open_since).into()),
        ("kept", retention(ui, &preview.retention, preview.shortened.as_ref()).into()),
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

fn history(ui: &Ui, policy: &str, since: Option<Time>) -> String {
    let since = open_since(policy, since).map(|since| ui.moment(since));
    match (policy.strip_prefix("days:"), since) {
        (Some(days), Some(since)) => format!("you'll see the last {}, but nothing from before {since}", counted(days)),
        (Some(days), None) => format!("you'll see the last {}, and perhaps a little more", counted(days)),
        (None, Some(since)) if policy == "all" => {
            format!("you'll see what was written since {since}; what is older stays closed to newcomers")
        }
        (None, None) if policy == "all" => "you'll see all of it".to_owned(),
        (None, _) if policy == "since-join" => "you'll see what is written after you join".to_owned(),
        (None, _) => policy.to_owned(),
    }
}

fn retention(ui: &Ui, policy: &str, shortened: Option<&Shortened>) -> String {
    let kept = |policy: &str| match policy.strip_prefix("days:") {
        Some(days) => format!("conversation is deleted after {}", counted(days)),
        None if policy == "keep" => "conversation is kept for good".to_owned(),
        None => policy.to_owned(),
    };
    match shortened.filter(|shortened| is_ahead(shortened.from)) {
        Some(Shortened { from, before }) => {
            let from = ui.when(*from);
            format!("{} if it was written before {from}; {} if it is written later", kept(before), kept(policy))
        }
        None => kept(policy),
    }
}

/// `1 day`, `90 days`.
pub(crate) fn counted(days: &str) -> String {
    if days == "1" { "1 day".to_owned() } else { format!("{days} days") }
}

/// Since when newcomers read what is written, where an earlier, stricter rule keeps them from what is older. The last N days may have
/// begun after that.
pub(crate) fn open_since(policy: &str, since: Option<Time>) -> Option<Time> {
    let days = policy.strip_prefix("days:").and_then(|days| days.parse::<u64>().ok());
    since.filter(|since| days.is_none_or(|days| is_ahead(Time(since.0.plus(days * DAY)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kith_protocol::time::Millis;

    #[test]
    fn the_last_days_may_have_begun_after_what_a_stricter_rule_closed() {
        let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).expect("after 1970");
        let ago = |days: u64| Some(Time(Millis(now - days * DAY)));
        assert_eq!(
            [open_since("all", ago(900)), open_since("days:7", ago(6)), open_since("days:7", ago(8))],
            [ago(900), ago(6), None]
        );
        assert_eq!(open_since("all", None), None);
    }
}
