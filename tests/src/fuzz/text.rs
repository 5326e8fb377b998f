//! Bends of text: lines, words, numbers and letters.

use super::bend::{Bend, NUMBERS, WORDS, bend_bytes};

/// Bytes of a bent text: a few hundred lines, so that a run stays fast.
const LONG: usize = 8 << 10;

/// Bends a text. `other`: a valid text of which lines may be taken; `words`: what this kind of text is made of.
#[must_use]
pub fn bend_text(text: &[u8], other: &[u8], words: &[&str], bends: &[Bend]) -> Vec<u8> {
    bends.iter().fold(text.to_vec(), |text, bend| {
        let mut bent = one(text, other, words, bend);
        bent.truncate(LONG);
        bent
    })
}

fn one(mut text: Vec<u8>, other: &[u8], words: &[&str], bend: &Bend) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let count = lines.len().max(1);
    let (at, with) = (bend.at as usize % count, bend.with as usize % count);
    match bend.how % 12 {
        0 if !lines.is_empty() => drop(lines.remove(at)),
        1 if !lines.is_empty() => lines.insert(with, lines[at]),
        2 if !lines.is_empty() => lines.swap(at, with),
        3 => {
            let theirs: Vec<&[u8]> = other.split_inclusive(|byte| *byte == b'\n').collect();
            lines.insert(at.min(lines.len()), Bend::one(bend.value, &theirs).unwrap_or_default());
        }
        4 if !lines.is_empty() => {
            let times = Bend::one(bend.value, &[2, 30, 400]).unwrap_or(2);
            let line = lines[at];
            lines.splice(at..at, std::iter::repeat_n(line, times));
        }
        5 | 6 => {
            let word = Bend::one(bend.value, words).unwrap_or_default();
            put(&mut text, bend.at, word.as_bytes());
            return text;
        }
        7 => {
            put(&mut text, bend.at, Bend::one(bend.value, &WORDS).unwrap_or_default());
            return text;
        }
        8 | 9 => return number(&text, bend),
        _ => {
            bend_bytes(&mut text, &Bend { how: bend.how / 12, ..*bend });
            return text;
        }
    }
    lines.concat()
}

fn put(text: &mut Vec<u8>, at: u32, word: &[u8]) {
    let at = at as usize % (text.len() + 1);
    text.splice(at..at, word.iter().copied());
}

/// Another number in the place of one.
fn number(text: &[u8], bend: &Bend) -> Vec<u8> {
    let starts = (0..text.len()).filter(|at| text[*at].is_ascii_digit() && (*at == 0 || !text[at - 1].is_ascii_digit()));
    let starts: Vec<usize> = starts.collect();
    let Some(start) = Bend::one(u64::from(bend.at), &starts) else { return text.to_vec() };
    let digits = text[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let new = match bend.with % 3 {
        0 => Bend::one(bend.value, &NUMBERS).unwrap_or(0).to_string(),
        1 => "9".repeat(digits),
        _ => format!("{:0digits$}", bend.value % 10_u64.saturating_pow(u32::try_from(digits.min(18)).unwrap_or(1))),
    };
    [&text[..start], new.as_bytes(), &text[start + digits..]].concat()
}
