//! Where two texts differ: by lines first, then by words within the lines that changed.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use crate::limits::DIFF_PAIRS;

/// A stretch of the old text and what stands in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hunk {
    /// Where, in characters of the old text.
    pub(super) at: usize,
    /// How many of them go.
    pub(super) gone: usize,
    /// What comes.
    pub(super) text: String,
}

#[derive(Clone, Copy)]
enum Grain {
    Lines,
    Words,
    Whole,
}

/// The hunks between two texts, ascending. No two touch.
pub(super) fn hunks(old: &[char], new: &[char]) -> Vec<Hunk> {
    let mut found = Vec::new();
    compare(old, new, 0, Grain::Lines, &mut found);
    found
}

fn compare(old: &[char], new: &[char], at: usize, grain: Grain, found: &mut Vec<Hunk>) {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (old.get(start..).unwrap_or_default(), new.get(start..).unwrap_or_default());
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (old.get(..old.len() - end).unwrap_or_default(), new.get(..new.len() - end).unwrap_or_default());
    let at = at + start;
    if old.is_empty() && new.is_empty() {
        return;
    }
    let finer = match grain {
        Grain::Lines => Grain::Words,
        Grain::Words | Grain::Whole => Grain::Whole,
    };
    let (ours, theirs) = (tokens(old, grain), tokens(new, grain));
    let shared = shared(&ours, &theirs);
    if old.is_empty() || new.is_empty() || (shared.is_empty() && matches!(grain, Grain::Words | Grain::Whole)) {
        found.push(Hunk { at, gone: old.len(), text: new.iter().collect() });
        return;
    }
    if shared.is_empty() {
        return compare(old, new, at, finer, found);
    }
    let (mut from, mut to) = (0, 0);
    let (mut old_from, mut new_from) = (0, 0);
    for (a, b) in shared.into_iter().chain([(ours.len(), theirs.len())]) {
        let (gap_old, gap_new) = (length(&ours, from, a), length(&theirs, to, b));
        let (old, new) = (old.get(old_from..old_from + gap_old), new.get(new_from..new_from + gap_new));
        compare(old.unwrap_or_default(), new.unwrap_or_default(), at + old_from, finer, found);
        let kept = ours.get(a).map_or(0, |token| token.len());
        (old_from, new_from) = (old_from + gap_old + kept, new_from + gap_new + kept);
        (from, to) = (a + 1, b + 1);
    }
}

fn length(tokens: &[&[char]], from: usize, to: usize) -> usize {
    tokens.get(from..to).unwrap_or_default().iter().map(|token| token.len()).sum()
}

/// Lines with their ends, or words with the space behind them.
fn tokens(text: &[char], grain: Grain) -> Vec<&[char]> {
    match grain {
        Grain::Lines => text.split_inclusive(|c| *c == '\n').collect(),
        Grain::Words => text.split_inclusive(|c| c.is_whitespace()).collect(),
        Grain::Whole => vec![text],
    }
}

/// The longest common subsequence, as pairs of places.
fn shared(a: &[&[char]], b: &[&[char]]) -> Vec<(usize, usize)> {
    let width = b.len() + 1;
    if a.len().saturating_mul(b.len()) > DIFF_PAIRS {
        return Vec::new();
    }
    let mut best = vec![0_u32; (a.len() + 1) * width];
    let value = |best: &[u32], i: usize, j: usize| best.get(i * width + j).copied().unwrap_or(0);
    for (i, one) in a.iter().enumerate().rev() {
        for (j, other) in b.iter().enumerate().rev() {
            let here =
                if one == other { value(&best, i + 1, j + 1) + 1 } else { value(&best, i + 1, j).max(value(&best, i, j + 1)) };
            if let Some(cell) = best.get_mut(i * width + j) {
                *cell = here;
            }
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        if a.get(i) == b.get(j) {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if value(&best, i + 1, j) >= value(&best, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn two_places_give_two_hunks() {
        let found = hunks(&chars("one two three four"), &chars("one 2 three 4"));
        let brief: Vec<(usize, usize, &str)> = found.iter().map(|hunk| (hunk.at, hunk.gone, hunk.text.as_str())).collect();
        assert_eq!(brief, [(4, 3, "2"), (14, 4, "4")]);
    }

    #[test]
    fn large_texts_are_not_compared_word_by_word() {
        let text = |word: &str| format!("a {} z", word.repeat(3_000));
        let found = hunks(&chars(&text("b ")), &chars(&text("c ")));
        assert_eq!(found.len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn hunks_lead_from_one_text_to_the_other(old in "[ab \n]{0,24}", new in "[ab \n]{0,24}") {
            let (old, new) = (chars(&old), chars(&new));
            let mut out = Vec::new();
            let mut at = 0;
            let mut last = None;
            for hunk in hunks(&old, &new) {
                prop_assert!(last.is_none_or(|last| hunk.at > last), "hunks touch");
                out.extend(old.get(at..hunk.at).expect("ascending"));
                out.extend(hunk.text.chars());
                at = hunk.at + hunk.gone;
                last = Some(at);
            }
            out.extend(old.get(at..).expect("within"));
            prop_assert_eq!(out, new);
        }
    }
}
