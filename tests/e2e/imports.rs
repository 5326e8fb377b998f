//! What people bring along from elsewhere, and take away again.

use std::fs;

use kith_tests::proc::{Home, until};
use serde_json::Value;

use crate::text;

const CIRCLE: &str = "Night shift";

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:one@test\r\nDTSTAMP:20261101T000000Z\r\n\
    DTSTART;TZID=Europe/Madrid:20261201T180000\r\nDTEND;TZID=Europe/Madrid:20261201T190000\r\nRRULE:FREQ=WEEKLY;COUNT=8\r\n\
    SUMMARY:Quiet evening\r\nDESCRIPTION:Bring a lantern\r\nLOCATION:Room 3\r\nEND:VEVENT\r\nBEGIN:VTODO\r\nUID:two@test\r\n\
    DTSTAMP:20261101T000000Z\r\nSUMMARY:Buy candles\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
const LINKS: &str =
    "# Places\n\n- [Samaritans](https://www.samaritans.org) someone to talk to\n- [Find a helpline](https://findahelpline.com)\n";
const TABLE: &str = "title,url,tags,note\nEAP hotline,https://example.org/eap,eap,day and night\n";

#[test]
fn what_is_imported_here_is_found_there() {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    let folder = amara.beside().join("reading");
    fs::create_dir(&folder).expect("a folder");
    let files = [
        ("calendar.ics", CALENDAR),
        ("links.md", LINKS),
        ("table.csv", TABLE),
        ("reading/one.txt", "On lighthouses\n\nA keeper wrote this.\n"),
    ];
    for (name, text) in files {
        fs::write(amara.beside().join(name), text).expect("a file");
    }
    for name in ["calendar.ics", "links.md", "table.csv", "reading"] {
        let path = amara.beside().join(name).to_string_lossy().into_owned();
        let run = amara.kith(&["import", &path, "-c", CIRCLE, "--no-input", "--yes"]).ok();
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(
            name != "calendar.ics"
                || said.contains("Buy candles")
                || said.to_lowercase().contains("vtodo")
                || said.contains("to-do"),
            "what cannot be kept is named: {said}"
        );
    }
    for (word, kind) in [("lantern", "event"), ("samaritans", "resource"), ("hotline", "resource"), ("keeper", "note")] {
        until(&format!("“{word}” to be found on the other machine"), || {
            let found = bea.search(word);
            found.iter().any(|hit| text(hit, "kind") == kind).then_some(())
        });
    }
    let event = bea.rows(&["event", "list"], "events").into_iter().next().expect("the event");
    assert_eq!((text(&event, "tz").as_str(), text(&event, "rrule").as_str()), ("Europe/Madrid", "FREQ=WEEKLY;COUNT=8"));

    let again = amara.kith(&["import", &amara.beside().join("calendar.ics").to_string_lossy(), "-c", CIRCLE, "--no-input"]).ok();
    drop(again);
    assert_eq!(amara.rows(&["event", "list"], "events").len(), 1, "the same calendar again makes no second event");
}

#[test]
fn an_export_can_be_read_without_kith() {
    let home = Home::named("Amara");
    home.found(CIRCLE);
    drop(home.json(&["note", "new", "--title", "On-call", "Long night."]));
    drop(home.json(&[
        "event",
        "new",
        "--title",
        "Circle",
        "--starts",
        "2026-12-01T18:00",
        "--tz",
        "Europe/Madrid",
        "--duration",
        "1h",
    ]));
    drop(home.json(&["resource", "new", "--title", "=EAP()", "--url", "https://example.org"]));
    let calendar = home.kith(&["export", "-c", CIRCLE, "--only", "events", "-o", "-", "--no-input"]).ok().stdout;
    assert!(calendar.starts_with("BEGIN:VCALENDAR") && calendar.contains("SUMMARY:Circle"), "{calendar}");
    let out = home.beside().join("out");
    drop(home.kith(&["export", "-c", CIRCLE, "-o", &out.to_string_lossy(), "--no-input"]).ok());
    let mut all = String::new();
    read(&out, &mut all);
    assert!(all.contains("Long night.") && all.contains("BEGIN:VCALENDAR"), "{all}");
    assert!(
        !all.lines().any(|line| line.starts_with("=EAP") || line.contains(",=EAP")),
        "a table cell that begins like a formula is quoted"
    );
}

fn read(folder: &std::path::Path, all: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            read(&entry.path(), all);
        } else {
            all.push_str(&String::from_utf8_lossy(&fs::read(entry.path()).expect("a file")));
        }
    }
}

#[test]
fn what_an_import_brought_survives_a_restart_and_goes_together() {
    let mut amara = Home::named("Amara");
    amara.found(CIRCLE);
    let table = amara.beside().join("table.csv");
    let rows: String = (0..450).map(|n| format!("Place {n};;place\n")).collect();
    fs::write(&table, format!("title;url;kind\n{rows}Bad;gopher://x.example;\n")).expect("a file");
    let import = |home: &Home| home.json(&["import", &table.to_string_lossy(), "-c", CIRCLE]);
    let first = import(&amara);
    let items = first.get("items").and_then(Value::as_array).expect("items").clone();
    assert_eq!(items.len(), 450);
    assert!(items.iter().all(|item| text(item, "id").starts_with("r-")), "ids beside their titles");
    assert_eq!((text(&items[449], "title").as_str(), items[449].get("line")), ("Place 449", Some(&Value::from(451))));
    let left = first.get("left_out").and_then(Value::as_array).expect("what is left out").clone();
    assert_eq!((left.len(), left[0].get("line"), text(&left[0], "what").as_str()), (1, Some(&Value::from(452)), "Bad"));
    assert_eq!(import(&amara).get("imported"), Some(&Value::from(0)), "again is the same as once");
    let dry = amara.json(&["import", &table.to_string_lossy(), "-c", CIRCLE, "--dry-run"]);
    assert_eq!(dry.get("left_out"), first.get("left_out"), "and said before anything is done");
    drop(amara.json(&["resource", "new", "--title", "By hand"]));
    amara.stop();
    amara.start();
    let undone = amara.json(&["import", "--undo", &text(&first, "import")]);
    assert_eq!(undone.get("removed").and_then(Value::as_array).map(Vec::len), Some(450));
    let left: Vec<String> = amara.rows(&["resource", "list"], "resources").iter().map(|row| text(row, "title")).collect();
    assert_eq!(left, ["By hand"]);
}

#[test]
fn what_is_written_in_any_script_is_found() {
    let home = Home::named("Amara");
    home.found(CIRCLE);
    for (title, typed) in [
        ("नमस्ते दोस्तों", "नमस्ते"),
        ("仕事のストレスで眠れません", "ストレス"),
        ("ฉันเครียดเรื่องงานมาก", "เครียด"),
        ("Überlastung in der Straße", "ueberlast STRASSE"),
        ("ночная ёлка", "елка"),
        ("הַיּוֹם קָשֶׁה", "היום"),
        ("الإِرهَاق", "الارهاق"),
        ("żółty dzień", "zolty dzien"),
    ] {
        let id = home.field(&["note", "new", title], "id");
        let found = home.search(typed);
        assert!(found.iter().any(|hit| text(hit, "id") == id), "{typed} in {title}: {found:?}");
    }
}
