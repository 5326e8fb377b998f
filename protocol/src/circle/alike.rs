//! Names that look alike: one letter of another alphabet, a capital I for an l, the same name once more. Nobody is kept from such
//! a name (two people may be called alike); but wherever a name is shown, it must be seen that there are two.

use std::collections::BTreeMap;

/// What a name looks like, written small or as it is: whatever agrees in one of them looks alike (Unicode TS 39).
#[must_use]
pub(crate) fn looks(name: &str) -> [String; 2] {
    let seen: String = name.chars().filter(|c| !unseen(*c)).collect();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let look = |text: &str| words(&unicode_security::confusable_detection::skeleton(&words(text)).collect::<String>());
    [look(&seen), look(&seen.to_lowercase())]
}

/// Takes no room on a screen, or none that is noticed.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Looks of several names, and how many bear each.
#[derive(Debug, Default)]
pub(crate) struct Crowd(BTreeMap<String, usize>);

impl Crowd {
    /// One more of that name.
    pub(crate) fn add(&mut self, name: &str) {
        let [one, other] = looks(name);
        *self.0.entry(one.clone()).or_default() += 1;
        if other != one {
            *self.0.entry(other).or_default() += 1;
        }
    }

    /// How many bear a name that looks like this one, itself included where it was added.
    pub(crate) fn like(&self, name: &str) -> usize {
        looks(name).iter().filter_map(|look| self.0.get(look)).copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(a: &str, b: &str) -> bool {
        let mut crowd = Crowd::default();
        crowd.add(a);
        crowd.like(b) > 0
    }

    #[test]
    fn u2_what_looks_alike_is_alike() {
        for other in
            ["Amara", "amara", "\u{410}mara", "Am\u{430}r\u{430}", "Am\u{200b}ara", " Amara ", "\u{ff21}mara", "Am\u{e0041}ara"]
        {
            assert!(alike("Amara", other) && alike(other, "Amara"), "{other:?}");
        }
        assert!(alike("\u{421}\u{430}\u{440}\u{430}", "Capa"), "in one alphabet each");
        assert!(alike("Alice", "AIice") && alike("Jane  Roe", "Jane Roe") && alike("modern", "rnodern"));
    }

    #[test]
    fn what_does_not_is_not() {
        for other in ["Amaras", "Bea", "Tamara", "Амар", "", "Am ara"] {
            assert!(!alike("Amara", other), "{other:?}");
        }
        assert!(!alike("Zoë", "Zoe"), "a mark is seen");
    }
}
