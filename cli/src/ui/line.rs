//! One line of spans. What is put in may come from anybody; what is rendered is harmless.

use unicode_width::UnicodeWidthStr;

use super::clean;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    Strong,
    Dim,
    Warn,
    Good,
}

/// A line, span by span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Vec<(Tone, String)>);

impl Line {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    fn with(mut self, tone: Tone, text: &str) -> Self {
        if !text.is_empty() {
            self.0.push((tone, clean::line(text)));
        }
        self
    }

    /// Ordinary.
    pub(crate) fn text(self, text: &str) -> Self {
        self.with(Tone::Plain, text)
    }

    /// What the eye should find first.
    pub(crate) fn strong(self, text: &str) -> Self {
        self.with(Tone::Strong, text)
    }

    /// What may be overlooked.
    pub(crate) fn dim(self, text: &str) -> Self {
        self.with(Tone::Dim, text)
    }

    /// What should be thought about.
    pub(crate) fn warn(self, text: &str) -> Self {
        self.with(Tone::Warn, text)
    }

    /// What went well.
    pub(crate) fn good(self, text: &str) -> Self {
        self.with(Tone::Good, text)
    }

    /// A person's name: marked where its letters pretend to be others.
    pub(crate) fn name(self, name: &str) -> Self {
        let line = self.with(Tone::Strong, name);
        if clean::mixes_scripts(name) { line.warn(" (mixed letters)") } else { line }
    }

    /// A person's name with what tells her from somebody else in the circle whose name looks like it.
    pub(crate) fn person(self, name: &str, alike: bool, id: &str) -> Self {
        let line = self.name(name);
        if alike { line.warn(&format!(" (alike: {id})")) } else { line }
    }

    /// Put another line behind this one.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Nothing to show?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Columns it takes.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    /// Without colour.
    pub(crate) fn plain(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// With colour, if wanted.
    pub(crate) fn render(&self, color: bool) -> String {
        if !color {
            return self.plain();
        }
        self.0.iter().map(|(tone, text)| paint(*tone, text)).collect()
    }
}

fn paint(tone: Tone, text: &str) -> String {
    let code = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Strong => "1",
        Tone::Dim => "2",
        Tone::Warn => "33",
        Tone::Good => "32",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::new().text(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::new().text(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cannot_carry_escapes() {
        let line = Line::new().strong("a\u{1b}]52;c;x\u{7}b\nc");
        assert_eq!(line.plain(), "a\\u{1b}]52;c;x\\u{7}b\\u{a}c");
        assert_eq!(line.render(true), "\u{1b}[1ma\\u{1b}]52;c;x\\u{7}b\\u{a}c\u{1b}[0m");
    }
}
