//! A table: its header says what it holds. With `body` it is notes, with `starts` events, else resources.

use kith_protocol::control::{BatchItem, EventStatus, NewEvent, NewNote, NewResourceInBatch, Want};

use super::dates::{self, Order};
use super::sheet::{self, Sheet, SheetRow};
use super::{Found, Haul, address};
use crate::calendar::parse_local;
use crate::calendar::rule::Rule;
use crate::calendar::when::{Typed, When};
use crate::export::csv::{plain, tags_of};
use crate::left_out::{Origin, Weight};

const TITLE: &[&str] = &["title", "name", "subject", "summary"];
const URL: &[&str] = &["url", "link", "href", "website"];
const KIND: &[&str] = &["kind", "type"];
const TAGS: &[&str] = &["tags", "tag", "categories", "labels", "keywords"];
const LANG: &[&str] = &["lang", "language"];
const ABOUT: &[&str] = &["note", "notes", "description", "comment"];
const REVIEW_BY: &[&str] = &["review_by", "review"];
const BODY: &[&str] = &["body", "text", "content"];
const WARNING: &[&str] = &["content_warning", "cw"];
const WANT: &[&str] = &["want"];
const STARTS: &[&str] = &["starts", "start", "start_date"];
const START_TIME: &[&str] = &["start_time"];
const ENDS: &[&str] = &["ends", "end", "end_date"];
const END_TIME: &[&str] = &["end_time"];
const ALL_DAY: &[&str] = &["all_day", "all_day_event"];
const TZ: &[&str] = &["tz", "timezone", "time_zone"];
const RRULE: &[&str] = &["rrule"];
const LOCATION: &[&str] = &["location", "where"];
const STATUS: &[&str] = &["status"];
const UID: &[&str] = &["uid"];

const RESOURCE: &[&[&str]] = &[TITLE, URL, KIND, TAGS, LANG, ABOUT, REVIEW_BY];
const NOTE: &[&[&str]] = &[TITLE, BODY, WARNING, WANT, LANG, TAGS];
const EVENT: &[&[&str]] = &[TITLE, STARTS, START_TIME, ENDS, END_TIME, ALL_DAY, TZ, RRULE, LOCATION, STATUS, UID, ABOUT, TAGS];

/// Columns that only Kith's own tables have, and that mean nothing in another circle.
const OURS: &[&str] = &["id", "author_id", "author_alike"];

/// A table and what it holds.
struct Table<'a> {
    sheet: &'a Sheet,
    /// The habit in which its days are written.
    order: Order,
}

/// A row by the names of its columns.
struct Row<'a> {
    table: &'a Table<'a>,
    row: &'a SheetRow,
}

impl Table<'_> {
    /// The column of a field: the first of its names that the header has.
    fn column(&self, names: &[&str]) -> Option<usize> {
        self.sheet.header.iter().position(|column| names.contains(&column.as_str()))
    }
}

impl Row<'_> {
    fn cell(&self, names: &[&str]) -> &str {
        let cell = self.table.column(names).and_then(|at| self.row.cells.get(at));
        cell.map(String::as_str).unwrap_or_default()
    }

    /// What stands in a cell, spaces at its ends included. An apostrophe keeps spreadsheets from taking a cell for a formula; it
    /// is not part of the text.
    fn whole(&self, names: &[&str]) -> String {
        plain(self.cell(names))
    }

    fn get(&self, names: &[&str]) -> String {
        plain(self.cell(names).trim()).trim().to_owned()
    }

    const fn origin(&self) -> Origin {
        Origin::line(self.row.line)
    }
}

/// The rows of a table.
pub(crate) fn haul(text: &str) -> Result<Haul, String> {
    let all = [RESOURCE, NOTE, EVENT].concat().concat();
    let sheet = sheet::read(text, |name| all.contains(&name));
    let has = |names: &[&str]| sheet.header.iter().any(|column| names.contains(&column.as_str()));
    type Reads = fn(&Row<'_>, &mut Haul) -> Result<Found, String>;
    let (fields, reads): (&[&[&str]], Reads) = if has(BODY) {
        (NOTE, note)
    } else if has(STARTS) {
        (EVENT, event)
    } else if has(TITLE) || has(URL) {
        (RESOURCE, resource)
    } else {
        return Err("its first line names no columns that are known, whether commas, semicolons or tabs part them: title, url, \
            tags, note; or title, body; or title, starts, ends, tz"
            .to_owned());
    };
    let days = |names| {
        let at = sheet
            .header
            .iter()
            .position(|column| [STARTS, ENDS, REVIEW_BY].concat().contains(&column.as_str()) && column == names)?;
        Some(sheet.rows.iter().filter_map(move |row| row.cells.get(at)).map(|cell| cell.trim()))
    };
    let order = dates::order(sheet.header.iter().filter_map(days).flatten());
    let table = Table { sheet: &sheet, order };
    let mut haul = Haul::default();
    unknown_columns(&table, fields, &mut haul);
    for row in &sheet.rows {
        let row = Row { table: &table, row };
        match reads(&row, &mut haul) {
            Ok(found) => haul.found.push(Found { origin: row.origin(), ..found }),
            Err(why) => haul.leave_out(row.origin(), "The row", why),
        }
        let more: Vec<&str> = row.row.cells.iter().skip(sheet.header.len()).map(|cell| cell.trim()).collect();
        if more.iter().any(|cell| !cell.is_empty()) {
            haul.leave_out(
                row.origin(),
                "The row",
                format!("has more cells than there are columns; not kept: {}", more.join(", ")),
            );
        }
    }
    for (line, why) in &sheet.bad {
        haul.leave_out(Origin::line(*line), "The row", format!("{why}; it is not imported"));
    }
    Ok(haul)
}

/// Names columns that no field is read from, where anything stands in them.
fn unknown_columns(table: &Table<'_>, fields: &[&[&str]], haul: &mut Haul) {
    let read: Vec<usize> = fields.iter().filter_map(|names| table.column(names)).collect();
    for (at, name) in table.sheet.header.iter().enumerate().filter(|(at, _)| !read.contains(at)) {
        let cells = table.sheet.rows.iter().filter_map(|row| row.cells.get(at));
        let filled = cells.filter(|cell| !cell.trim().is_empty()).count();
        if filled > 0 {
            let weight = if OURS.contains(&name.as_str()) { Weight::Minor } else { Weight::Dropped };
            let rows = if filled == 1 { "1 row has".to_owned() } else { format!("{filled} rows have") };
            haul.tell(
                weight,
                Origin::line(table.sheet.header_line),
                format!("The column {name}"),
                format!("is not kept; {rows} something in it"),
            );
        }
    }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn resource(row: &Row<'_>, haul: &mut Haul) -> Result<Found, String> {
    let url = address::tidy(&row.get(URL));
    let title = some(row.get(TITLE)).unwrap_or_else(|| url.clone());
    if title.trim().is_empty() {
        return Err("has neither a title nor a url; it is not imported".to_owned());
    }
    if url != row.get(URL) {
        haul.change(row.origin(), &title, format!("has spaces in its address, which is kept as {url}"));
    }
    let typed = row.get(REVIEW_BY);
    let review_by = dates::read(&typed, row.table.order).map(|moment| moment.day.to_string());
    match &review_by {
        Some(day) if *day != typed => haul.change(row.origin(), &title, format!("is to be reviewed by {typed}, read as {day}")),
        None if !typed.is_empty() => {
            haul.leave_out(
                row.origin(),
                &title,
                format!("is to be reviewed by \"{typed}\", which is not one certain day; not kept"),
            );
        }
        Some(_) | None => {}
    }
    let resource = NewResourceInBatch {
        title: row.get(TITLE),
        url,
        kind: row.get(KIND),
        tags: tags_of(&row.get(TAGS)),
        lang: row.get(LANG),
        note: row.whole(ABOUT),
        review_by,
    };
    Ok(Found { title, item: BatchItem::Resource(resource), origin: Origin::default() })
}

fn note(row: &Row<'_>, haul: &mut Haul) -> Result<Found, String> {
    let (title, body) = (row.get(TITLE), row.whole(BODY));
    let content_warning = some(row.get(WARNING));
    if body.trim().is_empty() && content_warning.is_some() {
        let why = "has a content warning and no text behind it (`kith export --reveal` exports it); it is not imported";
        return Err(why.to_owned());
    }
    if title.is_empty() && body.trim().is_empty() {
        return Err("is empty; it is not imported".to_owned());
    }
    let shown = if title.is_empty() { body.trim().chars().take(40).collect() } else { title.clone() };
    let typed = row.get(WANT);
    let want: Option<Want> = typed.parse().ok();
    if want.is_none() && !typed.is_empty() {
        haul.leave_out(
            row.origin(),
            &shown,
            format!("wants \"{typed}\", which is not one of listen, advice, resources; not kept"),
        );
    }
    let note = NewNote { title, body, content_warning, want, lang: row.get(LANG), tags: tags_of(&row.get(TAGS)) };
    Ok(Found { title: shown, item: BatchItem::Note(note), origin: Origin::default() })
}

fn event(row: &Row<'_>, haul: &mut Haul) -> Result<Found, String> {
    let title = some(row.get(TITLE)).ok_or("has no title; it is not imported")?;
    let starts = moment(row, &title, (STARTS, START_TIME), haul);
    let ends = moment(row, &title, (ENDS, END_TIME), haul);
    let tz = row.get(TZ);
    let typed = Typed {
        starts: &starts,
        ends: Some(ends.as_str()).filter(|text| !text.is_empty()),
        duration: None,
        tz: Some(tz.as_str()).filter(|text| !text.is_empty()),
        // A column of moments and one of zones say different things, and both are kept.
        tz_named: false,
    };
    let when = When::resolve(typed).map_err(|stop| format!("has a time that cannot be used: {stop} It is not imported"))?;
    for note in &when.notes {
        haul.change(row.origin(), &title, format!("has a time that the clocks change: {note}"));
    }
    let rrule = some(row.get(RRULE)).filter(|rule| {
        let good = Rule::parse(rule).is_ok();
        if !good {
            haul.leave_out(
                row.origin(),
                &title,
                format!("has a recurrence that cannot be understood, which is not kept: {rule}"),
            );
        }
        good
    });
    let event = NewEvent {
        title: title.clone(),
        description: row.whole(ABOUT),
        starts: when.starts,
        ends: when.ends,
        starts_local: when.starts_local,
        ends_local: when.ends_local,
        tz: when.tz,
        rrule,
        location: row.get(LOCATION),
        status: status(row, &title, haul),
        uid: row.get(UID),
        tags: tags_of(&row.get(TAGS)),
        sequence: 0,
    };
    Ok(Found { title, item: BatchItem::Event(event), origin: Origin::default() })
}

/// Day and time, of one column or two, as `event new` takes them; what is none stays as it is.
fn moment(row: &Row<'_>, title: &str, (days, times): (&[&str], &[&str]), haul: &mut Haul) -> String {
    let whole_day = matches!(row.get(ALL_DAY).to_lowercase().as_str(), "true" | "yes" | "1");
    let time = if whole_day { String::new() } else { row.get(times) };
    let typed = format!("{} {time}", row.get(days)).trim().to_owned();
    if typed.is_empty()
        || typed.parse::<jiff::civil::Date>().is_ok()
        || parse_local(&typed).is_some()
        || typed.parse::<jiff::Timestamp>().is_ok()
    {
        return typed;
    }
    let Some(read) = dates::read(&typed, row.table.order) else { return typed };
    let text = read.text();
    haul.change(row.origin(), title, format!("has the time {typed}, read as {text}"));
    text
}

/// A status that is known; others count as confirmed.
fn status(row: &Row<'_>, title: &str, haul: &mut Haul) -> Option<EventStatus> {
    let typed = row.get(STATUS).to_lowercase();
    let known = typed.parse().ok();
    if known.is_none() && !typed.is_empty() {
        haul.change(row.origin(), title, format!("has a status \"{typed}\" that is not known; it counts as confirmed"));
    }
    known
}

#[cfg(test)]
mod tests;
