//! Lengths of time as people write them.

use std::time::Duration;

/// A length of time as people write it: `60s`, `1h30m`, `72h`, `7d`, `2w`; a bare number counts seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("I don't understand the length of time \"{text}\". Try 60s, 90m, 1h30m, 72h or 7d.");
    let mut total = 0_u64;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit_len = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let seconds = match unit.trim() {
            "" | "s" | "sec" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return Err(wrong()),
        };
        total = number.checked_mul(seconds).and_then(|n| total.checked_add(n)).ok_or_else(wrong)?;
        rest = after;
    }
    Ok(Duration::from_secs(total))
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
        assert_eq!(duration("5").unwrap().as_secs(), 5);
        for wrong in ["", "h", "5x", "-3s", "99999999999999999999s", "9999999999999999w"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
