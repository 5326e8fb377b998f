use kith_protocol::control::{BatchItem, NewResourceInBatch};

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

fn told(text: &str) -> Vec<(Option<usize>, String)> {
    haul(text).checked().left_out.iter().map(|left| (left.origin.line, format!("{} {}", left.what, left.why))).collect()
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
        "# Resources of x\n\n## Bay \\*Area\\*\n\n- [\\#1 \\[a\\] \\`b\\` \\&amp; c\\_d](<https://x.example/?a=1&amp;b=2>) - 10 \\> 9, \\*so\\*\n  Kind: book\n  Tags: Bay \\*Area\\*, more\n  Review by: 2027-01-31\n",
    );
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].title.as_str(), list[0].url.as_str()), ("#1 [a] `b` &amp; c_d", "https://x.example/?a=1&b=2"));
    assert_eq!((list[0].note.as_str(), list[0].tags.join("|").as_str()), ("10 > 9, *so*", "Bay *Area*|more"));
    assert_eq!((list[0].kind.as_str(), list[0].review_by.as_deref()), ("book", Some("2027-01-31")));
}

#[test]
fn odd_links() {
    let list = resources("- [A [nested] title](https://x.example/a_(b)) and [another](<https://y.example> \"t\")\n");
    assert_eq!(list[0].title, "A [nested] title");
    assert_eq!(list[0].url, "https://x.example/a_(b)");
    assert_eq!(list[1].url, "https://y.example");
    let rest = haul("![pic](https://x.example/a.png) [top](#top) [other](page.md)\n```\nhttps://code.example\n```\n");
    assert!(rest.found.is_empty());
    // A picture, two links within the page, and a block of code.
    assert_eq!(rest.left_out.len(), 4);
}

#[test]
fn references_autolinks_and_addresses_in_words_are_links() {
    let list = resources(
        "- Mail: <help@x.example>\n- [Forum][F] for peers\n- [plain]\n- Crisis text line: https://t.example/(a)_b).\n\n[f]: <https://f.example/> 'The forum'\n[plain]: https://p.example\n",
    );
    let shown: Vec<(&str, &str, &str)> = list.iter().map(|r| (r.title.as_str(), r.url.as_str(), r.note.as_str())).collect();
    let wanted = [
        ("Mail", "mailto:help@x.example", ""),
        ("Forum", "https://f.example/", "for peers"),
        ("plain", "https://p.example", ""),
        ("Crisis text line", "https://t.example/(a)_b", ""),
    ];
    assert_eq!(shown, wanted);
}

#[test]
fn words_before_behind_and_below_a_link_are_its_note() {
    let list = resources(
        "1. See [A](https://a.example) first.\n\n   It is open at night.\n\n   - [B](https://b.example): inside\n\n| who | where |\n|---|---|\n| C | https://c.example |\n",
    );
    let shown: Vec<(&str, &str)> = list.iter().map(|r| (r.title.as_str(), r.note.as_str())).collect();
    assert_eq!(shown, [("A", "See first. It is open at night."), ("B", "inside"), ("C", "")]);
}

#[test]
fn everything_that_is_no_link_is_named_by_its_line() {
    let said = told(
        "---\ntitle: x\n---\n# List\n\nSome prose.\n\n- no link here\n- [G](gopher://g.example)\n- <b>bold</b> [H](https://h.example)\n\n## More\n\n    code\n",
    );
    let lines: Vec<Option<usize>> = said.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [Some(1), Some(6), Some(8), Some(9), Some(10), Some(10), Some(14)], "{said:?}");
}
