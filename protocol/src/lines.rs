//! What may stand in one line and in a text of several, and how a number stands in a sentence.

/// One line: no control characters.
#[must_use]
pub(crate) fn is_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// Text of several lines: no control characters but tab, line feed and carriage return.
#[must_use]
pub fn is_text(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// A number and the words behind it, as they are for one and for several: `1 device`, `1,000 devices`, `2 items are`.
#[must_use]
pub fn counted(count: impl TryInto<u64>, one: &str, several: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    if count == 1 { format!("1 {one}") } else { format!("{} {several}", grouped(count)) }
}

/// A number as people write it: `36,525`.
#[must_use]
pub fn grouped(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_several() {
        let devices = |count: u64| counted(count, "device has", "devices have");
        assert_eq!([0, 1, 2, 21].map(devices), ["0 devices have", "1 device has", "2 devices have", "21 devices have"]);
        assert_eq!(devices(1_001), "1,001 devices have");
    }

    #[test]
    fn digits_stand_in_threes() {
        assert_eq!([0_u32, 12, 999, 1_000, 36_525, 1_234_567].map(grouped), ["0", "12", "999", "1,000", "36,525", "1,234,567"]);
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }
}
