//! One line of spans. What is put in may come from anybody; what is rendered is harmless.

use unicode_width::UnicodeWidthStr;

use super::clean;

/// Before a row that goes on with the line above. Nothing that anybody writes can begin a row, or holds this stroke.
pub(crate) const GOES_ON: &str = "  ┆ ";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    Strong,
    Dim,
    Warn,
    Good,
}

/// A line, span by span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Vec<(Tone, String)>);

impl Line {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    fn with(mut self, tone: Tone, text: &str) -> Self {
        if !text.is_empty() {
            self.0.push((tone, clean::line(text)));
        }
        self
    }

    /// Ordinary.
    pub(crate) fn text(self, text: &str) -> Self {
        self.with(Tone::Plain, text)
    }

    /// What the eye should find first.
    pub(crate) fn strong(self, text: &str) -> Self {
        self.with(Tone::Strong, text)
    }

    /// What may be overlooked.
    pub(crate) fn dim(self, text: &str) -> Self {
        self.with(Tone::Dim, text)
    }

    /// What should be thought about.
    pub(crate) fn warn(self, text: &str) -> Self {
        self.with(Tone::Warn, text)
    }

    /// What went well.
    pub(crate) fn good(self, text: &str) -> Self {
        self.with(Tone::Good, text)
    }

    /// A title. Where it begins a line, nothing in it stands further in: that is Kith's place.
    pub(crate) fn title(self, title: &str) -> Self {
        self.with(Tone::Strong, &clean::words(title))
    }

    /// A title among other things that a dot parts: nothing in it passes for such a dot.
    pub(crate) fn part(self, title: &str) -> Self {
        self.with(Tone::Strong, &clean::name(title))
    }

    /// A person's name: marked where its letters pretend to be others.
    pub(crate) fn name(self, name: &str) -> Self {
        let line = self.with(Tone::Strong, &clean::name(name));
        if clean::mixes_scripts(name) { line.warn(" (mixed letters)") } else { line }
    }

    /// A person's name with what tells them from somebody else in the circle whose name looks like it.
    pub(crate) fn person(self, name: &str, alike: bool, id: &str) -> Self {
        let line = self.name(name);
        if alike { line.warn(&format!(" (alike: {id})")) } else { line }
    }

    /// What parts columns where machines read.
    pub(crate) fn tab(mut self) -> Self {
        self.0.push((Tone::Plain, "\t".to_owned()));
        self
    }

    /// Put another line behind this one.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Nothing to show?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Columns it takes.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    /// In rows of at most `room` columns, broken at spaces where there are any. A terminal breaks longer ones itself, at its own
    /// edge, and what follows then stands where a line of its own would.
    pub(crate) fn rows(&self, room: usize) -> Vec<Self> {
        self.broken(room, room.saturating_sub(GOES_ON.width()).max(1), true)
    }

    /// Kith's own words in rows of at most `room` columns: a longer word, such as an address, stays whole on a row of its own.
    /// The second row and those after it stand as far in as the first. Never for what others wrote.
    pub(crate) fn paragraph(&self, room: usize) -> Vec<Self> {
        let text = self.plain();
        let indent = text.len() - text.trim_start_matches(' ').len();
        let rows = self.broken(room, room.saturating_sub(indent).max(1), false).into_iter();
        rows.enumerate().map(|(at, row)| if at == 0 { row } else { Self::new().text(&" ".repeat(indent)).and(row) }).collect()
    }

    /// In rows of one width; a word that is longer is broken too with `hard`.
    pub(crate) fn pieces(&self, room: usize, hard: bool) -> Vec<Self> {
        self.broken(room, room, hard)
    }

    fn broken(&self, first: usize, others: usize, hard: bool) -> Vec<Self> {
        let letters: Vec<(Tone, char)> = self.0.iter().flat_map(|(tone, text)| text.chars().map(|c| (*tone, c))).collect();
        let mut rows = Vec::new();
        let mut rest = letters.as_slice();
        while !rest.is_empty() {
            let room = if rows.is_empty() { first } else { others };
            let mut end = clean::fitting(rest.iter().map(|(_, c)| *c), room);
            end = whole_command(rest, end, (others, hard));
            if !hard && rest.get(end).is_some_and(|(_, c)| *c != ' ') {
                end += rest.iter().skip(end).take_while(|(_, c)| *c != ' ').count();
            }
            let (row, next) = rest.split_at(end);
            let row = Self::of(row);
            // Nobody sees spaces at the edge, and those beyond it would begin an empty row.
            rows.push(if next.is_empty() && row.width() <= room { row } else { row.trimmed() });
            let spaces = if next.is_empty() { 0 } else { next.iter().take_while(|(_, c)| *c == ' ').count() };
            rest = next.split_at(spaces).1;
        }
        if rows.is_empty() { vec![Self::new()] } else { rows }
    }

    /// Without spaces at its end.
    pub(crate) fn trimmed(mut self) -> Self {
        while let Some((_, text)) = self.0.last_mut() {
            text.truncate(text.trim_end_matches(' ').len());
            if !text.is_empty() {
                break;
            }
            self.0.pop();
        }
        self
    }

    /// Behind the mark of a row that goes on with the line above.
    pub(crate) fn going_on(self) -> Self {
        Self(vec![(Tone::Plain, GOES_ON.to_owned())]).and(self)
    }

    fn of(letters: &[(Tone, char)]) -> Self {
        let mut spans: Vec<(Tone, String)> = Vec::new();
        for (tone, c) in letters {
            match spans.last_mut() {
                Some((last, text)) if last == tone => text.push(*c),
                _ => spans.push((*tone, c.to_string())),
            }
        }
        Self(spans)
    }

    /// Without colour.
    pub(crate) fn plain(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// With colour, if wanted, for a terminal of so many columns: rows after the first are marked as going on.
    pub(crate) fn render_in(&self, color: bool, columns: Option<usize>) -> String {
        match columns {
            Some(columns) => {
                self.rows(columns).iter().map(|row| row.render(color)).collect::<Vec<_>>().join(&format!("\n{GOES_ON}"))
            }
            None => self.render(color),
        }
    }

    /// With colour, if wanted.
    pub(crate) fn render(&self, color: bool) -> String {
        if !color {
            return self.plain();
        }
        self.0.iter().map(|(tone, text)| paint(*tone, text)).collect()
    }
}

/// Where a row ends that would end inside of a command between backticks: before it, so that it can be copied from one row. One that
/// is longer than a row is broken only where all words may be.
fn whole_command(letters: &[(Tone, char)], end: usize, (room, hard): (usize, bool)) -> usize {
    let tick = |(at, (_, c)): (usize, &(Tone, char))| (*c == '`').then_some(at);
    let ticks: Vec<usize> = letters.iter().enumerate().take(end).filter_map(tick).collect();
    let Some(open) = ticks.last().copied().filter(|_| ticks.len() % 2 == 1 && end < letters.len()) else { return end };
    let Some(close) = letters.iter().enumerate().skip(end).find_map(tick) else { return end };
    let columns: usize = Line::of(letters.get(open..=close).unwrap_or_default()).width();
    if columns > room && hard {
        return end;
    }
    let before = letters.iter().take(open).rposition(|(_, c)| *c == ' ');
    match before.filter(|space| letters.iter().take(*space).any(|(_, c)| *c != ' ')) {
        Some(space) => space,
        None if hard => end,
        None => close + 1,
    }
}

fn paint(tone: Tone, text: &str) -> String {
    let code = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Strong => "1",
        Tone::Dim => "2",
        // Red can be read on white and on black; yellow cannot.
        Tone::Warn => "31",
        Tone::Good => "32",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::new().text(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::new().text(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_on_in_marked_rows() {
        let line = Line::new().dim("n-abc  ").title("one two three \u{a0} four").warn("  [warning: x]");
        assert_eq!(line.render_in(false, None), "n-abc  one two three four  [warning: x]");
        assert_eq!(line.render_in(false, Some(20)), "n-abc  one two three\n  ┆ four  [warning:\n  ┆ x]");
        assert_eq!(Line::from("x".repeat(30)).render_in(false, Some(20)), format!("{}\n  ┆ {}", "x".repeat(20), "x".repeat(10)));
        assert_eq!(Line::new().render_in(false, Some(20)), "");
    }

    #[test]
    fn a_command_stays_in_one_row() {
        let line = Line::from("Somebody waits: `kith invite approve q-abcdef -c c-twgdp3` lets them in.");
        let rows = |rows: Vec<Line>| rows.iter().map(Line::plain).collect::<Vec<_>>();
        let whole = ["Somebody waits:", "`kith invite approve q-abcdef -c c-twgdp3`", "lets them in."];
        assert_eq!(rows(line.paragraph(45)), whole);
        assert_eq!(rows(line.rows(49)), whole);
        assert_eq!(rows(line.paragraph(30)), whole, "a longer one stands alone");
        let brackets = Line::from("Now (`kith inbox -c Tea`) or later, as you like it.");
        assert_eq!(rows(brackets.paragraph(24)), ["Now", "(`kith inbox -c Tea`) or", "later, as you like it."]);
        assert_eq!(rows(Line::from("one ` two three four").paragraph(9)), ["one ` two", "three", "four"]);
        // Others' text: a row is never longer than the terminal.
        let long = Line::from(format!("a `{}` b", "word ".repeat(20)));
        assert!(long.rows(30).iter().all(|row| row.width() <= 30));
    }

    #[test]
    fn no_row_is_empty_where_spaces_reach_the_edge() {
        let padded = format!("id  when{}title", " ".repeat(30));
        assert_eq!(Line::from(padded).render_in(false, Some(20)), "id  when\n  ┆ title");
        assert_eq!(Line::from(format!("id{}", " ".repeat(30))).render_in(false, Some(20)), "id");
        assert_eq!(Line::from("Name: ").render_in(false, Some(20)), "Name: ");
    }

    #[test]
    fn words_of_its_own_are_never_broken() {
        let line = Line::new().text("  ").strong("112").text("  call it: https://a.example/longer-than-the-row and stay");
        let rows = |room| line.paragraph(room).iter().map(Line::plain).collect::<Vec<_>>();
        assert_eq!(rows(20), ["  112  call it:", "  https://a.example/longer-than-the-row", "  and stay"]);
        assert_eq!(Line::new().paragraph(20).len(), 1);
        assert_eq!(
            Line::from("in the European Union").paragraph(17).iter().map(Line::plain).collect::<Vec<_>>(),
            ["in the European", "Union"]
        );
    }

    #[test]
    fn spans_cannot_carry_escapes() {
        let line = Line::new().strong("a\u{1b}]52;c;x\u{7}b\nc");
        assert_eq!(line.plain(), "a\\u{1b}]52;c;x\\u{7}b\\u{a}c");
        assert_eq!(line.render(true), "\u{1b}[1ma\\u{1b}]52;c;x\\u{7}b\\u{a}c\u{1b}[0m");
    }
}
