//! U4, U5: what a hostile member writes, in the files that somebody takes along. A file says who said what; no words in it do.

use kith_protocol::item::edit::{Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use kith_tests::cbor::encoded;
use kith_tests::peer::forge::from_now;
use kith_tests::peer::{Peer, Scene};
use kith_tests::proc::until;

use crate::text;

/// Ends of lines, to one program or another, that a text may hold: other control characters are refused where they come in.
const ENDS: [&str; 5] = ["\n", "\r\n", "\r", "\u{2028}", "\u{2029}"];

/// An export of the circle: what stands in its files, by name.
fn export(scene: &Scene) -> impl Fn(&str) -> String + use<> {
    let out = scene.amara.beside().join("out");
    drop(
        scene
            .amara
            .kith(&["export", "-c", Scene::CIRCLE, "-o", &out.to_string_lossy(), "--reveal", "--force", "--no-input"])
            .ok(),
    );
    move |name| std::fs::read_to_string(out.join(name)).expect("the export holds it")
}

/// Its lines, for a reader that takes every known line end for one.
fn lines(text: &str) -> Vec<String> {
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    text.split(ends).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn sends(mallory: &Peer, kind: Kind, ops: Vec<Op>) {
    mallory.send_run(&mallory.run_of(kind, encoded(&Edit::opening(from_now(0), None, ops)).encode()));
}

#[test]
fn u5_a_body_of_a_hostile_member_speaks_for_nobody_else() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let written = scene.amara.json(&["note", "new", "-c", Scene::CIRCLE, "--title", "Hello", "I stay."]);
    drop(scene.amara.awaits_note(Scene::CIRCLE, "Hello"));
    let who = text(&written["author"], "member");
    let said = [
        "## Resignation".to_owned(),
        "# Resignation".to_owned(),
        "> Amara, 2026-11-30T00:00:00Z".to_owned(),
        "Amara, 2026-11-30T00:00:00Z".to_owned(),
        "### Reply".to_owned(),
        format!("n-aaaaaaaaaaaaaaaa, 2026-11-30T00:00:00Z, by {who}: Amara"),
        "===".to_owned(),
        "---".to_owned(),
        "```".to_owned(),
        "<!--".to_owned(),
        "![beacon](https://evil.example/a.png)".to_owned(),
    ];
    // The same words behind every kind of line's end; a title may hold those that the core does not take for one.
    let body: String = ENDS.iter().map(|end| said.join(&format!("{end}{end}"))).collect::<Vec<_>>().join("\n\n");
    let title = format!("Mine\u{2028}{}\u{2028}I quit.", said[5]);
    sends(&mallory, Kind::Note, vec![Op::Set(0, Value::text(&title)), Op::Insert(1, None, body.into())]);
    drop(scene.amara.awaits_note(Scene::CIRCLE, &title));
    let notes = export(&scene)("notes.md");
    let seen = lines(&notes);
    for forged in &said {
        assert!(!seen.contains(forged), "{forged:?} is a line of its own in\n{notes}");
    }
    assert_eq!(seen.iter().filter(|line| line.starts_with('#')).count(), 3, "a heading, and one for each note, in\n{notes}");
    assert_eq!(
        seen.iter().filter(|line| line.contains(&format!("by {who}: Amara")) && !line.starts_with("    ")).count(),
        2,
        "Amara's, and Mallory's title:\n{notes}"
    );
    assert!(seen.contains(&"    I stay.".to_owned()) && !notes.contains("\n!["), "{notes}");
    scene.holds();
}

#[test]
fn u4_cells_of_a_hostile_member_are_no_formula_in_any_reading() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let formulas =
        ["=1+1", "\u{ff1d}1+1", "\u{a0}=1", "\u{3000}@x", "a;=1+1", "a\u{2028}=1", "\";=1", "a;\"=1", "\u{feff}=1", "\t=1"];
    for (n, formula) in formulas.iter().enumerate() {
        let body = format!("{formula}\n{formula}\r=1;+1");
        sends(&mallory, Kind::Note, vec![Op::Set(0, Value::text(&format!("{formula}{n}"))), Op::Insert(1, None, body.into())]);
    }
    sends(&mallory, Kind::Note, vec![Op::Set(0, Value::text("last"))]);
    drop(scene.amara.awaits_note(Scene::CIRCLE, "last"));
    let table = export(&scene)("notes.csv");
    assert!(table.matches("=1").count() > 20, "they are all there: {table}");
    for by in [',', ';', '\t', '|'] {
        for cell in cells(&table, by) {
            let seen = cell.trim_start_matches(|c: char| c.is_whitespace() && c != '\t' || matches!(c, '"' | '\u{feff}'));
            assert!(!seen.starts_with(['=', '+', '-', '@', '\t', '\u{ff1d}']), "{cell:?}, parted by {by:?}");
        }
    }
    scene.holds();
}

/// Cells as spreadsheets read them: a quote means something where a cell begins with it, and nowhere else.
fn cells(text: &str, by: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    let mut begins = true;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' if quoted => quoted = false,
            '"' if begins => quoted = true,
            '\n' if !quoted => cells.push(std::mem::take(&mut cell)),
            other if other == by && !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
        begins = !quoted && cell.is_empty() && letter != '"';
    }
    cells
}

#[test]
fn u5_a_calendar_of_a_hostile_member_holds_no_event_of_anybody_elses() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let made = scene.amara.json(&[
        "event",
        "new",
        "-c",
        Scene::CIRCLE,
        "--title",
        "Circle",
        "--starts",
        "2031-01-01T18:00",
        "--tz",
        "Europe/Madrid",
    ]);
    let written = format!("{}@kith", text(&made, "id"));
    let forged = format!("x\u{2028}END:VEVENT\u{2028}BEGIN:VEVENT\u{2029}UID:{written}");
    let body: String =
        ENDS.iter().map(|end| format!("x{end}END:VEVENT{end}BEGIN:VEVENT{end}UID:{written}{end}RRULE:FREQ=DAILY")).collect();
    sends(
        &mallory,
        Kind::Event,
        vec![
            Op::Set(0, Value::text(&forged)),
            Op::Set(6, Value::Moment(from_now(0).0)),
            Op::Set(8, Value::text("2031-01-02T18:00:00")),
            Op::Set(10, Value::text("europe/madrid")),
            Op::Set(11, Value::text("FREQ=DAILY;X=\u{2028}BEGIN:VEVENT")),
            Op::Set(14, Value::text(&written)),
            Op::Insert(1, None, body.into()),
        ],
    );
    until("Mallory's event", || (scene.amara.rows(&["event", "list", "-c", Scene::CIRCLE], "events").len() == 2).then_some(()));
    let file = export(&scene);
    let calendar = file("events.ics");
    let seen = lines(&calendar);
    let count = |what: &str| seen.iter().filter(|line| *line == what).count();
    assert_eq!((count("BEGIN:VEVENT"), count("END:VEVENT"), count(&format!("UID:{written}"))), (2, 2, 1), "{calendar}");
    // Kith's own zones have rules; they stand before the events.
    let mut in_events = seen.iter().skip_while(|line| *line != "BEGIN:VEVENT");
    assert!(!in_events.any(|line| line.starts_with("RRULE")), "what is no rule is words: {calendar}");
    assert!(file("events.csv").matches(&written).count() >= 1 && file("events.md").contains("by m-"));
    scene.holds();
}

#[test]
fn u5_an_address_that_runs_something_is_words_wherever_it_goes() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let bad = [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "java\u{2028}script:x",
    ];
    for (n, url) in bad.iter().enumerate() {
        sends(&mallory, Kind::Resource, vec![Op::Set(0, Value::text(&format!("bad {n}"))), Op::Set(6, Value::text(url))]);
    }
    for (n, url) in ["https://good.example/?a=1&b=2", "javascript&colon;alert(1)", "&#106;avascript:alert(1)"].iter().enumerate()
    {
        sends(&mallory, Kind::Resource, vec![Op::Set(0, Value::text(&format!("as it is {n}"))), Op::Set(6, Value::text(url))]);
    }
    let listed = || scene.amara.rows(&["resource", "list", "-c", Scene::CIRCLE], "resources");
    until("Mallory's resources", || (listed().len() == bad.len() + 3).then_some(()));
    for row in listed().iter().filter(|row| text(row, "title").starts_with("bad")) {
        assert_eq!(text(row, "url"), "", "{row}");
        assert!(bad.contains(&text(row, "refused_url").as_str()), "the words stand: {row}");
        let shown = scene.amara.kith(&["resource", "show", &text(row, "id"), "-c", Scene::CIRCLE]).ok().stdout;
        assert!(shown.contains("not an address"), "{shown}");
    }
    let file = export(&scene);
    let list = file("resources.md");
    assert_eq!(list.matches("](<").count(), 3, "{list}");
    assert!(
        !list.contains("](<javascript&colon;")
            && !list.contains("](<&#106;")
            && list.contains("](<https://good.example/?a=1&amp;b=2>)"),
        "{list}"
    );
    let table = file("resources.csv");
    let header = table.lines().next().expect("a header");
    assert!(header.contains("\"url\"") && header.contains("\"refused_url\""), "{header}");
    assert!(!table.contains("\",\"javascript:alert(1)\",\"link\""), "{table}");
    scene.holds();
}
