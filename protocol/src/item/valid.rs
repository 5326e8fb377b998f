//! What a person may put into a field, said in words they can act on. The same limits bind everybody's edits: `item::kind`.

use std::collections::BTreeSet;

use crate::control::{Code, Error, Hint, Hints};
use crate::limits::{BODY_BYTES, DAY_CHARS, LANG_CHARS, RRULE_BYTES, TAG_CHARS, TAGS, URL_CHARS, WALL_CHARS, ZONE_CHARS};
use crate::lines::{counted, grouped};
use crate::time::Millis;

fn usage(message: impl Into<String>, hint: impl Into<Hints>) -> Error {
    Error::new(Code::Usage, message, hint)
}

/// One line of at most so many characters; line breaks and other control characters become spaces.
///
/// # Errors
/// [`Code::TooLarge`] where it is longer.
pub(super) fn line(text: &str, limit: usize, what: &str) -> Result<String, Error> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.trim().to_owned();
    let chars = clean.chars().count();
    if chars > limit {
        let message = format!("{what} is {} characters long; it holds {}.", grouped(chars), grouped(limit));
        return Err(Error::new(Code::TooLarge, message, "Shorten it, and put the rest into the text."));
    }
    Ok(clean)
}

/// Text of several lines; control characters that no editor types are left out.
///
/// # Errors
/// [`Code::TooLarge`] where it is too long.
pub(super) fn text(text: &str, noun: &str) -> Result<String, Error> {
    text_within(text, noun, BODY_BYTES)
}

/// The same, or no longer than what is there.
///
/// # Errors
/// [`Code::TooLarge`] where it is too long.
pub(super) fn text_within(text: &str, noun: &str, there: usize) -> Result<String, Error> {
    let clean: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect();
    if clean.len() > BODY_BYTES.max(there) {
        let (size, limit) = (clean.len().div_ceil(1 << 10), BODY_BYTES >> 10);
        let message = format!("This {noun} is {size} kB long; it holds {limit} kB.");
        return Err(Error::new(Code::TooLarge, message, "Split it into several, or share a link to where the long text is."));
    }
    Ok(clean)
}

/// A set of tags; a leading `#` is dropped.
///
/// # Errors
/// [`Code::TooLarge`] where there are too many, or one is too long.
pub(super) fn tags(tags: &[String]) -> Result<BTreeSet<String>, Error> {
    let mut set = BTreeSet::new();
    for tag in tags {
        let tag = line(tag.trim_start_matches(|c: char| c == '#' || c.is_whitespace()), TAG_CHARS, "The tag")?;
        if !tag.is_empty() {
            set.insert(tag);
        }
    }
    if set.len() > TAGS {
        let message = format!("{} are too many; there is room for {TAGS}.", counted(set.len(), "tag", "tags"));
        return Err(Error::new(Code::TooLarge, message, "Keep the ones people would look for."));
    }
    Ok(set)
}

/// A language tag (BCP 47), or empty.
///
/// # Errors
/// [`Code::Usage`] where it does not look like one.
pub(super) fn lang(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let good = text.len() <= LANG_CHARS && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !text.starts_with('-');
    if good { Ok(text.to_owned()) } else { Err(usage("That is not a language tag.", "Write it like `en`, `es` or `pt-BR`.")) }
}

/// Kinds of addresses that open nothing on the reader's own machine, and run nothing.
const SCHEMES: &[&str] = &["http", "https", "mailto", "tel", "sms", "geo", "xmpp", "matrix", "sip", "sips", "gemini"];

/// An address, kept as typed; only one that [`is_address`].
///
/// # Errors
/// [`Code::Usage`] or [`Code::TooLarge`] where it cannot be one.
pub(super) fn url(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(usage("An address holds no spaces or control characters.", "Copy it again, as one piece."));
    }
    if text.chars().count() > URL_CHARS {
        let message =
            format!("This address is {} characters long; it holds {}.", grouped(text.chars().count()), grouped(URL_CHARS));
        return Err(Error::new(Code::TooLarge, message, "Leave out what follows the `?`, if it opens without."));
    }
    match scheme(text).filter(|_| !is_address(text)) {
        Some(scheme) => Err(usage(
            format!("Addresses of the kind `{scheme}:` are not kept."),
            "Use one that starts with https:, http:, mailto: or tel:.",
        )),
        None => Ok(text.to_owned()),
    }
}

/// May what somebody gave as an address be shown as one? The same for what one types and for what peers send: an address of a kind
/// that runs or opens something here is words.
pub(super) fn is_address(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || c.is_whitespace())
        && scheme(text).is_none_or(|scheme| SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()))
}

/// What an address says it is (RFC 3986, 3.1). `example.org:80` says a machine and a door.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let door = scheme.contains('.') && rest.starts_with(|c: char| c.is_ascii_digit());
    (named && !door).then_some(scheme)
}

/// One emoji: one of the sequences that Unicode recommends for interchange, with or without the selector that asks for its colours.
///
/// # Errors
/// [`Code::Usage`] where it is none, or more than one.
pub(super) fn emoji(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if emojis::get(text).is_none() {
        return Err(usage("A reaction is one emoji.", Hint::run("note", "react", &["<ID>", "❤"], "is an example")));
    }
    Ok(text.to_owned())
}

/// A moment as RFC 3339, from 1970 on.
///
/// # Errors
/// [`Code::Usage`] where it is none.
pub(super) fn moment(text: &str, what: &str) -> Result<Millis, Error> {
    let stamp = text.trim().parse::<jiff::Timestamp>();
    let stamp = stamp.map_err(|_| usage(format!("{what} is not a moment."), "Write it like 2026-12-01T18:00:00Z."))?;
    let early = |_| usage(format!("{what} is before 1970."), "Dates from 1970 to 9999 can be kept.");
    u64::try_from(stamp.as_millisecond()).map(Millis).map_err(early)
}

/// A wall clock's time or a day, or empty.
///
/// # Errors
/// [`Code::Usage`] where it is neither.
pub(super) fn wall(text: &str, what: &str) -> Result<String, Error> {
    let text = text.trim();
    let is_day = text.len() == DAY_CHARS && text.parse::<jiff::civil::Date>().is_ok();
    let is_time = text.len() <= WALL_CHARS && !text.ends_with('Z') && text.parse::<jiff::civil::DateTime>().is_ok();
    if text.is_empty() || is_day || is_time {
        return Ok(text.to_owned());
    }
    Err(usage(format!("{what} is not a time of day."), "Write it like 2026-12-01T18:00:00, or 2026-12-01 for a whole day."))
}

/// The wall clock in a moment as it was typed.
pub(super) fn wall_of(text: &str) -> String {
    let text = text.trim();
    let wall: Option<jiff::civil::DateTime> = match text.strip_suffix(['Z', 'z']) {
        Some(utc) => utc.parse().ok(),
        None => text.parse().ok(),
    };
    wall.map(|wall| format!("{wall:.0}")).unwrap_or_default()
}

/// A time zone's name; empty is UTC.
///
/// # Errors
/// [`Code::Usage`] where it does not look like one.
pub(super) fn zone(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let good = text.len() <= ZONE_CHARS && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/'));
    match text {
        "" => Ok("UTC".to_owned()),
        _ if good => Ok(text.to_owned()),
        _ => Err(usage("That is not a time zone.", "Write it like Europe/Madrid.")),
    }
}

/// A recurrence rule with its extra and left-out dates, or empty.
///
/// # Errors
/// [`Code::Usage`] where it is none.
pub(super) fn rule(text: &str) -> Result<String, Error> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let rule = lines.join("\n");
    let rule = rule.strip_prefix("RRULE:").unwrap_or(&rule);
    let named = |line: &str| {
        ["FREQ=", "RDATE", "EXDATE", "EXRULE"].iter().any(|start| line.starts_with(start)) || line.contains(";FREQ=")
    };
    if rule.len() > RRULE_BYTES {
        return Err(Error::new(Code::TooLarge, "This recurrence names too many dates.", "Split the event in two."));
    }
    if !rule.lines().all(named) || rule.chars().any(|c| c.is_control() && c != '\n') {
        return Err(usage("That is not a recurrence rule.", "Write it like FREQ=WEEKLY;COUNT=8."));
    }
    Ok(rule.to_owned())
}

/// A day, or empty.
///
/// # Errors
/// [`Code::Usage`] where it is none.
pub(super) fn day(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let good = text.is_empty() || (text.len() == DAY_CHARS && text.parse::<jiff::civil::Date>().is_ok());
    if good { Ok(text.to_owned()) } else { Err(usage("That is not a day.", "Write it like 2027-03-31.")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_is_one_sign() {
        for good in ["❤", "❤️", "👍🏽", "👩‍👩‍👧", "🇪🇸", "1️⃣", "👩🏾‍❤️‍💋‍👨🏽", "🏳️‍⚧️", "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}"]
        {
            assert!(emoji(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ok",
            "❤❤",
            "🇪🇸🇫🇷",
            "❤ ❤",
            "\u{1b}❤",
            ":)",
            "é",
            "日",
            "\u{200d}",
            "\u{301}",
            "\u{fe0f}",
            "1",
            "🇽🇽",
            "❤\u{fe0e}",
            "👍🏽🏽",
            "👩‍👩",
            "🧑‍🦼‍🦼",
            "\u{1f1ea}",
            "№",
            "‼‼",
            "heart",
        ] {
            assert!(emoji(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_that_open_something_here_are_refused() {
        for good in ["", "https://example.org/a?b#c", "mailto:a@b.org", "tel:+34900", "www.example.org", "example.org:80/x"] {
            assert_eq!(url(good).as_deref(), Ok(good));
        }
        for bad in ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "https://a b", "https://a\u{7}"] {
            assert_eq!(url(bad).map_err(|error| error.code), Err(Code::Usage), "{bad}");
            assert!(!is_address(bad), "{bad}");
        }
        for bad in [
            "JavaScript:x",
            "vbscript:x",
            "ms.office:x",
            "blob:x",
            "view-source:x",
            "intent:x",
            "ssh:x",
            " javascript:x",
            "java\tscript:x",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_too_long_says_how_long_it_may_be() {
        let error = text(&"x".repeat(70 << 10), "note").expect_err("too long");
        assert_eq!((error.code, error.message.as_str()), (Code::TooLarge, "This note is 70 kB long; it holds 60 kB."));
        assert_eq!(line("a\nb\u{1b}[2J ", 300, "a title").as_deref(), Ok("a b [2J"));
    }

    #[test]
    fn dates_and_rules_are_read() {
        assert_eq!(moment("1970-01-01T00:00:01+00:00", "the start"), Ok(Millis(1_000)));
        assert!(moment("tomorrow", "the start").is_err() && moment("1950-01-01T00:00:00Z", "the start").is_err());
        assert_eq!(wall_of("2026-12-01T18:00:00+01:00"), "2026-12-01T18:00:00");
        assert_eq!(wall_of("2026-12-01T18:00:00Z"), "2026-12-01T18:00:00");
        assert_eq!(
            rule("RRULE:FREQ=WEEKLY;COUNT=8\r\nEXDATE:20261201T180000Z\r\n").as_deref(),
            Ok("FREQ=WEEKLY;COUNT=8\nEXDATE:20261201T180000Z")
        );
        assert!(rule("every week").is_err() && zone("Europe/Madrid; rm").is_err() && wall("18:00", "x").is_err());
    }
}
