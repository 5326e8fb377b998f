//! A shorter retention binds what is written from the next day on.

use super::*;
use crate::time::{DAY, HOUR};

fn keep(village: &mut Village, days: &str) {
    let edit = control::EditCircle { retention: Some(days.into()), ..Default::default() };
    village.call(0, Command::EditCircle("-".into(), edit)).expect("a policy");
}

#[test]
fn what_is_written_on_the_day_itself_keeps_the_end_that_it_had() {
    let mut village = circle_of_three();
    village.note(1, "", "before");
    keep(&mut village, "1d");
    let shortened = village.circle(1).shortened.expect("it was");
    assert_eq!((shortened.before.as_str(), shortened.from.0.since(village.now) <= DAY), ("keep", true));
    village.note(1, "", "on the same day");
    village.now = village.now.plus(23 * HOUR);
    village.settle();
    village.note(2, "", "late on that day");
    village.now = village.now.plus(HOUR);
    village.settle();
    village.note(2, "", "the next day");
    assert_eq!(village.bodies(0), ["before", "on the same day", "late on that day", "the next day"]);
    village.now = village.now.plus(DAY + HOUR);
    village.settle();
    for at in 0..3 {
        assert_eq!(village.bodies(at), ["before", "on the same day", "late on that day"], "machine {at}");
    }
}

#[test]
fn a_slip_that_is_set_right_the_same_day_costs_nobody_a_word() {
    let mut village = circle_of_three();
    keep(&mut village, "1d");
    village.note(1, "", "in between");
    keep(&mut village, "100d");
    assert_eq!(village.circle(1).shortened.map(|shortened| shortened.before), Some("keep".into()));
    village.note(1, "", "afterwards");
    village.now = village.now.plus(3 * DAY);
    village.settle();
    assert_eq!(village.bodies(2), ["in between", "afterwards"]);
}

#[test]
fn a_longer_one_binds_at_once_and_is_no_shortening() {
    let mut village = Village::new(2);
    village.found(control::NewCircle { retention: "1d".into(), ..Default::default() });
    village.join(1);
    assert_eq!(village.circle(0).shortened, None);
    keep(&mut village, "30d");
    assert_eq!(village.circle(1).shortened, None);
    village.note(1, "", "kept for longer");
    village.now = village.now.plus(2 * DAY);
    village.settle();
    assert_eq!(village.bodies(0), ["kept for longer"]);
}
