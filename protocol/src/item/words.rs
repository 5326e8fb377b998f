//! Words as they are looked for: the same word whichever way it is written, in every script.
//!
//! What is indexed and what is typed go the same way. Letters lose what people leave out: case, accents, the points of Hebrew and
//! Arabic, German umlauts (which may be written as two letters, too), Polish and Danish strokes, the dots of the Russian ё. Vowel
//! signs of the scripts of South and Southeast Asia are letters and stay. Where words are not parted by spaces, every two letters
//! that follow each other are a word (Chinese, Japanese), or every three (Thai, Lao, Khmer, Burmese), so that any part of a
//! sentence can be found without a dictionary. Must never depend on a language: nobody says which one they write.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use unicode_normalization::char::{compose, decompose_compatible, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_script::{Script, UnicodeScript};

/// The version of what is indexed: raised whenever the same text gives other words. The index is then made again.
pub(super) const VERSION: u64 = 1;

/// How a script parts words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    /// By spaces and marks.
    Spaces,
    /// Not at all: so many letters at a time are looked for.
    Letters(usize),
}

/// Letters that follow each other, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    parting: Parting,
    letters: String,
    /// The same word with umlauts written as two letters.
    also: Option<String>,
    /// The place of its first letter in the text, in characters of its composed form.
    at: usize,
}

/// The words of a text for the index, a space between them.
#[must_use]
pub fn indexed(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for run in runs(text) {
        match run.parting {
            Parting::Spaces => {
                push(&mut out, &run.letters);
                run.also.iter().for_each(|also| push(&mut out, also));
            }
            Parting::Letters(size) => {
                let starts: Vec<usize> = run.letters.char_indices().map(|(at, _)| at).collect();
                for (n, start) in starts.iter().enumerate() {
                    let end = starts.get(n + size).copied().unwrap_or(run.letters.len());
                    push(&mut out, run.letters.get(*start..end).unwrap_or_default());
                }
            }
        }
    }
    out
}

fn push(out: &mut String, word: &str) {
    if !out.is_empty() {
        out.push(' ');
    }
    out.push_str(word);
}

/// What somebody looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought(Vec<Run>);

impl Sought {
    /// From what was typed.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        Self(runs(typed))
    }

    /// The terms that all have to be there, each as the beginning of a word; of each, one of its spellings is enough.
    #[must_use]
    pub fn terms(&self) -> Vec<Vec<String>> {
        let mut terms = Vec::new();
        for run in &self.0 {
            match run.parting {
                Parting::Spaces => terms.push(std::iter::once(run.letters.clone()).chain(run.also.clone()).collect()),
                Parting::Letters(size) => {
                    let letters: Vec<char> = run.letters.chars().collect();
                    let parts = letters.windows(size).map(|part| vec![part.iter().collect()]);
                    terms.extend(parts);
                    if letters.len() < size {
                        terms.push(vec![run.letters.clone()]);
                    }
                }
            }
        }
        terms
    }

    /// Does a text hold the parts of sentences that were typed as they were typed? Their letters may all be there in another order.
    pub(super) fn holds(&self, text: impl FnOnce() -> String) -> bool {
        let longer = |run: &&Run| matches!(run.parting, Parting::Letters(size) if run.letters.chars().nth(size).is_some());
        let parts: Vec<&Run> = self.0.iter().filter(longer).collect();
        if parts.is_empty() {
            return true;
        }
        let there = runs(&text());
        parts.iter().all(|part| there.iter().any(|run| run.parting == part.parting && run.letters.contains(&part.letters)))
    }

    /// Where the first of it stands in a text, in characters of its composed form.
    pub(super) fn first_in(&self, text: &str) -> Option<usize> {
        runs(text).iter().find_map(|run| self.0.iter().find_map(|wanted| wanted.within(run)))
    }
}

impl Run {
    /// Where in a text's run this one stands.
    fn within(&self, run: &Self) -> Option<usize> {
        if self.parting != run.parting {
            return None;
        }
        match self.parting {
            Parting::Spaces => {
                let mine = [Some(&self.letters), self.also.as_ref()];
                let theirs = [Some(&run.letters), run.also.as_ref()];
                let begins = |theirs: &&String| mine.iter().flatten().any(|mine| theirs.starts_with(mine.as_str()));
                theirs.into_iter().flatten().find(begins).map(|_| run.at)
            }
            Parting::Letters(_) => {
                let byte = run.letters.find(&self.letters)?;
                Some(run.at + run.letters.get(..byte)?.chars().count())
            }
        }
    }
}

/// A text in its composed form.
pub(super) fn composed(text: &str) -> String {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes { text.to_owned() } else { text.nfc().collect() }
}

/// The runs of a text.
fn runs(text: &str) -> Vec<Run> {
    let text = composed(text);
    let (mut runs, mut open): (Vec<Run>, Option<Run>) = (Vec::new(), None);
    for (at, c) in text.chars().enumerate() {
        if is_passed_over(c) {
            continue;
        }
        if is_combining_mark(c) {
            if let Some(run) = &mut open {
                run.mark(c);
            }
            continue;
        }
        if !c.is_alphanumeric() {
            runs.extend(open.take());
            continue;
        }
        let parting = parting(c);
        if open.as_ref().is_some_and(|run| run.parting != parting) {
            runs.extend(open.take());
        }
        open.get_or_insert_with(|| Run { parting, letters: String::new(), also: None, at }).letter(c);
    }
    runs.extend(open);
    runs.retain(|run| !run.letters.is_empty());
    runs
}

impl Run {
    fn letter(&mut self, c: char) {
        if c.is_ascii() {
            return self.push(c.to_ascii_lowercase());
        }
        if let Some(digit) = digit(c) {
            return self.push(digit);
        }
        if stays_composed(c) {
            return c.to_lowercase().for_each(|c| self.push(c));
        }
        decompose_compatible(c, |part| {
            if is_combining_mark(part) {
                self.mark(part);
            } else {
                part.to_lowercase().for_each(|c| self.folded(c));
            }
        });
        if let Some(second) = second_letter(c) {
            self.also.get_or_insert_with(|| self.letters.clone()).push(second);
        }
    }

    /// A letter without its marks, as it is written everywhere.
    fn folded(&mut self, c: char) {
        match c {
            'ß' => "ss".chars().for_each(|c| self.push(c)),
            'æ' => "ae".chars().for_each(|c| self.push(c)),
            'œ' => "oe".chars().for_each(|c| self.push(c)),
            'þ' => "th".chars().for_each(|c| self.push(c)),
            other if other.is_alphanumeric() => self.push(letter_of(other)),
            _ => {}
        }
    }

    fn mark(&mut self, mark: char) {
        // Half-width Japanese writes a sound mark as a sign of its own.
        if matches!(mark, '\u{3099}' | '\u{309a}') {
            if let Some(whole) = self.letters.chars().next_back().and_then(|last| compose(last, mark)) {
                self.letters.pop();
                self.letters.push(whole);
            }
        } else if !is_left_out(mark) {
            self.push(mark);
        }
    }

    fn push(&mut self, c: char) {
        self.letters.push(c);
        if let Some(also) = &mut self.also {
            also.push(c);
        }
    }
}

/// The letter that others are written for.
const fn letter_of(c: char) -> char {
    match c {
        'ø' => 'o',
        'ł' => 'l',
        'đ' | 'ð' => 'd',
        'ħ' => 'h',
        'ı' => 'i',
        'ŋ' => 'n',
        'ŧ' => 't',
        'ς' => 'σ',
        // Alef with a hook, Persian and Urdu forms, the two that end words.
        'ٱ' => 'ا',
        'ی' | 'ى' | 'ے' => 'ي',
        'ک' => 'ك',
        'ة' | 'ہ' | 'ھ' | 'ە' => 'ه',
        // Hebrew letters at the end of a word.
        'ך' => 'כ',
        'ם' => 'מ',
        'ן' => 'נ',
        'ף' => 'פ',
        'ץ' => 'צ',
        other => other,
    }
}

/// The letter that is written behind the plain one where there is no umlaut to be had: `Mueller`, `Aarhus`.
const fn second_letter(c: char) -> Option<char> {
    match c {
        'ä' | 'ö' | 'ü' | 'Ä' | 'Ö' | 'Ü' | 'ø' | 'Ø' => Some('e'),
        'å' | 'Å' => Some('a'),
        _ => None,
    }
}

/// Letters whose marks make others of them: й is not и, が is not か. Of Cyrillic letters only ё is written without.
fn stays_composed(c: char) -> bool {
    let script = c.script();
    script == Script::Cyrillic && !matches!(c, 'ё' | 'Ё')
        || script == Script::Hangul && matches!(c, '\u{ac00}'..='\u{d7a3}')
        || matches!(script, Script::Hiragana | Script::Katakana) && matches!(c, '\u{3040}'..='\u{30ff}')
}

/// Signs that nobody sees, and the Arabic stroke that only makes a word longer.
const fn is_passed_over(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{640}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

/// Marks that people leave out: accents, points of Hebrew, Arabic and Syriac, and the dot that Indian scripts put below borrowed
/// sounds.
const fn is_left_out(mark: char) -> bool {
    matches!(
        mark,
        '\u{300}'..='\u{36f}'
            | '\u{483}'..='\u{489}'
            | '\u{591}'..='\u{5c7}'
            | '\u{610}'..='\u{61a}'
            | '\u{64b}'..='\u{65f}'
            | '\u{670}'
            | '\u{6d6}'..='\u{6ed}'
            | '\u{711}'
            | '\u{730}'..='\u{74a}'
            | '\u{897}'..='\u{89f}'
            | '\u{8ca}'..='\u{8ff}'
            | '\u{93c}'
            | '\u{9bc}'
            | '\u{a3c}'
            | '\u{abc}'
            | '\u{b3c}'
            | '\u{c3c}'
            | '\u{cbc}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{fe20}'..='\u{fe2f}'
    )
}

/// How the words of a letter's script are parted.
fn parting(c: char) -> Parting {
    if c.is_ascii() || digit(c).is_some() {
        return Parting::Spaces;
    }
    let scripts = c.script_extension();
    let is_any = |of: &[Script]| !scripts.is_common() && of.iter().any(|script| scripts.contains_script(*script));
    if is_any(&[Script::Han, Script::Hiragana, Script::Katakana, Script::Bopomofo, Script::Yi]) {
        Parting::Letters(2)
    } else if is_any(&[
        Script::Thai,
        Script::Lao,
        Script::Khmer,
        Script::Myanmar,
        Script::Tai_Le,
        Script::New_Tai_Lue,
        Script::Tai_Tham,
    ]) {
        Parting::Letters(3)
    } else {
        Parting::Spaces
    }
}

/// A digit as ASCII has it.
fn digit(c: char) -> Option<char> {
    const ZEROS: [char; 14] = ['٠', '۰', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '๐', '໐', '၀', '០'];
    let value = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10))?;
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Does the index of a text give what is typed?
    fn finds(text: &str, typed: &str) -> bool {
        let indexed = indexed(text);
        let wanted = Sought::new(typed);
        let begins = |term: &String| indexed.split(' ').any(|word| word.starts_with(term.as_str()));
        wanted.terms().iter().all(|spellings| spellings.iter().any(begins)) && wanted.holds(|| text.to_owned())
    }

    #[test]
    fn a_word_is_found_whichever_way_it_is_written() {
        for (text, typed) in [
            ("re\u{301}sume\u{301}", "résumé"),
            ("naïve RÉSUMÉ", "nai\u{308}ve resume"),
            ("Straße", "STRASSE"),
            ("STRASSE", "straße"),
            ("Müller", "muller"),
            ("Müller", "Mueller"),
            ("Mueller", "Müller"),
            ("Übelkeit", "uebel"),
            ("Øresund, Århus", "oresund aarhus"),
            ("żółć i Łódź", "zolc lodz"),
            ("ёлка", "елка"),
            ("елка", "Ёлка"),
            ("за\u{301}мок", "замок"),
            ("أحمد إلى آخر", "احمد الى اخر"),
            ("مُحَمَّد", "محمد"),
            ("مـــحمد", "محمد"),
            ("مدرسة كبيرة", "مدرسه كبيره"),
            ("می\u{200c}خواهم کتاب", "ميخواهم كتاب"),
            ("שָׁלוֹם", "שלום"),
            ("ילדים", "ילד"),
            ("नमस्ते दोस्त", "नमस्ते"),
            ("ज़रूरत", "जरूरत"),
            ("২০২৬ ٢٠٢٦ २०२६", "2026"),
            ("ΟΔΟΣ", "οδός"),
            ("İstanbul ISPARTA", "istanbul ısparta"),
            ("ﬁne ｆｕｌｌ", "fine full"),
            ("Đà Nẵng", "da nang"),
            ("co\u{ad}operate", "cooperate"),
            ("학교에서", "학교"),
            ("ﻣﺤﻤﺪ", "محمد"),
        ] {
            assert!(finds(text, typed), "{typed} in {text}: {:?} {:?}", Sought::new(typed).terms(), indexed(text));
        }
    }

    #[test]
    fn other_words_are_not_found() {
        for (text, typed) in [
            ("мой", "мои"),
            ("か", "が"),
            ("नमस्ते", "नमस्ता"),
            ("blurred", "blue"),
            ("night", "ight"),
            ("压力", "力压"),
            ("工作压力", "工压"),
            ("东京都", "京东"),
            ("力压压力", "压力压"),
        ] {
            assert!(!finds(text, typed), "{typed} in {text}");
        }
    }

    #[test]
    fn any_part_of_a_sentence_without_spaces_is_found() {
        for text in [
            "我最近工作压力很大，需要帮助",
            "仕事のストレスで眠れません",
            "ฉันเครียดเรื่องงานมาก",
            "ຂ້ອຍຄຽດ",
            "ខ្ញុំតានតឹងណាស់",
            "ကျွန်တော်စိတ်ဖိစီး",
            "ｽﾄﾚｽとﾊﾟﾝ",
        ] {
            for run in text.split('，') {
                let letters: Vec<char> = run.chars().collect();
                for from in 0..letters.len() {
                    for to in from + 1..=letters.len() {
                        // A half-width sound mark or a vowel sign belongs to the letter before it: no part begins with one.
                        let begins = letters.get(from).is_some_and(|c| !is_combining_mark(*c) && !matches!(c, 'ﾞ' | 'ﾟ'));
                        let ends = letters.get(to).is_none_or(|c| !matches!(c, 'ﾞ' | 'ﾟ'));
                        let part: String = letters.iter().skip(from).take(to - from).collect();
                        assert!(!begins || !ends || finds(text, &part), "{part} in {text}: {}", indexed(text));
                    }
                }
            }
        }
        assert!(finds("ｽﾄﾚｽ", "ストレス") && finds("パン", "ﾊﾟﾝ") && finds("COVID压力2026年", "covid 压力 2026 年"));
    }

    #[test]
    fn where_it_stands_is_where_one_looks() {
        let place = |text: &str, typed: &str| Sought::new(typed).first_in(text);
        assert_eq!(place("so, Ärger im Dienst", "aerg"), Some(4));
        assert_eq!(place("so re\u{301}sume\u{301} x", "x"), Some(10));
        assert_eq!(place("我最近工作压力很大", "压力很"), Some(5));
        assert_eq!(place("nothing", "else"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 600, ..Default::default() })]

        #[test]
        fn words_are_clean_and_found_by_themselves(text in "(\\PC|[äøß가か力ก\u{301}\u{64b}\u{3099} ]){0,24}") {
            let indexed = indexed(&text);
            for word in indexed.split(' ').filter(|word| !word.is_empty()) {
                prop_assert!(word.chars().all(|c| c.is_alphanumeric() || is_combining_mark(c)), "{:?}", word);
            }
            prop_assert!(finds(&text, &text));
        }
    }
}
