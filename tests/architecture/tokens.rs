//! Rust sources taken apart as far as the house rules need: words, modules, what is used, what is defined.

use std::collections::BTreeSet;

use crate::imports::Place;

/// One `use`, of one name.
#[derive(Debug)]
pub(crate) struct Use {
    /// What is used, as it is written.
    pub(crate) path: Vec<String>,
    /// What it is called here; `*` for everything.
    pub(crate) name: String,
    /// Is it passed on to others?
    pub(crate) public: bool,
}

/// Something that a module defines.
#[derive(Debug)]
pub(crate) struct Item {
    /// `struct`, `fn` ...
    pub(crate) kind: String,
    /// What it is called.
    pub(crate) name: String,
    /// Can other files see it?
    pub(crate) public: bool,
}

/// A module: a file, or a part of one in braces.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// The file it stands in.
    pub(crate) file: String,
    /// Modules below it that are files of their own.
    pub(crate) files: Vec<String>,
    /// What it uses.
    pub(crate) uses: Vec<Use>,
    /// What it defines.
    pub(crate) items: Vec<Item>,
    /// Paths of two names or more in its code.
    pub(crate) paths: Vec<Vec<String>>,
    /// Every word of its code, `use` and fields of values left out.
    pub(crate) words: BTreeSet<String>,
}

/// The modules of a file that are not tests, the file itself among them.
pub(crate) fn modules(place: &[String], file: &str, text: &str) -> Vec<(Place, Module)> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    module(place.to_vec(), file, &tokens, &mut found);
    found
}

fn module(place: Place, file: &str, tokens: &[String], found: &mut Vec<(Place, Module)>) {
    let mut this = Module { file: file.to_owned(), ..Module::default() };
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(token) = tokens.get(at).map(String::as_str) {
        let next = |more: usize| tokens.get(at + more).map_or("", String::as_str);
        if is_test_attribute(&tokens[at..]) {
            at = after_item(tokens, at);
            continue;
        }
        if token == "mod" && is_word(next(1)) {
            if next(2) == "{" {
                let end = matching(tokens, at + 2);
                module([place.as_slice(), &[next(1).to_owned()]].concat(), file, &tokens[at + 3..end], found);
                at = end + 1;
            } else {
                this.files.push(next(1).to_owned());
                at += 2;
            }
            continue;
        }
        if token == "use" && next(1) != "<" {
            let public = is_public(tokens, at);
            let mut end = at + 1;
            used(tokens, &mut end, &[], public, &mut this.uses);
            at = end;
            continue;
        }
        match token {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && DEFINES.contains(&token) && is_word(next(1)) && !DEFINES.contains(&next(1)) {
            this.items.push(Item { kind: token.to_owned(), name: next(1).to_owned(), public: is_public(tokens, at) });
        }
        if depth == 0 && token == "macro_rules" {
            this.items.push(Item { kind: "macro".to_owned(), name: next(2).to_owned(), public: false });
        }
        at += this.word(tokens, at);
    }
    found.push((place, this));
}

impl Module {
    /// Notes the word or path that stands here; how many tokens it has.
    fn word(&mut self, tokens: &[String], at: usize) -> usize {
        let before = at.checked_sub(1).map_or("", |before| &tokens[before]);
        if !is_word(&tokens[at]) || before == "::" || before == "." {
            return 1;
        }
        let mut path = vec![tokens[at].clone()];
        let mut end = at + 1;
        while tokens.get(end).is_some_and(|token| token == "::") && tokens.get(end + 1).is_some_and(|token| is_word(token)) {
            path.push(tokens[end + 1].clone());
            end += 2;
        }
        self.words.insert(tokens[at].clone());
        if path.len() > 1 {
            self.paths.push(path);
        }
        end - at
    }
}

/// What opens a definition.
const DEFINES: [&str; 11] = ["struct", "enum", "trait", "type", "union", "fn", "const", "static", "unsafe", "async", "extern"];

/// Is what begins here visible outside its module?
fn is_public(tokens: &[String], at: usize) -> bool {
    let before = tokens[..at].iter().rev().take_while(|token| !["{", "}", ";"].contains(&token.as_str()));
    before.take(8).any(|token| token == "pub")
}

/// `#[cfg(test)]`, or with more conditions that must hold too.
fn is_test_attribute(tokens: &[String]) -> bool {
    let begins = |words: &[&str]| tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, word)| token == word);
    begins(&["#", "[", "cfg", "(", "test", ")"]) || begins(&["#", "[", "cfg", "(", "all", "(", "test", ","])
}

/// Behind the item that these attributes belong to.
fn after_item(tokens: &[String], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|token| token == "#") {
        at = matching(tokens, at + 1) + 1;
    }
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            ";" | "," => return at + 1,
            "{" => return matching(tokens, at) + 1,
            "(" | "[" => at = matching(tokens, at) + 1,
            _ => at += 1,
        }
    }
    at
}

/// Where the bracket that opens here closes.
pub(crate) fn matching(tokens: &[String], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// One branch of a `use`, and those below it.
fn used(tokens: &[String], at: &mut usize, before: &[String], public: bool, found: &mut Vec<Use>) {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        match token.as_str() {
            "{" => {
                while tokens.get(*at).is_some_and(|token| token != "}") {
                    used(tokens, at, &path, public, found);
                    *at += usize::from(tokens.get(*at).is_some_and(|token| token == ","));
                }
                *at += 1;
                return;
            }
            "*" => return found.push(Use { path, name: "*".to_owned(), public }),
            "self" if !before.is_empty() && path == before => {}
            name => path.push(name.to_owned()),
        }
        if tokens.get(*at).is_none_or(|token| token != "::") {
            break;
        }
        *at += 1;
    }
    let mut name = path.last().cloned().unwrap_or_default();
    if tokens.get(*at).is_some_and(|token| token == "as") {
        name.clone_from(&tokens[*at + 1]);
        *at += 2;
    }
    found.push(Use { path, name, public });
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The tokens of a file, its tests left out.
pub(crate) fn code(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(token) = tokens.get(at) {
        if is_test_attribute(&tokens[at..]) {
            at = after_item(&tokens, at);
        } else {
            found.push(token.clone());
            at += 1;
        }
    }
    found
}

/// Words, `::`, and every other sign by itself; remarks, texts and lifetimes left out.
fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = skipped(rest);
        if skipped > 0 {
            rest = rest.get(skipped..).unwrap_or_default();
            continue;
        }
        let length = if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        if !first.is_whitespace() {
            found.push(token.to_owned());
        }
        rest = after;
    }
    found
}

/// Bytes of the remark, text, character or lifetime that begins here.
fn skipped(rest: &str) -> usize {
    let end_of = |pattern: &str, from: usize| rest[from..].find(pattern).map_or(rest.len(), |at| from + at + pattern.len());
    if rest.starts_with("//") {
        return end_of("\n", 2);
    }
    if rest.starts_with("/*") {
        return remark(rest);
    }
    let plain = rest.strip_prefix('b').unwrap_or(rest);
    if let Some(raw) = plain.strip_prefix('r') {
        let hashes = raw.bytes().take_while(|byte| *byte == b'#').count();
        if raw[hashes..].starts_with('"') {
            let open = rest.len() - raw.len() + hashes + 1;
            return end_of(&format!("\"{}", "#".repeat(hashes)), open);
        }
    }
    let open = rest.len() - plain.len() + 1;
    if plain.starts_with('"') {
        return quoted(rest, open, '"');
    }
    if let Some(after) = plain.strip_prefix('\'') {
        let mut chars = after.chars();
        let is_char = matches!((chars.next(), chars.next()), (Some('\\'), _) | (Some(_), Some('\'')));
        let word = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
        return if is_char { quoted(rest, open, '\'') } else { open + word };
    }
    0
}

/// A remark that may hold others.
fn remark(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let ahead = &rest.as_bytes()[at..];
        let (step, change) = if ahead.starts_with(b"/*") {
            (2, 1)
        } else if ahead.starts_with(b"*/") {
            (2, -1)
        } else {
            (1, 0)
        };
        (at, depth) = (at + step, depth.saturating_add_signed(change));
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// What stands in quotes, its opening quote just before `open`.
fn quoted(rest: &str, open: usize, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest[open..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return open + at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}
