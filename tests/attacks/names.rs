//! U1: names and words of a hostile peer, who asks no program of ours for leave: in records, requests and cards, in titles and
//! bodies. What is no name is refused where it comes in; what is one is shown so that it acts on nobody's terminal.

use kith_protocol::crypto::{Seeded, SigningKey};
use kith_protocol::item::edit::{Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use kith_protocol::node::{Answer, Command};
use kith_tests::cbor::{Cbor, encoded};
use kith_tests::peer::forge::from_now;
use kith_tests::peer::{Peer, Scene, guest, raw};
use kith_tests::proc::{CommandRun, Home, until};

use crate::people::{shown, unseen, wild};
use crate::{answer, stranger, text};

/// No names: they would act on a terminal, or be two lines.
const NO_NAMES: [&str; 6] =
    ["EVIL\u{1b}]52;c;aGFja2Vk\u{7}", "EVIL\u{1b}[2J", "good\rEVIL", "EVIL\nsteward", "EVIL\u{9b}2J", "EVIL\u{0}"];
/// Letters that turn others round or hide: they may stand in names, and are marked wherever a name is shown.
const TURNING: &str = "Mal\u{202e}lory\u{2066}\u{200b}";

/// Says that all this is harmless on a terminal, and turns nothing round.
fn harmless(what: &str, said: &str) {
    assert!(wild(said).is_empty(), "{what}: {:?} in\n{said:?}", wild(said));
    assert!(unseen(said).is_empty(), "{what}: {:?} in\n{said:?}", unseen(said));
    assert!(!said.contains("EVIL"), "{what}: it is shown:\n{said:?}");
}

fn both(run: &CommandRun) -> String {
    format!("{}{}", run.stdout, run.stderr)
}

/// Everything that an export writes holds no control but those that end lines. Letters that turn stand there as they were written:
/// files are read by many programs, and some scripts need them.
fn exports_harmlessly(home: &Home) {
    let out = home.beside().join("out");
    drop(home.kith(&["export", "-c", Scene::CIRCLE, "-o", &out.to_string_lossy(), "--reveal", "--no-input"]).ok());
    let files: Vec<_> = std::fs::read_dir(&out).expect("a folder").flatten().map(|entry| entry.path()).collect();
    assert!(files.len() > 6, "notes, events and resources, each in some forms: {files:?}");
    for path in files {
        let text = std::fs::read_to_string(&path).expect("words").replace("\r\n", "\n");
        assert!(wild(&text).is_empty() && !text.contains("EVIL"), "{}: {:?} in\n{text:?}", path.display(), wild(&text));
    }
    std::fs::remove_dir_all(&out).expect("ours");
}

fn names(scene: &Scene) -> Vec<String> {
    let members = scene.amara.rows(&["member", "list", "-c", Scene::CIRCLE], "members");
    members.iter().map(|row| text(row, "name")).collect()
}

#[test]
fn u1_a_record_whose_name_is_none_is_refused_and_one_that_turns_is_marked() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    for (count, name) in (50..).zip(NO_NAMES) {
        mallory.send_records(&[mallory.record(count, mallory.about(name))]);
        let mut device = mallory.about("Mallory");
        device.device_name = name.to_owned().into();
        mallory.send_records(&[mallory.record(count, device)]);
        if !mallory.handled() {
            mallory.redial();
            mallory.synced();
        }
        assert!(names(&scene).contains(&"Mallory".to_owned()), "{name:?}: {:?}", names(&scene));
    }
    // Mallory's own core would take back what it did not say.
    mallory.deaf(true);
    mallory.send_records(&[mallory.record(99, mallory.about(TURNING))]);
    until("the new name", || names(&scene).contains(&TURNING.to_owned()).then_some(()));
    mallory.note("mine");
    drop(scene.amara.awaits_note(Scene::CIRCLE, "mine"));
    harmless("what is shown", &shown(&scene.amara, Scene::CIRCLE));
    exports_harmlessly(&scene.amara);
    scene.holds();
}

#[test]
fn u1_titles_and_bodies_of_a_hostile_member_act_on_no_terminal() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let note = |title: &str, body: &str| {
        let ops = vec![Op::Set(0, Value::text(title)), Op::Insert(1, None, body.to_owned().into())];
        mallory.run_of(Kind::Note, encoded(&Edit::opening(from_now(0), None, ops)).encode())
    };
    for words in NO_NAMES {
        mallory.send_run(&note(words, "x"));
        // A body has several lines, and nothing else that acts.
        if !words.contains(['\r', '\n']) {
            mallory.send_run(&note("in the body", words));
        }
    }
    mallory.send_run(&note(TURNING, "safe\rover it\r\n\ttab\u{202e}"));
    drop(scene.amara.awaits_note(Scene::CIRCLE, TURNING));
    assert!(mallory.handled(), "words are no fault of the link");
    harmless("what is shown", &shown(&scene.amara, Scene::CIRCLE));
    exports_harmlessly(&scene.amara);
    scene.holds();
}

#[test]
fn u1_a_request_whose_name_is_none_is_shown_to_no_steward_and_one_that_turns_is_marked() {
    let scene = Scene::new();
    drop(scene.amara.json(&["circle", "new", "Choir", "--approval", "required"]));
    let link = scene.amara.field(&["invite", "new", "-c", "Choir", "--uses", "20"], "link");
    let ask = |seed: u64, name: &str| {
        let eve = stranger(&scene);
        let device = SigningKey::generate(&mut Seeded::new(seed));
        eve.send(&guest::proof(&eve, &guest::ticket_key(&link), &device));
        let card = answer(&eve);
        assert_eq!(card.at(0).number(), Some(0), "a card: {card:?}");
        eve.send(&guest::request(&link, &guest::opened(&link, &card), &device, name));
        until("an answer to the request", || (answer(&eve).at(0).number() == Some(1)).then_some(()));
    };
    let pending = || scene.amara.rows(&["invite", "pending", "-c", "Choir"], "pending");
    for (seed, name) in (1..).zip(NO_NAMES) {
        ask(seed, name);
        assert!(pending().is_empty(), "{name:?}: {:?}", pending());
    }
    ask(99, TURNING);
    let id = until("a request that is one", || pending().first().map(|row| text(row, "id")));
    assert_eq!(text(&pending()[0], "name"), TURNING);
    for args in [vec!["invite", "pending", "-c", "Choir"], vec!["invite", "pending", "-c", "Choir", "--json"], vec!["inbox"]] {
        harmless("what waits", &both(&scene.amara.kith(&args).ok()));
    }
    harmless("an approval", &both(&scene.amara.kith(&["invite", "approve", &id, "-c", "Choir", "--no-input"]).ok()));
    harmless("what is shown", &shown(&scene.amara, "Choir"));
    scene.holds();
}

/// A circle of Mallory's own, whose link leads nowhere: Mallory calls whom they want to fool.
fn lure(mallory: &Peer) -> String {
    mallory.listens_nowhere();
    let new = kith_protocol::control::NewCircle { name: "Honeypot".to_owned(), ..Default::default() };
    drop(mallory.call(Command::NewCircle(new)).expect("a circle"));
    let invite = Command::NewInvite(mallory.circle().text(), Default::default());
    let Ok(Answer::Invite(invite)) = mallory.call(invite) else { panic!("an invite") };
    invite.link.expect("it made it itself")
}

#[test]
fn u1_a_card_whose_names_are_none_is_refused_and_one_that_turns_is_marked() {
    let scene = Scene::new();
    let mallory = Peer::named("Mallory");
    let link = lure(&mallory);
    let signer = mallory.signing_key(&mallory.circle());
    mallory.deaf(true);
    let shown_for = |circle: &str, inviter: &str| {
        mallory.dial(&raw::address(&scene.amara, false));
        let path = scene.amara.path();
        let asked = link.clone();
        let show = std::thread::spawn(move || kith_tests::proc::kith(&path, &["invite", "show", &asked, "--no-input"], ""));
        let ticket = |frame: &Cbor| frame.at(0).number() == Some(4);
        until("the ticket to be proved", || mallory.heard().iter().any(ticket).then_some(()));
        mallory.send(&guest::card(&link, &signer, (circle, inviter)));
        let run = show.join().expect("it only asks");
        mallory.hang_up();
        run
    };
    for name in NO_NAMES {
        for run in [shown_for(name, "Mallory"), shown_for("Honeypot", name)] {
            assert_ne!(run.code, 0, "{name:?} is taken: {}", run.stdout);
            harmless("a refusal", &both(&run));
        }
    }
    let good = shown_for(&format!("{TURNING} circle"), TURNING).ok();
    assert!(good.stdout.contains("\\u{202e}") || good.stderr.contains("\\u{202e}"), "it is shown: {good:?}");
    harmless("a card", &both(&good));
    scene.holds();
}
