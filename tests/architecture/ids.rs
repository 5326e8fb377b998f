//! Short ids: each thing that a person types has a letter of its own, so an id says what it names.

use std::collections::BTreeMap;

use kith_protocol::item::kind::Kind;

use crate::{is_test, none, read, with_extension};

/// Letters in use beside those of the kinds, and what they stand for.
const LETTERS: [(&str, &str); 11] = [
    ("c", "circle"),
    ("a", "act"),
    ("m", "member"),
    ("d", "device"),
    ("k", "epoch"),
    ("y", "entry"),
    ("q", "request to come in"),
    ("i", "invite"),
    ("n", "incarnation"),
    ("im", "import"),
    ("l", "draft"),
];

/// Nobody types these, so they may share a letter with something that people do type.
const NEVER_TYPED: [&str; 2] = ["incarnation", "pin"];

/// Letters that are promised to what is not there yet; what comes after them has two.
const PROMISED: [(&str, &str); 11] = [
    ("g", "practices"),
    ("b", "practices"),
    ("w", "practices"),
    ("z", "practices"),
    ("j", "practices"),
    ("o", "practices"),
    ("f", "practices"),
    ("s", "relay"),
    ("u", "consent"),
    ("le", "later"),
    ("sh", "later"),
];

/// Of every list of letters and things: those letters that stand for two things that people type.
fn twice(letters: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (letter, thing) in letters.filter(|(_, thing)| !NEVER_TYPED.contains(&thing.as_str())) {
        found.entry(letter).or_default().push(thing);
    }
    let twice = found.into_iter().filter(|(_, things)| things.len() > 1);
    twice.map(|(letter, things)| format!("{letter}- stands for {}", things.join(" and for "))).collect()
}

fn owned(letters: &[(&str, &str)]) -> Vec<(String, String)> {
    letters.iter().map(|(letter, thing)| ((*letter).to_owned(), (*thing).to_owned())).collect()
}

fn kinds() -> Vec<(String, String)> {
    Kind::ALL.into_iter().map(|kind| (kind.letter().to_string(), kind.noun().to_owned())).collect()
}

/// Letters that a source of the core makes short ids with, by themselves: `short_text('q', …)`, `CircleId, 32, 'c'`,
/// `format!("im-{…}")`.
fn written(source: &str) -> Vec<String> {
    let of = |before: &str| source.split(before).skip(1).filter_map(|rest| rest.split('\'').next()).map(str::to_owned).collect();
    let in_macro =
        source.lines().filter_map(|line| line.trim().strip_suffix('\'')?.split_once("Id, ").or(line.split_once("Incarnation, ")));
    let in_macro = in_macro.filter_map(|(_, rest)| rest.split('\'').nth(1)).map(str::to_owned);
    let of_two = source.split("format!(\"").skip(1).filter_map(|rest| {
        let (letters, _) = rest.split_once("-{")?;
        (letters.len() == 2 && letters.bytes().all(|byte| byte.is_ascii_lowercase())).then(|| letters.to_owned())
    });
    let calls: Vec<String> = of("short_text('");
    calls.into_iter().chain(in_macro).chain(of_two).collect()
}

#[test]
fn no_letter_stands_for_two_things_that_people_type() {
    let all = [kinds(), owned(&LETTERS), owned(&PROMISED)].concat();
    none("short ids that say two things", &twice(all.into_iter()));
}

#[test]
fn every_letter_of_the_core_is_in_the_list() {
    let core = with_extension("rs").into_iter().filter(|path| path.starts_with("protocol/src/") && !is_test(path));
    let used: Vec<(String, String)> =
        core.flat_map(|path| written(&read(&path)).into_iter().map(move |letter| (letter, path.clone()))).collect();
    let known = |letter: &str| LETTERS.iter().any(|(known, _)| *known == letter);
    let mut found: Vec<String> = used
        .iter()
        .filter(|(letter, _)| !known(letter))
        .map(|(letter, path)| format!("{letter}- of {path} is not in the list"))
        .collect();
    let gone = LETTERS.iter().filter(|(letter, _)| !used.iter().any(|(used, _)| used == letter));
    found.extend(gone.map(|(letter, thing)| format!("{letter}- ({thing}) is nowhere in the core")));
    none("letters of short ids", &found);
}

/// The letter that belongs behind a command.
fn letter_of(noun: &str, verb: &str) -> Option<&'static str> {
    Some(match (noun, verb) {
        ("note", _) => "n",
        ("event", _) => "e",
        ("resource", _) => "r",
        ("circle", _) => "c",
        ("member", _) => "m",
        ("invite", "approve" | "decline") => "q",
        ("invite", "show" | "revoke") => "i",
        _ => return None,
    })
}

/// Commands of a text that name an id of something else.
fn strange(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_matches(['`', '"', ',', '.'])).collect();
    let wrong = words.windows(4).filter(|four| {
        let [kith, noun, verb, id] = four else { return false };
        let is_letter = |letter: &str| (1..3).contains(&letter.len()) && letter.bytes().all(|byte| byte.is_ascii_lowercase());
        let letter = id.split_once('-').filter(|(letter, rest)| is_letter(letter) && !rest.is_empty());
        *kith == "kith" && letter.is_some_and(|(letter, _)| letter_of(noun, verb).is_some_and(|right| letter != right))
    });
    wrong.map(|four| four.join(" ")).collect()
}

#[test]
fn documents_show_ids_of_what_they_speak_of() {
    let documents = with_extension("md");
    let found: Vec<String> = documents
        .iter()
        .flat_map(|path| strange(&read(path)).into_iter().map(move |command| format!("{path}: {command}")))
        .collect();
    none("commands with an id of something else", &found);
}

#[test]
fn shared_unknown_and_strange_letters_are_noticed() {
    let taken = [kinds(), owned(&LETTERS), owned(&[("n", "nook")])].concat();
    assert_eq!(twice(taken.into_iter()), ["n- stands for note and for nook"]);
    assert_eq!(written("id: short_text('q', &row.0), other: crate::id::short_text('w', x)"), ["q", "w"]);
    assert_eq!(written("format!(\"im-{tail}\") format!(\"{a}-{b}\") format!(\"a-b-{c}\")"), ["im"]);
    assert_eq!(written("    /// A circle.\n    CircleId, 32, 'c'\n);\n    Incarnation, 16, 'n'\n let x = ('a', 1);"), ["c", "n"]);
    assert_eq!(strange("$ kith invite approve r-abcdef -c \"Night shift\""), ["kith invite approve r-abcdef"]);
    assert_eq!(
        strange("`kith invite approve q-abcdef`; `kith note show n-abc`, kith circle show now-or-never, kith note list [--new]"),
        Vec::<String>::new()
    );
}
