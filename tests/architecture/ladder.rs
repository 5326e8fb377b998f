//! The ladder in each crate: which room may name which other, and that nothing comes back to where it began.
//!
//! A room is a folder of a crate with the file beside it (`ui.rs` and `ui/`), or a file that stands alone. The crate's root file names
//! whatever it likes, and nothing names it.

use std::collections::BTreeSet;

use crate::imports::{Arrows, Crate};
use crate::{none, read, root};

/// The crates that are held to all of this.
const CHECKED: [&str; 4] = ["cli", "daemon", "protocol", "tests"];

/// Stands for all of these in the table: the vocabularies of the core, which every other room of it may name.
const GROUND: &str = "limits time private lines id codec planted tomorrow work crypto control store budget io tx context";

/// A crate's root file, and for each of its rooms those that it may name. From the ground up: a room names only rooms of lines above
/// its own, so the table itself holds no loop.
pub(crate) struct Ladder {
    package: &'static str,
    root: &'static str,
    rooms: &'static [(&'static str, &'static str)],
}

/// One line a room. A new arrow is a decision: it goes down, or it is not drawn.
const LADDERS: [Ladder; 4] = [
    Ladder {
        package: "protocol",
        root: "protocol/src/lib.rs",
        rooms: &[
            ("limits", ""),
            ("time", ""),
            ("private", ""),
            ("lines", ""),
            ("id", ""),
            ("codec", "limits"),
            ("planted", ""),
            ("tomorrow", ""),
            ("work", ""),
            ("crypto", "id limits"),
            ("control", "time"),
            ("store", "limits"),
            ("budget", "limits"),
            ("io", "control crypto id time"),
            ("tx", "io limits planted store"),
            ("context", "budget control id io store tx"),
            ("circle", "ground"),
            ("log", "ground circle"),
            ("item", "ground circle log"),
            ("sync", "ground circle log item"),
            ("peer", "ground circle log item sync"),
            ("node", "ground circle log item sync peer"),
        ],
    },
    Ladder {
        package: "daemon",
        root: "daemon/src/lib.rs",
        rooms: &[
            ("limits", ""),
            ("address", ""),
            ("clock", "limits"),
            ("files", ""),
            ("home", ""),
            ("logging", "limits"),
            ("memory", ""),
            ("random", ""),
            ("queue", "limits"),
            ("hub", "limits random"),
            ("keystore", "files limits random"),
            ("config", "address files limits random"),
            ("store", "keystore limits random"),
            ("net", "address limits queue"),
            ("driver", "clock hub limits net queue random store"),
            ("session", "clock config driver home hub keystore limits net queue random store"),
            ("app", "address clock config driver home keystore limits session store"),
            ("api", "address app hub limits queue session"),
            ("run", "api app config driver home keystore limits logging"),
        ],
    },
    Ladder {
        package: "cli",
        root: "cli/src/main.rs",
        rooms: &[
            ("limits", ""),
            ("error", ""),
            ("exit", ""),
            ("panic", ""),
            ("duration", ""),
            ("left_out", ""),
            ("global", "duration"),
            ("interrupt", "exit"),
            ("files", "error"),
            ("home", "error"),
            ("ui", "error exit global interrupt limits"),
            ("client", "error files home limits ui"),
            ("context", "client error files global home limits ui"),
            ("input", "client context error files home interrupt ui"),
            ("calendar", "error files left_out limits"),
            ("export", "calendar limits"),
            ("import", "calendar error export files left_out limits"),
            ("demo", "client error files home limits ui"),
            (
                "commands",
                "calendar client context demo duration error export files global home import input interrupt left_out limits ui",
            ),
            ("args", "commands global ui"),
        ],
    },
    Ladder {
        package: "tests",
        root: "tests/src/lib.rs",
        rooms: &[
            ("alike", ""),
            ("cbor", ""),
            ("dice", ""),
            ("proc", ""),
            ("model", "dice"),
            ("peer", "cbor proc"),
            ("sim", "alike cbor model"),
            ("fuzz", "dice model proc"),
            ("bench", "cbor dice peer proc"),
        ],
    },
];

impl Ladder {
    /// The crate's sources.
    fn sources(&self) -> Crate {
        Crate::read(self.root, &|path| root().join(path).is_file().then(|| read(path)))
    }

    /// The room of a file; none where it is the crate's root.
    fn room<'a>(&self, file: &'a str) -> Option<&'a str> {
        let inside = file.strip_prefix(self.package)?.strip_prefix("/src/")?;
        (file != self.root).then(|| inside.split(['/', '.']).next().unwrap_or(inside))
    }

    /// What a room may name.
    fn allowed(&self, room: &str) -> BTreeSet<&'static str> {
        let row = self.rooms.iter().find(|(name, _)| *name == room);
        let names = row.iter().flat_map(|(_, names)| names.split_whitespace());
        names.flat_map(|name| if name == "ground" { GROUND } else { name }.split_whitespace()).collect()
    }

    /// What is wrong with the table: rooms that are not there or not in it, and rows that name what stands below them.
    fn untidy(&self, files: &BTreeSet<&str>) -> Vec<String> {
        let there: BTreeSet<&str> = files.iter().filter_map(|file| self.room(file)).collect();
        let listed: BTreeSet<&str> = self.rooms.iter().map(|(room, _)| *room).collect();
        let missing =
            there.difference(&listed).map(|room| format!("{} has a room `{room}` that is not in the table", self.package));
        let gone =
            listed.difference(&there).map(|room| format!("{} has no room `{room}`, whatever the table says", self.package));
        let upward = self.rooms.iter().enumerate().flat_map(|(at, (room, _))| {
            let below: BTreeSet<&str> = self.rooms[..at].iter().map(|(room, _)| *room).collect();
            let wrong: Vec<&str> = self.allowed(room).into_iter().filter(|name| !below.contains(name)).collect();
            wrong
                .into_iter()
                .map(move |name| format!("{}: the row of `{room}` names `{name}`, which is not above it", self.package))
        });
        missing.chain(gone).chain(upward).collect()
    }

    /// Arrows between rooms that the table does not have.
    fn upward(&self, arrows: &Arrows) -> Vec<String> {
        let wrong = arrows.iter().filter(|((from, onto), _)| match (self.room(from), self.room(onto)) {
            (Some(from), Some(onto)) => from != onto && !self.allowed(from).contains(onto),
            (Some(_), None) => true,
            (None, _) => false,
        });
        wrong.map(arrow).collect()
    }
}

/// An arrow as a line to read.
pub(crate) fn arrow(((from, onto), names): (&(String, String), &BTreeSet<String>)) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    format!("{from} → {onto}: {}", names.join(", "))
}

/// The sources of these crates, each with its table.
fn ladders(packages: impl IntoIterator<Item = &'static str>) -> impl Iterator<Item = (&'static Ladder, Crate)> {
    let ladder = |package: &str| LADDERS.iter().find(|ladder| ladder.package == package).expect("every package has a table");
    packages.into_iter().map(ladder).map(|ladder| (ladder, ladder.sources()))
}

/// The sources of the crates that are checked.
pub(crate) fn checked() -> impl Iterator<Item = Crate> {
    ladders(CHECKED).map(|(_, sources)| sources)
}

#[test]
fn every_room_names_only_what_the_table_lets_it() {
    let found: Vec<String> = ladders(CHECKED)
        .flat_map(|(ladder, sources)| [ladder.untidy(&sources.files()), ladder.upward(&sources.arrows())].concat())
        .collect();
    none("arrows that the table in tests/architecture/ladder.rs does not have; a name belongs below all that use it", &found);
}

#[test]
fn every_crate_is_read_whole() {
    for (ladder, sources) in ladders(CHECKED) {
        let (files, arrows) = (sources.files().len(), sources.arrows().len());
        let listed = crate::project_files().into_iter().filter(|path| path.starts_with(&format!("{}/src/", ladder.package)));
        let code = listed.filter(|path| path.ends_with(".rs") && !crate::is_test(path) && !path.contains("/src/bin/")).count();
        // Files of helpers that only tests compile are not told by their names.
        assert!(files <= code && files * 10 >= code * 9, "{}: {files} of {code} files", ladder.package);
        assert!(arrows > files, "{}: {arrows} arrows between {files} files", ladder.package);
    }
}

const SMALL: Ladder = Ladder { package: "x", root: "x/src/lib.rs", rooms: &[("low", ""), ("mid", "low"), ("high", "mid")] };

/// Arrows of a crate whose files hold this.
fn drawn(files: &[(&str, &str)]) -> Arrows {
    let text = |path: &str| {
        let name = path.strip_prefix("x/src/")?.strip_suffix(".rs")?;
        files.iter().find(|(file, _)| *file == name).map(|(_, text)| (*text).to_owned())
    };
    Crate::read(SMALL.root, &text).arrows()
}

#[test]
fn arrows_up_past_the_table_and_to_the_root_are_noticed() {
    let arrows = drawn(&[
        ("lib", "mod low; mod mid; mod high; pub fn root() { high::f() }"),
        ("low", "mod deep; pub fn f() {}"),
        ("low/deep", "use crate::mid; pub struct D; fn g() { mid::f(); super::f() }"),
        ("mid", "pub fn f() { crate::low::f() }"),
        ("high", "use crate::low::deep::D; pub fn f() { crate::mid::f(); crate::root() }"),
    ]);
    let wrong =
        ["x/src/high.rs → x/src/lib.rs: root", "x/src/high.rs → x/src/low/deep.rs: D", "x/src/low/deep.rs → x/src/mid.rs: f"];
    assert_eq!(SMALL.upward(&arrows), wrong);
}

#[test]
fn a_table_that_does_not_fit_is_noticed() {
    let table = Ladder { rooms: &[("low", "high"), ("high", "low low"), ("gone", "")], ..SMALL };
    let files = BTreeSet::from(["x/src/lib.rs", "x/src/low.rs", "x/src/low/a.rs", "x/src/high.rs", "x/src/new.rs"]);
    let found = table.untidy(&files);
    assert_eq!(found.len(), 3, "{found:?}");
    for name in ["`new`", "`gone`", "`low` names `high`"] {
        assert!(found.iter().any(|line| line.contains(name)), "{name}: {found:?}");
    }
}
