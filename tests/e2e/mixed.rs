//! Two versions of the program, each its own process: what the next one writes goes through a machine that does not understand
//! it.

use kith_tests::proc::{Home, until};
use serde_json::Value;

use crate::text;

const CIRCLE: &str = "Night shift";

/// The next version of the program runs in this home from now on.
fn update(home: &mut Home) {
    home.stop();
    start_next(home);
}

fn start_next(home: &mut Home) {
    let mut command = home.kithd();
    command.env("KITH_TOMORROW", "1").stderr(std::process::Stdio::null());
    home.start_as(command);
}

fn newer(home: &Home) -> (u64, Vec<String>) {
    // What it finds may be a problem: then it says all the same what it found.
    let doctor: Value = serde_json::from_str(&home.kith(&["doctor", "--json", "--no-input"]).stdout).expect("JSON");
    let findings = doctor["findings"].as_array().cloned().unwrap_or_default();
    let messages = findings.iter().map(|finding| text(finding, "message")).filter(|message| message.contains("newer Kith"));
    (doctor["newer"].as_u64().expect("a number"), messages.collect())
}

fn role(home: &Home, name: &str) -> String {
    let members = home.rows(&["member", "list", "-c", CIRCLE], "members");
    members.iter().find(|member| text(member, "name") == name).map(|member| text(member, "role")).unwrap_or_default()
}

fn motto(home: &Home) -> Option<String> {
    home.json(&["circle", "show", CIRCLE])["policies"]["motto"].as_str().map(str::to_owned)
}

fn hearts(home: &Home, note: &str) -> usize {
    home.json(&["note", "show", note])["reactions"]["❤"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_daemon_keeps_and_passes_on_what_only_the_next_version_understands() {
    let (mut amara, mut bea, mut chioma) = (Home::named("Amara"), Home::named("Bea"), Home::named("Chioma"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    amara.admit(CIRCLE, &chioma, "Chioma");
    let written = bea.field(&["note", "new", "--title", "from Bea", "hello"], "id");
    for home in [&amara, &chioma] {
        drop(home.awaits_note(CIRCLE, "from Bea"));
    }
    chioma.stop();
    update(&mut amara);

    // Amara writes what Bea's program does not know, and one thing that it does.
    drop(amara.json(&["note", "react", &written, "❤"]));
    drop(amara.json(&["circle", "edit", CIRCLE, "--invite", "members"]));
    drop(amara.json(&["note", "new", "--title", "with a mood", "slow morning"]));
    drop(amara.json(&["member", "role", "Chioma", "facilitator"]));
    until("Bea to have it all", || (newer(&bea).0 == 4).then_some(()));
    assert_eq!(newer(&bea).1, ["4 items need a newer Kith."]);
    drop(bea.awaits_note(CIRCLE, "with a mood"));
    assert_eq!((hearts(&bea, &written), motto(&bea), role(&bea, "Chioma").as_str()), (0, None, "member"));
    drop(bea.json(&["note", "new", "--title", "from Bea again", "still here"]));
    drop(amara.awaits_note(CIRCLE, "from Bea again"));

    // Chioma learns of it from Bea alone.
    amara.stop();
    start_next(&mut chioma);
    drop(chioma.awaits_note(CIRCLE, "with a mood"));
    until("the role", || (role(&chioma, "Chioma") == "facilitator").then_some(()));
    until("the heart", || (hearts(&chioma, &written) == 1).then_some(()));
    assert_eq!((motto(&chioma).as_deref(), newer(&chioma)), (Some("slowly"), (0, Vec::new())));
    assert_eq!(chioma.search("hopeful").len(), 1);

    // And Bea, once they have the next version, too.
    update(&mut bea);
    assert_eq!(newer(&bea), (0, Vec::new()));
    assert_eq!(
        (hearts(&bea, &written), role(&bea, "Chioma").as_str(), motto(&bea).as_deref()),
        (1, "facilitator", Some("slowly"))
    );
    assert_eq!(bea.search("hopeful").len(), 1);
}
