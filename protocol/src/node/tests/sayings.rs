//! What people are told of a circle's rules and of what to do is so, for anyone who reads it.

use super::*;
use crate::control::{EditItem, Happening, Level};
use crate::time::DAY;

impl Village {
    fn set(&mut self, edit: control::EditCircle) {
        self.call(0, Command::EditCircle("-".into(), edit)).expect("a rule");
    }

    fn history(&mut self, rule: &str) {
        self.set(control::EditCircle { history: Some(rule.into()), ..Default::default() });
    }

    /// What somebody who is in no circle sees of a link.
    fn preview(&mut self, at: usize) -> control::Preview {
        let link = self.link();
        match self.call(at, Command::PreviewInvite(link)) {
            Ok(Answer::Preview(preview)) => preview,
            other => panic!("{other:?}"),
        }
    }

    /// The only news of a kind.
    fn told_of(&self, at: usize, what: Happening) -> control::InboxEntry {
        let Answer::Inbox(inbox) = self.ask(at, Query::Inbox { circle: None }) else { panic!("no inbox") };
        inbox.inbox.into_iter().find(|entry| entry.what == Some(what)).unwrap_or_else(|| panic!("no {what}"))
    }

    /// What the doctor says about stewards: the message, and what to do.
    fn advice(&self, at: usize) -> Option<(Level, String, String)> {
        let Answer::Doctor(doctor) = self.ask(at, Query::Doctor) else { panic!("no doctor") };
        let mut found = doctor.findings.into_iter().filter(|finding| finding.message.to_lowercase().contains("steward"));
        found.next().map(|finding| (finding.level, finding.message.clone(), finding.hints.to_string()))
    }

    fn steward(&mut self, who: &str) {
        self.call(0, Command::SetRole("-".into(), who.into(), control::SetRole::to(control::Role::Steward))).expect("a role");
    }
}

#[test]
fn a_looser_history_promises_newcomers_nothing_from_before_it() {
    let mut village = Village::new(3);
    village.found(control::NewCircle::default());
    village.join(1);
    assert_eq!((village.circle(0).open_since, village.preview(2).open_since), (None, None));
    village.note(0, "", "before");
    village.now = village.now.plus(3 * DAY);
    let changed = village.now;
    village.history("all");
    village.now = village.now.plus(DAY);
    village.note(1, "", "after");
    let since = village.circle(1).open_since.expect("it was stricter before").0;
    assert!(changed <= since && since < changed.plus(DAY), "{since} {changed}");
    assert_eq!(village.told_of(1, Happening::History).from.map(|from| from.0), Some(since));
    let seen = village.preview(2);
    assert_eq!((seen.history.as_str(), seen.open_since.map(|since| since.0)), ("all", Some(since)));
    village.join(2);
    assert_eq!(village.bodies(2), ["after"], "which is what they were told");
    village.history("since-join");
    assert_eq!(village.circle(2).open_since, None, "a stricter rule needs no such word");
    let mut open = Village::new(2);
    open.found(control::NewCircle { history: "all".into(), ..Default::default() });
    open.note(0, "", "before");
    assert_eq!(open.preview(1).open_since, None);
    open.join(1);
    assert_eq!(open.bodies(1), ["before"]);
}

#[test]
fn a_shorter_retention_says_from_when_on_it_holds() {
    let mut village = Village::new(3);
    village.found(control::NewCircle::default());
    village.join(1);
    assert_eq!(village.preview(2).shortened, None);
    village.now = village.now.plus(DAY);
    village.set(control::EditCircle { retention: Some("7d".into()), ..Default::default() });
    let shortened = village.circle(1).shortened.expect("it was");
    assert_eq!(village.told_of(1, Happening::Retention).from, Some(shortened.from));
    assert_eq!(village.preview(2).shortened, Some(shortened));
}

#[test]
fn who_is_let_in_unasked_is_not_told_that_a_steward_said_yes() {
    for (approval, unasked) in [("none", true), ("required", false)] {
        let mut village = Village::new(2);
        village.found(control::NewCircle { approval: approval.into(), ..Default::default() });
        let link = village.link();
        village.call(1, Command::Accept(control::Accept { link, ..Default::default() })).expect("a join");
        let Answer::Pending(pending) = village.ask(0, Query::Pending("-".into())) else { panic!("no list") };
        if let Some(first) = pending.first() {
            village.call(0, Command::Approve("-".into(), first.id.clone())).expect("approved");
        }
        let Answer::Joins(joins) = village.ask(1, Query::Joins) else { panic!("no list") };
        assert_eq!((joins[0].status, joins[0].unasked), (JoinStatus::Admitted, unasked), "{approval}");
    }
}

#[test]
fn a_declined_link_can_be_used_to_ask_again() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    let link = village.link();
    let pending = |village: &Village| {
        let Answer::Pending(pending) = village.ask(0, Query::Pending("-".into())) else { panic!("no list") };
        pending.into_iter().map(|request| request.id).collect::<Vec<_>>()
    };
    village.call(1, Command::Accept(control::Accept { link: link.clone(), ..Default::default() })).expect("a join");
    let first = pending(&village);
    village.call(0, Command::Decline("-".into(), first[0].clone())).expect("declined");
    let Answer::Joins(joins) = village.ask(1, Query::Joins) else { panic!("no list") };
    let notice = joins[0].notice.clone().expect("declined");
    assert!(notice.hints.to_string().contains("it can be used to ask again"), "{notice:?}");
    village.call(1, Command::Accept(control::Accept { link, ..Default::default() })).expect("again");
    assert!(pending(&village).len() == 1 && pending(&village) != first);
}

#[test]
fn nobody_is_told_to_make_a_steward_who_may_not() {
    let mut village = circle_of_three();
    let (_, _, hint) = village.advice(0).expect("there is one steward");
    assert!(hint.contains("kith member role NAME steward"), "{hint}");
    village.steward("Bea");
    for at in [1, 2] {
        let (level, _, hint) = village.advice(at).expect("there are two stewards");
        assert_eq!(level, Level::Note);
        assert!(hint.contains("Ask Amara") && !hint.contains("kith member role"), "{hint}");
    }
    village.call(0, Command::Leave("-".into(), control::LeaveCircle::default())).expect("Bea stays a steward");
    let (_, _, hint) = village.advice(2).expect("one steward, and no founder");
    assert!(hint.contains("Nobody can") && !hint.contains("kith"), "{hint}");
    let refused = village.call(1, Command::Leave("-".into(), control::LeaveCircle::default())).expect_err("the last one");
    assert!(refused.hints.to_string().contains("Nobody can make somebody else a steward"), "{refused:?}");
    village.call(1, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    for at in [0, 2] {
        assert_eq!(village.advice(at), None, "who is out can do nothing about it");
        let Answer::Doctor(doctor) = village.ask(at, Query::Doctor) else { panic!("no doctor") };
        assert!(doctor.findings.iter().all(|finding| !finding.message.contains("member check")), "{doctor:?}");
        assert!(doctor.findings[0].hints.to_string().contains("circle forget"), "{doctor:?}");
    }
}

#[test]
fn nobody_who_is_out_counts_or_is_asked_again() {
    let mut village = circle_of_three();
    let new =
        control::NewEvent { title: "Tea".into(), starts: "2030-12-10T18:00:00Z".into(), tz: "UTC".into(), ..Default::default() };
    let Ok(Answer::Item(Item::Event(event))) = village.call(0, Command::New("-".into(), NewItem::Event(new))) else {
        panic!("no event")
    };
    for at in [1, 2] {
        let yes = Response::Rsvp(control::Rsvp::Yes);
        village.call(at, Command::Respond("-".into(), event.id.clone(), yes)).expect("an answer");
    }
    let count = |village: &Village, at: usize| {
        let show = Query::Show { circle: None, kind: Kind::Event, item: event.id.clone(), reveal: false };
        let Answer::Item(Item::Event(event)) = village.ask(at, show) else { panic!("no event") };
        (event.rsvp.yes, event.rsvp.mine)
    };
    assert_eq!(count(&village, 0).0, 2);
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    assert_eq!((count(&village, 0), count(&village, 1)), ((1, None), (1, Some(control::Rsvp::Yes))), "who is out does not come");
    assert_eq!(count(&village, 2).1, Some(control::Rsvp::Yes), "and still sees what they answered");
    let later = control::EditEvent { starts: Some("2030-12-11T18:00:00Z".into()), ..Default::default() };
    village.call(0, Command::Edit("-".into(), event.id.clone(), EditItem::Event(later))).expect("moved");
    for at in [0, 1] {
        let show = Query::Show { circle: None, kind: Kind::Event, item: event.id.clone(), reveal: false };
        let Answer::Item(Item::Event(event)) = village.ask(at, show) else { panic!("no event") };
        let again: Vec<&str> = event.rsvp.asked_again.iter().map(|person| person.name.as_str()).collect();
        assert_eq!(again, ["Bea"], "at machine {at}");
    }
}

#[test]
fn a_resource_says_who_changed_it_last() {
    let mut village = circle_of_three();
    let new = control::NewResource { title: "Hotline".into(), kind: "phone".into(), ..Default::default() };
    let Ok(Answer::Item(Item::Resource(hotline))) = village.call(0, Command::New("-".into(), NewItem::Resource(new))) else {
        panic!("no resource")
    };
    assert_eq!(hotline.changed_by, None);
    let number = control::EditResource { note: Some("0800 111".into()), ..Default::default() };
    village.call(1, Command::Edit("-".into(), hotline.id.clone(), EditItem::Resource(number))).expect("edited");
    let show = Query::Show { circle: None, kind: Kind::Resource, item: hotline.id, reveal: false };
    let Answer::Item(Item::Resource(hotline)) = village.ask(2, show) else { panic!("no resource") };
    assert_eq!((hotline.author.name.as_str(), hotline.changed_by.map(|by| by.name).as_deref()), ("Amara", Some("Bea")));
}

#[test]
fn what_is_not_there_is_looked_for_in_the_list_of_its_kind() {
    let mut village = circle_of_three();
    village.note(0, "On-call", "Long night.");
    let lists = |error: Error| -> Vec<String> {
        assert_eq!(error.code, Code::NotFound, "{error:?}");
        let noun = |hint: &control::Hint| match hint {
            control::Hint::Run { noun, verb, .. } if verb == "list" => Some(noun.clone()),
            _ => None,
        };
        error.hints.0.iter().filter_map(noun).collect()
    };
    let remove = |item: &str| Command::Remove { circle: "-".into(), item: item.into(), now: false };
    for (item, kinds) in [
        ("n-aaaaaaaaaa", &["note"][..]),
        ("e-aaaaaaaaaa", &["event"]),
        ("R-aaaaaaaaaa", &["resource"]),
        ("p-aaaaaaaaaa", &["note"]),
        ("v-aaaaaaaaaa", &["event"]),
        ("aaaaaaaaaa", &["note", "event", "resource"]),
        ("z-aaaaaaaaaa", &["note", "event", "resource"]),
    ] {
        let letter = item.chars().next().filter(|_| item.contains('-'));
        let known = Kind::ALL.into_iter().any(|kind| Some(kind.letter()) == letter.map(|letter| letter.to_ascii_lowercase()));
        if letter.is_some() && kinds.len() == 1 {
            assert!(known, "{item} is of no kind: the table of this test is wrong");
        }
        let refused = village.call(0, remove(item)).expect_err("nothing has that id");
        assert_eq!(lists(refused), kinds, "{item}");
    }
    for kind in Kind::listed() {
        let show = Query::Show { circle: None, kind, item: "zzzzzzzzzz".into(), reveal: false };
        let machine = &village.machines[0];
        let refused = answer(&machine.store, &Real, village.now, show).expect("reads").expect_err("nothing has that id");
        assert_eq!(lists(refused), [kind.noun()]);
    }
}

#[test]
fn a_number_agrees_with_what_is_counted() {
    let mut village = circle_of_three();
    let signed = |village: &Village| -> Vec<String> {
        let Answer::Doctor(doctor) = village.ask(0, Query::Doctor) else { panic!("no doctor") };
        let messages = doctor.findings.into_iter().map(|finding| finding.message);
        messages.filter(|message| message.contains("earlier agreement")).collect()
    };
    village.set(control::EditCircle { agreement: Some("Be kind, and be there.".into()), ..Default::default() });
    assert_eq!(signed(&village), ["2 devices have signed an earlier agreement."]);
    village.call(1, Command::Sign("-".into())).expect("signed");
    assert_eq!(signed(&village), ["1 device has signed an earlier agreement."]);
    village.call(2, Command::Sign("-".into())).expect("signed");
    assert_eq!(signed(&village), [""; 0]);
}
