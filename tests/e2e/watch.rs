//! What happens, told while it happens.

use std::process::{Child, Command, Stdio};

use kith_tests::proc::{Home, binaries, until};
use serde_json::Value;

use crate::text;

const CIRCLE: &str = "Night shift";

/// A `kith watch` that is ended with the test.
struct Watch(Child);

impl Watch {
    fn start(home: &Home, args: &[&str], out: &std::path::Path) -> Self {
        let out = std::fs::File::create(out).expect("a file");
        let mut command = Command::new(&binaries().kith);
        command.arg("watch").args(args).env("KITH_HOME", home.path()).env("HOME", home.beside());
        Self(command.stdin(Stdio::null()).stdout(out).stderr(Stdio::null()).spawn().expect("kith starts"))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn watch_tells_who_did_what_and_hands_it_to_a_command_as_values_only() {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    let written = amara.field(&["note", "new", "--title", "On-call", "a long night"], "id");
    drop(bea.awaits_note(CIRCLE, "On-call"));
    let (out, told) = (bea.beside().join("watched"), bea.beside().join("told"));
    // The command stands in a folder of its own, so that what a shell would make of a title is seen there.
    let scratch = bea.beside().join("scratch");
    std::fs::create_dir(&scratch).expect("a folder");
    let exec = format!(
        "cd {} && printf '%s|%s|%s|%s\\n' \"$KITH_NOUN\" \"$KITH_CHANGE\" \"$KITH_AUTHOR\" \"$KITH_TITLE\" >> {}; cat > /dev/null",
        scratch.display(),
        told.display()
    );
    let _watch = Watch::start(&bea, &["--json", "--exec", &exec], &out);
    until("the watch to be there", || {
        drop(amara.json(&["note", "react", &written, "❤"]));
        drop(amara.json(&["note", "react", &written, "❤", "--remove"]));
        (!lines(&out).is_empty()).then_some(())
    });

    let title = "$(touch shell) `touch shell`; touch shell";
    let id = amara.field(&["note", "new", "--title", title, "words"], "id");
    let event = |noun: &'static str, id: &str, change: &'static str| {
        let is = |line: &Value| text(line, "noun") == noun && text(line, "id") == id && text(line, "change") == change;
        until(&format!("the event that says {noun} {change}"), || lines(&out).into_iter().find(is))
    };
    let new = event("note", &id, "new");
    assert_eq!(
        (text(&new, "author"), text(&new, "title"), text(&new, "circle_name")),
        ("Amara".into(), title.into(), CIRCLE.into())
    );
    assert!(new["parent"].is_null(), "{new}");

    let answered = bea.json(&["note", "reply", &id, "I am here."]);
    let reply = text(&answered["replies"][0], "id");
    let replied = event("reply", &reply, "new");
    assert_eq!(
        (text(&replied, "author"), text(&replied, "parent"), text(&replied, "title")),
        ("Bea".into(), id.clone(), title.into())
    );

    drop(amara.json(&["note", "remove", &written, "--confirm", "On-call"]));
    let gone = event("note", &written, "remove");
    assert!(gone["author"].is_null(), "its author need not be who deleted it: {gone}");

    until("the command to be told", || {
        let told = std::fs::read_to_string(&told).unwrap_or_default();
        let all = [format!("note|new|Amara|{title}"), format!("reply|new|Bea|{title}")];
        all.iter().all(|line| told.lines().any(|one| one == line)).then_some(())
    });
    assert_eq!(std::fs::read_dir(&scratch).expect("a folder").count(), 0, "no title is run");
}
