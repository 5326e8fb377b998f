//! What a person types about time, made exact: which zone, which instant, and what the change of clocks does to it.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{is_day, local_text, natural, parse_local};
use crate::error::{Result, usage};

/// What was typed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Typed<'a> {
    pub(crate) starts: &'a str,
    pub(crate) ends: Option<&'a str>,
    pub(crate) duration: Option<std::time::Duration>,
    pub(crate) tz: Option<&'a str>,
    /// Was the zone named together with the times? Then an offset among them has to be that zone's.
    pub(crate) tz_named: bool,
}

/// What it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) starts: String,
    pub(crate) ends: String,
    pub(crate) starts_local: String,
    pub(crate) ends_local: String,
    pub(crate) tz: String,
    /// What the person should know: a time that does not exist, or exists twice.
    pub(crate) notes: Vec<String>,
}

/// The zone that was named, else this computer's.
pub(crate) fn zone(named: Option<&str>) -> Result<(TimeZone, String)> {
    match named {
        Some(name) => {
            let tz = TimeZone::get(name).map_err(|_| {
                usage(
                    format!("No time zone is called `{name}`."),
                    "Zones are named after places: Europe/Madrid, America/New_York, UTC.",
                )
            })?;
            let canonical = zone_name(tz.iana_name().unwrap_or(name)).to_owned();
            Ok((tz, canonical))
        }
        None => own(TimeZone::system(), std::env::var("TZ").is_ok_and(|tz| !tz.is_empty())),
    }
}

/// A zone as people are told of it: the one without an offset has many names.
pub(crate) fn zone_name(name: &str) -> &str {
    match name {
        "Etc/UTC" | "Etc/UCT" | "Etc/Universal" | "Etc/Zulu" | "UCT" | "Universal" | "Zulu" => "UTC",
        name => name,
    }
}

/// This computer's zone under a name that others know too. `said`: somebody set it by hand.
fn own(tz: TimeZone, said: bool) -> Result<(TimeZone, String)> {
    if tz.is_unknown() && !said {
        return Ok((TimeZone::UTC, "UTC".to_owned()));
    }
    if let Some(name) = tz.iana_name().filter(|_| !tz.is_unknown()).map(str::to_owned) {
        return Ok((tz, zone_name(&name).to_owned()));
    }
    let known = if tz.is_unknown() { None } else { super::zone::alike(&tz, Timestamp::now()) };
    let named = known.and_then(|tz| tz.iana_name().map(str::to_owned).map(|name| (tz, name)));
    named.ok_or_else(|| usage("This computer's time zone has no name.", "Name one with --tz, such as Europe/Madrid."))
}

impl When {
    /// Make what was typed exact.
    pub(crate) fn resolve(typed: Typed<'_>) -> Result<Self> {
        let (tz, tz_name) = zone(typed.tz)?;
        let all_day = is_day(typed.starts);
        let local = |text: &str| local(text, &tz, typed.tz_named);
        let start = local(typed.starts)?;
        let mut notes = Vec::new();
        let starts = instant(start, &tz, &tz_name, all_day, &mut notes)?;
        // A time that the clocks skip is written down as the one it is taken for.
        let start = if all_day { start } else { tz.to_datetime(starts) };
        let end = match (typed.ends, typed.duration) {
            (Some(_), Some(_)) => return Err(usage("Both an end and a length were given.", "Give --ends or --duration.")),
            (Some(ends), None) if is_day(ends) != all_day => {
                return Err(usage(
                    "The start is a day and the end is a time, or the other way around.",
                    "Write both as days, or both with a time.",
                ));
            }
            // Days are typed as people say them, the last one included; calendars keep the day after.
            (Some(ends), None) if all_day => Some(local(ends)?.saturating_add(1.day())),
            (Some(ends), None) => Some(local(ends)?),
            (None, Some(length)) if all_day => Some(start.saturating_add(days(length)?.days())),
            (None, Some(length)) => Some(tz.to_datetime(later(starts, length)?)),
            (None, None) => None,
        };
        let mut when = Self {
            starts: starts.to_string(),
            ends: String::new(),
            starts_local: local_text(start, all_day),
            ends_local: String::new(),
            tz: tz_name.clone(),
            notes,
        };
        if let Some(end) = end {
            let ends = match (typed.ends, typed.duration) {
                // A length is time that passes, so the end is certain even where the wall clock is not.
                (None, Some(length)) if !all_day => later(starts, length)?,
                _ => instant(end, &tz, &tz_name, all_day, &mut when.notes)?,
            };
            if ends <= starts {
                return Err(usage("It would end before it starts.", "Look at --starts and --ends again."));
            }
            when.ends = ends.to_string();
            // As the start: an end that the clocks skip is written down as the one it is taken for.
            let end = if all_day { end } else { tz.to_datetime(ends) };
            when.ends_local = local_text(end, all_day);
        }
        Ok(when)
    }
}

fn later(at: Timestamp, length: std::time::Duration) -> Result<Timestamp> {
    let too_long = |_| usage("That is too long.", "");
    let length = SignedDuration::try_from(length).map_err(too_long)?;
    at.checked_add(length).map_err(too_long)
}

fn days(length: std::time::Duration) -> Result<i64> {
    let seconds = i64::try_from(length.as_secs()).unwrap_or(i64::MAX);
    if seconds == 0 || seconds % 86_400 != 0 || seconds > 86_400 * 3_660 {
        return Err(usage("An event of whole days lasts whole days.", "Say --duration 1d, or give --starts a time."));
    }
    Ok(seconds / 86_400)
}

/// On the wall clock of the zone. With an offset (`+02:00`, `Z`) it is a moment, which is told on that clock; where the zone was
/// named together with it, both have to say the same.
pub(crate) fn local(text: &str, tz: &TimeZone, tz_named: bool) -> Result<DateTime> {
    if let Some(local) = parse_local(text) {
        return Ok(local);
    }
    if text.contains('[') {
        return Err(usage(
            format!("\"{text}\" holds a time zone in brackets."),
            "Name the zone with --tz, such as --tz Europe/Madrid.",
        ));
    }
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return on_the_clock(text, stamp, tz, tz_named);
    }
    if let Some(word) = natural::without_a_time(text) {
        let hint = "Add one: \"tonight 20:00\", \"tomorrow 9:00\".";
        return Err(usage(format!("\"{word}\" does not say at what time."), hint));
    }
    Err(usage(
        format!("I don't understand the time \"{text}\"."),
        "Try \"tomorrow 18:00\", \"fri 9:00\", 2026-12-01T18:00, or 2026-12-01 for a whole day.",
    ))
}

/// A moment on the wall clock, where that says the same.
fn on_the_clock(text: &str, stamp: Timestamp, tz: &TimeZone, tz_named: bool) -> Result<DateTime> {
    let (local, name) = (tz.to_datetime(stamp), tz.iana_name().unwrap_or("this computer's zone"));
    // A time that ends with `Z` has no reading without it, so it conflicts with nothing.
    if tz_named && text.parse::<DateTime>().is_ok_and(|said| said != local) {
        return Err(usage(
            format!("The offset in \"{text}\" is not that of {name}, where it is {} then.", local.strftime("%H:%M")),
            "Leave the offset or --tz away.",
        ));
    }
    if tz.to_timestamp(local).is_ok_and(|first| first != stamp) {
        return Err(usage(
            format!(
                "In {name} {} comes twice, as the clocks go back, and this is the second one.",
                local.strftime("%Y-%m-%d %H:%M")
            ),
            "Name a zone without such a change, such as --tz UTC, and take the offset away.",
        ));
    }
    Ok(local)
}

fn instant(at: DateTime, tz: &TimeZone, name: &str, all_day: bool, notes: &mut Vec<String>) -> Result<Timestamp> {
    let ambiguous = tz.to_ambiguous_zoned(at);
    let shown = at.strftime("%Y-%m-%d %H:%M");
    let offset = ambiguous.offset();
    let zoned = ambiguous.compatible().map_err(|_| usage(format!("{shown} is out of range."), ""))?;
    if !all_day {
        match offset {
            AmbiguousOffset::Unambiguous { .. } => {}
            AmbiguousOffset::Gap { .. } => {
                notes.push(format!("In {name} the clocks go forward over {shown}; it is taken as {}.", zoned.strftime("%H:%M")));
            }
            AmbiguousOffset::Fold { .. } => {
                notes.push(format!("In {name} {shown} comes twice, as the clocks go back; the first is taken."));
            }
        }
    }
    Ok(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(starts: &str, ends: Option<&str>, hours: Option<u64>, tz: &str) -> Result<When> {
        let duration = hours.map(|h| std::time::Duration::from_secs(h * 3_600));
        When::resolve(Typed { starts, ends, duration, tz: Some(tz), tz_named: false })
    }

    #[test]
    fn an_evening_in_madrid() {
        let when = resolve("2026-12-01T18:00", None, Some(1), "Europe/Madrid").unwrap();
        assert_eq!(when.starts, "2026-12-01T17:00:00Z");
        assert_eq!(when.ends, "2026-12-01T18:00:00Z");
        assert_eq!((when.starts_local.as_str(), when.ends_local.as_str()), ("2026-12-01T18:00:00", "2026-12-01T19:00:00"));
        assert_eq!(when.tz, "Europe/Madrid");
        assert!(when.notes.is_empty());
        assert_eq!(resolve("2026-12-01T17:00:00Z", None, Some(1), "Europe/Madrid").unwrap(), when);
        assert_eq!(resolve("2026-12-01 18:00", None, Some(1), "europe/madrid").unwrap(), when);
    }

    #[test]
    fn an_offset_says_the_moment() {
        for (starts, tz, local) in [
            ("2026-12-01T18:00+02:00", "UTC", "2026-12-01T16:00:00"),
            ("2026-12-01T18:00+05:00", "Europe/Madrid", "2026-12-01T14:00:00"),
            ("2026-12-01 23:30-05", "Asia/Kolkata", "2026-12-02T10:00:00"),
            ("2026-12-01T18:00:00+0530", "Europe/Madrid", "2026-12-01T13:30:00"),
            ("2026-12-01T18:00z", "Asia/Tokyo", "2026-12-02T03:00:00"),
        ] {
            let when = resolve(starts, Some("2026-12-05T12:00+00:00"), None, tz).unwrap();
            assert_eq!((when.starts_local.as_str(), when.ends.as_str()), (local, "2026-12-05T12:00:00Z"), "{starts} in {tz}");
        }
        let named = |starts: &str, tz: &str| {
            When::resolve(Typed { starts, tz: Some(tz), tz_named: true, ..Typed::default() }).map(|when| when.starts)
        };
        assert!(named("2026-12-01T18:00+02:00", "Europe/Madrid").unwrap_err().to_string().contains("Europe/Madrid"));
        assert_eq!(named("2026-12-01T18:00+01:00", "Europe/Madrid").unwrap(), "2026-12-01T17:00:00Z");
        assert_eq!(named("2026-12-01T17:00Z", "Europe/Madrid").unwrap(), "2026-12-01T17:00:00Z");
        // Twice 02:30: the wall clock means the first.
        assert_eq!(resolve("2026-10-25T02:30+02:00", None, None, "Europe/Madrid").unwrap().starts, "2026-10-25T00:30:00Z");
        assert!(resolve("2026-10-25T02:30+01:00", None, None, "Europe/Madrid").unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn what_is_half_understood_is_refused() {
        for text in [
            "2026-12-01T18:00[Europe/Madrid]",
            "2026-12-01T18:00+01:00[Europe/Madrid]",
            "2026-12-01T18:00 UTC",
            "2026-12-01 18:00 +02:00",
            "2026-12-01T18:00pm",
            "2026-12-01T18:00+27:00",
            "2026-12-01+02:00",
            "tonight",
            "tomorrow evening",
        ] {
            assert!(resolve(text, None, None, "UTC").is_err(), "{text}");
        }
        assert!(resolve("tonight", None, None, "UTC").unwrap_err().to_string().contains("at what time"));
    }

    #[test]
    fn gaps_and_folds_are_explained() {
        let gap = resolve("2026-03-29T02:30", None, Some(1), "Europe/Madrid").unwrap();
        assert_eq!((gap.starts.as_str(), gap.starts_local.as_str()), ("2026-03-29T01:30:00Z", "2026-03-29T03:30:00"));
        assert!(gap.notes[0].contains("forward"), "{:?}", gap.notes);
        let fold = resolve("2026-10-25T02:30", None, Some(1), "Europe/Madrid").unwrap();
        assert_eq!(fold.starts, "2026-10-25T00:30:00Z");
        assert!(fold.notes[0].contains("twice"));
        let skipped = resolve("2027-03-28T01:15", Some("2027-03-28T02:45"), None, "Europe/Berlin").unwrap();
        assert_eq!((skipped.ends.as_str(), skipped.ends_local.as_str()), ("2027-03-28T01:45:00Z", "2027-03-28T03:45:00"));
        assert!(skipped.notes[0].contains("03:45"), "{:?}", skipped.notes);
    }

    #[test]
    fn whole_days_end_the_day_after() {
        let day = resolve("2026-12-24", None, None, "Europe/Madrid").unwrap();
        assert_eq!(
            (day.starts.as_str(), day.starts_local.as_str(), day.ends.as_str()),
            ("2026-12-23T23:00:00Z", "2026-12-24", "")
        );
        let days = resolve("2026-12-24", Some("2026-12-26"), None, "Europe/Madrid").unwrap();
        assert_eq!(days.ends_local, "2026-12-27");
    }

    #[test]
    fn a_zone_without_a_name_is_found_or_refused() {
        let posix = |text: &str| own(TimeZone::posix(text).unwrap(), true).map(|(_, name)| name);
        assert_eq!(posix("EST5EDT,M3.2.0,M11.1.0").unwrap(), "America/New_York");
        assert_eq!(posix("IST-5:30").unwrap(), "Asia/Kolkata");
        assert!(posix("XYZ5:17").is_err());
        assert!(own(TimeZone::unknown(), true).is_err());
        assert_eq!(own(TimeZone::unknown(), false).unwrap().1, "UTC");
        assert_eq!(own(TimeZone::get("Etc/UTC").unwrap(), true).unwrap().1, "UTC");
        assert_eq!(zone(Some("etc/utc")).unwrap().1, "UTC");
    }

    #[test]
    fn mistakes_are_named() {
        assert!(resolve("tomorrow", None, None, "UTC").is_err());
        assert!(resolve("2026-12-01T18:00", Some("2026-12-01T17:00"), None, "UTC").is_err());
        assert!(resolve("2026-12-01T18:00", None, None, "Europe/Nowhere").is_err());
        assert!(resolve("2026-12-01T18:00", Some("2026-12-02"), None, "UTC").is_err());
        assert!(resolve("2026-12-01", None, Some(1), "UTC").is_err());
    }
}
