//! What may stand in one line, and in a text of several.

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
