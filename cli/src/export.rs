//! What a circle holds, as files that other programs read. Bodies behind content warnings are left out unless asked for.

pub(crate) mod csv;
pub(crate) mod markdown;

/// Control characters have no place in files that people open in a terminal; line ends and tabs stay.
pub(crate) fn without_controls(text: &str) -> String {
    text.replace("\r\n", "\n").chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect()
}
