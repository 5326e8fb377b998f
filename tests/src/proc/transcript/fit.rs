//! Does what was shown fit what a transcript says? What depends on the day, the hour or how long a test took never decides it.

use std::collections::BTreeMap;

/// Words of a transcript that stand for what was shown, by their names.
pub(super) type Words = BTreeMap<String, String>;

/// A moment as a transcript writes it; any moment fits it, since how it is told depends on when one looks.
const MOMENT: &str = "just now";

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A part of an expected line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    /// Two spaces or more: the width of a column depends on what else stands in it, a short date, say.
    Gap,
    /// [`MOMENT`].
    Moment,
    /// `[..]`
    Any,
    /// `[WORD]`
    Word(&'a str),
}

/// Do the lines fit? Words that they show for the first time are kept.
pub(super) fn fits(expected: &[&str], shown: &[&str], words: &mut Words) -> bool {
    match expected.split_first() {
        None => shown.is_empty(),
        Some((&"...", rest)) => {
            (0..=shown.len()).any(|skip| tried(words, |words| fits(rest, shown.get(skip..).unwrap_or_default(), words)))
        }
        Some((line, rest)) => match shown.split_first() {
            Some((first, others)) => line_fits(&pieces(line), first, words) && fits(rest, others, words),
            None => false,
        },
    }
}

/// Keeps what an attempt added to the words only if it went well.
fn tried(words: &mut Words, attempt: impl FnOnce(&mut Words) -> bool) -> bool {
    let mut copy = words.clone();
    let fit = attempt(&mut copy);
    if fit {
        *words = copy;
    }
    fit
}

fn pieces(mut line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while !line.is_empty() {
        let found = line.char_indices().find_map(|(at, _)| special(&line[at..]).map(|(piece, len)| (at, piece, len)));
        let Some((at, piece, len)) = found else {
            pieces.push(Piece::Text(line));
            break;
        };
        if at > 0 {
            pieces.push(Piece::Text(&line[..at]));
        }
        pieces.push(piece);
        line = &line[at + len..];
    }
    pieces
}

/// The piece that is no plain text with which a line begins, and its length.
fn special(line: &str) -> Option<(Piece<'_>, usize)> {
    if line.starts_with(MOMENT) {
        return Some((Piece::Moment, MOMENT.len()));
    }
    let spaces = line.len() - line.trim_start_matches(' ').len();
    if spaces > 1 {
        return Some((Piece::Gap, spaces));
    }
    let (name, _) = line.strip_prefix('[')?.split_once(']')?;
    let word = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let piece = if name == ".." { Piece::Any } else { Piece::Word(name) };
    (word || piece == Piece::Any).then_some((piece, name.len() + 2))
}

fn line_fits(expected: &[Piece<'_>], shown: &str, words: &mut Words) -> bool {
    let Some((piece, rest)) = expected.split_first() else { return shown.is_empty() };
    match piece {
        Piece::Text(text) => shown.strip_prefix(text).is_some_and(|shown| line_fits(rest, shown, words)),
        Piece::Gap => {
            let after = shown.trim_start_matches(' ');
            shown.len() - after.len() > 1 && line_fits(rest, after, words)
        }
        Piece::Moment => {
            ends(shown).any(|end| is_moment(&shown[..end]) && tried(words, |words| line_fits(rest, &shown[end..], words)))
        }
        Piece::Any => ends(shown).any(|end| tried(words, |words| line_fits(rest, &shown[end..], words))),
        Piece::Word(name) => match words.get(*name).cloned() {
            Some(word) => shown.strip_prefix(&word).is_some_and(|shown| line_fits(rest, shown, words)),
            None => new_word(name, rest, shown, words),
        },
    }
}

/// Every place where a piece of this text may end.
fn ends(text: &str) -> impl DoubleEndedIterator<Item = usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()])
}

/// The longest word without a space after which the rest fits is kept.
fn new_word(name: &str, rest: &[Piece<'_>], shown: &str, words: &mut Words) -> bool {
    let until = shown.find(char::is_whitespace).unwrap_or(shown.len());
    ends(&shown[..until]).rev().filter(|end| *end > 0).any(|end| {
        tried(words, |words| {
            words.insert(name.to_owned(), shown[..end].to_owned());
            line_fits(rest, &shown[end..], words)
        })
    })
}

/// Is it a moment as `kith` tells it: near ones in words, others by day and clock?
fn is_moment(text: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let joined = |text: &str, mark: char, lens: &[usize]| {
        let parts: Vec<&str> = text.split(mark).collect();
        parts.iter().map(|part| part.len()).eq(lens.iter().copied()) && parts.into_iter().all(number)
    };
    let clock = |text: &str| joined(text, ':', &[2, 2]);
    match *text.split(' ').collect::<Vec<_>>() {
        ["just", "now"] => true,
        [minutes, "min", "ago"] => number(minutes),
        ["yesterday" | "tomorrow", time] => clock(time),
        [day, month, time] => number(day) && MONTHS.contains(&month) && clock(time),
        [text] => clock(text) || joined(text, '-', &[4, 2, 2]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(expected: &str, shown: &str) -> Option<Words> {
        let mut words = Words::new();
        let (expected, shown): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), shown.lines().collect());
        fits(&expected, &shown, &mut words).then_some(words)
    }

    #[test]
    fn wildcards_and_words() {
        assert!(fit("a\n...\nz", "a\nb\nc\nz").is_some());
        assert!(fit("a\n...\nz", "a\nb\nc").is_none());
        assert!(fit("at [..] there", "at 12:00 there").is_some());
        let words = fit("saved [NOTE]\nshown [NOTE].", "saved n-abc\nshown n-abc.").expect("fits");
        assert_eq!(words.get("NOTE").map(String::as_str), Some("n-abc"));
        assert!(fit("saved [NOTE]\nshown [NOTE]", "saved n-abc\nshown n-abd").is_none());
        assert!(fit("[eap] plain", "[eap] plain").is_some());
        assert!(fit("[eap] plain", "[epa] plain").is_none());
        assert!(fit("a", "ab").is_none() && fit("ab", "a").is_none());
    }

    #[test]
    fn any_moment_fits_a_moment() {
        let moments = [
            "just now",
            "1 min ago",
            "59 min ago",
            "00:04",
            "yesterday 23:59",
            "tomorrow 00:01",
            "3 Dec 02:45",
            "31 Dec 02:45",
            "2028-02-29",
        ];
        for moment in moments {
            assert!(fit("Bea · just now · with everyone", &format!("Bea · {moment} · with everyone")).is_some(), "{moment}");
            assert!(fit("seen  just now  Bea", &format!("seen  {moment}     Bea")).is_some(), "{moment}");
            assert!(fit("since    just now", &format!("since    {moment}")).is_some(), "{moment}");
        }
        for other in ["", "now", "min ago", "3 Dez 02:45", "2:45", "soon", "on this computer", "just now just now"] {
            assert!(fit("Bea · just now · all", &format!("Bea · {other} · all")).is_none(), "{other}");
        }
    }

    #[test]
    fn columns_may_be_of_any_width() {
        let header = "id        role    used    until         status";
        assert!(fit(header, "id        role    used    until        status").is_some());
        assert!(fit(header, "id        role    used    until  status").is_some());
        assert!(fit(header, "id        role    used    until status").is_none(), "columns are two spaces apart");
        assert!(fit("a b", "a  b").is_none(), "between words there is one");
    }
}
