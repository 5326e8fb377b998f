//! `kith resource ...`.

use kith_protocol::control::{Author, EditResource, ItemState, Kind, NewResource, Resource};
use kith_protocol::node::Filter;

use super::item;
use super::show::{author, delivery, dotted, short_ids, state};
use super::typed;
use crate::client::Client;
use crate::context::Context;
use crate::duration::at_least_one;
use crate::error::{self, Result};
use crate::global::not_empty;
use crate::ui::{Line, Ui};

/// What can be done with resources.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ResourceVerb {
    /// Add a link, a number or a place worth keeping
    New(ResourceNew),
    /// List the resources of a circle
    List(ResourceList),
    /// Show a resource
    Show {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
    },
    /// Edit a resource
    Edit(ResourceEdit),
    /// Remove your resource
    Remove(item::RemoveArgs),
    /// Bring back a resource that you deleted less than a day ago
    Restore {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
    },
    /// Add or remove tags
    Tag {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
        /// Tags to add
        tags: Vec<String>,
        /// Remove a tag (repeatable)
        #[arg(long, value_name = "TAG")]
        remove: Vec<String>,
    },
}

/// A new resource.
#[derive(Debug, clap::Args)]
pub(crate) struct ResourceNew {
    /// Its title
    #[arg(long, value_parser = typed::title)]
    title: String,
    /// Give its address
    #[arg(long, default_value = "", hide_default_value = true, value_parser = typed::address)]
    url: String,
    /// Say what it is: link, phone, place, person, book, or another word
    #[arg(long, default_value = "", hide_default_value = true)]
    kind: String,
    /// Add a tag (repeatable)
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Name its language, such as en
    #[arg(long, default_value = "", hide_default_value = true)]
    lang: String,
    /// Add a few words about it
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
    /// Have somebody check it again by this day, such as 2027-01-31
    #[arg(long, value_name = "DAY")]
    review_by: Option<String>,
}

/// Which resources.
#[derive(Debug, clap::Args)]
pub(crate) struct ResourceList {
    /// Show only the last N
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    limit: Option<usize>,
    /// Show only what you have not seen yet
    #[arg(long)]
    new: bool,
    /// Show only those with this tag
    #[arg(long)]
    tag: Option<String>,
}

/// A changed resource.
#[derive(Debug, clap::Args)]
pub(crate) struct ResourceEdit {
    /// Its id
    #[arg(value_parser = not_empty)]
    id: String,
    /// Give it a new title
    #[arg(long, value_parser = typed::title)]
    title: Option<String>,
    /// Give its address
    #[arg(long, value_parser = typed::address)]
    url: Option<String>,
    /// Say what it is
    #[arg(long)]
    kind: Option<String>,
    /// Replace all tags (repeatable)
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Name its language
    #[arg(long)]
    lang: Option<String>,
    /// Add a few words about it
    #[arg(long)]
    note: Option<String>,
    /// Compare with this state, from `show --json`; what others changed since then stays
    #[arg(long)]
    base: Option<String>,
    /// Have somebody check it again by this day; empty for none
    #[arg(long, value_name = "DAY")]
    review_by: Option<String>,
}

pub(crate) fn run(context: &Context, verb: ResourceVerb) -> Result<()> {
    match verb {
        ResourceVerb::New(new) => create(context, new),
        ResourceVerb::List(list) => show_list(context, list),
        ResourceVerb::Show { id } => item::show(context, Kind::Resource, &id, |ui, resource: Resource| show(ui, &resource)),
        ResourceVerb::Edit(edit) => {
            let id = edit.id;
            let body = EditResource {
                base: edit.base,
                title: edit.title,
                url: edit.url,
                kind: edit.kind,
                tags: (!edit.tags.is_empty()).then_some(edit.tags),
                lang: edit.lang,
                note: edit.note,
                review_by: edit.review_by.map(|day| review_day(&day)).transpose()?,
            };
            change(context, &id, &body)
        }
        ResourceVerb::Remove(args) => item::remove(context, Kind::Resource, &args),
        ResourceVerb::Restore { id } => item::restore(context, Kind::Resource, &id),
        ResourceVerb::Tag { id, tags, remove } => tag(context, &id, tags, &remove),
    }
}

fn review_day(day: &str) -> Result<String> {
    // The library reads over a time behind the day.
    if day.is_empty() || crate::calendar::is_day(day) && day.parse::<jiff::civil::Date>().is_ok() {
        return Ok(day.to_owned());
    }
    Err(error::usage(format!("\"{day}\" is not a day."), "Write it like 2027-01-31."))
}

fn create(context: &Context, new: ResourceNew) -> Result<()> {
    let body = NewResource {
        title: new.title,
        url: new.url,
        kind: new.kind,
        tags: new.tags,
        lang: new.lang,
        note: new.note,
        review_by: new.review_by.map(|day| review_day(&day)).transpose()?.filter(|day| !day.is_empty()),
    };
    let tell = |ui: &Ui, client: &Client, resource: Resource| {
        item::saved(ui, client, "Saved", (&resource.circle, &resource.id), resource.delivery)
    };
    item::send(context, ("POST", &item::all(context, Kind::Resource)), &body, tell).map(drop)
}

fn show_list(context: &Context, list: ResourceList) -> Result<()> {
    let ResourceList { limit, new, tag } = list;
    item::list(context, Kind::Resource, &Filter { limit, new, tag, ..Filter::default() }, |_| true, show_all)
}

fn show_all(ui: &Ui, resources: &[Resource]) -> Result<()> {
    let ids = short_ids(ui, resources.iter().map(|resource| resource.id.as_str()));
    if ui.plain {
        let rows: Vec<Vec<Line>> = resources
            .iter()
            .map(|r| {
                vec![
                    r.id.as_str().into(),
                    r.kind.as_str().into(),
                    title(r).into(),
                    r.url.as_str().into(),
                    r.tags.join(",").into(),
                ]
            })
            .collect();
        return ui.table(&[], &rows);
    }
    for (resource, id) in resources.iter().zip(ids) {
        let new = if resource.new { "new " } else { "" };
        let new = Line::new().good(if resource.changed && !resource.new { "changed " } else { new });
        let title = if resource.state == ItemState::Visible { Line::new().title(title(resource)) } else { state(resource.state) };
        ui.out(Line::new().dim(&format!("{id}  ")).and(new).and(title))?;
        let tags = resource.tags.iter().map(|tag| format!("#{tag}")).collect::<Vec<_>>().join(" ");
        let under = dotted(vec![resource.url.as_str().into(), refused(resource), Line::new().dim(&tags), due(resource)]);
        if !under.is_empty() {
            ui.out(Line::new().text("          ").and(under))?;
        }
    }
    Ok(())
}

/// What it is called: its title, else where it leads, else what is said about it.
fn title(resource: &Resource) -> &str {
    let note = resource.note.lines().next().unwrap_or_default();
    let names = [&*resource.title, &*resource.url, note];
    names.into_iter().find(|name| !name.trim().is_empty()).unwrap_or("(no title)")
}

/// What somebody gave as an address that is none here.
fn refused(resource: &Resource) -> Line {
    resource.refused_url.as_deref().map(|text| Line::new().warn(&format!("not an address: {text}"))).unwrap_or_default()
}

/// Said when the day to look again has passed.
fn due(resource: &Resource) -> Line {
    let day = resource.review_by.as_deref().and_then(|day| day.parse::<jiff::civil::Date>().ok());
    let passed = day.is_some_and(|day| day < jiff::Zoned::now().date());
    if passed { Line::new().warn("review overdue") } else { Line::new() }
}

fn show(ui: &Ui, resource: &Resource) -> Result<()> {
    if resource.state != ItemState::Visible {
        return ui.out(state(resource.state));
    }
    ui.out(Line::new().title(title(resource)))?;
    ui.facts(&[
        ("where", resource.url.as_str().into()),
        ("not an address", resource.refused_url.as_deref().unwrap_or_default().into()),
        ("kind", resource.kind.as_str().into()),
        ("tags", resource.tags.join(", ").into()),
        ("language", resource.lang.as_str().into()),
        ("look again", dotted(vec![resource.review_by.as_deref().unwrap_or_default().into(), due(resource)])),
        (
            "by",
            dotted(vec![
                author(&resource.author),
                Line::new().dim(&ui.when(resource.created_at)),
                delivery(resource.delivery, None, false),
            ]),
        ),
        ("changed", resource.changed_by.as_ref().map(|by| changed(ui, resource, by)).unwrap_or_default()),
        ("id", resource.id.as_str().into()),
    ])?;
    if !resource.note.is_empty() {
        ui.gap()?;
        ui.block(0, &resource.note)?;
    }
    Ok(())
}

/// Anybody may change it: who did last, and when.
fn changed(ui: &Ui, resource: &Resource, by: &Author) -> Line {
    let when = resource.edited_at.map(|at| Line::new().dim(&ui.when(at))).unwrap_or_default();
    dotted(vec![Line::new().text("by ").and(author(by)), when])
}

fn change(context: &Context, id: &str, body: &EditResource) -> Result<()> {
    if *body == (EditResource { base: body.base.clone(), ..EditResource::default() }) {
        return Err(error::usage("Nothing to change was named.", "See `kith resource edit --help`."));
    }
    let tell = |ui: &Ui, _: &Client, resource: Resource| {
        show(ui, &resource)?;
        item::tell_crossed(ui, &resource.crossed);
        Ok(())
    };
    item::send(context, ("PATCH", &item::one(context, Kind::Resource, id)), body, tell).map(drop)
}

fn tag(context: &Context, id: &str, add: Vec<String>, remove: &[String]) -> Result<()> {
    if add.is_empty() && remove.is_empty() {
        return Err(error::usage("No tag was named.", "`kith resource tag ID TAG...`, or --remove TAG."));
    }
    let resource: Resource = context.client()?.get(&item::one(context, Kind::Resource, id))?.read()?;
    let mut tags: Vec<String> = resource.tags.into_iter().filter(|tag| !remove.contains(tag)).collect();
    for tag in add {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let body = EditResource { base: resource.base, tags: Some(tags), ..EditResource::default() };
    let client = context.client()?;
    let reply = client.send("PATCH", &item::one(context, Kind::Resource, &resource.id), &body)?;
    if context.ui().json {
        context.ui().out_value(&reply.under("kith.resource.tag/1")?)?;
    } else {
        show(context.ui(), &reply.read()?)?;
    }
    context.delivered(&client)
}
