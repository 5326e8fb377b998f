//! A Markdown list of links: every link becomes a resource, the headings above it its tags, the words around it its note.
//!
//! What is a link, a heading or a word is CommonMark's say. Addresses that stand in words by themselves are found here: that is
//! how people write lists.
#![allow(clippy::wildcard_enum_match_arm, reason = "the library knows many marks, and most mean nothing here")]

mod entry;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeWithOffset};

use super::Haul;
use crate::calendar::tag;
use crate::export::markdown::UNTAGGED;
use crate::left_out::Origin;
use crate::limits::SHOWN_CHARS;
use entry::Entry;

/// The links of a text.
pub(crate) fn haul(text: &str) -> Haul {
    let options = Options::ENABLE_TABLES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS | Options::ENABLE_TASKLISTS;
    let lines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let mut reader = Reader { lines, ..Reader::default() };
    for (event, range) in TextMergeWithOffset::new(Parser::new_ext(text, options).into_offset_iter()) {
        reader.at = range.start;
        reader.take(event);
    }
    reader.flush();
    reader.haul
}

/// A text, read so far.
#[derive(Default)]
struct Reader {
    /// Where lines end.
    lines: Vec<usize>,
    /// Where the piece begins that is read now.
    at: usize,
    haul: Haul,
    headings: Vec<(usize, String)>,
    /// The heading that is being read.
    heading: Option<(usize, String)>,
    entry: Entry,
    /// Lists within lists.
    depth: usize,
    /// A block of something that is no list: code, data, HTML.
    block: Option<(&'static str, Origin, String)>,
}

impl Reader {
    fn origin(&self) -> Origin {
        Origin::line(self.lines.partition_point(|end| *end < self.at) + 1)
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(words) | Event::InlineMath(words) | Event::DisplayMath(words) => self.words(&words, ""),
            Event::Code(words) => self.words(&words, "`"),
            Event::Html(html) => self.html(&html),
            Event::InlineHtml(html) => self.html(&html),
            Event::SoftBreak | Event::HardBreak => self.words("\n", ""),
            Event::FootnoteReference(_) | Event::Rule | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some((*level as usize, String::new()));
            }
            Tag::Item | Tag::TableRow | Tag::TableHead => self.flush(),
            Tag::List(_) => {
                self.flush();
                self.depth += 1;
            }
            Tag::Link { link_type, dest_url, title, .. } => {
                let url = if *link_type == LinkType::Email { format!("mailto:{dest_url}") } else { dest_url.to_string() };
                let origin = self.origin();
                self.entry.link(url, title, matches!(link_type, LinkType::Autolink | LinkType::Email), origin);
            }
            Tag::Image { dest_url, .. } => {
                let origin = self.origin();
                self.entry.picture(dest_url.to_string(), origin);
            }
            Tag::Emphasis => self.words("*", ""),
            Tag::Strong => self.words("**", ""),
            Tag::CodeBlock(_) => self.block = Some(("The block of code", self.origin(), String::new())),
            Tag::MetadataBlock(_) => self.block = Some(("The block of data", self.origin(), String::new())),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => self.headed(),
            TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead => self.flush(),
            TagEnd::List(_) => {
                self.flush();
                self.depth = self.depth.saturating_sub(1);
            }
            TagEnd::Paragraph if self.depth == 0 => self.flush(),
            TagEnd::Paragraph => self.words("\n", ""),
            TagEnd::TableCell => self.words(" ", ""),
            TagEnd::Link => self.entry.link_ends(),
            TagEnd::Image => self.entry.picture_ends(),
            TagEnd::Emphasis => self.words("*", ""),
            TagEnd::Strong => self.words("**", ""),
            TagEnd::CodeBlock | TagEnd::MetadataBlock(_) => {
                if let Some((what, origin, text)) = self.block.take().filter(|(_, _, text)| !text.trim().is_empty()) {
                    self.haul.leave_out(origin, what, format!("is not imported: {}", shown(&text)));
                }
            }
            _ => {}
        }
    }

    /// Words, and what marks them where they are a note's.
    fn words(&mut self, words: &str, mark: &str) {
        let is_mark = matches!(words, "*" | "**") && mark.is_empty();
        if let Some((_, _, text)) = &mut self.block {
            text.push_str(words);
        } else if let Some((_, heading)) = &mut self.heading {
            // What a heading says; its marks are only how.
            heading.push_str(if words == "\n" { " " } else { words });
        } else {
            let origin = self.origin();
            self.entry.words(words, if is_mark { words } else { mark }, is_mark, origin);
        }
    }

    fn html(&mut self, html: &str) {
        let html = html.trim();
        if !html.is_empty() && !html.starts_with("<!--") && !html.to_lowercase().starts_with("<br") {
            let origin = self.origin();
            self.haul.leave_out(origin, "The HTML", format!("is not imported: {}", shown(html)));
        }
    }

    fn headed(&mut self) {
        let Some((level, heading)) = self.heading.take() else { return };
        self.headings.retain(|(above, _)| *above < level);
        // The first heading names the whole list and would be a tag of everything.
        let heading = heading.trim().trim_end_matches(':').trim_end();
        if level > 1 && !heading.is_empty() && heading != UNTAGGED {
            self.headings.push((level, heading.to_owned()));
        }
    }

    /// The entry is over: its links are found.
    fn flush(&mut self) {
        let tags: Vec<String> = self.headings.iter().map(|(_, heading)| tag(heading)).filter(|tag| !tag.is_empty()).collect();
        std::mem::take(&mut self.entry).finish(&tags, &mut self.haul);
    }
}

/// The beginning of a text, in one line.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let start: String = line.chars().take(SHOWN_CHARS).collect();
    if start.len() < line.len() { format!("{start}…") } else { start }
}

#[cfg(test)]
mod tests;
