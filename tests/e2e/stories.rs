//! Two and three members form a circle and use it.

use kith_tests::proc::{Home, until};

use crate::{shared, text};

const CIRCLE: &str = "Night shift";

#[test]
fn two_homes_write_to_each_other() {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");

    let note = amara
        .tell(&["note", "new", "--title", "On-call", "--want", "listen", "--cw", "burnout", "--json", "-"], "Long night.\n")
        .json();
    let seen = bea.awaits_note(CIRCLE, "On-call");
    assert_eq!(text(&seen, "content_warning"), "burnout");
    assert!(seen.get("body").is_some_and(serde_json::Value::is_null), "the body stays behind its warning: {seen}");
    assert!(seen.get("delivery").is_some_and(serde_json::Value::is_null), "delivery is for authors only");
    let id = text(&note, "id");
    assert_eq!(text(&bea.json(&["note", "show", &id, "--reveal"]), "body").trim(), "Long night.");

    drop(bea.json(&["note", "reply", &id, "I am here, no advice."]));
    drop(bea.json(&["note", "react", &id, "❤"]));
    until("the reply and the reaction", || {
        let note = amara.json(&["note", "show", &id]);
        let replies = note.get("replies")?.as_array()?.len();
        (replies == 1 && note.get("reactions")?.get("❤").is_some()).then_some(())
    });
    until("delivery to be known", || (text(&amara.note(CIRCLE, "On-call")?, "delivery") == "all").then_some(()));
}

#[test]
fn an_offline_member_catches_up_and_edits_merge() {
    let (amara, mut bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    let event =
        amara.field(&["event", "new", "--title", "Circle", "--starts", "2026-12-01T18:00", "--tz", "Europe/Madrid"], "id");
    until("the event", || bea.rows(&["event", "list"], "events").first().map(drop));

    bea.stop();
    for number in 0..20 {
        drop(amara.json(&["note", "new", "--title", &format!("note {number}"), "while Bea is away"]));
    }
    drop(amara.json(&["event", "edit", &event, "--location", "The small room"]));
    bea.start();
    drop(bea.awaits_note(CIRCLE, "note 19"));
    drop(bea.json(&["event", "edit", &event, "--title", "Evening circle"]));
    for home in [&amara, &bea] {
        until("both edits on both machines", || {
            let event = home.json(&["event", "show", &event]);
            (text(&event, "title") == "Evening circle" && text(&event, "location") == "The small room").then_some(())
        });
    }
}

#[test]
fn three_homes_agree_and_one_is_removed() {
    let (amara, bea, chioma) = (Home::named("Amara"), Home::named("Bea"), Home::named("Chioma"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    amara.admit(CIRCLE, &chioma, "Chioma");
    for (home, title) in [(&amara, "from Amara"), (&bea, "from Bea"), (&chioma, "from Chioma")] {
        drop(home.json(&["note", "new", "--title", title, "hello"]));
    }
    let homes = [&amara, &bea, &chioma];
    until("all to see all", || homes.iter().all(|home| home.rows(&["note", "list"], "notes").len() == 3).then_some(()));
    until("equal views", || {
        let view = |home: &&Home| {
            let circle = home.json(&["circle", "show", CIRCLE]);
            (
                shared(home.rows(&["note", "list", "--reveal"], "notes")),
                shared(home.rows(&["member", "list"], "members")),
                text(&circle, "roster_hash"),
            )
        };
        (view(&homes[0]) == view(&homes[1]) && view(&homes[1]) == view(&homes[2])).then_some(())
    });

    drop(amara.json(&["member", "remove", "Chioma", "--confirm", "Chioma"]));
    drop(amara.json(&["note", "new", "--title", "after", "Chioma must not read this"]));
    drop(bea.awaits_note(CIRCLE, "after"));
    until("Chioma to be told", || {
        let circles = chioma.rows(&["circle", "list"], "circles");
        circles.iter().any(|circle| text(circle, "status") == "removed").then_some(())
    });
    assert!(chioma.note(CIRCLE, "after").is_none(), "a removed member reads what was written afterwards");
    drop(chioma.note(CIRCLE, "from Chioma").expect("their own words stay theirs"));
    let refused = chioma.kith(&["note", "new", "--title", "no", "no", "--json", "--no-input"]);
    assert_ne!(refused.code, 0, "a removed member cannot write");
    until("equal members", || {
        let members = |home: &Home| shared(home.rows(&["member", "list"], "members"));
        (members(&amara) == members(&bea)).then_some(())
    });
}

#[test]
fn leaving_is_quiet() {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    drop(bea.json(&["circle", "leave", "-c", CIRCLE, "--confirm", CIRCLE]));
    until("the roster to shrink", || {
        let members = amara.rows(&["member", "list"], "members");
        (members.iter().filter(|row| text(row, "status") == "current").count() == 1).then_some(())
    });
    assert!(amara.rows(&["inbox"], "inbox").is_empty(), "nobody is told that somebody left");
}

#[test]
fn everything_is_there_after_a_restart_of_both() {
    let (mut amara, mut bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    drop(amara.json(&[
        "resource",
        "new",
        "--title",
        "EAP hotline",
        "--url",
        "https://example.org",
        "--tag",
        "eap",
        "--lang",
        "en",
    ]));
    until("the resource", || bea.rows(&["resource", "list"], "resources").first().map(drop));
    amara.restart();
    bea.restart();
    assert_eq!(amara.rows(&["resource", "list"], "resources").len(), 1);
    drop(bea.json(&["note", "new", "--title", "after the restart", "still here"]));
    drop(amara.awaits_note(CIRCLE, "after the restart"));
    let found = bea.search("hotline");
    assert_eq!(found.len(), 1, "search finds it on the other machine");
}
