//! Nothing comes back to where it began: no loop between rooms at any depth, and none of more than two files.
//!
//! The rooms of a folder are what stands in it: its folders, each with the file beside it, and its files that stand alone.

use std::collections::BTreeSet;

use crate::imports::{Arrows, Crate, loops};
use crate::ladder::{arrow, checked};
use crate::none;

/// More than two files that name one another are a loop, but for these: one mutual judgement.
const ONE_JUDGEMENT: [&str; 5] = ["admissible", "downs", "grounding", "judgement", "people"];

/// Rooms of the simulator that name one another: its world is checked at every step of it, by checks that look at the whole world and
/// what ran before, and keeps what they need for that. One file of them would be too long to read, and no product is made of it. Other
/// rooms of the simulator, and these with any other, are held to the rule.
const ONE_WORLD: [&str; 3] = ["tests/src/sim/check", "tests/src/sim/run", "tests/src/sim/world"];

/// The same by their files.
const ONE_WORLD_FILES: [&str; 11] = [
    "tests/src/sim/check.rs",
    "tests/src/sim/check/healed.rs",
    "tests/src/sim/check/items.rs",
    "tests/src/sim/check/keys.rs",
    "tests/src/sim/check/ledger.rs",
    "tests/src/sim/check/time.rs",
    "tests/src/sim/run.rs",
    "tests/src/sim/run/long.rs",
    "tests/src/sim/run/mixed.rs",
    "tests/src/sim/world.rs",
    "tests/src/sim/world/below.rs",
];

/// The arrows inside each loop.
fn told<'a>(arrows: &'a Arrows, files: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = String> + 'a {
    arrows.iter().filter(move |((from, onto), _)| files(from) && files(onto)).map(arrow)
}

/// Arrows of loops that more than two files make.
fn of_files(arrows: &Arrows) -> Vec<String> {
    let judgement = ONE_JUDGEMENT.map(|file| format!("protocol/src/circle/membership/{file}.rs"));
    let all = loops(arrows.keys().map(|(from, onto)| (from.as_str(), onto.as_str())));
    let excused = |files: &BTreeSet<String>| {
        files.iter().all(|file| judgement.contains(file)) || files.iter().all(|file| ONE_WORLD_FILES.contains(&file.as_str()))
    };
    let long = all.iter().filter(|files| files.len() > 2 && !excused(files));
    long.flat_map(|files| {
        std::iter::once(format!("{} files make a loop:", files.len())).chain(told(arrows, |file| files.contains(file)))
    })
    .collect()
}

/// The room of a folder that a file is in, by its path without an ending; none where it stands elsewhere.
fn room<'a>(folder: &str, file: &'a str) -> Option<&'a str> {
    let inside = file.strip_prefix(folder)?.strip_prefix('/')?;
    let name = inside.split(['/', '.']).next()?;
    file.get(..folder.len() + 1 + name.len())
}

/// Arrows of loops between rooms of one folder, of which at least one is a folder.
fn of_rooms(arrows: &Arrows) -> Vec<String> {
    let files: BTreeSet<&str> = arrows.keys().flat_map(|(from, onto)| [from.as_str(), onto.as_str()]).collect();
    let folders: BTreeSet<&str> = files.iter().flat_map(|file| file.match_indices('/').map(|(at, _)| &file[..at])).collect();
    let mut found = Vec::new();
    for folder in &folders {
        let between = arrows.keys().filter_map(|(from, onto)| Some((room(folder, from)?, room(folder, onto)?)));
        let all = loops(between.filter(|(from, onto)| from != onto));
        let with_folder = |rooms: &&BTreeSet<String>| rooms.iter().any(|room| folders.contains(room.as_str()));
        let excused = |rooms: &BTreeSet<String>| rooms.iter().all(|room| ONE_WORLD.contains(&room.as_str()));
        for rooms in all.iter().filter(with_folder).filter(|rooms| !excused(rooms)) {
            found.push(format!("{} rooms of {folder} make a loop:", rooms.len()));
            let inside = |file: &str| room(folder, file).is_some_and(|room| rooms.contains(room));
            let across = arrows
                .iter()
                .filter(|((from, onto), _)| inside(from) && inside(onto) && room(folder, from) != room(folder, onto));
            found.extend(across.map(arrow));
        }
    }
    found
}

#[test]
fn no_more_than_two_files_name_one_another() {
    let found: Vec<String> = checked().flat_map(|sources| of_files(&sources.arrows())).collect();
    none("move what both sides need to a file below them", &found);
}

#[test]
fn no_rooms_of_a_folder_name_one_another() {
    let found: Vec<String> = checked().flat_map(|sources| of_rooms(&sources.arrows())).collect();
    none("move what both sides need to a room below them", &found);
}

/// Arrows of a crate whose files hold this.
fn drawn(files: &[(&str, &str)]) -> Arrows {
    let text = |path: &str| {
        let name = path.strip_prefix("x/src/")?.strip_suffix(".rs")?;
        files.iter().find(|(file, _)| *file == name).map(|(_, text)| (*text).to_owned())
    };
    Crate::read("x/src/lib.rs", &text).arrows()
}

#[test]
fn a_loop_of_three_files_is_noticed_and_one_of_two_is_not() {
    let of = |last: &str| {
        of_files(&drawn(&[
            ("lib", "mod a; mod b; mod c;"),
            ("a", "pub fn f() { crate::b::f() }"),
            ("b", "pub fn f() { crate::c::f() }"),
            ("c", last),
        ]))
    };
    assert_eq!(of("pub fn f() { crate::b::f() }"), Vec::<String>::new());
    let long = of("pub fn f() { crate::a::f() }");
    assert_eq!(long.len(), 4, "{long:?}");
    assert_eq!(long[3], "x/src/c.rs → x/src/a.rs: f");
    let judgement: Arrows = (0..5)
        .map(|at| {
            let file = |at: usize| format!("protocol/src/circle/membership/{}.rs", ONE_JUDGEMENT[at % 5]);
            ((file(at), file(at + 1)), BTreeSet::new())
        })
        .collect();
    assert_eq!(of_files(&judgement), Vec::<String>::new());
}

#[test]
fn a_loop_between_folders_is_noticed_however_deep_they_are() {
    let of = |deep: &str| {
        of_rooms(&drawn(&[
            ("lib", "mod top;"),
            ("top", "mod one; mod two; mod three;"),
            ("top/one", "mod deep; pub fn f() { super::two::f() }"),
            ("top/one/deep", deep),
            ("top/two", "mod deep; pub fn f() { deep::f() }"),
            ("top/two/deep", "pub fn f() { super::super::three::f() }"),
            ("top/three", "pub fn f() {}"),
        ]))
    };
    assert_eq!(of("pub fn f() { super::f() }"), Vec::<String>::new(), "a folder and the file beside it are one room");
    assert_eq!(of("pub fn f() { super::super::three::f() }"), Vec::<String>::new());
    // The loop goes by three files, no two of which name one another.
    let looped = drawn(&[
        ("lib", "mod top;"),
        ("top", "mod one; mod two;"),
        ("top/one", "mod deep; pub fn f() { super::two::f() }"),
        ("top/one/deep", "pub fn g() {}"),
        ("top/two", "pub fn f() { super::one::deep::g() }"),
    ]);
    let found = of_rooms(&looped);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[0], "2 rooms of x/src/top make a loop:");
    assert_eq!(of_files(&looped), Vec::<String>::new());
    let excused: Arrows = [("check", "world"), ("world", "check")]
        .map(|(from, onto)| ((format!("tests/src/sim/{from}.rs"), format!("tests/src/sim/{onto}/a.rs")), BTreeSet::new()))
        .into();
    assert_eq!(of_rooms(&excused), Vec::<String>::new());
    let other: Arrows = [("check", "net"), ("net", "check")]
        .map(|(from, onto)| ((format!("tests/src/sim/{from}.rs"), format!("tests/src/sim/{onto}/a.rs")), BTreeSet::new()))
        .into();
    assert_eq!(of_rooms(&other).len(), 3);
}
