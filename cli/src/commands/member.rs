//! `kith member ...`.

use kith_protocol::control::{Circle, Code, Member, MemberStatus, Role, SetRole};
use serde_json::json;

use super::show::{named, short_ids};
use super::succession::Succession;
use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::{self, Result};
use crate::global::not_empty;
use crate::ui::{Line, Ui};

/// What can be done with members.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum MemberVerb {
    /// List the members of a circle
    List,
    /// Show a member and their computers
    Show {
        /// Name or id
        #[arg(value_parser = not_empty)]
        who: String,
    },
    /// Give a role: guest, member, facilitator, steward; or step down yourself
    Role {
        /// Name or id
        #[arg(value_parser = not_empty)]
        who: String,
        /// The role
        #[arg(value_parser = Role::given)]
        role: Role,
        #[command(flatten)]
        succession: Succession,
    },
    /// Bring back what a removed member wrote, where the last of it never arrived (see `kith doctor`)
    Restore {
        /// Name or id
        #[arg(value_parser = not_empty)]
        who: String,
    },
    /// Leave it set aside, and stop being told about it
    Aside {
        /// Name or id
        #[arg(value_parser = not_empty)]
        who: String,
    },
    /// Remove a member; they cannot read anything written from then on
    Remove {
        /// Name or id
        #[arg(value_parser = not_empty)]
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
        MemberVerb::Role { who, role, succession } => set_role(context, &client, &who, role, succession),
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

/// Everybody who is in a circle or was.
pub(crate) fn all(client: &Client, circle: &str) -> Result<Vec<Member>> {
    client.get(&Route::new("circles").seg(circle).seg("members"))?.field("members")
}

/// Gives a role. Stepping down oneself is confirmed by name, and the last steward says who takes over.
fn set_role(context: &Context, client: &Client, who: &str, role: Role, mut succession: Succession) -> Result<()> {
    let member: Member = client.get(&route(context).seg(who))?.read()?;
    if member.me && Some(role) < member.role {
        let circle: Circle = client.get(&Route::new("circles").seg(context.circle()))?.read()?;
        let is = member.role.map_or("", Role::word);
        let what = format!("You would no longer be {is} of \"{}\", and only be {role}.", circle.name);
        let (names, ids) = ([member.name.as_str(), &circle.name], [member.id.as_str(), &circle.id]);
        succession.settle(context, &all(client, &circle.id)?, &what, Some(role), (&names, &ids))?;
    }
    let Succession { successor, without_successor } = succession;
    let body = SetRole { role, successor, without_successor };
    let reply = client.send("PATCH", &route(context).seg(&member.id), &body)?;
    context.show(&reply, |ui, member: Member| show(ui, &member))
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
            let role = member.role.map_or("", Role::word);
            vec![Line::new().dim(&id), role.into(), status, who(ui, member).dim(me)]
        })
        .collect();
    ui.table(&["id", "role", "", "name"], &rows)
}

/// Their name. Who was let in has none here before they have said yes.
fn who(ui: &Ui, member: &Member) -> Line {
    if member.name == member.id && member.status == MemberStatus::Current && !ui.plain {
        return Line::new().dim("let in, and has not said yes yet");
    }
    Line::new().person(&member.name, member.alike, &member.id)
}

fn show(ui: &Ui, member: &Member) -> Result<()> {
    let mut facts = vec![
        ("member", who(ui, member).dim(if member.me { " (you)" } else { "" })),
        ("id", member.id.as_str().into()),
        ("role", member.role.map_or("", Role::word).into()),
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
    let circle: Circle = client.get(&Route::new("circles").seg(context.circle()))?.read()?;
    if member.me {
        return Err(error::usage("That is you.", "`kith circle leave` ends your part in the circle."));
    }
    let (mine, theirs) = (circle.role, member.role);
    if mine < Some(Role::Steward) || theirs >= Some(Role::Steward) && mine < Some(Role::Founder) {
        let message =
            if mine < Some(Role::Steward) { "Only stewards remove somebody." } else { "Only the founder removes a steward." };
        return Err(error::refused(Code::NotAllowed, message, "`kith member list` shows who may."));
    }
    let who = named(&member);
    let what = format!("{who} would be removed from the circle. They keep what they already read; nothing new reaches them.");
    context.confirm(&what, &[&member.name], &[&member.id])?;
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
        Line::new().name(&member.name).text(" is removed. The circle has new keys; nothing written from now on reaches them."),
    );
    Ok(())
}
