//! Short pieces of what somebody wrote: they begin and end with whole words, and an ellipsis stands where something is left out.
//!
//! Where scripts do not part words by spaces, a piece begins and ends between two letters as a reader sees them (UAX #29). Looks at a
//! few hundred characters around the piece only, however long the text is.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use unicode_segmentation::UnicodeSegmentation;

use super::words::{Sought, composed};
use crate::limits::{EXCERPT_BEFORE_CHARS, EXCERPT_CHARS, EXCERPT_LOOK_CHARS};

/// What stands for what is left out.
const ELLIPSIS: char = '…';

/// The words around the first match in a text, or the first ones. In one line, at most [`EXCERPT_CHARS`] characters.
pub(super) fn around(text: &str, wanted: &Sought) -> String {
    let text = composed(text);
    let found = wanted.first_in(&text).unwrap_or(0);
    let start = start_before(&text, found);
    let room = EXCERPT_CHARS - 2;
    let kept = beginning_of(text.get(start..).unwrap_or_default(), room, after(&text, found).saturating_sub(start));
    let more = text.get(start + kept.len()..).is_some_and(has_words);
    let before = text.get(..start).is_some_and(has_words);
    let ends = [before, more].map(|left_out| if left_out { ELLIPSIS.to_string() } else { String::new() });
    let [before, more] = ends;
    format!("{before}{}{more}", one_line(kept))
}

/// The first words of a text: in one line, at most so many characters and an ellipsis.
pub(super) fn beginning(text: &str, chars: usize) -> String {
    let line = one_line(text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default());
    let kept = beginning_of(&line, chars, 0);
    if kept.len() < line.len() { format!("{}{ELLIPSIS}", kept.trim_end()) } else { line }
}

fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn has_words(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !c.is_control())
}

/// The byte at which a character of a text begins; behind the last one, its length.
fn after(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
}

/// Where a piece that shows the character at `found` begins: with a word at most [`EXCERPT_BEFORE_CHARS`] before it.
fn start_before(text: &str, found: usize) -> usize {
    let Some(first) = found.checked_sub(EXCERPT_BEFORE_CHARS).filter(|first| *first > 0) else { return 0 };
    // What is looked at begins earlier, since a word can only be told where its beginning is seen, and ends behind the match.
    let seen = after(text, first.saturating_sub(EXCERPT_BEFORE_CHARS));
    let (first, found) = (after(text, first), after(text, found));
    let near: &str = text.get(seen..).unwrap_or_default();
    let near = near.get(..after(near, EXCERPT_LOOK_CHARS)).unwrap_or_default();
    let word = |(_, word): &(usize, &str)| word.chars().next().is_some_and(|c| !c.is_whitespace() && !c.is_control());
    let mut words = near.split_word_bound_indices().filter(word).map(|(at, _)| seen + at);
    words.find(|at| (first..=found).contains(at)).unwrap_or_else(|| {
        // One word without end: where a letter begins, as a reader sees it.
        let letters = near.grapheme_indices(true).map(|(at, _)| seen + at);
        letters.take_while(|at| *at <= found).last().unwrap_or(found)
    })
}

/// The beginning of a text: at most so many characters, and whole words of them; what stands at byte `shown` is part of it.
fn beginning_of(text: &str, chars: usize, shown: usize) -> &str {
    let end = after(text, chars);
    if end == text.len() {
        return text;
    }
    // The word that the end falls into has to be seen whole, or at least as far as it might end.
    let near = text.get(..after(text, chars + EXCERPT_BEFORE_CHARS)).unwrap_or(text);
    let fits = |at: &usize| *at > shown && *at <= end;
    let mut words = near.split_word_bound_indices().map(|(at, _)| at);
    let mut letters = near.grapheme_indices(true).map(|(at, _)| at);
    let cut = words.rfind(fits).or_else(|| letters.rfind(fits)).unwrap_or(end);
    text.get(..cut).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One text in each way of writing: a word that is looked for, and words to stand around it.
    const SCRIPTS: [(&str, &str); 9] = [
        ("Ärger", "lange Nächte im Dienst, "),
        ("needle", "it isn't over; they're here. "),
        ("ज़िन्दगी", "क्षमा और शान्ति की प्रार्थना "),
        ("ความรัก", "วันนี้เราพบกันที่นี่"),
        ("平和", "今日は皆で話しましょう。"),
        ("سلام", "كانَ اللَّيْلُ طَويلًا جِدًّا "),
        ("שלום", "הַלַּיְלָה הָיָה אָרֹךְ "),
        ("gå", "e\u{301}te\u{301} a\u{308}rger 👩‍👩‍👧 👍🏽 🇪🇸 "),
        ("ძილი", "ღამე გრძელია და მშვიდი "),
    ];

    /// Does a word, or a letter where there is no word, begin at this byte of a text?
    fn is_edge(text: &str, at: usize) -> bool {
        at == text.len() || text.split_word_bound_indices().any(|(edge, _)| edge == at)
    }

    #[test]
    fn an_excerpt_is_of_whole_words_in_every_script() {
        for (word, around_it) in SCRIPTS {
            // Each length of what stands before lets it begin somewhere else.
            for before in 0..60 {
                let text = format!("{}{} {word} {}", "x ".repeat(before), around_it.repeat(9), around_it.repeat(9));
                let text = composed(&text);
                let found = around(&text, &Sought::new(word));
                let inner = found.trim_matches(ELLIPSIS);
                assert!(found.chars().count() <= EXCERPT_CHARS, "{found}");
                assert!(inner.contains(&composed(word)), "{word} is not in {found}");
                assert!(found.starts_with(ELLIPSIS) && found.ends_with(ELLIPSIS), "{found}");
                let one = one_line(&text);
                let starts: Vec<usize> = one.match_indices(inner).map(|(at, _)| at).collect();
                assert!(starts.iter().any(|at| is_edge(&one, *at)), "{found} begins within a word");
                assert!(starts.iter().any(|at| is_edge(&one, at + inner.len())), "{found} ends within a word");
            }
        }
    }

    #[test]
    fn what_is_whole_has_no_ellipsis() {
        assert_eq!(around("short\nwords", &Sought::new("none")), "short words");
        assert_eq!(around("  Ärger im Dienst \n", &Sought::new("dienst")), "Ärger im Dienst");
        assert_eq!(around("", &Sought::new("x")), "");
        let long = format!("first {}", "word ".repeat(60));
        let found = around(&long, &Sought::new("first"));
        assert!(found.starts_with("first word") && found.ends_with("word…"), "{found}");
        let found = around(&format!("{} last", "word ".repeat(60)), &Sought::new("last"));
        assert!(found.starts_with("…word") && found.ends_with("word last"), "{found}");
    }

    #[test]
    fn a_word_without_end_is_cut_between_letters() {
        let family = "👩‍👩‍👧";
        for text in ["x".repeat(500), "क्ष".repeat(200), format!("{} needle {}", family.repeat(40), family.repeat(40))] {
            for wanted in ["needle", "x", "क्ष"] {
                let found = around(&text, &Sought::new(wanted));
                let letters: Vec<&str> = text.graphemes(true).collect();
                let whole = found.trim_matches(ELLIPSIS).graphemes(true).all(|letter| letters.contains(&letter));
                assert!(whole && found.chars().count() <= EXCERPT_CHARS && !found.is_empty(), "{found}");
            }
        }
    }

    #[test]
    fn a_beginning_ends_with_a_word() {
        assert_eq!(beginning("\n\n  Long nights,\tand days\nmore", 60), "Long nights, and days");
        assert_eq!(beginning("Long nights and days", 13), "Long nights…");
        assert_eq!(beginning("Long nights and days", 11), "Long nights…");
        assert_eq!(beginning(&"x".repeat(9), 4), "xxxx…");
        assert_eq!(beginning("今日は皆で話しましょう", 4), "今日は皆…");
        assert_eq!(beginning("", 4), "");
    }
}
