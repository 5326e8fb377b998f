//! A Markdown list of links: every link becomes a resource, the headings above it its tags, the words behind it its note.

use kith_protocol::control::{BatchItem, NewResourceInBatch};
use kith_protocol::limits::TITLE_CHARS;

use super::{Found, Haul};
use crate::calendar::tag;
use crate::left_out::Origin;
use crate::limits::HEADING_LEVELS;

/// The links of a text.
pub(crate) fn haul(text: &str) -> Haul {
    let mut haul = Haul::default();
    let mut headings: Vec<(usize, String)> = Vec::new();
    let mut code = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        if code {
            continue;
        }
        if let Some((level, heading)) = heading(line) {
            headings.retain(|(above, _)| *above < level);
            // The first heading names the whole list and would be a tag of everything.
            if level > 1 {
                headings.push((level, heading));
            }
        }
        for link in links(line) {
            add(&mut haul, link, &headings, Origin::line(at + 1));
        }
    }
    haul
}

fn heading(line: &str) -> Option<(usize, String)> {
    let level = line.bytes().take_while(|b| *b == b'#').count();
    let text = line.get(level..)?;
    if level == 0 || level > HEADING_LEVELS || !text.starts_with(' ') {
        return None;
    }
    Some((level, plain(text.trim().trim_end_matches('#').trim_end().trim_end_matches(':'))))
}

/// A heading's or title's words without Markdown's marks and with links reduced to their titles.
fn plain(text: &str) -> String {
    let mut out = text.to_owned();
    while let Some(link) = links(&out).into_iter().next() {
        out.replace_range(link.from..link.to, &link.title);
    }
    unescaped(&out, &['*', '`']).trim().to_owned()
}

/// What a text says where Markdown means nothing by it: marks that were escaped stand, these others go.
fn unescaped(text: &str, marks: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        let next = behind.chars().next().filter(|next| c == '\\' && next.is_ascii_punctuation());
        rest = match next {
            Some(next) => {
                out.push(next);
                behind.get(next.len_utf8()..).unwrap_or_default()
            }
            None if c == '&' => {
                out.push(c);
                behind.strip_prefix("amp;").unwrap_or(behind)
            }
            None => {
                out.extend((!marks.contains(&c)).then_some(c));
                behind
            }
        };
    }
    out
}

fn add(haul: &mut Haul, mut link: Link, headings: &[(usize, String)], origin: Origin) {
    link.url = link.url.replace("&amp;", "&");
    let title = if link.title.is_empty() { link.url.clone() } else { plain(&link.title) };
    if !link.url.contains("://") && !link.url.starts_with("mailto:") && !link.url.starts_with("tel:") {
        haul.leave_out(
            origin,
            title,
            format!("leads to \"{}\", which is no address outside its own page; it is not imported", link.url),
        );
        return;
    }
    if link.image {
        haul.leave_out(origin, title, "is a picture, not a link; it is not imported");
        return;
    }
    let tags = headings.iter().map(|(_, heading)| tag(heading)).filter(|tag| !tag.is_empty()).collect();
    let resource = NewResourceInBatch {
        title: title.chars().take(TITLE_CHARS).collect(),
        url: link.url,
        tags,
        note: unescaped(&link.note, &[]),
        ..NewResourceInBatch::default()
    };
    haul.found.push(Found { title, item: BatchItem::Resource(resource), origin });
}

/// A link within a line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Link {
    title: String,
    url: String,
    note: String,
    image: bool,
    from: usize,
    to: usize,
}

/// All links of a line, in order: `[title](url)`, `<url>` and bare ones. What follows the only one of an entry is its note.
fn links(line: &str) -> Vec<Link> {
    let mut found: Vec<Link> = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let before_at = line.get(..at).is_some_and(|before| before.ends_with('!'));
        let link = titled(rest, at, before_at).or_else(|| angled(rest, at)).or_else(|| bare(rest, at, line));
        if let Some(link) = link {
            at = link.to;
            found.push(link);
        } else if rest.starts_with('\\') {
            // A mark that is escaped begins nothing.
            at += rest.chars().take(2).map(char::len_utf8).sum::<usize>();
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    if let [only] = found.as_mut_slice() {
        let behind = line.get(only.to..).unwrap_or_default();
        only.note = behind.trim().trim_start_matches(['-', '–', '—', ':', ',']).trim().to_owned();
    }
    found
}

fn titled(rest: &str, at: usize, image: bool) -> Option<Link> {
    let inner = rest.strip_prefix('[')?;
    let close = closing(inner, '[', ']')?;
    let title = inner.get(..close)?;
    let target = inner.get(close + 1..)?.strip_prefix('(')?;
    let end = closing(target, '(', ')')?;
    let target_text = target.get(..end)?.trim();
    let url = target_text.split_whitespace().next().unwrap_or_default().trim_matches(['<', '>']);
    if url.is_empty() {
        return None;
    }
    let to = at + 1 + close + 1 + 1 + end + 1;
    Some(Link { title: title.trim().to_owned(), url: url.to_owned(), note: String::new(), image, from: at, to })
}

/// Where the bracket that is open closes, its kind nested.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut deep = 0_usize;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == open => deep += 1,
            c if c == close && deep == 0 => return Some(at),
            c if c == close => deep -= 1,
            _ => {}
        }
    }
    None
}

fn angled(rest: &str, at: usize) -> Option<Link> {
    let inner = rest.strip_prefix('<')?;
    let end = inner.find('>')?;
    let url = inner.get(..end)?;
    if !is_web(url) || url.contains(char::is_whitespace) {
        return None;
    }
    Some(Link { url: url.to_owned(), from: at, to: at + end + 2, ..Link::default() })
}

fn bare(rest: &str, at: usize, line: &str) -> Option<Link> {
    let begins = line.get(..at)?.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    if !begins || !is_web(rest) {
        return None;
    }
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '|')).unwrap_or(rest.len());
    let url = rest.get(..end)?.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '*', '_']);
    Some(Link { url: url.to_owned(), from: at, to: at + url.len(), ..Link::default() })
}

fn is_web(text: &str) -> bool {
    let head = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    head.starts_with("https://") || head.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(text: &str) -> Vec<NewResourceInBatch> {
        haul(text)
            .found
            .into_iter()
            .map(|found| match found.item {
                BatchItem::Resource(resource) => resource,
                BatchItem::Note(_) | BatchItem::Event(_) => panic!("a resource"),
            })
            .collect()
    }

    #[test]
    fn links_headings_and_notes() {
        let list = resources(
            "# The list\n\n## Bay Area / General\n\n### Groups, and Slacks:\n- [DevChix](https://groups.example/#!forum/devchix)\n\
             - [QTPOC](https://fb.example/?a=1) - group for *everybody*\n\n## India\n- [Node]( https://node.example/oakland/)\n- <https://bare.example>, https://more.example/x.\n",
        );
        assert_eq!(list.len(), 5);
        assert_eq!((list[0].title.as_str(), list[0].url.as_str()), ("DevChix", "https://groups.example/#!forum/devchix"));
        assert_eq!(list[0].tags, ["Bay Area / General", "Groups, and Slacks"]);
        assert_eq!(list[1].note, "group for *everybody*");
        assert_eq!((list[2].url.as_str(), list[2].tags.join("|").as_str()), ("https://node.example/oakland/", "India"));
        assert_eq!(list[3].url, "https://bare.example");
        assert_eq!((list[4].url.as_str(), list[4].note.as_str()), ("https://more.example/x", ""));
    }

    #[test]
    fn a_list_that_was_exported_comes_back() {
        let list = resources(
            "# Resources of x\n\n## Bay \\*Area\\*\n\n- [\\#1 \\[a\\] \\`b\\` \\&amp; c\\_d](<https://x.example/?a=1&amp;b=2>) - 10 \\> 9, \\*so\\*\n",
        );
        assert_eq!(list.len(), 1);
        assert_eq!((list[0].title.as_str(), list[0].url.as_str()), ("#1 [a] `b` &amp; c_d", "https://x.example/?a=1&b=2"));
        assert_eq!((list[0].note.as_str(), list[0].tags.join("|").as_str()), ("10 > 9, *so*", "Bay *Area*"));
    }

    #[test]
    fn odd_links() {
        let list = resources("- [A [nested] title](https://x.example/a_(b)) and [another](<https://y.example> \"t\")\n");
        assert_eq!(list[0].title, "A [nested] title");
        assert_eq!(list[0].url, "https://x.example/a_(b)");
        assert_eq!(list[1].url, "https://y.example");
        let rest = haul("![pic](https://x.example/a.png) [top](#top) [other](page.md)\n```\nhttps://code.example\n```\n");
        assert!(rest.found.is_empty());
        assert_eq!(rest.left_out.len(), 3);
    }
}
