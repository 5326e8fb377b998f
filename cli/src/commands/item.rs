//! What every noun of items has: its list, one of them, a new one, its changes, its deletion, pins and hides.

use kith_protocol::control::{Circle, Code, Crossed, DeliveryStatus, Kind, Role};
use kith_protocol::node::Filter;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client::{Client, Reply, Route};
use crate::context::Context;
use crate::error::{self, Result, Stop};
use crate::global::not_empty;
use crate::ui::{Line, Ui};

use super::show::start;
use super::typed::means;

/// What is deleted, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct RemoveArgs {
    /// Its id
    #[arg(value_parser = not_empty)]
    id: String,
    /// Destroy it now instead of after a day
    #[arg(long)]
    now: bool,
}

/// The list of a kind, and where new ones go.
pub(crate) fn all(context: &Context, kind: Kind) -> Route {
    Route::new("circles").seg(context.circle()).seg(kind.path())
}

/// One item.
pub(crate) fn one(context: &Context, kind: Kind, id: &str) -> Route {
    Route::new("circles").seg(context.named_circle()).seg(kind.path()).seg(id)
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
    let client = context.client()?;
    let reply = client.get(&one(context, kind, id))?;
    context.show(&reply, human)?;
    saw(context, &client, &reply, false);
    Ok(())
}

/// Somebody has looked at an item. `reveal`: at what stands behind a warning, too; else that stays unseen.
pub(crate) fn saw(context: &Context, client: &Client, reply: &Reply, reveal: bool) {
    let (Ok(circle), Ok(item)) = (reply.field::<String>("circle"), reply.field::<String>("id")) else { return };
    if !context.ui().json && !context.global().dry_run {
        // A mark that could not be set is no reason to fail: it has been read all the same.
        drop(client.send("POST", &Route::new("seen"), &json!({ "circle": circle, "item": item, "reveal": reveal })));
    }
}

/// Sends what was written and shows what came of it; then, with `--wait`, waits until somebody else has it. So people who
/// wait in vain know its id.
pub(crate) fn send<T: DeserializeOwned>(
    context: &Context,
    (method, route): (&str, &Route),
    body: &impl Serialize,
    human: impl FnOnce(&Ui, &Client, T) -> Result<()>,
) -> Result<Reply> {
    let client = context.client()?;
    let reply = client.send(method, route, body)?;
    context.show(&reply, |ui, written| human(ui, &client, written))?;
    context.delivered(&client)?;
    Ok(reply)
}

/// Says where something was saved, who can read it there, its id, and how far it has come.
pub(crate) fn saved(
    ui: &Ui,
    client: &Client,
    what: &str,
    (circle, id): (&str, &str),
    delivery: Option<DeliveryStatus>,
) -> Result<()> {
    let line = match client.get(&Route::new("circles").seg(circle)).and_then(|reply| reply.read::<Circle>()) {
        Ok(circle) => {
            let who = match circle.members {
                0 | 1 => "only you can read it".to_owned(),
                people => format!("{people} people can read it"),
            };
            Line::new().text(&format!("{what} in ")).strong(&circle.name).text(&format!(" ({who})."))
        }
        // It is saved, whatever became of the question.
        Err(_) => Line::new().text(&format!("{what}.")),
    };
    let line = if id.is_empty() { line } else { line.text(" ").strong(id) };
    let sent = super::show::delivery(delivery, None, false);
    ui.out(super::show::dotted(vec![line, sent]))
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
    context.ui().tell(marked(mark, off));
    Ok(())
}

/// What became of an item that was marked.
const fn marked(mark: Kind, off: bool) -> &'static str {
    match (matches!(mark, Kind::Pin), off) {
        (true, false) => "Pinned: it is marked as pinned for everybody.",
        (true, true) => "No longer pinned.",
        (false, false) => "Hidden: its text is no longer shown in the circle.",
        (false, true) => "No longer hidden.",
    }
}

/// Brings back what one deleted.
pub(crate) fn restore(context: &Context, kind: Kind, id: &str) -> Result<()> {
    let client = context.client()?;
    let reply = client.send("POST", &one(context, kind, id).seg("restore"), &json!({}))?;
    context.delivered(&client)?;
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    context.ui().tell("It is back, for everybody who has not destroyed it yet.");
    Ok(())
}

/// Delete one's own item. Says what it is and what goes with it, and asks; in a script its name is the answer.
pub(crate) fn remove(context: &Context, kind: Kind, RemoveArgs { id, now }: &RemoveArgs) -> Result<()> {
    let (client, now) = (context.client()?, *now);
    let ui = context.ui();
    let shown: Value = client.get(&one(context, kind, id).flag("reveal", true))?.read()?;
    let circle: Circle = client.get(&Route::new("circles").seg(text(&shown, "circle")))?.read()?;
    let doomed = Doomed::of(&shown, kind, id).filter(|doomed| !doomed.gone || now && doomed.may_go(&circle));
    let Some(doomed) = doomed else { return Err(gone_already(&shown, kind, id, &circle)) };
    // What is named here is what goes.
    let route = one(context, kind, &doomed.id);
    // Where it is not for them to delete it, the daemon says so; there is nothing to ask first.
    if doomed.may_go(&circle) {
        let what = doomed.sentence(now);
        let may_be_asked = ui.interactive && !now && context.global().confirm.is_none();
        if !may_be_asked {
            context.confirm(&what, &[&doomed.name], &[&doomed.id])?;
        } else if !context.global().dry_run {
            ui.say(Line::new().warn(&what));
            if !ui.agree("Delete it?")? {
                ui.tell("Nothing was deleted.");
                return Ok(());
            }
        }
    }
    let reply = client.send("DELETE", &route.flag("now", now), &json!({}))?;
    context.delivered(&client)?;
    if ui.json {
        return ui.out_json(reply.text());
    }
    if now {
        ui.tell("Deleted and destroyed.");
    } else {
        let noun = kind.noun();
        ui.say(format!("Deleted. For a day, `kith {noun} restore {}` brings it back; then its bytes are destroyed.", doomed.id));
    }
    ui.tell("Computers that are offline hear of it later; what somebody already read or copied cannot be taken back.");
    Ok(())
}

/// What is not there to be deleted; the person who deleted it is told how it comes back.
fn gone_already(shown: &Value, kind: Kind, typed: &str, circle: &Circle) -> Stop {
    let found = Doomed::of(shown, kind, typed);
    if found.is_none() && text(shown, "state") != "visible" {
        let hint = format!("`kith {} restore {}` brings both back, if you deleted the note.", kind.noun(), text(shown, "id"));
        return error::refused(Code::NotFound, "The note of this reply is deleted, or no longer shown.", hint);
    }
    let (noun, id) = found.as_ref().map_or(("reply", typed.trim()), |doomed| (kind.noun(), doomed.id.as_str()));
    let back = format!("`kith {} restore {id}` brings it back", kind.noun());
    let hint = match &found {
        Some(doomed) if !doomed.may_go(circle) => format!("`kith {} list` shows what is there.", kind.noun()),
        Some(_) => format!("{back} until a day after it was deleted, if you deleted it."),
        // Who wrote a reply that is not shown is not known here.
        None => format!("If you deleted it yourself, {back} until a day after that."),
    };
    error::refused(Code::NotFound, format!("This {noun} is already deleted."), hint)
}

fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item[field].as_str().unwrap_or_default()
}

/// What would be deleted.
#[derive(Debug, PartialEq, Eq)]
struct Doomed {
    id: String,
    /// Is it deleted already? Its bytes may be here still.
    gone: bool,
    /// Who wrote it.
    author: String,
    /// What it is called: its title, or its id where it has none.
    name: String,
    /// What it is, in words.
    what: String,
    /// What others said about it, in words; empty where nobody did.
    along: String,
}

impl Doomed {
    /// The item that was shown; or the reply in it, where its id was typed. None where that is a reply that is not shown any more.
    fn of(shown: &Value, kind: Kind, typed: &str) -> Option<Self> {
        let replies = shown["replies"].as_array().map_or(&[][..], Vec::as_slice);
        let field = |item: &Value, name: &str| text(item, name).to_owned();
        let is_typed = |item: &&Value| means(typed, text(item, "id"));
        let reply = if is_typed(&shown) { None } else { Some(replies.iter().find(is_typed)?) };
        let (item, noun) = reply.map_or((shown, kind.noun()), |reply| (reply, "reply"));
        let title = field(item, "title");
        let words = if title.is_empty() { start(item["body"].as_str().unwrap_or_default()) } else { title.clone() };
        let called = if words.is_empty() { String::new() } else { format!(" \"{words}\"") };
        let on = if reply.is_some() { format!(" to \"{}\"", field(shown, "title")) } else { String::new() };
        let along = match replies.iter().filter(|reply| reply["state"] == "visible").count() {
            _ if reply.is_some() => String::new(),
            0 => String::new(),
            1 => " Its 1 reply is hidden with it.".to_owned(),
            many => format!(" Its {many} replies are hidden with it."),
        };
        let id = field(item, "id");
        let name = if title.is_empty() { id.clone() } else { title };
        let (author, gone) = (field(&item["author"], "member"), text(item, "state") == "removed");
        let what = format!("The {noun}{called}{}", if on == " to \"\"" { "" } else { &on });
        Some(Self { id, gone, author, name, what, along })
    }

    /// May the member of this machine delete it? Else the daemon says why not.
    fn may_go(&self, circle: &Circle) -> bool {
        self.author == circle.me || circle.role == Some(Role::Founder)
    }

    fn sentence(&self, now: bool) -> String {
        let Self { what, along, .. } = self;
        let when = if now {
            "destroyed, here and on every computer that hears of it, and cannot be brought back"
        } else {
            "deleted, for everybody"
        };
        format!("{what} would be {when}.{along}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::TEXT_START;

    fn note() -> Value {
        json!({ "id": "n-abcdef", "circle": "c-one", "title": "On-call", "body": "Long night.", "author": { "member": "m-amara" },
            "replies": [
                { "id": "p-ghijkl", "body": "\n  I am here.", "state": "visible", "author": { "member": "m-bea" } },
                { "id": "p-mnopqr", "body": null, "state": "removed", "author": { "member": "m-bea" } },
            ] })
    }

    #[test]
    fn what_a_mark_did_is_said() {
        let said: Vec<&str> = [(Kind::Pin, false), (Kind::Pin, true), (Kind::Hide, false), (Kind::Hide, true)]
            .map(|(kind, off)| marked(kind, off))
            .to_vec();
        assert!(said[0].starts_with("Pinned") && said[1].contains("pinned") && said[2].starts_with("Hidden"));
        assert!(said[3].contains("hidden") && said.iter().all(|words| words.ends_with('.')));
    }

    #[test]
    fn what_is_deleted_is_named() {
        let doomed = Doomed::of(&note(), Kind::Note, "n-ab").unwrap();
        assert_eq!((doomed.name.as_str(), doomed.id.as_str(), doomed.author.as_str()), ("On-call", "n-abcdef", "m-amara"));
        assert_eq!(
            doomed.sentence(false),
            "The note \"On-call\" would be deleted, for everybody. Its 1 reply is hidden with it."
        );
        assert!(doomed.sentence(true).contains("destroyed") && doomed.sentence(true).contains("cannot be brought back"));
    }

    #[test]
    fn a_reply_is_named_by_its_words_and_its_note() {
        for typed in ["p-ghi", "ghijkl"] {
            let doomed = Doomed::of(&note(), Kind::Note, typed).unwrap();
            assert_eq!((doomed.name.as_str(), doomed.author.as_str()), ("p-ghijkl", "m-bea"));
            assert_eq!(doomed.sentence(false), "The reply \"I am here.\" to \"On-call\" would be deleted, for everybody.");
        }
    }

    #[test]
    fn a_reply_that_is_not_shown_is_never_taken_for_its_note() {
        // The daemon shows the note for each of them; the last begins as the letter of notes.
        for typed in ["p-zzzzzz", "zzzzzz", "p-nzzzzz", "nzzzzz", "n", "n-"] {
            assert_eq!(Doomed::of(&note(), Kind::Note, typed), None, "{typed}");
        }
        let mut removed = note();
        removed["state"] = "removed".into();
        assert!(
            Doomed::of(&removed, Kind::Note, "n-abc").unwrap().gone && !Doomed::of(&note(), Kind::Note, "n-abc").unwrap().gone
        );
    }

    #[test]
    fn what_has_no_title_goes_by_its_words_and_its_id() {
        let mut note = note();
        note["title"] = "".into();
        let doomed = Doomed::of(&note, Kind::Note, "n-abcdef").unwrap();
        assert_eq!(doomed.name, "n-abcdef");
        assert!(doomed.what.contains("\"Long night.\""));
        assert_eq!(Doomed::of(&note, Kind::Note, "p-ghi").unwrap().what, "The reply \"I am here.\"");
        assert_eq!(start(&"x".repeat(200)).chars().count(), TEXT_START + 1);
    }
}
