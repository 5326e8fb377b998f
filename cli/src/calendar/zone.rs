//! Time zones as calendar files name them: IANA names, names with something before them, Windows names, and zones that a
//! file describes itself.

use icalendar::parser::Component;
use jiff::civil::{Date, DateTime};
use jiff::tz::{self, Offset, TimeZone};

use super::rule::{Moment, Rule};

/// A zone of a file, and how sure we are.
#[derive(Clone, Debug)]
pub(crate) struct FoundZone {
    pub(crate) tz: TimeZone,
    pub(crate) name: String,
    /// What the person should know about the choice.
    pub(crate) note: Option<String>,
}

/// Windows' names for the commoner zones (Unicode CLDR, windowsZones).
const WINDOWS: &[(&str, &str)] = &[
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Standard Time", "America/Chicago"),
    ("China Standard Time", "Asia/Shanghai"),
    ("E. Africa Standard Time", "Africa/Nairobi"),
    ("E. Australia Standard Time", "Australia/Brisbane"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Eastern Standard Time", "America/New_York"),
    ("FLE Standard Time", "Europe/Kyiv"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("India Standard Time", "Asia/Kolkata"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Mountain Standard Time", "America/Denver"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Pacific SA Standard Time", "America/Santiago"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Pakistan Standard Time", "Asia/Karachi"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("SA Pacific Standard Time", "America/Bogota"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("UTC", "UTC"),
    ("W. Central Africa Standard Time", "Africa/Lagos"),
    ("W. Europe Standard Time", "Europe/Berlin"),
];

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

/// The zone a `TZID` means, at about that time.
pub(crate) fn find(tzid: &str, described: &[&Component<'_>], at: DateTime) -> Option<FoundZone> {
    let tzid = tzid.trim().trim_matches('"');
    let certain = |tz: TimeZone, note| named(tz, tzid).map(|(tz, name)| FoundZone { tz, name, note });
    if let Some(tz) = get(tzid).or_else(|| windows(tzid)) {
        return certain(tz, None);
    }
    let own = described.iter().find(|zone| property(zone, "TZID").is_some_and(|id| id.trim_matches('"') == tzid));
    if let Some(tz) = own.and_then(|zone| get(property(zone, "X-LIC-LOCATION")?)) {
        return certain(tz, None);
    }
    if let Some(tz) = tail(tzid) {
        let name = tz.iana_name().unwrap_or_default().to_owned();
        return certain(tz, Some(format!("the time zone \"{tzid}\" is taken as {name}")));
    }
    described_zone(tzid, own?, at)
}

/// A zone that only the file knows: one that does the same, else a fixed offset.
fn described_zone(tzid: &str, own: &Component<'_>, at: DateTime) -> Option<FoundZone> {
    let wanted: Vec<(DateTime, Offset)> = samples(at).filter_map(|dt| offset_at(own, dt).map(|offset| (dt, offset))).collect();
    let fits = |tz: &TimeZone| {
        !wanted.is_empty() && wanted.iter().all(|(dt, offset)| tz.to_zoned(*dt).is_ok_and(|z| z.offset() == *offset))
    };
    let database = tz::db();
    let names = COMMON.iter().map(|name| (*name).to_owned()).chain(database.available().map(|name| name.as_str().to_owned()));
    if let Some(tz) = names.filter_map(|name| get(&name)).find(fits) {
        let name = tz.iana_name()?.to_owned();
        let note = Some(format!("the file's own time zone \"{tzid}\" does what {name} does, and is taken as that"));
        return Some(FoundZone { tz, name, note });
    }
    // No zone does the same. Whole hours have fixed zones with names; the sign in those names is the other way round.
    let seconds = offset_at(own, at)?.seconds();
    let hours = seconds / 3_600;
    let name = match (seconds % 3_600, hours) {
        (0, 0) => "UTC".to_owned(),
        (0, hours) => format!("Etc/GMT{:+}", -hours),
        _ => "UTC".to_owned(),
    };
    let tz = get(&name)?;
    let note = Some(format!("the file's own time zone \"{tzid}\" is like no other; its offset at the start is kept, as {name}"));
    Some(FoundZone { tz, name, note })
}

/// The instant of a wall-clock time by a file's own description.
fn offset_at(zone: &Component<'_>, at: DateTime) -> Option<Offset> {
    let mut best: Option<(DateTime, Offset)> = None;
    let mut first: Option<(DateTime, Offset)> = None;
    for part in zone.components.iter().filter(|part| matches!(part.name.as_str(), "STANDARD" | "DAYLIGHT")) {
        let Some((start, to)) = onset(part) else { continue };
        if first.is_none_or(|(known, _)| start < known) {
            first = offset(property(part, "TZOFFSETFROM")?).map(|from| (start, from));
        }
        if let Some(last) = changes(part).last_until(start, at)
            && best.is_none_or(|(known, _)| last > known)
        {
            best = Some((last, to));
        }
    }
    best.or(first).map(|(_, offset)| offset)
}

fn onset(part: &Component<'_>) -> Option<(DateTime, Offset)> {
    let start = match Moment::parse(property(part, "DTSTART")?)? {
        Moment::Local(at) => at,
        Moment::Day(day) => day.at(0, 0, 0, 0),
        Moment::Utc(_) => return None,
    };
    Some((start, offset(property(part, "TZOFFSETTO")?)?))
}

fn changes(part: &Component<'_>) -> Rule {
    let mut text: Vec<String> = property(part, "RRULE").map(str::to_owned).into_iter().collect();
    text.extend(part.properties.iter().filter(|p| p.name.as_str() == "RDATE").map(|p| format!("RDATE:{}", p.val.as_str())));
    Rule::parse(&text.join("\n")).unwrap_or_default()
}

/// `+0200`, `-0530`, `+013000`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.trim().split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let part = |from: usize| digits.get(from..from + 2).map_or(Some(0), |two| two.parse::<i32>().ok());
    if digits.len() < 4 {
        return None;
    }
    Offset::from_seconds(sign * (part(0)? * 3_600 + part(2)? * 60 + part(4)?)).ok()
}

/// The middle of every month of the start's year and the two after.
fn samples(at: DateTime) -> impl Iterator<Item = DateTime> {
    let year = at.year();
    (0..3_i16)
        .flat_map(move |more| (1..=12_i8).filter_map(move |month| Date::new(year.saturating_add(more), month, 15).ok()))
        .map(|day| day.at(12, 0, 0, 0))
}

fn get(name: &str) -> Option<TimeZone> {
    let plausible = name.contains('/') || name == "UTC" || name == "GMT";
    if plausible { TimeZone::get(name).ok() } else { None }
}

fn windows(name: &str) -> Option<TimeZone> {
    WINDOWS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).and_then(|(_, iana)| get(iana))
}

/// `custom_America/New_York`, `/mozilla.org/20050126_1/Europe/Berlin`: the longest end that is a zone.
fn tail(tzid: &str) -> Option<TimeZone> {
    let starts = tzid.char_indices().filter(|(_, c)| !c.is_alphanumeric()).map(|(at, c)| at + c.len_utf8());
    starts.filter_map(|at| tzid.get(at..)).find_map(get)
}

fn named(tz: TimeZone, fallback: &str) -> Option<(TimeZone, String)> {
    let name = tz.iana_name().unwrap_or(fallback).to_owned();
    Some((tz, name))
}

fn property<'a>(component: &'a Component<'_>, name: &str) -> Option<&'a str> {
    component.properties.iter().find(|p| p.name.as_str().eq_ignore_ascii_case(name)).map(|p| p.val.as_str())
}

#[cfg(test)]
mod tests {
    use icalendar::parser::{read_calendar_simple, unfold};

    use super::*;

    fn found(file: &str, tzid: &str, at: &str) -> Option<FoundZone> {
        let text = unfold(file);
        let roots = if file.is_empty() { Vec::new() } else { read_calendar_simple(&text).unwrap() };
        let zones: Vec<&Component<'_>> = roots.iter().collect();
        find(tzid, &zones, at.parse().unwrap())
    }

    const OWN: &str = "BEGIN:VTIMEZONE\nTZID:Office\nBEGIN:STANDARD\nDTSTART:16010101T020000\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500\n\
        RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400\n\
        RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n";

    #[test]
    fn names_are_understood() {
        for (tzid, name) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("\"Europe/Berlin\"", "Europe/Berlin"),
            ("Eastern Standard Time", "America/New_York"),
            ("custom_America/New_York", "America/New_York"),
            ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ] {
            assert_eq!(found("", tzid, "2024-08-29T08:00").unwrap().name, name, "{tzid}");
        }
        assert!(found("", "Nowhere", "2024-08-29T08:00").is_none());
    }

    #[test]
    fn a_zone_is_recognised_by_what_it_does() {
        let zone = found(OWN, "Office", "2024-10-28T17:00").unwrap();
        assert_eq!(zone.name, "America/New_York");
        assert!(zone.note.unwrap().contains("does what"));
    }

    #[test]
    fn a_zone_like_no_other_keeps_its_offset() {
        let odd = OWN.replace("TZOFFSETTO:-0500", "TZOFFSETTO:-0800");
        let zone = found(&odd, "Office", "2024-12-28T17:00").unwrap();
        assert_eq!(zone.name, "Etc/GMT+8");
    }

    #[test]
    fn offsets() {
        assert_eq!(offset("+0530").unwrap().seconds(), 19_800);
        assert_eq!(offset("-013000").unwrap().seconds(), -5_400);
        assert!(offset("0530").is_none() && offset("+5").is_none());
    }
}
