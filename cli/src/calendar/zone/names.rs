//! What names for time zones mean: IANA names with something before or after them, Windows names, what Windows shows, offsets.

use std::str::FromStr;

use calcard::common::timezone::Tz;
use jiff::civil::{Date, DateTime};
use jiff::tz::{self, Offset, TimeZone};

use super::{COMMON, DOUBLES, fixed};
use crate::limits::ZONE_PLACES;

/// Names of Windows that the library does not know, or knows otherwise than Unicode's list (CLDR, `windowsZones`).
const WINDOWS: &[(&str, &str)] = &[
    ("Alberta", "America/Edmonton"),
    ("British Columbia", "America/Vancouver"),
    ("Central Asia", "Asia/Bishkek"),
    ("Manitoba", "America/Winnipeg"),
    ("South Sudan", "Africa/Juba"),
    ("Mountain Standard Time (Mexico)", "America/Mazatlan"),
];

/// Places that Windows shows and after which no zone is called, in small letters.
const PLACES: &[(&str, &str)] = &[
    ("abu dhabi", "Asia/Dubai"),
    ("alaska", "America/Anchorage"),
    ("aleutian", "America/Adak"),
    ("arizona", "America/Phoenix"),
    ("astana", "Asia/Almaty"),
    ("atlantic time", "America/Halifax"),
    ("baja california", "America/Tijuana"),
    ("beijing", "Asia/Shanghai"),
    ("brasilia", "America/Sao_Paulo"),
    ("cabo verde", "Atlantic/Cape_Verde"),
    ("central america", "America/Guatemala"),
    ("central time", "America/Chicago"),
    ("city of buenos aires", "America/Argentina/Buenos_Aires"),
    ("e. europe", "Europe/Chisinau"),
    ("eastern time", "America/New_York"),
    ("ekaterinburg", "Asia/Yekaterinburg"),
    ("greenland", "America/Nuuk"),
    ("haiti", "America/Port-au-Prince"),
    ("hawaii", "Pacific/Honolulu"),
    ("indiana", "America/Indiana/Indianapolis"),
    ("international date line west", "Etc/GMT+12"),
    ("mountain time", "America/Denver"),
    ("new delhi", "Asia/Kolkata"),
    ("newfoundland", "America/St_Johns"),
    ("nuku'alofa", "Pacific/Tongatapu"),
    ("pacific time", "America/Los_Angeles"),
    ("petropavlovsk-kamchatsky", "Asia/Kamchatka"),
    ("port louis", "Indian/Mauritius"),
    ("pretoria", "Africa/Johannesburg"),
    ("saint pierre and miquelon", "America/Miquelon"),
    ("salvador", "America/Bahia"),
    ("samoa", "Pacific/Apia"),
    ("saskatchewan", "America/Regina"),
    ("solomon", "Pacific/Guadalcanal"),
    ("sri jayawardenepura", "Asia/Colombo"),
    ("turks and caicos", "America/Grand_Turk"),
    ("west central africa", "Africa/Lagos"),
    ("yukon", "America/Whitehorse"),
];

/// The zone of a name that can hardly be meant otherwise.
pub(super) fn certain(name: &str) -> Option<TimeZone> {
    let (_, bare) = split(name);
    // `GMT Standard Time 1`
    let first = bare.trim_end_matches(|c: char| c.is_ascii_digit()).strip_suffix(' ').unwrap_or(bare);
    if is_utc(bare) {
        return Some(TimeZone::UTC);
    }
    get(bare).or_else(|| windows(bare)).or_else(|| windows(first)).or_else(|| ends(bare))
}

/// What a name may mean: a place, a word that the library knows, an offset.
pub(super) fn guess(name: &str, at: DateTime) -> Option<TimeZone> {
    let (before, bare) = split(name);
    let offset = if is_utc(before) { Some(Offset::UTC) } else { offset_of(before) };
    let word = || known(bare).filter(|tz| offset.is_none_or(|offset| winter(tz, at.year()) == Some(offset)));
    place(bare, offset, at).or_else(word).or_else(|| offset_of(bare).or(offset).map(fixed))
}

/// `(UTC+01:00) Amsterdam, Berlin`: what stands in the brackets, which is the offset of its winter, and what is behind them.
fn split(name: &str) -> (&str, &str) {
    let name = name.trim().trim_matches('"').trim();
    let name = name.rsplit_once("Microsoft/").map_or(name, |(_, name)| name);
    let (before, bare) = name.strip_prefix('(').and_then(|rest| rest.split_once(')')).unwrap_or(("", name));
    (before.trim(), bare.trim())
}

pub(super) fn is_utc(name: &str) -> bool {
    ["UTC", "GMT", "Z", "Etc/UTC", "Coordinated Universal Time"].iter().any(|utc| utc.eq_ignore_ascii_case(name))
}

pub(super) fn get(name: &str) -> Option<TimeZone> {
    TimeZone::get(name.trim()).ok().filter(|tz| tz.iana_name().is_some_and(|name| name != "Etc/Unknown"))
}

/// Windows' own names, those of its summers too. Words that the library knows besides are guesses.
fn windows(name: &str) -> Option<TimeZone> {
    let name = name.replace(" Daylight Time", " Standard Time").replace(" Summer Time", " Standard Time");
    if !name.contains(" Standard Time") && !name.starts_with("Russia Time Zone ") {
        return None;
    }
    let bare = name.strip_suffix(" Standard Time").unwrap_or(&name);
    let ours = WINDOWS.iter().find(|(known, _)| known.eq_ignore_ascii_case(bare) || known.eq_ignore_ascii_case(&name));
    ours.and_then(|(_, zone)| get(zone)).or_else(|| known(&name))
}

/// The library reads what stands in brackets in whole hours only.
fn known(name: &str) -> Option<TimeZone> {
    let name = Some(name).filter(|name| !name.starts_with('('))?;
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

/// The zone of the places that a name lists. `offset` is that of its winter; in other years that may have been another one.
fn place(bare: &str, offset: Option<Offset>, at: DateTime) -> Option<TimeZone> {
    let lower = bare.to_lowercase();
    let words: Vec<String> =
        lower.split([',', ';', ':']).map(place_word).filter(|word| !word.is_empty()).take(ZONE_PLACES).collect();
    let ours = words.iter().filter_map(|word| PLACES.iter().find(|(place, _)| place == word)).map(|(_, zone)| *zone);
    let database = tz::db();
    let all: Vec<String> = database.available().map(|name| name.as_str().to_owned()).collect();
    let real = |name: &&String| name.contains('/') && !DOUBLES.iter().any(|start| name.starts_with(start));
    let called = |word: &str| {
        let is = |name: &&String| name.rsplit('/').next().is_some_and(|place| place.replace('_', " ").to_lowercase() == *word);
        all.iter().filter(real).filter(is).map(String::as_str).collect::<Vec<_>>()
    };
    let theirs: Vec<&str> = words.iter().flat_map(|word| called(word)).collect();
    let found: Vec<&str> = ours.chain(theirs).collect();
    let in_year = |year: i16| {
        let fits = |name: &&&str| offset.is_none_or(|offset| get(name).is_some_and(|tz| winter(&tz, year) == Some(offset)));
        let fitting: Vec<&str> = found.iter().filter(fits).copied().collect();
        let common = COMMON.iter().find(|name| fitting.contains(name)).copied();
        common.or_else(|| fitting.first().copied()).and_then(get)
    };
    in_year(at.year()).or_else(|| (2000..=2026).rev().find_map(in_year))
}

/// `Chatham Islands`, `Yangon (Rangoon)`: the place alone.
fn place_word(text: &str) -> String {
    let text = text.split('(').next().unwrap_or_default().trim().trim_end_matches(" - old");
    let text = [" islands", " island", " is."].into_iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text);
    text.trim().to_owned()
}

/// The lesser offset of a year.
fn winter(tz: &TimeZone, year: i16) -> Option<Offset> {
    let at = |month: i8| Some(tz.to_zoned(Date::new(year, month, 15).ok()?.at(12, 0, 0, 0)).ok()?.offset());
    Some(at(1)?.min(at(7)?))
}

/// `GMT+0200`, `UTC-5`, `+05:30`: what has been added to UTC.
pub(super) fn offset_of(name: &str) -> Option<Offset> {
    let upper = name.trim().to_ascii_uppercase();
    let rest = upper.strip_prefix("GMT").or_else(|| upper.strip_prefix("UTC")).unwrap_or(&upper).trim();
    if !rest.starts_with(['+', '-', '−']) {
        return None;
    }
    offset(rest)
}

/// `+0100`, `-053000`, `+05:30`, `1`: hours, minutes and seconds.
pub(super) fn offset(text: &str) -> Option<Offset> {
    let text = text.trim();
    let (sign, rest) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') {
        return None;
    }
    let parts: Vec<&str> = match (rest.contains(':'), rest.len()) {
        (true, _) => rest.split(':').collect(),
        (false, 1 | 2) => vec![rest],
        (false, 4) => vec![rest.get(..2)?, rest.get(2..)?],
        (false, 6) => vec![rest.get(..2)?, rest.get(2..4)?, rest.get(4..)?],
        (false, _) => return None,
    };
    let number = |at: usize| parts.get(at).map_or(Some(0), |text| text.parse::<i32>().ok().filter(|n| *n < 60));
    let seconds = number(0)? * 3_600 + number(1)? * 60 + number(2)?;
    Offset::from_seconds(sign * seconds).ok().filter(|_| parts.len() <= 3)
}
