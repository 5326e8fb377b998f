//! Bookmarks as browsers export them: HTML in the form that Netscape once wrote. Folders become tags, as headings do.

use std::ops::Range;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{HtmlString, StartTag, Token, Tokenizer};
use kith_protocol::control::{BatchItem, NewResourceInBatch};

use super::{Found, Haul, address};
use crate::calendar::tag;
use crate::left_out::Origin;

/// What is being read.
#[derive(Debug, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Nothing,
    /// A folder's name.
    Folder,
    /// A bookmark's title.
    Title,
    /// The words about the last bookmark.
    About,
}

#[derive(Default)]
struct Reader {
    lines: Vec<usize>,
    haul: Haul,
    /// The folders that are open.
    folders: Vec<String>,
    /// The folder that opens next.
    next: String,
    reading: Reading,
    words: String,
    bookmark: Option<(NewResourceInBatch, Origin)>,
}

/// The bookmarks of a file; a refusal where it is another HTML page.
pub(crate) fn haul(text: &str) -> Result<Haul, String> {
    if !text.get(..1_000.min(text.len())).unwrap_or(text).to_lowercase().contains("netscape-bookmark-file") {
        return Err("it is a web page and no list of bookmarks as browsers export them".to_owned());
    }
    let mut reader = Reader { lines: text.match_indices('\n').map(|(at, _)| at).collect(), ..Reader::default() };
    for token in Tokenizer::new_with_emitter(text, DefaultEmitter::<usize>::new_with_span()) {
        // Reading from memory cannot fail.
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => reader.start(&tag),
            Token::EndTag(tag) => reader.end(&tag.name),
            Token::String(words) => reader.words.push_str(&String::from_utf8_lossy(&words.value)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    reader.settle();
    reader.keep();
    Ok(reader.haul)
}

impl Reader {
    fn start(&mut self, tag: &StartTag<usize>) {
        match &**tag.name {
            b"h3" => {
                self.begin(Reading::Folder);
                self.keep();
            }
            b"dl" => {
                self.begin(Reading::Nothing);
                let name = std::mem::take(&mut self.next);
                self.folders.push(name);
            }
            b"dt" => self.begin(Reading::Nothing),
            b"a" => {
                self.begin(Reading::Title);
                self.keep();
                let Range { start, .. } = tag.span.start..tag.span.end;
                let origin = Origin::line(self.lines.partition_point(|end| *end < start) + 1);
                self.bookmark = Some((self.of(tag), origin));
            }
            b"dd" => self.begin(Reading::About),
            _ => {}
        }
    }

    fn end(&mut self, name: &HtmlString) {
        match &***name {
            b"h3" | b"a" => self.begin(Reading::Nothing),
            b"dl" => {
                self.begin(Reading::Nothing);
                self.keep();
                self.folders.pop();
            }
            _ => {}
        }
    }

    /// The words so far belong to what was read; from here on they belong to something else.
    fn begin(&mut self, reading: Reading) {
        self.settle();
        self.reading = reading;
    }

    fn settle(&mut self) {
        let words = std::mem::take(&mut self.words);
        let one_line = || words.split_whitespace().collect::<Vec<_>>().join(" ");
        match (&self.reading, &mut self.bookmark) {
            (Reading::Folder, _) => self.next = one_line(),
            (Reading::Title, Some((bookmark, _))) => bookmark.title = one_line(),
            (Reading::About, Some((bookmark, _))) => bookmark.note = words.trim().to_owned(),
            (Reading::Nothing | Reading::Title | Reading::About, _) => {}
        }
        self.reading = Reading::Nothing;
    }

    /// A bookmark with the tags of its own and those of its folders.
    fn of(&self, start: &StartTag<usize>) -> NewResourceInBatch {
        let attribute = |name: &[u8]| {
            let value = start.attributes.iter().find(|(known, _)| known.as_slice() == name);
            value.map(|(_, value)| String::from_utf8_lossy(&value.value).into_owned()).unwrap_or_default()
        };
        let own = attribute(b"tags");
        let names = self.folders.iter().map(String::as_str).chain(own.split(',')).map(tag);
        let mut tags: Vec<String> = Vec::new();
        for name in names.filter(|name| !name.is_empty()) {
            if !tags.contains(&name) {
                tags.push(name);
            }
        }
        NewResourceInBatch { url: attribute(b"href"), tags, ..NewResourceInBatch::default() }
    }

    /// The bookmark is whole.
    fn keep(&mut self) {
        let Some((mut bookmark, origin)) = self.bookmark.take() else { return };
        let url = address::tidy(&bookmark.url);
        if bookmark.title.is_empty() {
            bookmark.title.clone_from(&url);
        }
        let title = bookmark.title.clone();
        if !address::leads_out(&url) {
            self.haul.leave_out(origin, title, format!("leads to \"{url}\", which is not an address; it is not imported"));
            return;
        }
        if url != bookmark.url {
            self.haul.change(origin.clone(), &title, format!("has spaces in its address, which is kept as {url}"));
        }
        let item = BatchItem::Resource(NewResourceInBatch { url, ..bookmark });
        self.haul.found.push(Found { title, item, origin });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bookmarks_come_in_with_their_folders() {
        let text = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<META HTTP-EQUIV=\"Content-Type\" CONTENT=\"text/html; charset=UTF-8\">\n\
            <TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n<DL><p>\n<DT><A HREF=\"https://a.example/?x=1&amp;y=2\" ADD_DATE=\"1\" TAGS=\"one,two\">A &amp; B</A>\n\
            <DD>Words &lt;about&gt; it\n<DT><H3 ADD_DATE=\"2\">Help &amp; care</H3>\n<DL><p>\n\
            <DT><A HREF=\"https://c.example\">C</A>\n<DT><A HREF=\"javascript:alert(1)\">Mark</A>\n<DT><H3>Inner</H3>\n<DL><p><DT><A HREF=\"tel:+49 30\">D</A></DL><p>\n</DL><p>\n\
            <DT><A HREF=\"https://e.example\"></A>\n</DL>\n";
        let haul = haul(text).unwrap().checked();
        let shown: Vec<String> = haul
            .found
            .iter()
            .filter_map(|found| if let BatchItem::Resource(r) = &found.item { Some((found, r)) } else { None })
            .map(|(found, r)| format!("{:?} {} {} [{}] {}", found.origin.line, r.title, r.url, r.tags.join("|"), r.note))
            .collect();
        assert_eq!(
            shown,
            [
                "Some(6) A & B https://a.example/?x=1&y=2 [one|two] Words <about> it",
                "Some(10) C https://c.example [Help & care] ",
                "Some(13) D tel:+4930 [Help & care|Inner] ",
                "Some(15) https://e.example https://e.example [] ",
            ]
        );
        let said: Vec<(Option<usize>, &str)> = haul.left_out.iter().map(|left| (left.origin.line, left.what.as_str())).collect();
        assert_eq!(said, [(Some(11), "Mark"), (Some(13), "D")]);
        assert!(super::haul("<html><body><a href=\"https://x.example\">x</a></body></html>").is_err());
    }
}
