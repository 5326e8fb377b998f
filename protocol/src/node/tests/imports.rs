//! Imports that are taken back, and words that get another form.

use std::ops::Range;

use super::*;
use crate::store::{Table, Writes};

fn batch(notes: Range<usize>, import: Option<&str>) -> Command {
    let note =
        |n: usize| control::NewNote {
            title: format!("imported {n}"), body: "我最近工作压力很大".into(), ..Default::default()
        };
    let items = notes.map(|n| control::BatchItem::Note(note(n))).collect();
    Command::Batch("-".into(), control::Batch { items, import: import.map(str::to_owned) })
}

impl Village {
    fn made(&mut self, at: usize, command: Command) -> control::Made {
        match self.call(at, command) {
            Ok(Answer::Made(made)) => made,
            other => panic!("{other:?}"),
        }
    }

    fn import(&self, at: usize, id: &str) -> Result<control::Import, Error> {
        let answered = answer(&self.machines[at].store, &Real, self.now, Query::Import(id.to_owned())).expect("reads");
        answered.map(|answer| if let Answer::Import(import) = answer { import } else { panic!("{answer:?}") })
    }

    fn indexes(&mut self, at: usize) {
        while matches!(self.call(at, Command::Index), Ok(Answer::Indexed(false))) {}
    }

    fn hits_of(&self, at: usize, typed: &str) -> usize {
        match self.ask(at, Query::Search { words: typed.to_owned(), circle: None, limit: 100 }) {
            Answer::Found(hits) => hits.len(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_an_import_brought_is_known_after_a_restart_until_it_is_forgotten() {
    let mut village = circle_of_three();
    village.note(0, "", "written by hand");
    assert_eq!(village.made(0, batch(0..1, None)).import, None, "no import unless one is asked for");
    let first = village.made(0, batch(1..4, Some("")));
    let id = first.import.expect("an id");
    let rest = village.made(0, batch(4..6, Some(&id)));
    assert_eq!(rest.import.as_ref(), Some(&id));
    let other = village.made(0, batch(6..7, Some(""))).import.expect("another id");
    village.offline(0);
    village.online(0);
    let import = village.import(0, id.get(..9).expect("the start of it")).expect("is known");
    assert_eq!((import.id.as_str(), import.items), (id.as_str(), [first.ids, rest.ids].concat()));
    assert!(village.import(1, &id).is_err(), "only this machine knows");
    assert_eq!(village.import(0, "im-").expect_err("nothing is named").code, Code::NotFound);
    let remove = Command::Remove { circle: "-".into(), item: import_first(&village, &id), now: false };
    village.call(0, remove).expect("removed");
    assert_eq!(village.import(0, &id).expect("the rest").items.len(), 4);
    village.call(0, Command::ForgetImport(id.clone())).expect("forgotten");
    assert_eq!(village.import(0, &id).expect_err("is forgotten").code, Code::NotFound);
    assert_eq!(village.import(0, &other).expect("stays").items.len(), 1);
    assert_eq!(village.notes(0).len(), 7, "what is forgotten as an import stays as notes");
}

fn import_first(village: &Village, id: &str) -> String {
    village.import(0, id).expect("is known").items.remove(0)
}

#[test]
fn words_of_another_form_are_indexed_again_when_a_store_is_opened() {
    let mut village = circle_of_three();
    village.made(0, batch(0..600, None));
    village.indexes(0);
    assert_eq!(village.hits_of(0, "工作压力"), 100);
    // As a new table of words leaves it: empty, and of a form that is not known.
    let machine = &mut village.machines[0];
    let words = machine.store.scan(Table::Search, &[], &[], 10_000).expect("reads");
    assert_eq!(words.len(), 600);
    let mut writes: Writes = words.into_iter().map(|(key, _)| ((Table::Search, key), None)).collect();
    writes.insert((Table::Local, b"item/form".to_vec()), None);
    machine.store.commit(&writes).expect("memory never fails");
    let mut node = Node::open(&machine.store, &Real, machine.peer.clone()).expect("opens");
    let mut env = Env { now: village.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
    let mut turn = Turn::default();
    node.refresh(&mut env, &machine.store, &mut turn).expect("reads");
    machine.store.commit(&turn.writes).expect("memory never fails");
    village.indexes(0);
    assert_eq!(village.machines[0].store.scan(Table::Search, &[], &[], 10_000).expect("reads").len(), 600);
    assert_eq!((village.hits_of(0, "工作压力"), village.hits_of(0, "压力工作")), (100, 0));
}
