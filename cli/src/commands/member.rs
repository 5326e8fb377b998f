//! `kith member ...`.

use kith_protocol::control::{Member, MemberRole, MemberStatus, SetRole};
use serde_json::json;

use super::show::short_ids;
use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::Result;
use crate::ui::{Line, Ui};

/// What can be done with members.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum MemberVerb {
    /// The members of a circle
    List,
    /// One member and her computers
    Show {
        /// Name or id
        who: String,
    },
    /// Give a role: guest, member, facilitator, steward; or step down yourself
    Role {
        /// Name or id
        who: String,
        /// The role
        role: String,
    },
    /// Bring back what somebody who was removed wrote before, where the last of it never came (`kith doctor` says so)
    Restore {
        /// Name or id
        who: String,
    },
    /// Leave it where it is, and hear no more of it
    Aside {
        /// Name or id
        who: String,
    },
    /// Remove somebody; new keys are made at once, and she reads nothing written from then on
    Remove {
        /// Name or id
        who: String,
    },
}

pub(crate) fn run(context: &Context, verb: MemberVerb) -> Result<()> {
    let client = context.client()?;
    match verb {
        MemberVerb::List => list(context, &client),
        MemberVerb::Show { who } => {
            let reply = client.get(&route(context).seg(&who))?;
            context.show(&reply, |ui, member: Member| show(ui, &member))
        }
        MemberVerb::Role { who, role } => {
            let reply = client.send("PATCH", &route(context).seg(&who), &SetRole { role })?;
            context.show(&reply, |ui, member: Member| show(ui, &member))
        }
        MemberVerb::Restore { who } => waiting(context, &client, &who, "restore", " wrote before their removal is shown again."),
        MemberVerb::Aside { who } => {
            waiting(context, &client, &who, "aside", " wrote stays where it is; nothing more is said of it.")
        }
        MemberVerb::Remove { who } => remove(context, &client, &who),
    }
}

fn route(context: &Context) -> Route {
    Route::new("circles").seg(context.circle()).seg("members")
}

fn list(context: &Context, client: &Client) -> Result<()> {
    let reply = client.get(&route(context))?;
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    let members: Vec<Member> = reply.field("members")?;
    table(context.ui(), &members)
}

/// Members, one a line; those who are out only with `-v` or `--plain`.
pub(crate) fn table(ui: &Ui, members: &[Member]) -> Result<()> {
    let shown: Vec<&Member> = members
        .iter()
        .filter(|m| ui.plain || ui.verbose > 0 || matches!(m.status, MemberStatus::Current | MemberStatus::Suspended))
        .collect();
    let ids = short_ids(ui, shown.iter().map(|member| member.id.as_str()));
    let rows: Vec<Vec<Line>> = shown
        .iter()
        .zip(ids)
        .map(|(member, id)| {
            let status =
                if member.status == MemberStatus::Current { Line::new() } else { Line::new().warn(member.status.word()) };
            let me = if member.me && !ui.plain { " (you)" } else { "" };
            let role = member.role.map_or("", MemberRole::word);
            vec![Line::new().dim(&id), role.into(), status, Line::new().person(&member.name, member.alike, &member.id).dim(me)]
        })
        .collect();
    ui.table(&["id", "role", "", "name"], &rows)
}

fn show(ui: &Ui, member: &Member) -> Result<()> {
    let mut facts = vec![
        ("member", Line::new().person(&member.name, member.alike, &member.id).dim(if member.me { " (you)" } else { "" })),
        ("id", member.id.as_str().into()),
        ("role", member.role.map_or("", MemberRole::word).into()),
        ("status", member.status.word().into()),
    ];
    for device in &member.devices {
        let past = if device.current { "" } else { " (no longer)" };
        facts.push(("computer", Line::new().text(&device.name).dim(&format!(" {}{past}", device.id))));
    }
    ui.facts(&facts)
}

/// What waits of somebody's writing: one word of the API, and what it did.
fn waiting(context: &Context, client: &Client, who: &str, verb: &str, done: &str) -> Result<()> {
    let reply = client.send("POST", &route(context).seg(who).seg(verb), &json!({}))?;
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    let member: Member = reply.read()?;
    context.ui().say(Line::new().text("What ").name(&member.name).text(done));
    Ok(())
}

fn remove(context: &Context, client: &Client, who: &str) -> Result<()> {
    let member: Member = client.get(&route(context).seg(who))?.read()?;
    let which = if member.alike { format!(" ({}; somebody else's name looks like it)", member.id) } else { String::new() };
    let who = format!("{}{which}", member.name);
    let what = format!("{who} would be removed from the circle. She keeps what she already read; nothing new reaches her.");
    context.confirm(&what, &member.name, &member.id)?;
    let route = route(context).seg(&member.id);
    if context.global().dry_run {
        client.send("DELETE", &route, &json!({}))?;
    }
    let protected = !client.status()?.unprotected;
    let reply = if protected {
        let passphrase = context.passphrase("Your passphrase, once more:")?;
        client.secretly("DELETE", &route, &json!({ "passphrase": passphrase.as_str() }))?
    } else {
        client.send("DELETE", &route, &json!({}))?
    };
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    context.ui().say(
        Line::new().name(&member.name).text(" is removed. The circle has new keys; nothing written from now on reaches her."),
    );
    Ok(())
}
