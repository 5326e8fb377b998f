//! Days and times as people write them into tables.
//!
//! `31/01/2027` tells by itself what is the day; `03/04/2027` does not. One column is written by one habit, so what one of its
//! cells tells holds for the others.

use jiff::civil::{Date, Time};

/// Which number comes first where a year comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// `31/01/2027`.
    Day,
    /// `01/31/2027`.
    Month,
    /// No cell tells, or two tell different things.
    Unknown,
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DayAndTime {
    pub(crate) day: Date,
    pub(crate) time: Option<Time>,
}

impl DayAndTime {
    /// As [`crate::calendar::when`] reads it.
    pub(crate) fn text(self) -> String {
        self.time.map_or_else(|| self.day.to_string(), |time| self.day.to_datetime(time).to_string())
    }
}

/// The habit of a column.
pub(crate) fn order<'a>(cells: impl Iterator<Item = &'a str>) -> Order {
    let (mut day, mut month) = (false, false);
    for cell in cells {
        let (date, _) = parted(cell);
        let Some((first, second, _, dotted)) = numbers(date) else { continue };
        day |= dotted || first > 12;
        month |= !dotted && second > 12;
    }
    match (day, month) {
        (true, false) => Order::Day,
        (false, true) => Order::Month,
        (true, true) | (false, false) => Order::Unknown,
    }
}

/// A day, and a time where one is told; none where it is neither, or could be two.
pub(crate) fn read(cell: &str, order: Order) -> Option<DayAndTime> {
    let (date, time) = parted(cell.trim());
    let day = day(date, order)?;
    let time = if time.is_empty() { None } else { Some(clock(time)?) };
    Some(DayAndTime { day, time })
}

/// The date and the time of a cell.
fn parted(cell: &str) -> (&str, &str) {
    let cell = cell.trim();
    let colon = cell.find(':');
    let time_begins = colon.and_then(|colon| cell.get(..colon)?.rfind([' ', 'T', '\u{a0}', '\u{202f}']));
    let Some(at) = time_begins else { return (cell, "") };
    let (date, time) = cell.split_at(at);
    (date.trim().trim_end_matches(','), time.trim_start_matches(['T', ' ', '\u{a0}', '\u{202f}']).trim())
}

fn day(text: &str, order: Order) -> Option<Date> {
    if let Some((first, second, year, dotted)) = numbers(text) {
        let (day, month) = match order {
            _ if dotted || first > 12 => (first, second),
            _ if second > 12 => (second, first),
            Order::Day => (first, second),
            Order::Month => (second, first),
            Order::Unknown if first == second => (first, second),
            Order::Unknown => return None,
        };
        return Date::new(year, month, day).ok();
    }
    let year_first = text.replace(['/', '.'], "-");
    let compact = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let formats = ["%Y-%m-%d", "%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%d-%b-%Y"];
    let plain = text.replace(',', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let read = |format: &&str| Date::strptime(format, &plain).ok().or_else(|| Date::strptime(format, &year_first).ok());
    if compact { Date::strptime("%Y%m%d", text).ok() } else { formats.iter().find_map(read) }
}

/// Two numbers and a year, and whether dots part them: then it is the day that comes first.
fn numbers(text: &str) -> Option<(i8, i8, i16, bool)> {
    let mark = ['/', '.', '-'].into_iter().find(|mark| text.matches(*mark).count() == 2)?;
    let mut parts = text.split(mark).map(str::trim);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    if first.len() > 2 || second.len() > 2 || !matches!(year.len(), 2 | 4) {
        return None;
    }
    let year: i16 = if year.len() == 2 { 2_000 + year.parse::<i16>().ok()? } else { year.parse().ok()? };
    Some((first.parse().ok()?, second.parse().ok()?, year, mark == '.'))
}

/// `18:00`, `18:00:30`, `6:00 pm`.
fn clock(text: &str) -> Option<Time> {
    let lower = text.to_lowercase().replace('.', "");
    let (digits, half) = match lower.trim_end().strip_suffix('m').and_then(|rest| Some((rest, rest.chars().next_back()?))) {
        Some((rest, half @ ('a' | 'p'))) => (rest.trim_end_matches(half).trim(), Some(half)),
        Some(_) => return None,
        None => (lower.trim(), None),
    };
    let mut parts = digits.split(':');
    let hour: i8 = parts.next()?.trim().parse().ok()?;
    let minute: i8 = parts.next()?.parse().ok()?;
    let second: i8 = parts.next().map_or(Some(0), |second| second.parse().ok())?;
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some('p') => hour % 12 + 12,
        Some(_) => hour % 12,
    };
    if parts.next().is_some() { None } else { Time::new(hour, minute, second, 0).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_in_many_forms() {
        for text in [
            "2027-01-31",
            "2027/01/31",
            "2027.1.31",
            "20270131",
            "31/01/2027",
            "31.01.2027",
            "31.1.27",
            "01/31/2027",
            "31 Jan 2027",
            "Jan 31, 2027",
            "January 31 2027",
            "31 January 2027",
            "31-Jan-2027",
        ] {
            assert_eq!(read(text, Order::Unknown).map(DayAndTime::text).as_deref(), Some("2027-01-31"), "{text}");
        }
        for text in ["", "soon", "31/13/2027", "2027-02-30", "1/2", "12", "0/0/0000"] {
            assert_eq!(read(text, Order::Unknown), None, "{text}");
        }
    }

    #[test]
    fn a_column_tells_what_one_cell_does_not() {
        assert_eq!(read("03/04/2027", Order::Unknown), None);
        assert_eq!(order(["03/04/2027", "31/01/2027"].into_iter()), Order::Day);
        assert_eq!(order(["03/04/2027", "01/31/2027 18:00"].into_iter()), Order::Month);
        assert_eq!(order(["31/01/2027", "01/31/2027"].into_iter()), Order::Unknown);
        assert_eq!(read("03/04/2027", Order::Day).map(DayAndTime::text).as_deref(), Some("2027-04-03"));
        assert_eq!(read("03/04/2027", Order::Month).map(DayAndTime::text).as_deref(), Some("2027-03-04"));
    }

    #[test]
    fn times_are_read_in_many_forms() {
        for text in ["31/01/2027 18:00", "2027-01-31T18:00", "2027-01-31 18:00:00", "1/31/2027 6:00 PM", "31.01.2027, 6:00 p.m."]
        {
            assert_eq!(read(text, Order::Unknown).map(DayAndTime::text).as_deref(), Some("2027-01-31T18:00:00"), "{text}");
        }
        assert_eq!(read("1/31/2027 12:15 am", Order::Unknown).map(DayAndTime::text).as_deref(), Some("2027-01-31T00:15:00"));
        for text in ["2027-01-31 25:00", "2027-01-31 18", "2027-01-31 13:00 pm", "2027-01-31 18:00 Z+"] {
            assert_eq!(read(text, Order::Unknown), None, "{text}");
        }
    }
}
