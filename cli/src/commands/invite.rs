//! `kith invite ...`.

use kith_protocol::control::{Circle, Code, Invite, NewInvite, PendingRequest, Preview, Role};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde_json::json;

use super::aim::Aim;
use super::join::{self, AcceptArgs};
use super::preview::{preview, read_link, show_preview};
use super::reach::{Reach, reach_at};
use super::show::{like_whom, short_ids};
use super::typed;
use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::{self, Result};
use crate::global::not_empty;
use crate::ui::{Line, Ui, time};

/// What can be done with invites.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum InviteVerb {
    /// Create a link that lets somebody ask to join
    New(InviteNew),
    /// List the invites of this circle
    List {
        /// With --json, show the links too; each of them is a secret
        #[arg(long)]
        links: bool,
    },
    /// Show what a link offers (joins nothing), or one of your invites by its id
    Show {
        /// The link (- reads it from stdin), or an id
        #[arg(value_parser = not_empty)]
        link: String,
    },
    /// Ask to join with a link, for scripts; `kith join` does it step by step
    Accept(AcceptArgs),
    /// List requests to join
    Pending,
    /// Approve a request to join
    Approve {
        /// The request's id, or the name given in it
        #[arg(value_parser = not_empty)]
        id: String,
    },
    /// Decline a request to join
    Decline {
        /// The request's id, or the name given in it
        #[arg(value_parser = not_empty)]
        id: String,
    },
    /// Revoke an invite
    Revoke {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
    },
}

/// A new invite.
#[derive(Debug, clap::Args)]
pub(crate) struct InviteNew {
    /// Let it be used for this long [default: 72h]
    #[arg(long, value_name = "DURATION", value_parser = typed::lasts)]
    expires: Option<std::time::Duration>,
    /// Give this role: guest, member [default: member]
    #[arg(long, value_parser = typed::role)]
    role: Option<Role>,
    /// Let this many people use it [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    uses: Option<u32>,
    /// Name an address at which you can be reached from outside: a forwarded port or a VPN, such as 203.0.113.5:4001
    #[arg(long, value_name = "ADDRESS")]
    at: Vec<String>,
    /// Draw the link as a QR code, too
    #[arg(long)]
    qr: bool,
}

pub(crate) fn run(context: &Context, verb: InviteVerb) -> Result<()> {
    match verb {
        InviteVerb::New(new) => create(context, &new),
        InviteVerb::List { links } => list(context, links),
        InviteVerb::Show { link } => show(context, &link),
        InviteVerb::Accept(accept) => join::accept(context, &accept),
        InviteVerb::Pending => pending(context),
        InviteVerb::Approve { id } => decide(context, &id, "approve"),
        InviteVerb::Decline { id } => decide(context, &id, "decline"),
        InviteVerb::Revoke { id } => revoke(context, &id),
    }
}

fn route(context: &Context, noun: &str) -> Route {
    Route::new("circles").seg(context.circle()).seg(noun)
}

fn create(context: &Context, new: &InviteNew) -> Result<()> {
    let expires_in = new.expires.map_or(Ok(0), |length| u64::try_from(length.as_millis()));
    let body = NewInvite {
        role: new.role,
        expires_in: expires_in.map_err(|_| error::usage("That is too long.", "Say --expires 72h."))?,
        uses: new.uses.unwrap_or(0),
    };
    let mut body = serde_json::to_value(body).map_err(|e| error::failed(e.to_string(), ""))?;
    body["at"] = json!(new.at);
    let client = context.client()?;
    let reply = client.send("POST", &route(context, "invites"), &body)?;
    context.show(&reply, |ui, invite: Invite| {
        let link = invite.link.clone().unwrap_or_default();
        ui.out_link(&link)?;
        if new.qr {
            ui.out_code(&draw(&link)?)?;
        }
        let who = if invite.uses == 1 { "one person".to_owned() } else { format!("{} people", invite.uses) };
        ui.tell(Line::new().text(&format!(
            "For {who}, as {}, until {}.",
            invite.role,
            time::zoned(invite.expires_at).strftime("%-d %b %H:%M")
        )));
        let whom = if invite.uses == 1 { "the person" } else { "the people" };
        ui.tell(
            Line::new()
                .warn("The link is a secret: ")
                .text(&format!("anyone who has it can ask to come in. Send it only to {whom} it is for.")),
        );
        explain(context, &client, new)
    })
}

/// Where the link works, what has to be on, and words to send with it.
fn explain(context: &Context, client: &Client, new: &InviteNew) -> Result<()> {
    let (ui, status) = (context.ui(), client.status()?);
    match reach_at(context, &status, &new.at) {
        Reach::Anywhere => {}
        Reach::Network(addresses) => {
            let place = addresses.first().cloned().unwrap_or_default();
            let told = format!(
                "({place}): on the same Wi-Fi, or over a VPN such as Tailscale. If you forward a port, name it: \
                 `kith invite new --at ADDRESS:PORT`, or `kith config set external ADDRESS:PORT` for all invites."
            );
            let aim = Aim::at(context, client, context.circle());
            ui.tell(Line::new().warn("It works in your own network only ").text(&aim.text(&told)));
        }
        Reach::Here => ui.tell(Line::new().warn("It works on this computer only: ").text("Kith listens nowhere else.")),
    }
    ui.tell("Your computer has to be on, with Kith running and unlocked, when they use it, and until you have let them in.");
    let circle: Circle = client.get(&Route::new("circles").seg(context.circle()))?.read()?;
    ui.say("");
    ui.tell("You can send these words with the link:");
    ui.say(
        Line::new()
            .text("  ")
            .name(status.name.as_deref().unwrap_or("Somebody"))
            .text(" invites you to \"")
            .part(&circle.name)
            .text("\", a private circle on Kith."),
    );
    ui.tell("  Kith keeps what the circle writes on its members' own computers, encrypted, with no server.");
    ui.tell("  1. Install Kith on your own computer: `cargo install --path cli` in its source folder.");
    ui.tell("  2. Type `kith join` in a terminal, and paste the link when it asks for it.");
    ui.tell("  You see the circle's agreement first, and decide then.");
    Ok(())
}

fn draw(link: &str) -> Result<String> {
    let code = QrCode::with_error_correction_level(link, EcLevel::L)
        .map_err(|_| error::refused(Code::TooLarge, "This link is too long for a QR code.", "Send the link instead."))?;
    Ok(code.render::<Dense1x2>().quiet_zone(true).build())
}

fn list(context: &Context, links: bool) -> Result<()> {
    let client = context.client()?;
    let reply = client.get(&route(context, "invites"))?;
    if context.ui().json {
        let mut value: serde_json::Value = reply.read()?;
        let invites = value.get_mut("invites").and_then(serde_json::Value::as_array_mut).into_iter().flatten();
        // A link lets somebody ask to come in: it stands nowhere unless it was asked for.
        invites.filter(|_| !links).filter_map(serde_json::Value::as_object_mut).for_each(|invite| drop(invite.remove("link")));
        return context.ui().out_value(&value);
    }
    let invites: Vec<Invite> = reply.field("invites")?;
    if invites.is_empty() {
        context.ui().tell(Aim::at(context, &client, context.circle()).text("No invites. `kith invite new` creates one."));
        return Ok(());
    }
    table(context.ui(), &invites)
}

fn table(ui: &Ui, invites: &[Invite]) -> Result<()> {
    let ids = short_ids(ui, invites.iter().map(|invite| invite.id.as_str()));
    let rows: Vec<Vec<Line>> = invites
        .iter()
        .zip(ids)
        .map(|(invite, id)| {
            vec![
                Line::new().dim(&id),
                invite.role.word().into(),
                format!("{} of {}", invite.used, invite.uses).into(),
                ui.when(invite.expires_at).into(),
                invite.status.word().into(),
            ]
        })
        .collect();
    ui.table(&["id", "role", "used", "until", "status"], &rows)
}

fn show(context: &Context, given: &str) -> Result<()> {
    let is_link = given == "-" || given.contains(['#', ':', '/']) || given.len() > 40;
    if !is_link {
        return show_mine(context, given);
    }
    let link = read_link(context, given)?;
    let reply = preview(context, &context.client()?, &link)?;
    context.show(&reply, |ui, preview: Preview| show_preview(ui, &preview))
}

fn show_mine(context: &Context, id: &str) -> Result<()> {
    let reply = context.client()?.get(&route(context, "invites"))?;
    let invites: Vec<serde_json::Value> = reply.field("invites")?;
    let found: Vec<&serde_json::Value> = invites
        .iter()
        .filter(|invite| invite.get("id").and_then(|v| v.as_str()).is_some_and(|text| typed::means(id, text)))
        .collect();
    let [invite] = found.as_slice() else {
        let code = if found.is_empty() { Code::NotFound } else { Code::Ambiguous };
        let message = if found.is_empty() {
            "No invite has that id, and it is not a link."
        } else {
            "More than one invite begins like that."
        };
        return Err(error::refused(code, message, "`kith invite list` shows them; a link has to be whole and in quotes."));
    };
    if context.ui().json {
        let mut value = (*invite).clone();
        if let Some(map) = value.as_object_mut() {
            map.insert("schema".to_owned(), "kith.invite.show/1".into());
        }
        return context.ui().out_value(&value);
    }
    let invite: Invite =
        serde_json::from_value((*invite).clone()).map_err(|e| error::failed(format!("Cannot read the invite: {e}."), ""))?;
    table(context.ui(), std::slice::from_ref(&invite))?;
    invite.link.map_or(Ok(()), |link| context.ui().out_link(&link))
}

fn pending(context: &Context) -> Result<()> {
    let client = context.client()?;
    let reply = client.get(&route(context, "pending"))?;
    let ui = context.ui();
    if ui.json {
        return ui.out_json(reply.text());
    }
    let requests: Vec<PendingRequest> = reply.field("pending")?;
    if requests.is_empty() {
        ui.tell("There are no requests to join.");
        return Ok(());
    }
    let ids = short_ids(ui, requests.iter().map(|request| request.id.as_str()));
    let rows: Vec<Vec<Line>> = requests
        .iter()
        .zip(ids)
        .map(|(request, id)| {
            vec![
                Line::new().dim(&id),
                request.role.word().into(),
                ui.when(request.requested_at).into(),
                Line::new().person(&request.name, request.alike, like_whom(request.alike_former)),
            ]
        })
        .collect();
    ui.table(&["id", "as", "asked", "name"], &rows)?;
    let aim = Aim::at(context, &client, context.circle());
    ui.tell(
        Line::new()
            .text(&aim.text("`kith invite approve ID` approves a request."))
            .text(" A name proves nothing: check with them some other way – a call, a chat – that it's really them."),
    );
    Ok(())
}

fn decide(context: &Context, id: &str, what: &str) -> Result<()> {
    let client = context.client()?;
    let (circle, id) = request(context, &client, id)?;
    let reply = client.send("POST", &Route::new("circles").seg(&circle).seg("pending").seg(&id).seg(what), &json!({}))?;
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    context.ui().tell(if what == "approve" {
        "Approved. They will see the member list and can still back out."
    } else {
        "Declined."
    });
    Ok(())
}

/// A request, and its circle: by its id, whatever the circle; or by the name given in it, where only one in the circle has it.
fn request(context: &Context, client: &Client, typed: &str) -> Result<(String, String)> {
    if context.global().circle.is_none() && typed.contains('-') {
        let circles: Vec<Circle> = client.get(&Route::new("circles"))?.field("circles")?;
        let of = |circle: &Circle| {
            let all = client.get(&Route::new("circles").seg(&circle.id).seg("pending"));
            // Only stewards see requests.
            let all: Vec<PendingRequest> = all.and_then(|reply| reply.field("pending")).unwrap_or_default();
            let meant = all.into_iter().filter(|request| typed::means(typed, &request.id));
            meant.map(|request| (circle.id.clone(), request.id)).collect::<Vec<_>>()
        };
        let mut found: Vec<(String, String)> = circles.iter().flat_map(of).collect();
        if found.len() == 1 {
            return Ok(found.remove(0));
        }
    }
    let pending: Vec<PendingRequest> = client.get(&route(context, "pending"))?.field("pending")?;
    let mut named = pending.iter().filter(|request| request.name == typed);
    let id = match (named.next(), named.next()) {
        (Some(request), None) => request.id.clone(),
        _ => typed.to_owned(),
    };
    Ok((context.circle().to_owned(), id))
}

fn revoke(context: &Context, id: &str) -> Result<()> {
    let reply = context.client()?.send("DELETE", &route(context, "invites").seg(id), &json!({}))?;
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    context.ui().tell("Invite revoked.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_drawn() {
        let drawing = draw("https://kith.example/join#abcdefghijklmnopqrstuvwxyz").unwrap();
        assert!(drawing.lines().count() > 10);
        assert!(drawing.chars().all(|c| " \n█▀▄".contains(c)), "{drawing}");
    }
}
