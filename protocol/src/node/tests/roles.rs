//! Roles that are lowered and raised again: what somebody writes by a role that they were given back is everybody's to read.

use super::*;
use crate::control::{ItemState, Role, SetRole};

impl Village {
    fn make(&mut self, who: &str, role: Role) {
        self.call(0, Command::SetRole("-".into(), who.into(), SetRole::to(role))).expect("a role");
    }

    /// What every machine lists, before and after everything was judged again.
    fn all_list(&mut self, bodies: &[&str]) {
        for again in [false, true] {
            for at in 0..self.machines.len() {
                if again {
                    self.call(at, Command::Rebuild).expect("builds");
                }
                assert_eq!(self.bodies(at), bodies, "machine {at}, judged again: {again}");
            }
        }
    }
}

#[test]
fn words_by_a_role_that_was_given_back_are_shown() {
    let mut village = circle_of_three();
    village.note(2, "", "as a member");
    village.make("Chioma", Role::Guest);
    let note = NewItem::Note(control::NewNote { body: "as a guest".into(), ..Default::default() });
    assert_eq!(village.call(2, Command::New("-".into(), note)).expect_err("guests only read").code, Code::NotAllowed);
    village.make("Chioma", Role::Member);
    village.note(2, "", "as a member again");
    village.all_list(&["as a member", "as a member again"]);
    village.make("Chioma", Role::Guest);
    village.all_list(&["as a member", "as a member again"]);
    village.make("Chioma", Role::Facilitator);
    village.note(2, "", "as a facilitator");
    village.all_list(&["as a member", "as a member again", "as a facilitator"]);
}

#[test]
fn words_of_a_person_who_did_not_know_stay_held_when_the_role_is_given_back() {
    let mut village = circle_of_three();
    village.offline(2);
    village.make("Chioma", Role::Guest);
    village.make("Chioma", Role::Member);
    village.note(2, "", "not knowing");
    village.online(2);
    village.note(2, "", "knowing");
    village.all_list(&["knowing"]);
}

#[test]
fn a_removal_takes_what_was_written_after_a_demotion_that_was_known() {
    let mut village = circle_of_three();
    village.make("Chioma", Role::Guest);
    village.make("Chioma", Role::Member);
    village.note(2, "", "before the removal");
    village.offline(2);
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    village.note(2, "", "beyond it");
    village.online(2);
    for at in [0, 1] {
        assert_eq!(village.bodies(at), ["before the removal"], "machine {at}");
        village.call(at, Command::Rebuild).expect("builds");
        assert_eq!(village.bodies(at), ["before the removal"], "machine {at}, judged again");
    }
}

#[test]
fn a_facilitator_again_hides_and_pins_again() {
    let mut village = circle_of_three();
    village.make("Chioma", Role::Facilitator);
    let notes = [village.note(1, "", "one"), village.note(1, "", "two")];
    village.call(2, Command::Hide("-".into(), notes[0].clone(), true)).expect("facilitators hide");
    village.make("Chioma", Role::Member);
    village.call(2, Command::Hide("-".into(), notes[1].clone(), true)).expect_err("members do not");
    village.make("Chioma", Role::Facilitator);
    village.call(2, Command::Hide("-".into(), notes[1].clone(), true)).expect("they may again");
    for at in 0..3 {
        for note in &notes {
            let show = Query::Show { circle: None, kind: Kind::Note, item: note.clone(), reveal: false };
            let Answer::Item(Item::Note(shown)) = village.ask(at, show) else { panic!("no note") };
            assert_eq!(shown.state, ItemState::Hidden, "machine {at}");
        }
    }
}
