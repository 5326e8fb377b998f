//! `kith join` step by step, and `kith invite accept`, which is the same for scripts.

use kith_protocol::control::{Accept, Code, Join, JoinStatus, Preview};
use serde_json::json;

use super::preview::{preview, read_link, show_preview};
use super::{init, member};
use crate::client::{Client, Route, launch};
use crate::context::Context;
use crate::error::{self, Result};
use crate::global::Wait;
use crate::ui::Line;

/// Join a circle by an invite link: look at it, ask, wait, see the members, say yes or walk away
#[derive(Debug, clap::Args)]
pub(crate) struct JoinArgs {
    /// The link; - reads it from stdin; left out, a join under way goes on
    link: Option<String>,
    /// Your name in that circle
    #[arg(long = "as", value_name = "NAME")]
    as_name: Option<String>,
    /// Say yes to everything that would be asked
    #[arg(long, short)]
    yes: bool,
}

/// Accepting a link.
#[derive(Debug, clap::Args)]
pub(crate) struct AcceptArgs {
    /// The link; - reads it from stdin
    link: String,
    /// Your name in that circle [default: the usual one]
    #[arg(long = "as", value_name = "NAME")]
    as_name: Option<String>,
    /// Join at once when a steward lets you in, without looking at the members first
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(context: &Context, args: &JoinArgs) -> Result<()> {
    match &args.link {
        Some(link) => {
            let accept = AcceptArgs { link: link.clone(), as_name: args.as_name.clone(), yes: args.yes };
            join(context, &accept, true)
        }
        None => resume(context, args.yes),
    }
}

/// `kith invite accept`: never begins a home; waits only when told to, or when somebody watches.
pub(crate) fn accept(context: &Context, accept: &AcceptArgs) -> Result<()> {
    join(context, accept, false)
}

fn join(context: &Context, accept: &AcceptArgs, begin: bool) -> Result<()> {
    let link = read_link(context, &accept.link)?;
    let ui = context.ui();
    if !accept.yes && !ui.interactive && !context.global().dry_run {
        return Err(error::refused(
            Code::NeedsConfirmation,
            "Joining signs the circle's agreement, so it needs a yes.",
            "`kith invite show LINK` shows what it is; --yes says yes.",
        ));
    }
    let client = if begin { ready(context, accept.as_name.as_deref())? } else { context.client()? };
    // Before anybody is asked anything: is there room for it?
    client.secretly("POST", &Route::new("room"), &json!({ "link": link }))?;
    if !accept.yes {
        let preview: Preview = preview(context, &client, &link)?.read()?;
        show_preview(ui, &preview)?;
        ui.gap()?;
        let name = accept.as_name.clone().or(client.status()?.name).unwrap_or_default();
        ui.say(Line::new().text("You would be called ").name(&name).text(" there; `--as NAME` chooses another name."));
        if !ui.agree("Ask to join?")? {
            ui.say("Nothing was sent.");
            return Ok(());
        }
    }
    let body = Accept { link, as_name: accept.as_name.clone().unwrap_or_default(), confirm: accept.yes };
    let reply = client.send("POST", &Route::new("joins"), &body)?;
    let join: Join = reply.read()?;
    follow(context, &client, join, accept.yes, begin)
}

/// For `kith join`: what is missing of init and start.
fn ready(context: &Context, name: Option<&str>) -> Result<Client> {
    let client = context.bare_client()?;
    if context.home().exists() && !client.answers() {
        launch::start(context.home(), &client, context.ui())?;
    }
    if client.answers() && client.status()?.initialized {
        return context.client();
    }
    let args = init::InitArgs { name: name.map(str::to_owned), no_passphrase: false };
    let (client, _) = init::begin(context, &args)?;
    Ok(client)
}

fn resume(context: &Context, yes: bool) -> Result<()> {
    let client = context.client()?;
    let joins: Vec<Join> = client.get(&Route::new("joins"))?.field("joins")?;
    let open = |join: &Join| matches!(join.status, JoinStatus::Contacting | JoinStatus::Requested | JoinStatus::Admitted);
    match joins.into_iter().find(open) {
        Some(join) => follow(context, &client, join, yes, true),
        None => Err(error::refused(Code::NotFound, "No join is under way.", "`kith join LINK` begins one.")),
    }
}

/// Wait as long as asked, then show the members, then in or out.
fn follow(context: &Context, client: &Client, join: Join, yes: bool, patient: bool) -> Result<()> {
    let limit = match context.global().wait {
        Some(Wait(limit)) => limit,
        None if patient || context.ui().interactive => None,
        None => return queued(context, &join),
    };
    let mut join = settle(context, client, &join, limit, yes)?;
    if join.status == JoinStatus::Admitted {
        if !yes && !look(context, &join)? {
            client.send("DELETE", &Route::new("joins").seg(&join.id), &json!({}))?;
            context.ui().say("You walked away. Nobody learned your name.");
            return report(context, &Join { reason: "walked away".to_owned(), ..join });
        }
        client.send("POST", &Route::new("joins").seg(&join.id).seg("confirm"), &json!({}))?;
        join.status = JoinStatus::Joined;
    }
    match join.status {
        JoinStatus::Joined => {
            context.ui().say(Line::new().good("You are in. ").text("Welcome to ").strong(&join.circle).text("."));
            context.ui().say("`kith note list` shows what is there, `kith inbox` what is new.");
            report(context, &join)
        }
        JoinStatus::Declined => Err(refusal("The circle's steward said no.", &join)),
        JoinStatus::Contacting | JoinStatus::Requested | JoinStatus::Admitted | JoinStatus::Refused => {
            Err(refusal("This invite does not work any more.", &join))
        }
    }
}

fn refusal(message: &str, join: &Join) -> error::Stop {
    let why = if join.reason.is_empty() { String::new() } else { format!(" ({})", join.reason) };
    error::failed(format!("{message}{why}"), "Ask the person who invited you for a new link.")
}

/// Until a steward decided, or the members can be shown, or the time is over.
fn settle(context: &Context, client: &Client, first: &Join, limit: Option<std::time::Duration>, yes: bool) -> Result<Join> {
    let spinner = context.ui().spinner("Looking for somebody who can take the request");
    let mut told = JoinStatus::Contacting;
    let outcome = context.until(limit, || {
        let joins: Vec<Join> = client.get(&Route::new("joins"))?.field("joins")?;
        let Some(join) = joins.into_iter().find(|join| join.id == first.id) else {
            // No longer under way: in, when the circle is among ours.
            return Ok(client
                .get(&Route::new("circles").seg(&first.id))
                .is_ok()
                .then(|| Join { status: JoinStatus::Joined, ..first.clone() }));
        };
        if join.status == JoinStatus::Requested && told == JoinStatus::Contacting {
            told = join.status;
            spinner.tell("Your request is there; a steward has to say yes");
        }
        let waits = match join.status {
            JoinStatus::Contacting | JoinStatus::Requested => true,
            JoinStatus::Admitted => yes,
            JoinStatus::Joined | JoinStatus::Declined | JoinStatus::Refused => false,
        };
        Ok((!waits).then_some(join))
    });
    drop(spinner);
    outcome.map_err(|stop| match stop.code() {
        Some(Code::TimedOut) => error::refused(
            Code::TimedOut,
            "Nobody has let you in yet; the request stays.",
            "`kith join` (without a link) goes on waiting; it also goes on by itself while Kith runs.",
        ),
        _ => stop,
    })
}

fn look(context: &Context, join: &Join) -> Result<bool> {
    let ui = context.ui();
    ui.say("A steward said yes. These are the members; they do not know your name yet:");
    ui.say("");
    member::table(ui, &join.members)?;
    ui.say("");
    if !ui.interactive {
        return Err(error::refused(
            Code::NeedsConfirmation,
            "You are let in; joining needs a yes.",
            "`kith join --yes` joins; nobody knows your name until then.",
        ));
    }
    ui.agree("Join, and let them see your name?")
}

fn queued(context: &Context, join: &Join) -> Result<()> {
    context.ui().say(match join.status {
        JoinStatus::Contacting => "Asked; nobody of the circle was reachable yet. It goes on by itself while Kith runs.",
        JoinStatus::Requested => "Asked; a steward has to say yes. It goes on by itself while Kith runs.",
        JoinStatus::Admitted | JoinStatus::Joined | JoinStatus::Declined | JoinStatus::Refused => "Asked.",
    });
    report(context, join)
}

fn report(context: &Context, join: &Join) -> Result<()> {
    if !context.ui().json {
        return Ok(());
    }
    let mut value = serde_json::to_value(join).map_err(|e| error::failed(e.to_string(), ""))?;
    if let Some(map) = value.as_object_mut() {
        map.insert("schema".to_owned(), "kith.invite.accept/1".into());
    }
    context.ui().out_value(&value)
}
