//! Columns. On a terminal padded and with a quiet header, with `--plain` tab-separated and without one.

use super::{Line, Ui, wrap};
use crate::error::Result;

/// Columns between columns.
const SPACE: usize = 2;

impl Ui {
    /// Rows under headers. The last column may be long: it wraps under itself.
    pub(crate) fn table(&self, headers: &[&str], rows: &[Vec<Line>]) -> Result<()> {
        if self.plain {
            for row in rows {
                let cells: Vec<String> = row.iter().map(Line::plain).collect();
                self.out_drawing(&cells.join("\t"))?;
            }
            return Ok(());
        }
        let widths: Vec<usize> = headers
            .iter()
            .enumerate()
            .map(|(at, header)| {
                rows.iter().filter_map(|row| row.get(at)).map(Line::width).chain([header.len()]).max().unwrap_or(0)
            })
            .collect();
        let header: Vec<Line> = headers.iter().map(|text| Line::new().dim(text)).collect();
        self.row(&widths, &header)?;
        rows.iter().try_for_each(|row| self.row(&widths, row))
    }

    fn row(&self, widths: &[usize], row: &[Line]) -> Result<()> {
        let mut line = Line::new();
        let mut used = 0;
        for (at, cell) in row.iter().enumerate() {
            let last = at + 1 == row.len();
            let room = self.width.saturating_sub(used);
            if last && cell.width() > room && room > 20 {
                let pieces = wrap(&cell.plain(), room);
                let (first, rest) = pieces.split_first().map_or((String::new(), &[][..]), |(f, r)| (f.clone(), r));
                self.out(line.text(&first))?;
                return rest.iter().try_for_each(|piece| self.out(format!("{}{piece}", " ".repeat(used))));
            }
            line = line.and(cell.clone());
            if !last {
                let width = widths.get(at).copied().unwrap_or(0);
                line = line.text(&" ".repeat(width.saturating_sub(cell.width()) + SPACE));
                used += width + SPACE;
            }
        }
        self.out(line)
    }

    /// A list of `label  value` pairs; empty values are left out.
    pub(crate) fn facts(&self, facts: &[(&str, Line)]) -> Result<()> {
        let width = facts.iter().filter(|(_, value)| !value.is_empty()).map(|(label, _)| label.len()).max().unwrap_or(0);
        for (label, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            if self.plain {
                self.out_drawing(&format!("{label}\t{}", value.plain()))?;
            } else {
                self.row(&[width], &[Line::new().dim(&format!("{label:width$}")), value.clone()])?;
            }
        }
        Ok(())
    }
}
