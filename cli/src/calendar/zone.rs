//! Time zones as calendar files name them: IANA names, names with something before or after them, Windows names, offsets, and
//! zones that only the file describes. Names are the library's to know; a described zone is recognised by when its clocks change.

use std::collections::BTreeMap;
use std::str::FromStr;

use calcard::common::timezone::Tz;
use calcard::icalendar::{ICalendarComponentType as PartKind, ICalendarProperty};
use jiff::civil::{Date, DateTime};
use jiff::tz::{self, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::parts::Component;
use super::rule::{Moment, Rule};
use crate::limits::ZONE_ONSETS;

/// A zone of a file, and how sure we are.
#[derive(Clone, Debug)]
pub(crate) struct FoundZone {
    pub(crate) tz: TimeZone,
    /// Its IANA name; `None` where there is none for it, and its times can only be kept as moments.
    pub(crate) name: Option<String>,
    /// What the person should know about the choice.
    pub(crate) note: Option<String>,
}

/// Zones tried first when one is recognised by what it does; the others follow in the database's order.
const COMMON: &[&str] = &[
    "Europe/Berlin",
    "Europe/London",
    "Europe/Athens",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Australia/Sydney",
    "Africa/Lagos",
    "Africa/Nairobi",
    "America/Sao_Paulo",
    "UTC",
];

/// Folders of the database that hold other names for the same zones.
const DOUBLES: &[&str] = &["Etc/", "US/", "Canada/", "Brazil/", "Chile/", "Mexico/", "SystemV/", "posix/", "right/"];

/// Finds zones for the times of a file.
#[derive(Debug, Default)]
pub(super) struct Zones<'a> {
    described: Vec<&'a Component>,
    /// What was found, by name and year.
    known: BTreeMap<(String, i16), Option<FoundZone>>,
}

impl<'a> Zones<'a> {
    /// Those that a calendar describes, its own first.
    pub(super) fn new(calendars: impl Iterator<Item = &'a Component>) -> Self {
        let described = calendars.flat_map(|part| &part.parts).filter(|part| part.kind == PartKind::VTimezone).collect();
        Self { described, known: BTreeMap::new() }
    }

    /// The zone that a `TZID` means, at about that time. `None`: nobody knows.
    pub(super) fn find(&mut self, tzid: &str, at: DateTime) -> Option<FoundZone> {
        let tzid = tzid.trim().trim_matches('"').trim();
        let key = (tzid.to_owned(), at.year());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let own = self.described.iter().find(|part| part.text(&ICalendarProperty::Tzid).is_some_and(|id| is_same(&id, tzid)));
        let found = find(tzid, own.copied(), at);
        self.known.insert(key, found.clone());
        found
    }
}

fn is_same(id: &str, tzid: &str) -> bool {
    id.trim_matches('"').trim().eq_ignore_ascii_case(tzid)
}

fn find(tzid: &str, own: Option<&Component>, at: DateTime) -> Option<FoundZone> {
    let place = own.and_then(|part| part.other("X-LIC-LOCATION")).and_then(|name| get(&name));
    let own = own.map(|part| Described::read(part, at));
    // A word of some letters ("EST") means different things to different people; what the file says of it decides.
    let vague = tzid.len() <= 5 && !tzid.contains(['/', ' ', '+', '-']) && !is_utc(tzid);
    if let Some(own) = own.as_ref().filter(|_| vague && place.is_none())
        && let Some(found) = own.recognised(tzid)
    {
        return Some(found);
    }
    if let Some((tz, sure)) = get(tzid).or(place).map(|tz| (tz, true)).or_else(|| by_name(tzid)) {
        return Some(certain(tzid, tz, sure, own.as_ref(), at));
    }
    let own = own?;
    own.recognised(tzid).or_else(|| own.microsoft(tzid)).or_else(|| own.offset(tzid, at))
}

/// A zone with a name, and what is odd about it.
fn certain(tzid: &str, tz: TimeZone, sure: bool, own: Option<&Described>, at: DateTime) -> FoundZone {
    let name = tz.iana_name().map(str::to_owned);
    let shown = name.clone().unwrap_or_else(|| "UTC".to_owned());
    let said = own.and_then(|own| own.offset_at(at));
    let is = tz.to_zoned(at).ok().map(|zoned| zoned.offset());
    let note = match (said, is) {
        (Some(said), Some(is)) if said != is => Some(format!(
            "the file says that clocks in \"{tzid}\" are at UTC{said} then, and in {shown} they are at UTC{is}; {shown} is taken"
        )),
        _ if sure => None,
        _ => Some(format!("the time zone \"{tzid}\" is taken as {shown}")),
    };
    FoundZone { tz, name, note }
}

/// What somebody's name for a zone says; `true` where it can hardly be meant otherwise.
pub(super) fn by_name(name: &str) -> Option<(TimeZone, bool)> {
    let name = name.trim().trim_matches('"').trim();
    let name = name.rsplit_once("Microsoft/").map_or(name, |(_, name)| name);
    // `(UTC+01:00) Amsterdam, Berlin`: the offset is that of its winter.
    let (before, bare) = name.strip_prefix('(').and_then(|rest| rest.split_once(')')).unwrap_or(("", name));
    let bare = bare.trim();
    // `GMT Standard Time 1`
    let first = bare.trim_end_matches(|c: char| c.is_ascii_digit()).strip_suffix(' ').unwrap_or(bare);
    if is_utc(bare) {
        return Some((TimeZone::UTC, true));
    }
    let certain = get(bare).or_else(|| windows(bare)).or_else(|| windows(first)).or_else(|| offset_of(bare).map(fixed));
    certain.map(|tz| (tz, true)).or_else(|| ends(bare).or_else(|| offset_of(before).map(fixed)).map(|tz| (tz, false)))
}

fn is_utc(name: &str) -> bool {
    ["UTC", "GMT", "Z", "Etc/UTC", "Coordinated Universal Time"].iter().any(|utc| utc.eq_ignore_ascii_case(name))
}

fn get(name: &str) -> Option<TimeZone> {
    TimeZone::get(name.trim()).ok().filter(|tz| tz.iana_name().is_some_and(|name| name != "Etc/Unknown"))
}

/// Windows' names, and others that the library knows. It reads what stands in brackets in whole hours only.
fn windows(name: &str) -> Option<TimeZone> {
    if name.starts_with('(') {
        return None;
    }
    Tz::from_str(name).ok().and_then(|tz| get(&tz.name()?))
}

/// `custom_America/New_York`, `/mozilla.org/20050126_1/Europe/Berlin`, `Europe/Berlin (CET)`: the longest end or start that is
/// the name of a zone of some place.
fn ends(tzid: &str) -> Option<TimeZone> {
    let cuts = || tzid.char_indices().filter(|(_, c)| !c.is_alphanumeric());
    let tails = cuts().filter_map(|(at, c)| tzid.get(at + c.len_utf8()..));
    let heads = cuts().filter_map(|(at, _)| tzid.get(..at));
    tails.chain(heads).filter(|name| name.contains('/')).find_map(get)
}

/// `GMT+0200`, `UTC-5`, `+05:30`: what has been added to UTC.
fn offset_of(name: &str) -> Option<Offset> {
    let upper = name.trim().to_ascii_uppercase();
    let rest = upper.strip_prefix("GMT").or_else(|| upper.strip_prefix("UTC")).unwrap_or(&upper).trim();
    let (sign, digits) = match rest.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-" | "−", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
        (Some((hours, minutes)), _) => (hours, minutes),
        (None, 1 | 2) => (digits, "0"),
        (None, 4) => digits.split_at(2),
        (None, _) => return None,
    };
    let number = |text: &str| text.parse::<i32>().ok().filter(|n| *n < 60 && !text.starts_with('+'));
    Offset::from_seconds(sign * (number(hours)? * 3_600 + number(minutes)? * 60)).ok()
}

/// The zone that is always there. Whole hours have names; the sign in those names is the other way round.
fn fixed(offset: Offset) -> TimeZone {
    let (hours, rest) = (offset.seconds() / 3_600, offset.seconds() % 3_600);
    let named = if offset.seconds() == 0 { Some(TimeZone::UTC) } else { get(&format!("Etc/GMT{:+}", -hours)) };
    named.filter(|_| rest == 0).unwrap_or_else(|| TimeZone::fixed(offset))
}

/// A change of clocks, as a file describes it.
#[derive(Clone, Copy, Debug)]
struct Onset {
    /// On the clock as it was before.
    wall: DateTime,
    at: Timestamp,
    from: Offset,
    to: Offset,
}

/// A zone as a file describes it, around some year.
struct Described {
    onsets: Vec<Onset>,
    /// It has rules, so that what it says holds for all years to come.
    ruled: bool,
    year: i16,
    microsoft: Option<String>,
}

impl Described {
    fn read(part: &Component, at: DateTime) -> Self {
        let mut out = Self { onsets: Vec::new(), ruled: false, year: at.year(), microsoft: part.other("X-MICROSOFT-CDO-TZID") };
        for part in part.parts.iter().filter(|part| matches!(part.kind, PartKind::Standard | PartKind::Daylight)) {
            out.ruled |= part.field(&ICalendarProperty::Rrule).is_some();
            out.onsets.extend(onsets(part, at.year()).unwrap_or_default());
        }
        out.onsets.sort_unstable_by_key(|onset| onset.at);
        out
    }

    fn offset_then(&self, at: Timestamp) -> Option<Offset> {
        let before = self.onsets.iter().rev().find(|onset| onset.at <= at).map(|onset| onset.to);
        before.or_else(|| self.onsets.first().map(|onset| onset.from))
    }

    /// At a time of its own clock.
    fn offset_at(&self, wall: DateTime) -> Option<Offset> {
        let before = self.onsets.iter().rev().find(|onset| onset.wall <= wall).map(|onset| onset.to);
        before.or_else(|| self.onsets.first().map(|onset| onset.from))
    }

    /// The zone whose clocks change as these do.
    fn recognised(&self, tzid: &str) -> Option<FoundZone> {
        let around = self.around();
        let changes = self.changes();
        let tz = if changes.is_empty() {
            first(&around)
        } else {
            // Files often name no more than the changes around their own events.
            let both: Vec<(Timestamp, Offset)> = changes.iter().chain(&around).copied().collect();
            first(&both).or_else(|| first(&changes)).or_else(|| self.pair())
        };
        let name = tz.as_ref()?.iana_name()?.to_owned();
        let note = Some(format!("the file's own time zone \"{tzid}\" does what {name} does, and is taken as that"));
        Some(FoundZone { tz: tz?, name: Some(name), note })
    }

    /// The number that Outlook gives to a zone.
    fn microsoft(&self, tzid: &str) -> Option<FoundZone> {
        let tz = get(&Tz::from_ms_cdo_zone_id(self.microsoft.as_deref()?.trim())?.name()?)?;
        let name = tz.iana_name()?.to_owned();
        let note = Some(format!("the time zone \"{tzid}\" is taken as {name}"));
        Some(FoundZone { tz, name: Some(name), note })
    }

    /// No zone does the same: its offset at that time is kept.
    fn offset(&self, tzid: &str, at: DateTime) -> Option<FoundZone> {
        let offset = self.offset_at(at)?;
        let tz = fixed(offset);
        let name = tz.iana_name().map(str::to_owned);
        let note =
            Some(format!("the file's own time zone \"{tzid}\" is like no other; its times are kept as those at UTC{offset}"));
        Some(FoundZone { tz, name, note })
    }

    /// The middle of every month from the year before to the second after.
    fn around(&self) -> Vec<(Timestamp, Offset)> {
        let years = self.year.saturating_sub(1)..=self.year.saturating_add(2);
        let days = years.flat_map(|year| (1..=12_i8).filter_map(move |month| Date::new(year, month, 15).ok()));
        let moments = days.filter_map(|day| TimeZone::UTC.to_timestamp(day.at(12, 0, 0, 0)).ok());
        moments.filter_map(|at| Some((at, self.offset_then(at)?))).collect()
    }

    /// An hour before and after each change of the last years that it describes. What was before the first one nobody says.
    fn changes(&self) -> Vec<(Timestamp, Offset)> {
        let hour = SignedDuration::from_hours(1);
        let real: Vec<&Onset> = self.onsets.iter().skip(1).filter(|onset| onset.from != onset.to).collect();
        let last = real.iter().rev().take(8);
        let moments = last.flat_map(|onset| [onset.at.checked_sub(hour), onset.at.checked_add(hour)]).flatten();
        moments.filter_map(|at| Some((at, self.offset_then(at)?))).collect()
    }

    /// One change each way, years ago and without a rule: a program that left the rules out, and means every year.
    fn pair(&self) -> Option<TimeZone> {
        let [one, two] = <[Onset; 2]>::try_from(self.onsets.clone()).ok()?;
        if self.ruled || one.from != two.to || one.to != two.from || one.from == one.to {
            return None;
        }
        let day = |onset: &Onset| (onset.wall.month(), onset.wall.day());
        let (first_day, second_day) = (day(&one).min(day(&two)), day(&one).max(day(&two)));
        let middle = if day(&one) == first_day { one.to } else { two.to };
        let other = if middle == one.to { two.to } else { one.to };
        let samples = (1..=12_i8).filter_map(|month| {
            let inside = (month, 15) > first_day && (month, 15) < second_day;
            let at = TimeZone::UTC.to_timestamp(Date::new(self.year, month, 15).ok()?.at(12, 0, 0, 0)).ok()?;
            Some((at, if inside { middle } else { other }))
        });
        first(&samples.collect::<Vec<_>>())
    }
}

/// A zone with a name whose clocks are like these in the years around a moment.
pub(super) fn alike(tz: &TimeZone, around: Timestamp) -> Option<TimeZone> {
    let months = (-24..=36_i64).filter_map(|month| around.checked_add(SignedDuration::from_hours(month * 730)).ok());
    let hour = SignedDuration::from_hours(1);
    let changes = tz.following(around).take(4).map(|change| change.timestamp());
    let changes = changes.flat_map(|at| [at.checked_sub(hour), at.checked_add(hour)]).flatten();
    let wanted: Vec<(Timestamp, Offset)> = months.chain(changes).map(|at| (at, tz.to_offset(at))).collect();
    first(&wanted)
}

/// The first zone whose clocks are so at those moments.
fn first(wanted: &[(Timestamp, Offset)]) -> Option<TimeZone> {
    let fits = |tz: &TimeZone| !wanted.is_empty() && wanted.iter().all(|(at, offset)| tz.to_offset(*at) == *offset);
    // `Australia/LHI` is an old name of Lord Howe.
    let old = |name: &str| name.rsplit('/').next().is_none_or(|place| place.chars().all(|c| c.is_ascii_uppercase()));
    let places = |name: &str| name.contains('/') && !old(name) && !DOUBLES.iter().any(|start| name.starts_with(start));
    let database = tz::db();
    let all = database.available().map(|name| name.as_str().to_owned()).filter(|name| places(name));
    COMMON.iter().map(|name| (*name).to_owned()).chain(all).filter_map(|name| get(&name)).find(fits)
}

/// When one of a zone's observances begins, in the years around that one.
fn onsets(part: &Component, year: i16) -> Option<Vec<Onset>> {
    let offset = |name| part.field(name).and_then(|field| offset_of(&field.raw.chars().take(5).collect::<String>()));
    let to = offset(&ICalendarProperty::Tzoffsetto)?;
    let from = offset(&ICalendarProperty::Tzoffsetfrom).unwrap_or(to);
    let before = TimeZone::fixed(from);
    let start = Moment::of(part.field(&ICalendarProperty::Dtstart)?.time()?)?.wall(&before, DateTime::default());
    let mut rule =
        Rule { rrule: part.field(&ICalendarProperty::Rrule).map(|field| field.raw.to_ascii_uppercase()), ..Rule::default() };
    let dates = part.all(&ICalendarProperty::Rdate).flat_map(|field| &field.entry.values);
    rule.rdates = dates.filter_map(|value| Moment::of(value.as_partial_date_time()?)).collect();
    let since = |years: i16| start.with().year(year.saturating_sub(years)).build().ok();
    // Rules without an end may as well begin some years ago as in 1601.
    let endless =
        rule.rrule.as_ref().is_some_and(|rrule| !["COUNT", "UNTIL", "INTERVAL"].iter().any(|word| rrule.contains(word)));
    let begin = since(6).filter(|begin| endless && *begin > start).unwrap_or(start);
    let mut walls = rule.starts_from(begin, &before, begin, ZONE_ONSETS).unwrap_or_else(|_| vec![start]);
    if begin > start {
        // That day was made up: the rule says when the clocks change in that year.
        walls.retain(|wall| *wall != begin);
    }
    let onset = |wall: DateTime| Some(Onset { wall, at: before.to_timestamp(wall).ok()?, from, to });
    Some(walls.into_iter().filter_map(onset).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{lines::lines, parts::parts};
    use super::*;

    fn found(zone: &str, tzid: &str, at: &str) -> Option<FoundZone> {
        let file = format!("BEGIN:VCALENDAR\n{zone}END:VCALENDAR\n");
        let (calendars, _) = parts(lines(file.as_bytes()).0).unwrap();
        Zones::new(calendars.iter()).find(tzid, at.parse().unwrap())
    }

    /// A zone called "Office": of each observance its kind, first onset, offsets, and rule or other line.
    fn office(observances: &[(&str, &str, &str, &str, &str)]) -> String {
        let one = |(kind, start, from, to, more): &(&str, &str, &str, &str, &str)| {
            format!("BEGIN:{kind}\nDTSTART:{start}\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\n{more}END:{kind}\n")
        };
        let all: String = observances.iter().map(one).collect();
        format!("BEGIN:VTIMEZONE\nTZID:Office\n{all}END:VTIMEZONE\n")
    }

    fn name(zone: &str, tzid: &str, at: &str) -> String {
        found(zone, tzid, at).and_then(|found| found.name).unwrap_or_default()
    }

    #[test]
    fn names_are_understood() {
        for (tzid, zone) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("\"europe/berlin\"", "Europe/Berlin"),
            ("Eastern Standard Time", "America/New_York"),
            ("Nepal Standard Time", "Asia/Katmandu"),
            ("custom_America/New_York", "America/New_York"),
            ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
            ("Europe/Lisbon (WET)", "Europe/Lisbon"),
            ("(UTC+01:00) W. Europe Standard Time", "Europe/Berlin"),
            ("Tokyo Standard Time 2", "Asia/Tokyo"),
            ("tzone://Microsoft/Utc", "UTC"),
            ("EET", "EET"),
            ("GMT-0500", "Etc/GMT+5"),
            ("UTC+3", "Etc/GMT-3"),
            ("+02:00", "Etc/GMT-2"),
        ] {
            assert_eq!(name("", tzid, "2024-08-29T08:00"), zone, "{tzid}");
        }
        let half = found("", "UTC+05:30", "2024-08-29T08:00").unwrap();
        assert_eq!((half.name, half.tz.to_offset(Timestamp::UNIX_EPOCH).seconds()), (None, 19_800));
        assert!(found("", "Nowhere", "2024-08-29T08:00").is_none());
        assert!(found("", "Customized Time Zone", "2024-08-29T08:00").is_none());
    }

    #[test]
    fn rules_tell_a_zone() {
        let rule = |text: &str| format!("RRULE:FREQ=YEARLY;{text}\n");
        let (autumn, spring) = (rule("BYDAY=1SU;BYMONTH=11"), rule("BYDAY=2SU;BYMONTH=3"));
        let york = [
            ("STANDARD", "16010101T020000", "-0400", "-0500", autumn.as_str()),
            ("DAYLIGHT", "16010101T020000", "-0500", "-0400", spring.as_str()),
        ];
        let zone = found(&office(&york), "Office", "2024-10-28T17:00").unwrap();
        assert_eq!(zone.name.as_deref(), Some("America/New_York"));
        assert!(zone.note.unwrap().contains("does what"));
        // "EST" alone would be a zone without summers.
        assert_eq!(name(&office(&york).replace("Office", "EST"), "EST", "2024-07-28T17:00"), "America/New_York");
        let (autumn, spring) = (rule("BYDAY=1SU;BYMONTH=4"), rule("BYDAY=1SU;BYMONTH=10"));
        let island = [
            ("STANDARD", "19700405T020000", "+1100", "+1030", autumn.as_str()),
            ("DAYLIGHT", "19701004T020000", "+1030", "+1100", spring.as_str()),
        ];
        assert_eq!(name(&office(&island), "Office", "2027-01-28T17:00"), "Australia/Lord_Howe");
    }

    #[test]
    fn onsets_and_dates_tell_a_zone() {
        let single = office(&[
            ("STANDARD", "20251102T020000", "-0500", "-0600", ""),
            ("DAYLIGHT", "20260308T020000", "-0600", "-0500", ""),
            ("STANDARD", "20261101T020000", "-0500", "-0600", ""),
        ]);
        for at in ["2026-01-15T10:00", "2026-07-15T10:00", "2027-07-15T10:00", "2030-07-15T10:00"] {
            assert_eq!(name(&single, "Office", at), "America/Chicago", "{at}");
        }
        let dates = office(&[
            ("STANDARD", "20241027T040000", "+0300", "+0200", "RDATE:20241027T040000,20251026T040000,20261025T040000\n"),
            ("DAYLIGHT", "20240331T030000", "+0200", "+0300", "RDATE:20250330T030000\nRDATE:20260329T030000\n"),
        ]);
        assert_eq!(name(&dates, "Office", "2026-07-15T10:00"), "Europe/Athens");
        let pair = office(&[
            ("STANDARD", "19701025T030000", "+0200", "+0100", ""),
            ("DAYLIGHT", "19700329T020000", "+0100", "+0200", ""),
        ]);
        assert_eq!(name(&pair, "Office", "2026-07-15T10:00"), "Europe/Berlin");
        let always = office(&[("STANDARD", "19700101T000000", "+0545", "+0545", "")]);
        assert_eq!(name(&always, "Office", "2026-07-15T10:00"), "Asia/Kathmandu");
    }

    #[test]
    fn a_zone_like_no_other_keeps_its_offset() {
        let odd = office(&[("STANDARD", "19700101T000000", "-0810", "-0810", "")]);
        let zone = found(&odd, "Office", "2024-12-28T17:00").unwrap();
        assert_eq!((zone.name, zone.tz.to_offset(Timestamp::UNIX_EPOCH).seconds()), (None, -29_400));
        let both = office(&[
            ("STANDARD", "19701025T030000", "+0400", "-0800", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\n"),
            ("DAYLIGHT", "19700329T020000", "-0800", "+0400", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\n"),
        ]);
        assert_eq!(name(&both, "Office", "2024-12-28T17:00"), "Etc/GMT+8");
        assert_eq!(name(&both, "Office", "2024-07-28T17:00"), "Etc/GMT-4");
    }

    #[test]
    fn a_file_that_disagrees_with_its_zone_is_named() {
        let old = office(&[
            ("STANDARD", "16010101T000000", "+0430", "+0330", "RRULE:FREQ=YEARLY;BYDAY=3TU;BYMONTH=9\n"),
            ("DAYLIGHT", "16010101T000000", "+0330", "+0430", "RRULE:FREQ=YEARLY;BYDAY=4SU;BYMONTH=3\n"),
        ]);
        let old = old.replace("Office", "Iran Standard Time");
        let winter = found(&old, "Iran Standard Time", "2026-12-15T18:00").unwrap();
        assert_eq!((winter.name.as_deref(), winter.note), (Some("Asia/Tehran"), None));
        let summer = found(&old, "Iran Standard Time", "2026-07-15T18:00").unwrap();
        assert!(summer.name.as_deref() == Some("Asia/Tehran") && summer.note.unwrap().contains("+04:30"));
    }
}
