//! `kith` alone: how things are here, and what to do next.

use kith_protocol::control::{Circle, CircleStatus, DaemonStatus, Inbox, Join, JoinStatus};
use serde_json::json;

use super::aim::Aim;
use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::Result;
use crate::ui::{Line, Ui};

/// What `kith` alone tells.
struct Overview {
    state: &'static str,
    name: Option<String>,
    circles: Vec<String>,
    new: usize,
    facts: Vec<(&'static str, Line)>,
    /// Commands, and what each of them brings.
    next: Vec<(String, &'static str)>,
}

impl Overview {
    fn new(state: &'static str, next: &[(&str, &'static str)]) -> Self {
        let next = next.iter().map(|(command, brings)| ((*command).to_owned(), *brings)).collect();
        Self { state, name: None, circles: Vec::new(), new: 0, facts: Vec::new(), next }
    }
}

pub(crate) fn run(context: &Context) -> Result<()> {
    let overview = look(context)?;
    let ui = context.ui();
    if !ui.json {
        return show(ui, overview);
    }
    let next: Vec<&str> = overview.next.iter().map(|(command, _)| command.as_str()).collect();
    let Overview { state, name, circles, new, .. } = overview;
    ui.out_value(
        &json!({ "schema": "kith.overview/1", "state": state, "name": name, "circles": circles, "new": new, "next": next }),
    )
}

fn look(context: &Context) -> Result<Overview> {
    let begin = [
        ("kith init", "begin: a name and a passphrase"),
        ("kith join LINK", "begin, and join a circle that you are invited to"),
        ("kith demo", "watch three people use it, in a minute"),
    ];
    let client = context.bare_client()?;
    if !client.answers() && !context.home().is_begun() {
        return Ok(Overview::new("none", &begin));
    }
    if !client.answers() {
        return Ok(Overview::new("stopped", &[("kith start", "start it and unlock it")]));
    }
    let status = client.status()?;
    if !status.initialized {
        return Ok(Overview::new("none", &begin));
    }
    if status.locked {
        return Ok(Overview::new("locked", &[("kith unlock", "unlock it with your passphrase")]));
    }
    running(context, &client, status)
}

fn running(context: &Context, client: &Client, status: DaemonStatus) -> Result<Overview> {
    let circles: Vec<Circle> = client.get(&Route::new("circles"))?.field("circles")?;
    let circles: Vec<Circle> = circles.into_iter().filter(|circle| circle.status == CircleStatus::Current).collect();
    let joins: Vec<Join> = client.get(&Route::new("joins"))?.field("joins")?;
    let waits = |join: &&Join| matches!(join.status, JoinStatus::Contacting | JoinStatus::Requested | JoinStatus::Admitted);
    let waiting = joins.iter().filter(waits).count();
    let inbox: Inbox = client.get(&Route::new("inbox"))?.read()?;
    let new = inbox.inbox.len();
    let next = next(context, client, &circles, (new, waiting));
    let mut facts = vec![("you", Line::new().name(status.name.as_deref().unwrap_or_default()))];
    for (at, circle) in circles.iter().enumerate() {
        let members = if circle.members == 1 { "only you".to_owned() } else { format!("{} members", circle.members) };
        let label = if at == 0 { "circles" } else { " " };
        facts.push((label, Line::new().part(&circle.name).dim(&format!(" · {members}"))));
    }
    if new > 0 {
        facts.push(("inbox", Line::new().good(&format!("{new} new"))));
    }
    if status.sync.pending_out > 0 {
        facts.push(("sync", format!("{} not delivered yet", status.sync.pending_out).into()));
    }
    let ended = |join: &&Join| matches!(join.status, JoinStatus::Declined | JoinStatus::Refused);
    let told = joins.iter().filter(ended).filter_map(|join| join.notice.as_ref());
    facts.extend(told.map(|notice| ("note", super::show::said(notice))));
    let names = circles.into_iter().map(|circle| circle.name).collect();
    Ok(Overview { state: "running", name: status.name, circles: names, new, facts, next })
}

/// What to do next, as it can be typed.
fn next(context: &Context, client: &Client, circles: &[Circle], (new, waiting): (usize, usize)) -> Vec<(String, &'static str)> {
    let mut next = Vec::new();
    if new > 0 {
        next.push(("kith inbox".to_owned(), "see what is new"));
    }
    if waiting > 0 {
        next.push(("kith join".to_owned(), "go on with the join that is under way"));
    }
    if circles.is_empty() {
        next.push(("kith circle new NAME".to_owned(), "start a circle"));
        next.push(("kith join LINK".to_owned(), "join a circle that you are invited to"));
        return next;
    }
    if let Some(alone) = circles.iter().find(|circle| circle.members <= 1) {
        next.push((Aim::at(context, client, &alone.id).command("kith invite new"), "invite somebody"));
    }
    next.push((Aim::anywhere(context, client).command("kith note new"), "write a note"));
    next.push(("kith week".to_owned(), "see the next seven days"));
    next
}

fn show(ui: &Ui, overview: Overview) -> Result<()> {
    let head = match overview.state {
        "none" => {
            "Kith keeps a support circle's notes, events and resources on its members' own computers. There is none here yet."
        }
        "stopped" => "Kith is not running, so nothing is sent or received.",
        "locked" => "Kith is running and locked, so it is offline.",
        _ => "Kith is running.",
    };
    ui.prose(&head.into())?;
    ui.facts(&overview.facts)?;
    ui.gap()?;
    let rows: Vec<Vec<Line>> =
        overview.next.iter().map(|(command, brings)| vec![Line::new().strong(command), (*brings).into()]).collect();
    ui.table(&["next", ""], &rows)?;
    ui.gap()?;
    ui.prose(&"`kith help` lists all commands. `kith crisis` shows crisis hotlines, always.".into())
}
