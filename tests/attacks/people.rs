//! U: what peers put into names and titles, and what is shown of it.

use kith_tests::proc::Home;

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

#[test]
fn u1_terminal_escapes_are_harmless_wherever_they_stand() {
    let home = Home::named("Amara");
    home.found("Night shift");
    for escape in ESCAPES {
        drop(home.json(&["note", "new", "--title", &format!("t {escape}"), &format!("b {escape}")]));
        drop(home.json(&["resource", "new", "--title", &format!("r {escape}"), "--note", escape]));
    }
    let ids: Vec<String> = home.rows(&["note", "list"], "notes").iter().map(|note| crate::text(note, "id")).collect();
    let mut shown = String::new();
    for args in
        [vec!["note", "list"], vec!["resource", "list"], vec!["inbox"], vec!["search", "t"], vec!["note", "list", "--plain"]]
    {
        let run = home.kith(&args).ok();
        shown.push_str(&run.stdout);
        shown.push_str(&run.stderr);
    }
    for id in &ids {
        shown.push_str(&home.kith(&["note", "show", id, "--reveal"]).ok().stdout);
    }
    let wild: Vec<char> = shown.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\t')).collect();
    assert!(wild.is_empty(), "{wild:?} in\n{shown:?}");
    let log = std::fs::read(home.path().join("log/kithd.log")).unwrap_or_default();
    assert!(!log.contains(&0x1b), "the log holds an escape");
}

#[test]
fn u2_turned_and_unseen_letters_are_marked() {
    let home = Home::named("Amara");
    home.found("Night shift");
    for unseen in UNSEEN {
        drop(home.json(&["note", "new", "--title", unseen, "x"]));
    }
    let shown = home.kith(&["note", "list"]).ok().stdout;
    let hidden = |c: &char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    let found: Vec<char> = shown.chars().filter(hidden).collect();
    assert!(found.is_empty(), "{found:?} in\n{shown:?}");
}

#[test]
fn u4_a_table_that_goes_out_holds_no_formula() {
    let home = Home::named("Amara");
    home.found("Night shift");
    for title in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx"] {
        drop(home.json(&["resource", "new", &format!("--title={title}")]));
    }
    let out = home.beside().join("out");
    drop(home.kith(&["export", "-c", "Night shift", "-o", &out.to_string_lossy(), "--no-input"]).ok());
    let tables: Vec<_> = std::fs::read_dir(&out).expect("a folder").flatten().map(|entry| entry.path()).collect();
    let tables: Vec<_> = tables.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "csv")).collect();
    assert!(!tables.is_empty(), "an export holds a table");
    for path in tables {
        let text = std::fs::read_to_string(&path).expect("reads");
        for line in text.lines() {
            for cell in line.split(',') {
                assert!(!cell.trim_matches('"').starts_with(['=', '+', '-', '@', '\t']), "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn u7_nothing_that_is_said_reaches_the_log_at_its_most_talkative() {
    let mut home = Home::new();
    let mut command = home.kithd();
    command.env("KITH_LOG", "trace").env("RUST_LOG", "trace");
    home.start_as(command);
    drop(home.json(&["init", "--name", "zaunkönigname", "--no-passphrase"]));
    home.found("zaunkönigkreis");
    drop(home.json(&["note", "new", "--title", "zaunkönigtitel", "zaunkönigkörper"]));
    let link = home.field(&["invite", "new"], "link");
    home.refused(&["note", "show", "n-zaunkönig"], 6, "not-found");
    let log = std::fs::read_to_string(home.path().join("log/kithd.log")).expect("a log");
    assert!(!log.is_empty(), "a log that is empty shows nothing");
    assert!(!log.contains("zaunkönig") && !log.contains(&link), "the log holds words");
    let secret = link.rsplit(['#', '/']).next().unwrap_or_default();
    assert!(secret.len() > 10 && !log.contains(secret), "the log holds an invite's secret");
}
