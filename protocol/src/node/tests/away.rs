//! What changed while somebody was away: people, rules, and what was seen before. Told once, with who did it, and what is so now.

use std::collections::BTreeSet;

use super::*;
use crate::control::{EditItem, Event, Happening, InboxEntry, Subject};
use crate::work::counted;

impl Village {
    fn inbox(&self, at: usize) -> Vec<InboxEntry> {
        let Answer::Inbox(inbox) = self.ask(at, Query::Inbox { circle: None }) else { panic!("no inbox") };
        inbox.inbox
    }

    /// Of each row: what happened, to whom, and who did it.
    fn news(&self, at: usize) -> Vec<(Happening, String, String)> {
        let told = self.inbox(at).into_iter();
        told.filter_map(|entry| Some((entry.what?, entry.title, entry.author.name))).collect()
    }

    fn seen(&mut self, at: usize) {
        self.call(at, Command::Seen { circle: None, item: None, reveal: false }).expect("seen");
    }

    fn rank(&mut self, at: usize, who: &str, role: &str) {
        let set = control::SetRole::to(role.parse().expect("a role"));
        self.call(at, Command::SetRole("-".into(), who.into(), set)).expect("a role");
    }

    fn rule(&mut self, edit: control::EditCircle) {
        self.call(0, Command::EditCircle("-".into(), edit)).expect("a rule");
    }

    fn meeting(&mut self, at: usize) -> String {
        let new = control::NewEvent {
            title: "Circle".into(),
            starts: "2030-12-10T18:00:00Z".into(),
            starts_local: "2030-12-10T18:00:00".into(),
            tz: "UTC".into(),
            ..Default::default()
        };
        match self.call(at, Command::New("-".into(), NewItem::Event(new))) {
            Ok(Answer::Item(Item::Event(event))) => event.id,
            other => panic!("{other:?}"),
        }
    }

    fn move_to(&mut self, at: usize, id: &str, hour: u8) {
        let edit = control::EditEvent { starts: Some(format!("2030-12-10T{hour}:00:00Z")), ..Default::default() };
        self.call(at, Command::Edit("-".into(), id.into(), EditItem::Event(edit))).expect("moved");
    }

    fn event(&self, at: usize, id: &str) -> Event {
        let show = Query::Show { circle: None, kind: Kind::Event, item: id.into(), reveal: false };
        let Answer::Item(Item::Event(event)) = self.ask(at, show) else { panic!("no event") };
        *event
    }

    fn rsvp(&mut self, at: usize, id: &str, answer: control::Rsvp) {
        self.call(at, Command::Respond("-".into(), id.into(), Response::Rsvp(answer))).expect("an answer");
    }
}

/// Somebody leaves, and says that nobody takes over.
fn alone() -> control::LeaveCircle {
    control::LeaveCircle { without_successor: true, ..Default::default() }
}

fn said(what: Happening, whom: &str, by: &str) -> (Happening, String, String) {
    (what, whom.to_owned(), by.to_owned())
}

#[test]
fn people_who_came_were_given_a_role_or_removed_are_told_of_with_who_did_it() {
    let mut village = Village::new(4);
    village.found(control::NewCircle::default());
    village.join(1);
    assert_eq!(village.news(1), [], "who joins has just seen who is there");
    village.join(2);
    assert_eq!(village.news(1), [said(Happening::Joined, "Chioma", "Amara")]);
    assert_eq!(village.news(0), [], "what one did oneself is no news");
    village.seen(1);
    assert_eq!(village.news(1), []);
    village.rank(0, "Chioma", "facilitator");
    assert_eq!(village.news(1), [said(Happening::Role, "Chioma", "Amara")]);
    let own = village.inbox(2).pop().expect("their own role is told");
    assert!(own.me && own.kind == Subject::Member);
    let change = &own.changes[0];
    assert_eq!((change.before.as_deref(), change.after.as_deref()), (Some("member"), Some("facilitator")));
    village.rank(0, "Chioma", "member");
    assert_eq!(village.news(1), [], "given and taken back");
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    assert_eq!(village.news(1), [said(Happening::Removed, "Chioma", "Amara")]);
    assert_eq!(village.news(2), [said(Happening::Removed, "Chioma", "")], "a farewell may be in another steward's name");
    assert!(village.inbox(2)[0].me);
    village.call(1, Command::Leave("-".into(), control::LeaveCircle::default())).expect("left");
    assert_eq!(village.news(0), [], "leaving is silent");
}

#[test]
fn nobody_is_told_of_somebody_who_has_not_said_yes_yet() {
    let mut village = Village::new(3);
    village.found(control::NewCircle { approval: "none".into(), ..Default::default() });
    village.join(1);
    village.seen(0);
    let link = village.link();
    village.call(2, Command::Accept(control::Accept { link, ..Default::default() })).expect("a join");
    assert_eq!(village.members(1).len(), 3, "admitted");
    assert_eq!(village.news(1), []);
    village.call(2, Command::ConfirmJoin("-".into())).expect("yes");
    for at in [0, 1] {
        // Nobody approved: this machine did, and its member has to hear of it.
        assert_eq!(village.news(at), [said(Happening::Joined, "Chioma", "Amara")], "at machine {at}");
    }
}

#[test]
fn changed_rules_are_told_with_what_they_were() {
    let mut village = Village::new(2);
    village.found(control::NewCircle { agreement: "Be kind.".into(), ..Default::default() });
    village.join(1);
    let retention = |days: &str| control::EditCircle { retention: Some(days.into()), ..Default::default() };
    village.rule(retention("30d"));
    village.rule(retention("7d"));
    village.rule(control::EditCircle { agreement: Some("Be kinder.".into()), ..Default::default() });
    village.rule(control::EditCircle { name: Some("Day shift".into()), ..Default::default() });
    let told = village.inbox(1);
    let of = |what| {
        let entry = told.iter().find(|entry| entry.what == Some(what)).unwrap_or_else(|| panic!("no {what} in {told:?}"));
        let change = &entry.changes[0];
        assert_eq!((entry.kind, entry.author.name.as_str()), (Subject::Circle, "Amara"));
        (change.before.as_deref(), change.after.as_deref())
    };
    assert_eq!(of(Happening::Retention), (Some("keep"), Some("days:7")), "from what was seen to what is so now");
    assert_eq!(of(Happening::Name), (Some("Night shift"), Some("Day shift")));
    assert_eq!(of(Happening::Agreement), (None, None));
    assert_eq!(told.len(), 3);
    assert_eq!(village.inbox(0), []);
}

#[test]
fn a_circle_without_stewards_is_told_of_though_leaving_is_silent() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    village.call(0, Command::Leave("-".into(), alone())).expect("left");
    assert_eq!(village.news(1), [said(Happening::Frozen, "Night shift", "")]);
}

#[test]
fn one_circle_can_be_asked_for() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    village.note(0, "one", "words");
    let other = control::NewCircle { name: "Tea".into(), ..Default::default() };
    village.call(1, Command::NewCircle(other)).expect("a circle");
    let count = |circle: &str| match village.ask(1, Query::Inbox { circle: Some(circle.into()) }) {
        Answer::Inbox(inbox) => inbox.inbox.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!((count("Night shift"), count("Tea")), (1, 0));
}

#[test]
fn a_moved_event_is_told_and_asked_about_again() {
    let mut village = Village::new(3);
    village.found(control::NewCircle::default());
    village.join(1);
    village.join(2);
    let id = village.meeting(0);
    village.rsvp(1, &id, control::Rsvp::Yes);
    village.rsvp(2, &id, control::Rsvp::No);
    (0..3).for_each(|at| village.seen(at));
    let people = village.event(0, &id).rsvp.people;
    assert!(people.is_sorted_by(|a, b| a.member < b.member), "{people:?}");
    let answered: BTreeSet<String> = people.into_iter().map(|person| format!("{} {}", person.name, person.answer)).collect();
    assert_eq!(answered.iter().map(String::as_str).collect::<Vec<_>>(), ["Bea yes", "Chioma no"]);
    // The mover's clock is behind.
    village.now = Millis(village.now.0 - 3_600_000);
    village.move_to(1, &id, 19);
    village.move_to(1, &id, 20);
    let told = village.inbox(0);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].kind, told[0].of, told[0].id.clone()), (Subject::Changed, Some(Subject::Event), id.clone()));
    assert_eq!(village.news(0), [said(Happening::Moved, "Circle", "Bea")]);
    let starts = told[0].changes.iter().find(|change| change.field == "starts_local").expect("when");
    assert_eq!((starts.before.as_deref(), starts.after.as_deref()), (Some("2030-12-10T18:00:00"), Some("2030-12-10T20:00:00")));
    assert_eq!(village.inbox(1), [], "who moved it knows");
    for at in 0..3 {
        let event = village.event(at, &id);
        assert_eq!((event.rsvp.yes, event.rsvp.no, event.rsvp.mine), (0, 0, None), "at machine {at}");
        assert_eq!(event.rsvp.asked_again.len(), 2);
        assert_eq!(event.moved_by.map(|by| by.name).as_deref(), Some("Bea"));
        assert_eq!(event.changed_by.map(|by| by.name).as_deref(), Some("Bea"));
        assert_eq!(event.was.map(|was| was.starts_local).as_deref(), Some("2030-12-10T18:00:00"));
    }
    // An answer counts again, whatever the clock of the person who gives it says.
    village.rsvp(2, &id, control::Rsvp::No);
    let event = village.event(0, &id);
    assert_eq!((event.rsvp.no, event.rsvp.asked_again.len()), (1, 1));
    village.seen(0);
    assert_eq!(village.inbox(0), []);
    village.move_to(2, &id, 18);
    assert_eq!(village.news(0), [said(Happening::Moved, "Circle", "Chioma")], "moved once more, and told once more");
}

#[test]
fn of_two_who_moved_an_event_apart_the_one_whose_time_stands_is_named() {
    let (mut village, id) = two_with_a_meeting();
    village.offline(1);
    village.move_to(0, &id, 19);
    village.move_to(0, &id, 20);
    village.now = Millis(village.now.0 + 60_000);
    // Their label is later; the other's change was the second of two, and stands.
    village.move_to(1, &id, 21);
    village.online(1);
    for at in 0..2 {
        let event = village.event(at, &id);
        assert_eq!(event.starts_local, "2030-12-10T20:00:00", "at machine {at}");
        assert_eq!(event.moved_by.map(|by| by.name).as_deref(), Some("Amara"), "at machine {at}");
        assert_eq!(event.was.map(|was| was.starts_local).as_deref(), Some("2030-12-10T18:00:00"), "at machine {at}");
    }
}

#[test]
fn other_changes_ask_nobody_again_and_say_what_they_were() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let id = village.meeting(0);
    village.rsvp(1, &id, control::Rsvp::Yes);
    village.seen(0);
    let edit = control::EditEvent { location: Some("Room 2".into()), ..Default::default() };
    village.call(1, Command::Edit("-".into(), id.clone(), EditItem::Event(edit))).expect("edited");
    assert_eq!(village.news(0), [said(Happening::Edited, "Circle", "Bea")]);
    let event = village.event(0, &id);
    assert_eq!((event.rsvp.yes, event.moved_by, event.was), (1, None, None));
    let cancel = control::EditEvent { status: Some(control::EventStatus::Cancelled), ..Default::default() };
    village.call(1, Command::Edit("-".into(), id.clone(), EditItem::Event(cancel))).expect("cancelled");
    assert_eq!(village.news(0), [said(Happening::Cancelled, "Circle", "Bea")]);
    let undo =
        control::EditEvent { status: Some(control::EventStatus::Confirmed), location: Some(String::new()), ..Default::default() };
    village.call(1, Command::Edit("-".into(), id, EditItem::Event(undo))).expect("back");
    assert_eq!(village.news(0), [], "it says what was seen");
}

/// Two people who have both seen an event, and the event.
fn two_with_a_meeting() -> (Village, String) {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let id = village.meeting(0);
    (0..2).for_each(|at| village.seen(at));
    (village, id)
}

fn edit(village: &mut Village, at: usize, id: &str, edit: control::EditEvent) {
    village.call(at, Command::Edit("-".into(), id.into(), EditItem::Event(edit))).expect("edited");
}

fn cancelled() -> control::EditEvent {
    control::EditEvent { status: Some(control::EventStatus::Cancelled), ..Default::default() }
}

#[test]
fn what_one_did_oneself_is_credited_to_nobody_else() {
    let (mut village, id) = two_with_a_meeting();
    village.move_to(1, &id, 19);
    edit(&mut village, 0, &id, cancelled());
    assert_eq!(village.news(0), [said(Happening::Moved, "Circle", "Bea")], "who cancelled it knows");
    assert_eq!(village.inbox(0)[0].status, Some(control::EventStatus::Cancelled));
    assert_eq!(village.news(1), [said(Happening::Cancelled, "Circle", "Amara")]);
    (0..2).for_each(|at| village.seen(at));
    let described = control::EditEvent { description: Some("Bring tea.".into()), ..Default::default() };
    edit(&mut village, 1, &id, described);
    village.move_to(0, &id, 20);
    assert_eq!(village.news(0), [said(Happening::Edited, "Circle", "Bea")]);
    assert_eq!(village.inbox(0)[0].changes.iter().map(|change| change.field.as_str()).collect::<Vec<_>>(), ["description"]);
    village.seen(0);
    let place = |place: &str| control::EditEvent { location: Some(place.into()), ..Default::default() };
    edit(&mut village, 1, &id, place("Room 2"));
    edit(&mut village, 0, &id, place("Room 3"));
    assert_eq!(village.inbox(0), [], "what Bea wrote there is not there any more");
    edit(&mut village, 1, &id, place("Room 4"));
    let told = village.inbox(0).remove(0).changes.remove(0);
    assert_eq!((told.before.as_deref(), told.after.as_deref(), told.lost), (Some("Room 3"), Some("Room 4"), false));
}

#[test]
fn of_several_who_changed_an_item_each_is_named_with_what_stands() {
    let mut village = Village::new(3);
    village.found(control::NewCircle::default());
    village.join(1);
    village.join(2);
    let id = village.meeting(0);
    village.seen(0);
    village.move_to(1, &id, 19);
    // An edit of one part of when it is writes all parts again.
    let longer = control::EditEvent { ends: Some("2030-12-10T21:00:00Z".into()), ..Default::default() };
    edit(&mut village, 2, &id, longer);
    edit(&mut village, 2, &id, cancelled());
    let mut told: Vec<(String, Happening, Vec<String>)> = Vec::new();
    for entry in village.inbox(0) {
        told.push((entry.author.name, entry.what.expect("what"), entry.changes.into_iter().map(|c| c.field).collect()));
    }
    told.sort();
    let fields = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
    let expected = [
        ("Bea".to_owned(), Happening::Moved, fields(&["starts", "starts_local"])),
        ("Chioma".to_owned(), Happening::Cancelled, fields(&["ends", "ends_local", "status"])),
    ];
    assert_eq!(told, expected);
}

#[test]
fn of_two_changes_at_once_the_one_whose_own_is_gone_hears_of_it() {
    for first in [0, 1] {
        let mut village = Village::new(2);
        village.found(control::NewCircle::default());
        village.join(1);
        let id = village.meeting(0);
        village.seen(0);
        village.offline(1);
        village.move_to(first, &id, 13);
        village.move_to(1 - first, &id, 14);
        village.online(1);
        village.settle();
        let stands = village.event(0, &id).starts_local;
        assert_eq!(village.event(1, &id).starts_local, stands);
        let told: Vec<Vec<InboxEntry>> = (0..2).map(|at| village.inbox(at)).collect();
        let (winner, loser) = if told[0].is_empty() { (0, 1) } else { (1, 0) };
        assert_eq!(told[winner], [], "nothing stands that they do not know");
        let [entry] = told[loser].as_slice() else { panic!("{:?}", told[loser]) };
        assert_eq!((entry.what, entry.author.name.as_str()), (Some(Happening::Moved), ["Amara", "Bea"][winner]));
        let starts = entry.changes.iter().find(|change| change.field == "starts_local").expect("when");
        assert_eq!((starts.after.as_deref(), starts.lost), (Some(stands.as_str()), true));
        let own = if loser == first { "2030-12-10T13:00:00" } else { "2030-12-10T14:00:00" };
        assert_eq!(starts.before.as_deref(), Some(own), "from what they set themselves");
    }
}

#[test]
fn a_new_event_that_is_cancelled_already_says_so() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let id = village.meeting(0);
    village.note(0, "a note", "words");
    edit(&mut village, 0, &id, cancelled());
    let told: Vec<(Subject, Option<control::EventStatus>)> =
        village.inbox(1).into_iter().map(|entry| (entry.kind, entry.status)).collect();
    assert_eq!(told, [(Subject::Event, Some(control::EventStatus::Cancelled)), (Subject::Note, None)]);
}

#[test]
fn an_edited_note_is_told_without_its_words() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let id = village.note(0, "On-call", "A quiet night.");
    village.seen(1);
    let edit = control::EditNote { body: Some("A harrowing night.".into()), ..Default::default() };
    village.call(0, Command::Edit("-".into(), id, EditItem::Note(edit))).expect("edited");
    let told = village.inbox(1);
    assert_eq!(village.news(1), [said(Happening::Edited, "On-call", "Amara")]);
    assert_eq!(told[0].changes.len(), 1);
    assert_eq!((told[0].changes[0].field.as_str(), &told[0].changes[0].after), ("body", &None));
    assert!(village.notes(1)[0].changed && !village.notes(1)[0].new);
    assert_eq!(village.inbox(0), []);
}

#[test]
fn what_was_never_seen_is_new_and_not_changed_too() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let id = village.meeting(0);
    village.move_to(0, &id, 19);
    let told = village.inbox(1);
    assert_eq!(told.iter().map(|entry| (entry.kind, entry.what)).collect::<Vec<_>>(), [(Subject::Event, None)]);
}

#[test]
fn changes_are_unseen_after_a_rebuild_too() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let id = village.meeting(0);
    (0..2).for_each(|at| village.seen(at));
    village.move_to(1, &id, 19);
    village.call(0, Command::Rebuild).expect("rebuilt");
    assert_eq!(village.news(0), [said(Happening::Moved, "Circle", "Bea")]);
    village.call(1, Command::Rebuild).expect("rebuilt");
    assert_eq!(village.inbox(1), []);
    village.seen(0);
    village.call(0, Command::Rebuild).expect("rebuilt");
    assert_eq!(village.inbox(0), []);
}

#[test]
fn what_was_seen_before_a_rebuild_is_told_by_nobody_after_it() {
    let mut village = Village::new(3);
    village.found(control::NewCircle::default());
    village.join(1);
    village.join(2);
    let meetings = [0, 1].map(|at| (1 - at, village.meeting(at)));
    village.seen(2);
    for (mover, id) in &meetings {
        village.move_to(*mover, id, 19);
    }
    let told = village.inbox(2);
    assert_eq!(told.len(), 2, "{told:?}");
    village.call(2, Command::Rebuild).expect("rebuilt");
    assert_eq!(village.inbox(2), told);
}

#[test]
fn a_reply_names_its_note_and_an_untitled_note_begins_to_speak() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let new = control::NewNote {
        title: "Last week".into(),
        body: "harrowing".into(),
        content_warning: Some("burnout".into()),
        ..Default::default()
    };
    let Ok(Answer::Item(Item::Note(note))) = village.call(0, Command::New("-".into(), NewItem::Note(new))) else {
        panic!("no note")
    };
    let reply = |body: &str| Response::Reply(control::NewReply { body: body.into(), content_warning: None });
    village.call(1, Command::Respond("-".into(), note.id.clone(), reply("also harrowing"))).expect("a reply");
    let told = village.inbox(0).remove(0);
    assert_eq!((told.parent.as_ref(), told.parent_title.as_deref()), (Some(&note.id), Some("Last week")));
    assert_eq!((told.excerpt, told.content_warning.as_deref()), (None, Some("burnout")));
    let open = village.note(0, "", "\n  Is anybody\there?\nMore.");
    village.call(1, Command::Respond("-".into(), open, reply("I am."))).expect("a reply");
    assert_eq!(village.inbox(0).pop().and_then(|entry| entry.excerpt).as_deref(), Some("I am."));
    let told = village.inbox(1).into_iter().find(|entry| entry.title.is_empty() && entry.content_warning.is_none());
    assert_eq!(told.and_then(|entry| entry.excerpt).as_deref(), Some("Is anybody here?"));
}

#[test]
fn what_somebody_brought_along_is_one_row() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let note = |n: usize| control::BatchItem::Note(control::NewNote { title: format!("note {n}"), ..Default::default() });
    village
        .call(0, Command::Batch("-".into(), control::Batch { items: (0..10).map(note).collect(), import: None }))
        .expect("a batch");
    village.now = village.now.plus(60_000);
    village.note(0, "by hand", "words");
    let told: Vec<(String, Option<u64>)> = village.inbox(1).into_iter().map(|entry| (entry.title, entry.count)).collect();
    assert_eq!(told, [("note 0".to_owned(), Some(10)), ("by hand".to_owned(), None)]);
}

#[test]
fn an_inbox_puts_together_what_changed_and_no_more_than_it_may() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let event = |n: usize| {
        control::BatchItem::Event(control::NewEvent {
            title: format!("event {n}"),
            starts: "2030-12-10T18:00:00Z".into(),
            ..Default::default()
        })
    };
    let batch = control::Batch { items: (0..600).map(event).collect(), import: None };
    let Ok(Answer::Made(control::Made { ids, .. })) = village.call(0, Command::Batch("-".into(), batch)) else {
        panic!("no events")
    };
    (0..2).for_each(|at| village.seen(at));
    for id in ids.iter().take(100) {
        village.move_to(1, id, 19);
    }
    let (told, work) = counted(|| village.inbox(0));
    assert!(told.iter().all(|entry| entry.what == Some(Happening::Moved)), "{told:?}");
    assert_eq!((told.len(), work.built, work.acts), (100, 100, 0));
    for id in ids.iter().skip(100) {
        village.move_to(1, id, 19);
    }
    let (told, work) = counted(|| village.inbox(0));
    assert_eq!((told.len(), work.built), (600, crate::limits::INBOX_ENTRIES as u64 / 2));
    assert!(told.iter().all(|entry| entry.author.name == "Bea"), "who did it is known of all");
}

#[test]
fn what_stays_behind_a_warning_stays_unseen() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let new = control::NewNote { body: "harrowing".into(), content_warning: Some("burnout".into()), ..Default::default() };
    let Ok(Answer::Item(Item::Note(covered))) = village.call(0, Command::New("-".into(), NewItem::Note(new))) else {
        panic!("no note")
    };
    let open = village.note(0, "open", "words");
    for warning in [None, Some("grief".to_owned())] {
        let reply = control::NewReply { body: "more".into(), content_warning: warning };
        village.call(0, Command::Respond("-".into(), open.clone(), Response::Reply(reply))).expect("a reply");
    }
    let mut look = |item: &str, reveal| {
        let seen = Command::Seen { circle: None, item: Some(item.to_owned()), reveal };
        village.call(1, seen).expect("seen");
        village.inbox(1).iter().filter(|entry| entry.kind != Subject::Member).count()
    };
    assert_eq!(look(&covered.id, false), 4, "nothing of it was read");
    assert_eq!(look(&open, false), 2, "the note and its open reply were");
    assert_eq!(look(&open, true), 1);
    assert_eq!(look(&covered.id, true), 0);
}
