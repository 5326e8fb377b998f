//! Names that look alike are told apart wherever they stand, no matter who bears the other one and whether they are still there.

use super::*;

impl Village {
    /// Somebody asks to come in under this name; what the steward sees of it. Then they are let in.
    fn joins_as(&mut self, at: usize, name: &str) -> control::PendingRequest {
        let link = self.link();
        let accept = control::Accept { link, confirm: true, as_name: name.into() };
        self.call(at, Command::Accept(accept)).expect("a join");
        let Answer::Pending(pending) = self.ask(0, Query::Pending("-".into())) else { panic!("no list") };
        let Answer::Inbox(inbox) = self.ask(0, Query::Inbox { circle: None }) else { panic!("no inbox") };
        let told = inbox.inbox.into_iter().find(|entry| entry.kind == control::Subject::Request).expect("it is told");
        assert_eq!((told.author.alike, told.author.alike_former), (pending[0].alike, pending[0].alike_former));
        self.call(0, Command::Approve("-".into(), pending[0].id.clone())).expect("approved");
        pending[0].clone()
    }

    /// Name and status of everybody who is marked, as one sees them.
    fn marked(&self, at: usize) -> Vec<(String, String)> {
        match self.ask(at, Query::Members("-".into())) {
            Answer::Members(members) => members.into_iter().filter(|m| m.alike).map(|m| (m.name, m.status.to_string())).collect(),
            other => panic!("{other:?}"),
        }
    }
}

fn of(name: &str, status: &str) -> (String, String) {
    (name.to_owned(), status.to_owned())
}

#[test]
fn a_name_like_that_of_somebody_who_is_out_is_marked_on_the_new_one() {
    for leaves in [false, true] {
        let mut village = Village::new(4);
        village.found(control::NewCircle::default());
        assert!(!village.joins_as(1, "Bea").alike);
        if leaves {
            village.call(1, Command::Leave("-".into(), control::LeaveCircle::default())).expect("left");
        } else {
            village.call(0, Command::RemoveMember("-".into(), "Bea".into())).expect("removed");
        }
        let was = if leaves { "left" } else { "removed" };
        assert!(village.marked(0).is_empty());
        let asked = village.joins_as(2, "B\u{435}a");
        assert!(asked.alike && asked.alike_former, "{asked:?}");
        assert_eq!(village.marked(0), [of("B\u{435}a", "current"), of("Bea", was)]);
        let note = village.note(2, "", "from the new one");
        assert!(village.notes(0).iter().any(|shown| shown.id == note && shown.author.alike));
        // Anyone who was there first is not marked for those who came and went.
        assert!(village.joins_as(3, "amara").alike);
        assert_eq!(village.marked(0).len(), 4);
        let Answer::Members(members) = village.ask(0, Query::Members("-".into())) else { panic!("no list") };
        let id = members.into_iter().find(|m| m.name == "amara").expect("a member").id;
        village.call(0, Command::RemoveMember("-".into(), id)).expect("removed");
        let current: Vec<_> = village.marked(0).into_iter().filter(|(_, status)| status == "current").collect();
        assert_eq!(current, [of("B\u{435}a", "current")]);
    }
}

#[test]
fn reactions_and_health_tell_two_of_one_name_apart() {
    let mut village = Village::new(4);
    village.found(control::NewCircle::default());
    for (at, name) in [(1, "Bea"), (2, "Bea"), (3, "Dalia")] {
        let _asked = village.joins_as(at, name);
    }
    let note = village.note(0, "", "a note");
    for at in 1..4 {
        let heart = control::NewReaction { emoji: "❤".into(), remove: false };
        village.call(at, Command::Respond("-".into(), note.clone(), Response::Reaction(heart))).expect("a reaction");
    }
    let shown = village.notes(0).remove(0);
    assert_eq!(shown.reactions["❤"], ["Bea", "Bea", "Dalia"]);
    let people: Vec<(&str, bool)> = shown.reacted["❤"].iter().map(|who| (who.name.as_str(), who.alike)).collect();
    assert_eq!(people, [("Bea", true), ("Bea", true), ("Dalia", false)]);
    assert_ne!(shown.reacted["❤"][0].member, shown.reacted["❤"][1].member);
    healing::twins(&mut village, &["a"], &["x", "y"]);
    let Answer::Doctor(doctor) = village.ask(0, Query::Doctor) else { panic!("no findings") };
    let forks: Vec<&str> = doctor.findings.iter().map(|f| f.message.as_str()).filter(|m| m.contains("signed two")).collect();
    assert!(!forks.is_empty() && forks.iter().all(|fork| fork.contains("A device of Bea (alike: m-")), "{forks:?}");
}
