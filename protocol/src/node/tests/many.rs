//! More than a page of anything: circles, hits of a search. Nothing vanishes without a word.

use super::*;
use crate::limits::CIRCLES;

impl Village {
    fn founds(&mut self, at: usize, name: &str) -> Result<Answer, Error> {
        let new = control::NewCircle { name: name.into(), suite: "x25519".into(), ..Default::default() };
        self.call(at, Command::NewCircle(new))
    }

    fn link_to(&mut self, at: usize, circle: &str) -> String {
        match self.call(at, Command::NewInvite(circle.into(), control::NewInvite::default())) {
            Ok(Answer::Invite(invite)) => invite.link.expect("a link"),
            other => panic!("{other:?}"),
        }
    }

    /// Names of circles of one status.
    fn circles(&self, at: usize, status: &str) -> Vec<String> {
        match self.ask(at, Query::Circles) {
            Answer::Circles(circles) => circles.into_iter().filter(|c| c.status.word() == status).map(|c| c.name).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn room(&self, at: usize, link: Option<&str>) -> Result<Answer, Error> {
        answer(&self.machines[at].store, &Real, self.now, Query::Room(link.map(str::to_owned))).expect("reads")
    }

    fn restart(&mut self, at: usize) {
        self.offline(at);
        self.online(at);
    }
}

fn full(outcome: Result<Answer, Error>) {
    let refused = outcome.expect_err("there is no room");
    assert_eq!(refused.code, Code::TooLarge);
    assert!(refused.message.contains("64 circles") && refused.hints.to_string().contains("kith circle leave"), "{refused:?}");
}

#[test]
fn the_sixty_fifth_circle_is_refused_and_what_ended_does_not_count() {
    let mut village = Village::new(2);
    (0..CIRCLES).for_each(|n| drop(village.founds(0, &format!("circle {n:02}")).expect("there is room")));
    full(village.room(0, None));
    full(village.founds(0, "one too many"));
    village.founds(1, "theirs").expect("a circle");
    let link = village.link_to(1, "theirs");
    full(village.room(0, Some(&link)));
    let accept = control::Accept { link: link.clone(), confirm: true, ..Default::default() };
    full(village.call(0, Command::Accept(accept.clone())));
    assert!(matches!(village.ask(0, Query::Joins), Answer::Joins(joins) if joins.is_empty()), "nothing is under way");
    // A circle that ended makes room for one, and only one, whether it is founded or joined.
    village.call(0, Command::Leave("circle 07".into(), control::LeaveCircle::default())).expect("left");
    village.room(0, Some(&link)).expect("there is room again");
    village.call(0, Command::Accept(accept.clone())).expect("a join");
    full(village.founds(0, "one too many"));
    village.room(0, Some(&link)).expect("this one counts already");
    village.call(0, Command::Accept(accept)).expect("the same join");
    let Answer::Pending(pending) = village.ask(1, Query::Pending("theirs".into())) else { panic!("no list") };
    village.call(1, Command::Approve("theirs".into(), pending[0].id.clone())).expect("approved");
    for _ in 0..2 {
        let current = village.circles(0, "current");
        assert_eq!(current.len(), CIRCLES);
        assert!(
            current.contains(&"theirs".to_owned())
                && (0..CIRCLES).filter(|n| *n != 7).all(|n| current.contains(&format!("circle {n:02}")))
        );
        assert_eq!(village.circles(0, "left"), ["circle 07"]);
        village.restart(0);
    }
}

#[test]
fn every_circle_goes_on_after_a_restart_however_many_ended() {
    let mut village = Village::new(1);
    for n in 0..CIRCLES + 12 {
        village.founds(0, &format!("circle {n:02}")).expect("there is room");
        if n % 2 == 0 {
            village.call(0, Command::Leave(format!("circle {n:02}"), control::LeaveCircle::default())).expect("left");
        }
    }
    village.restart(0);
    assert_eq!((village.circles(0, "current").len(), village.circles(0, "left").len()), (38, 38));
    for n in (1..CIRCLES + 12).step_by(2) {
        let note = control::NewNote { body: "still here".into(), ..Default::default() };
        village.call(0, Command::New(format!("circle {n:02}"), NewItem::Note(note))).expect("they are in it");
    }
    let Answer::Status(status) = village.ask(0, Query::Status) else { panic!("no status") };
    assert_eq!((status.circles, status.store.items), (38, 38));
}

#[test]
fn an_invite_that_leads_nowhere_takes_no_room_for_ever() {
    let mut village = Village::new(2);
    village.founds(1, "theirs").expect("a circle");
    let link = village.link_to(1, "theirs");
    village.offline(1);
    (1..CIRCLES).for_each(|n| drop(village.founds(0, &format!("circle {n:02}")).expect("there is room")));
    village.call(0, Command::Accept(control::Accept { link, confirm: true, ..Default::default() })).expect("a join");
    full(village.room(0, None));
    village.now = village.now.plus(5 * crate::time::DAY);
    village.room(0, None).expect("nobody lets anybody in by it any more");
}

#[test]
fn a_search_in_one_circle_finds_what_lies_behind_hundreds_of_hits_in_another() {
    let mut village = Village::new(1);
    village.founds(0, "quiet").expect("a circle");
    village.founds(0, "busy").expect("a circle");
    let note = |n: usize| control::NewNote { title: format!("lantern {n}"), body: "x".into(), ..Default::default() };
    village.call(0, Command::New("quiet".into(), NewItem::Note(note(0)))).expect("a note");
    let items = (1..900).map(|n| control::BatchItem::Note(note(n))).collect();
    village.call(0, Command::Batch("busy".into(), control::Batch { items, import: None })).expect("notes");
    while let Ok(Answer::Indexed(false)) = village.call(0, Command::Index) {}
    let found = |circle: Option<&str>, limit| match village
        .ask(0, Query::Search { words: "lantern".into(), circle: circle.map(str::to_owned), limit })
    {
        Answer::Found(hits) => hits.into_iter().map(|hit| hit.title).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(found(Some("quiet"), 5), ["lantern 0"]);
    assert_eq!(found(Some("quiet"), 1), ["lantern 0"]);
    assert_eq!(found(None, 3), ["lantern 899", "lantern 898", "lantern 897"]);
    assert_eq!(found(None, 1_000).len(), 900);
}
