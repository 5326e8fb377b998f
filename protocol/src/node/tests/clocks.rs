//! A wrong clock destroys nothing, and hides nothing without saying so.

use super::*;
use crate::limits::OVER_MILLIS;
use crate::time::{DAY, HOUR, MINUTE};

/// A circle that keeps conversation for some days.
fn keeping(retention: &str, people: usize) -> Village {
    let mut village = Village::new(people);
    village.found(control::NewCircle { retention: retention.into(), ..Default::default() });
    (1..people).for_each(|at| village.join(at));
    village
}

impl Village {
    fn doctor(&self, at: usize) -> Vec<control::Finding> {
        let Answer::Doctor(doctor) = self.ask(at, Query::Doctor) else { panic!("no findings") };
        doctor.findings
    }

    fn doubt(&self, at: usize) -> Option<control::ClockDoubt> {
        let Answer::Status(status) = self.ask(at, Query::Status) else { panic!("no status") };
        status.clock
    }

    fn finds(&self, at: usize, what: &str) -> bool {
        self.doctor(at).iter().any(|finding| finding.message.contains(what))
    }

    fn kept(&self, at: usize) -> usize {
        let circle = self.machines[at].node.state.circles.all.values().next().expect("a circle");
        let heads = crate::log::chain::chains(&self.machines[at].store, &circle.id()).expect("reads");
        let places = heads.iter().flat_map(|head| (1..=head.seq).map(|seq| crate::log::entry::EntryAt { chain: head.no, seq }));
        let places: Vec<_> = places.collect();
        let opened = crate::log::chain::load_many(&self.machines[at].store, circle.ring(), &places).expect("reads");
        opened.iter().filter(|entry| entry.payload.is_some()).count()
    }

    /// Everybody's machine is on at another moment.
    fn at(&mut self, now: Millis) {
        self.now = now;
        self.settle();
    }
}

#[test]
fn what_somebody_writes_whose_clock_is_three_years_behind_is_read_and_stays() {
    let mut village = keeping("30d", 2);
    let right = village.now;
    village.note(0, "", "before");
    village.offline(0);
    village.offline(1);
    village.now = Millis(right.0 - 3 * 365 * DAY);
    village.online(1);
    assert!(village.doubt(1).is_some_and(|doubt| doubt.says.0.since(right) == 0 && doubt.others.0 >= Millis(right.0 - HOUR)));
    assert!(village.finds(1, "clock of this computer looks wrong") || village.finds(1, "clock looks wrong"));
    village.note(1, "", "behind");
    village.offline(1);
    village.now = right.plus(MINUTE);
    village.online(0);
    village.online(1);
    for at in 0..2 {
        assert_eq!(village.bodies(at).len(), 2, "machine {at}");
        assert_eq!(village.doubt(at), None);
    }
    village.at(right.plus(29 * DAY));
    assert_eq!([0, 1].map(|at| village.bodies(at).len()), [2, 2]);
}

#[test]
fn a_clock_that_is_two_months_ahead_for_one_start_destroys_nothing() {
    let mut village = keeping("30d", 3);
    let right = village.now;
    village.note(0, "", "fresh");
    (0..3).for_each(|at| village.offline(at));
    village.now = right.plus(60 * DAY);
    village.online(1);
    assert!(village.bodies(1).is_empty(), "hidden");
    assert!(village.finds(1, "nobody else's has confirmed it"));
    assert_eq!(village.kept(1), 1);
    village.offline(1);
    village.now = right.plus(MINUTE);
    village.online(1);
    assert_eq!(village.bodies(1), ["fresh"]);
    assert!(!village.finds(1, "nobody else's has confirmed it"));
    // Once two others have written something later than that, it goes at once.
    village.online(0);
    village.online(2);
    village.at(right.plus(31 * DAY));
    assert_eq!(village.kept(1), 1, "nobody said anything since");
    village.note(0, "", "later");
    assert_eq!(village.kept(1), 2, "one says that it is over");
    village.note(2, "", "later, too");
    assert_eq!((village.kept(1), village.bodies(1).len()), (2, 2));
}

#[test]
fn an_act_of_another_century_ends_nothing_and_keeps_nothing_longer() {
    let mut village = keeping("1d", 3);
    let right = village.now;
    (1..3).for_each(|at| village.offline(at));
    village.now = right.plus(100 * 365 * DAY);
    village.settle();
    let edit = control::EditCircle { name: Some("Night shift".into()), agreement: Some("Be kind.".into()), ..Default::default() };
    village.call(0, Command::EditCircle("-".into(), edit)).expect("the founder's to say");
    village.now = right.plus(MINUTE);
    (1..3).for_each(|at| village.online(at));
    village.settle();
    village.note(1, "", "a quiet word");
    assert_eq!(village.bodies(2), ["a quiet word"]);
    assert_eq!(village.doubt(2), None, "one clock is wrong, and it is another's");
    // A clock that follows that act destroys nothing either: only one person says so.
    (0..3).for_each(|at| village.offline(at));
    village.now = right.plus(60 * DAY);
    village.online(2);
    assert_eq!((village.bodies(2).len(), village.kept(2)), (0, 1));
    village.offline(2);
    village.now = right.plus(HOUR);
    village.online(2);
    assert_eq!(village.bodies(2), ["a quiet word"]);
    village.at(right.plus(DAY + HOUR));
    assert!(village.bodies(2).is_empty(), "its time is over all the same");
}

#[test]
fn a_circle_of_one_waits_a_week() {
    let mut village = keeping("1d", 1);
    let right = village.now;
    village.note(0, "", "to myself");
    village.at(right.plus(DAY + MINUTE));
    assert_eq!((village.bodies(0).len(), village.kept(0)), (0, 1));
    village.offline(0);
    village.now = right.plus(DAY + OVER_MILLIS);
    village.online(0);
    assert_eq!(village.kept(0), 1);
    village.at(right.plus(DAY + OVER_MILLIS + HOUR));
    assert_eq!(village.kept(0), 0);
}
