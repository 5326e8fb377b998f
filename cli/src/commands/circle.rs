//! `kith circle ...`.

use std::path::{Path, PathBuf};

use kith_protocol::control::{
    Circle, CircleStatus, EditCircle, ForgetCircle, Join, LeaveCircle, NewCircle, Notice, Role, Shortened,
};
use kith_protocol::limits::{AGREEMENT_BYTES, POLICY_DAYS};
use serde_json::json;

use super::aim::Aim;
use super::member;
use super::show::{is_ahead, short_id, short_ids};
use super::succession::Succession;
use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::{self, Result};
use crate::files;
use crate::global::not_empty;
use crate::input;
use crate::ui::{Line, Ui};

/// What can be done with circles.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum CircleVerb {
    /// Start a circle, as its founder
    ///
    /// Where no rules are given, newcomers read what is written after they join, everything is kept, and stewards invite and
    /// approve (since-join, keep, stewards, required).
    New(CircleNew),
    /// List your circles
    List,
    /// Show a circle: members, rules, keys
    Show {
        /// Its name or id [default: -c, else the usual circle]
        #[arg(value_parser = not_empty)]
        which: Option<String>,
    },
    /// Change the name or the rules (founder)
    Edit(CircleEdit),
    /// Show the agreement that everybody signs by joining
    Agreement {
        /// Sign it as it is now
        #[arg(long)]
        sign: bool,
    },
    /// Delete a circle that you left or were removed from, here only
    Forget {
        /// Forget it although nobody has heard yet that you left
        #[arg(long)]
        unheard: bool,
    },
    /// Leave a circle
    ///
    /// You keep what is on this computer. If you are the last steward, say who takes over.
    Leave(Succession),
}

/// The rules that both `new` and `edit` take.
#[derive(Debug, clap::Args)]
pub(crate) struct CircleRules {
    /// Read the agreement from a file, or from stdin (-)
    #[arg(long, value_name = "FILE")]
    agreement: Option<PathBuf>,
    /// Let newcomers read earlier conversation: all, since-join, days:N
    ///
    /// A looser rule opens what is written from then on; what was written before stays closed to them.
    #[arg(long, value_name = "RULE")]
    history: Option<String>,
    /// Keep conversation for good (keep), or for N days (90d)
    #[arg(long, value_name = "RULE")]
    retention: Option<String>,
    /// Let these people invite: stewards, members
    #[arg(long, value_name = "WHO")]
    invite: Option<String>,
    /// Have a steward approve every request: required, none
    #[arg(long, value_name = "RULE")]
    approval: Option<String>,
}

/// A new circle.
#[derive(Debug, clap::Args)]
pub(crate) struct CircleNew {
    /// Its name
    name: String,
    /// Use this name in it instead of your usual one
    #[arg(long = "as", value_name = "NAME")]
    as_name: Option<String>,
    #[command(flatten)]
    rules: CircleRules,
    /// Key agreement: x-wing (post-quantum) or x25519 [default: x-wing]
    #[arg(long, value_name = "SUITE", hide_short_help = true)]
    suite: Option<String>,
}

/// A changed circle.
#[derive(Debug, clap::Args)]
pub(crate) struct CircleEdit {
    /// Its name or id [default: -c, else the usual circle]
    #[arg(value_parser = not_empty)]
    which: Option<String>,
    /// Give it a new name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    rules: CircleRules,
    /// Take the agreement away
    #[arg(long, conflicts_with = "agreement")]
    no_agreement: bool,
}

pub(crate) fn run(context: &Context, verb: CircleVerb) -> Result<()> {
    match verb {
        CircleVerb::New(new) => create(context, new),
        CircleVerb::List => list(context),
        CircleVerb::Show { which } => {
            let client = context.client()?;
            let reply = client.get(&route(context, which.as_deref()))?;
            context.show(&reply, |ui, circle: Circle| show(ui, &circle, &Aim::at(context, &client, &circle.id)))
        }
        CircleVerb::Edit(edit) => change(context, edit),
        CircleVerb::Agreement { sign: false } => agreement(context),
        CircleVerb::Agreement { sign: true } => sign(context),
        CircleVerb::Forget { unheard } => forget(context, unheard),
        CircleVerb::Leave(succession) => leave(context, succession),
    }
}

fn route(context: &Context, which: Option<&str>) -> Route {
    if let Some(which) = which {
        context.is_about(which);
    }
    Route::new("circles").seg(which.unwrap_or_else(|| context.circle()))
}

fn read_agreement(path: Option<&Path>) -> Result<Option<String>> {
    match path {
        None => Ok(None),
        Some(path) if path.as_os_str() == "-" => input::stdin(AGREEMENT_BYTES).and_then(|text| said(text, "What came on stdin")),
        Some(path) => {
            let text = files::read_text(path, AGREEMENT_BYTES)?;
            said(text.trim_end().to_owned(), &format!("{}", path.display()))
        }
    }
}

/// An empty file is a slip, never a wish to have no agreement.
fn said(agreement: String, from: &str) -> Result<Option<String>> {
    if agreement.trim().is_empty() {
        let hint = "Leave --agreement out to have none; `kith circle edit --no-agreement` takes one away.";
        return Err(error::usage(format!("{from} is empty, so it is no agreement. Nothing was changed."), hint));
    }
    Ok(Some(agreement))
}

fn create(context: &Context, new: CircleNew) -> Result<()> {
    let client = context.client()?;
    // Before anything is read from somebody who waits: is there room at all?
    client.secretly("POST", &Route::new("room"), &json!({}))?;
    let body = NewCircle {
        agreement: read_agreement(new.rules.agreement.as_deref())?.unwrap_or_default(),
        name: new.name,
        as_name: new.as_name.unwrap_or_default(),
        history: new.rules.history.unwrap_or_default(),
        retention: new.rules.retention.unwrap_or_default(),
        invite: new.rules.invite.unwrap_or_default(),
        approval: new.rules.approval.unwrap_or_default(),
        suite: new.suite.unwrap_or_default(),
    };
    let reply = client.send("POST", &Route::new("circles"), &body)?;
    tell_of_alike(context, &client, &reply.read()?);
    context.show(&reply, |ui, circle: Circle| {
        let aim = Aim::at(context, &client, &circle.id);
        show(ui, &circle, &aim)?;
        ui.say("");
        ui.say(aim.text("Invite people with `kith invite new`."));
        ui.tell("It is good to have three stewards: with fewer, one lost computer can leave a circle that nobody can manage.");
        ui.tell(aim.text("`kith member role NAME steward` appoints one."));
        Ok(())
    })
}

/// Says so where another circle is called the same: from then on its name alone does not say which is meant.
fn tell_of_alike(context: &Context, client: &Client, new: &Circle) {
    let all = client.get(&Route::new("circles")).and_then(|reply| reply.field::<Vec<Circle>>("circles")).unwrap_or_default();
    let alike = |other: &&Circle| other.id != new.id && other.name.to_lowercase() == new.name.to_lowercase();
    if let Some(other) = all.iter().find(alike) {
        let told = Line::new().warn("Another circle of yours is called the same. ").text("Tell them apart by id: ");
        context.ui().complain(&told.text(&new.id).text(" is this one, ").text(&other.id).text(" the other."));
    }
}

fn list(context: &Context) -> Result<()> {
    let client = context.client()?;
    let reply = client.get(&Route::new("circles"))?;
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    let circles: Vec<Circle> = reply.field("circles")?;
    let ui = context.ui();
    let joins: Vec<Join> = client.get(&Route::new("joins"))?.field("joins")?;
    let notices: Vec<Notice> = joins.into_iter().filter_map(|join| join.notice).collect();
    if circles.is_empty() && !notices.is_empty() {
        return notices_of(ui, &notices);
    }
    if circles.is_empty() {
        ui.tell("No circle yet. `kith circle new NAME` starts one, `kith join` joins one.");
        return Ok(());
    }
    let ids = short_ids(ui, circles.iter().map(|circle| circle.id.as_str()));
    let rows: Vec<Vec<Line>> = circles
        .iter()
        .zip(ids)
        .map(|(circle, id)| {
            let role = circle.role.map_or_else(|| circle.status.word(), Role::word);
            vec![Line::new().dim(&id), circle.members.to_string().into(), role.into(), Line::new().strong(&circle.name)]
        })
        .collect();
    ui.table(&["id", "members", "my role", "name"], &rows)?;
    let ended: Vec<Notice> = circles.into_iter().filter_map(|circle| circle.notice).collect();
    notices_of(ui, &ended)?;
    notices_of(ui, &notices)
}

/// With `--plain` a list holds rows only.
fn notices_of(ui: &Ui, notices: &[Notice]) -> Result<()> {
    if ui.plain { Ok(()) } else { super::show::notices(ui, notices) }
}

/// `1 member`, `2 members`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What the member check is there for.
const ALIKE: &str = " (the same for all who see the same members)";

fn show(ui: &Ui, circle: &Circle, aim: &Aim) -> Result<()> {
    let policy = |name: &str| circle.policies.get(name).map(String::as_str).unwrap_or_default();
    let agreement = circle.policies.get("agreement").is_some_and(|text| !text.is_empty());
    let mut facts = vec![
        ("circle", Line::new().strong(&circle.name)),
        ("id", circle.id.as_str().into()),
        ("my role", circle.role.map_or_else(|| circle.status.word(), Role::word).into()),
        ("members", format!("{}, {}", counted(circle.members, "member"), counted(circle.devices, "computer")).into()),
        ("history", in_words(ui.plain, "history", policy("history")).text(&since_when(ui, circle))),
        ("retention", retention(ui, circle)),
        ("who invites", policy("invite").into()),
        ("approval", in_words(ui.plain, "approval", policy("approval"))),
        ("agreement", if agreement { aim.text("yes; `kith circle agreement` shows it").as_str().into() } else { Line::new() }),
        ("member check", Line::from(circle.roster_hash.as_str()).dim(if ui.plain { "" } else { ALIKE })),
    ];
    if let Some(epoch) = &circle.epoch {
        facts.push(("keys since", ui.when(epoch.created_at).into()));
    }
    if circle.frozen {
        facts.push((
            "note",
            Line::new()
                .warn("No steward is left, so nobody can be admitted or removed. You can start a new circle with the others."),
        ));
    }
    if let Some(notice) = &circle.notice {
        facts.push(("note", super::show::said(notice)));
    }
    ui.facts(&facts)
}

/// A rule by the word that sets it, and what that means.
fn in_words(plain: bool, rule: &str, policy: &str) -> Line {
    let days = policy.strip_prefix("days:").map(super::preview::counted);
    let means = match (rule, policy, days) {
        ("history", "all", _) => "newcomers read what was written before they joined".to_owned(),
        ("history", "since-join", _) => "newcomers read what is written after they join".to_owned(),
        ("history", _, Some(days)) => format!("newcomers read the last {days}"),
        ("retention", "keep", _) => "conversation is kept for good".to_owned(),
        ("retention", _, Some(days)) => format!("conversation is deleted after {days}"),
        ("approval", "none", _) => "people with a link are let in without anybody being asked".to_owned(),
        ("approval", "required", _) => "a steward says yes before anybody is let in".to_owned(),
        _ => String::new(),
    };
    if plain || means.is_empty() { policy.into() } else { format!("{policy}: {means}").into() }
}

/// A looser rule opens nothing that a stricter one had closed.
fn since_when(ui: &Ui, circle: &Circle) -> String {
    let policy = circle.policies.get("history").map_or("", String::as_str);
    let since = super::preview::open_since(policy, circle.open_since);
    since.map_or_else(String::new, |since| format!("; what was written before {} stays closed to newcomers", ui.moment(since)))
}

/// The retention, and where it binds later, what does until then.
fn retention(ui: &Ui, circle: &Circle) -> Line {
    let policy = circle.policies.get("retention").map_or("", String::as_str);
    match pending(circle) {
        Some(shortened) if !ui.plain => {
            let (now, then) = (kept(days(&shortened.before)), kept(days(policy)));
            format!("kept {now} if written before {}, {then} if later", ui.when(shortened.from)).into()
        }
        _ => in_words(ui.plain, "retention", policy),
    }
}

/// A shorter retention that does not bind yet.
fn pending(circle: &Circle) -> Option<&Shortened> {
    circle.shortened.as_ref().filter(|shortened| is_ahead(shortened.from))
}

/// For how long: `for good`, `for 7 days`.
fn kept(days: Option<u32>) -> String {
    days.map_or_else(|| "for good".to_owned(), |days| format!("for {}", count(days)))
}

fn change(context: &Context, edit: CircleEdit) -> Result<()> {
    let body = EditCircle {
        name: edit.name,
        agreement: if edit.no_agreement { Some(String::new()) } else { read_agreement(edit.rules.agreement.as_deref())? },
        history: edit.rules.history,
        retention: edit.rules.retention,
        invite: edit.rules.invite,
        approval: edit.rules.approval,
    };
    if body == EditCircle::default() {
        return Err(error::usage("Nothing to change was named.", "See `kith circle edit --help`."));
    }
    let client = context.client()?;
    let which = route(context, edit.which.as_deref());
    if let Some(retention) = &body.retention {
        let circle: Circle = client.get(&which)?.read()?;
        confirm_shortening(context, &circle, retention)?;
    }
    let reply = client.send("PATCH", &which, &body)?;
    if body.name.is_some() {
        tell_of_alike(context, &client, &reply.read()?);
    }
    context.show(&reply, |ui, circle: Circle| show(ui, &circle, &Aim::at(context, &client, &circle.id)))
}

/// Words that end sooner are lost sooner, to everybody: asks first.
fn confirm_shortening(context: &Context, circle: &Circle, wanted: &str) -> Result<()> {
    let before = days(circle.policies.get("retention").map_or("", String::as_str));
    let Some(wanted) = days(wanted).filter(|wanted| before.is_none_or(|before| *wanted < before)) else { return Ok(()) };
    let was = match pending(circle) {
        Some(shortened) => {
            let from = context.ui().when(shortened.from);
            format!("{} now, and {} from {from} on", kept(days(&shortened.before)), kept(before))
        }
        None => format!("{} now", kept(before)),
    };
    let what = format!(
        "Conversation in \"{}\" is kept {was}. What is already written keeps its own end. What anybody writes from tomorrow on \
         would be destroyed after {}, on every computer.",
        circle.name,
        count(wanted)
    );
    context.confirm(&what, &[&circle.name], &[&circle.id])
}

fn count(days: u32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// The days of `days:N` or `Nd`; none where everything is kept, or where it is no such rule: then the daemon says so, and nobody is asked.
fn days(rule: &str) -> Option<u32> {
    let rule = rule.trim();
    let days = rule.strip_prefix("days:").or_else(|| rule.strip_suffix('d'))?.parse().ok();
    days.filter(|days| (1..=POLICY_DAYS).contains(days))
}

fn agreement(context: &Context) -> Result<()> {
    let client = context.client()?;
    let circle: Circle = client.get(&route(context, None))?.read()?;
    let aim = Aim::at(context, &client, &circle.id);
    let text = circle.policies.get("agreement").cloned().unwrap_or_default();
    let ui = context.ui();
    if ui.json {
        let signed = circle.agreement_signed;
        return ui
            .out_value(&json!({ "schema": "kith.circle.agreement/1", "id": circle.id, "agreement": text, "signed": signed }));
    }
    if text.is_empty() {
        ui.tell(aim.text("This circle has no written agreement. `kith circle edit --agreement FILE` gives it one."));
        return Ok(());
    }
    ui.document(&text)?;
    if !circle.agreement_signed {
        ui.say(
            Line::new()
                .warn("You have signed an earlier agreement. ")
                .text(&aim.text("`kith circle agreement --sign` signs this one.")),
        );
    }
    Ok(())
}

fn sign(context: &Context) -> Result<()> {
    let reply = context.client()?.send("POST", &route(context, None).seg("agreement"), &json!({}))?;
    context.show(&reply, |ui, circle: Circle| {
        ui.say(Line::new().text("You signed the agreement of ").strong(&circle.name).text(" as it is now."));
        Ok(())
    })
}

fn forget(context: &Context, unheard: bool) -> Result<()> {
    let client = context.client()?;
    let circle: Circle = client.get(&route(context, None))?.read()?;
    let what = format!(
        "All that is on this computer of \"{}\" would be deleted: what everybody wrote, and its keys. Nobody can bring it back.",
        circle.name
    );
    if matches!(circle.status, CircleStatus::Left | CircleStatus::Removed) {
        context.confirm(&what, &[&circle.name], &[&circle.id])?;
    }
    let reply = client.send("POST", &Route::new("circles").seg(&circle.id).seg("forget"), &ForgetCircle { unheard })?;
    // Nor does the settings file, which is not sealed, go on naming it.
    if !context.global().dry_run
        && context.setting("circle").is_ok_and(|usual| [&circle.name, &circle.id].contains(&&usual.value))
    {
        context.set("circle", "")?;
    }
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    context.ui().say(Line::new().strong(&circle.name).text(" is forgotten: nothing of it is left on this computer."));
    Ok(())
}

fn leave(context: &Context, mut succession: Succession) -> Result<()> {
    let client = context.client()?;
    let circle: Circle = client.get(&route(context, None))?.read()?;
    let members = member::all(&client, &circle.id)?;
    let what = format!("You would leave \"{}\". You keep what is on this computer.", circle.name);
    succession.settle_leaving(context, &members, &what, (&[&circle.name], &[&circle.id]))?;
    let route = Route::new("circles").seg(&circle.id).seg("leave");
    let Succession { successor, without_successor } = succession;
    let reply = client.send("POST", &route, &LeaveCircle { successor, without_successor })?;
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    let id = short_id(context.ui(), &circle.id);
    context.ui().say(Line::new().text("You left ").strong(&circle.name).dim(&format!(" ({id})")).text("."));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_no_agreement() {
        let dir = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            let path = dir.path().join("agreement.txt");
            std::fs::write(&path, text).unwrap();
            read_agreement(Some(&path))
        };
        for empty in ["", "\n", " \n\t\n", "\u{feff}\n"] {
            assert_eq!(read(empty).unwrap_err().code(), Some(kith_protocol::control::Code::Usage), "{empty:?}");
        }
        assert_eq!(read("We listen.\n").unwrap().as_deref(), Some("We listen."));
        assert_eq!(read_agreement(None).unwrap(), None);
    }

    #[test]
    fn rules_are_said_in_words() {
        let said = |rule: &str, policy: &str| in_words(false, rule, policy).plain();
        assert_eq!(said("history", "days:7"), "days:7: newcomers read the last 7 days");
        assert_eq!(said("retention", "days:1"), "days:1: conversation is deleted after 1 day");
        assert_eq!([said("retention", "new"), said("history", "")], ["new", ""], "what a later version may know");
        assert_eq!(in_words(true, "retention", "keep").plain(), "keep");
    }

    #[test]
    fn rules_are_read_as_days() {
        assert_eq!([days("30d"), days("days:30"), days(" 1d ")], [Some(30), Some(30), Some(1)]);
        assert_eq!([days("keep"), days("d"), days("")], [None; 3]);
        assert_eq!([days("0d"), days("days:0"), days("36526d")], [None; 3], "no rule, so there is nothing to ask");
    }
}
