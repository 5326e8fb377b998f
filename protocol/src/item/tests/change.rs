use super::*;
use crate::control::{Code, EditEvent, EditItem, EditNote, ItemState, NewEvent, NewReaction, NewReply, Rsvp};
use crate::item::Applied;
use crate::item::kind::Kind;
use crate::time::{DAY, SECOND};

fn deliver(entries: &[Opened], to: &mut [&mut Machine]) {
    for machine in to {
        let _report = machine.take(entries);
    }
}

fn reply(machine: &mut Machine, note: &ItemKey, body: &str) -> Result<Opened, control::Error> {
    let new = NewReply { body: body.to_owned(), content_warning: None };
    let entry = machine.say(|reader, place, rng| kinds::reply::compose(reader, place, rng, note, &new))?;
    Ok(machine.write(vec![entry]).remove(0))
}

fn react(machine: &mut Machine, note: &ItemKey, emoji: &str) -> Vec<Opened> {
    let new = NewReaction { emoji: emoji.to_owned(), remove: false };
    let entries = machine.say(|reader, place, rng| kinds::reaction::compose(reader, place, rng, note, &new)).expect("a reaction");
    machine.write(entries)
}

pub(super) fn remove(machine: &mut Machine, key: &ItemKey, now: bool) -> Result<Vec<Opened>, control::Error> {
    let entries = machine.say(|reader, place, rng| kinds::tombstone::remove(reader, place, rng, key, now))?;
    Ok(machine.write(entries))
}

fn mark(machine: &mut Machine, kind: Kind, key: &ItemKey, on: bool) -> Result<Vec<Opened>, control::Error> {
    let entries = machine.say(|reader, place, rng| mark::set(reader, place, rng, kind, key, on))?;
    Ok(machine.write(entries))
}

fn edit_body(machine: &mut Machine, key: &ItemKey, body: &str) -> Result<Vec<Opened>, control::Error> {
    let wanted = EditItem::Note(EditNote { body: Some(body.to_owned()), ..EditNote::default() });
    let entries = machine.say(|reader, place, _| kinds::edit(reader, place, key, &wanted).map(|(entries, _)| entries))?;
    Ok(machine.write(entries))
}

fn new_event(machine: &mut Machine) -> (ItemKey, Opened) {
    let new = NewEvent { title: "Circle".to_owned(), starts: "2026-12-01T18:00:00Z".to_owned(), ..NewEvent::default() };
    let entry = machine.say(|_, place, rng| Ok(kinds::event::compose(place, rng, &new)?)).expect("an event");
    let opened = machine.write(vec![entry]).remove(0);
    (opened.item.key(&CIRCLE), opened)
}

#[test]
fn guests_read_and_react() {
    let (mut amara, mut dune) = (Machine::new(AMARA), Machine::new(DUNE));
    let (key, note) = amara.note("On-call", "Three nights.");
    deliver(&[note], &mut [&mut dune]);
    let refused = reply(&mut dune, &key, "Me too").expect_err("guests do not write");
    assert_eq!(refused.code, Code::NotAllowed);
    let heart = react(&mut dune, &key, "❤");
    assert_eq!(dune.show(&key).expect("a note").reactions["❤"], ["Dune"]);
    deliver(&heart, &mut [&mut amara]);
    assert_eq!(amara.notes()[0].reactions["❤"], ["Dune"]);
}

#[test]
fn the_same_reaction_again_takes_it_back() {
    let mut bea = Machine::new(BEA);
    let (key, _) = bea.note("a", "b");
    react(&mut bea, &key, "❤");
    react(&mut bea, &key, "👍");
    assert_eq!(bea.show(&key).expect("a note").reactions.len(), 2);
    let taken = react(&mut bea, &key, "❤");
    assert_eq!(bea.show(&key).expect("a note").reactions.keys().collect::<Vec<_>>(), ["👍"]);
    assert_eq!((taken.len(), Kind::of(taken[0].kind)), (1, Some(Kind::Tombstone)));
    react(&mut bea, &key, "❤");
    assert_eq!(bea.show(&key).expect("a note").reactions["❤"], ["Bea"]);
}

#[test]
fn only_its_author_edits_a_note() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let (key, note) = chioma.note("a", "one two");
    deliver(std::slice::from_ref(&note), &mut [&mut bea]);
    assert_eq!(edit_body(&mut bea, &key, "theirs now").expect_err("not theirs").code, Code::NotAllowed);
    let edits = edit_body(&mut chioma, &key, "one and two").expect("their own");
    deliver(&edits, &mut [&mut bea]);
    let shown = bea.show(&key).expect("a note");
    assert_eq!((shown.body.as_deref(), shown.version, shown.edited_at.is_some()), (Some("one and two"), 2, true));
    let history = bea.reader(|reader| crate::item::history(reader, &key, Reveal::Nothing));
    assert_eq!(history.iter().map(|step| step.changes.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(history[1].changes[0].value.as_deref(), Some("one and two"));
    // What a changed program would write is refused by everybody else.
    let mut forged = edits[0].clone();
    forged.chain.device = DeviceId([BEA; 32]);
    forged.at = EntryAt { chain: 99, seq: 1 };
    forged.id = EntryId([99; 32]);
    assert!(matches!(bea.take(&[forged]).outcomes[..], [Outcome::SetAside(_)]));
}

#[test]
fn everybody_but_guests_edits_an_event_and_its_last_answer_counts() {
    let (mut amara, mut chioma, mut dune) = (Machine::new(AMARA), Machine::new(CHIOMA), Machine::new(DUNE));
    let (key, made) = new_event(&mut amara);
    deliver(&[made], &mut [&mut chioma, &mut dune]);
    let wanted = EditItem::Event(EditEvent { location: Some("Library".to_owned()), ..EditEvent::default() });
    let refused =
        dune.say(|reader, place, _| kinds::edit(reader, place, &key, &wanted).map(|(entries, _)| entries)).expect_err("a guest");
    assert_eq!(refused.code, Code::NotAllowed);
    let entries =
        chioma.say(|reader, place, _| kinds::edit(reader, place, &key, &wanted).map(|(entries, _)| entries)).expect("a member");
    let edits = chioma.write(entries);
    deliver(&edits, &mut [&mut amara]);
    let mut answer = |answer| {
        let entries = chioma.say(|reader, place, rng| kinds::rsvp::compose(reader, place, rng, &key, answer)).expect("an answer");
        chioma.write(entries)
    };
    let answers = [answer(Rsvp::Yes), answer(Rsvp::No), answer(Rsvp::No)].concat();
    assert_eq!(answers.len(), 2, "the same again says nothing");
    let report = amara.take(&[answers[1].clone(), answers[0].clone()]);
    assert_eq!(report.outcomes[0], report.outcomes[0]);
    let shown = amara.reader(|reader| shown_event(reader, &key)).expect("an event");
    assert_eq!((shown.location.as_str(), shown.rsvp.no, shown.rsvp.yes, shown.rsvp.mine), ("Library", 1, 0, None));
    assert_eq!(shown.starts_local, "2026-12-01T18:00:00");
}

#[test]
fn what_is_deleted_is_hidden_at_once_and_destroyed_a_day_later() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let (key, note) = chioma.note("Secret", "words of grief");
    deliver(std::slice::from_ref(&note), &mut [&mut bea]);
    assert_eq!((bea.indexed().len(), bea.store.search(&[vec!["grief".to_owned()]], 9).expect("searches").len()), (1, 1));
    let refused = remove(&mut bea, &key, false).expect_err("only theirs");
    assert_eq!(refused.code, Code::NotAllowed);
    let tombstones = remove(&mut chioma, &key, false).expect("their own");
    let report = bea.take(&tombstones);
    let applied = Applied {
        circle: CIRCLE,
        key,
        kind: Kind::Note,
        change: crate::control::WatchChange::Remove,
        author: None,
        parent: None,
    };
    assert_eq!(report.outcomes, [Outcome::Applied(applied)]);
    assert!(bea.notes().is_empty() && bea.store.search(&[vec!["grief".to_owned()]], 9).expect("searches").is_empty());
    let shown = bea.show(&key).expect("named");
    assert_eq!((shown.state, shown.body, shown.title.as_str()), (ItemState::Removed, None, ""));
    assert!(report.destroy.is_empty() && bea.tick().is_empty());
    bea.now = bea.now.plus(DAY + SECOND);
    assert_eq!(bea.tick(), [note.at]);
    assert!(bea.tick().is_empty());
    assert_eq!(bea.show(&key).expect("named").state, ItemState::Removed);
}

#[test]
fn one_s_own_words_can_go_at_once_with_their_history() {
    let mut chioma = Machine::new(CHIOMA);
    let (key, note) = chioma.note("Secret", "one");
    let edits = edit_body(&mut chioma, &key, "two").expect("their own");
    let entries = chioma.say(|reader, place, rng| kinds::tombstone::remove(reader, place, rng, &key, true)).expect("their own");
    let tombstones: Vec<Opened> = entries.into_iter().map(|entry| chioma.seal(entry)).collect();
    let report = chioma.take(&tombstones);
    assert_eq!(report.destroy, [note.at, edits[0].at]);
    assert!(chioma.log.0.borrow()[&note.at].payload.is_none());
    // An edit that comes later is void, and destroyed as well.
    let mut late = edits[0].clone();
    late.at.seq = 77;
    late.id = EntryId([77; 32]);
    assert_eq!(chioma.take(&[late.clone()]).destroy, [late.at]);
    assert!(chioma.notes().is_empty());
}

/// What somebody wrote who may not, about another's item: their own words, or the other's again.
fn meddling(edit: &Opened, seq: u64) -> Opened {
    let mut hostile = edit.clone();
    (hostile.id, hostile.at) = (EntryId([99; 32]), EntryAt { chain: 50, seq });
    hostile.chain.device = DeviceId([DUNE; 32]);
    hostile
}

#[test]
fn what_means_nothing_about_an_item_is_destroyed_with_it_whenever_it_comes() {
    for now in [true, false] {
        let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
        let (key, note) = chioma.note("On-call", "a long night");
        let edits = edit_body(&mut chioma, &key, "a short night").expect("their own");
        let [early, between, late] = [1, 2, 3].map(|seq| meddling(&edits[0], seq));
        // Before there is an item, while there is one, and when it is gone.
        let outcomes = bea.take(std::slice::from_ref(&early)).outcomes;
        assert!(matches!(outcomes.as_slice(), [Outcome::SetAside(_)]), "{outcomes:?}");
        let _report = bea.take(&[note.clone(), edits[0].clone(), between.clone()]);
        assert_eq!(bea.show(&key).expect("a note").body.as_deref(), Some("a short night"));
        let entries =
            chioma.say(|reader, place, rng| kinds::tombstone::remove(reader, place, rng, &key, now)).expect("their own");
        let tombstones = chioma.write(entries);
        let mut destroyed = bea.take(&tombstones).destroy;
        if !now {
            assert!(destroyed.is_empty(), "a day is left to think again");
            bea.now = bea.now.plus(DAY + SECOND);
            destroyed = bea.tick();
        }
        destroyed.sort_unstable();
        let mut all = [&note, &edits[0], &early, &between].map(|entry| entry.at);
        all.sort_unstable();
        assert_eq!(destroyed, all);
        assert_eq!(bea.take(std::slice::from_ref(&late)).destroy, [late.at]);
        assert!(bea.tick().is_empty());
    }
}

#[test]
fn an_entry_that_opens_to_nothing_keeps_no_item_from_being_shown() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let (key, note) = chioma.note("On-call", "a long night");
    let edits = edit_body(&mut chioma, &key, "a short night").expect("their own");
    // Somebody else's, about their note, before it is here: destroyed, or sealed so that nobody opens it.
    let mut hostile = note.clone();
    (hostile.id, hostile.at) = (EntryId([9; 32]), EntryAt { chain: 50, seq: 1 });
    (hostile.chain.device, hostile.payload) = (DeviceId([DUNE; 32]), None);
    let _report = bea.take(std::slice::from_ref(&hostile));
    let report = bea.take(&[note, edits[0].clone()]);
    assert!(report.destroy.is_empty(), "their words stay");
    assert_eq!(bea.show(&key).expect("a note").body.as_deref(), Some("a short night"));
}

#[test]
fn an_edit_of_what_came_destroyed_goes_too() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let (key, mut note) = chioma.note("On-call", "a long night");
    let edits = edit_body(&mut chioma, &key, "a short night").expect("their own");
    note.payload = None;
    for entries in [[note.clone(), edits[0].clone()], [edits[0].clone(), note]] {
        let report = bea.take(&entries);
        assert_eq!(report.destroy, [edits[0].at], "it can never be shown");
        assert!(bea.notes().is_empty());
        bea = Machine::new(BEA);
    }
}

#[test]
fn a_tombstone_may_come_before_its_target_and_an_edit_before_its_item() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let (key, note) = chioma.note("a", "one");
    let edits = edit_body(&mut chioma, &key, "two").expect("their own");
    assert_eq!(bea.take(&edits).outcomes, [Outcome::Kept]);
    assert!(bea.show(&key).is_none());
    let report = bea.take(std::slice::from_ref(&note));
    assert!(matches!(&report.outcomes[..], [Outcome::Applied(applied)] if applied.change == crate::control::WatchChange::New));
    assert_eq!(bea.show(&key).expect("a note").body.as_deref(), Some("two"));
    assert_eq!(bea.take(std::slice::from_ref(&note)).outcomes, [Outcome::Known]);

    let mut dune = Machine::new(DUNE);
    let tombstones = remove(&mut chioma, &key, false).expect("their own");
    deliver(&tombstones, &mut [&mut dune]);
    let report = dune.take(&[note, edits[0].clone()]);
    assert_eq!(report.outcomes, [Outcome::Kept, Outcome::Kept]);
    assert!(dune.notes().is_empty());
    assert_eq!(dune.show(&key).expect("named").state, ItemState::Removed);
}

#[test]
fn a_thief_s_tombstone_is_undone_by_the_cut() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let (key, note) = chioma.note("a", "one");
    let tombstones = remove(&mut chioma, &key, false).expect("their own");
    deliver(&[note], &mut [&mut bea]);
    deliver(&tombstones, &mut [&mut bea]);
    let report = bea.rejudge(&tombstones, false);
    assert!(report.destroy.is_empty());
    assert_eq!(bea.show(&key).expect("a note").body.as_deref(), Some("one"));
    bea.now = bea.now.plus(2 * DAY);
    assert!(bea.tick().is_empty());
    let _report = bea.rejudge(&tombstones, true);
    assert_eq!(bea.show(&key).expect("named").state, ItemState::Removed);
}

#[test]
fn what_lies_beyond_a_cut_is_held_unless_another_s_words_rest_on_it() {
    let (mut amara, mut chioma, mut bea) = (Machine::new(AMARA), Machine::new(CHIOMA), Machine::new(BEA));
    let (key, note) = chioma.note("a", "one");
    deliver(std::slice::from_ref(&note), &mut [&mut bea]);
    let _report = bea.rejudge(std::slice::from_ref(&note), false);
    assert_eq!(bea.show(&key).expect("named").state, ItemState::Held);
    assert!(bea.notes().is_empty());
    let _report = bea.rejudge(&[note], true);
    assert_eq!(bea.notes().len(), 1);

    let (key, made) = new_event(&mut chioma);
    deliver(std::slice::from_ref(&made), &mut [&mut amara, &mut bea]);
    let wanted = EditItem::Event(EditEvent { location: Some("Library".to_owned()), ..EditEvent::default() });
    let entries =
        amara.say(|reader, place, _| kinds::edit(reader, place, &key, &wanted).map(|(entries, _)| entries)).expect("a member");
    let edits = amara.write(entries);
    deliver(&edits, &mut [&mut bea]);
    let _report = bea.rejudge(&[made], false);
    let shown = bea.reader(|reader| shown_event(reader, &key)).expect("an event");
    assert_eq!((shown.state, shown.title.as_str(), shown.location.as_str()), (ItemState::Visible, "Circle", "Library"));
}

#[test]
fn facilitators_hide_and_pin_and_take_it_back() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let (key, note) = chioma.note("a", "harsh words");
    deliver(&[note], &mut [&mut bea]);
    assert_eq!(mark(&mut chioma, Kind::Pin, &key, true).expect_err("a member").code, Code::NotAllowed);
    let hidden = mark(&mut bea, Kind::Hide, &key, true).expect("a facilitator");
    let report = chioma.take(&hidden);
    assert!(matches!(&report.outcomes[..], [Outcome::Applied(applied)] if applied.change == crate::control::WatchChange::Hide));
    let shown = chioma.notes().remove(0);
    assert_eq!((shown.state, shown.body, shown.title.as_str()), (ItemState::Hidden, None, ""));
    assert!(chioma.store.search(&[vec!["harsh".to_owned()]], 9).expect("searches").is_empty());
    let shown_again = mark(&mut bea, Kind::Hide, &key, false).expect("a facilitator");
    deliver(&shown_again, &mut [&mut chioma]);
    assert_eq!(chioma.notes()[0].body.as_deref(), Some("harsh words"));
    assert_eq!((chioma.indexed().len(), chioma.store.search(&[vec!["harsh".to_owned()]], 9).expect("searches").len()), (1, 1));
    let pinned = mark(&mut bea, Kind::Pin, &key, true).expect("a facilitator");
    deliver(&pinned, &mut [&mut chioma]);
    assert!(chioma.notes()[0].pinned);
    assert!(mark(&mut bea, Kind::Pin, &key, true).expect("so it is").is_empty());
    let unpinned = mark(&mut bea, Kind::Pin, &key, false).expect("a facilitator");
    deliver(&unpinned, &mut [&mut chioma]);
    assert!(!chioma.notes()[0].pinned);
}

#[test]
fn conversation_expires_where_it_was_written_to_and_nothing_else_does() {
    let mut chioma = Machine::new(CHIOMA);
    let (_, kept) = chioma.note("kept", "for good");
    chioma.retention = Retention::Days(30);
    let (key, note) = chioma.note("fleeting", "for a month");
    let edits = edit_body(&mut chioma, &key, "for just a month").expect("their own");
    let (_, made) = new_event(&mut chioma);
    assert_eq!(made.retention, Retention::Keep);
    assert_eq!(edits[0].retention, Retention::Days(30));
    chioma.now = chioma.now.plus(30 * DAY);
    let shown = chioma.show(&key).expect("named");
    assert_eq!((shown.state, shown.body), (ItemState::Expired, None), "hidden before the next tick");
    assert_eq!(chioma.notes().len(), 1);
    assert_eq!(chioma.tick(), [note.at, edits[0].at]);
    assert!(chioma.tick().is_empty() && chioma.log.0.borrow()[&kept.at].payload.is_some());
    // Somebody who gets it later than that never shows it.
    let mut bea = Machine::new(BEA);
    bea.now = chioma.now;
    assert!(bea.take(std::slice::from_ref(&note)).destroy.is_empty());
    assert!(bea.notes().is_empty());
    assert_eq!(bea.tick(), [note.at]);
    assert!(bea.notes().is_empty());
}

#[test]
fn words_about_an_item_that_never_comes_end_when_they_should() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    chioma.retention = Retention::Days(7);
    let (key, note) = chioma.note("before their time", "which they may not read");
    let edits = edit_body(&mut chioma, &key, "but this they can").expect("their own");
    // The first edit lies before Bea's time.
    assert!(bea.take(&edits).destroy.is_empty());
    bea.now = chioma.now.plus(7 * DAY);
    assert_eq!(bea.tick(), [edits[0].at]);
    assert_eq!(bea.take(std::slice::from_ref(&note)).destroy, [note.at], "it does not come back");
    assert!(bea.notes().is_empty() && bea.tick().is_empty());
    assert_eq!(crate::item::health(&bea.store, &CIRCLE).expect("counts").waiting, 0);
    // Nor does what lies aside beyond a cut stay longer.
    let mut dune = Machine::new(DUNE);
    drop(dune.take_as(std::slice::from_ref(&note), |n| Some(role(n)), false));
    dune.now = chioma.now.plus(7 * DAY);
    assert_eq!(dune.tick(), [note.at]);
}

#[test]
fn a_deletion_and_a_hide_last_as_long_as_what_they_are_about() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let (first, one) = chioma.note("deleted", "words");
    let (second, two) = chioma.note("hidden", "words");
    deliver(&[one.clone(), two.clone()], &mut [&mut bea]);
    (chioma.retention, bea.retention) = (Retention::Days(1), Retention::Days(1));
    let gone = remove(&mut chioma, &first, false).expect("their own");
    let hidden = mark(&mut bea, Kind::Hide, &second, true).expect("a facilitator");
    assert_eq!((gone[0].retention, hidden[0].retention), (Retention::Keep, Retention::Keep));
    // Anyone who was away for days learns of both, whenever they return.
    for machine in [&mut chioma, &mut bea] {
        machine.now = machine.now.plus(3 * DAY);
        let _ = machine.tick();
    }
    let log = |machine: &Machine, entries: &[Opened]| -> Vec<Opened> {
        entries.iter().filter_map(|entry| machine.log.0.borrow().get(&entry.at).cloned()).collect()
    };
    let mut dune = Machine::new(DUNE);
    let travel = [log(&chioma, &gone), log(&bea, &hidden), vec![one, two]].concat();
    deliver(&travel, &mut [&mut dune]);
    let shown: Vec<ItemState> = dune.notes().iter().map(|note| note.state).collect();
    assert_eq!(shown, [ItemState::Hidden]);
}

#[test]
fn rules_hold_for_everyone_who_writes() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let (_, note) = chioma.note("a", "one");
    let guest = bea.take_as(std::slice::from_ref(&note), |_| Some(Role::Guest), true);
    assert!(matches!(guest.outcomes[..], [Outcome::SetAside(_)]));
    let stranger = bea.take_as(std::slice::from_ref(&note), |_| None, true);
    assert!(matches!(stranger.outcomes[..], [Outcome::SetAside(_)]));
    let mut library = note.clone();
    library.chain.class = crate::circle::body::KeyClass::Library;
    assert!(matches!(bea.take(&[library]).outcomes[..], [Outcome::SetAside(_)]));
    let mut theirs = note.clone();
    theirs.item.creator = person(BEA);
    assert!(matches!(bea.take(&[theirs]).outcomes[..], [Outcome::SetAside(_)]));
    let mut garbage = note.clone();
    garbage.payload = Some(vec![0xff; 40]);
    assert!(matches!(bea.take(&[garbage]).outcomes[..], [Outcome::SetAside(_)]));
    assert!(bea.notes().is_empty());
    let health = |machine: &Machine| crate::item::health(&machine.store, &CIRCLE).expect("counts");
    assert_eq!((health(&bea).refused, health(&bea).items), (5, 0));
}

#[test]
fn a_rebuild_gives_the_same_rows() {
    let (mut chioma, mut bea) = (Machine::new(CHIOMA), Machine::new(BEA));
    let (one, first) = chioma.note("a", "one");
    let (two, second) = chioma.note("b", "two");
    let (_, third) = chioma.note("c", "three");
    let edits = edit_body(&mut chioma, &one, "one and a half").expect("their own");
    let tombstones = remove(&mut chioma, &two, false).expect("their own");
    let pins = mark(&mut bea, Kind::Pin, &one, true).unwrap_or_default();
    let all = [vec![first, second, third], edits, tombstones, pins].concat();
    for entry in &all {
        deliver(std::slice::from_ref(entry), &mut [&mut bea]);
    }
    bea.with_tx(|tx, _| crate::item::see(tx, &[one]));
    let before = bea.notes();
    // Numbers in the index follow the order of arrival, which a rebuild does not know.
    let rows = |machine: &mut Machine| {
        let scan = |table| machine.store.scan(table, &[], &[], 1_000).expect("reads");
        let unnumbered = |(key, value): (Vec<u8>, Vec<u8>)| {
            let mut row = crate::item::row::ItemRow::read(&value).expect("a row");
            row.number = 0;
            (key, crate::codec::encode(&row))
        };
        let items: crate::store::Rows = scan(crate::store::Table::Item).into_iter().map(unnumbered).collect();
        [items, scan(crate::store::Table::View), machine.indexed()]
    };
    let stored = rows(&mut bea);
    bea.now = bea.now.plus(5 * HOUR);
    let kept = bea.with_tx(|tx, _| crate::item::clear(tx));
    let again: Vec<Opened> = bea.log.0.borrow().values().cloned().collect();
    let _report = bea.take(&again);
    bea.with_tx(|tx, _| crate::item::restore(tx, &kept));
    assert_eq!(bea.notes(), before);
    assert_eq!(rows(&mut bea), stored);
}
