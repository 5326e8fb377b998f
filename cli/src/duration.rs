//! Lengths of time as people write them.

use std::time::Duration;

/// A length of time as people write it: `60s`, `1h30m`, `1h30`, `90 minutes`, `72h`, `7d`, `2w`. Each number has its unit, a longer
/// one before a shorter one; only minutes after hours may go without.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let wrong = || format!("I don't understand the length of time \"{text}\". Try 60s, 90m, 1h30m, 72h or 7d.");
    if bare(text) {
        return Err(format!("\"{text}\" could be minutes or hours. Write {text}m for minutes, or {text}h for hours."));
    }
    let (mut total, mut before, mut rest) = (0_u64, u64::MAX, text);
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit_len = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let unit = match unit.trim() {
            "" if before == 3_600 && after.is_empty() => 60,
            word => seconds(word).filter(|unit| *unit < before).ok_or_else(wrong)?,
        };
        total = number.checked_mul(unit).and_then(|n| total.checked_add(n)).ok_or_else(wrong)?;
        (before, rest) = (unit, after);
    }
    Ok(Duration::from_secs(total))
}

/// How long to wait: a number alone counts seconds, as elsewhere where programs wait.
pub(crate) fn patience(text: &str) -> Result<Duration, String> {
    if bare(text) { text.parse().map(Duration::from_secs).map_err(|e| e.to_string()) } else { duration(text) }
}

/// A number alone?
fn bare(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Seconds of a unit.
fn seconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    })
}

/// A number of things to show.
pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| format!("\"{text}\" is not a number of 1 or more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_number_of_things_to_show() {
        assert_eq!(at_least_one("3"), Ok(3));
        for wrong in ["0", "-1", "", "many"] {
            assert!(at_least_one(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("60s").unwrap().as_secs(), 60);
        assert_eq!(duration("1h30m").unwrap().as_secs(), 5_400);
        assert_eq!(duration("7d").unwrap().as_secs(), 604_800);
        for (text, minutes) in
            [("1h30", 90), ("1h 5", 65), ("2h", 120), ("90 minutes", 90), ("1 day 2 hours", 1_560), ("1h30m", 90)]
        {
            assert_eq!(duration(text).unwrap().as_secs(), minutes * 60, "{text}");
        }
        for wrong in ["", "h", "5x", "-3s", "99999999999999999999s", "9999999999999999w", "1d12", "1m30", "2w3", "30m1h", "1h1h"]
        {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        for wrong in ["1.5h", "1,5h", "1h30 or so", "1h 5 5", "h30", "99999999999999999999", "1h30x", "1h-30m", "٣h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_number_alone_counts_only_where_one_waits() {
        assert!(duration("90").unwrap_err().contains("90m for minutes"));
        assert_eq!(patience("90").unwrap().as_secs(), 90);
        assert_eq!(patience("2m").unwrap().as_secs(), 120);
        assert!(patience("99999999999999999999").is_err() && patience("").is_err());
    }
}
