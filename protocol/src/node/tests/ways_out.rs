//! States that have to have a way out: a request that waits, a home put back from a copy, a circle that is over.

use super::*;
use crate::control::{DraftOf, NewDraft};
use crate::store::{Read, Table};
use crate::time::MINUTE;

/// Somebody leaves, and says that nobody takes over.
fn alone() -> control::LeaveCircle {
    control::LeaveCircle { without_successor: true, ..Default::default() }
}

impl Village {
    fn status(&self, at: usize) -> control::DaemonStatus {
        let Answer::Status(status) = self.ask(at, Query::Status) else { panic!("no status") };
        *status
    }

    fn told(&self, at: usize) -> Vec<String> {
        self.status(at).notices.into_iter().map(|notice| notice.message).collect()
    }

    /// Machine 1 asks to come in, and waits.
    fn waits_to_come_in(&mut self) -> String {
        let link = self.link();
        self.call(1, Command::Accept(control::Accept { link: link.clone(), ..Default::default() })).expect("a join");
        link
    }

    fn join_of_1(&self) -> Option<JoinStatus> {
        let Answer::Joins(joins) = self.ask(1, Query::Joins) else { panic!("no joins") };
        joins.first().map(|join| join.status)
    }

    fn pending_at(&self, at: usize) -> Vec<String> {
        let Answer::Pending(pending) = self.ask(at, Query::Pending("-".into())) else { panic!("no list") };
        pending.into_iter().map(|request| request.id).collect()
    }

    fn pending_id(&self) -> String {
        self.pending_at(0).into_iter().next().expect("a request")
    }
}

impl Village {
    fn forget(&mut self, at: usize, unheard: bool) -> Result<Answer, control::Error> {
        self.call(at, Command::Forget("Night shift".into(), control::ForgetCircle { unheard }))
    }
}

#[test]
fn a_link_of_the_same_inviter_can_be_looked_at_while_a_request_waits() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    let first = village.waits_to_come_in();
    assert_eq!(village.join_of_1(), Some(JoinStatus::Requested));
    let other = control::NewCircle { name: "Tea".into(), ..Default::default() };
    village.call(0, Command::NewCircle(other)).expect("a circle");
    let mut links = vec![first];
    for circle in ["Night shift", "Tea"] {
        let Ok(Answer::Invite(invite)) = village.call(0, Command::NewInvite(circle.into(), control::NewInvite::default())) else {
            panic!("no invite")
        };
        links.push(invite.link.expect("a link"));
    }
    for (link, circle) in links.iter().zip(["", "Night shift", "Tea"]).skip(1) {
        let Ok(Answer::Preview(preview)) = village.call(1, Command::PreviewInvite(link.clone())) else { panic!("no preview") };
        assert_eq!(preview.circle, circle);
        assert_eq!(village.join_of_1(), Some(JoinStatus::Requested), "the request goes on waiting");
    }
    let Answer::Pending(pending) = village.ask(0, Query::Pending("Night shift".into())) else { panic!("no list") };
    village.call(0, Command::Approve("Night shift".into(), pending[0].id.clone())).expect("approved");
    assert_eq!(village.join_of_1(), Some(JoinStatus::Admitted), "and is answered");
}

#[test]
fn who_waits_is_told_so_and_can_take_it_back() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    let link = village.waits_to_come_in();
    assert_eq!(village.told(1), ["Your request to join Night shift waits for a steward to approve it."]);
    village.call(1, Command::AbandonJoin("-".into())).expect("taken back");
    assert_eq!((village.told(1), village.join_of_1()), (Vec::new(), None));
    assert_eq!(village.pending_at(0), Vec::<String>::new(), "nobody is asked any more");
    // The same link can be used again, by a request of its own.
    village.call(1, Command::Accept(control::Accept { link, ..Default::default() })).expect("a join");
    assert_eq!(village.join_of_1(), Some(JoinStatus::Requested));
    assert_eq!(village.pending_at(0).len(), 1);
    village.call(0, Command::Decline("-".into(), village.pending_id())).expect("declined");
}

#[test]
fn every_steward_hears_that_a_request_was_taken_back() {
    let mut village = Village::new(4);
    village.found(control::NewCircle::default());
    village.join(2);
    village.join(3);
    for who in ["Chioma", "Dalia"] {
        village.call(0, Command::SetRole("-".into(), who.into(), control::SetRole::to(control::Role::Steward))).expect("a role");
    }
    village.waits_to_come_in();
    let ids = village.pending_at(0);
    assert_eq!((village.pending_at(2), village.pending_at(3)), (ids.clone(), ids.clone()));
    village.offline(3);
    village.call(1, Command::AbandonJoin("-".into())).expect("taken back");
    assert_eq!((village.pending_at(0).len(), village.pending_at(2).len()), (0, 0));
    village.call(2, Command::Approve("-".into(), ids[0].clone())).expect_err("it is not there any more");
    // The one who was away hears of it, and brings it back to nobody.
    village.online(3);
    village.now = village.now.plus(MINUTE);
    for at in 0..4 {
        village.handle(at, Input::Tick);
    }
    assert_eq!([0, 2, 3].map(|at| village.pending_at(at).len()), [0; 3]);
}

#[test]
fn who_was_declined_removed_or_left_reads_one_sentence() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.waits_to_come_in();
    let id = village.pending_id();
    village.call(0, Command::Decline("-".into(), id)).expect("declined");
    assert_eq!(village.told(1), ["A steward of Night shift declined your request."]);
    village.call(1, Command::AbandonJoin("-".into())).expect("read");
    village.join(1);
    assert_eq!(village.told(1), Vec::<String>::new());
    village.call(0, Command::RemoveMember("-".into(), "Bea".into())).expect("removed");
    let stays = "What is on this computer stays; nothing new comes.";
    assert_eq!(village.told(1), [format!("You were removed from Night shift. {stays}")]);
    assert_eq!(village.circle(1).notice.map(|notice| notice.message), village.told(1).pop());
    let Answer::Inbox(inbox) = village.ask(1, Query::Inbox { circle: None }) else { panic!("no inbox") };
    assert_eq!(inbox.notices.len(), 1);
    village.call(0, Command::Leave("-".into(), alone())).expect("left");
    assert_eq!(village.told(0), [format!("You left Night shift. {stays}")]);
}

#[test]
fn plain_members_are_told_that_requests_are_for_stewards() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let asked = answer(&village.machines[1].store, &Real, village.now, Query::Pending("-".into())).expect("reads");
    assert_eq!(asked.err().map(|error| error.code), Some(Code::NotAllowed));
}

#[test]
fn what_is_in_an_older_copy_of_a_home_comes_back_and_waits_for_nobody() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    village.note(1, "before", "words");
    village.offline(1);
    let copy = village.machines[1].store.clone();
    village.online(1);
    for title in ["one", "two", "three"] {
        village.note(1, title, "words");
    }
    village.offline(1);
    village.machines[1].store = copy;
    village.online(1);
    village.note(1, "after", "words");
    village.settle();
    assert_eq!(village.notes(1).len(), 5, "the others bring it back");
    assert_eq!(village.notes(0).len(), 5);
    assert_eq!(village.status(1).sync.pending_out, 0, "all of it is with the others");
}

#[test]
fn a_circle_is_not_forgotten_by_a_slip_before_anybody_has_heard_that_one_left() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    village.offline(0);
    village.call(1, Command::Leave("Night shift".into(), control::LeaveCircle::default())).expect("left");
    let refused = village.forget(1, false).expect_err("nobody has heard");
    assert_eq!(refused.code, Code::NeedsConfirmation);
    assert!(village.forget(1, true).is_ok());
}

#[test]
fn a_forgotten_circle_leaves_nothing_and_takes_nothing_of_another_along() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    let id = village.note(0, "on-call", "words");
    let reply = control::NewReply { body: "here".into(), content_warning: None };
    village.call(1, Command::Respond("-".into(), id.clone(), Response::Reply(reply))).expect("a reply");
    let edit = control::EditNote { body: Some("other words".into()), ..Default::default() };
    village.call(0, Command::Edit("-".into(), id, control::EditItem::Note(edit))).expect("edited");
    let tea = control::NewCircle { name: "Tea".into(), ..Default::default() };
    village.call(1, Command::NewCircle(tea)).expect("a circle");
    let note = control::NewNote { title: "biscuits".into(), ..Default::default() };
    village.call(1, Command::New("Tea".into(), NewItem::Note(note))).expect("a note");
    let refused = village.forget(1, false).expect_err("still in");
    assert_eq!(refused.code, Code::Usage);
    village.call(1, Command::Leave("Night shift".into(), control::LeaveCircle::default())).expect("left");
    let circle = *village.machines[1].node.state.circles.all.iter().find(|(_, c)| c.name() == "Night shift").expect("there").0;
    for circle in [circle.text(), "c-abcdef".to_owned()] {
        let (item, title, content_warning, want, lang, tags, base) = (None, None, None, None, None, None, None);
        let (becomes, body) = (DraftOf::Note, "words for later".to_owned());
        let draft = NewDraft { becomes, circle, item, body, title, content_warning, want, lang, tags, base };
        village.call(1, Command::KeepDraft(draft)).expect("a draft");
    }
    village.forget(1, false).expect("forgotten");
    let Answer::Drafts(drafts) = village.ask(1, Query::Drafts) else { panic!("no drafts") };
    assert_eq!(drafts.iter().map(|draft| draft.text.circle.as_str()).collect::<Vec<_>>(), ["c-abcdef"]);
    let store = &village.machines[1].store;
    for table in Table::ALL {
        for (key, value) in crate::store::all(store, table, &[]).expect("reads") {
            for part in [&circle.0[..], &circle.0[..8]] {
                let within = |bytes: &[u8]| bytes.windows(part.len()).any(|window| window == part);
                assert!(!within(&key) && !within(&value), "{table:?} still holds something of it");
            }
        }
    }
    assert_eq!(store.search(&[vec!["words".to_owned()]], 9).expect("reads"), Vec::<Vec<u8>>::new(), "nothing of it is found");
    let list = Query::List { circle: None, kind: Kind::Note, filter: Filter::default() };
    let Answer::Items(Items::Notes(notes)) = village.ask(1, list) else { panic!("no notes") };
    assert_eq!(notes.iter().map(|note| note.title.as_str()).collect::<Vec<_>>(), ["biscuits"]);
    let Answer::Doctor(doctor) = village.ask(1, Query::Doctor) else { panic!("no doctor") };
    assert!(doctor.ok, "{:?}", doctor.findings);
    village.machines[1].node = Node::open(&village.machines[1].store, &Real, peer(1)).expect("opens again");
    village.settle();
    assert_eq!(village.told(1), Vec::<String>::new());
}

#[test]
fn a_changed_agreement_is_signed_by_those_who_say_so_and_by_nobody_else() {
    let mut village = Village::new(2);
    village.found(control::NewCircle { agreement: "Be kind.".into(), ..Default::default() });
    village.join(1);
    let signed = |village: &Village| [0, 1].map(|at| village.circle(at).agreement_signed);
    let unsigned = |village: &Village| {
        let Answer::Doctor(doctor) = village.ask(0, Query::Doctor) else { panic!("no doctor") };
        doctor.findings.iter().any(|finding| finding.message.contains("signed an earlier agreement"))
    };
    assert_eq!((signed(&village), unsigned(&village)), ([true, true], false));
    let edit = control::EditCircle { agreement: Some("Be kinder.".into()), ..Default::default() };
    village.call(0, Command::EditCircle("-".into(), edit)).expect("changed");
    assert_eq!((signed(&village), unsigned(&village)), ([true, false], true), "who writes it signs it");
    // A record that goes out for another reason signs nothing.
    village.offline(1);
    village.online(1);
    assert_eq!((signed(&village), unsigned(&village)), ([true, false], true));
    village.call(1, Command::Sign("-".into())).expect("signed");
    assert_eq!((signed(&village), unsigned(&village)), ([true, true], false));
}
