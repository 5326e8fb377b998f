//! Anyone who is put out is told so by somebody whom they believe.

use super::*;

/// Chioma is away while Bea becomes a steward and puts them out. Dalia is a member.
fn put_out_by_a_new_steward() -> Village {
    let mut village = Village::new(4);
    village.found(control::NewCircle::default());
    (1..4).for_each(|at| village.join(at));
    village.offline(2);
    let steward = control::SetRole::to(control::Role::Steward);
    village.call(0, Command::SetRole("-".into(), "Bea".into(), steward)).expect("the founder's to say");
    village.call(1, Command::RemoveMember("-".into(), "Chioma".into())).expect("a steward's to do");
    village
}

#[test]
fn who_never_heard_that_somebody_is_a_steward_is_told_by_one_they_know() {
    let mut village = put_out_by_a_new_steward();
    village.offline(0);
    village.online(2);
    assert_eq!(village.circle(2).status, control::CircleStatus::Current, "as far as they know, neither can put anybody out");
    village.online(0);
    assert_eq!(village.circle(2).status, control::CircleStatus::Removed);
}

#[test]
fn somebody_who_was_put_out_twice_is_told_by_the_one_they_believe() {
    let mut village = circle_of_three();
    let steward = control::SetRole::to(control::Role::Steward);
    village.offline(2);
    village.call(0, Command::SetRole("-".into(), "Bea".into(), steward)).expect("the founder's to say");
    village.offline(1);
    // Both at once: Amara has heard of Bea's removal first.
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("the founder's to do");
    village.offline(0);
    village.machines[1].online = true;
    village.call(1, Command::RemoveMember("-".into(), "Chioma".into())).expect("a steward's to do");
    village.online(1);
    village.online(0);
    village.offline(0);
    village.online(2);
    assert_eq!(village.circle(2).status, control::CircleStatus::Removed, "Bea hands the founder's farewell over, too");
}
