//! `kith event ...`.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use kith_protocol::control::{
    Author, EditEvent, Event, EventStatus, EventTimes, ItemState, Kind, NewEvent, Rsvp, RsvpPerson, Rsvped, Time,
};
use kith_protocol::node::Filter;

use super::item;
use super::show::{author, delivery, dotted, short_ids, state};
use super::typed;
use crate::calendar::change;
use crate::calendar::rule::{self, Rule};
use crate::calendar::when::{self, Typed, When, zone_name};
use crate::calendar::{Series, natural, parse_local};
use crate::client::Client;
use crate::context::Context;
use crate::duration::at_least_one;
use crate::duration::duration;
use crate::error::{self, Result, usage};
use crate::global::not_empty;
use crate::input;
use crate::limits::NEXT_OCCURRENCES;
use crate::ui::{Line, Ui, time};

/// What can be done with events.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum EventVerb {
    /// Create an event
    New(EventNew),
    /// List the events of a circle, past ones too, oldest first
    List(EventList),
    /// Show an event and when it takes place next
    Show {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
    },
    /// Edit an event
    Edit(EventEdit),
    /// Remove your event
    Remove(item::RemoveArgs),
    /// Bring back an event that you deleted less than a day ago
    Restore {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
    },
    /// Say whether you are coming: yes, no, maybe
    Rsvp {
        /// Its id
        #[arg(value_parser = not_empty)]
        id: String,
        /// Your answer: yes, no or maybe
        answer: Rsvp,
    },
}

/// When something is; `new` and `edit` take the same.
#[derive(Debug, clap::Args)]
pub(crate) struct TimeArgs {
    /// End at this time, written like --starts; for whole days, the last day; none for no end
    #[arg(long, value_name = "TIME")]
    ends: Option<String>,
    /// Set how long it takes, such as 1h or 90m
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "ends")]
    duration: Option<std::time::Duration>,
    /// Set its time zone, such as Europe/Madrid [default: this computer's]
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Repeat it: day, week, "2 weeks", month; none takes the repetition away
    #[arg(long, value_name = "HOW", value_parser = natural::every, conflicts_with = "rrule")]
    every: Option<String>,
    /// Repeat it as RFC 5545 writes it: FREQ=WEEKLY;COUNT=8
    #[arg(long, value_name = "RULE")]
    rrule: Option<String>,
}

impl TimeArgs {
    /// How it repeats, as it was said or written.
    fn rule(&self) -> Option<&str> {
        self.every.as_deref().or(self.rrule.as_deref())
    }

    /// What was typed, made exact. Where no zone was named, the event's own counts.
    fn resolve(&self, starts: &str, own: Option<&str>, duration: Option<std::time::Duration>) -> Result<When> {
        let (tz, tz_named) = (self.tz.as_deref().or(own), self.tz.is_some());
        let now = now_in(tz)?;
        let starts = natural::exact(starts, now);
        let (mut ends, mut next_day) = (None, None);
        if let Some(typed) = self.ends.as_deref().filter(|typed| !typed.trim().eq_ignore_ascii_case("none")) {
            let (zone, _) = when::zone(tz)?;
            let start = when::local(&starts, &zone, tz_named)?;
            let end = natural::exact_end(typed, start, now);
            next_day = parse_local(&end).filter(|at| natural::is_a_time(typed) && at.date() > start.date());
            ends = Some(end);
        }
        let mut when = When::resolve(Typed { starts: &starts, ends: ends.as_deref(), duration, tz, tz_named })?;
        let said = next_day.map(|at| format!("It ends on {}, the day after it starts.", at.strftime("%a %Y-%m-%d at %H:%M")));
        when.notes.extend(said);
        Ok(when)
    }
}

/// The wall clock there, now.
fn now_in(tz: Option<&str>) -> Result<jiff::civil::DateTime> {
    let (tz, _) = when::zone(tz)?;
    Ok(tz.to_datetime(Timestamp::now()))
}

/// A new event.
#[derive(Debug, clap::Args)]
pub(crate) struct EventNew {
    /// Its title
    #[arg(long, value_parser = typed::title)]
    title: String,
    /// Start at this time on the wall clock: "tomorrow 18:00", "fri 9:00", 2026-12-01T18:00; 2026-12-01 for a whole day
    #[arg(long, value_name = "TIME")]
    starts: String,
    #[command(flatten)]
    times: TimeArgs,
    /// Say what it is about; - reads it from stdin
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// Say where, or give a link
    #[arg(long, default_value = "", hide_default_value = true)]
    location: String,
    /// Add a tag (repeatable)
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Set its status: confirmed, tentative or cancelled
    #[arg(long, value_parser = typed::status)]
    status: Option<EventStatus>,
}

/// Which events.
#[derive(Debug, clap::Args)]
pub(crate) struct EventList {
    /// Show only the last N
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    limit: Option<usize>,
    /// Show only those that are not over
    #[arg(long)]
    upcoming: bool,
    /// Show only what you have not seen yet
    #[arg(long)]
    new: bool,
    /// Show only those that you have not answered
    #[arg(long)]
    unanswered: bool,
    /// Show only those with this tag
    #[arg(long)]
    tag: Option<String>,
}

/// A changed event.
#[derive(Debug, clap::Args)]
pub(crate) struct EventEdit {
    /// Its id
    #[arg(value_parser = not_empty)]
    id: String,
    /// Give it a new title
    #[arg(long, value_parser = typed::title)]
    title: Option<String>,
    /// Start at a new time
    #[arg(long, value_name = "TIME")]
    starts: Option<String>,
    #[command(flatten)]
    times: TimeArgs,
    /// Say what it is about; - reads it from stdin
    #[arg(long)]
    description: Option<String>,
    /// Say where, or give a link
    #[arg(long)]
    location: Option<String>,
    /// Replace all tags (repeatable)
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Compare with this state, from `show --json`; what others changed since then stays
    #[arg(long)]
    base: Option<String>,
    /// Set its status: confirmed, tentative or cancelled
    #[arg(long, value_parser = typed::status)]
    status: Option<EventStatus>,
}

pub(crate) fn run(context: &Context, verb: EventVerb) -> Result<()> {
    match verb {
        EventVerb::New(new) => create(context, new),
        EventVerb::List(list) => show_list(context, list),
        EventVerb::Show { id } => item::show(context, Kind::Event, &id, |ui, event: Event| show(ui, &event)),
        EventVerb::Edit(edit) => change(context, edit),
        EventVerb::Remove(args) => item::remove(context, Kind::Event, &args),
        EventVerb::Restore { id } => item::restore(context, Kind::Event, &id),
        EventVerb::Rsvp { id, answer } => {
            let route = item::one(context, Kind::Event, &id).seg(Kind::Rsvp.path());
            let tell = |ui: &Ui, _: &Client, event: Event| ui.out(answered(&event));
            let reply = item::send(context, ("POST", &route), &Rsvped { answer }, tell)?;
            item::saw(context, &context.client()?, &reply, false);
            Ok(())
        }
    }
}

/// The rule as it is kept, or why it cannot be.
fn checked(rrule: Option<&str>, when: &When) -> Result<Option<String>> {
    let Some(text) = rrule.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let wrong = |e: rule::RuleError| {
        usage(format!("The recurrence cannot be used: {e}."), "Write it like FREQ=WEEKLY;COUNT=8 or FREQ=MONTHLY;BYDAY=1TU.")
    };
    let rule = Rule::parse(text).map_err(wrong)?;
    let start = parse_local(&when.starts_local).ok_or_else(|| usage("I don't understand the start.", ""))?;
    let (tz, _) = when::zone(Some(&when.tz))?;
    rule.check(start, &tz).map_err(wrong)?;
    Ok(rule.text())
}

fn long_text(given: String) -> Result<String> {
    if given == "-" { input::stdin(kith_protocol::limits::BODY_BYTES) } else { Ok(given) }
}

/// A new description. Nothing on stdin is a mistake there, and takes no words away.
fn new_text(given: String) -> Result<String> {
    let piped = given == "-";
    let text = long_text(given)?;
    if piped && text.trim().is_empty() {
        return Err(usage("There is no text on stdin.", "`--description \"\"` takes the description away."));
    }
    Ok(text)
}

fn create(context: &Context, new: EventNew) -> Result<()> {
    let when = new.times.resolve(&new.starts, None, new.times.duration)?;
    let rrule = checked(new.times.rule(), &when)?;
    for note in &when.notes {
        context.ui().complain(&Line::new().warn(note));
    }
    if rrule.is_none() && is_over(&when) && !context.global().dry_run {
        context.ui().complain(&Line::new().warn("This event is in the past."));
        if context.ui().interactive && !context.ui().agree("Save it all the same?")? {
            context.ui().say("Nothing was saved.");
            return Ok(());
        }
    }
    let body = NewEvent {
        title: new.title,
        description: long_text(new.description)?,
        starts: when.starts,
        ends: when.ends,
        starts_local: when.starts_local,
        ends_local: when.ends_local,
        tz: when.tz,
        rrule,
        location: new.location,
        status: new.status,
        uid: String::new(),
        sequence: 0,
        tags: new.tags,
    };
    let tell = |ui: &Ui, client: &Client, event: Event| {
        item::saved(ui, client, "Saved", (&event.circle, &event.id), event.delivery)?;
        show(ui, &event)
    };
    let saved = item::send(context, ("POST", &item::all(context, Kind::Event)), &body, tell)?;
    tell_skips(context, &saved.read()?);
    Ok(())
}

/// Says what a saved series leaves out without a word of the person's.
fn tell_skips(context: &Context, event: &Event) {
    if let Some(skips) = Series::of(event).and_then(|series| series.rule.skips(series.start)) {
        context.ui().warn(&Line::new().warn(&skips));
    }
}

fn show_list(context: &Context, list: EventList) -> Result<()> {
    let EventList { limit, upcoming, new, unanswered, tag } = list;
    let filter = Filter { limit, upcoming, new, unanswered, tag, ..Filter::default() };
    let now = Timestamp::now();
    item::list(context, Kind::Event, &filter, |event| !ended(event, now), |ui, events| table(ui, events, now))
}

/// Did it end before now, or did it begin then where it has no end?
fn is_over(when: &When) -> bool {
    let end = if when.ends.is_empty() { &when.starts } else { &when.ends };
    // A whole day is over when the next one begins, wherever one is.
    let day = if when.starts_local.contains('T') { 0 } else { 24 };
    let end = end.parse::<Timestamp>().ok().and_then(|end| end.checked_add(jiff::SignedDuration::from_hours(day)).ok());
    end.is_some_and(|end| end < Timestamp::now())
}

/// A rule with a count has ended when nothing comes any more; the core does not count rules.
fn ended(event: &Event, now: Timestamp) -> bool {
    let counts = |series: &Series| series.all_day || series.rule.recurs();
    Series::of(event).is_some_and(|series| counts(&series) && series.next(now, 1).is_ok_and(|next| next.is_empty()))
}

fn table(ui: &Ui, events: &[Event], now: Timestamp) -> Result<()> {
    let ids = short_ids(ui, events.iter().map(|event| event.id.as_str()));
    let rows: Vec<Vec<Line>> = events
        .iter()
        .zip(ids)
        .map(|(event, id)| {
            let mine = event.rsvp.mine.map(|answer| Line::new().good(answer.word())).unwrap_or_default();
            let title = if event.state == ItemState::Visible { Line::new().title(&event.title) } else { state(event.state) };
            let cancelled = if event.status == EventStatus::Cancelled { Line::new().warn("  cancelled") } else { Line::new() };
            let new = match (event.new, event.changed) {
                (true, _) => Line::new().good("new "),
                (false, true) => Line::new().good("changed "),
                (false, false) => Line::new(),
            };
            let starts = if ui.plain { event.starts.0.to_string() } else { short_start(event, now) };
            vec![Line::new().dim(&id), starts.into(), mine, new.and(title).and(cancelled)]
        })
        .collect();
    ui.table(&["id", "starts", "me", "title"], &rows)
}

/// The first start, or the next one of what comes again, in one's own zone.
fn short_start(event: &Event, now: Timestamp) -> String {
    let series = Series::of(event);
    let again = series.as_ref().is_some_and(|series| series.rule.recurs());
    let next = series.filter(|_| again).and_then(|series| series.next(now, 1).ok()?.into_iter().next());
    let mark = if again { " ↻" } else { "" };
    if event.all_day {
        let day = next.map_or_else(|| event.starts_local.clone(), |next| next.date().to_string());
        return format!("{day}{mark}");
    }
    let own = next.map_or_else(|| time::zoned(event.starts), |next| next.with_time_zone(TimeZone::system()));
    format!("{}{mark}", on_a_clock(&own))
}

/// A moment as people are told it: the day, the time and whose clock that is.
pub(super) fn on_a_clock(at: &Zoned) -> String {
    at.strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}

fn show(ui: &Ui, event: &Event) -> Result<()> {
    if event.state != ItemState::Visible {
        return ui.out(state(event.state));
    }
    ui.out(Line::new().title(&event.title))?;
    let mut facts = vec![("when", Line::from(when_text(event))), ("for you", own_time(event).into())];
    if event.status != EventStatus::Confirmed {
        facts.push(("status", Line::new().warn(event.status.word())));
    }
    facts.extend([
        ("where", Line::from(event.location.as_str())),
        ("answers", answers(event)),
        ("ask again", asked_again(event)),
        ("changed", changed(ui, event)),
        ("tags", event.tags.join(", ").into()),
        ("by", dotted(vec![author(&event.author), delivery(event.delivery, None, false)])),
        ("id", event.id.as_str().into()),
    ]);
    facts.extend(coming(event));
    ui.facts(&facts)?;
    if !event.description.is_empty() {
        ui.gap()?;
        ui.block(0, &event.description)?;
    }
    Ok(())
}

/// As its own zone tells it.
fn when_text(event: &Event) -> String {
    let Some(start) = parse_local(&event.starts_local) else { return event.starts.0.to_string() };
    let end = parse_local(&event.ends_local);
    if event.all_day {
        let last = end.and_then(|end| end.date().yesterday().ok()).filter(|last| *last > start.date());
        return last.map_or_else(|| start.strftime("%a %Y-%m-%d").to_string(), |last| format!("{} to {last}", start.date()));
    }
    let until =
        end.map(|end| if end.date() == start.date() { end.strftime("–%H:%M") } else { end.strftime(" to %Y-%m-%d %H:%M") });
    let until = until.map(|text| text.to_string()).unwrap_or_default();
    format!("{}{until} ({})", start.strftime("%a %Y-%m-%d %H:%M"), zone_name(&event.tz))
}

/// As this computer's zone tells it, where that is another time.
fn own_time(event: &Event) -> String {
    let own = time::zoned(event.starts);
    let local = parse_local(&event.starts_local);
    if event.all_day || local == Some(own.datetime()) { String::new() } else { on_a_clock(&own) }
}

/// What an answer leads to: an event that does not take place is answered all the same, and says so.
fn answered(event: &Event) -> Line {
    let cancelled =
        if event.status == EventStatus::Cancelled { Line::new().warn("This event is cancelled") } else { Line::new() };
    dotted(vec![cancelled, answers(event)])
}

fn answers(event: &Event) -> Line {
    let mut counts = Line::new();
    for (answer, count) in [(Rsvp::Yes, event.rsvp.yes), (Rsvp::Maybe, event.rsvp.maybe), (Rsvp::No, event.rsvp.no)] {
        counts = if counts.is_empty() { counts } else { counts.text(", ") }.text(&format!("{count} {answer}"));
        let mut people = event.rsvp.people.iter().filter(|person| person.answer == answer);
        if let Some(first) = people.next() {
            counts = people.fold(counts.text(" (").and(name(first)), |line, person| line.text(", ").and(name(person))).text(")");
        }
    }
    let moved = if event.moved_by.is_some() { "you have not answered for the new time" } else { "you have not answered" };
    let mine = event.rsvp.mine.map_or_else(|| Line::new().dim(moved), |mine| Line::new().text("you: ").good(mine.word()));
    dotted(vec![counts, mine])
}

fn name(person: &RsvpPerson) -> Line {
    Line::new().person(&person.name, person.alike, &person.member)
}

/// Who answered before it was moved.
fn asked_again(event: &Event) -> Line {
    let line = event.rsvp.asked_again.iter().fold(Line::new(), |line, person| {
        let line = if line.is_empty() { line } else { line.text(", ") };
        line.and(name(person)).text(&format!(" ({})", person.answer))
    });
    if line.is_empty() { line } else { line.text(" answered before it was moved") }
}

/// Who changed it last, and when it was before it was moved.
fn changed(ui: &Ui, event: &Event) -> Line {
    let by = |what: &str, who: &Author, at: Option<Time>| {
        let when = at.map(|at| format!(", {}", ui.when(at))).unwrap_or_default();
        Line::new().text(what).text(" by ").and(author(who)).text(&when)
    };
    let moved = event.moved_by.as_ref().map(|who| {
        let (what, was) = event.was.as_ref().map_or(("moved", None), |was| moved(event, was));
        by(what, who, event.moved_at).text(&was.map(|was| format!(" ({was})")).unwrap_or_default())
    });
    let edited = event.changed_by.as_ref().filter(|_| event.moved_at != event.edited_at);
    let edited = edited.map(|who| by("changed", who, event.edited_at));
    dotted(vec![moved.unwrap_or_default(), edited.unwrap_or_default()])
}

/// What was changed of when it takes place, and what was before.
fn moved(event: &Event, was: &EventTimes) -> (&'static str, Option<String>) {
    if (&was.starts_local, zone_name(&was.tz)) != (&event.starts_local, zone_name(&event.tz)) {
        return ("moved", Some(format!("was {}", wall_clock(&was.starts_local, Some(&was.tz)))));
    }
    if was.rrule != event.rrule {
        let rule = was.rrule.as_deref().and_then(|rule| Rule::parse(rule).ok());
        let before = rule.map_or_else(|| "once".to_owned(), |rule| repeats(&rule));
        return ("repetition changed", Some(format!("was {before}")));
    }
    if was.ends_local != event.ends_local {
        let before =
            if was.ends_local.is_empty() { "had none".to_owned() } else { format!("was {}", wall_clock(&was.ends_local, None)) };
        return ("end changed", Some(before));
    }
    ("moved", None)
}

/// How a rule repeats, in words.
fn repeats(rule: &Rule) -> String {
    rule.rrule.as_deref().map_or_else(|| "on further dates".to_owned(), rule::words)
}

/// A time on a wall clock, and in which zone.
pub(super) fn wall_clock(local: &str, zone: Option<&str>) -> String {
    // Others wrote it, and it stands among Kith's own words.
    let Some(at) = parse_local(local) else { return "a time that cannot be read".to_owned() };
    let zone = zone.filter(|zone| zone.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c)));
    if crate::calendar::is_day(local) {
        return at.strftime("%a %Y-%m-%d").to_string();
    }
    let zone = zone.map(|zone| format!(" ({})", zone_name(zone))).unwrap_or_default();
    format!("{}{zone}", at.strftime("%a %Y-%m-%d %H:%M"))
}

/// How it repeats and when next.
fn coming(event: &Event) -> Vec<(&'static str, Line)> {
    let Some(text) = &event.rrule else { return Vec::new() };
    let Some(series) = Series::of(event) else { return vec![("repeats", Line::new().warn("a rule that Kith can't read"))] };
    let first = series.rule.begins_later(series.start, &series.tz).map(|_| series.start.strftime("once on %a %Y-%m-%d, then "));
    let words = first.map(|first| first.to_string()).unwrap_or_default() + &repeats(&series.rule);
    let mut facts = vec![("repeats", Line::from(words))];
    match series.next(Timestamp::now(), NEXT_OCCURRENCES) {
        Ok(next) if next.is_empty() => facts.push(("next", Line::new().dim("it is over"))),
        Ok(next) => {
            facts.extend(next.iter().map(|at| ("next", Line::from(next_text(event, at)))));
        }
        Err(e) => facts.push(("next", Line::new().warn(&format!("cannot be counted ({e}): {text}")))),
    }
    facts
}

/// One of the next times: on this computer's clock, and on the event's where that shows something else.
fn next_text(event: &Event, at: &Zoned) -> String {
    if event.all_day {
        return at.strftime("%a %Y-%m-%d").to_string();
    }
    let own = at.with_time_zone(TimeZone::system());
    let there = time::elsewhere(&own, at.time_zone()).map(|there| format!(" ({there})")).unwrap_or_default();
    format!("{}{there}", on_a_clock(&own))
}

fn change(context: &Context, edit: EventEdit) -> Result<()> {
    let mut body = EditEvent {
        base: edit.base.clone(),
        title: edit.title.clone(),
        description: edit.description.clone().map(new_text).transpose()?,
        location: edit.location.clone(),
        status: edit.status,
        tags: (!edit.tags.is_empty()).then(|| edit.tags.clone()),
        ..EditEvent::default()
    };
    let moved = edit.starts.is_some() || edit.times.ends.is_some() || edit.times.duration.is_some() || edit.times.tz.is_some();
    if moved || edit.times.rule().is_some() {
        retime(context, &edit, &mut body)?;
    }
    if body == (EditEvent { base: body.base.clone(), ..EditEvent::default() }) {
        return Err(error::usage("Nothing to change was named.", "See `kith event edit --help`."));
    }
    let tell = |ui: &Ui, _: &Client, event: Event| {
        show(ui, &event)?;
        item::tell_crossed(ui, &event.crossed);
        Ok(())
    };
    let saved = item::send(context, ("PATCH", &item::one(context, Kind::Event, &edit.id)), &body, tell)?;
    if body.starts.is_some() {
        tell_skips(context, &saved.read()?);
    }
    Ok(())
}

/// New times, what was not named staying as it is.
fn retime(context: &Context, edit: &EventEdit, body: &mut EditEvent) -> Result<()> {
    let event: Event = context.client()?.get(&item::one(context, Kind::Event, &edit.id))?.read()?;
    let starts = edit.starts.clone().unwrap_or_else(|| event.starts_local.clone());
    let length = Series::of(&event).map(|series| series.seconds()).filter(|_| !event.ends_local.is_empty());
    let kept = length.and_then(|seconds| u64::try_from(seconds).ok()).map(std::time::Duration::from_secs);
    let tz = edit.times.tz.as_deref().unwrap_or(&event.tz);
    let starts = natural::exact(&starts, now_in(Some(tz))?);
    let same_kind = crate::calendar::is_day(&starts) == event.all_day;
    let duration = edit.times.duration.or(if edit.times.ends.is_none() && same_kind { kept } else { None });
    let when = edit.times.resolve(&starts, Some(&event.tz), duration)?;
    for note in &when.notes {
        context.ui().complain(&Line::new().warn(note));
    }
    let rrule = match edit.times.rule() {
        Some(text) if text.trim().is_empty() => Some(String::new()),
        Some(text) => checked(Some(text), &when)?,
        None => {
            // What was taken out of a series or added to it moves along.
            let series = Series::of(&event).zip(parse_local(&when.starts_local));
            let moved = series.map_or_else(|| event.rrule.clone(), |(series, start)| change::moved(&series, start).text());
            checked(moved.as_deref(), &when)?.filter(|rule| Some(rule) != event.rrule.as_ref())
        }
    };
    body.base = body.base.take().or(event.base);
    body.rrule = rrule;
    body.starts = Some(when.starts);
    body.ends = Some(when.ends);
    body.starts_local = Some(when.starts_local);
    body.ends_local = Some(when.ends_local);
    body.tz = Some(when.tz);
    Ok(())
}
