//! Texts that could not be saved are kept for a week, on this machine only.

use super::*;
use crate::control::{Draft, DraftOf, NewDraft};
use crate::limits::{DRAFT_BYTES, DRAFT_MILLIS, DRAFTS};
use crate::store::Table;

fn text(body: &str) -> NewDraft {
    let (item, title, content_warning, want, lang, tags, base) = (None, Some("Night".into()), None, None, None, None, None);
    let (circle, body) = ("c-abc".into(), body.into());
    NewDraft { becomes: DraftOf::Note, circle, item, body, title, content_warning, want, lang, tags, base }
}

fn keep(village: &mut Village, body: &str) -> Draft {
    match village.call(0, Command::KeepDraft(text(body))) {
        Ok(Answer::Draft(draft)) => *draft,
        other => panic!("{other:?}"),
    }
}

fn all(village: &Village) -> Vec<Draft> {
    let Answer::Drafts(drafts) = village.ask(0, Query::Drafts) else { panic!("no list") };
    drafts
}

/// What the store holds beside circles and items.
fn local(village: &Village) -> Vec<u8> {
    let rows = village.machines[0].store.scan(Table::Local, &[], &[], 10_000).expect("reads");
    rows.into_iter().flat_map(|(key, value)| [key, value].concat()).collect()
}

fn holds(village: &Village, words: &str) -> bool {
    local(village).windows(words.len()).any(|window| window == words.as_bytes())
}

#[test]
fn a_draft_is_kept_as_it_was_and_sent_to_nobody() {
    let mut village = circle_of_three();
    let sent = village.sent;
    let kept = keep(&mut village, "words of one hour");
    assert_eq!(kept.text, text("words of one hour"));
    assert_eq!(all(&village), std::slice::from_ref(&kept));
    let Answer::Draft(shown) = village.ask(0, Query::Draft(kept.id[..6].to_owned())) else { panic!("none") };
    assert_eq!((*shown, kept.id.starts_with("l-")), (kept, true));
    assert_eq!(village.sent, sent);
    // It stays over a restart.
    village.offline(0);
    village.online(0);
    assert_eq!(all(&village).len(), 1);
}

#[test]
fn what_is_thrown_away_is_gone() {
    let mut village = circle_of_three();
    let (one, other) = (keep(&mut village, "the first words"), keep(&mut village, "the second words"));
    assert!(holds(&village, "the first words"));
    village.call(0, Command::RemoveDraft(one.id.clone())).expect("gone");
    assert!(!holds(&village, "the first words"));
    assert_eq!(all(&village), [other]);
    assert_eq!(village.call(0, Command::RemoveDraft(one.id)).expect_err("gone already").code, Code::NotFound);
}

#[test]
fn after_a_week_it_goes_by_itself() {
    let mut village = circle_of_three();
    keep(&mut village, "the first words");
    village.now = village.now.plus(DRAFT_MILLIS / 2);
    village.settle();
    let second = keep(&mut village, "the second words");
    village.now = village.now.plus(DRAFT_MILLIS / 2);
    village.settle();
    assert!(!holds(&village, "the first words"));
    assert_eq!(all(&village), [second]);
}

#[test]
fn there_is_room_for_so_many_and_so_much() {
    let mut village = circle_of_three();
    let long = Command::KeepDraft(text(&"x".repeat(DRAFT_BYTES + 1)));
    assert_eq!(village.call(0, long).expect_err("too long").code, Code::TooLarge);
    (0..DRAFTS).for_each(|_| drop(keep(&mut village, "words")));
    let refused = village.call(0, Command::KeepDraft(text("one more"))).expect_err("full");
    assert!(refused.hints.to_string().contains("kith draft remove") && !holds(&village, "one more"), "{refused:?}");
}

#[test]
fn a_letter_alone_names_nothing_although_there_is_only_one() {
    let mut village = circle_of_three();
    let draft = keep(&mut village, "words of one hour");
    let note = control::NewNote { title: "On-call".into(), body: "x".into(), ..Default::default() };
    let Ok(Answer::Item(item)) = village.call(0, Command::New("-".into(), control::NewItem::Note(note))) else {
        panic!("no note")
    };
    let control::Item::Note(note) = item else { panic!("a note") };
    let invite = village.call(0, Command::NewInvite("-".into(), control::NewInvite::default()));
    assert!(matches!(invite, Ok(Answer::Invite(_))), "{invite:?}");
    for typed in ["", "l", "l-", " "] {
        assert_eq!(village.call(0, Command::RemoveDraft(typed.into())).expect_err("no draft").code, Code::NotFound, "{typed:?}");
    }
    for typed in ["i", "i-"] {
        let revoked = village.call(0, Command::RevokeInvite("-".into(), typed.into()));
        assert_eq!(revoked.expect_err("no invite").code, Code::NotFound, "{typed:?}");
    }
    let first = note.id.get(2..3).expect("a letter of the id").to_owned();
    for typed in ["n", "n-", "", &first] {
        let shown = village.call(0, Command::Remove { circle: "-".into(), item: typed.into(), now: false });
        assert_eq!(shown.expect_err("no note").code, Code::NotFound, "{typed:?}");
    }
    village.call(0, Command::RemoveDraft(draft.id[..3].into())).expect("a letter more is enough");
    let item = note.id[2..4].to_owned();
    village.call(0, Command::Remove { circle: "-".into(), item, now: false }).expect("and so are two without it");
}
