//! What the simulator found: nobody stays behind for good, whatever came side by side, no matter who kept it to themself.

use super::*;

/// The stores of two machines that are the same device, and what each writes alone.
pub(super) fn twins(village: &mut Village, first: &[&str], second: &[&str]) {
    village.offline(1);
    let copy = village.machines[1].store.clone();
    for body in first {
        village.note(1, "", body);
    }
    let original = std::mem::replace(&mut village.machines[1].store, copy);
    village.online(1);
    village.offline(1);
    for body in second {
        village.note(1, "", body);
    }
    // Only machine 2 ever meets the copy; then the copy is gone.
    village.offline(0);
    village.online(1);
    village.offline(1);
    village.machines[1].store = original;
    village.online(1);
    village.online(0);
}

#[test]
fn all_branches_of_a_copied_machine_reach_everybody_whichever_came_first() {
    for (first, second) in [(&["a", "b", "c"][..], &["x"][..]), (&["a"], &["x", "y", "z"]), (&["a", "b"], &["x", "y"])] {
        let mut village = circle_of_three();
        village.note(1, "", "one");
        twins(&mut village, first, second);
        let mut all: Vec<&str> = first.iter().chain(second).chain(&["one"]).copied().collect();
        all.sort_unstable();
        for at in 0..3 {
            let mut bodies = village.bodies(at);
            bodies.sort_unstable();
            assert_eq!(bodies, all, "at machine {at}");
        }
    }
}

#[test]
fn a_writer_who_goes_on_under_the_other_of_two_new_epochs_is_not_set_aside() {
    let mut village = Village::new(4);
    village.found(control::NewCircle::default());
    (1..4).for_each(|at| village.join(at));
    village.call(3, Command::Leave("-".into(), control::LeaveCircle::default())).expect("left");
    // Both make new keys, neither knows of the other's.
    village.offline(1);
    village.note(0, "", "zero alone");
    village.note(1, "", "one alone");
    village.online(1);
    village.note(0, "", "zero again");
    village.note(1, "", "one again");
    for at in 0..3 {
        let mut bodies = village.bodies(at);
        bodies.sort_unstable();
        assert_eq!(bodies, ["one again", "one alone", "zero again", "zero alone"], "at machine {at}");
    }
}

#[test]
fn a_leave_that_somebody_kept_to_themself_is_told_to_anyone_who_calls() {
    let mut village = circle_of_three();
    village.offline(0);
    village.call(2, Command::Leave("-".into(), control::LeaveCircle::default())).expect("left, and machine 1 noted it");
    village.offline(1);
    village.online(0);
    assert_eq!(village.members(0).iter().filter(|(_, status)| status == "left").count(), 1);
    village.note(0, "", "just us");
    assert!(village.bodies(2).is_empty());
}

#[test]
fn who_leaves_while_being_removed_is_told_and_stops_calling() {
    let mut village = circle_of_three();
    village.offline(2);
    village.call(2, Command::Leave("-".into(), control::LeaveCircle::default())).expect("left, and nobody knows");
    let chioma = village.members(0).into_iter().position(|(name, _)| name == "Chioma").expect("they are listed");
    let Answer::Members(members) = village.ask(0, Query::Members("-".into())) else { panic!("no list") };
    village.call(0, Command::RemoveMember("-".into(), members[chioma].id.clone())).expect("removed");
    village.online(2);
    let standing = village.machines[2].node.state.circles.all.values().next().map(|circle| circle.standing());
    assert_eq!(standing, Some(crate::circle::state::OwnStanding::Left), "they know that they know that they are out");
}

#[test]
fn who_walks_away_says_so_until_somebody_has_heard_it() {
    let mut village = Village::new(2);
    village.found(control::NewCircle { approval: "none".into(), ..Default::default() });
    let link = village.link();
    village.call(1, Command::Accept(control::Accept { link, ..Default::default() })).expect("admitted");
    village.offline(0);
    village.call(1, Command::AbandonJoin("-".into())).expect("walked away, and nobody is there");
    village.machines[0].online = true;
    village.queue.push_back((1, Input::Woke));
    // The stream breaks while their introduction is under way.
    let mut lost = false;
    while let Some((at, input)) = village.queue.pop_front() {
        match input {
            Input::Bytes(link, bytes) if matches!(crate::codec::decode(&bytes, "frame"), Ok(Frame::Intro(_))) && !lost => {
                lost = true;
                village.cut(at, link);
            }
            input => village.handle(at, input),
        }
    }
    assert!(lost);
    village.settle();
    assert_eq!(village.members(0)[1].1, "left");
    let standing = village.machines[1].node.state.circles.all.values().next().map(|circle| circle.standing());
    assert_eq!(standing, Some(crate::circle::state::OwnStanding::Left), "they know that it is known");
}

#[test]
fn two_who_leave_at_once_do_not_take_each_other_for_the_circle() {
    let mut village = circle_of_three();
    (0..3).for_each(|at| village.offline(at));
    (1..3).for_each(|at| {
        drop(village.call(at, Command::Leave("-".into(), control::LeaveCircle::default())).expect("left, and nobody knows"))
    });
    let standing = |village: &Village, at: usize| {
        village.machines[at].node.state.circles.all.values().next().map(|circle| circle.standing())
    };
    (1..3).for_each(|at| village.online(at));
    for at in 1..3 {
        assert_eq!(
            standing(&village, at),
            Some(crate::circle::state::OwnStanding::Leaving),
            "nobody who is in heard machine {at}"
        );
    }
    village.online(0);
    assert_eq!(village.members(0).iter().filter(|(_, status)| status == "left").count(), 2);
    for at in 1..3 {
        assert_eq!(standing(&village, at), Some(crate::circle::state::OwnStanding::Left), "machine {at} was heard");
    }
}

impl Village {
    /// A machine makes so many new keys that nobody needs.
    fn rotates(&mut self, at: usize, count: usize) {
        let machine = &mut self.machines[at];
        let mut batch = Turn::default();
        let mut env = Env { now: self.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
        let mut cx = Cx::new(Tx::new(&machine.store, &batch), &mut env);
        let circle = machine.node.state.circles.all.values_mut().next().expect("in a circle");
        for _ in 0..count {
            assert!(circle.rotate(&mut cx).is_ok(), "anybody may");
        }
        cx.tx.finish().join(&mut batch);
        machine.store.commit(&batch.writes).expect("memory never fails");
    }

    fn acts(&self, at: usize) -> u64 {
        self.machines[at].node.state.circles.all.values().map(|circle| circle.judged().len() as u64).sum()
    }
}

#[test]
fn m10_needless_keys_come_slowly_but_all_of_them_come_and_nothing_waits_for_them() {
    let most = crate::limits::ROTATIONS;
    let mut village = circle_of_three();
    let before = village.acts(0);
    village.offline(1);
    village.offline(2);
    village.rotates(1, usize::try_from(most).expect("few") + 20);
    village.online(1);
    assert_eq!(village.acts(0) - before, most, "so many at once");
    // Somebody else who was away hears of them from anyone who took them, and of what rests on them, at once.
    village.online(2);
    assert!(village.acts(2) - before >= most);
    village.note(0, "", "under the newest that they know");
    assert_eq!(village.bodies(2), ["under the newest that they know"]);
    // The others are delayed, not lost.
    for _ in 0..40 {
        village.now = village.now.plus(crate::limits::ROTATION_MILLIS);
        village.settle();
    }
    assert_eq!((village.acts(0), village.acts(2)), (village.acts(1), village.acts(1)));
    assert!(village.acts(0) >= before + most + 20);
}

#[test]
fn digests_that_crossed_leave_nobody_waiting_for_what_the_other_has() {
    let mut village = circle_of_three();
    let links: Vec<(Link, Link)> =
        village.links.iter().filter(|((at, _), (other, _))| (*at, *other) == (0, 1)).map(|((_, a), (_, b))| (*a, *b)).collect();
    let (near, far) = *links.last().expect("a link between the two");
    let mut theirs = None;
    for (at, link) in [(0, near), (1, far)] {
        let session = village.machines[at].node.state.peers.sessions.get_mut(&link).expect("open");
        let shared = session.circles.values_mut().next().expect("shared");
        shared.said = false;
        if at == 0 {
            // Machine 1 saw equal digests; here comes the one it sent before, which was another.
            shared.known = None;
            theirs = Some(shared.theirs);
        }
    }
    let digest = Message::Digest(crate::sync::message::Hash([9; 32]));
    let bytes = crate::codec::encode(&Frame::Circle(theirs.expect("a token"), digest));
    village.queue.push_back((0, Input::Bytes(near, bytes)));
    village.settle();
    village.offline(2);
    village.note(0, "", "does this come?");
    assert_eq!(village.bodies(1), ["does this come?"]);
}
