use std::collections::BTreeSet;

use super::*;
use crate::circle::body::KeyClass;
use crate::control::{EditEvent, EditItem as Wanted, EditNote, EditResource, ItemState, NewEvent, NewResource};
use crate::io::Filter;
use crate::item::edit::{Edit, Op, VERSION, Value};
use crate::item::kind::fields as f;
use crate::item::{catch_up, history, unbuilt};
use crate::limits::{BLOCK_ENTRIES, TURN_STRETCHES, TURN_WEIGHT};
use crate::store::Table;
use crate::tx::Spent;
use crate::work::counted;

impl Machine {
    /// Goes on with what earlier turns left; how many turns it took.
    fn caught_up(&mut self) -> usize {
        let mut turns = 0;
        while unbuilt(&self.store).expect("reads") {
            turns += 1;
            assert!(turns < 10_000, "it comes to an end");
            let report = self.with_tx(|tx, ports| catch_up(tx, ports, &CIRCLE)).expect("some waited");
            self.destroy(&report.destroy);
        }
        turns
    }

    /// Takes entries in, as one turn; what it cost.
    fn turn(&mut self, entries: &[Opened]) -> Spent {
        for opened in entries {
            self.log.0.borrow_mut().entry(opened.at).or_insert_with(|| opened.clone());
        }
        let (names, log, me) = (Names(self.me), Rc::clone(&self.log), self.me);
        let writer = |n: u8| Writer { person: person(n), judged: true, role: Some(role(n)), me: n == me, standing: true };
        let entries: Vec<(Writer, &Opened)> = entries.iter().map(|opened| (writer(opened.chain.device.0[0]), opened)).collect();
        let mut batch = Turn::default();
        let mut tx = Tx::new(&self.store, &batch);
        let _report = apply(&mut tx, Ports { source: &*log, people: &names, now: self.now }, &CIRCLE, &entries)
            .expect("memory never fails");
        tx.finish().join(&mut batch);
        self.store.commit(&batch.writes).expect("memory never fails");
        batch.spent
    }

    pub(super) fn edit_body(&mut self, key: &ItemKey, body: &str) -> Vec<Opened> {
        let wanted = Wanted::Note(EditNote { body: Some(body.to_owned()), ..EditNote::default() });
        let entries =
            self.say(|reader, place, _| kinds::edit(reader, place, key, &wanted).map(|(entries, _)| entries)).expect("an edit");
        self.write(entries)
    }

    fn event(&mut self) -> (ItemKey, Opened) {
        let new = NewEvent { title: "Circle".to_owned(), starts: "2026-12-01T18:00:00Z".to_owned(), ..NewEvent::default() };
        let entry = self.say(|_, place, rng| Ok(kinds::event::compose(place, rng, &new)?)).expect("an event");
        let opened = self.write(vec![entry]).remove(0);
        (opened.item.key(&CIRCLE), opened)
    }

    fn move_event(&mut self, key: &ItemKey, to: &str) -> Result<Vec<Opened>, control::Error> {
        let wanted = Wanted::Event(EditEvent { location: Some(to.to_owned()), ..EditEvent::default() });
        let entries = self.say(|reader, place, _| kinds::edit(reader, place, key, &wanted).map(|(entries, _)| entries))?;
        Ok(self.write(entries))
    }

    /// What is kept of an item beside its row.
    fn kept_of(&self, key: &ItemKey) -> usize {
        self.store.scan(Table::Built, &key.0, &[], 10_000).expect("reads").len()
    }
}

/// An edit of an item by hand: in some chain of a person, on top of some entries.
fn by_hand(item: &Opened, who: u8, chain: u32, seq: u64, deps: Vec<EntryId>, ops: Vec<Op>) -> Opened {
    let edit = Edit { version: VERSION, at: START, about: None, deps, names: vec![], ops };
    let payload = crate::codec::encode(&edit);
    let id = crate::crypto::hash("kith/v1/test", &[&[who], &chain.to_be_bytes(), &seq.to_be_bytes(), &payload]);
    let mut incarnation = [0; 16];
    incarnation[..4].copy_from_slice(&chain.to_be_bytes());
    let chain_id = ChainId { device: DeviceId([who; 32]), incarnation: Incarnation(incarnation), class: KeyClass::Library };
    Opened { id: EntryId(id), at: EntryAt { chain: 1_000 + chain, seq }, chain: chain_id, payload: Some(payload), ..item.clone() }
}

fn place_set(words: &str) -> Vec<Op> {
    vec![Op::Set(kinds::event::LOCATION, Value::text(words))]
}

#[test]
fn a_list_puts_nothing_together_and_opens_nothing_of_what_was_edited() {
    let mut bea = Machine::new(BEA);
    for n in 0..24 {
        let (key, _) = bea.note(&format!("note {n}"), &"x".repeat(60_000));
        bea.edit_body(&key, &"y".repeat(60_000));
    }
    let opened = bea.log.1.get();
    let (shown, work) = counted(|| bea.notes());
    assert_eq!((shown.len(), work.built, bea.log.1.get() - opened), (24, 0, 0));
    let starts = shown.iter().filter(|note| note.cut && note.body.as_ref().is_some_and(|body| *body == "y".repeat(4_096)));
    assert_eq!(starts.count(), 24, "a list shows the start of a long text");
    let full = bea.reader(|reader| kinds::note::list(reader, &Filter { full: true, ..Filter::default() }));
    assert!(full.iter().all(|note| !note.cut && note.body.as_ref().is_some_and(|body| *body == "y".repeat(60_000))));
    assert_eq!(full[0].version, 2);
}

#[test]
fn an_edit_of_a_long_body_costs_its_runs_where_it_is_taken_in() {
    let (mut bea, mut amara) = (Machine::new(BEA), Machine::new(AMARA));
    let (key, note) = bea.note("a", &"x".repeat(60_000));
    let edits = bea.edit_body(&key, &"y".repeat(60_000));
    let (_, work) = counted(|| amara.take(&[vec![note], edits].concat()));
    assert_eq!(work.built, 1);
    assert!(work.operations <= 8, "{work:?}");
    assert_eq!(amara.show(&key).expect("a note").body, Some("y".repeat(60_000)));
}

#[test]
fn one_turn_opens_a_stated_number_of_stretches_and_the_rest_follows() {
    let (mut bea, mut amara) = (Machine::new(BEA), Machine::new(AMARA));
    let mut keys = Vec::new();
    for n in 0..40 {
        // Each in a block of its own.
        bea.written += BLOCK_ENTRIES as u64;
        let (key, note) = bea.note(&format!("note {n}"), "before");
        let _report = amara.take(&[note]);
        keys.push(key);
    }
    let edits: Vec<Opened> = keys.iter().flat_map(|key| bea.edit_body(key, "after")).collect();
    let opened = amara.log.1.get();
    let spent = amara.turn(&edits);
    assert_eq!((spent.stretches, amara.log.1.get() - opened), (TURN_STRETCHES, TURN_STRETCHES));
    let after = |machine: &Machine| machine.notes().iter().filter(|note| note.body.as_deref() == Some("after")).count();
    let before = |machine: &Machine| machine.notes().iter().filter(|note| note.body.as_deref() == Some("before")).count();
    assert_eq!((after(&amara), before(&amara)), (TURN_STRETCHES, 40 - TURN_STRETCHES), "the rest shows as it was");
    let health = crate::item::health(&amara.store, &CIRCLE).expect("counts");
    assert_eq!(health.unbuilt, (40 - TURN_STRETCHES) as u64);
    // Nothing but the store says where to go on.
    assert_eq!(amara.caught_up(), (40 - TURN_STRETCHES).div_ceil(TURN_STRETCHES));
    assert_eq!((after(&amara), before(&amara)), (40, 0));
    assert_eq!(amara.indexed(), bea.indexed());
}

#[test]
fn one_turn_puts_together_what_weighs_so_much_and_the_rest_follows() {
    let (mut bea, mut amara) = (Machine::new(BEA), Machine::new(AMARA));
    let (mut first, mut last, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..20 {
        let (key, note) = bea.note(&format!("note {n}"), "start");
        let mut edits = vec![note];
        for turn in 0..14 {
            edits.extend(bea.edit_body(&key, &format!("{turn}").repeat(30_000)));
        }
        last.extend(edits.pop());
        first.push(edits);
        keys.push(key);
    }
    let (long, note) = bea.note("long", &"é".repeat(20_000));
    first.push(vec![note]);
    for turn in 0..14 {
        last.extend(bea.edit_body(&long, &format!("{turn}").repeat(30_000)));
    }
    keys.push(long);
    for edits in &first {
        let _spent = amara.turn(edits);
    }
    let spent = amara.turn(&last);
    assert!(spent.weight <= TURN_WEIGHT && spent.builds < 20, "{spent:?}");
    assert!(unbuilt(&amara.store).expect("reads"));
    assert!(amara.notes().iter().all(|note| note.state == ItemState::Visible), "they show as they were");
    let was = amara.show(&long).expect("a note");
    assert_eq!((was.body, was.state), (Some("é".repeat(20_000)), ItemState::Visible), "so does a long one of one entry");
    amara.caught_up();
    for key in &keys {
        assert_eq!(amara.show(key).expect("a note").body, bea.show(key).expect("a note").body);
    }
}

#[test]
fn what_waits_to_be_put_together_goes_when_its_item_does_and_hides_what_is_cut() {
    let (mut amara, mut chioma) = (Machine::new(AMARA), Machine::new(CHIOMA));
    let (key, made) = amara.event();
    let _report = chioma.take(std::slice::from_ref(&made));
    let edits = chioma.move_event(&key, "Library").expect("a member");
    let _report = amara.take(&edits);
    let place = |machine: &Machine| machine.reader(|reader| shown_event(reader, &key)).expect("an event").location;
    assert_eq!(place(&amara), "Library");
    let _report = amara.rejudge(&edits, false);
    amara.caught_up();
    assert_eq!(place(&amara), "");
    let _report = amara.rejudge(&edits, true);
    amara.caught_up();
    assert_eq!(place(&amara), "Library");
    assert!(amara.kept_of(&key) > 2);
    let entries = amara.say(|reader, place, rng| kinds::tombstone::remove(reader, place, rng, &key, true)).expect("their own");
    amara.write(entries);
    assert_eq!(amara.kept_of(&key), 0, "nothing of it is kept beside its row");
}

#[test]
fn what_is_kept_of_an_item_goes_with_its_bytes_at_the_end_of_its_time_and_a_day_after_its_removal() {
    for removed in [false, true] {
        let mut chioma = Machine::new(CHIOMA);
        chioma.retention = if removed { Retention::Keep } else { Retention::Days(7) };
        let (key, _) = chioma.note("Secret", "words of grief");
        chioma.edit_body(&key, "other words of grief");
        assert!(chioma.kept_of(&key) >= 4, "what it says, its shares, two parts");
        if removed {
            let entries =
                chioma.say(|reader, place, rng| kinds::tombstone::remove(reader, place, rng, &key, false)).expect("their own");
            chioma.write(entries);
            assert!(chioma.kept_of(&key) > 0);
        }
        chioma.now = chioma.now.plus(8 * crate::time::DAY);
        assert_eq!(chioma.tick().len(), 2);
        assert_eq!(chioma.kept_of(&key), 0);
        let rows = chioma.store.scan(Table::Built, &[], &[], 9).expect("reads");
        assert!(rows.is_empty(), "{rows:?}");
    }
}

#[test]
fn a_rebuild_makes_what_is_kept_again() {
    let mut bea = Machine::new(BEA);
    let new = NewResource { title: "Hotline".to_owned(), note: "Call.".to_owned(), ..NewResource::default() };
    let entry = bea.say(|_, place, rng| Ok(kinds::resource::compose(place, rng, &new)?)).expect("a resource");
    let key = bea.write(vec![entry]).remove(0).item.key(&CIRCLE);
    let wanted = Wanted::Resource(EditResource { note: Some("Call them.".to_owned()), ..EditResource::default() });
    let entries =
        bea.say(|reader, place, _| kinds::edit(reader, place, &key, &wanted).map(|(entries, _)| entries)).expect("an edit");
    bea.write(entries);
    let rows = bea.store.scan(Table::Built, &[], &[], 99).expect("reads");
    let kept = bea.with_tx(|tx, _| crate::item::clear(tx));
    assert!(bea.store.scan(Table::Built, &[], &[], 9).expect("reads").is_empty());
    let all: Vec<Opened> = bea.log.0.borrow().values().cloned().collect();
    let _report = bea.take(&all);
    bea.with_tx(|tx, _| crate::item::restore(tx, &kept));
    assert_eq!(bea.store.scan(Table::Built, &[], &[], 99).expect("reads"), rows);
    assert_eq!(bea.reader(|reader| shown_resource(reader, &key)).expect("a resource").note, "Call them.");
    assert_eq!(bea.reader(|reader| history(reader, &key, crate::item::Reveal::All)).len(), 2);
}

/// Which entries a machine keeps of an item.
fn slots(machine: &Machine, key: &ItemKey) -> BTreeSet<EntryAt> {
    crate::item::entries(&machine.store, key).expect("reads").into_iter().collect()
}

#[test]
fn four_sets_of_chains_fill_an_item() {
    let (mut amara, mut late) = (Machine::new(AMARA), Machine::new(DUNE));
    let (key, made) = amara.event();
    let mut flood: Vec<Opened> = Vec::new();
    for chain in 0..5 {
        let edits = (1..=1_000).map(|seq| by_hand(&made, BEA, chain, seq, vec![made.id], place_set(&format!("{chain}/{seq}"))));
        flood.extend(edits);
    }
    let chioma: Vec<Opened> =
        (1..=20).map(|seq| by_hand(&made, CHIOMA, 9, seq, vec![made.id], place_set(&format!("theirs {seq}")))).collect();
    let _report = late.take(std::slice::from_ref(&made));
    for part in flood.chunks(256) {
        let _report = amara.take(part);
    }
    let _report = amara.take(&chioma);
    let (mut one, mut other) = (chioma.clone(), flood.clone());
    other.reverse();
    one.extend(other);
    for part in one.chunks(200) {
        let _report = late.take(part);
    }
    amara.caught_up();
    late.caught_up();
    assert_eq!(slots(&amara, &key), slots(&late, &key), "which entries count follows from the set of them");
    let kept = slots(&amara, &key);
    let theirs: Vec<&Opened> = flood.iter().filter(|opened| kept.contains(&opened.at)).collect();
    assert!(theirs.len() <= 1_170 && theirs.len() >= 1_000, "one person has one share: {}", theirs.len());
    let last = theirs.iter().map(|opened| opened.at.seq).max().expect("some");
    assert!(flood.iter().filter(|opened| opened.at.seq < last).all(|opened| kept.contains(&opened.at)), "the first ones count");
    assert!(chioma.iter().all(|opened| kept.contains(&opened.at)), "others have shares of their own");
    let edits = amara.move_event(&key, "At the lake").expect("the one who made it can always change it");
    let _report = late.take(&edits);
    for machine in [&amara, &late] {
        assert_eq!(machine.reader(|reader| shown_event(reader, &key)).expect("an event").location, "At the lake");
        assert_eq!(machine.reader(|reader| kinds::event::list(reader, &Filter::default())).len(), 1);
    }
}

#[test]
fn many_people_share_what_is_not_the_creator_s_alike() {
    let (mut amara, mut late) = (Machine::new(AMARA), Machine::new(DUNE));
    let (key, made) = amara.event();
    // Six people want all of their shares, where there is room for three.
    let mut all: Vec<Opened> = Vec::new();
    for who in 10..16 {
        let long = |seq: u64| vec![Op::Insert(f::BODY, None, crate::private::Private(format!("{seq} ").repeat(9_000)))];
        all.extend((1..=50).map(|seq| by_hand(&made, who, u32::from(who), seq, vec![made.id], long(seq))));
    }
    let _report = late.take(std::slice::from_ref(&made));
    let everybody = |_: u8| Some(Role::Member);
    for part in all.chunks(100) {
        let _report = amara.take_as(part, everybody, true);
    }
    for part in all.iter().rev().cloned().collect::<Vec<_>>().chunks(70) {
        let _report = late.take_as(part, everybody, true);
    }
    amara.caught_up();
    late.caught_up();
    let kept = slots(&amara, &key);
    assert_eq!(kept, slots(&late, &key));
    let of = |who: u8| kept.iter().filter(|at| at.chain == 1_000 + u32::from(who)).count();
    assert!((10..16).all(|who| of(who) == of(10)) && of(10) > 20 && of(10) < 50, "{}", of(10));
    assert!(amara.move_event(&key, "Here").is_ok());
}

#[test]
fn a_list_shows_the_newest_of_many_replies_and_the_note_all() {
    let (mut amara, mut bea) = (Machine::new(AMARA), Machine::new(BEA));
    let (key, note) = amara.note("On-call", "Three nights.");
    let _report = bea.take(&[note]);
    for n in 0..100 {
        bea.now = bea.now.plus(1);
        let new = control::NewReply { body: format!("reply {n}"), content_warning: None };
        let entry = bea.say(|reader, place, rng| kinds::reply::compose(reader, place, rng, &key, &new)).expect("a reply");
        bea.write(vec![entry]);
    }
    let opened = bea.log.1.get();
    let listed = bea.notes().remove(0);
    assert!(bea.log.1.get() - opened <= 1 + 64, "a list opens so many at most");
    assert_eq!((listed.replies.len(), listed.cut), (64, true));
    assert_eq!(listed.replies[63].body.as_deref(), Some("reply 99"));
    let shown = bea.show(&key).expect("a note");
    assert_eq!((shown.replies.len(), shown.cut), (100, false));
}

#[test]
fn a_history_leaves_out_the_oldest_where_all_would_take_too_long() {
    let mut bea = Machine::new(BEA);
    let (key, _) = bea.note("a", "start");
    for turn in 0..20 {
        bea.edit_body(&key, &format!("{turn:02}").repeat(30_000));
    }
    let shown = bea.reader(|reader| reader.full(&key)).expect("a note");
    let whole = shown.whole.as_ref().expect("visible");
    assert_eq!(whole.too_old(crate::limits::HISTORY_BYTES), 0);
    assert_eq!(whole.steps.len() - whole.too_old(6 << 20), 5, "1.2 MB are looked through for each");
}

#[test]
fn words_are_indexed_so_many_bytes_at_a_time() {
    let mut bea = Machine::new(BEA);
    for n in 0..40 {
        bea.note(&format!("note {n}"), &format!("word{n} ").repeat(8_000));
    }
    let mut slices = Vec::new();
    while crate::item::unindexed(&bea.store).expect("reads") {
        let before = bea.words().len();
        assert!(bea.with_tx(|tx, ports| crate::item::index(tx, ports, &CIRCLE)));
        slices.push(bea.words().len() - before);
    }
    assert_eq!(slices.iter().sum::<usize>(), 40);
    assert!(slices.len() > 1 && slices.iter().all(|items| *items <= 22), "{slices:?}");
}

#[test]
fn one_turn_destroys_so_many_entries_and_time_takes_the_rest() {
    let mut amara = Machine::new(AMARA);
    let (mut keys, mut tombstones) = (Vec::new(), Vec::new());
    for n in 0..6 {
        let (key, made) = amara.event();
        let edits: Vec<Opened> =
            (1..=900).map(|seq| by_hand(&made, CHIOMA, 20 + n, seq, vec![made.id], place_set(&seq.to_string()))).collect();
        for part in edits.chunks(256) {
            let _report = amara.take(part);
        }
        amara.caught_up();
        let entries =
            amara.say(|reader, place, rng| kinds::tombstone::remove(reader, place, rng, &key, true)).expect("their own");
        tombstones.extend(entries.into_iter().map(|entry| amara.seal(entry)));
        keys.push(key);
    }
    let report = amara.take(&tombstones);
    assert!(report.destroy.len() <= crate::limits::TURN_DESTROYED && report.destroy.len() > 1_000, "{}", report.destroy.len());
    assert!(amara.reader(|reader| kinds::event::list(reader, &Filter::default())).is_empty(), "all of them are hidden at once");
    for _ in 0..6 {
        amara.tick();
    }
    assert!(amara.store.scan(Table::Built, &[], &[], 9).expect("reads").is_empty());
    let left =
        amara.log.0.borrow().values().filter(|opened| opened.chain.device.0[0] == CHIOMA && opened.payload.is_some()).count();
    assert_eq!(left, 0);
}

#[test]
fn a_list_opens_nothing_of_a_long_text_of_one_entry_either() {
    let mut bea = Machine::new(BEA);
    let keys: Vec<ItemKey> = (0..20).map(|n| bea.note(&format!("note {n}"), &"é".repeat(20_000)).0).collect();
    let opened = bea.log.1.get();
    let listed = bea.notes();
    assert_eq!(bea.log.1.get(), opened);
    assert!(listed.iter().all(|note| note.cut && note.body.as_ref().is_some_and(|body| *body == "é".repeat(4_096))));
    assert_eq!((listed[0].title.as_str(), listed[0].author.name.as_str(), listed[0].version), ("note 0", "Bea", 1));
    assert_eq!(listed[0].delivered, Some((1, 3)));
    let shown = bea.show(&keys[0]).expect("a note");
    assert_eq!((shown.body, shown.cut), (Some("é".repeat(20_000)), false));
    bea.edit_body(&keys[0], "short");
    assert_eq!(bea.notes()[0].body.as_deref(), Some("short"));
    let entries = bea.say(|reader, place, rng| kinds::tombstone::remove(reader, place, rng, &keys[1], true)).expect("their own");
    bea.write(entries);
    assert_eq!((bea.kept_of(&keys[1]), bea.notes().len()), (0, 19));
    // An entry beyond a cut makes it an item of several, made of the same one.
    let note = bea.log.0.borrow().values().find(|opened| opened.item.key(&CIRCLE) == keys[2]).cloned().expect("a note");
    let mut held = by_hand(&note, BEA, 5, 1, vec![note.id], vec![Op::Set(f::TITLE, Value::text("later"))]);
    held.chain.class = note.chain.class;
    let _report = bea.take_as(&[held], |n| Some(role(n)), false);
    assert_eq!(slots(&bea, &keys[2]).len(), 2);
    assert_eq!(bea.show(&keys[2]).expect("a note").body, Some("é".repeat(20_000)));
}
