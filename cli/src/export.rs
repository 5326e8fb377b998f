//! What a circle holds, as files that other programs read. Bodies behind content warnings are left out unless asked for.
//!
//! Other people wrote nearly all of it. Nothing of theirs may begin a line, a heading, a cell or a property of its own: where a
//! file says who wrote something, Kith wrote that.

pub(crate) mod calendar;
pub(crate) mod csv;
pub(crate) mod markdown;
mod zone;

/// An item to test with, as the daemon shows it.
#[cfg(test)]
pub(crate) mod example {
    use kith_protocol::control::{Author, Event, EventStatus, ItemState, RsvpCounts, Time};
    use kith_protocol::time::Millis;

    /// A meeting that takes place once and nobody answered.
    pub(crate) fn event() -> Event {
        Event {
            base: None,
            crossed: Vec::new(),
            id: "e-abc".to_owned(),
            circle: "c-abc".to_owned(),
            circle_name: "Night shift".to_owned(),
            title: "Circle".to_owned(),
            description: String::new(),
            cut: false,
            starts: Time(Millis(0)),
            ends: None,
            starts_local: "2026-12-01T18:00:00".to_owned(),
            ends_local: String::new(),
            all_day: false,
            tz: "Europe/Madrid".to_owned(),
            rrule: None,
            location: String::new(),
            status: EventStatus::Confirmed,
            rsvp: RsvpCounts::default(),
            author: Author { member: "m-abc".to_owned(), name: "Amara".to_owned(), ..Default::default() },
            created_at: Time(Millis(0)),
            edited_at: None,
            uid: String::new(),
            sequence: 0,
            tags: Vec::new(),
            state: ItemState::Visible,
            delivery: None,
            new: false,
            changed: false,
            changed_by: None,
            moved_by: None,
            moved_at: None,
            was: None,
        }
    }
}

/// Characters that one program or another takes for the end of a line.
const fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// With one kind of line end, whatever it was written with. Other control characters have no place in files that people open in a
/// terminal; tabs stay.
pub(crate) fn with_plain_ends(text: &str) -> String {
    let ends = text.replace("\r\n", "\n");
    let chars = ends.chars().map(|c| if ends_line(c) { '\n' } else { c });
    chars.filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect()
}

/// In one line, words one space apart: line ends, tabs and every other kind of space alike.
pub(crate) fn one_line(text: &str) -> String {
    with_plain_ends(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What calendars recognise an event by: its own id and nothing that anybody chose, so that none takes another's place.
pub(crate) fn uid(event: &kith_protocol::control::Event) -> String {
    format!("{}@kith", event.id)
}

/// Its end as people say it: of whole days the last one, where calendars keep the day after it. Empty where it has none.
pub(crate) fn last(event: &kith_protocol::control::Event) -> String {
    if !event.all_day {
        return event.ends_local.clone();
    }
    let day_after = event.ends_local.parse::<jiff::civil::Date>().ok();
    day_after.and_then(|day| day.yesterday().ok()).map(|day| day.to_string()).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod nasty {
    //! Texts that want to be something else.

    use proptest::prelude::*;

    /// Pieces that mean something to Markdown, tables or calendars.
    const PIECES: [&str; 54] = [
        "\n",
        "\r",
        "\r\n",
        "\u{b}",
        "\u{c}",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "\n\n",
        " ",
        "\u{a0}",
        "\u{3000}",
        "\t",
        "#",
        "## ",
        "### Reply",
        "> ",
        ">",
        "- ",
        "* ",
        "+ ",
        "1. ",
        "2) ",
        "===",
        "---",
        "```",
        "~~~",
        "`",
        "    ",
        "\\",
        "[",
        "](https://evil.example)",
        "![x](",
        "<b>",
        "<!--",
        "&amp;",
        "&#106;",
        "|",
        "Amara, 2026-11-30T00:00:00Z",
        "m-aaaaaaaaaaaaaaaa",
        ";",
        ",",
        "\"",
        "'",
        "=",
        "=1+1",
        "@",
        "\u{ff1d}",
        "-",
        "BEGIN:VEVENT",
        "END:VEVENT",
        "SUMMARY:forged",
        "UID:e-1@kith",
        "words",
    ];

    pub(crate) fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![4 => proptest::sample::select(&PIECES[..]).prop_map(str::to_owned), 1 => "\\PC{0,3}"];
        proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_a_line_is_one() {
        assert_eq!(
            with_plain_ends("a\r\nb\rc\u{b}d\u{c}e\u{85}f\u{2028}g\u{2029}h\u{1e}i\u{1b}j\tk"),
            "a\nb\nc\nd\ne\nf\ng\nh\nij\tk"
        );
        assert_eq!(one_line(" a\u{2028}\u{a0}b\u{3000}\tc "), "a b c");
    }
}
