//! Which file of a crate names what of which other file: read from the sources, without a compiler.
//!
//! What only tests compile is left out. A name that a file merely passes on (`pub use`) belongs to the file that defines it, so a
//! parent that declares its children and passes their names on stands in nobody's way.

use std::collections::{BTreeMap, BTreeSet};

use crate::tokens::{Item, Module, Use, modules};

/// A module's place in its crate; the root is empty.
pub(crate) type Place = Vec<String>;

/// Longest chain of names that only pass on another name. A name that stands for itself (`use foo::foo`) ends here too.
const PASSED_ON: usize = 16;

/// The sources of one crate that are not tests.
pub(crate) struct Crate {
    modules: BTreeMap<Place, Module>,
}

/// From a file to another file, and the names that the first takes from the second.
pub(crate) type Arrows = BTreeMap<(String, String), BTreeSet<String>>;

impl Crate {
    /// Reads a crate from its root file (`cli/src/main.rs`) on; `read` gives a file's text where there is such a file.
    pub(crate) fn read(root: &str, read: &impl Fn(&str) -> Option<String>) -> Self {
        let mut found = Self { modules: BTreeMap::new() };
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut waiting: Vec<(Place, String)> = vec![(Vec::new(), root.to_owned())];
        while let Some((place, file)) = waiting.pop() {
            let text = read(&file).unwrap_or_else(|| panic!("{file} is declared, and is not there"));
            for (place, module) in modules(&place, &file, &text) {
                for child in &module.files {
                    let child = [place.as_slice(), std::slice::from_ref(child)].concat();
                    let path = format!("{folder}/{}.rs", child.join("/"));
                    waiting.push((child, path));
                }
                found.modules.insert(place, module);
            }
        }
        found
    }

    /// Every file.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        self.modules.values().map(|module| module.file.as_str()).collect()
    }

    /// What each file defines.
    pub(crate) fn items(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.modules.values().flat_map(|module| module.items.iter().map(|item| (module.file.as_str(), item)))
    }

    /// Which file names what of which other.
    pub(crate) fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (place, module) in &self.modules {
            let used = module.uses.iter().filter_map(|used| self.used(place, module, used));
            let named = module.paths.iter().filter_map(|path| self.resolve(place, path, PASSED_ON));
            for (file, name) in used.chain(named).filter(|(file, _)| *file != module.file) {
                arrows.entry((module.file.clone(), file)).or_default().insert(name);
            }
        }
        arrows
    }

    /// What a `use` takes, and from which file. Nothing where it only passes on what a module below it defines.
    fn used(&self, place: &[String], module: &Module, used: &Use) -> Option<(String, String)> {
        if used.name == "*" {
            let target = self.module(place, &used.path, PASSED_ON)?;
            let passes_on = used.public && target.starts_with(place);
            return (!passes_on).then(|| (self.modules[&target].file.clone(), "*".to_owned()));
        }
        let (file, name) = self.resolve(place, &used.path, PASSED_ON)?;
        let below = self.modules.iter().any(|(at, module)| module.file == file && at.starts_with(place));
        let passes_on = used.public && below && !module.words.contains(&used.name);
        (!passes_on).then_some((file, name))
    }

    /// The module that a path leads to.
    fn module(&self, place: &[String], path: &[String], left: usize) -> Option<Place> {
        let (mut at, mut rest) = begin(place, path)?;
        while let Some((name, after)) = rest.split_first() {
            let child = [at.as_slice(), std::slice::from_ref(name)].concat();
            if self.modules.contains_key(&child) {
                (at, rest) = (child, after);
            } else {
                let used = self.modules.get(&at)?.uses.iter().find(|used| used.name == *name)?;
                return self.module(&at, &[used.path.as_slice(), after].concat(), left.checked_sub(1)?);
            }
        }
        self.modules.contains_key(&at).then_some(at)
    }

    /// The file that defines what a path names, and its name there. Nothing for modules as such, and for what is no part of the crate.
    fn resolve(&self, place: &[String], path: &[String], left: usize) -> Option<(String, String)> {
        let left = left.checked_sub(1)?;
        let (mut at, mut rest) = begin(place, path)?;
        let ours = at.len() != place.len() || rest.len() != path.len();
        loop {
            let (name, after) = rest.split_first()?;
            let module = self.modules.get(&at)?;
            let child = [at.as_slice(), std::slice::from_ref(name)].concat();
            let is_module = self.modules.contains_key(&child);
            let is_item = module.items.iter().any(|item| item.name == *name);
            // The last name of a path may be a function or a type that is called as a module is.
            if is_item && (after.is_empty() || !is_module) {
                return Some((module.file.clone(), name.clone()));
            }
            let passed_on = || {
                // `use serde::{self}`: a foreign name that stands for itself.
                let own = |used: &&Use| used.path.first() == Some(name) && !is_module;
                let used = module.uses.iter().filter(|used| used.name == *name && !own(used));
                used.filter_map(|used| self.resolve(&at, &[used.path.as_slice(), after].concat(), left)).next()
            };
            let wholesale = || {
                let all = module.uses.iter().filter(|used| used.name == "*");
                all.filter_map(|used| self.defined(&self.module(&at, &used.path, left)?, rest, left)).next()
            };
            if after.is_empty() || !is_module {
                let known = passed_on().or_else(wholesale);
                if known.is_some() || is_module {
                    return known;
                }
                // What a macro made, or a variant: it is named by where it was looked for.
                let elsewhere = at.as_slice() != place || ours;
                let foreign = module.uses.iter().any(|used| used.name == *name);
                return (elsewhere && !foreign).then(|| (module.file.clone(), name.clone()));
            }
            (at, rest) = (child, after);
        }
    }

    /// As `resolve`, where the module defines or passes on the path's first name.
    fn defined(&self, at: &[String], path: &[String], left: usize) -> Option<(String, String)> {
        let (name, module) = (path.first()?, self.modules.get(at)?);
        let known = module.items.iter().any(|item| item.name == *name) || module.uses.iter().any(|used| used.name == *name);
        known.then(|| self.resolve(at, path, left))?
    }
}

/// Where a path begins, and what is left of it there.
fn begin<'a>(place: &[String], path: &'a [String]) -> Option<(Place, &'a [String])> {
    let (mut at, mut rest) = (place.to_vec(), path);
    if rest.first()? == "crate" {
        return Some((Vec::new(), rest.split_first()?.1));
    }
    while let Some((word, after)) = rest.split_first() {
        match word.as_str() {
            "self" => rest = after,
            "super" => {
                at.pop()?;
                rest = after;
            }
            _ => break,
        }
    }
    Some((at, rest))
}

/// Everything that can be reached from each, itself only by way of others.
fn reached(arrows: &BTreeMap<&str, BTreeSet<&str>>) -> BTreeMap<String, BTreeSet<String>> {
    let from = |begin: &str| {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![begin]);
        while let Some(at) = waiting.pop() {
            let next = arrows.get(at).into_iter().flatten();
            waiting.extend(next.filter(|next| seen.insert((**next).to_owned())));
        }
        seen
    };
    arrows.keys().map(|begin| ((*begin).to_owned(), from(begin))).collect()
}

/// The loops among these arrows: each is all that can be reached from one another.
pub(crate) fn loops<'a>(arrows: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeSet<BTreeSet<String>> {
    let mut to: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, onto) in arrows {
        to.entry(from).or_default().insert(onto);
    }
    let reached = reached(&to);
    let back = |from: &str, onto: &str| reached.get(from).is_some_and(|all| all.contains(onto));
    let of = |begin: &String| {
        let all: BTreeSet<String> = reached[begin].iter().filter(|onto| back(onto, begin)).cloned().collect();
        (!all.is_empty()).then_some(all)
    };
    reached.keys().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of these files, its root first.
    fn arrows(files: &[(&str, &str)]) -> Vec<String> {
        let text = |path: &str| files.iter().find(|(file, _)| *file == path).map(|(_, text)| (*text).to_owned());
        let arrows = Crate::read(files[0].0, &text).arrows();
        let name = |file: &str| file.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap().to_owned();
        let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
        arrows.iter().map(|((from, onto), taken)| format!("{} → {}: {}", name(from), name(onto), names(taken))).collect()
    }

    #[test]
    fn braces_self_super_and_other_names() {
        let found = arrows(&[
            ("src/lib.rs", "mod a; mod b; pub mod c; use std::fmt;"),
            ("src/a.rs", "use crate::{b::{self, x::{Deep, y as z}, Top}, c::Other as Mine}; fn f() { b::call(); z() }"),
            ("src/b.rs", "mod x; pub struct Top; pub fn call() {}"),
            ("src/b/x.rs", "use super::super::c::Other; pub struct Deep; pub fn y() { super::call(); self::y() }"),
            ("src/c.rs", "pub struct Other; impl Other { fn n(&self) -> Self { crate::a::f() } }"),
        ]);
        assert_eq!(found, ["a → b: Top call", "a → b/x: Deep y", "a → c: Other", "b/x → b: call", "b/x → c: Other", "c → a: f"]);
    }

    #[test]
    fn a_parent_that_passes_names_on_is_no_arrow() {
        let files = |parent| {
            arrows(&[
                ("src/lib.rs", "mod ui; mod user;"),
                ("src/ui.rs", parent),
                ("src/ui/line.rs", "pub struct Line; pub fn line() {}"),
                ("src/ui/table.rs", "use super::Line; pub fn table() { super::wrap() }"),
                ("src/user.rs", "use crate::ui::{Line, line, table::table as t};"),
            ])
        };
        let passes = files("mod line; pub mod table; pub(crate) use line::{Line, line}; pub fn wrap() {}");
        let theirs = ["ui/table → ui: wrap", "ui/table → ui/line: Line", "user → ui/line: Line line", "user → ui/table: table"];
        assert_eq!(passes, theirs);
        let all = files("mod line; pub mod table; pub use line::*; pub fn wrap() {}");
        assert_eq!(all, theirs);
        let uses = files("mod line; pub mod table; pub(crate) use line::{Line, line}; pub fn wrap() { Line }");
        assert_eq!(uses, [&["ui → ui/line: Line"], theirs.as_slice()].concat());
    }

    #[test]
    fn what_only_tests_compile_is_left_out() {
        let found = arrows(&[
            ("src/lib.rs", "mod a; mod b; #[cfg(test)] mod only;"),
            (
                "src/a.rs",
                "#[cfg(test)]\nuse crate::b::One;\n#[cfg(all(test, unix))] #[allow(x)] fn f() { crate::b::two() }\n\
                 #[cfg(not(test))] fn g() { crate::b::three() }\n\
                 #[cfg(test)] pub(crate) mod tests { use super::*; use crate::b::Four; fn h() { match 1 { _ => {} } } }\n\
                 #[cfg(feature = \"test\")] fn i() { crate::b::five() }",
            ),
            ("src/b.rs", "pub fn three() {} pub fn five() {}"),
        ]);
        assert_eq!(found, ["a → b: five three"]);
    }

    #[test]
    fn words_and_remarks_are_not_code() {
        let found = arrows(&[
            ("src/lib.rs", "mod a; mod b;"),
            (
                "src/a.rs",
                "//! crate::b::one\n/* crate::b::two /* */ crate::b::three */\nconst S: &str = \"crate::b::four \\\" crate::b::five\";\n\
                 const R: &str = r#\"\" crate::b::six\"#; fn f<'a>(x: &'a str) -> char { if x == \"'\" { '\"' } else { '\\'' } }\n\
                 fn g() { let x = crate::b::seven; }",
            ),
            ("src/b.rs", ""),
        ]);
        assert_eq!(found, ["a → b: seven"]);
    }

    #[test]
    fn modules_inside_a_file_are_of_that_file() {
        let found = arrows(&[
            ("src/lib.rs", "mod a; mod b;"),
            (
                "src/a.rs",
                "mod inner { use super::super::b::Thing; pub mod more { pub fn f() { super::super::outer() } } } fn outer() {}",
            ),
            ("src/b.rs", "use crate::a::inner::more; pub struct Thing; fn g() { more::f() }"),
        ]);
        assert_eq!(found, ["a → b: Thing", "b → a: f"]);
    }

    #[test]
    fn a_name_that_stands_for_a_foreign_one_is_no_arrow() {
        let found = arrows(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "use serde::{self, Serialize as S}; use super::b::Json; fn f() { serde::x(); S::y(); Json::z() }"),
            ("src/b.rs", "pub use serde_json::Value as Json; use a::a;"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn loops_are_found_whole() {
        let of = |arrows: &[(&str, &str)]| -> Vec<String> {
            loops(arrows.iter().copied()).into_iter().map(|all| all.into_iter().collect::<Vec<_>>().join(" ")).collect()
        };
        assert_eq!(of(&[("a", "b"), ("b", "c"), ("a", "c")]), Vec::<String>::new());
        assert_eq!(of(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "e"), ("d", "x"), ("e", "c")]), ["a b", "c d e"]);
        assert_eq!(of(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")]), ["a b c"]);
    }
}
