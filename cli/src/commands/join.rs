//! `kith join` step by step, and `kith invite accept`, which is the same for scripts.

use kith_protocol::control::{Accept, Code, Join, JoinStatus, Preview};
use serde_json::json;

use super::aim::Aim;
use super::preview::{preview, read_link, show_preview};
use super::typed::means;
use super::{init, member};
use crate::client::{Client, Route, launch};
use crate::context::Context;
use crate::error::{self, Result};
use crate::global::{Wait, not_empty};
use crate::interrupt;
use crate::ui::Line;

/// Join a circle with an invite link, step by step
#[derive(Debug, clap::Args)]
pub(crate) struct JoinArgs {
    /// The link, or - for stdin; without it, Kith goes on with a join that is under way, or asks
    #[arg(value_parser = not_empty)]
    link: Option<String>,
    /// Use this name in the circle
    #[arg(long = "as", value_name = "NAME")]
    as_name: Option<String>,
    /// Answer every question with yes
    #[arg(long, short)]
    yes: bool,
    /// Take back a request that waits (name its circle where there are several), or stop showing one that was declined
    #[arg(long, conflicts_with_all = ["as_name", "yes"])]
    cancel: bool,
}

/// Accepting a link.
#[derive(Debug, clap::Args)]
pub(crate) struct AcceptArgs {
    /// The link, or - for stdin
    #[arg(value_parser = not_empty)]
    link: String,
    /// Use this name in the circle [default: your usual one]
    #[arg(long = "as", value_name = "NAME")]
    as_name: Option<String>,
    /// Join as soon as a steward approves, without looking at the members first
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(context: &Context, args: &JoinArgs) -> Result<()> {
    match &args.link {
        which if args.cancel => cancel(context, which.as_deref()),
        Some(link) => {
            let accept = AcceptArgs { link: link.clone(), as_name: args.as_name.clone(), yes: args.yes };
            join(context, &accept, true)
        }
        None => resume(context, args),
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
            if context.home().exists() {
                "`kith invite show LINK` shows what it is; --yes says yes."
            } else {
                "`kith join` in a terminal shows what it is, and asks; --yes says yes without that. Kith is set up first: \
                 `kith init --name NAME --passphrase-file FILE`."
            },
        ));
    }
    let client = if begin { ready(context, accept.as_name.as_deref())? } else { context.client()? };
    // Before anybody is asked anything: is there room for it?
    client.secretly("POST", &Route::new("room"), &json!({ "link": link }))?;
    if !accept.yes {
        let preview = patient_preview(context, &client, &link)?;
        show_preview(ui, &preview)?;
        ui.gap()?;
        let name = accept.as_name.clone().or(client.status()?.name).unwrap_or_default();
        ui.say(Line::new().text("You would be called ").name(&name).text(" there; `--as NAME` chooses another name."));
        if !ui.agree("Ask to join?")? {
            ui.tell("Nothing was sent.");
            return Ok(());
        }
    }
    let body = Accept { link, as_name: accept.as_name.clone().unwrap_or_default(), confirm: accept.yes };
    let reply = client.send("POST", &Route::new("joins"), &body)?;
    let join: Join = reply.read()?;
    follow(context, &client, join, accept.yes, begin)
}

fn ask_link(context: &Context, args: &JoinArgs) -> Result<()> {
    let ui = context.ui();
    let mut link = ui.ask("Paste the invite link:", "")?;
    while link.is_empty() {
        ui.complain(&Line::new().text("It begins with kith://join#. Without one, press Ctrl-C."));
        link = ui.ask("Paste the invite link:", "")?;
    }
    let accept = AcceptArgs { link, as_name: args.as_name.clone(), yes: args.yes };
    join(context, &accept, true)
}

/// What the link offers. On a terminal, somebody who cannot be reached now is tried again for as long as the person wants to wait.
fn patient_preview(context: &Context, client: &Client, link: &str) -> Result<Preview> {
    let ui = context.ui();
    let mut again = false;
    loop {
        match preview(context, client, link) {
            Ok(reply) => return reply.read(),
            Err(error::Stop::Refused(why)) if why.code == Code::TimedOut && ui.interactive => {
                if !again {
                    ui.warn(&Line::new().warn(&why.message));
                    ui.tell(Line::new().dim(&why.hints.to_string()));
                    if !ui.agree_unless_no("Keep trying?")? {
                        return Err(why.into());
                    }
                    ui.tell("Kith keeps trying. Ctrl-C ends it; the link stays good for later.");
                }
                again = true;
            }
            Err(stop) => return Err(stop),
        }
    }
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

/// Goes on with a join that is under way; where there is none, asks for a link.
fn resume(context: &Context, args: &JoinArgs) -> Result<()> {
    let ui = context.ui();
    if ui.interactive && !context.home().exists() {
        return ask_link(context, args);
    }
    let client = context.client()?;
    let joins: Vec<Join> = client.get(&Route::new("joins"))?.field("joins")?;
    let open = |join: &&Join| matches!(join.status, JoinStatus::Contacting | JoinStatus::Requested | JoinStatus::Admitted);
    if let Some(join) = joins.iter().find(open) {
        if let Some(name) = &args.as_name {
            ui.warn(
                &Line::new()
                    .warn("`--as` changes nothing now: ")
                    .text("the request to join ")
                    .strong(&join.circle)
                    .text(" went out with the name you gave then. To ask as ")
                    .name(name)
                    .text(&format!(", take it back with `kith join --cancel {}`, and ask again with the link.", join.id)),
            );
        }
        if !ui.interactive && context.global().wait.is_none() && join.status != JoinStatus::Admitted {
            return still_open(context, join);
        }
        return follow(context, &client, join.clone(), args.yes, true);
    }
    match joins.into_iter().find_map(|join| join.notice) {
        Some(notice) => Err(error::failed(notice.message, notice.hints.to_string())),
        None if ui.interactive => ask_link(context, args),
        None => Err(error::refused(Code::NotFound, "No join is under way.", "`kith join LINK` starts one.")),
    }
}

/// Without a terminal nobody watches, so nothing is waited for unless that is asked for.
fn still_open(context: &Context, join: &Join) -> Result<()> {
    let message = join.notice.as_ref().map_or("Your request to join is under way.", |notice| &notice.message);
    let next = format!(
        "It goes on by itself while Kith is running. `kith join --wait` waits for the answer; `kith join --cancel {}` takes it back.",
        join.id
    );
    context.ui().say(Line::new().text(message).text(" ").text(&next));
    report(context, join)
}

/// Take back a request, or forget one that came to nothing.
fn cancel(context: &Context, which: Option<&str>) -> Result<()> {
    let client = context.client()?;
    let joins: Vec<Join> = client.get(&Route::new("joins"))?.field("joins")?;
    let fits = |join: &&Join| which.is_none_or(|which| join.circle == which || means(which, &join.id));
    let found: Vec<&Join> = joins.iter().filter(|join| join.status != JoinStatus::Joined).filter(fits).collect();
    let join = match found.as_slice() {
        [join] => *join,
        [] => return Err(error::refused(Code::NotFound, "No join is under way.", "`kith join LINK` starts one.")),
        several => {
            let names: Vec<String> = several.iter().map(|join| format!("{} ({})", join.circle, join.id)).collect();
            let hint = format!("Name one: `kith join --cancel ID`. There are {}.", names.join(", "));
            return Err(error::refused(Code::Ambiguous, "Several joins are under way.", hint));
        }
    };
    let reply = client.send("DELETE", &Route::new("joins").seg(&join.id), &json!({}))?;
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    context.ui().say(match join.status {
        JoinStatus::Requested => {
            "Your request is taken back, and those whom Kith reaches now no longer see it. Another steward who has it may still approve it: then you are listed as a member who never came in, and they have to remove you."
        }
        JoinStatus::Admitted => "You walked away. Only the stewards saw the name you gave.",
        JoinStatus::Contacting => "Your request is taken back. Nobody has seen it.",
        JoinStatus::Joined | JoinStatus::Declined | JoinStatus::Refused => "It is no longer shown.",
    });
    Ok(())
}

/// Wait as long as asked, then show the members, then in or out.
fn follow(context: &Context, client: &Client, join: Join, yes: bool, patient: bool) -> Result<()> {
    let limit = match context.global().wait {
        Some(Wait(limit)) => limit,
        None if patient || context.ui().interactive => None,
        None => return queued(context, &join),
    };
    let mut join = settle(context, client, &join, limit)?;
    if join.status == JoinStatus::Admitted {
        if !yes && !look(context, &join)? {
            client.send("DELETE", &Route::new("joins").seg(&join.id), &json!({}))?;
            context.ui().tell("You walked away. Only the stewards saw the name you gave.");
            return report(context, &Join { reason: "You walked away.".to_owned(), ..join });
        }
        confirm(client, &join.id)?;
        join.status = JoinStatus::Joined;
    }
    match join.status {
        JoinStatus::Joined => {
            context.ui().say(Line::new().good("You are in. ").text("Welcome to ").strong(&join.circle).text("."));
            let told = Aim::at(context, client, &join.id).text("`kith note list` shows the notes, `kith inbox` what is new.");
            context.ui().tell(told);
            report(context, &join)
        }
        JoinStatus::Contacting | JoinStatus::Requested | JoinStatus::Admitted | JoinStatus::Declined | JoinStatus::Refused => {
            Err(refusal(&join))
        }
    }
}

/// Says yes. Where that was said with the link, the daemon may have gone in before.
fn confirm(client: &Client, id: &str) -> Result<()> {
    let said = client.send("POST", &Route::new("joins").seg(id).seg("confirm"), &json!({}));
    match said.map(drop) {
        Err(stop) if stop.code() == Some(Code::NotFound) => client.get(&Route::new("circles").seg(id)).map(drop),
        said => said,
    }
}

/// The one sentence that the daemon has for it, wherever it is said.
fn refusal(join: &Join) -> error::Stop {
    match &join.notice {
        Some(notice) => error::failed(notice.message.clone(), notice.hints.to_string()),
        None => error::failed("The join did not go through.", "`kith join` shows how it stands."),
    }
}

/// Until a steward decided, or the members can be shown, or the time is over.
fn settle(context: &Context, client: &Client, first: &Join, limit: Option<std::time::Duration>) -> Result<Join> {
    // To stop waiting takes nothing back.
    let (ui, id) = (context.ui().clone(), first.id.clone());
    let waiting = interrupt::while_waiting(move || {
        ui.say("");
        ui.tell(format!(
            "Your request stays open, and goes on by itself while Kith is running. `kith join` comes back to it; `kith join --cancel {id}` takes it back."
        ));
    });
    let spinner = context.ui().spinner("Looking for somebody to send your request to");
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
            spinner.tell("Your request has arrived. A steward has to approve it");
        }
        Ok((!matches!(join.status, JoinStatus::Contacting | JoinStatus::Requested)).then_some(join))
    });
    drop(spinner);
    drop(waiting);
    outcome.map_err(|stop| match stop.code() {
        Some(Code::TimedOut) => error::refused(
            Code::TimedOut,
            "Nobody has approved your request yet. It stays open.",
            "`kith join` (without a link) goes on waiting. The request goes on by itself while Kith is running.",
        ),
        _ => stop,
    })
}

fn look(context: &Context, join: &Join) -> Result<bool> {
    let ui = context.ui();
    ui.tell(if join.unasked {
        "You were let in: this circle asks nobody first. These are the members; until you say yes, only the stewards' computers have \
         the name you gave:"
    } else {
        "A steward said yes. These are the members; only the stewards know the name you gave:"
    });
    ui.say("");
    member::table(ui, &join.members)?;
    ui.say("");
    if !ui.interactive {
        return Err(error::refused(
            Code::NeedsConfirmation,
            "You are let in; joining needs a yes.",
            "`kith join --yes` joins; until then only the stewards know the name you gave.",
        ));
    }
    let later = "If you are not sure, press Ctrl-C: you stay admitted, and `kith join` asks again.";
    ui.decide("Join, and let all of them see your name?", later)
}

fn queued(context: &Context, join: &Join) -> Result<()> {
    context.ui().say(match join.status {
        JoinStatus::Contacting => "Asked. Nobody in the circle has been reached yet. It goes on by itself while Kith is running.",
        JoinStatus::Requested => "Asked. A steward has to approve. It goes on by itself while Kith is running.",
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

#[cfg(test)]
mod tests {
    use super::*;
    use kith_protocol::control::{Hints, Notice};

    #[test]
    fn a_refusal_is_one_sentence() {
        let message = "Your request to join Tea did not go through. The invite has expired.";
        let notice = Notice {
            circle: "c-a".to_owned(),
            circle_name: "Tea".to_owned(),
            message: message.to_owned(),
            hints: Hints::default(),
        };
        let join = Join {
            id: "c-a".to_owned(),
            circle: "Tea".to_owned(),
            status: JoinStatus::Refused,
            reason: "The invite has expired.".to_owned(),
            unasked: false,
            members: Vec::new(),
            notice: Some(notice),
        };
        assert_eq!(refusal(&join).to_string(), message);
    }
}
