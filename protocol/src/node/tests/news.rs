//! What is new is all that is looked at: chains are not read again to know how far they are, and nothing is compared twice.

use super::costs::{circle_of_two, item, opening};
use super::*;
use crate::log::chain;
use crate::sync::message::ChainSeq;
use crate::work::counted;

impl Village {
    /// The work of a note by a machine, at that machine.
    fn one_more(&mut self, at: usize) -> crate::work::Work {
        let call = CallId(self.fresh());
        let note = control::NewNote { body: "one more".into(), ..Default::default() };
        let work = counted(|| self.handle(at, Input::Call(call, Command::New("-".into(), NewItem::Note(note))))).1;
        assert!(self.replies.remove(&call).is_some_and(|answer| answer.is_ok()));
        work
    }

    pub(super) fn heads_agree(&self) {
        for machine in &self.machines {
            for id in machine.node.state.circles.all.keys() {
                let stored = chain::chains(&machine.store, id).expect("reads");
                assert!(machine.node.state.circles.heads_of(id).all().eq(&stored), "heads in memory are not those of the store");
            }
        }
    }
}

#[test]
fn an_acknowledgement_reads_and_compares_no_chain() {
    let mut village = circle_of_two();
    village.chains(20);
    let heads = village.heads_at_0();
    assert!(heads.len() >= 20);
    let all: Vec<ChainSeq> = heads.iter().map(|head| ChainSeq { chain: head.id, seq: head.seq }).collect();
    // What came from there is looked at once.
    village.says(Message::Got(Vec::new(), 1));
    for message in [Message::Got(all.clone(), 1), Message::Got(all, 0), Message::Got(Vec::new(), 1)] {
        let work = village.says(message);
        assert_eq!((work.scanned, work.compared, work.acts), (0, 0, 0));
    }
}

#[test]
fn a_note_of_ones_own_costs_what_is_new() {
    let mut village = circle_of_two();
    for n in 0..30 {
        let new = control::NewInvite { expires_in: 3_600_000 + n, ..Default::default() };
        village.call(0, Command::NewInvite("-".into(), new)).expect("an invite");
    }
    village.chains(20);
    // The first may have to say more: what the invites changed.
    village.one_more(0);
    village.settle();
    for _ in 0..3 {
        let work = village.one_more(0);
        assert_eq!((work.scanned, work.acts), (0, 0));
        assert!(work.compared <= 2, "{} acts and chains compared for one note", work.compared);
        village.settle();
    }
    let Answer::Items(Items::Notes(notes)) =
        village.ask(1, Query::List { circle: None, kind: Kind::Note, filter: Filter::default() })
    else {
        panic!("no notes")
    };
    assert_eq!(notes.len(), 4, "all came");
}

#[test]
fn what_a_refused_input_wrote_is_not_in_memory() {
    let mut village = circle_of_two();
    village.one_more(1);
    village.settle();
    let (id, now) = (village.circle_id(1), village.now);
    let machine = &mut village.machines[1];
    let batch = Turn::default();
    let mut env = Env { now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
    let mut cx = Cx::new(Tx::new(&machine.store, &batch), &mut env);
    let me = machine.node.state.circles.all[&id].me().expect("a member");
    let mark = machine.node.state.circles.heads_of(&id).mark();
    drop(
        crate::sync::entries::write(&mut machine.node.state.circles, &mut cx, &id, vec![opening(now, item(me, 1), "refused")])
            .expect("writes"),
    );
    assert!(machine.node.state.circles.heads_of(&id).mark() > mark, "it was in memory");
    drop(cx);
    machine.node.state.reload(&machine.store, &Real).expect("reads");
    village.heads_agree();
}
