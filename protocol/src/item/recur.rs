//! Is an event over? Recurrence rules are only asked for their end; what cannot be told counts as not over.

use jiff::civil::{Date, DateTime};

use crate::limits::LAST_DAY_END_MILLIS;
use crate::time::{DAY, Millis};

/// Is an event over by `now`? A rule's dates are taken as UTC, a day generously. `days`: it is about whole days, from this one until
/// the day before that (none: it is one day); those are over when they are over everywhere.
pub(super) fn is_over(starts: Millis, ends: Option<Millis>, days: Option<(&str, &str)>, rule: &str, now: Millis) -> bool {
    let first_end = match days {
        Some((first, end)) => {
            let day = |text: &str| date_of(&text.replace('-', ""));
            let end = day(end).or_else(|| day(first).map(|first| first.plus(DAY)));
            end.unwrap_or(starts.plus(DAY)).plus(LAST_DAY_END_MILLIS)
        }
        None => ends.unwrap_or(starts),
    };
    if rule.is_empty() {
        return first_end < now;
    }
    let length = first_end.since(starts);
    last_start(starts, rule).is_some_and(|last| last.plus(length) < now)
}

/// No later start can follow; none: no end is stated, or it cannot be read.
fn last_start(starts: Millis, rule: &str) -> Option<Millis> {
    let mut last = starts;
    for line in rule.lines() {
        if let Some((_, dates)) = line.strip_prefix("RDATE").and_then(|rest| rest.split_once(':')) {
            for date in dates.split(',') {
                last = last.max(date_of(date)?.plus(DAY));
            }
        } else if !line.starts_with("EX") {
            last = last.max(rule_end(starts, line)?);
        }
    }
    Some(last)
}

fn rule_end(starts: Millis, line: &str) -> Option<Millis> {
    let part = |name: &str| line.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    if let Some(until) = part("UNTIL") {
        return Some(date_of(until)?.plus(DAY));
    }
    let count: u64 = part("COUNT")?.parse().ok()?;
    let interval: u64 = part("INTERVAL").map_or(Some(1), |interval| interval.parse().ok())?;
    let days: u64 = match part("FREQ")? {
        "SECONDLY" | "MINUTELY" | "HOURLY" | "DAILY" => 1,
        "WEEKLY" => 7,
        // Months without a 31st and years without a 29th of February are skipped by the rule, not counted.
        "MONTHLY" => 62,
        "YEARLY" if line.contains("BYMONTHDAY=29") => 4 * 366,
        "YEARLY" => 366,
        _ => return None,
    };
    Some(starts.plus(count.saturating_mul(interval).saturating_mul(days).saturating_mul(DAY)))
}

/// A date or moment as calendars write it, `20261201` or `20261201T180000Z`.
fn date_of(text: &str) -> Option<Millis> {
    let text = text.trim().trim_end_matches('Z');
    let time: DateTime = if text.len() == 8 { text.parse::<Date>().ok()?.into() } else { text.parse().ok()? };
    let stamp = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    u64::try_from(stamp.as_millisecond()).ok().map(Millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR;

    /// 2026-12-01T18:00:00Z
    const STARTS: Millis = Millis(1_796_148_000_000);

    fn over(rule: &str, days_later: u64) -> bool {
        is_over(STARTS, Some(STARTS.plus(3_600_000)), None, rule, STARTS.plus(days_later * DAY))
    }

    #[test]
    fn a_single_event_is_over_when_it_ended() {
        assert!(!over("", 0) && over("", 1));
        // Midnight of the 2nd in UTC, and 12 hours later on an island in the west.
        let day = |days, hour: u64| is_over(STARTS, None, Some(days), "", Millis(1_796_169_600_000 + hour * HOUR));
        assert!(!day(("2026-12-01", ""), 12) && day(("2026-12-01", ""), 13));
        assert!(!day(("2026-12-01", "2026-12-03"), 36) && day(("2026-12-01", "2026-12-03"), 37));
    }

    #[test]
    fn a_rule_says_when_it_ends_or_never_does() {
        assert!(!over("FREQ=WEEKLY", 10_000));
        assert!(!over("FREQ=WEEKLY;COUNT=8", 49) && over("FREQ=WEEKLY;COUNT=8", 60));
        assert!(!over("FREQ=DAILY;UNTIL=20261210T180000Z", 9) && over("FREQ=DAILY;UNTIL=20261210", 12));
        assert!(!over("FREQ=DAILY;COUNT=2\nRDATE:20270101T180000Z\nEXDATE:20261202T180000Z", 30));
        assert!(!over("FREQ=DAILY;UNTIL=nonsense", 10_000));
    }
}
