//! Coming in, while streams break.

use super::*;
use crate::circle::state::OwnStanding;
use crate::peer::frame::TicketAnswer;

/// Is it a part of a welcome that is not the last?
fn is_part(input: &Input) -> bool {
    let Input::Bytes(_, bytes) = input else { return false };
    let frame = crate::codec::decode(bytes, "frame");
    matches!(frame, Ok(Frame::Answer(TicketAnswer::Welcome(_, records))) if records.is_empty())
}

/// A circle of one whose invite lies with machine 1; they ask, and the stream breaks behind the first part of their welcome.
fn half_welcomed(confirm: bool) -> (Village, String) {
    let mut village = Village::new(2);
    village.found(control::NewCircle { approval: "none".into(), ..Default::default() });
    let link = village.link();
    let call = CallId(village.fresh());
    let accept = control::Accept { link: link.clone(), confirm, ..Default::default() };
    village.queue.push_back((1, Input::Call(call, Command::Accept(accept))));
    while let Some((at, input)) = village.queue.pop_front() {
        let ends = is_part(&input);
        village.handle(at, input);
        if ends {
            village.queue.clear();
            let ends: Vec<(usize, Link)> = village.links.keys().copied().collect();
            ends.into_iter().for_each(|(at, link)| village.handle(at, Input::Closed(link)));
            village.links.clear();
            return (village, link);
        }
    }
    panic!("nobody was welcomed");
}

fn join_status(village: &Village) -> Option<JoinStatus> {
    match village.ask(1, Query::Joins) {
        Answer::Joins(joins) => joins.first().map(|join| join.status),
        other => panic!("{other:?}"),
    }
}

#[test]
fn half_a_welcome_is_none_whatever_they_do_then() {
    for confirm in [true, false] {
        let (mut village, link) = half_welcomed(confirm);
        assert!(village.machines[1].node.state.circles.all.is_empty(), "of a circle that they are not in yet nothing is there");
        assert_eq!(join_status(&village), Some(JoinStatus::Requested));
        // They type the link again, and say yes: that is heard once they are in.
        let call = CallId(village.fresh());
        let accept = control::Accept { link, confirm: true, ..Default::default() };
        village.handle(1, Input::Call(call, Command::Accept(accept)));
        assert_eq!(join_status(&village), Some(JoinStatus::Requested), "nothing is agreed before they are welcome");
        village.settle();
        village.now = village.now.plus(60_000);
        village.settle();
        assert_eq!(join_status(&village), Some(JoinStatus::Joined));
        assert_eq!(village.members(0), village.members(1));
        assert_eq!(village.circle(0).heads, village.circle(1).heads);
    }
}

#[test]
fn half_a_welcome_is_not_agreed_to() {
    let (mut village, _) = half_welcomed(false);
    let call = CallId(village.fresh());
    village.handle(1, Input::Call(call, Command::ConfirmJoin("-".into())));
    let refusal = village.replies.remove(&call).expect("an answer").expect_err("there is nothing to agree to yet");
    assert_eq!(refusal.code, Code::Usage);
}

#[test]
fn who_walks_away_from_half_a_welcome_was_never_in() {
    let (mut village, _) = half_welcomed(false);
    let call = CallId(village.fresh());
    village.handle(1, Input::Call(call, Command::AbandonJoin("-".into())));
    assert!(village.replies.remove(&call).expect("an answer").is_ok());
    let Answer::Circles(circles) = village.ask(1, Query::Circles) else { panic!("no list") };
    assert_eq!((circles, join_status(&village)), (Vec::new(), None));
}

#[test]
fn a_refused_command_leaves_memory_as_the_store_has_it_while_a_welcome_comes() {
    let (mut village, _) = half_welcomed(false);
    let standing =
        |village: &Village| village.machines[1].node.state.circles.all.values().map(|c| c.standing()).collect::<Vec<_>>();
    let call = CallId(village.fresh());
    village.handle(1, Input::Call(call, Command::RemoveMember("-".into(), "Amara".into())));
    assert!(village.replies.remove(&call).expect("an answer").is_err());
    assert_eq!(standing(&village), Vec::<OwnStanding>::new());
    let machine = &village.machines[1];
    let again = Node::open(&machine.store, &Real, machine.peer.clone()).expect("opens");
    assert_eq!(again.state.circles.all.len(), machine.node.state.circles.all.len());
}

#[test]
fn who_waits_by_an_invite_that_ends_is_told_while_waiting() {
    for closed in [true, false] {
        let mut village = Village::new(2);
        village.found(control::NewCircle::default());
        let link = village.link();
        village.call(1, Command::Accept(control::Accept { link, ..Default::default() })).expect("asked");
        assert_eq!(join_status(&village), Some(JoinStatus::Requested));
        if closed {
            let Answer::Invites(invites) = village.ask(0, Query::Invites("-".into())) else { panic!("no list") };
            village.call(0, Command::RevokeInvite("-".into(), invites[0].id.clone())).expect("closed");
        } else {
            // Something else that happens once its time is over.
            village.now = village.now.plus(40 * crate::time::DAY);
            village.note(0, "", "a word");
        }
        assert_eq!(join_status(&village), Some(JoinStatus::Refused), "closed: {closed}");
    }
}

#[test]
fn a_preview_joins_nothing() {
    let mut village = Village::new(2);
    village.found(control::NewCircle { agreement: "Be kind.".into(), ..Default::default() });
    let link = village.link();
    let Ok(Answer::Preview(preview)) = village.call(1, Command::PreviewInvite(link)) else { panic!("no preview") };
    assert_eq!((preview.circle.as_str(), preview.inviter.as_str(), preview.members), ("Night shift", "Amara", 1));
    assert_eq!(preview.agreement, "Be kind.");
    assert_eq!(village.members(0).len(), 1);
}

// ---- what they write ------------------------------------------------------------------------------------------------

#[test]
fn a_link_is_used_once() {
    let mut village = Village::new(3);
    village.found(control::NewCircle { approval: "none".into(), ..Default::default() });
    let link = village.link();
    for at in 1..3 {
        let accept = control::Accept { link: link.clone(), confirm: true, ..Default::default() };
        village.call(at, Command::Accept(accept)).expect("a join");
    }
    let Answer::Joins(joins) = village.ask(2, Query::Joins) else { panic!("no list") };
    assert_eq!(joins[0].status, JoinStatus::Refused);
    assert_eq!(joins[0].reason, "The invite has been used.");
    assert_eq!(village.members(0).len(), 2);
}
