//! Tables. Every cell is quoted, and a cell that a spreadsheet would take for a formula gets an apostrophe in front.
//!
//! Spreadsheets disagree on what parts cells: where it is the semicolon (in Spain, in Germany), quotes that follow a comma mean
//! nothing. So an apostrophe stands also within a cell, wherever another reading of the table would let a formula begin.

use kith_protocol::control::{Author, Event, ItemState, Note, Resource, Want};

use super::with_plain_ends;

/// Does it begin a formula, in one alphabet or another? A tab is one because some programs cut it off and look behind it.
const fn begins_formula(c: char) -> bool {
    matches!(
        c,
        '=' | '+'
            | '-'
            | '@'
            | '\t'
            | '\u{2212}'
            | '\u{fe62}'
            | '\u{fe63}'
            | '\u{fe66}'
            | '\u{fe6b}'
            | '\u{ff0b}'
            | '\u{ff0d}'
            | '\u{ff1d}'
            | '\u{ff20}'
    )
}

/// What may stand before it without keeping it from being one: space of any kind, letters that cannot be seen, quotes.
fn is_passed_over(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '"' | '\'' | '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What parts cells or rows, in one reading or another. (A comma does so in the one reading in which quotes are heeded.)
const fn parts(c: char) -> bool {
    matches!(c, ';' | '|' | '\t' | '\n')
}

/// For each character of a text: could a formula begin here?
fn dangers(chars: &[char]) -> Vec<bool> {
    let mut ahead = false;
    let mut dangers: Vec<bool> = chars
        .iter()
        .rev()
        .map(|c| {
            ahead = begins_formula(*c) || is_passed_over(*c) && ahead;
            ahead
        })
        .collect();
    dangers.reverse();
    dangers
}

/// A cell that no spreadsheet executes.
pub(crate) fn safe(cell: &str) -> String {
    let chars: Vec<char> = with_plain_ends(cell).chars().collect();
    let mut out = String::with_capacity(cell.len());
    let mut begins = true;
    for (c, danger) in chars.iter().zip(dangers(&chars)) {
        if begins && danger {
            out.push('\'');
        }
        out.push(*c);
        begins = parts(*c);
    }
    out
}

/// What stood in a cell before [`safe`] made it so.
pub(crate) fn plain(cell: &str) -> String {
    let chars: Vec<char> = cell.chars().collect();
    let dangers = dangers(&chars);
    let mut out = String::with_capacity(cell.len());
    let mut begins = true;
    for (at, c) in chars.iter().enumerate() {
        let added = begins && *c == '\'' && dangers.get(at + 1) == Some(&true);
        if !added {
            out.push(*c);
        }
        begins = parts(*c);
    }
    out
}

/// Tags in one cell. A mark that parts them stands behind a backslash where it is part of one.
pub(crate) fn tags_cell(tags: &[String]) -> String {
    let escaped = |tag: &String| tag.chars().flat_map(|c| [parts_tags(c).then_some('\\'), Some(c)]).flatten().collect::<String>();
    tags.iter().map(escaped).collect::<Vec<_>>().join(", ")
}

/// The tags of a cell, whether commas, semicolons or strokes part them.
pub(crate) fn tags_of(cell: &str) -> Vec<String> {
    let (mut tags, mut tag) = (Vec::new(), String::new());
    let mut chars = cell.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek().is_some_and(|next| parts_tags(*next)) => tag.extend(chars.next()),
            ',' | ';' | '|' => tags.push(std::mem::take(&mut tag)),
            other => tag.push(other),
        }
    }
    tags.push(tag);
    tags.into_iter().map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect()
}

const fn parts_tags(c: char) -> bool {
    matches!(c, ',' | ';' | '|' | '\\')
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = ::csv::WriterBuilder::new().quote_style(::csv::QuoteStyle::Always).from_writer(Vec::new());
    // Writing to memory cannot fail.
    drop(writer.write_record(header));
    for row in rows {
        drop(writer.write_record(row.iter().map(|cell| safe(cell))));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// Who wrote it: name, member id, and whether somebody else bears a name like it.
fn who(author: &Author) -> [String; 3] {
    [author.name.clone(), author.member.clone(), if author.alike { "alike" } else { "" }.to_owned()]
}

/// Notes, without replies; `kith import` reads the table again.
pub(crate) fn notes(notes: &[Note]) -> String {
    let visible = notes.iter().filter(|note| note.state == ItemState::Visible);
    table(
        &["id", "created_at", "author", "author_id", "author_alike", "title", "body", "content_warning", "tags", "want", "lang"],
        visible.map(|note| {
            let mut row = vec![note.id.clone(), note.created_at.0.to_string()];
            row.extend(who(&note.author));
            row.extend([
                note.title.clone(),
                note.body.clone().unwrap_or_default(),
                note.content_warning.clone().unwrap_or_default(),
                tags_cell(&note.tags),
                note.want.map_or("", Want::word).to_owned(),
                note.lang.clone(),
            ]);
            row
        }),
    )
}

/// Events; `kith import` reads the table again.
pub(crate) fn events(events: &[Event]) -> String {
    let visible = events.iter().filter(|event| event.state == ItemState::Visible);
    table(
        &[
            "id",
            "title",
            "starts",
            "ends",
            "tz",
            "rrule",
            "location",
            "status",
            "description",
            "tags",
            "uid",
            "yes",
            "maybe",
            "no",
            "author",
            "author_id",
            "author_alike",
        ],
        visible.map(|event| {
            let mut row = vec![
                event.id.clone(),
                event.title.clone(),
                event.starts_local.clone(),
                super::last(event),
                event.tz.clone(),
                event.rrule.clone().unwrap_or_default(),
                event.location.clone(),
                event.status.to_string(),
                event.description.clone(),
                tags_cell(&event.tags),
                super::uid(event),
                event.rsvp.yes.to_string(),
                event.rsvp.maybe.to_string(),
                event.rsvp.no.to_string(),
            ];
            row.extend(who(&event.author));
            row
        }),
    )
}

/// Resources; `kith import` reads the table again.
pub(crate) fn resources(resources: &[Resource]) -> String {
    let visible = resources.iter().filter(|resource| resource.state == ItemState::Visible);
    table(
        &[
            "id",
            "title",
            "url",
            "kind",
            "tags",
            "lang",
            "note",
            "review_by",
            "author",
            "author_id",
            "author_alike",
            "refused_url",
        ],
        visible.map(|r| {
            let mut row = vec![
                r.id.clone(),
                r.title.clone(),
                r.url.clone(),
                r.kind.clone(),
                tags_cell(&r.tags),
                r.lang.clone(),
                r.note.clone(),
                r.review_by.clone().unwrap_or_default(),
            ];
            row.extend(who(&r.author));
            row.push(r.refused_url.clone().unwrap_or_default());
            row
        }),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::nasty;
    use super::*;
    use crate::export::markdown::tests::note;

    /// As a spreadsheet reads it whose cells are parted by this.
    fn cells(text: &str, by: u8) -> Vec<Vec<String>> {
        let mut reader = ::csv::ReaderBuilder::new().delimiter(by).flexible(true).has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    /// Does a cell do something, to a program that looks behind what it cannot see?
    fn acts(cell: &str) -> bool {
        let seen =
            cell.trim_start_matches(|c: char| c.is_whitespace() && c != '\t' || matches!(c, '"' | '\u{feff}' | '\u{200b}'));
        seen.starts_with(['=', '+', '-', '@', '\t', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
    }

    #[test]
    fn formulas_are_text() {
        for cell in [
            "=1+1",
            "+1",
            "-1",
            "@x",
            "\tx",
            " =1",
            "\n=1",
            "\u{ff1d}1+1",
            "\u{ff0b}1",
            "\u{ff0d}1",
            "\u{ff20}x",
            "\u{a0}=1",
            "\u{3000}=1",
            "\u{200b}=1",
            "\u{feff}=1",
            "\r=1",
            "\u{2028}=1",
            "\"=1",
        ] {
            assert!(safe(cell).starts_with('\''), "{cell:?}");
        }
        for (cell, shown) in
            [("1-1", "1-1"), ("a - b, c", "a - b, c"), ("a;=1+1", "a;'=1+1"), ("x\n- y", "x\n'- y"), ("a; \"=1", "a;' \"=1")]
        {
            assert_eq!(safe(cell), shown);
        }
        assert_eq!(safe("a\u{1b}[31mb\rc"), "a[31mb\nc");
        assert_eq!(table(&["a"], [vec!["=HYPERLINK(\"x\")".to_owned()]].into_iter()), "\"a\"\n\"'=HYPERLINK(\"\"x\"\")\"\n");
    }

    proptest::proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..Default::default() })]

        #[test]
        fn who_said_what_is_read_back_and_nothing_acts(
            said in proptest::collection::vec((nasty::text(), nasty::text(), nasty::text()), 1..5),
        ) {
            let all: Vec<Note> = said.iter().enumerate().map(|(n, (name, title, body))| note(n, name, title, body)).collect();
            let text = notes(&all);
            for by in *b",;\t|" {
                for cell in cells(&text, by).iter().flatten() {
                    proptest::prop_assert!(!acts(cell), "{:?} in {text:?}", cell);
                }
            }
            let rows = cells(&text, b',');
            proptest::prop_assert_eq!(rows.len(), all.len() + 1);
            for (row, note) in rows[1..].iter().zip(&all) {
                let back: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
                let wanted = [&note.id, &note.author.name, &note.author.member, &note.title, note.body.as_ref().unwrap()];
                let wanted: Vec<String> = wanted.into_iter().map(|text| with_plain_ends(text)).collect();
                let found: Vec<&String> = [0, 2, 3, 5, 6].iter().map(|at| &back[*at]).collect();
                proptest::prop_assert_eq!(found, wanted.iter().collect::<Vec<_>>());
            }
        }
    }
}
