//! U: what peers put into names and titles, and what is shown of it.

use std::fs::File;

use kith_tests::proc::{Home, PASSPHRASE, until};

use crate::text;

const CIRCLE: &str = "Night shift";

/// Escapes that move the cursor, write the clipboard, hide a link, ring, overwrite.
const ESCAPES: [&str; 5] = [
    "\u{1b}[2J",
    "\u{1b}]52;c;aGFja2Vk\u{7}",
    "\u{1b}]8;;https://evil.example\u{7}click\u{1b}]8;;\u{7}",
    "safe\rEVIL",
    "a\u{8}b",
];
/// Controls that turn the writing round, or cannot be seen.
const UNSEEN: [&str; 3] = ["abc\u{202e}txt.exe", "ad\u{200b}min", "\u{2066}x\u{2069}"];

/// Everything that a person looks at, of both streams: lists, one by one, search, the log of what is new.
pub(crate) fn shown(home: &Home, circle: &str) -> String {
    let mut shown = String::new();
    for args in [
        vec!["note", "list"],
        vec!["resource", "list"],
        vec!["event", "list"],
        vec!["inbox"],
        vec!["today"],
        vec!["search", "t"],
        vec!["note", "list", "--plain"],
        vec!["note", "list", "--json"],
        vec!["member", "list"],
        vec!["member", "list", "--json"],
        vec!["circle", "list"],
        vec!["circle", "show"],
        vec!["invite", "pending"],
        vec!["status"],
        vec!["doctor"],
    ] {
        let run = home.kith(&[&args[..], &["-c", circle]].concat());
        shown.push_str(&run.stdout);
        shown.push_str(&run.stderr);
    }
    for note in home.rows(&["note", "list", "-c", circle], "notes") {
        shown.push_str(&home.kith(&["note", "show", &text(&note, "id"), "--reveal", "-c", circle]).ok().stdout);
    }
    shown
}

pub(crate) fn wild(shown: &str) -> Vec<char> {
    shown.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\t')).collect()
}

pub(crate) fn unseen(shown: &str) -> Vec<char> {
    let hidden = |c: &char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    shown.chars().filter(hidden).collect()
}

#[test]
fn u1_terminal_escapes_are_harmless_wherever_they_stand() {
    let home = Home::named("Amara");
    home.found(CIRCLE);
    for escape in ESCAPES {
        drop(home.json(&["note", "new", "--title", &format!("t {escape}"), &format!("b {escape}")]));
        drop(home.json(&["resource", "new", "--title", &format!("r {escape}"), "--note", escape, "--url", "tel:112"]));
        drop(home.json(&["note", "new", "--title", "t", "--cw", &format!("c {escape}"), &format!("b {escape}")]));
    }
    let shown = shown(&home, CIRCLE);
    assert!(wild(&shown).is_empty(), "{:?} in\n{shown:?}", wild(&shown));
    let log = std::fs::read(home.path().join("log/kithd.log")).unwrap_or_default();
    assert!(!log.contains(&0x1b), "the log holds an escape");
}

#[test]
fn u1_u2_what_a_peer_calls_themself_and_sends_is_harmless_too() {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    let link = amara.field(&["invite", "new"], "link");
    // As far as Bea's own program allows; a modified one is fuzzed against the core and the terminal.
    let wanted = format!("Am{}ara{}", UNSEEN[1], "\u{202e}");
    drop(bea.json(&["invite", "accept", &link, "--as", &wanted, "--yes"]));
    let request = until("the request", || amara.rows(&["invite", "pending"], "pending").first().map(|row| text(row, "id")));
    let pending = amara.kith(&["invite", "pending"]).ok().stdout;
    drop(amara.json(&["invite", "approve", &request]));
    until("them to be in", || (!bea.rows(&["circle", "list"], "circles").is_empty()).then_some(()));
    for unseen in UNSEEN {
        drop(bea.json(&["note", "new", "--title", unseen, unseen]));
    }
    drop(bea.json(&["note", "new", "--title", "last", "x"]));
    drop(amara.awaits_note(CIRCLE, "last"));
    let shown = format!("{pending}{}", shown(&amara, CIRCLE));
    assert!(wild(&shown).is_empty(), "{:?} in\n{shown:?}", wild(&shown));
    assert!(unseen(&shown).is_empty(), "{:?} in\n{shown:?}", unseen(&shown));
}

#[test]
fn u2_turned_and_unseen_letters_are_marked() {
    let home = Home::named("Amara");
    home.found(CIRCLE);
    for unseen in UNSEEN {
        drop(home.json(&["note", "new", "--title", unseen, "x"]));
    }
    let shown = home.kith(&["note", "list"]).ok().stdout;
    assert!(unseen(&shown).is_empty(), "{:?} in\n{shown:?}", unseen(&shown));
    assert!(shown.contains("\\u{202e}") && shown.contains("\\u{200b}"), "they are marked, not left out:\n{shown}");
}

#[test]
fn u2_names_that_look_alike_are_told_apart_wherever_they_stand() {
    let amara = Home::named("Amara");
    amara.found(CIRCLE);
    let bea = Home::named("Bea");
    amara.admit(CIRCLE, &bea, "Bea");
    let alike = |rows: &[serde_json::Value]| -> Vec<String> {
        rows.iter().filter(|row| row["alike"] == true).map(|row| text(row, "id")).collect()
    };
    let members = || amara.rows(&["member", "list"], "members");
    assert!(alike(&members()).is_empty());
    assert!(!amara.kith(&["member", "list"]).ok().stdout.contains("alike"));
    // Two letters of another alphabet; and letter by letter the same.
    let guests: Vec<Home> = ["Am\u{430}r\u{430}", "Bea"].into_iter().map(|name| joins_as(&amara, name)).collect();
    // Of each pair either is marked, with the id, in every list.
    let marked = members();
    assert_eq!((marked.len(), alike(&marked).len()), (4, 4), "{marked:?}");
    let shown = amara.kith(&["member", "list"]).ok().stdout;
    assert!(alike(&marked).iter().all(|id| shown.contains(&format!("(alike: {id})"))), "{shown}");
    for (home, title) in guests.iter().zip(["from one", "from another"]) {
        drop(home.json(&["note", "new", "--title", title, "x"]));
        let note = amara.awaits_note(CIRCLE, title);
        let who = text(&note["author"], "member");
        assert!(note["author"]["alike"] == true && alike(&marked).contains(&who), "{note}");
        for args in [vec!["note", "list"], vec!["inbox"], vec!["search", "from"], vec!["note", "show", &text(&note, "id")]] {
            let shown = amara.kith(&args).ok().stdout;
            assert!(shown.contains(&format!("(alike: {who})")), "kith {}:\n{shown}", args.join(" "));
        }
    }
    // Somebody whose like is out again is nobody's like.
    for home in &guests {
        drop(home.json(&["circle", "leave", "--confirm", CIRCLE]));
    }
    until("both to be out", || {
        alike(&members().into_iter().filter(|row| row["status"] == "current").collect::<Vec<_>>()).is_empty().then_some(())
    });
}

/// Somebody asks to come in under a name that looks like a member's, which shows, and is let in.
fn joins_as(amara: &Home, name: &str) -> Home {
    let (home, link) = (Home::named(name), amara.field(&["invite", "new"], "link"));
    drop(home.json(&["invite", "accept", &link, "--as", name, "--yes"]));
    let asks = until("the request", || amara.rows(&["invite", "pending"], "pending").into_iter().next());
    assert_eq!(asks["alike"], true, "{asks}");
    for args in [vec!["invite", "pending"], vec!["inbox"]] {
        let shown = amara.kith(&args).ok().stdout;
        assert!(shown.contains("(alike: somebody who is in)"), "kith {}:\n{shown}", args.join(" "));
    }
    drop(amara.json(&["invite", "approve", &text(&asks, "id")]));
    until("them to be in", || (!home.rows(&["circle", "list"], "circles").is_empty()).then_some(()));
    until("their name", || {
        let members = amara.rows(&["member", "list"], "members");
        members.iter().all(|row| !text(row, "name").starts_with("m-")).then_some(())
    });
    home
}

#[test]
fn u4_a_table_that_goes_out_holds_no_formula() {
    let home = Home::named("Amara");
    home.found(CIRCLE);
    let formulas = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", " =1", "\n=1"];
    for formula in formulas {
        drop(home.kith(&[
            "resource",
            "new",
            &format!("--title={formula}"),
            &format!("--note={formula}"),
            "--json",
            "--no-input",
        ]));
        drop(home.kith(&[
            "note",
            "new",
            &format!("--title={formula}"),
            &format!("--cw={formula}"),
            "--json",
            "--no-input",
            "--",
            formula,
        ]));
        let when = ["--starts", "2026-12-01T18:00", "--json", "--no-input"];
        drop(
            home.kith(&[&["event", "new", &format!("--title={formula}"), &format!("--location={formula}")][..], &when].concat()),
        );
    }
    let out = home.beside().join("out");
    drop(home.kith(&["export", "-c", CIRCLE, "-o", &out.to_string_lossy(), "--no-input"]).ok());
    let tables: Vec<_> = std::fs::read_dir(&out).expect("a folder").flatten().map(|entry| entry.path()).collect();
    let tables: Vec<_> = tables.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "csv")).collect();
    assert!(!tables.is_empty(), "an export holds a table");
    let mut cells = 0;
    for path in tables {
        for cell in cells_of(&std::fs::read_to_string(&path).expect("reads")) {
            cells += 1;
            let start = cell.trim_start_matches([' ', '\n']);
            assert!(!start.starts_with(['=', '+', '-', '@', '\t']), "{}: {cell:?}", path.display());
        }
    }
    assert!(cells > 60, "{cells} cells");
}

/// The cells of a table (RFC 4180), as a spreadsheet reads them.
fn cells_of(text: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells
}

#[test]
fn u7_nothing_that_is_said_reaches_the_log_at_its_most_talkative() {
    let homes = [Home::new(), Home::new()];
    let mut logs = Vec::new();
    let [mut amara, mut bea] = homes;
    for home in [&mut amara, &mut bea] {
        let log = home.beside().join("talk");
        let mut command = home.kithd();
        command.arg("-v").env("RUST_BACKTRACE", "full");
        command.stderr(File::create(&log).expect("a file"));
        home.start_as(command);
        logs.push(log);
    }
    let pass = amara.passphrase_file(PASSPHRASE);
    drop(amara.json(&["init", "--name", "zaunkönigname", "--passphrase-file", &pass]));
    drop(bea.json(&["init", "--name", "zaunkönigfrau", "--no-passphrase"]));
    amara.found("zaunkönigkreis");
    let link = amara.field(&["invite", "new"], "link");
    drop(bea.json(&["invite", "accept", &link, "--as", "zaunkönigfrau", "--yes"]));
    let request = until("the request", || amara.rows(&["invite", "pending"], "pending").first().map(|row| text(row, "id")));
    drop(amara.json(&["invite", "approve", &request]));
    until("them to be in", || (!bea.rows(&["circle", "list"], "circles").is_empty()).then_some(()));
    drop(amara.json(&["note", "new", "--title", "zaunkönigtitel", "--cw", "zaunkönigwarnung", "zaunkönigkörper"]));
    drop(bea.awaits_note("zaunkönigkreis", "zaunkönigtitel"));
    drop(bea.json(&["search", "zaunkönigkörper"]));
    bea.refused(&["note", "show", "n-zaunkönig"], 6, "not-found");
    bea.refused(&["invite", "show", "kith://join#zaunkönig"], 2, "usage");
    drop(amara.kith(&["note", "new", "--title", &"zaunkönig".repeat(500), "x", "--json", "--no-input"]));
    drop(amara.json(&["lock"]));
    let wrong = amara.passphrase_file("zaunkönigpass");
    amara.refused(&["unlock", "--passphrase-file", &wrong], 7, "needs-passphrase");
    drop(amara.json(&["unlock", "--passphrase-file", &pass]));
    // The log that people have, which is a file, too.
    amara.restart();
    drop(amara.json(&["unlock", "--passphrase-file", &pass]));
    drop(amara.json(&["note", "new", "--title", "zaunkönigtitel später", "zaunkönigkörper"]));
    drop(bea.awaits_note("zaunkönigkreis", "zaunkönigtitel später"));
    let file = std::fs::read_to_string(amara.path().join("log/kithd.log")).expect("a log");
    assert!(file.contains("ready"), "{file}");
    let secret = link.rsplit(['#', '/']).next().unwrap_or_default().to_owned();
    assert!(secret.len() > 10, "a link carries a secret: {link}");
    for (home, log) in [&amara, &bea].into_iter().zip(logs) {
        let mut said = std::fs::read_to_string(log).expect("a log");
        let spoken = |what: &str| said.lines().filter(|line| line.contains(what)).count();
        assert!(spoken("turn") > 3 && spoken("commit") > 3, "a log that says next to nothing shows nothing: {said}");
        said.push_str(&std::fs::read_to_string(home.path().join("log/kithd.log")).unwrap_or_default());
        for canary in ["zaunkönig", &secret, PASSPHRASE] {
            assert!(!said.contains(canary), "the log holds “{canary}”");
        }
    }
}
