//! The path that people take: a terminal that asks. `script` lends one, where it is installed.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kith_tests::proc::{Home, PASSPHRASE, binaries, has_program, skipped, until};

/// A command line in a terminal of its own.
struct Terminal {
    child: Child,
    seen: std::sync::mpsc::Receiver<u8>,
    text: String,
}

impl Terminal {
    /// `None` where there is no `script`.
    fn open(home: &Home, line: &str) -> Option<Self> {
        let folders = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("script");
        command.args(["-qefc", line, "/dev/null"]).env("PATH", format!("{}:{folders}", binaries().folder.display()));
        command
            .env("KITH_HOME", home.path())
            .env("HOME", home.beside())
            .env("TERM", "xterm")
            .env("PAGER", "cat")
            .env_remove("EDITOR");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut out = child.stdout.take().expect("stdout is piped");
        let (send, seen) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut byte = [0];
            while std::io::Read::read(&mut out, &mut byte).is_ok_and(|n| n == 1) && send.send(byte[0]).is_ok() {}
        });
        Some(Self { child, seen, text: String::new() })
    }

    /// Waits for words on the screen, then types an answer.
    fn asked(&mut self, words: &str, answer: &str) {
        let mut bytes = Vec::new();
        until(&format!("“{words}” on the screen, after:\n{}", self.text), || {
            bytes.extend(self.seen.try_iter());
            String::from_utf8_lossy(&bytes).contains(words).then_some(())
        });
        self.text = String::from_utf8_lossy(&bytes).into_owned();
        let stdin = self.child.stdin.as_mut().expect("stdin is piped");
        stdin.write_all(format!("{answer}\n").as_bytes()).expect("somebody reads");
    }

    /// All that was shown, once the command has ended.
    fn screen(&mut self) -> String {
        until("the command to end", || self.child.try_wait().ok().flatten());
        let mut bytes = Vec::new();
        // The sender goes with the end of the output.
        bytes.extend(self.seen.iter());
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for the end; the exit code.
    fn ends(&mut self) -> i32 {
        until("the command to end", || self.child.try_wait().ok().flatten()).code().unwrap_or(-1)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn init_and_join_ask_what_they_need() {
    let amara = Home::named("Amara");
    amara.found("Night shift");
    let link = amara.field(&["invite", "new", "-c", "Night shift"], "link");

    let bea = Home::new();
    let Some(mut terminal) = Terminal::open(&bea, &format!("kith join '{link}'")) else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    terminal.asked("name", "Bea");
    terminal.asked("Passphrase", PASSPHRASE);
    terminal.asked("nce more", PASSPHRASE);
    terminal.asked("Night shift", "y");
    let request = until("the request", || {
        let rows = amara.rows(&["invite", "pending", "-c", "Night shift"], "pending");
        rows.first().map(|row| crate::text(row, "id"))
    });
    drop(amara.json(&["invite", "approve", &request, "-c", "Night shift"]));
    // Enter is no answer: it costs nobody the invite. Neither does going away: the next `kith join` asks again.
    terminal.asked("Amara", "");
    terminal.asked("Type y or n", "");
    drop(terminal);
    let Some(mut terminal) = Terminal::open(&bea, "kith join") else { return };
    terminal.asked("see your name", "y");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(bea.rows(&["circle", "list"], "circles").len(), 1);
    assert!(!exists_in_history(&bea.path(), PASSPHRASE));
}

#[test]
fn init_alone_leaves_it_running_and_unlocked() {
    let home = Home::new();
    let Some(mut terminal) = Terminal::open(&home, "kith init") else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    terminal.asked("name", "Amara");
    terminal.asked("Passphrase", PASSPHRASE);
    terminal.asked("nce more", PASSPHRASE);
    assert_eq!(terminal.ends(), 0);
    let status = home.json(&["status"]);
    assert_eq!(status.get("locked"), Some(&serde_json::Value::Bool(false)), "{status}");
}

#[test]
fn a_home_without_room_says_so_before_it_asks_anything() {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    bea.found("Night shift");
    let link = bea.field(&["invite", "new"], "link");
    (0..64).for_each(|n| drop(amara.json(&["circle", "new", &format!("circle {n}")])));
    for line in [format!("kith join '{link}'"), "kith circle new Another --agreement -".to_owned()] {
        let Some(mut terminal) = Terminal::open(&amara, &line) else {
            skipped("a terminal needs `script`", has_program("script"));
            return;
        };
        let screen = terminal.screen();
        assert!(screen.contains("64 circles") && screen.contains("kith circle leave"), "{line}: {screen}");
        assert!(!screen.contains("invited by") && !screen.contains("(y/N)"), "{line} asks: {screen}");
    }
    amara.refused(&["join", &link, "--yes"], 2, "too-large");
    drop(amara.json(&["circle", "leave", "-c", "circle 7", "--confirm", "circle 7"]));
    drop(amara.json(&["circle", "new", "Another"]));
    let current = amara.rows(&["circle", "list"], "circles").into_iter().filter(|row| crate::text(row, "status") == "current");
    assert_eq!(current.count(), 64);
}

/// What a terminal of so many columns shows: it breaks longer lines itself.
fn rows(screen: &str, columns: usize) -> Vec<String> {
    let mut rows = Vec::new();
    for line in screen.split(['\n', '\r']).filter(|line| !line.is_empty()) {
        let letters: Vec<char> = line.chars().collect();
        rows.extend(letters.chunks(columns).map(|row| row.iter().collect::<String>()));
    }
    rows
}

#[test]
fn u1_no_body_or_title_passes_for_the_line_that_says_who_wrote_it() {
    let home = Home::named("Amara");
    home.found("Night shift");
    let nbsp = "\u{a0}";
    for columns in [40, 80] {
        // As it stands on a screen: indented as replies are, at the edge, behind a word as long as a row, in a title.
        let body = format!(
            "I am fine.\n\n{0}{0}FORGED · just now\n{1}{0}{0}FORGED · just now\n{2}{0}{0}FORGED · just now\n\u{3000}FORGED · just now",
            nbsp,
            nbsp.repeat(columns - 2),
            "x".repeat(columns - 2),
        );
        let title = format!("Quiet{}FORGED · just now", nbsp.repeat(columns - 5));
        let note = home.json(&["note", "new", "--title", &title, &body]);
        drop(home.json(&["note", "reply", &crate::text(&note, "id"), &body]));
        for command in [format!("note show {}", crate::text(&note, "id")), "note list".to_owned(), "search fine".to_owned()] {
            let line = format!("stty cols {columns} rows 60; NO_COLOR=1 kith {command}");
            let Some(mut terminal) = Terminal::open(&home, &line) else {
                skipped("a terminal needs `script`", has_program("script"));
                return;
            };
            let screen = terminal.screen();
            assert!(screen.contains("FORGED"), "{command}: {screen}");
            for row in rows(&screen, columns).iter().filter(|row| row.contains("FORGED")) {
                let start = row.trim_start_matches(' ');
                let own = start.starts_with('│')
                    || start.starts_with('┆')
                    || ["Quiet", "n-", "p-"].iter().any(|own| start.starts_with(own));
                assert!(own, "{command} in {columns} columns: {row:?} of\n{screen}");
            }
        }
    }
}

/// A program that takes the editor's place.
fn editor(home: &Home, script: &str) -> String {
    let path = home.beside().join("editor");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("may");
    // Whatever the system has for this, the text lies where the test can look.
    let place = home.beside().join("memory");
    std::fs::create_dir_all(&place).expect("a folder");
    format!("XDG_RUNTIME_DIR='{}' EDITOR='{}'", place.display(), path.display())
}

/// What lies open beside the store.
fn lies_open(home: &Home) -> Vec<std::path::PathBuf> {
    let edits = |path: &std::path::PathBuf| path.to_string_lossy().contains("kith-edit-");
    let folders = [home.beside().join("memory"), home.path().join("run"), home.path().join("drafts")];
    let all = folders.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    all.map(|entry| entry.path()).filter(|path| edits(path) || path.starts_with(home.path().join("drafts"))).collect()
}

/// An editor that is broken off leaves a draft only where something was written, sealed in the store, and nothing beside it.
#[test]
fn what_an_editor_leaves_is_sealed_and_nothing_lies_open() {
    let home = Home::named("Amara");
    home.found("Night shift");
    // Ctrl-C reaches all that the terminal runs, kith as well, which stays to see what the editor left.
    let interrupted = "kill -INT 0; sleep 60";
    for (script, left) in [
        (format!("echo secret > \"$1.swp\"; {interrupted}"), 0),
        (format!("echo 'words that were typed' > \"$1\"; {interrupted}"), 1),
        ("echo 'words that are saved' > \"$1\"; echo 'words that are' > \"$1~\"".to_owned(), 0),
        ("exit 127".to_owned(), 0),
    ] {
        // As at a prompt: the shell hears Ctrl-C, too, and stays.
        let line = format!("trap : INT; {} kith note new --title Draft; exit 0", editor(&home, &script));
        let Some(mut terminal) = Terminal::open(&home, &line) else {
            skipped("a terminal needs `script`", has_program("script"));
            return;
        };
        let screen = terminal.screen().replace(['\r', '\n'], "");
        let drafts = home.rows(&["draft", "list"], "drafts");
        assert_eq!(drafts.len(), left, "{script}: {drafts:?} after {screen}");
        assert_eq!(lies_open(&home), Vec::<std::path::PathBuf>::new(), "{script}");
        for draft in drafts {
            let id = crate::text(&draft, "id");
            assert!(screen.contains(&id), "it is named: {id} in {screen}");
            assert_eq!((&draft["title"], &draft["body"]), (&"Draft".into(), &"words that were typed".into()));
            // A script saves it as it is, and it is a draft no longer.
            let said = home.kith(&["draft", "resume", &id, "--no-input"]).ok().stdout;
            assert!(said.starts_with("Saved in Night shift (only you can read it). n-"), "{said}");
            assert_eq!(home.rows(&["draft", "list"], "drafts").len(), 0);
        }
    }
    let mut saved: Vec<String> = home.rows(&["note", "list"], "notes").iter().map(|note| crate::text(note, "body")).collect();
    saved.sort();
    assert_eq!(saved, ["words that are saved", "words that were typed"]);
}

/// While the editor is open Kith is locked, or stopped: the passphrase is asked for with the reason, and the text is saved then.
#[test]
fn a_text_is_saved_once_kith_is_unlocked_again() {
    let home = Home::protected("Amara");
    home.found("Night shift");
    for (ends, says) in [("lock", "was locked while you were writing"), ("stop", "was stopped while you were writing")] {
        let run = editor(&home, &format!("kith {ends} >&2; echo 'words, {ends}' > \"$1\""));
        let Some(mut terminal) = Terminal::open(&home, &format!("{run} kith note new --title Late")) else {
            skipped("a terminal needs `script`", has_program("script"));
            return;
        };
        terminal.asked("Passphrase", PASSPHRASE);
        assert!(terminal.text.contains(says), "{}", terminal.text);
        assert_eq!(terminal.ends(), 0, "{ends}");
        assert_eq!(home.rows(&["draft", "list"], "drafts").len(), 0, "{ends}");
        assert_eq!(lies_open(&home), Vec::<std::path::PathBuf>::new(), "{ends}");
    }
    let bodies: Vec<String> = home.rows(&["note", "list"], "notes").iter().map(|note| crate::text(note, "body")).collect();
    assert_eq!(bodies, ["words, lock", "words, stop"]);
    // Where the passphrase is wrong each time, the text stays and is named.
    let run = editor(&home, "kith lock >&2; echo 'words that stay' > \"$1\"");
    let Some(mut terminal) = Terminal::open(&home, &format!("{run} kith note new --title Late")) else { return };
    for _ in 0..3 {
        terminal.asked("Passphrase:", "wrong");
    }
    let screen = terminal.screen();
    assert!(screen.contains("could not be sealed"), "{screen}");
    // The one that was started in between.
    drop(home.kith(&["stop"]));
}

/// A text whose process was killed is sealed by the next command about drafts.
#[test]
fn a_text_that_was_left_lying_is_taken_in() {
    let home = Home::named("Amara");
    let circle = home.field(&["circle", "new", "Night shift"], "id");
    let mut gone = Command::new("true").spawn().expect("a process");
    let id = gone.id();
    drop(gone.wait());
    let run = editor(&home, "");
    for (number, (before, text)) in [("", "an hour of words"), ("as it was", "as it was\n")].into_iter().enumerate() {
        let folder = home.beside().join("memory").join(format!("kith-edit-{id}-{number}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let draft = serde_json::json!({ "becomes": "note", "circle": circle, "body": before });
        let sheet = serde_json::json!({ "home": home.path(), "draft": draft });
        std::fs::write(folder.join("draft.json"), sheet.to_string()).expect("a file");
        std::fs::write(folder.join("note.md"), text).expect("a file");
    }
    let Some(mut terminal) = Terminal::open(&home, &format!("{run} kith draft list")) else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    let screen = terminal.screen();
    assert!(screen.contains("an hour of words") && !screen.contains("as it was"), "{screen}");
    assert_eq!(lies_open(&home), Vec::<std::path::PathBuf>::new());
    let drafts = home.rows(&["draft", "list"], "drafts");
    assert_eq!(drafts.iter().map(|draft| crate::text(draft, "body")).collect::<Vec<_>>(), ["an hour of words"]);
}

/// Where what is written would be refused, it is refused before anybody writes.
#[test]
fn an_editor_opens_only_for_what_can_be_saved() {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found("Night shift");
    amara.admit("Night shift", &bea, "Bea");
    let id = amara.field(&["note", "new", "--title", "mine", "x"], "id");
    drop(bea.awaits_note("Night shift", "mine"));
    let opened = bea.beside().join("opened");
    let run = editor(&bea, &format!("touch '{}'; echo words > \"$1\"", opened.display()));
    for (line, says) in [
        ("kith note reply n-nothing".to_owned(), "no note"),
        (format!("kith note edit {id}"), "its author"),
        ("kith note new -c Nowhere".to_owned(), "circle has that name"),
    ] {
        let Some(mut terminal) = Terminal::open(&bea, &format!("{run} {line}")) else {
            skipped("a terminal needs `script`", has_program("script"));
            return;
        };
        let screen = terminal.screen();
        assert!(screen.contains(says) && !opened.exists(), "{line}: {screen}");
    }
    assert_eq!(bea.rows(&["draft", "list"], "drafts").len(), 0);
    let Some(mut terminal) = Terminal::open(&bea, &format!("{run} kith note reply {id}")) else { return };
    assert_eq!((terminal.ends(), opened.exists()), (0, true));
}

/// With several circles, a person is asked which is meant, before anything else.
#[test]
fn which_circle_is_asked_for() {
    let home = Home::named("Amara");
    home.found("Night shift");
    home.found("Tea");
    let run = editor(&home, "echo words > \"$1\"");
    let Some(mut terminal) = Terminal::open(&home, &format!("{run} kith note new --title Kettle")) else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    terminal.asked("Which circle?", "7");
    terminal.asked("from 1 to 2", "tea");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(home.rows(&["note", "list", "-c", "Tea"], "notes").len(), 1);
    assert_eq!(home.rows(&["note", "list", "-c", "Night shift"], "notes").len(), 0);
}

/// While the editor is open, the same note is changed from elsewhere: here by the editor itself, before it writes.
#[test]
fn what_is_saved_elsewhere_while_the_editor_is_open_stays() {
    let home = Home::named("Amara");
    home.found("Night shift");
    let id = home.field(&["note", "new", "--title", "Watch", "one\ntwo"], "id");
    let path = home.beside().join("editor");
    let script = format!("#!/bin/sh\nkith note edit {id} 'one\ntwo\nthree' >&2 && sed -i 's/one/one, always/' \"$1\"\n");
    std::fs::write(&path, script).expect("a file");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("may");
    let Some(mut terminal) = Terminal::open(&home, &format!("EDITOR='{}' kith note edit {id}", path.display())) else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    assert_eq!(terminal.ends(), 0);
    let shown = home.json(&["note", "show", &id]);
    assert_eq!(shown["body"], "one, always\ntwo\nthree", "{shown}");
}

fn exists_in_history(home: &Path, word: &str) -> bool {
    let log = std::fs::read(home.join("log/kithd.log")).unwrap_or_default();
    log.windows(word.len()).any(|window| window == word.as_bytes())
}

/// The words that a command shows in a terminal of so many columns, and the lines that do not fit.
fn words_at(home: &Home, columns: usize, command: &str) -> Option<(Vec<String>, Vec<String>)> {
    let line = format!("stty cols {columns}; NO_COLOR=1 kith {command}; true");
    let screen = Terminal::open(home, &line)?.screen();
    let lines: Vec<String> = screen.lines().map(|line| line.trim_end().to_owned()).collect();
    let words = |line: &String| line.split_whitespace().filter(|word| *word != "┆").map(str::to_owned).collect::<Vec<_>>();
    let wide = lines.iter().filter(|line| line.chars().count() > columns && words(line).len() > 1).cloned().collect();
    Some((lines.iter().flat_map(words).collect(), wide))
}

#[test]
fn what_is_longer_than_the_terminal_goes_through_the_pager() {
    let home = Home::named("Amara");
    home.found("Night shift");
    for number in 1..=6 {
        drop(home.json(&["note", "new", "--title", &format!("note {number}"), "words"]));
    }
    let paged = home.beside().join("paged");
    let list = |rows: usize, pager: &str| {
        let line = format!("stty rows {rows} cols 80; PAGER='{pager}' NO_COLOR=1 kith note list; echo ended $?");
        Terminal::open(&home, &line).map(|mut terminal| terminal.screen())
    };
    let keep = format!("cat > {}", paged.display());
    let Some(short) = list(50, &keep) else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    assert!(short.contains("note 1") && !paged.exists(), "what fits is shown as it is:\n{short}");
    let long = list(5, &keep).expect("there is `script`");
    let kept = std::fs::read_to_string(&paged).expect("the pager was run");
    assert!((1..=6).all(|number| kept.contains(&format!("note {number}"))), "{kept}");
    assert!(long.contains("ended 0") && !long.contains("note 1"), "it is the pager that shows it:\n{long}");
    for (pager, why) in [("/nowhere/less", "one that is not there"), ("", "none"), ("cat", "cat")] {
        let shown = list(5, pager).expect("there is `script`");
        assert!(shown.contains("note 1") && shown.contains("note 6"), "{why}:\n{shown}");
    }
    let closed = list(5, "true").expect("there is `script`");
    assert!(closed.contains("ended 0"), "who closes it early has read enough:\n{closed}");
}

#[test]
fn prose_is_broken_between_words_only() {
    let home = Home::named("Amara");
    home.found("Night shift");
    for command in [
        "crisis",
        "crisis PL",
        "note show n-nothing",
        "note list -c Tea",
        "invite pending",
        "demo --dry-run",
        "circle leave --no-input",
    ] {
        let Some((wide, _)) = words_at(&home, 1_000, command) else {
            skipped("a terminal needs `script`", has_program("script"));
            return;
        };
        for columns in [40, 80] {
            let (words, too_wide) = words_at(&home, columns, command).expect("there is `script`");
            assert_eq!(words, wide, "{command} in {columns} columns");
            assert!(too_wide.is_empty(), "{command} in {columns} columns: {too_wide:?}");
        }
    }
}

#[test]
fn a_folder_is_shown_and_asked_about_before_anything_is_published() {
    let amara = Home::named("Amara");
    amara.found("Night shift");
    let folder = amara.beside().join("diary");
    std::fs::create_dir(&folder).expect("a folder");
    for n in 0..7 {
        std::fs::write(folder.join(format!("day-{n}.txt")), format!("Slept {n} hours.\n")).expect("a file");
    }
    let line = format!("kith import '{}' -c 'Night shift'", folder.display());
    let notes = || amara.rows(&["note", "list"], "notes").len();
    let Some(mut terminal) = Terminal::open(&amara, &line) else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    terminal.asked("Import them?", "");
    for shown in ["7 notes", "day 0", "day 4", "and 2 more", "Night shift", "only you can read them so far"] {
        assert!(terminal.text.contains(shown), "{shown}: {}", terminal.text);
    }
    assert!(!terminal.text.contains("day 5"), "{}", terminal.text);
    assert_eq!((terminal.ends(), notes()), (0, 0), "Enter is no");
    let mut terminal = Terminal::open(&amara, &line).expect("a terminal");
    terminal.asked("Import them?", "y");
    let screen = terminal.screen();
    let id =
        screen.split_whitespace().find(|word| word.starts_with("im-")).expect("the import's id").trim_end_matches('`').to_owned();
    assert_eq!(notes(), 7, "{screen}");
    let mut terminal = Terminal::open(&amara, &format!("kith import --undo {id}")).expect("a terminal");
    terminal.asked("Remove them?", "y");
    assert!(["7 items in", "Night shift"].iter().all(|shown| terminal.text.contains(shown)), "{}", terminal.text);
    assert_eq!((terminal.ends(), notes()), (0, 0));
    drop(amara.refused(&["import", "--undo", &id], 6, "not-found"));
}

/// Anyone who stops waiting to be let in has taken nothing back, and is told how to come back; another name changes nothing by
/// then.
#[test]
fn a_request_stays_open_when_somebody_stops_waiting() {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found("Night shift");
    let link = amara.field(&["invite", "new", "-c", "Night shift"], "link");
    drop(bea.json(&["invite", "accept", &link, "--yes"]));
    until("the request", || amara.rows(&["invite", "pending", "-c", "Night shift"], "pending").pop());
    let Some(mut terminal) = Terminal::open(&bea, "kith join --as Other") else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    terminal.asked("A steward has to approve", "\u{3}");
    let screen = terminal.screen();
    for said in ["stays open", "kith join --cancel c-"] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    assert!(terminal.text.contains("changes nothing now"), "{}", terminal.text);
    assert_eq!(terminal.ends(), 130);
    assert_eq!(bea.rows(&["inbox"], "notices").len(), 1);
}

/// Nobody thinks up a new passphrase in vain.
#[test]
fn the_present_passphrase_is_tried_before_a_new_one_is_chosen() {
    let home = Home::protected("Amara");
    let Some(mut terminal) = Terminal::open(&home, "kith passphrase") else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    terminal.asked("Present passphrase", "not this one");
    terminal.asked("Try again (2 left)", PASSPHRASE);
    terminal.asked("Enter for five words", "seven quiet herons at dusk");
    terminal.asked("Once more", "seven quiet herons at dusk");
    assert_eq!(terminal.ends(), 0);
    drop(home.json(&["lock"]));
    let fresh = home.passphrase_file("seven quiet herons at dusk");
    drop(home.json(&["unlock", "--passphrase-file", &fresh]));
}

/// On a terminal more than a few items of a file are shown before they are published.
#[test]
fn many_items_of_a_file_are_shown_first() {
    let home = Home::named("Amara");
    home.found("Night shift");
    let table = home.beside().join("table.csv");
    let rows: String = (0..4).map(|row| format!("Line {row},https://example.org/{row}\n")).collect();
    std::fs::write(&table, format!("title,url\n{rows}")).expect("a file");
    let Some(mut terminal) = Terminal::open(&home, &format!("kith import '{}'", table.display())) else {
        skipped("a terminal needs `script`", has_program("script"));
        return;
    };
    terminal.asked("Import them?", "n");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(home.rows(&["resource", "list"], "resources").len(), 0);
    assert_eq!(home.json(&["import", &table.to_string_lossy()]).get("imported"), Some(&4.into()));
}
