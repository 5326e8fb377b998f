//! `kith draft ...`.

use kith_protocol::control::{Draft, DraftOf, NewDraft, Note};
use serde_json::json;

use super::show::short_ids;
use super::writing::{may_become, save};
use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::{Result, Stop};
use crate::global::not_empty;
use crate::input::{self, Body};
use crate::ui::{Line, Ui};

/// What can be done with drafts.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum DraftVerb {
    /// List the texts that are kept
    List,
    /// Show one of them
    Show {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
    },
    /// Go on writing, and save it; in a script it is saved as it is
    Resume {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
    },
    /// Throw one away; in a script, `--confirm` names it or its id
    Remove {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
    },
}

pub(crate) fn run(context: &Context, verb: DraftVerb) -> Result<()> {
    let client = context.client()?;
    input::take_in(context, &client);
    match verb {
        DraftVerb::List => list(context, &client),
        DraftVerb::Show { id } => {
            let reply = client.get(&one(&id))?;
            context.show(&reply, |ui, draft: Draft| show(ui, &draft))
        }
        DraftVerb::Resume { id } => resume(context, &client, &id),
        DraftVerb::Remove { id } => remove(context, &client, &id),
    }
}

fn one(id: &str) -> Route {
    Route::new("drafts").seg(id)
}

fn all(client: &Client) -> Result<Vec<Draft>> {
    client.get(&Route::new("drafts"))?.field("drafts")
}

fn list(context: &Context, client: &Client) -> Result<()> {
    let ui = context.ui();
    if ui.json {
        return ui.out_json(client.get(&Route::new("drafts"))?.text());
    }
    let drafts = all(client)?;
    if drafts.is_empty() {
        ui.say("No drafts.");
        return Ok(());
    }
    let ids = short_ids(ui, drafts.iter().map(|draft| draft.id.as_str()));
    let rows: Vec<Vec<Line>> = drafts
        .iter()
        .zip(ids)
        .map(|(draft, id)| {
            vec![Line::new().dim(&id), becomes(&draft.text).into(), ui.when(draft.kept_at).into(), name(&draft.text).into()]
        })
        .collect();
    ui.table(&["id", "for", "kept", "text"], &rows)
}

fn becomes(text: &NewDraft) -> &'static str {
    match text.becomes {
        DraftOf::Note => "a note",
        DraftOf::Reply => "a reply",
        DraftOf::Edit => "a change",
    }
}

/// Its title, or how it begins.
fn name(text: &NewDraft) -> String {
    let title = text.title.as_deref().filter(|title| !title.is_empty());
    title.map_or_else(|| super::show::start(&text.body), str::to_owned)
}

fn show(ui: &Ui, draft: &Draft) -> Result<()> {
    let text = &draft.text;
    let mut facts =
        vec![("draft", Line::new().strong(&name(text))), ("id", draft.id.as_str().into()), ("for", becomes(text).into())];
    facts.push(("circle", text.circle.as_str().into()));
    facts.extend(text.item.as_deref().map(|item| ("of", item.into())));
    facts.extend([("kept", ui.when(draft.kept_at).into()), ("until", ui.when(draft.until).into())]);
    ui.facts(&facts)?;
    ui.gap()?;
    ui.block(0, &text.body)
}

fn resume(context: &Context, client: &Client, id: &str) -> Result<()> {
    let draft: Draft = client.get(&one(id))?.read()?;
    may_become(client, &draft.text)?;
    let before = draft.text.body.clone();
    let body = Body::again(context, client, &draft.text)?;
    let text = body.text.clone();
    let changed = text != before;
    let forget = || client.send("DELETE", &one(&draft.id), &json!({}));
    let saved = if changed {
        body.saved(context, client, draft.text.clone(), |text| save(client, text))
    } else {
        body.saved_as_it_was(context, || save(client, &draft.text))
    };
    match saved {
        Ok(reply) => {
            forget()?;
            context.show(&reply, |ui, note: Note| super::note::written(ui, client, draft.text.becomes, &note))?;
            context.delivered(client)
        }
        Err(Stop::Refused(refused)) => {
            if changed && all(client)?.iter().any(|other| other.id != draft.id && other.text.body == text) {
                // The text as it is now was kept in its place.
                drop(forget());
            } else {
                context.ui().complain(&Line::new().text("The draft stays as it is: ").text(&draft.id));
            }
            Err(Stop::Refused(refused))
        }
        Err(stop) => Err(stop),
    }
}

/// Throws a draft away, for good: it is asked about, and in a script its name or id is the answer.
fn remove(context: &Context, client: &Client, id: &str) -> Result<()> {
    let draft: Draft = client.get(&one(id))?.read()?;
    let (ui, name) = (context.ui(), name(&draft.text));
    let what = format!("The draft \"{name}\" would be thrown away. It cannot be brought back.");
    if !ui.interactive || context.global().confirm.is_some() {
        let names: &[&str] = if name.is_empty() { &[&draft.id] } else { &[&name] };
        context.confirm(&what, names, &[&draft.id])?;
    } else if !context.global().dry_run {
        ui.say(Line::new().warn(&what));
        if !ui.agree("Throw it away?")? {
            ui.say("Nothing was thrown away.");
            return Ok(());
        }
    }
    let reply = client.send("DELETE", &one(&draft.id), &json!({}))?;
    if ui.json {
        return ui.out_json(reply.text());
    }
    ui.say("The draft is gone.");
    Ok(())
}
