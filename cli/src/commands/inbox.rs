//! `kith inbox`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kith_protocol::control::{EventStatus, Happening, Inbox, InboxEntry, Subject};
use serde_json::json;

use super::preview::open_since;
use super::show::{author, dotted, is_ahead, short_ids};
use super::typed::means;
use crate::calendar::is_day;
use crate::client::Route;
use crate::context::Context;
use crate::error::Result;
use crate::ui::{Line, Ui};

/// Show what is new for you, oldest first
#[derive(Debug, clap::Args)]
pub(crate) struct InboxArgs {
    /// Mark all of it as seen afterward
    #[arg(long)]
    seen: bool,
    /// Print only how many new things there are; never asks, so that a shell prompt can show it
    #[arg(long, conflicts_with = "seen")]
    count: bool,
}

pub(crate) fn run(context: &Context, args: &InboxArgs) -> Result<()> {
    if args.count {
        return count(context);
    }
    let client = context.client()?;
    let reply = client.get(&Route::new("inbox").maybe("circle", context.global().circle.as_deref()))?;
    context.show(&reply, show)?;
    if args.seen {
        let body = context.global().circle.as_ref().map_or_else(|| json!({}), |circle| json!({ "circle": circle }));
        client.send("POST", &Route::new("seen"), &body)?;
        context.ui().tell("Marked as seen.");
    }
    Ok(())
}

fn count(context: &Context) -> Result<()> {
    let inbox: Inbox = context.bare_client()?.get(&Route::new("inbox"))?.read()?;
    let circle = context.global().circle.as_deref();
    let here = |entry: &&InboxEntry| circle.is_none_or(|circle| entry.circle_name == circle || means(circle, &entry.circle));
    let count = inbox.inbox.iter().filter(here).count();
    if context.ui().json {
        return context.ui().out_value(&json!({ "schema": "kith.inbox.count/1", "count": count }));
    }
    context.ui().out(count.to_string())
}

fn show(ui: &Ui, inbox: Inbox) -> Result<()> {
    let entries = inbox.inbox;
    super::show::notices(ui, &inbox.notices)?;
    if entries.is_empty() {
        ui.tell("Nothing new.");
        return Ok(());
    }
    let ids = short_ids(ui, entries.iter().map(|entry| entry.id.as_str()));
    let rows: Vec<Vec<Line>> = entries.iter().zip(ids).map(|(entry, id)| row(ui, entry, &id)).collect();
    ui.table(&["id", "what", "circle", "when", ""], &rows)
}

fn row(ui: &Ui, entry: &InboxEntry, id: &str) -> Vec<Line> {
    let kind = entry.of.unwrap_or(entry.kind);
    let what = if kind == Subject::Request { "asks to come in" } else { kind.word() };
    vec![
        Line::new().dim(id),
        what.into(),
        entry.circle_name.as_str().into(),
        Line::new().dim(&ui.when(entry.created_at)),
        told(ui, entry),
    ]
}

/// Who, and what.
fn told(ui: &Ui, entry: &InboxEntry) -> Line {
    let warning =
        entry.content_warning.as_deref().map(|warning| Line::new().warn(&format!("[warning: {warning}]"))).unwrap_or_default();
    let excerpt = entry.excerpt.as_deref().map(|words| Line::new().part(words)).unwrap_or_default();
    match (entry.kind, entry.what) {
        (Subject::Request, _) => {
            // By ids: a name could hold anything, and this is there to be typed.
            let [id, circle] = [&entry.id, &entry.circle].map(|id| super::show::short_id(ui, id));
            let command = format!("`kith invite approve {id} -c {circle}`");
            dotted(vec![author(&entry.author), Line::new().dim(&command)])
        }
        (Subject::Member, Some(what)) => person(entry, what),
        (Subject::Circle, Some(what)) => rule(ui, entry, what),
        (Subject::Changed, Some(what)) => {
            let cancelled = if what == Happening::Cancelled { Line::new() } else { cancelled(entry) };
            dotted(vec![named(entry), changed(entry, what).and(by_whom(entry)), cancelled, warning])
        }
        _ => {
            let parent = entry.parent_title.as_deref().filter(|title| !title.is_empty());
            let about = parent.map(|title| Line::new().text("on ").part(title)).unwrap_or_default();
            let more = entry.count.map(|count| Line::new().text(&format!("{count} at once, such as "))).unwrap_or_default();
            let title = Line::new().part(&entry.title);
            // Which of them is named is the core's choice; a reader needs one to know what they are.
            let what = if title.is_empty() { excerpt } else { dotted(vec![title, excerpt]) };
            let what = if what.is_empty() && entry.count.is_some() { Line::from("without a title") } else { what };
            dotted(vec![author(&entry.author), about, more.and(what), cancelled(entry), warning])
        }
    }
}

/// Said of an event that does not take place.
fn cancelled(entry: &InboxEntry) -> Line {
    if entry.status == Some(EventStatus::Cancelled) { Line::new().warn("cancelled") } else { Line::new() }
}

/// Who changed an item, and whether the reader did at the same time and is not the one whose change stands.
fn by_whom(entry: &InboxEntry) -> Line {
    if entry.author.name.is_empty() {
        return Line::new();
    }
    let lost = entry.changes.iter().any(|change| change.lost);
    Line::new().text(" by ").and(author(&entry.author)).text(if lost { " at the same time as you" } else { "" })
}

/// The item by what it is called; a reply by its note.
fn named(entry: &InboxEntry) -> Line {
    let title = entry.parent_title.as_ref().filter(|title| !title.is_empty()).unwrap_or(&entry.title);
    Line::new().part(if title.is_empty() { entry.excerpt.as_deref().unwrap_or_default() } else { title })
}

fn change<'a>(entry: &'a InboxEntry, field: &str) -> (Option<&'a str>, Option<&'a str>) {
    let found = entry.changes.iter().find(|change| change.field == field);
    let said = |text: &'a Option<String>| text.as_deref().filter(|text| !text.is_empty());
    found.map_or((None, None), |change| (said(&change.before), said(&change.after)))
}

/// What happened to a person.
fn person(entry: &InboxEntry, what: Happening) -> Line {
    let who = entry.member.as_ref().map(author).unwrap_or_default();
    let who = if entry.me { Line::new().text("You") } else { who };
    let by = if entry.author.name.is_empty() { Line::new() } else { Line::new().text(" by ").and(author(&entry.author)) };
    let (before, after) = change(entry, "role");
    let (is, was) = if entry.me { ("are", "were") } else { ("is", "was") };
    if what == Happening::Removed {
        return who.text(&format!(" {was} removed")).and(by);
    }
    if what == Happening::Suspended {
        return who.text(&format!(" {is} no longer confirmed and must wait for a steward"));
    }
    if what == Happening::Role {
        let before = before.map(|role| format!(" (before: {role})")).unwrap_or_default();
        return who.text(&format!(" {is} {} now{before},", a(after.unwrap_or_default()))).and(by);
    }
    who.text(&format!(" joined as {}", a(after.unwrap_or("member"))))
}

fn a(role: &str) -> String {
    if role == "founder" { format!("the {role}") } else { format!("a {role}") }
}

/// What happened to a circle's rules.
fn rule(ui: &Ui, entry: &InboxEntry, what: Happening) -> Line {
    let by = |line: Line| line.text(", by ").and(author(&entry.author));
    let (before, after) = change(entry, what.word());
    if what == Happening::Frozen {
        return Line::new().warn("No steward is left: nobody can be admitted or removed anymore");
    }
    if what == Happening::Agreement {
        let command = format!(" · `kith circle agreement --sign -c {}`", super::show::short_id(ui, &entry.circle));
        return by(Line::new().text("The agreement has changed")).dim(&command);
    }
    if what == Happening::Name {
        let was = before.map(|name| Line::new().text(" (before: ").part(name).text(")")).unwrap_or_default();
        return by(Line::new().text("The circle is called ").part(after.unwrap_or_default()).text(" now").and(was));
    }
    let old = |old: &str| {
        let said = said(what, old);
        let rest: String = said.chars().skip(1).collect();
        said.chars().take(1).flat_map(char::to_lowercase).collect::<String>() + &rest
    };
    let was = before.map(|before| format!(" (before: {})", old(before))).unwrap_or_default();
    by(format!("{}{was}", from_when(ui, entry, what, after.unwrap_or_default())).into())
}

/// What a rule says now, and from when on: a shorter retention binds later, and a looser history opens nothing that was closed.
fn from_when(ui: &Ui, entry: &InboxEntry, what: Happening, value: &str) -> String {
    let said = said(what, value);
    match (what, entry.from) {
        (Happening::Retention, Some(from)) if is_ahead(from) => format!("{said} from {} on", ui.when(from)),
        (Happening::History, since) => match open_since(value, since) {
            Some(since) => format!("{said} now, but nothing from before {}", ui.moment(since)),
            None => format!("{said} now"),
        },
        _ => format!("{said} now"),
    }
}

/// What a rule says, in words.
fn said(what: Happening, value: &str) -> String {
    let days = value.strip_prefix("days:").map(|days| if days == "1" { "1 day".to_owned() } else { format!("{days} days") });
    match (what, value) {
        (Happening::Retention, "keep") => "New conversation is kept for good".to_owned(),
        (Happening::Retention, _) => format!("New conversation is kept for {}", days.unwrap_or_else(|| value.to_owned())),
        (Happening::History, "all") => "Newcomers read earlier conversation".to_owned(),
        (Happening::History, "since-join") => "Newcomers read what is written after they join".to_owned(),
        (Happening::History, _) => format!("Newcomers read the last {}", days.unwrap_or_else(|| value.to_owned())),
        (Happening::Invite, "members") => "All members invite".to_owned(),
        (Happening::Invite, _) => "Stewards invite".to_owned(),
        (Happening::Approval, "none") => "Requests are approved without anybody being asked".to_owned(),
        (Happening::Approval, _) => "A steward has to approve every request".to_owned(),
        _ => value.to_owned(),
    }
}

/// What happened to an item.
fn changed(entry: &InboxEntry, what: Happening) -> Line {
    if what == Happening::Cancelled {
        return Line::new().warn("cancelled");
    }
    if what == Happening::Confirmed {
        return Line::new().text("takes place after all,");
    }
    if what != Happening::Moved {
        let fields: Vec<String> = entry.changes.iter().map(|change| change.field.replace('_', " ")).collect();
        let named = if fields.is_empty() { String::new() } else { format!(" ({})", fields.join(", ")) };
        return Line::new().text("changed").text(&named);
    }
    match new_start(entry, &TimeZone::system()) {
        Some((after, before)) => Line::new().warn("moved").text(&format!(" to {after}, was {before},")),
        None => Line::new().warn(otherwise(entry)).text(", changed"),
    }
}

/// When an event that was moved starts now, and when it did before: on the reader's own clock, or the day. `None` where it starts when
/// it did, whatever clock tells it.
fn new_start(entry: &InboxEntry, own: &TimeZone) -> Option<(String, String)> {
    let (locals, moments) = (change(entry, "starts_local"), change(entry, "starts"));
    let told = |local: Option<&str>, moment: Option<&str>| {
        if local.map_or(entry.all_day, is_day) {
            return local.map(|day| super::event::wall_clock(day, None));
        }
        moment?.parse::<Timestamp>().ok().map(|at| super::event::on_a_clock(&at.to_zoned(own.clone())))
    };
    let (before, after) = (told(locals.0, moments.0)?, told(locals.1, moments.1)?);
    (before != after).then_some((after, before))
}

/// What is another one of when an event takes place, where its start is as it was.
fn otherwise(entry: &InboxEntry) -> &'static str {
    let changed = |field: &str| entry.changes.iter().any(|change| change.field == field);
    // Of what has a time, the wall clock's end is another one in another zone, too.
    let ends = if entry.all_day { "ends_local" } else { "ends" };
    if changed("rrule") {
        "repeats differently"
    } else if changed(ends) {
        "ends at another time"
    } else {
        "is in another time zone"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event that was moved: what each field said, and says.
    fn moved(all_day: bool, changes: &[(&str, &str, &str)]) -> InboxEntry {
        let change = |(field, before, after): &(&str, &str, &str)| json!({ "field": field, "before": before, "after": after, "lost": false });
        serde_json::from_value(json!({
            "kind": "changed", "of": "event", "what": "moved", "id": "e-abcdefgh", "parent": null, "circle": "c-a",
            "circle_name": "Tea", "title": "Walk", "content_warning": null, "want": null, "all_day": all_day,
            "author": { "member": "m-a", "name": "Amara" }, "created_at": "2026-11-01T00:00:00Z", "hint": "",
            "changes": changes.iter().map(change).collect::<Vec<_>>(),
        }))
        .unwrap()
    }

    fn start(entry: &InboxEntry, zone: &str) -> Option<(String, String)> {
        new_start(entry, &TimeZone::get(zone).unwrap())
    }

    #[test]
    fn a_moved_event_is_told_on_the_readers_clock() {
        let changes = [
            ("starts", "2026-12-08T17:00:00Z", "2026-12-09T18:00:00Z"),
            ("starts_local", "2026-12-08T18:00:00", "2026-12-09T19:00:00"),
        ];
        let entry = moved(false, &changes);
        let at = |after: &str, before: &str| Some((after.to_owned(), before.to_owned()));
        assert_eq!(start(&entry, "America/New_York"), at("Wed 2026-12-09 13:00 EST", "Tue 2026-12-08 12:00 EST"));
        assert_eq!(start(&entry, "Asia/Tokyo"), at("Thu 2026-12-10 03:00 JST", "Wed 2026-12-09 02:00 JST"));
    }

    #[test]
    fn another_zone_moves_what_has_a_time() {
        let zone = ("tz", "Europe/Madrid", "America/New_York");
        let starts = ("starts", "2026-12-08T17:00:00Z", "2026-12-08T23:00:00Z");
        let ends = ("ends", "2026-12-08T18:00:00Z", "2026-12-09T00:00:00Z");
        for changes in [vec![starts, ends, zone], vec![starts, zone]] {
            let (after, before) = start(&moved(false, &changes), "Europe/Madrid").expect("it starts six hours later");
            assert_eq!((after.as_str(), before.as_str()), ("Wed 2026-12-09 00:00 CET", "Tue 2026-12-08 18:00 CET"));
        }
        // The same moment, told on another clock.
        let told = moved(
            false,
            &[
                zone,
                ("starts_local", "2026-12-08T18:00:00", "2026-12-08T12:00:00"),
                ("ends_local", "2026-12-08T19:00:00", "2026-12-08T13:00:00"),
            ],
        );
        assert_eq!((start(&told, "UTC"), otherwise(&told)), (None, "is in another time zone"));
        let longer = moved(false, &[("ends", "2026-12-08T18:00:00Z", "2026-12-08T19:00:00Z")]);
        assert_eq!((start(&longer, "UTC"), otherwise(&longer)), (None, "ends at another time"));
    }

    #[test]
    fn days_are_days_wherever_one_is() {
        let moments = ("starts", "2026-12-07T23:00:00Z", "2026-12-08T23:00:00Z");
        let entry = moved(true, &[moments, ("starts_local", "2026-12-08", "2026-12-09")]);
        assert_eq!(start(&entry, "Asia/Tokyo"), Some(("Wed 2026-12-09".to_owned(), "Tue 2026-12-08".to_owned())));
        let entry = moved(
            true,
            &[("starts", "2026-12-07T23:00:00Z", "2026-12-08T05:00:00Z"), ("tz", "Europe/Madrid", "America/New_York")],
        );
        assert_eq!((start(&entry, "Asia/Tokyo"), otherwise(&entry)), (None, "is in another time zone"));
        let timed = moved(
            false,
            &[("starts", "2026-12-07T23:00:00Z", "2026-12-08T17:00:00Z"), ("starts_local", "2026-12-08", "2026-12-08T18:00:00")],
        );
        assert_eq!(start(&timed, "Asia/Tokyo"), Some(("Wed 2026-12-09 02:00 JST".to_owned(), "Tue 2026-12-08".to_owned())));
    }
}
