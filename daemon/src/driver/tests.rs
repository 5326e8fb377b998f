use kith_protocol::control::NewCircle;
use kith_protocol::node::{Answer, Command};
use tokio::sync::oneshot::error::TryRecvError;

use super::fake::Fake;
use super::*;
use crate::keystore::MasterKey;
use crate::net::NetHandle;

struct Driven {
    _dir: tempfile::TempDir,
    events: mpsc::Sender<Event>,
    driver: Driver<Fake>,
}

fn driven() -> Driven {
    let dir = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::create(&dir.path().join("store.db"), &MasterKey::from_bytes([7; 32])).expect("a store");
    let (events, queue) = mpsc::channel(64);
    let driver = Driver::open(store, queue, NetHandle::idle(), Arc::new(Hub::new()), PeerId(vec![1]), Vec::new()).expect("opens");
    Driven { _dir: dir, events, driver }
}

fn circle(name: &str) -> Command {
    Command::NewCircle(NewCircle { name: name.to_owned(), ..NewCircle::default() })
}

fn call(command: Command) -> (Event, oneshot::Receiver<Outcome>) {
    let (reply, outcome) = oneshot::channel();
    (Event::Call(Box::new(command), reply), outcome)
}

fn names(driven: &Driven) -> Vec<Vec<u8>> {
    use kith_protocol::store::{Read, Table};
    let rows = driven.driver.store.scan(Table::Circle, b"", b"", 99).expect("reads");
    rows.into_iter().map(|(key, _)| key).collect()
}

#[test]
fn many_calls_share_one_commit_and_are_answered_after_it() {
    let mut driven = driven();
    let (first, mut one) = call(circle("one"));
    let (second, mut two) = call(circle("two"));
    assert!(matches!(one.try_recv(), Err(TryRecvError::Empty)));
    driven.driver.turn(vec![first, second], false).expect("commits");
    assert!(matches!(one.try_recv(), Ok(Ok(Answer::Made(_)))));
    assert!(matches!(two.try_recv(), Ok(Ok(Answer::Made(_)))));
    assert_eq!(names(&driven), [b"one", b"two"]);
    assert_eq!(driven.driver.hub.watch(None).missed.len(), 0);
}

#[test]
fn what_a_turn_has_no_time_for_waits_for_the_next_in_its_order() {
    let mut driven = driven();
    let (slow, mut one) = call(circle("slow"));
    let (second, mut two) = call(circle("two"));
    let (third, mut three) = call(circle("three"));
    driven.driver.turn(vec![slow, second, third], false).expect("commits");
    assert!(matches!(one.try_recv(), Ok(Ok(Answer::Made(_)))));
    assert!(matches!(two.try_recv(), Err(TryRecvError::Empty)));
    let group = driven.driver.group();
    assert_eq!(group.len(), 2);
    driven.driver.turn(group, false).expect("commits");
    assert!(matches!(two.try_recv(), Ok(Ok(Answer::Made(_)))));
    assert!(matches!(three.try_recv(), Ok(Ok(Answer::Made(_)))));
    assert!(driven.driver.group().is_empty());
}

#[test]
fn a_stop_is_heard_behind_what_waits() {
    let Driven { _dir, events, driver } = driven();
    let (slow, one) = call(circle("slow"));
    let (second, two) = call(circle("two"));
    for event in [slow, second, Event::Stop] {
        events.blocking_send(event).expect("there is room");
    }
    driver.run().expect("in order");
    assert!(matches!(one.blocking_recv(), Ok(Ok(_))));
    assert!(matches!(two.blocking_recv(), Ok(Ok(_))));
}

#[test]
fn a_full_disk_refuses_the_whole_group_and_then_goes_on() {
    let mut driven = driven();
    driven.driver.store.cap_pages(80);
    let (small, mut one) = call(circle("one"));
    let (huge, mut two) = call(circle("huge"));
    let trouble = driven.driver.turn(vec![small, huge], false).expect_err("no room");
    driven.driver.start_over(&trouble).expect("goes on");
    for outcome in [one.try_recv(), two.try_recv()] {
        assert!(matches!(outcome, Ok(Err(Error { code: Code::DiskFull, .. }))));
    }
    assert!(names(&driven).is_empty());
    let (again, mut three) = call(circle("one"));
    driven.driver.turn(vec![again], false).expect("commits");
    assert!(matches!(three.try_recv(), Ok(Ok(_))));
}

#[test]
fn a_fault_in_the_core_is_told_and_survived() {
    let mut driven = driven();
    let (fault, mut one) = call(circle("panic"));
    let trouble = driven.driver.turn(vec![fault], false).expect_err("a fault");
    assert!(matches!(trouble, Trouble::Fault));
    driven.driver.start_over(&trouble).expect("goes on");
    assert!(matches!(one.try_recv(), Ok(Err(Error { code: Code::Failed, .. }))));
}

#[test]
fn the_node_is_ticked_when_it_asked_for_it() {
    let Driven { _dir, events, driver } = driven();
    let thread = std::thread::spawn(move || driver.run());
    let (wait, waited) = call(Command::SyncNow);
    let (due, made) = call(circle("deadline"));
    events.blocking_send(wait).expect("runs");
    events.blocking_send(due).expect("runs");
    assert!(matches!(made.blocking_recv(), Ok(Ok(_))));
    assert!(matches!(waited.blocking_recv(), Ok(Ok(Answer::Done))));
    let (unanswered, outcome) = call(Command::SyncNow);
    events.blocking_send(unanswered).expect("runs");
    events.blocking_send(Event::Stop).expect("runs");
    assert!(matches!(outcome.blocking_recv(), Ok(Err(_))));
    thread.join().expect("ends").expect("in order");
}

#[test]
fn a_deadline_that_a_tick_does_not_move_is_no_busy_loop() {
    assert_eq!(patience(Some(Millis(5)), Millis(9), None), Duration::ZERO);
    assert_eq!(patience(Some(Millis(5)), Millis(9), Some(Millis(5))), SAME_DEADLINE);
    assert_eq!(patience(Some(Millis(19)), Millis(9), None), Duration::from_millis(10));
    assert_eq!(patience(None, Millis(9), None), LONGEST_SLEEP);
}
