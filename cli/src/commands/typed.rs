//! What cannot be what was meant is a mistake: no title, no address, an invite that nobody can answer in time.

use std::time::Duration;

use kith_protocol::control::{EventStatus, Role, UnknownWord};

use crate::duration::duration;
use crate::limits::INVITE_LASTS;

/// How long an invite can be used: long enough to be sent, read and answered.
pub(super) fn lasts(text: &str) -> Result<Duration, String> {
    let length = duration(text)?;
    if length < INVITE_LASTS {
        return Err(format!("`{text}` is too short for anybody to answer; an invite lasts at least 1m"));
    }
    Ok(length)
}

/// A content warning that says something; an empty one would leave the text uncovered.
pub(super) fn warning(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("a content warning says what it warns of; leave --cw out where nothing is to be covered".to_owned());
    }
    Ok(text.to_owned())
}

/// Does a person who types this mean what has this id? As the daemon resolves it: the id, or its beginning, with its letter or
/// without; a letter alone means nothing.
pub(super) fn means(typed: &str, id: &str) -> bool {
    let typed = typed.trim().to_lowercase();
    let tail = id.split_once('-').map_or(id, |(_, tail)| tail);
    match typed.split_once('-') {
        Some((_, rest)) => !rest.is_empty() && id.starts_with(&typed),
        None => typed.len() > 1 && tail.starts_with(&typed),
    }
}

/// Whether an event takes place; empty: it does.
pub(super) fn status(text: &str) -> Result<EventStatus, UnknownWord> {
    if text.trim().is_empty() { Ok(EventStatus::Confirmed) } else { text.parse() }
}

/// The role that an invite gives; empty: a member's.
pub(super) fn role(text: &str) -> Result<Role, UnknownWord> {
    if text.trim().is_empty() { Ok(Role::Member) } else { Role::given(text) }
}

/// A title that says something.
pub(super) fn title(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("a title holds at least one letter or number".to_owned()) } else { Ok(text.to_owned()) }
}

/// An address, or nothing. What else can be an address the daemon decides.
pub(super) fn address(text: &str) -> Result<String, String> {
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    let inside = host.trim_matches('.').contains('.') || host == "localhost";
    if text.is_empty() || text.contains(':') || inside {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is not an address; write it like https://example.org, mailto:name@example.org or tel:+34123456"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_lasts_long_enough_to_be_answered() {
        assert!(lasts("1m").is_ok() && lasts("72h").is_ok());
        assert!(lasts("59s").is_err() && lasts("1s").is_err() && lasts("0h").is_err() && lasts("soon").is_err());
    }

    #[test]
    fn an_empty_warning_is_none() {
        for empty in ["", " ", "\t"] {
            assert!(warning(empty).is_err(), "{empty:?}");
        }
        assert_eq!(warning("grief"), Ok("grief".to_owned()));
    }

    #[test]
    fn an_id_is_meant_by_its_beginning_and_never_by_its_letter_alone() {
        for typed in ["p-nabcde", "p-n", "nab", "na", " P-NAB "] {
            assert!(means(typed, "p-nabcde"), "{typed}");
        }
        for typed in ["", "p", "n", "p-", "-", "n-nab", "n-abc", "x", "abc", "nabcdef"] {
            assert!(!means(typed, "p-nabcde"), "{typed}");
        }
        assert!(means("im-a", "im-abc") && !means("im-", "im-abc") && !means("im", "im-abc"));
    }

    #[test]
    fn addresses_lead_somewhere() {
        for good in [
            "",
            "https://example.org",
            "example.org",
            "example.org/a?b",
            "tel:112",
            "mailto:a@b.org",
            "localhost/x",
            "münchen.de",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
        for wrong in ["notaurl", "not a url", "/etc/passwd", "example.", ".org", "a/b.c"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        assert!(title(" ").is_err() && title("").is_err() && title("EAP").is_ok());
    }
}
