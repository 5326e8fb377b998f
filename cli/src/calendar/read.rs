//! iCalendar files in (RFC 5545): every event becomes one, a recurring one included. What has no place in Kith is named,
//! part by part; nothing is dropped silently.

use std::collections::BTreeMap;

use icalendar::parser::{Component, Property, read_calendar_simple, unfold};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, ToSpan};
use kith_protocol::control::NewEvent;
use kith_protocol::limits::{BODY_BYTES, TAG_CHARS, TAGS, TITLE_CHARS};

use super::rule::{Moment, Rule};
use super::{local_text, zone};
use crate::left_out::Weight;
use crate::limits::CALENDAR_DEPTH;

/// What a file held.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    /// Its events, in the file's order.
    pub(crate) events: Vec<NewEvent>,
    /// What has no place here.
    pub(crate) left: Vec<Left>,
}

/// A part that has no place, or only in another form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Which event, or the calendar.
    pub(crate) item: String,
    /// What of it, in a sentence's end.
    pub(crate) part: String,
    /// How much it matters.
    pub(crate) weight: Weight,
}

/// Read a file. `usual`: the zone of times that name none.
pub(crate) fn read(text: &str, usual: &str) -> Result<Calendar, String> {
    if depth(text) > CALENDAR_DEPTH {
        return Err("its parts are nested too deeply".to_owned());
    }
    let text = unfold(text);
    let roots = read_calendar_simple(&text).map_err(|e| {
        let line = text.get(..text.len() - e.input.len()).map_or(0, |before| before.lines().count());
        format!("it is not a calendar file (line {line} cannot be understood)")
    })?;
    let mut out = Calendar::default();
    let mut found = false;
    for root in &roots {
        match root.name.as_str() {
            "VCALENDAR" => {
                found = true;
                Reader::new(root, usual, &mut out).calendar(root);
            }
            "VEVENT" => {
                found = true;
                Reader::new(root, usual, &mut out).component(root);
            }
            _ => {}
        }
    }
    if found { Ok(out) } else { Err("there is no calendar in it".to_owned()) }
}

fn depth(text: &str) -> usize {
    let (mut deep, mut most) = (0_usize, 0);
    for line in text.lines().map(str::trim_start) {
        if line.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("BEGIN:")) {
            deep += 1;
            most = most.max(deep);
        } else if line.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("END:")) {
            deep = deep.saturating_sub(1);
        }
    }
    most
}

struct Reader<'a> {
    zones: Vec<&'a Component<'a>>,
    usual: String,
    floating_told: bool,
    /// `UID` to the place of its event, so that changed occurrences find it.
    masters: BTreeMap<String, usize>,
    out: &'a mut Calendar,
}

/// A start, an end, and the zone they are told in.
struct Span2 {
    start: DateTime,
    end: Option<DateTime>,
    all_day: bool,
    tz: TimeZone,
    tz_name: String,
}

impl<'a> Reader<'a> {
    fn new(root: &'a Component<'a>, usual: &str, out: &'a mut Calendar) -> Self {
        let own = value(root, "X-WR-TIMEZONE").filter(|name| TimeZone::get(name).is_ok());
        Self {
            zones: root.components.iter().filter(|c| c.name.as_str() == "VTIMEZONE").collect(),
            usual: own.unwrap_or(usual).to_owned(),
            floating_told: false,
            masters: BTreeMap::new(),
            out,
        }
    }

    fn calendar(&mut self, root: &'a Component<'a>) {
        let label = value(root, "X-WR-CALNAME").map_or_else(|| "the calendar".to_owned(), |name| format!("calendar \"{name}\""));
        for property in root.properties.iter().filter(|p| p.name.as_str() != "X-WR-TIMEZONE") {
            self.minor(&label, format!("{} is not kept", property.name.as_str()));
        }
        // Changed occurrences after the events they change.
        let (changed, first): (Vec<_>, Vec<_>) = root.components.iter().partition(|c| value(c, "RECURRENCE-ID").is_some());
        for component in first.into_iter().chain(changed) {
            self.component(component);
        }
    }

    fn component(&mut self, component: &Component<'_>) {
        match component.name.as_str() {
            "VEVENT" => self.event(component),
            "VTIMEZONE" => {}
            other => {
                let title = value(component, "SUMMARY").or_else(|| value(component, "UID")).unwrap_or("without a title");
                self.left(title, format!("is a {}, which has no place in Kith{}", kind_word(other), parts_of(component)));
            }
        }
    }

    fn event(&mut self, event: &Component<'_>) {
        let uid = value(event, "UID").unwrap_or_default().to_owned();
        let summary = value(event, "SUMMARY").unwrap_or_default().trim().to_owned();
        let label = if summary.is_empty() { format!("event {uid}") } else { summary.clone() };
        let mut rule = Rule::default();
        let Some(when) = self.when(event, &label, &mut rule) else { return };
        let mut new = NewEvent { uid, tz: when.tz_name.clone(), ..NewEvent::default() };
        new.title = self.title(&label, summary);
        self.fields(event, &label, &mut new);
        self.recurrence(event, &label, &when, &mut rule);
        if let Err(error) = rule.check(when.start, &when.tz) {
            self.left(&label, format!("has a recurrence that cannot be kept: {error}; only its first time is"));
            rule = Rule::default();
        }
        let Ok(starts) = when.tz.to_zoned(when.start) else {
            self.left(&label, "has a start that is out of range; it is not imported".to_owned());
            return;
        };
        new.starts = starts.timestamp().to_string();
        new.starts_local = local_text(when.start, when.all_day);
        if let Some(end) = when.end
            && let Ok(ends) = when.tz.to_zoned(end)
        {
            new.ends = ends.timestamp().to_string();
            new.ends_local = local_text(end, when.all_day);
        }
        new.rrule = rule.text();
        self.add(event, &label, &when, new);
    }

    /// One event, a changed occurrence of one, or one that is there already.
    fn add(&mut self, event: &Component<'_>, label: &str, when: &Span2, mut new: NewEvent) {
        let changed = event.properties.iter().find(|p| p.name.as_str() == "RECURRENCE-ID");
        let Some(changed) = changed else {
            if !new.uid.is_empty() {
                if self.masters.contains_key(&new.uid) {
                    self.left(label, format!("comes twice with the id {}; the first is kept", new.uid));
                    return;
                }
                self.masters.insert(new.uid.clone(), self.out.events.len());
            }
            self.out.events.push(new);
            return;
        };
        let master = self.masters.get(&new.uid).copied();
        let moment = self.moment(changed, label).map(|(moment, tz, _)| local_in(moment, &tz, &when.tz));
        if let (Some(at), Some(master)) = (master, moment) {
            self.except(at, &master);
        }
        if new.status == "cancelled" && master.is_some() {
            self.changed(label, format!("is cancelled on {}; that time is left out of the series", changed.val.as_str()));
            return;
        }
        new.uid = format!("{}#{}", new.uid, changed.val.as_str());
        self.changed(label, format!("has a changed time on {}; it is imported as an event of its own", changed.val.as_str()));
        self.out.events.push(new);
    }

    /// Take one start out of a series.
    fn except(&mut self, at: usize, moment: &Moment) {
        let Some(series) = self.out.events.get_mut(at) else { return };
        let Ok(mut rule) = series.rrule.as_deref().map_or(Ok(Rule::default()), Rule::parse) else { return };
        rule.exdates.push(*moment);
        series.rrule = rule.text();
    }

    fn title(&mut self, label: &str, summary: String) -> String {
        if summary.is_empty() {
            self.changed(label, "has no title; it is called \"Untitled event\"".to_owned());
            return "Untitled event".to_owned();
        }
        if summary.chars().count() > TITLE_CHARS {
            self.left(label, format!("has a title longer than {TITLE_CHARS} characters; it is cut"));
        }
        summary.chars().take(TITLE_CHARS).collect()
    }

    /// All that is not about time.
    fn fields(&mut self, event: &Component<'_>, label: &str, new: &mut NewEvent) {
        let mut alarms = Vec::new();
        for property in &event.properties {
            let text = property.val.as_str().trim();
            match property.name.as_str() {
                "SUMMARY" | "UID" | "DTSTART" | "DTEND" | "DURATION" | "RRULE" | "RDATE" | "EXDATE" | "RECURRENCE-ID" => {}
                "DESCRIPTION" => new.description = self.cut(label, text),
                "LOCATION" => new.location = text.chars().take(TITLE_CHARS).collect(),
                "URL" if !text.is_empty() => append(&mut new.description, text),
                "STATUS" => match text.to_ascii_uppercase().as_str() {
                    "CONFIRMED" => {}
                    "TENTATIVE" => new.status = "tentative".to_owned(),
                    "CANCELLED" => new.status = "cancelled".to_owned(),
                    other => self.changed(label, format!("has a status \"{other}\" that is not known; it counts as confirmed")),
                },
                "CATEGORIES" => new.tags.extend(text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(tag)),
                "DTSTAMP" | "CREATED" | "LAST-MODIFIED" | "SEQUENCE" | "TRANSP" => {
                    self.minor(label, format!("{} is not kept", property.name.as_str()));
                }
                "CLASS" if text.eq_ignore_ascii_case("PUBLIC") => self.minor(label, "CLASS is not kept".to_owned()),
                other => self.left(label, format!("has {} that is not kept: {}", property_word(other), start_of(text))),
            }
        }
        new.tags.truncate(TAGS);
        for part in &event.components {
            if part.name.as_str() == "VALARM" {
                alarms.push(value(part, "TRIGGER").unwrap_or("?").to_owned());
            } else {
                self.left(label, format!("holds a {}, which has no place in Kith", kind_word(part.name.as_str())));
            }
        }
        for alarm in alarms {
            self.left(label, format!("has a reminder (VALARM {alarm}) that is not kept"));
        }
    }

    fn cut(&mut self, label: &str, text: &str) -> String {
        let room = BODY_BYTES - 4_096;
        if text.len() <= room {
            return text.to_owned();
        }
        self.left(label, format!("has a description of {}; it is cut", crate::files::size(text.len() as u64)));
        let end = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.get(..end).unwrap_or_default().to_owned()
    }

    /// Start and end; of an event with additional dates only, the earliest is the start.
    fn when(&mut self, event: &Component<'_>, label: &str, rule: &mut Rule) -> Option<Span2> {
        let start = match event.properties.iter().find(|p| p.name.as_str() == "DTSTART") {
            Some(property) => self.moment(property, label).map(|(moment, tz, name)| (moment, None, tz, name)),
            None => self.earliest(event, label),
        };
        let Some((start, period_end, tz, tz_name)) = start else {
            self.left(label, "has no start that can be understood; it is not imported".to_owned());
            return None;
        };
        let all_day = matches!(start, Moment::Day(_));
        let wall = start.wall(&tz, DateTime::constant(2000, 1, 1, 0, 0, 0, 0));
        let mut when = Span2 { start: wall, end: period_end, all_day, tz, tz_name };
        if let Some(property) = event.properties.iter().find(|p| p.name.as_str() == "DTEND") {
            when.end = self.moment(property, label).map(|(end, tz, _)| local_in(end, &tz, &when.tz).wall(&when.tz, wall));
            if all_day {
                when.end = when.end.map(|end| end.date().at(0, 0, 0, 0));
            }
        } else if let Some(length) = value(event, "DURATION") {
            when.end = length_of(length).and_then(|length| plus(&when, length));
            if when.end.is_none() {
                self.left(label, format!("has a length that cannot be understood: {}", start_of(length)));
            }
        }
        if when.end.is_some_and(|end| end <= when.start) {
            // Common for whole days: the same day twice means that day.
            when.end = all_day.then(|| when.start.saturating_add(1.day()));
        }
        *rule = Rule::default();
        Some(when)
    }

    fn earliest(&mut self, event: &Component<'_>, label: &str) -> Option<(Moment, Option<DateTime>, TimeZone, String)> {
        let mut all = Vec::new();
        for property in event.properties.iter().filter(|p| p.name.as_str() == "RDATE") {
            for text in property.val.as_str().split(',') {
                let (from, to) = text.split_once('/').map_or((text, None), |(from, to)| (from, Some(to)));
                let Some((moment, tz, name)) = self.moment_of(property, from, label) else { continue };
                let at = tz.to_timestamp(moment.wall(&tz, DateTime::constant(2000, 1, 1, 0, 0, 0, 0))).ok()?;
                all.push((at, moment, to.map(str::to_owned), tz, name));
            }
        }
        let (_, moment, to, tz, name) = all.into_iter().min_by_key(|(at, ..)| *at)?;
        self.changed(label, "has no start of its own; the earliest of its dates is taken".to_owned());
        let wall = moment.wall(&tz, DateTime::constant(2000, 1, 1, 0, 0, 0, 0));
        let end = to.and_then(|to| period_end(&to, wall, &tz));
        Some((moment, end, tz, name))
    }

    /// Rules, additional dates, exceptions.
    fn recurrence(&mut self, event: &Component<'_>, label: &str, when: &Span2, rule: &mut Rule) {
        let mut rules = Vec::new();
        for property in &event.properties {
            match property.name.as_str() {
                "RRULE" => rules.push(property.val.as_str().trim().to_ascii_uppercase()),
                "RDATE" | "EXDATE" => {
                    let is_rdate = property.name.as_str() == "RDATE";
                    for moment in self.dates(property, label, when) {
                        if is_rdate && moment.wall(&when.tz, when.start) != when.start {
                            rule.rdates.push(moment);
                        } else if !is_rdate {
                            rule.exdates.push(moment);
                        }
                    }
                }
                _ => {}
            }
        }
        let mut rules = rules.into_iter();
        rule.rrule = rules.next();
        for more in rules {
            self.left(label, format!("has a second recurrence that is not kept: {}", start_of(&more)));
        }
    }

    fn dates(&mut self, property: &Property<'_>, label: &str, when: &Span2) -> Vec<Moment> {
        let mut out = Vec::new();
        for text in property.val.as_str().split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let (from, to) = text.split_once('/').map_or((text, None), |(from, to)| (from, Some(to)));
            let Some((moment, tz, _)) = self.moment_of(property, from, label) else {
                self.left(label, format!("has a date in its {} that is not one: {}", property.name.as_str(), start_of(text)));
                continue;
            };
            let moment = local_in(moment, &tz, &when.tz);
            let moment = match moment {
                Moment::Day(_) if !when.all_day => {
                    self.changed(
                        label,
                        format!("has a day without a time in its {} ({text}); its usual time is taken", property.name.as_str()),
                    );
                    Moment::Local(moment.wall(&when.tz, when.start))
                }
                moment if when.all_day => Moment::Day(moment.wall(&when.tz, when.start).date()),
                Moment::Day(_) | Moment::Local(_) | Moment::Utc(_) => moment,
            };
            if let Some(to) = to {
                let start = moment.wall(&when.tz, when.start);
                let usual = when.end.map(|end| end.duration_since(when.start));
                if period_end(to, start, &when.tz).map(|end| end.duration_since(start)) != usual {
                    self.left(
                        label,
                        format!("has a time with a length of its own ({text}); its start is kept, its length is not"),
                    );
                }
            }
            out.push(moment);
        }
        out
    }

    fn moment(&mut self, property: &Property<'_>, label: &str) -> Option<(Moment, TimeZone, String)> {
        self.moment_of(property, property.val.as_str(), label)
    }

    /// A moment and the zone it is told in.
    fn moment_of(&mut self, property: &Property<'_>, text: &str, label: &str) -> Option<(Moment, TimeZone, String)> {
        let moment = Moment::parse(text)?;
        if let Moment::Utc(_) = moment {
            return Some((moment, TimeZone::UTC, "UTC".to_owned()));
        }
        let tzid = property.params.iter().find(|p| p.key.as_str().eq_ignore_ascii_case("TZID"));
        if let (Some(tzid), Moment::Local(at)) = (tzid.and_then(|p| p.val.as_ref()), moment) {
            if let Some(found) = zone::find(tzid.as_str(), &self.zones, at) {
                if let Some(note) = found.note {
                    self.changed(label, note);
                }
                return Some((moment, found.tz, found.name));
            }
            self.changed(label, format!("names a time zone that is not known, \"{}\"; {} is taken", tzid.as_str(), self.usual));
        } else if matches!(moment, Moment::Local(_)) && !self.floating_told {
            self.floating_told = true;
            self.changed(label, format!("tells its time without a zone; {} is taken, here and for the others", self.usual));
        }
        let tz = TimeZone::get(&self.usual).ok()?;
        Some((moment, tz, self.usual.clone()))
    }

    fn left(&mut self, item: &str, part: String) {
        self.out.left.push(Left { item: item.to_owned(), part, weight: Weight::Dropped });
    }

    /// It is kept, in another form; the same remark about one item is made once.
    fn changed(&mut self, item: &str, part: String) {
        if !self.out.left.iter().any(|left| left.item == item && left.part == part) {
            self.out.left.push(Left { item: item.to_owned(), part, weight: Weight::Changed });
        }
    }

    fn minor(&mut self, item: &str, part: String) {
        self.out.left.push(Left { item: item.to_owned(), part, weight: Weight::Minor });
    }
}

fn value<'a>(component: &'a Component<'_>, name: &str) -> Option<&'a str> {
    component.properties.iter().find(|p| p.name.as_str().eq_ignore_ascii_case(name)).map(|p| p.val.as_str())
}

/// The moment as the event's own zone tells it. UTC stays UTC.
fn local_in(moment: Moment, from: &TimeZone, to: &TimeZone) -> Moment {
    match moment {
        Moment::Local(at) if from != to => from.to_timestamp(at).map_or(moment, |instant| Moment::Local(to.to_datetime(instant))),
        Moment::Local(_) | Moment::Utc(_) | Moment::Day(_) => moment,
    }
}

/// The end of `start/end` or `start/length`.
fn period_end(text: &str, start: DateTime, tz: &TimeZone) -> Option<DateTime> {
    match Moment::parse(text) {
        Some(end) => Some(end.wall(tz, start)),
        None => start.checked_add(length_of(text)?).ok(),
    }
}

/// An RFC 5545 length, `P1DT2H`; negative ones make no sense here.
fn length_of(text: &str) -> Option<Span> {
    let span: Span = text.trim().trim_start_matches('+').parse().ok()?;
    (!span.is_negative()).then_some(span)
}

fn plus(when: &Span2, length: Span) -> Option<DateTime> {
    if when.all_day {
        return when.start.checked_add(length).ok();
    }
    // Days are calendar days, hours are time that passes.
    let zoned = when.tz.to_zoned(when.start).ok()?;
    let end = zoned.checked_add(length).ok()?;
    (end.timestamp().duration_since(zoned.timestamp()) > SignedDuration::ZERO).then(|| end.datetime())
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}

/// A tag as items may carry it.
pub(crate) fn tag(text: &str) -> String {
    text.chars().take(TAG_CHARS).collect::<String>().trim().to_owned()
}

fn start_of(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

fn parts_of(component: &Component<'_>) -> String {
    match component.components.len() {
        0 => String::new(),
        1 => ", and neither has its part".to_owned(),
        n => format!(", and neither have its {n} parts"),
    }
}

fn kind_word(name: &str) -> String {
    match name {
        "VTODO" => "task (VTODO)".to_owned(),
        "VJOURNAL" => "journal entry (VJOURNAL)".to_owned(),
        "VFREEBUSY" => "free/busy time (VFREEBUSY)".to_owned(),
        other => format!("part called {other}"),
    }
}

fn property_word(name: &str) -> String {
    match name {
        "ATTENDEE" => "an attendee (ATTENDEE)".to_owned(),
        "ORGANIZER" => "an organizer (ORGANIZER)".to_owned(),
        "ATTACH" => "an attachment (ATTACH)".to_owned(),
        "GEO" => "coordinates (GEO)".to_owned(),
        "CLASS" => "a privacy mark (CLASS)".to_owned(),
        "EXRULE" => "a rule of exceptions (EXRULE)".to_owned(),
        other => format!("a field {other}"),
    }
}

#[cfg(test)]
mod tests;
