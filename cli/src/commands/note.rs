//! `kith note ...`.

use kith_protocol::control::{
    DraftOf, EditNote, ItemState, Kind, NewDraft, NewReaction, Note, Reply as NoteReply, Want, WantChange,
};
use kith_protocol::node::Filter;

use super::item;
use super::show::{author, delivery, dotted, short_ids, state};
use super::typed::{means, warning};
use super::writing::{answerable, changeable, save, writable};
use crate::client::Client;
use crate::context::Context;
use crate::duration::at_least_one;
use crate::error::{self, Result};
use crate::global::not_empty;
use crate::input::Body;
use crate::ui::{Line, Ui};

/// What can be done with notes.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum NoteVerb {
    /// Write a note
    New(NoteNew),
    /// List the notes of a circle, oldest first
    List(NoteList),
    /// Show a note with its replies
    Show {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
        /// Show what is behind content warnings
        #[arg(long)]
        reveal: bool,
    },
    /// Edit your note or reply
    Edit(NoteEdit),
    /// Remove your note or reply
    Remove(item::RemoveArgs),
    /// Bring back a note or reply that you deleted less than a day ago
    Restore {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
    },
    /// Reply to a note
    Reply {
        /// The note's id
        #[arg(value_parser = not_empty)]
        id: String,
        /// The text, or - for stdin; without it, your editor opens
        body: Option<String>,
        /// Add a content warning; the text is shown only on demand
        #[arg(long, value_name = "WARNING", value_parser = warning)]
        cw: Option<String>,
    },
    /// React with an emoji
    React {
        /// The note's id
        #[arg(value_parser = not_empty)]
        id: String,
        /// One emoji
        emoji: String,
        /// Take the reaction back
        #[arg(long)]
        remove: bool,
    },
    /// Pin a note to the top (facilitators)
    Pin {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
        /// Unpin it
        #[arg(long)]
        off: bool,
    },
    /// Hide a note or reply (facilitators)
    Hide {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
        /// Show it again
        #[arg(long)]
        off: bool,
    },
}

/// A new note.
#[derive(Debug, clap::Args)]
pub(crate) struct NoteNew {
    /// The text, or - for stdin; without it, your editor opens
    body: Option<String>,
    /// Give it a title
    #[arg(long, default_value = "", hide_default_value = true)]
    title: String,
    /// Say what you would like: listen, advice, resources
    #[arg(long, value_name = "WANT")]
    want: Option<Want>,
    /// Add a content warning; the text is shown only on demand
    #[arg(long, value_name = "WARNING", value_parser = warning)]
    cw: Option<String>,
    /// Name its language, such as en
    #[arg(long, default_value = "", hide_default_value = true)]
    lang: String,
    /// Add a tag (repeatable)
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

/// Which notes.
#[derive(Debug, clap::Args)]
pub(crate) struct NoteList {
    /// Show only the last N
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    limit: Option<usize>,
    /// Show only what you have not seen yet
    #[arg(long)]
    new: bool,
    /// Show only those that nobody else has replied to
    #[arg(long)]
    unanswered: bool,
    /// Show what is behind content warnings
    #[arg(long)]
    reveal: bool,
    /// Show only those with this tag
    #[arg(long)]
    tag: Option<String>,
}

/// A changed note.
#[derive(Debug, clap::Args)]
pub(crate) struct NoteEdit {
    /// Its id
    #[arg(value_parser = not_empty)]
    id: String,
    /// The new text, or - for stdin; without it and any other change, your editor opens
    body: Option<String>,
    /// Give it a new title
    #[arg(long)]
    title: Option<String>,
    /// Say what you would like: listen, advice, resources; empty for none
    #[arg(long)]
    want: Option<WantChange>,
    /// Change the content warning; empty for none
    #[arg(long, value_name = "WARNING")]
    cw: Option<String>,
    /// Name its language
    #[arg(long)]
    lang: Option<String>,
    /// Compare with this state, from `show --json`; what others changed since then stays
    #[arg(long)]
    base: Option<String>,
    /// Replace all tags (repeatable)
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

pub(crate) fn run(context: &Context, verb: NoteVerb) -> Result<()> {
    match verb {
        NoteVerb::New(new) => create(context, &context.client()?, new),
        NoteVerb::List(list) => show_list(context, list),
        NoteVerb::Show { id, reveal } => show_one(context, &context.client()?, &id, reveal),
        NoteVerb::Edit(edit) => change(context, &context.client()?, edit),
        NoteVerb::Remove(args) => item::remove(context, Kind::Note, &args),
        NoteVerb::Restore { id } => item::restore(context, Kind::Note, &id),
        NoteVerb::Reply { id, body, cw } => reply(context, &context.client()?, &id, body.as_deref(), cw),
        NoteVerb::React { id, emoji, remove } => {
            let route = item::one(context, Kind::Note, &id).seg(Kind::Reaction.path());
            let tell = |ui: &Ui, _: &Client, note: Note| {
                let line = reactions(&note);
                ui.out(if line.is_empty() { Line::new().dim("No reactions.") } else { line })
            };
            item::send(context, ("POST", &route), &NewReaction { emoji, remove }, tell).map(drop)
        }
        NoteVerb::Pin { id, off } => item::mark(context, Kind::Note, &id, Kind::Pin, off),
        NoteVerb::Hide { id, off } => item::mark(context, Kind::Note, &id, Kind::Hide, off),
    }
}

fn create(context: &Context, client: &Client, new: NoteNew) -> Result<()> {
    let mut circle = context.circle().to_owned();
    if Body::is_long(new.body.as_deref()) {
        circle = writable(client, &circle)?.id;
    }
    let draft = NewDraft {
        becomes: DraftOf::Note,
        circle,
        item: None,
        body: String::new(),
        title: Some(new.title),
        content_warning: new.cw,
        want: new.want.map(WantChange::from),
        lang: Some(new.lang),
        tags: Some(new.tags),
        base: None,
    };
    let body = Body::read(context, client, new.body.as_deref(), &draft)?;
    let reply = body.saved(context, client, draft, |draft| save(client, draft))?;
    context.show(&reply, |ui, note: Note| written(ui, client, DraftOf::Note, &note))?;
    context.delivered(client)
}

/// Says what became of a text, wherever it comes from: where it was saved, who can read it, its id.
pub(super) fn written(ui: &Ui, client: &Client, what: DraftOf, note: &Note) -> Result<()> {
    match what {
        DraftOf::Note => item::saved(ui, client, "Saved", (&note.circle, &note.id), note.delivery),
        DraftOf::Reply => {
            let id = note.written.clone().unwrap_or_default();
            let sent = note.replies.iter().find(|reply| reply.id == id).and_then(|reply| reply.delivery);
            item::saved(ui, client, "Replied", (&note.circle, &id), sent)
        }
        DraftOf::Edit => {
            ui.out("Changed.")?;
            item::tell_crossed(ui, &note.crossed);
            Ok(())
        }
    }
}

fn show_list(context: &Context, list: NoteList) -> Result<()> {
    let NoteList { limit, new, unanswered, reveal, tag } = list;
    let filter = Filter { limit, new, unanswered, reveal, tag, ..Filter::default() };
    item::list(context, Kind::Note, &filter, |_| true, show_all)
}

fn show_all(ui: &Ui, notes: &[Note]) -> Result<()> {
    if ui.plain {
        return plain_list(ui, notes);
    }
    let ids = short_ids(ui, notes.iter().map(|note| note.id.as_str()));
    for (note, id) in notes.iter().zip(ids) {
        ui.out(Line::new().dim(&format!("{id}  ")).and(headline(note)))?;
        ui.out(Line::new().text("          ").and(byline(ui, note)))?;
    }
    Ok(())
}

/// Columns: id, author, time, state, new, title.
fn plain_list(ui: &Ui, notes: &[Note]) -> Result<()> {
    let rows: Vec<Vec<Line>> = notes
        .iter()
        .map(|note| {
            let state = serde_json::to_value(note.state).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
            let new = mark(note).trim_end().to_owned();
            vec![
                note.id.as_str().into(),
                author(&note.author),
                ui.when(note.created_at).into(),
                state.into(),
                new.into(),
                title(note).into(),
            ]
        })
        .collect();
    ui.table(&[], &rows)
}

/// The title, or the beginning of what may be shown of the body.
fn title(note: &Note) -> String {
    if !note.title.is_empty() {
        return note.title.clone();
    }
    let body = note.body.as_deref().unwrap_or_default();
    let first = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut start: String = first.chars().take(60).collect();
    if start.len() < first.len() {
        start.push('…');
    }
    start
}

/// What of a note has not been seen yet.
fn mark(note: &Note) -> String {
    let replies = note.replies.iter().filter(|reply| reply.new).count();
    match (note.new, note.changed, replies) {
        (true, _, _) => "new ".to_owned(),
        (false, true, _) => "changed ".to_owned(),
        (false, false, 0) => String::new(),
        (false, false, 1) => "1 new reply ".to_owned(),
        (false, false, count) => format!("{count} new replies "),
    }
}

fn headline(note: &Note) -> Line {
    let mut line = Line::new().good(&mark(note));
    if note.pinned {
        line = line.dim("pinned ");
    }
    if note.state != ItemState::Visible {
        return line.and(state(note.state));
    }
    line = line.title(&title(note));
    match &note.content_warning {
        Some(warning) => line.warn(&format!("  [warning: {warning}]")),
        None => line,
    }
}

fn byline(ui: &Ui, note: &Note) -> Line {
    let replies = match note.replies.len() {
        0 => Line::new(),
        1 => "1 reply".into(),
        n => format!("{n} replies").into(),
    };
    dotted(vec![
        author(&note.author),
        Line::new().dim(&ui.when(note.created_at)),
        note.want.map(asks).unwrap_or_default(),
        replies,
        reactions(note),
        delivery(note.delivery, note.delivered, ui.verbose > 0),
        Line::new().dim(&note.tags.iter().map(|tag| format!("#{tag}")).collect::<Vec<_>>().join(" ")),
    ])
}

fn asks(want: Want) -> Line {
    Line::new().text(match want {
        Want::Listen => "wants to be heard",
        Want::Advice => "asks for advice",
        Want::Resources => "asks for resources",
    })
}

/// Reactions with names, never as a score.
fn reactions(note: &Note) -> Line {
    let mut line = Line::new();
    for (emoji, people) in &note.reacted {
        line = if line.is_empty() { line } else { line.text("  ") }.text(emoji).text(" ");
        for (at, person) in people.iter().enumerate() {
            line = if at == 0 { line } else { line.text(", ") }.and(author(person));
        }
    }
    line
}

fn show_one(context: &Context, client: &Client, id: &str, reveal: bool) -> Result<()> {
    let reply = client.get(&item::one(context, Kind::Note, id).flag("reveal", reveal))?;
    context.show(&reply, |ui, note: Note| show(ui, &note))?;
    item::saw(context, client, &reply, reveal);
    Ok(())
}

fn show(ui: &Ui, note: &Note) -> Result<()> {
    if !note.title.is_empty() {
        ui.out(Line::new().title(&note.title))?;
    }
    let edited = note.edited_at.map(|at| Line::new().dim(&format!("edited {}", ui.when(at)))).unwrap_or_default();
    let skew = if note.clock_skewed { Line::new().warn("its author's clock is off") } else { Line::new() };
    ui.out(Line::new().text("  ").and(byline(ui, note)).and(if edited.is_empty() {
        edited
    } else {
        Line::new().dim(" · ").and(edited)
    }))?;
    if !skew.is_empty() {
        ui.out(skew)?;
    }
    ui.gap()?;
    body(ui, 0, note.body.as_deref(), note.content_warning.as_deref(), note.state)?;
    for reply in &note.replies {
        ui.gap()?;
        show_reply(ui, reply)?;
    }
    ui.detail(Line::new().dim(&format!("{} version {}", note.id, note.version)));
    Ok(())
}

fn show_reply(ui: &Ui, reply: &NoteReply) -> Result<()> {
    let edited = if reply.edited_at.is_some() { Line::new().dim("edited") } else { Line::new() };
    let new = if reply.new { Line::new().good("new") } else { Line::new() };
    let sent = delivery(reply.delivery, None, false);
    let id = Line::new().dim(&super::show::short_id(ui, &reply.id));
    ui.out(Line::new().text("  ").and(dotted(vec![
        author(&reply.author),
        Line::new().dim(&ui.when(reply.created_at)),
        edited,
        new,
        sent,
        id,
    ])))?;
    body(ui, 4, reply.body.as_deref(), reply.content_warning.as_deref(), reply.state)
}

/// A body, or why there is none.
fn body(ui: &Ui, indent: usize, text: Option<&str>, warning: Option<&str>, why: ItemState) -> Result<()> {
    if let Some(warning) = warning {
        ui.out(Line::new().text(&" ".repeat(indent)).warn(&format!("Content warning: {warning}")))?;
    }
    match text {
        Some(text) => ui.block(indent, text),
        None if why != ItemState::Visible => ui.out(Line::new().text(&" ".repeat(indent)).and(state(why))),
        None => ui.out(Line::new().text(&" ".repeat(indent)).dim("Add --reveal to read it.")),
    }
}

fn change(context: &Context, client: &Client, edit: NoteEdit) -> Result<()> {
    let route = item::one(context, Kind::Note, &edit.id);
    let only_body =
        edit.title.is_none() && edit.want.is_none() && edit.cw.is_none() && edit.lang.is_none() && edit.tags.is_empty();
    let with_body = edit.body.is_some() || only_body;
    let mut draft = NewDraft {
        becomes: DraftOf::Edit,
        circle: context.named_circle().to_owned(),
        item: Some(edit.id.clone()),
        body: String::new(),
        title: edit.title,
        content_warning: edit.cw,
        want: edit.want,
        lang: edit.lang,
        tags: (!edit.tags.is_empty()).then_some(edit.tags),
        base: edit.base,
    };
    let asked = !context.ui().json && !context.global().dry_run;
    let before = asked.then(|| client.get(&route).and_then(|reply| reply.read::<Note>()).ok()).flatten();
    let before = before.and_then(|note| state_of(&note, &edit.id));
    let reply = if with_body {
        if Body::is_long(edit.body.as_deref()) {
            let (text, base, note) = changeable(client, &route, &edit.id)?;
            draft.circle = note.circle;
            if edit.body.is_none() {
                (draft.body, draft.base) = (text, draft.base.or(base));
            }
        }
        let body = Body::read(context, client, edit.body.as_deref(), &draft)?;
        body.saved(context, client, draft, |draft| save(client, draft))?
    } else {
        let NewDraft { base, title, content_warning, want, lang, tags, .. } = draft;
        client.send("PATCH", &route, &EditNote { base, title, body: None, content_warning, want, lang, tags })?
    };
    context.show(&reply, |ui, note: Note| {
        if before.is_some() && before == state_of(&note, &edit.id) {
            return ui.out("Nothing differs from what is there, so nothing was changed.");
        }
        written(ui, client, DraftOf::Edit, &note)
    })?;
    context.delivered(client)
}

/// The state of what was typed, by which a change of it is seen: of the note, or of the reply of it that has this id.
fn state_of(note: &Note, typed: &str) -> Option<String> {
    if means(typed, &note.id) {
        return note.base.clone();
    }
    note.replies.iter().find(|reply| means(typed, &reply.id)).and_then(|reply| reply.base.clone())
}

fn reply(context: &Context, client: &Client, id: &str, given: Option<&str>, cw: Option<String>) -> Result<()> {
    let (mut circle, mut item) = (context.named_circle().to_owned(), id.to_owned());
    if Body::is_long(given) {
        let note = answerable(client, &item::one(context, Kind::Note, id), id)?;
        (circle, item) = (note.circle, note.id);
    }
    let draft = NewDraft {
        becomes: DraftOf::Reply,
        circle,
        item: Some(item),
        body: String::new(),
        title: None,
        content_warning: cw,
        want: None,
        lang: None,
        tags: None,
        base: None,
    };
    let body = Body::read(context, client, given, &draft)?;
    if body.text.trim().is_empty() {
        return Err(error::usage("The reply is empty.", ""));
    }
    let answer = body.saved(context, client, draft, |draft| save(client, draft))?;
    context.show(&answer, |ui, note: Note| written(ui, client, DraftOf::Reply, &note))?;
    context.delivered(client)
}
