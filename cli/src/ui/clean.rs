//! Make text from anywhere harmless on a terminal: control characters, escapes, bidi overrides and invisible characters are
//! shown as `\u{...}` instead of acting. Emoji sequences and the joiners that Arabic and Indic scripts need stay as they are.
//! Every kind of space is shown as the one that the space bar makes, so that none goes where that one may not.

use unicode_width::UnicodeWidthChar;

/// For one line: line breaks are escaped too.
pub(crate) fn line(text: &str) -> String {
    escape(text, false)
}

/// For what begins a line or stands for a person: one line, its words one space apart, none before them.
pub(crate) fn words(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() && !ends_line(c)).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A name's words; a dot that stands alone is escaped, since Kith parts a name from what follows it by one.
pub(crate) fn name(text: &str) -> String {
    let dot = |word: &str| {
        word.chars().all(|c| {
            matches!(c, '\u{b7}' | '\u{387}' | '\u{2022}' | '\u{2027}' | '\u{2219}' | '\u{22c5}' | '\u{30fb}' | '\u{ff65}')
        })
    };
    let shown = |word: &str| {
        if dot(word) { word.chars().map(|c| format!("\\u{{{:x}}}", u32::from(c))).collect() } else { word.to_owned() }
    };
    words(text).split(' ').map(|word| if word.is_empty() { String::new() } else { shown(word) }).collect::<Vec<_>>().join(" ")
}

/// Characters that end a line somewhere; they are shown, not obeyed.
const fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// How many of the first letters go into so many columns (one at least): up to a space where there is one, else as many as fit.
pub(crate) fn fitting(letters: impl Iterator<Item = char>, room: usize) -> usize {
    let (mut used, mut count, mut space) = (0, 0, None);
    for c in letters {
        // A space may stand beyond the edge: nobody sees it there.
        used += columns(c);
        if used > room && c != ' ' {
            return space.unwrap_or(count).max(1);
        }
        if c == ' ' && count > 0 {
            space = Some(count);
        }
        count += 1;
    }
    count
}

/// Columns that a character takes at the most, whatever the terminal thinks of it.
fn columns(c: char) -> usize {
    match c {
        '\t' => 8,
        // It makes a picture of the letter before it, which may then be wider.
        '\u{fe0f}' => 1,
        _ => c.width().unwrap_or(0).max(c.width_cjk().unwrap_or(0)),
    }
}

/// For running text: line breaks stay, tabs become spaces.
pub(crate) fn block(text: &str) -> String {
    escape(&text.replace("\r\n", "\n"), true)
}

/// For JSON text, where such characters can only stand inside strings: escaped as JSON escapes.
pub(crate) fn json(text: &str) -> String {
    if !text.chars().any(acts) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c == '\n' || !acts(c) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn escape(text: &str, lines: bool) -> String {
    if text.is_ascii() && !text.bytes().any(|b| b.is_ascii_control()) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // Only Kith draws rules: they say whose words begin where.
        let rule = !lines && matches!(c, '\u{2500}'..='\u{257f}');
        let hidden = rule || acts(c) && !belongs(before, c, chars.peek().copied());
        match c {
            '\n' if lines => out.push(c),
            '\t' if lines => out.push_str("    "),
            _ if hidden => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            _ if c.is_whitespace() => out.push(' '),
            _ => out.push(c),
        }
        // What follows an escape follows its last letter.
        before = Some(if hidden { '}' } else { c });
    }
    out
}

/// Could this character act on a terminal, or hide?
fn acts(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A joiner or variation selector where its script or an emoji needs it.
fn belongs(before: Option<char>, c: char, after: Option<char>) -> bool {
    let (before, after) = (before.unwrap_or(' '), after.unwrap_or(' '));
    match c {
        '\u{fe0f}' | '\u{fe0e}' => pictures(before) || matches!(before, '0'..='9' | '#' | '*'),
        '\u{200d}' => (pictures(before) || before == '\u{fe0f}') && pictures(after) || joins(before) && joins(after),
        '\u{200c}' => joins(before) && joins(after),
        _ => false,
    }
}

const fn pictures(c: char) -> bool {
    matches!(c, '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

const fn joins(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{8ff}' | '\u{900}'..='\u{df4}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17b3}')
}

/// Does one word mix Latin letters with Cyrillic or Greek ones that look alike?
pub(crate) fn mixes_scripts(name: &str) -> bool {
    name.split(|c: char| !c.is_alphabetic()).any(|word| {
        let latin = word.chars().any(|c| matches!(c, 'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}'));
        let other = word.chars().any(|c| matches!(c, '\u{370}'..='\u{52f}' | '\u{13a0}'..='\u{13ff}' | '\u{ff21}'..='\u{ff5a}'));
        latin && other
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_shown() {
        assert_eq!(line("\u{1b}[31mred\u{7}"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(line("a\rb\u{8}c\u{9b}"), "a\\u{d}b\\u{8}c\\u{9b}");
        assert_eq!(line("two\nlines"), "two\\u{a}lines");
        assert_eq!(block("two\r\nlines\tx"), "two\nlines    x");
        assert_eq!(block("two\rlines"), "two\\u{d}lines");
    }

    #[test]
    fn bidi_and_invisible_characters_are_shown() {
        assert_eq!(line("ab\u{202e}cd\u{2066}"), "ab\\u{202e}cd\\u{2066}");
        assert_eq!(line("A\u{200b}mara"), "A\\u{200b}mara");
        assert_eq!(line("a\u{fe0f}b\u{e0041}"), "a\\u{fe0f}b\\u{e0041}");
        assert_eq!(line("Am\u{200d}ara"), "Am\\u{200d}ara");
    }

    #[test]
    fn every_space_is_the_same() {
        let spaces = "\u{a0}\u{1680}\u{2000}\u{2003}\u{2007}\u{200a}\u{202f}\u{205f}\u{3000}";
        assert_eq!(line(&format!("a{spaces}b")), format!("a{}b", " ".repeat(9)));
        assert_eq!(block(&format!("a{spaces}b\n{spaces}c")), format!("a{0}b\n{0}c", " ".repeat(9)));
        assert_eq!(words(&format!("{spaces}a{spaces} b {spaces}")), "a b");
        assert_eq!(line(&words("a\nb")), "a\\u{a}b");
        assert_eq!(line("│┆"), "\\u{2502}\\u{2506}");
        assert_eq!(name(" Amara · just  now"), "Amara \\u{b7} just now");
        assert_eq!((name("Gal·la"), name("")), ("Gal·la".to_owned(), String::new()));
    }

    #[test]
    fn letters_that_fit_end_at_a_space() {
        let fitting = |text: &str, room| fitting(text.chars(), room);
        assert_eq!((fitting("one two three", 7), fitting("one two three", 8), fitting("averylongword", 4)), (7, 7, 4));
        assert_eq!((fitting("", 7), fitting("日本語", 4), fitting("日", 1)), (0, 2, 1));
        assert_eq!((fitting("❤️❤️", 4), fitting("❤️❤️", 3)), (4, 3));
    }

    #[test]
    fn living_scripts_and_emoji_stay() {
        for text in ["❤️", "👩‍💻", "👩‍❤️‍👩", "می‌خواهم", "क्‍ष", "Zoë", "שלום", "日本", "1️⃣"]
        {
            assert_eq!(line(text), text);
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 200, ..Default::default() })]

        #[test]
        fn whatever_comes_is_harmless(text in "(\\PC|\\pC|[\u{200d}\u{202e}\u{fe0f}❤👩a])*") {
            let shown = line(&text);
            let harmless = shown.chars().all(|c| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
            proptest::prop_assert!(harmless);
            proptest::prop_assert_eq!(line(&shown), shown.clone(), "once is enough");
            let value = serde_json::Value::String(text.clone());
            let back: serde_json::Value = serde_json::from_str(&json(&value.to_string())).unwrap();
            proptest::prop_assert_eq!(back, value);
            let cell = crate::export::csv::safe(&text);
            let formula = cell.starts_with(['=', '+', '-', '@', '\t']);
            proptest::prop_assert!(!formula);
        }
    }

    #[test]
    fn json_stays_json() {
        let text = "{\"a\":\"x\u{202e}\u{9b}y\"}";
        let harmless = json(text);
        assert!(harmless.is_ascii());
        let before: serde_json::Value = serde_json::from_str(text).unwrap();
        let after: serde_json::Value = serde_json::from_str(&harmless).unwrap();
        assert_eq!(before, after);
    }

    #[test]
    fn look_alikes_are_noticed() {
        assert!(mixes_scripts("Аmara"));
        assert!(!mixes_scripts("Amara"));
        assert!(!mixes_scripts("Амара Smith"));
        assert!(!mixes_scripts("Αγγελική"));
    }
}
