//! Columns. On a terminal padded and with a quiet header, with `--plain` tab-separated and without one.

use unicode_width::UnicodeWidthStr;

use super::line::GOES_ON;
use super::{Line, Ui};
use crate::error::Result;
use crate::limits::NARROW_COLUMNS;

/// Columns between columns.
const SPACE: usize = 2;

/// So many columns, and whether they end at a terminal's edge, where even words must be broken.
type Room = (usize, bool);

impl Ui {
    const fn room(&self) -> Room {
        (self.width, self.columns.is_some())
    }

    /// Rows under headers. The last column may be long: it wraps under itself.
    pub(crate) fn table(&self, headers: &[&str], rows: &[Vec<Line>]) -> Result<()> {
        if self.plain {
            for row in rows {
                let parted = row.iter().cloned().reduce(|line, cell| line.tab().and(cell));
                self.out(parted.unwrap_or_default())?;
            }
            return Ok(());
        }
        grid(headers, rows, self.room()).into_iter().try_for_each(|line| self.out(line))
    }

    /// A text behind something short; it wraps under itself.
    pub(crate) fn hanging(&self, lead: Line, text: Line) -> Result<()> {
        in_columns(&[lead.width()], &[lead, text], self.room()).into_iter().try_for_each(|line| self.out(line))
    }

    /// A list of `label  value` pairs; empty values are left out.
    pub(crate) fn facts(&self, facts: &[(&str, Line)]) -> Result<()> {
        let width = facts.iter().filter(|(_, value)| !value.is_empty()).map(|(label, _)| label.len()).max().unwrap_or(0);
        for (label, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            if self.plain {
                self.out(Line::new().text(label).tab().and(value.clone()))?;
            } else {
                let row = [Line::new().dim(&format!("{label:width$}")), value.clone()];
                in_columns(&[width], &row, self.room()).into_iter().try_for_each(|line| self.out(line))?;
            }
        }
        Ok(())
    }
}

/// A quiet header and the rows, on lines of this width.
fn grid(headers: &[&str], rows: &[Vec<Line>], room: Room) -> Vec<Line> {
    let widest =
        |(at, header): (usize, &&str)| rows.iter().filter_map(|row| row.get(at)).map(Line::width).fold(header.len(), usize::max);
    let widths: Vec<usize> = headers.iter().enumerate().map(widest).collect();
    let header: Vec<Line> = headers.iter().map(|text| Line::new().dim(text)).collect();
    std::iter::once(&header).chain(rows).flat_map(|row| in_columns(&widths, row, room)).collect()
}

/// A row; its last cell wraps under itself where it is too long.
fn in_columns(widths: &[usize], row: &[Line], (width, hard): Room) -> Vec<Line> {
    let mut line = Line::new();
    let mut used = 0;
    for (at, cell) in row.iter().enumerate() {
        let last = at + 1 == row.len();
        let room = width.saturating_sub(used);
        if last && cell.width() > room && room > NARROW_COLUMNS {
            let mut pieces = cell.pieces(room, hard).into_iter();
            let first = line.and(pieces.next().unwrap_or_default());
            return std::iter::once(first).chain(pieces.map(|piece| Line::new().text(&" ".repeat(used)).and(piece))).collect();
        }
        if last && cell.width() > room {
            // No room beside the others: it stands below them.
            let below = width.saturating_sub(GOES_ON.width()).max(1);
            return marked(&line, width).into_iter().chain(cell.pieces(below, hard).into_iter().map(Line::going_on)).collect();
        }
        line = line.and(cell.clone());
        if !last {
            let width = widths.get(at).copied().unwrap_or(0);
            line = line.text(&" ".repeat(width.saturating_sub(cell.width()) + SPACE));
            used += width + SPACE;
        }
    }
    if line.width() > width { marked(&line, width) } else { vec![line] }
}

/// A line in rows of this width; those after the first are marked as going on.
fn marked(line: &Line, width: usize) -> Vec<Line> {
    let rows = line.clone().trimmed().rows(width).into_iter().enumerate();
    rows.map(|(at, row)| if at == 0 { row } else { row.going_on() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(headers: &[&str], rows: &[[&str; 3]], width: usize) -> Vec<String> {
        let rows: Vec<Vec<Line>> = rows.iter().map(|row| row.map(Line::from).to_vec()).collect();
        grid(headers, &rows, (width, false)).iter().map(|line| line.plain().trim_end().to_owned()).collect()
    }

    #[test]
    fn columns_are_as_wide_as_the_widest_of_their_cells() {
        let lines = shown(&["id", "until", "status"], &[["i-1", "3 Dec 02:45", "open"], ["i-23", "12 Dec 02:45", "used"]], 80);
        assert_eq!(lines, ["id    until         status", "i-1   3 Dec 02:45   open", "i-23  12 Dec 02:45  used"]);
        let lines = shown(&["id", "until", "status"], &[["i-1", "3 Dec 02:45", "open"], ["i-23", "", "used"]], 80);
        assert_eq!(lines, ["id    until        status", "i-1   3 Dec 02:45  open", "i-23               used"]);
    }

    #[test]
    fn a_last_cell_without_room_stands_below() {
        let row = [["e-abcdef", "Tue 2026-12-01 18:00 CET ↻", "Reading one chapter of a book together"]];
        let lines = shown(&["id", "starts", "title"], &row, 40);
        assert_eq!(
            lines,
            [
                "id        starts",
                "  ┆ title",
                "e-abcdef  Tue 2026-12-01 18:00 CET ↻",
                "  ┆ Reading one chapter of a book",
                "  ┆ together",
            ]
        );
        let circle = "A circle with a name that goes on and on, as long as one may be, and a little longer still";
        let lines =
            shown(&["id", "circle", "what"], &[["q-abcdef", circle, "Bea · `kith invite approve q-abcdef -c c-twgdp3`"]], 100);
        assert!(lines.iter().all(|line| line.chars().count() <= 100 && !line.trim().is_empty()), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("`kith invite approve q-abcdef -c c-twgdp3`")), "{lines:#?}");
        let lines = shown(&["id", "circle", "what"], &[["q-abcdef", circle, ""]], 80);
        assert!(lines.iter().all(|line| line.chars().count() <= 80 && !line.trim().is_empty()), "{lines:#?}");
    }

    #[test]
    fn a_long_last_cell_wraps_under_itself() {
        let lines = shown(&["id", "when", "title"], &[["n-1", "just now", "one two three four five six seven"]], 40);
        assert_eq!(lines, ["id   when      title", "n-1  just now  one two three four five", "               six seven"]);
    }
}
