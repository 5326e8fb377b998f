//! Policies and names as people type and read them.

use super::body::{History, Policy, Retention};
use super::terms::RetentionTerm;
use crate::control::{Code, Error, Hints, Shortened, Time};
use crate::limits::NAME_CHARS;
use crate::lines::{grouped, is_line};
use crate::tomorrow::{self, is_tomorrow};

/// `all`, `since-join` or `days:N`.
#[must_use]
pub fn history(value: History) -> String {
    match value {
        History::All => "all".into(),
        History::SinceJoin => "since-join".into(),
        History::Days(n) => format!("days:{n}"),
    }
}

/// Reads `all`, `since-join`, `days:N` or `Nd`.
///
/// # Errors
/// A usage error that names the words there are.
pub fn parse_history(text: &str) -> Result<History, Error> {
    match text.trim() {
        "all" => Ok(History::All),
        "" | "since-join" => Ok(History::SinceJoin),
        other => days(other).map(History::Days).ok_or_else(|| {
            usage("That is not a history rule.", format!("Use all, since-join or days:N, with N from 1 to {}.", most_days()))
        }),
    }
}

/// `keep` or `days:N`.
#[must_use]
pub fn retention(value: Retention) -> String {
    match value {
        Retention::Keep => "keep".into(),
        Retention::Days(n) => format!("days:{n}"),
    }
}

/// A retention that was shortened, as the local API shows it.
pub(crate) fn shortened(term: RetentionTerm) -> Shortened {
    Shortened { from: Time(term.set), before: retention(term.value) }
}

/// Reads `keep`, `days:N` or `Nd`.
///
/// # Errors
/// A usage error that names the words there are.
pub fn parse_retention(text: &str) -> Result<Retention, Error> {
    match text.trim() {
        "" | "keep" => Ok(Retention::Keep),
        other => days(other)
            .map(Retention::Days)
            .ok_or_else(|| usage("That is not a retention rule.", format!("Use keep, or 1 to {} days, as 90d.", most_days()))),
    }
}

/// `days:N` or `Nd`, N from 1 to [`crate::limits::POLICY_DAYS`].
fn days(text: &str) -> Option<u32> {
    let number = text.strip_prefix("days:").or_else(|| text.strip_suffix('d'))?;
    number.parse().ok().filter(|n| (1..=crate::limits::POLICY_DAYS).contains(n))
}

/// The most days that a rule may name.
fn most_days() -> String {
    grouped(crate::limits::POLICY_DAYS)
}

/// Reads who may invite: `stewards` or `members`; true for members.
///
/// # Errors
/// A usage error that names the words there are.
pub fn parse_invite(text: &str) -> Result<bool, Error> {
    match text.trim() {
        "" | "stewards" => Ok(false),
        "members" => Ok(true),
        _ => Err(usage("That is not a rule about who may invite.", "Use stewards or members.")),
    }
}

/// Reads whether a steward approves: `required` or `none`.
///
/// # Errors
/// A usage error that names the words there are.
pub fn parse_approval(text: &str) -> Result<bool, Error> {
    match text.trim() {
        "" | "required" => Ok(true),
        "none" => Ok(false),
        _ => Err(usage("That is not an approval rule.", "Use required or none.")),
    }
}

/// A policy as key and value; none of the name, and of what this program does not know.
#[must_use]
pub fn policy(policy: &Policy) -> Option<(&'static str, String)> {
    Some(match policy {
        Policy::Name(_) => return None,
        Policy::Later(tomorrow::POLICY, value) if is_tomorrow() => {
            let (words,): (String,) = minicbor::decode(value.bytes()).ok()?;
            ("motto", words)
        }
        Policy::Later(..) => return None,
        Policy::Agreement(text) => ("agreement", text.0.clone()),
        Policy::History(value) => ("history", history(*value)),
        Policy::Retention(value) => ("retention", retention(*value)),
        Policy::MembersInvite(members) => ("invite", if *members { "members" } else { "stewards" }.into()),
        Policy::ApprovalRequired(required) => ("approval", if *required { "required" } else { "none" }.into()),
    })
}

/// Could a peer's bytes be the name of a person, a device or a circle: one line, not too long?
#[must_use]
pub(crate) fn is_name(text: &str) -> bool {
    text.chars().count() <= NAME_CHARS && is_line(text)
}

/// A name as it will be shown: trimmed, one line, neither empty nor too long.
///
/// # Errors
/// A usage error that says what is wrong with it.
pub fn name(text: &str, what: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(usage(&format!("The name of {what} is empty."), format!("Give one of up to {NAME_CHARS} characters.")));
    }
    if !is_line(text) {
        return Err(usage(
            &format!("The name of {what} holds control characters."),
            "Use letters, digits, spaces and punctuation.",
        ));
    }
    if text.chars().count() > NAME_CHARS {
        return Err(Error::new(
            Code::TooLarge,
            format!("The name of {what} is longer than {NAME_CHARS} characters."),
            "Shorten it.",
        ));
    }
    Ok(text.to_owned())
}

fn usage(message: &str, hint: impl Into<Hints>) -> Error {
    Error::new(Code::Usage, message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_read_as_they_show() {
        for text in ["all", "since-join", "days:30"] {
            assert_eq!(history(parse_history(text).expect("a history")), text);
        }
        assert_eq!(retention(parse_retention("90d").expect("days")), "days:90");
        for wrong in ["0d", "36526d", "days:100000"] {
            let refused = parse_retention(wrong).expect_err("out of range");
            assert_eq!(refused.code, Code::Usage);
            assert!(refused.hints.to_string().contains("1 to 36,525 days"), "{refused:?}");
        }
        assert!(parse_history("100000d").expect_err("too many").hints.to_string().contains("36,525"));
        assert!(parse_history("days:x").is_err());
        assert_eq!(name("  Night shift ", "a circle").expect("a name"), "Night shift");
        assert!(name("a\u{1b}[2J", "a circle").is_err());
    }
}
