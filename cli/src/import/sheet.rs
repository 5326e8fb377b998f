//! The rows of a table, whatever parts its cells, each with the line that it begins in.

/// What may part cells, the usual one first.
const MARKS: [u8; 4] = *b",;\t|";

/// A table as it was written.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// The names of the columns: in lower case, one underscore for what stands between words.
    pub(crate) header: Vec<String>,
    /// The line that they stand in.
    pub(crate) header_line: usize,
    pub(crate) rows: Vec<SheetRow>,
    /// Lines that cannot be read, and why.
    pub(crate) bad: Vec<(usize, &'static str)>,
}

/// A row.
#[derive(Debug)]
pub(crate) struct SheetRow {
    pub(crate) line: usize,
    pub(crate) cells: Vec<String>,
}

/// Reads a table. Of the marks that may part its cells the one is taken that it names itself (`sep=;`), else the one by which most
/// of its columns are `known`.
pub(crate) fn read(text: &str, known: impl Fn(&str) -> bool) -> Sheet {
    let (named, text, skipped) = named_mark(text);
    let header_by = |mark: u8| {
        let row = ::csv::ReaderBuilder::new().delimiter(mark).has_headers(false).flexible(true).from_reader(text.as_bytes());
        let row = row.into_records().next().and_then(Result::ok).unwrap_or_default();
        row.iter().map(column).collect::<Vec<String>>()
    };
    let worth = |mark: &u8| {
        let header = header_by(*mark);
        (header.iter().filter(|name| known(name)).count(), header.len())
    };
    // Of equals the last is the greatest, and the usual one stands first.
    let mark = named.or_else(|| MARKS.into_iter().rev().max_by_key(worth)).unwrap_or(b',');
    let mut sheet = Sheet::default();
    read_rows(text, mark, skipped + 1, &mut sheet);
    if !sheet.rows.is_empty() {
        let header = sheet.rows.remove(0);
        sheet.header_line = header.line;
        sheet.header = header.cells.iter().map(|name| column(name)).collect();
    }
    sheet
}

/// `sep=;` in a line of its own, as spreadsheets write it; the rest, and how many lines went.
fn named_mark(text: &str) -> (Option<u8>, &str, usize) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.trim_end_matches('\r').trim_matches('"');
    let mark = first.get(..4).filter(|head| head.eq_ignore_ascii_case("sep=")).and_then(|_| first.get(4..));
    match mark.map(str::as_bytes) {
        Some([mark]) if mark.is_ascii() && *mark != b'"' => (Some(*mark), rest, 1),
        _ => (None, text, 0),
    }
}

fn column(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    lower.split(|c: char| c.is_whitespace() || c == '-' || c == '_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}

/// Every row. A quote that never closes would take all that follows into one cell: its line is named, and reading goes on behind it.
fn read_rows(text: &str, mark: u8, first: usize, sheet: &mut Sheet) {
    let (mut text, mut line) = (text, first);
    loop {
        let mut reader =
            ::csv::ReaderBuilder::new().delimiter(mark).has_headers(false).flexible(true).from_reader(text.as_bytes());
        let (mut record, mut from) = (::csv::StringRecord::new(), 0);
        loop {
            // The text is UTF-8 and rows may be of any length, so reading from memory cannot fail.
            if !reader.read_record(&mut record).unwrap_or(false) {
                return;
            }
            let to = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX).min(text.len());
            let piece = text.get(from..to).unwrap_or_default();
            let ends_before = piece.len() - piece.trim_start_matches(['\r', '\n']).len();
            line += ends(piece.get(..ends_before).unwrap_or_default());
            let piece = piece.get(ends_before..).unwrap_or_default();
            if is_broken(piece.as_bytes(), mark) {
                sheet.bad.push((line, "has a quote that does not close where a cell ends"));
                let rest = text.get(from + ends_before..).unwrap_or_default();
                let behind = rest.find('\n').map_or("", |end| rest.get(end + 1..).unwrap_or_default());
                (text, line) = (behind, line + 1);
                break;
            }
            sheet.rows.push(SheetRow { line, cells: record.iter().map(str::to_owned).collect() });
            line += ends(piece);
            from = to;
        }
    }
}

fn ends(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// Does a row's text end within quotes, or reach into another line by quotes that close where no cell ends?
fn is_broken(row: &[u8], mark: u8) -> bool {
    let (mut quoted, mut begins, mut closed, mut lines) = (false, true, false, false);
    for byte in row {
        let ends = *byte == mark || matches!(byte, b'\r' | b'\n');
        if closed && lines && !ends && *byte != b'"' {
            return true;
        }
        match (quoted, *byte) {
            // A doubled quote closes and opens again.
            (true, b'"') => (quoted, begins, closed) = (false, true, true),
            (true, byte) => lines |= byte == b'\n',
            (false, b'"') if begins => (quoted, closed) = (true, false),
            (false, _) => (begins, closed) = (ends, false),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(usize, String)> {
        let sheet = read(text, |name| matches!(name, "title" | "url"));
        sheet.rows.into_iter().map(|row| (row.line, row.cells.join("|"))).collect()
    }

    #[test]
    fn every_way_to_part_cells_is_found() {
        let want = [(2, "a,b;c|x".to_owned())];
        assert_eq!(rows("title,url\n\"a,b;c\",x\n"), want);
        assert_eq!(rows("Title;URL\r\n\"a,b;c\";x\r\n"), want);
        assert_eq!(rows("title\turl\n\"a,b;c\"\tx"), want);
        assert_eq!(rows("\n\ntitle,url\n\n\n\"a,b;c\",x\n"), [(6, want[0].1.clone())]);
        for head in ["sep=^\n", "\"sep=^\"\r\n", "SEP=^\n"] {
            assert_eq!(rows(&format!("{head}title^url\na,b;c^x\n")), [(3, want[0].1.clone())]);
        }
        assert_eq!(read("Start Date,review-by,  A_b\n", |_| true).header, ["start_date", "review_by", "a_b"]);
    }

    #[test]
    fn a_quote_that_never_closes_takes_nothing_else_down() {
        let text = "title,url\n\"two\nlines\",x\n\"open,y\nfine,z\n5\" disk,w\n\"\"\"quoted\"\" words\",v\n";
        let sheet = read(text, |_| true);
        assert_eq!(sheet.bad.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4]);
        let rows: Vec<(usize, &str)> = sheet.rows.iter().map(|row| (row.line, row.cells[0].as_str())).collect();
        assert_eq!(rows, [(2, "two\nlines"), (5, "fine"), (6, "5\" disk"), (7, "\"quoted\" words")]);
    }

    #[test]
    fn many_open_quotes_end() {
        let text = format!("title\n{}", "\"a\nb\"c\n".repeat(3_000));
        assert!(read(&text, |_| true).rows.len() + read(&text, |_| true).bad.len() > 1_000);
    }
}
