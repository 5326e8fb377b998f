//! A slip takes nobody's words, and an id that means something else is told what it means.

use super::*;
use crate::control::{EditEvent, EditItem, EditNote, EditResource, Item, NewItem, NewReaction, NewReply, Response};

impl Village {
    /// A note of machine 0, and a reply to it by machine 1.
    fn answered(&mut self, body: &str) -> (String, String) {
        let note = self.note(0, "On-call", body);
        let reply = Response::Reply(NewReply { body: "I am here.".into(), content_warning: None });
        let answer = self.call(1, Command::Respond("-".into(), note.clone(), reply)).expect("a reply");
        let Answer::Item(Item::Note(shown)) = answer else { panic!("no note") };
        (note, shown.written.expect("an id"))
    }

    fn edit(&mut self, at: usize, id: &str, edit: EditItem) -> Result<Answer, Error> {
        self.call(at, Command::Edit("-".into(), id.into(), edit))
    }
}

fn body(text: &str) -> EditItem {
    EditItem::Note(EditNote { body: Some(text.into()), ..Default::default() })
}

fn title(text: &str) -> EditItem {
    EditItem::Note(EditNote { title: Some(text.into()), ..Default::default() })
}

#[test]
fn an_empty_text_takes_no_words_away() {
    let mut village = circle_of_three();
    let (note, reply) = village.answered("Third night in a row.");
    for empty in ["", "   ", "\n\t\n"] {
        for (at, id, noun) in [(0, &note, "note"), (1, &reply, "reply")] {
            let refused = village.edit(at, id, body(empty)).expect_err("by a slip");
            assert_eq!(refused.code, Code::Usage, "{noun} {empty:?}");
            let hint = refused.hints.to_string();
            assert!(hint.contains(&format!("kith note remove {id}")) && hint.contains(noun), "{hint}");
        }
    }
    assert_eq!(village.bodies(1), ["Third night in a row."]);
    assert_eq!(village.notes(0)[0].replies[0].body.as_deref(), Some("I am here."));
    // The title alone may go, as long as there are other words.
    village.edit(0, &note, title("")).expect("the text is there");
    let both = EditNote { title: Some("Rest".into()), body: Some(" ".into()), ..Default::default() };
    assert_eq!(village.edit(0, &note, EditItem::Note(both)).expect_err("the text would go").code, Code::Usage);
}

#[test]
fn of_a_note_that_is_a_title_the_title_stays() {
    let mut village = circle_of_three();
    let note = village.note(0, "Milk, bread", "");
    for empty in ["", "  "] {
        assert_eq!(village.edit(0, &note, title(empty)).expect_err("nothing would be left").code, Code::Usage, "{empty:?}");
    }
    village.edit(0, &note, title("Milk, bread, tea")).expect("another title");
    village.edit(0, &note, body("")).expect("there never was a text");
    let swapped = EditNote { title: Some("".into()), body: Some("Milk.".into()), ..Default::default() };
    village.edit(0, &note, EditItem::Note(swapped)).expect("words are there");
    assert_eq!(village.bodies(1), ["Milk."]);
}

#[test]
fn events_and_resources_keep_what_they_are_called() {
    let mut village = circle_of_three();
    let event = control::NewEvent { title: "Walk".into(), starts: "2030-12-10T18:00:00Z".into(), ..Default::default() };
    let hotline = control::NewResource { title: "Hotline".into(), kind: "phone".into(), ..Default::default() };
    let site = control::NewResource { title: "Site".into(), url: "https://example.org".into(), ..Default::default() };
    let mut made = |new: NewItem| match village.call(0, Command::New("-".into(), new)) {
        Ok(Answer::Item(Item::Event(event))) => event.id,
        Ok(Answer::Item(Item::Resource(resource))) => resource.id,
        other => panic!("{other:?}"),
    };
    let ids = [NewItem::Event(event), NewItem::Resource(hotline), NewItem::Resource(site)].map(&mut made);
    let untitled = || Some(" ".to_owned());
    let no_event = EditItem::Event(EditEvent { title: untitled(), ..Default::default() });
    let resource = |url: Option<&str>| {
        EditItem::Resource(EditResource { title: untitled(), url: url.map(str::to_owned), ..Default::default() })
    };
    assert_eq!(village.edit(0, &ids[0], no_event).expect_err("what is it about?").code, Code::Usage);
    assert_eq!(village.edit(0, &ids[1], resource(None)).expect_err("neither title nor address").code, Code::Usage);
    assert_eq!(village.edit(0, &ids[2], resource(Some(""))).expect_err("both would go").code, Code::Usage);
    village.edit(0, &ids[2], resource(None)).expect("it goes by its address");
}

#[test]
fn an_id_of_another_kind_is_told_what_it_is() {
    let mut village = circle_of_three();
    let (note, reply) = village.answered("Third night in a row.");
    let text = Response::Reply(NewReply { body: "Me too.".into(), content_warning: None });
    let heart = Response::Reaction(NewReaction { emoji: "❤".into(), remove: false });
    let typed = [reply.clone(), reply[2..].to_owned(), reply[..6].to_owned()];
    for (response, verb) in [(text, "reply"), (heart, "react")] {
        for typed in &typed {
            let refused = village.call(2, Command::Respond("-".into(), typed.clone(), response.clone())).expect_err("a reply");
            assert!(refused.message.contains(&reply) && refused.message.contains(&note), "{refused:?}");
            assert!(refused.hints.to_string().contains(&format!("kith note {verb} {note}")), "{refused:?}");
        }
    }
    let yes = Response::Rsvp(control::Rsvp::Yes);
    let refused = village.call(2, Command::Respond("-".into(), note.clone(), yes.clone())).expect_err("a note");
    assert_eq!(refused.code, Code::NotFound);
    assert!(refused.message.contains("is a note") && refused.hints.to_string().contains(&format!("kith note show {note}")));
    let refused = village.call(2, Command::Respond("-".into(), "e-aaaaaa".into(), yes)).expect_err("nothing");
    assert!(refused.message.contains("There is no event"), "{refused:?}");
}

#[test]
fn somebody_who_asks_to_come_back_is_told_how_that_stands() {
    let mut village = circle_of_three();
    village.call(1, Command::Leave("-".into(), control::LeaveCircle::default())).expect("a member leaves freely");
    let told = |village: &Village| {
        let Answer::Inbox(inbox) = village.ask(1, Query::Inbox { circle: None }) else { panic!("no inbox") };
        inbox.notices.into_iter().map(|notice| notice.message).collect::<Vec<_>>()
    };
    assert_eq!(told(&village), Vec::<String>::new(), "what they did themselves is no news");
    let link = village.link();
    village.call(1, Command::Accept(control::Accept { link, ..Default::default() })).expect("asks");
    assert!(matches!(told(&village).as_slice(), [one] if one.contains("waits for a steward")), "{:?}", told(&village));
    let Answer::Pending(pending) = village.ask(0, Query::Pending("-".into())) else { panic!("no list") };
    village.call(0, Command::Decline("-".into(), pending[0].id.clone())).expect("declined");
    assert!(matches!(told(&village).as_slice(), [one] if one.contains("declined your request")), "{:?}", told(&village));
}

#[test]
fn somebody_who_was_removed_is_not_among_the_members() {
    let mut village = circle_of_three();
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    let circle = village.circle(2);
    assert_eq!((circle.status, circle.members, circle.devices), (control::CircleStatus::Removed, 2, 2));
    let Answer::Members(members) = village.ask(2, Query::Members("-".into())) else { panic!("no list") };
    let last = members.last().expect("three");
    assert!(last.me && last.role.is_none() && last.status == control::MemberStatus::Removed, "{members:?}");
    assert_eq!(members.iter().filter(|member| member.status == control::MemberStatus::Current).count(), 2);
}

#[test]
fn a_founder_who_became_a_steward_is_not_called_gone() {
    let mut village = circle_of_three();
    village
        .call(0, Command::SetRole("-".into(), "Amara".into(), control::SetRole::to(control::Role::Steward)))
        .expect("a steward");
    let Answer::Doctor(doctor) = village.ask(0, Query::Doctor) else { panic!("no doctor") };
    let hints: String = doctor.findings.iter().map(|finding| finding.hints.to_string()).collect();
    assert!(hints.contains("has no founder anymore"), "{hints}");
    let refused = village.call(0, Command::Leave("-".into(), control::LeaveCircle::default())).expect_err("the last steward");
    let hints = refused.hints.to_string();
    assert!(hints.contains("has no founder anymore") && !hints.contains("no longer in"), "{hints}");
}
