//! Questions about membership are answered from derived rows, which say what the log says.

use super::*;
use crate::circle::overview;
use crate::circle::state::CircleState;
use crate::store::{Read, Table, Writes};
use crate::work::{Work, counted};

fn questions(circle: &str) -> Vec<Query> {
    let circle = || circle.to_owned();
    let named = [Query::Circle(circle()), Query::Members(circle()), Query::Invites(circle()), Query::Pending(circle())];
    [Query::Circles, Query::Joins, Query::Inbox { circle: None }].into_iter().chain(named).collect()
}

/// Rows of the kind that this circle's questions read.
fn rows(store: &MemoryStore) -> Vec<(Vec<u8>, Vec<u8>)> {
    store.scan(Table::Member, &[], &[], 100).expect("reads")
}

impl Village {
    fn problems(&self, at: usize) -> Vec<String> {
        let Answer::Doctor(doctor) = self.ask(at, Query::Doctor) else { panic!("no doctor") };
        doctor
            .findings
            .into_iter()
            .filter(|finding| finding.level == control::Level::Problem)
            .map(|finding| finding.message)
            .collect()
    }

    /// Every machine's rows say what its log says.
    fn rows_agree(&self) {
        for machine in &self.machines {
            for circle in CircleState::load_all(&machine.store, &Real).expect("reads").values() {
                assert!(overview::agrees(circle, &machine.store).expect("reads"), "rows say something else than the log");
            }
        }
    }

    /// Does something, and looks at all rows whenever the store changed.
    fn checked(&mut self, at: usize, command: Command) -> Answer {
        let call = CallId(self.fresh());
        self.queue.push_back((at, Input::Call(call, command)));
        while let Some((at, input)) = self.queue.pop_front() {
            self.handle(at, input);
            self.rows_agree();
        }
        self.settle();
        self.rows_agree();
        self.replies.remove(&call).expect("an answer").expect("it is done")
    }
}

/// A circle in which much happened, and somebody waits to be let in.
fn busy(village: &mut Village) {
    village.found(control::NewCircle { agreement: "Be kind.".into(), ..Default::default() });
    village.join(1);
    village.checked(0, Command::SetRole("-".into(), "Bea".into(), control::SetRole::to(control::Role::Steward)));
    let edit = control::EditCircle { history: Some("all".into()), retention: Some("90d".into()), ..Default::default() };
    village.checked(0, Command::EditCircle("-".into(), edit));
    for at in [0, 1] {
        let new = control::NewInvite { uses: 2, ..Default::default() };
        let Answer::Invite(invite) = village.checked(at, Command::NewInvite("-".into(), new)) else { panic!("no invite") };
        if at == 0 {
            village.checked(0, Command::RevokeInvite("-".into(), invite.id));
        } else {
            let link = invite.link.expect("a link");
            village.checked(2, Command::Accept(control::Accept { link, ..Default::default() }));
        }
    }
    let note = control::NewNote { body: "hello".into(), ..Default::default() };
    village.checked(1, Command::New("-".into(), NewItem::Note(note)));
}

#[test]
fn a_question_about_one_circle_reads_the_people_of_no_other() {
    let mut village = Village::new(2);
    busy_alone(&mut village);
    let (_, Work { people, .. }) = counted(|| village.ask(0, Query::Circles));
    assert_eq!(people, 0, "a list of circles shows nobody");
    for question in questions("Night shift").into_iter().skip(3).chain([
        Query::List { circle: Some("Night shift".into()), kind: Kind::Note, filter: Filter::default() },
        Query::Room(None),
    ]) {
        let name = format!("{question:?}");
        let Work { people, .. } = counted(|| village.ask(0, question)).1;
        assert!(people <= 1, "the people of {people} circles were read for {name}");
    }
    let new = control::NewNote { body: "hello".into(), ..Default::default() };
    let write = Command::New("Night shift".into(), NewItem::Note(new));
    let (_, Work { people, .. }) = counted(|| village.call(0, write).expect("written"));
    assert!(people <= 2, "the people of {people} circles were read for a note");
}

/// One person in three circles.
fn busy_alone(village: &mut Village) {
    for name in ["Night shift", "Day shift", "Late shift"] {
        let new = control::NewCircle { name: name.into(), ..Default::default() };
        village.call(0, Command::NewCircle(new)).expect("founded");
    }
}

#[test]
fn questions_about_membership_read_no_act_and_no_chain() {
    let mut village = Village::new(3);
    busy(&mut village);
    for at in [0, 1] {
        for question in questions("-") {
            let name = format!("{question:?}");
            let Work { acts, scanned, .. } = counted(|| village.ask(at, question)).1;
            assert_eq!((acts, scanned), (0, 0), "acts and chains read for {name}");
        }
    }
    let Answer::Pending(pending) = village.ask(1, Query::Pending("-".into())) else { panic!("no list") };
    assert_eq!(pending.iter().map(|request| request.name.as_str()).collect::<Vec<_>>(), ["Chioma"]);
    let Answer::Invites(invites) = village.ask(1, Query::Invites("-".into())) else { panic!("no list") };
    let status = |wanted| invites.iter().filter(|invite| invite.status == wanted).count();
    assert!(status(control::InviteStatus::Open) > 0 && status(control::InviteStatus::Revoked) == 1, "{invites:?}");
}

#[test]
fn rows_say_what_the_log_says_whatever_happened() {
    let mut village = Village::new(3);
    busy(&mut village);
    let Answer::Pending(pending) = village.ask(1, Query::Pending("-".into())) else { panic!("no list") };
    village.checked(1, Command::Approve("-".into(), pending[0].id.clone()));
    let Answer::Joins(joins) = village.ask(2, Query::Joins) else { panic!("no list") };
    assert_eq!(joins[0].members.len(), 3, "the members are shown before the yes");
    village.checked(2, Command::ConfirmJoin("-".into()));
    village.checked(0, Command::RemoveMember("-".into(), "Chioma".into()));
    village.checked(1, Command::Leave("-".into(), control::LeaveCircle::default()));
    assert_eq!(village.problems(0), Vec::<String>::new());
    village.checked(0, Command::Rebuild);
}

#[test]
fn the_doctor_tells_of_rows_that_say_something_else() {
    let mut village = Village::new(3);
    busy(&mut village);
    assert_eq!(village.problems(0), Vec::<String>::new());
    let (kept, machine) = (rows(&village.machines[1].store), &mut village.machines[0].store);
    let old: Writes = rows(machine).into_iter().map(|(key, _)| ((Table::Member, key), None)).collect();
    machine.commit(&old).expect("memory never fails");
    // Another machine's rows: of the same circle, and not of this device.
    machine.commit(&kept.into_iter().map(|(key, value)| ((Table::Member, key), Some(value))).collect()).expect("memory");
    let problems = village.problems(0);
    assert!(problems.iter().any(|problem| problem.contains("do not show what its log says")), "{problems:?}");
    village.checked(0, Command::Rebuild);
    assert_eq!(village.problems(0), Vec::<String>::new());
}

#[test]
fn rows_of_another_version_are_made_again_when_a_store_is_opened() {
    let mut village = Village::new(3);
    busy(&mut village);
    let machine = &mut village.machines[0];
    let right = rows(&machine.store);
    assert_eq!(right.len(), 3);
    let mut writes = Writes::new();
    for (key, value) in &right {
        let mut older = value.clone();
        // The version is the first element.
        older[1] -= 1;
        writes.insert((Table::Member, key.clone()), Some(older));
    }
    // And one that has another place by now.
    writes.insert((Table::Member, right[0].0[1..].to_vec()), Some(vec![0x81, 1]));
    machine.store.commit(&writes).expect("memory never fails");
    assert!(answer(&machine.store, &Real, village.now, Query::Circles).is_err(), "another version's rows are not read");
    let mut node = Node::open(&machine.store, &Real, machine.peer.clone()).expect("opens");
    let mut env = Env { now: village.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
    let mut turn = Turn::default();
    node.refresh(&mut env, &machine.store, &mut turn).expect("reads");
    machine.store.commit(&turn.writes).expect("memory never fails");
    assert_eq!(rows(&machine.store), right);
    let mut again = Turn::default();
    node.refresh(&mut env, &machine.store, &mut again).expect("reads");
    assert!(again.writes.is_empty(), "nothing is left to do");
}
