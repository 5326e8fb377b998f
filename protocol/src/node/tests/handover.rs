//! The last steward does not go by a slip: the command refuses, no matter who sends it.

use super::*;
use crate::control::{Hint, LeaveCircle, Role, SetRole};

fn leave(village: &mut Village, at: usize, leave: LeaveCircle) -> Result<Answer, Error> {
    village.call(at, Command::Leave("-".into(), leave))
}

fn role(village: &mut Village, at: usize, who: &str, set: SetRole) -> Result<Answer, Error> {
    village.call(at, Command::SetRole("-".into(), who.into(), set))
}

fn to(who: &str) -> LeaveCircle {
    LeaveCircle { successor: Some(who.into()), ..Default::default() }
}

fn to_nobody() -> LeaveCircle {
    LeaveCircle { without_successor: true, ..Default::default() }
}

/// Who is what, as somebody sees it.
fn roles(village: &Village, at: usize) -> Vec<(String, Option<&'static str>)> {
    let Answer::Members(members) = village.ask(at, Query::Members("-".into())) else { panic!("no list") };
    members.into_iter().map(|member| (member.name, member.role.map(control::Role::word))).collect()
}

#[test]
fn the_last_steward_is_told_who_would_be_left_and_nothing_happens() {
    let mut village = circle_of_three();
    let heads = village.circle(0).heads;
    let refused = leave(&mut village, 0, LeaveCircle::default()).expect_err("not by a slip");
    assert_eq!(refused.code, Code::NeedsConfirmation);
    assert!(refused.message.contains("the last steward of \"Night shift\"") && refused.message.contains("Bea and Chioma"));
    assert!(refused.hints.0.iter().any(|hint| matches!(hint, Hint::Run { verb, .. } if verb == "role")), "{refused:?}");
    for lower in [Role::Facilitator, Role::Member, Role::Guest] {
        let refused = role(&mut village, 0, "Amara", SetRole::to(lower)).expect_err("nor like this");
        assert_eq!(refused.code, Code::NeedsConfirmation, "{lower}");
    }
    assert_eq!(village.circle(0).heads, heads, "no act was written");
    assert_eq!(roles(&village, 1)[0], ("Amara".to_owned(), Some("founder")));
}

#[test]
fn a_founder_hands_over_and_leaves_at_once() {
    let mut village = circle_of_three();
    assert_eq!(leave(&mut village, 0, to("Amara")).expect_err("to oneself").code, Code::Usage);
    assert_eq!(leave(&mut village, 0, to("Nobody")).expect_err("to nobody known").code, Code::NotFound);
    leave(&mut village, 0, to("Bea")).expect("left");
    assert_eq!(village.circle(0).status, control::CircleStatus::Left);
    for at in 1..3 {
        assert!(!village.circle(at).frozen, "machine {at}");
        assert!(roles(&village, at).contains(&("Bea".to_owned(), Some("steward"))), "machine {at}");
    }
    // What the circle lives on: Bea lets somebody out.
    village.call(1, Command::RemoveMember("-".into(), "Chioma".into())).expect("Bea is a steward");
}

#[test]
fn a_founder_steps_down_and_hands_over_at_once() {
    let mut village = circle_of_three();
    let set = SetRole { successor: Some("Chioma".into()), ..SetRole::to(Role::Member) };
    role(&mut village, 0, "Amara", set).expect("stepped down");
    let expected = [("Chioma".to_owned(), Some("steward")), ("Amara".to_owned(), Some("member"))];
    assert!(expected.iter().all(|one| roles(&village, 1).contains(one)), "{:?}", roles(&village, 1));
}

#[test]
fn who_says_so_leaves_the_others_without() {
    let mut village = circle_of_three();
    leave(&mut village, 0, to_nobody()).expect("left");
    assert!(village.circle(1).frozen);
    let mut village = circle_of_three();
    role(&mut village, 0, "Amara", SetRole { without_successor: true, ..SetRole::to(Role::Member) }).expect("stepped down");
    assert!(village.circle(1).frozen);
}

#[test]
fn one_of_two_stewards_goes_freely_and_then_the_other_does_not() {
    let mut village = circle_of_three();
    role(&mut village, 0, "Bea", SetRole::to(Role::Steward)).expect("a steward");
    leave(&mut village, 0, LeaveCircle::default()).expect("Bea is a steward");
    assert_eq!(leave(&mut village, 1, LeaveCircle::default()).expect_err("the last").code, Code::NeedsConfirmation);
    assert_eq!(role(&mut village, 1, "Bea", SetRole::to(Role::Member)).expect_err("the last").code, Code::NeedsConfirmation);
    // Bea is no founder, and makes nobody a steward: to say that nobody takes over is the only way.
    assert_eq!(leave(&mut village, 1, to("Chioma")).expect_err("may not").code, Code::NotAllowed);
    leave(&mut village, 1, to_nobody()).expect("left");
    leave(&mut village, 2, LeaveCircle::default()).expect("a member leaves freely");
}

#[test]
fn a_successor_is_somebody_who_is_in() {
    let mut village = circle_of_three();
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    assert_eq!(leave(&mut village, 0, to("Chioma")).expect_err("removed").code, Code::NotAllowed);
    assert!(!village.circle(1).frozen && roles(&village, 0)[0].1 == Some("founder"));
}

#[test]
fn a_founder_alone_leaves_freely() {
    let mut village = Village::new(2);
    village.found(control::NewCircle::default());
    village.join(1);
    leave(&mut village, 1, LeaveCircle::default()).expect("a member leaves freely");
    leave(&mut village, 0, LeaveCircle::default()).expect("nobody is left behind");
}
