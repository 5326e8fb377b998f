//! What every noun of items has: its list, one of them, a new one, its changes, its deletion, pins and hides.

use kith_protocol::control::{Crossed, Kind};
use kith_protocol::node::Filter;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client::{Reply, Route};
use crate::context::Context;
use crate::error::Result;
use crate::ui::{Line, Ui};

/// What is deleted, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct RemoveArgs {
    /// Its id
    id: String,
    /// Destroy it at once instead of after a day
    #[arg(long)]
    now: bool,
}

/// The list of a kind, and where new ones go.
pub(crate) fn all(context: &Context, kind: Kind) -> Route {
    Route::new("circles").seg(context.circle()).seg(kind.path())
}

/// One item.
pub(crate) fn one(context: &Context, kind: Kind, id: &str) -> Route {
    all(context, kind).seg(id)
}

/// Shows a list as it was asked for. Of what the core cannot judge, `keeps` has the last word where only what is to come was asked for.
pub(crate) fn list<T: DeserializeOwned>(
    context: &Context,
    kind: Kind,
    filter: &Filter,
    keeps: impl Fn(&T) -> bool,
    show: impl FnOnce(&Ui, &[T]) -> Result<()>,
) -> Result<()> {
    let limit = filter.limit.map(|n| n.to_string());
    let route = all(context, kind)
        .maybe("limit", limit.as_deref())
        .flag("upcoming", filter.upcoming)
        .flag("new", filter.new)
        .flag("unanswered", filter.unanswered)
        .flag("reveal", filter.reveal)
        .maybe("tag", filter.tag.as_deref());
    let reply = context.client()?.get(&route)?;
    let ui = context.ui();
    if ui.json {
        return if filter.upcoming { ui.out_value(&kept(&reply, kind, keeps)?) } else { ui.out_json(reply.text()) };
    }
    let mut items: Vec<T> = reply.field(kind.path())?;
    items.retain(|item| !filter.upcoming || keeps(item));
    if items.is_empty() {
        ui.say(if filter.new { "Nothing new.".to_owned() } else { format!("No {}.", kind.path()) });
        return Ok(());
    }
    show(ui, &items)
}

/// A list as it came, without what is not kept.
fn kept<T: DeserializeOwned>(reply: &Reply, kind: Kind, keeps: impl Fn(&T) -> bool) -> Result<Value> {
    let mut value: Value = reply.read()?;
    if let Some(items) = value.get_mut(kind.path()).and_then(Value::as_array_mut) {
        items.retain(|item| serde_json::from_value::<T>(item.clone()).is_ok_and(|item| keeps(&item)));
    }
    Ok(value)
}

/// Shows one item.
pub(crate) fn show<T: DeserializeOwned>(
    context: &Context,
    kind: Kind,
    id: &str,
    human: impl FnOnce(&Ui, T) -> Result<()>,
) -> Result<()> {
    let reply = context.client()?.get(&one(context, kind, id))?;
    context.show(&reply, human)
}

/// Sends what was written; with `--wait`, until somebody else has it.
pub(crate) fn send(context: &Context, method: &str, route: &Route, body: &impl Serialize) -> Result<Reply> {
    let client = context.client()?;
    let reply = client.send(method, route, body)?;
    context.delivered(&client)?;
    Ok(reply)
}

/// Says what else was changed while it was edited, by others or in another window.
pub(crate) fn tell_crossed(ui: &Ui, crossed: &[Crossed]) {
    for Crossed { field, author, mine } in crossed {
        let field = field.replace('_', " ");
        ui.say(if *mine {
            Line::new().text(&format!("You changed the {field} too, in another window, since you looked at it here."))
        } else {
            super::show::author(author).text(&format!(" changed the {field} too, since you looked at it."))
        });
    }
}

/// Pins or hides an item, or takes that back.
pub(crate) fn mark(context: &Context, kind: Kind, id: &str, mark: Kind, off: bool) -> Result<()> {
    let method = if off { "DELETE" } else { "PUT" };
    let reply = context.client()?.send(method, &one(context, kind, id).seg(mark.path()), &json!({}))?;
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    context.ui().say("Done.");
    Ok(())
}

/// Delete one's own item. On a terminal it asks; destroying at once always needs a confirmation.
pub(crate) fn remove(context: &Context, kind: Kind, RemoveArgs { id, now }: &RemoveArgs) -> Result<()> {
    let (client, now) = (context.client()?, *now);
    let ui = context.ui();
    let route = one(context, kind, id);
    if now || context.global().confirm.is_some() {
        let item: serde_json::Value = client.get(&route)?.read()?;
        let field = |name: &str| item.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let (whole, title) = (field("id"), field("title"));
        let name = if title.is_empty() { &whole } else { &title };
        // The id as it was typed will do as well as the whole.
        let also = if context.global().confirm.as_deref() == Some(id) { id } else { &whole };
        context.confirm("It would be destroyed, here and on every computer that hears of it.", name, also)?;
    } else if ui.interactive && !context.global().dry_run && !ui.agree("Delete it, here and for everybody?")? {
        ui.say("Nothing was deleted.");
        return Ok(());
    }
    let reply = client.send("DELETE", &route.flag("now", now), &json!({}))?;
    context.delivered(&client)?;
    if ui.json {
        return ui.out_json(reply.text());
    }
    ui.say(if now { "Deleted and destroyed." } else { "Deleted. Its bytes are destroyed in a day." });
    ui.say("Computers that are offline hear of it later; what somebody already read or copied cannot be taken back.");
    Ok(())
}
