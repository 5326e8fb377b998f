//! Edits carry their base: what came since somebody looked is merged with what they did, and named to them.

use super::*;
use crate::control::{Code, Crossed, EditEvent, EditItem, EditNote, EditResource, NewEvent, NewReply, NewResource};

/// Saves a change; what crossed it.
fn save(machine: &mut Machine, key: &ItemKey, wanted: &EditItem) -> Result<(Vec<Opened>, Vec<Crossed>), control::Error> {
    let mut crossed = Vec::new();
    let entries = machine.say(|reader, place, _| {
        let (entries, since) = kinds::edit(reader, place, key, wanted)?;
        crossed = since;
        Ok(entries)
    })?;
    Ok((machine.write(entries), crossed))
}

fn fields(crossed: &[Crossed]) -> Vec<(&str, &str)> {
    crossed.iter().map(|one| (one.field.as_str(), one.author.name.as_str())).collect()
}

fn body(base: Option<String>, text: &str) -> EditItem {
    EditItem::Note(EditNote { base, body: Some(text.to_owned()), ..EditNote::default() })
}

#[test]
fn what_one_saved_elsewhere_while_an_editor_was_open_stays() {
    let mut chioma = Machine::new(CHIOMA);
    let (key, _) = chioma.note("On-call", "One night.\nThree calls.\n");
    let opened = chioma.show(&key).expect("a note").base;
    assert!(opened.is_some());
    let _elsewhere = save(&mut chioma, &key, &body(None, "One night.\nThree calls.\nNo sleep.\n")).expect("their own");
    let (_, crossed) = save(&mut chioma, &key, &body(opened.clone(), "Two nights.\nThree calls.\n")).expect("their own");
    assert_eq!(fields(&crossed), [("body", "Chioma")]);
    assert!(crossed[0].mine, "it was they themself, in another window");
    let shown = chioma.show(&key).expect("a note");
    assert_eq!(shown.body.as_deref(), Some("Two nights.\nThree calls.\nNo sleep.\n"));
    assert_ne!(shown.base, opened, "another state has another base");
    // Without a base it is as it was seen: what is not in the text goes.
    let _whole = save(&mut chioma, &key, &body(None, "Two nights.\n")).expect("their own");
    assert_eq!(chioma.show(&key).expect("a note").body.as_deref(), Some("Two nights.\n"));
}

#[test]
fn what_is_saved_from_what_it_is_now_crosses_nothing() {
    let mut chioma = Machine::new(CHIOMA);
    let (key, _) = chioma.note("On-call", "One night.\n");
    for text in ["Two nights.\n", "Three nights.\n"] {
        let base = chioma.show(&key).expect("a note").base;
        let (_, crossed) = save(&mut chioma, &key, &body(base, text)).expect("their own");
        assert_eq!(crossed, [], "nobody did anything since");
    }
}

#[test]
fn the_base_of_an_item_of_many_entries_is_read_and_not_worked_out() {
    let mut chioma = Machine::new(CHIOMA);
    let (key, _) = chioma.note("On-call", "One night.\n");
    for n in 0..5 {
        let _saved = save(&mut chioma, &key, &body(None, &format!("{n} nights.\n"))).expect("their own");
    }
    let (shown, work) = crate::work::counted(|| chioma.show(&key));
    assert_eq!((work.built, work.opened), (0, 0));
    let full = chioma.reader(|reader| reader.full(&key)).expect("a note").whole.expect("all of it");
    assert_eq!(shown.expect("a note").base, Some(crate::item::base::name(&full.heads())));
}

#[test]
fn a_reply_has_a_base_of_its_own() {
    let mut chioma = Machine::new(CHIOMA);
    let (note, _) = chioma.note("On-call", "One night.");
    let new = NewReply { body: "first\nsecond\n".to_owned(), content_warning: None };
    let entry = chioma.say(|reader, place, rng| kinds::reply::compose(reader, place, rng, &note, &new)).expect("a reply");
    let key = chioma.write(vec![entry]).remove(0).item.key(&CIRCLE);
    let opened = chioma.show(&note).expect("a note").replies[0].base.clone();
    let _elsewhere = save(&mut chioma, &key, &body(None, "first\nsecond\nthird\n")).expect("their own");
    let _saved = save(&mut chioma, &key, &body(opened, "first!\nsecond\n")).expect("their own");
    assert_eq!(chioma.show(&note).expect("a note").replies[0].body.as_deref(), Some("first!\nsecond\nthird\n"));
}

#[test]
fn what_others_did_to_a_resource_is_merged_and_named() {
    let (mut amara, mut bea) = (Machine::new(AMARA), Machine::new(BEA));
    let new = NewResource {
        title: "Hotline".to_owned(),
        note: "Call them.\n".to_owned(),
        tags: vec!["night".to_owned()],
        ..NewResource::default()
    };
    let entry = amara.say(|_, place, rng| Ok(kinds::resource::compose(place, rng, &new)?)).expect("a resource");
    let opened = amara.write(vec![entry]);
    let key = opened[0].item.key(&CIRCLE);
    let _report = bea.take(&opened);
    let base = bea.reader(|reader| shown_resource(reader, &key)).expect("a resource").base;
    let note = Some("Call them.\nThey are kind.\n".to_owned());
    let theirs =
        EditResource { title: Some("Helpline".to_owned()), note, tags: Some(vec!["day".to_owned()]), ..EditResource::default() };
    let (entries, _) = save(&mut amara, &key, &EditItem::Resource(theirs)).expect("a member");
    let _report = bea.take(&entries);
    // Bea writes down the title as it was in what they looked at: that is no change of theirs.
    let bea_says = EditResource {
        base,
        title: Some("Hotline".to_owned()),
        note: Some("Do call them.\n".to_owned()),
        tags: Some(vec!["night".to_owned(), "free".to_owned()]),
        ..EditResource::default()
    };
    let (entries, crossed) = save(&mut bea, &key, &EditItem::Resource(bea_says)).expect("a member");
    let _report = amara.take(&entries);
    for machine in [&amara, &bea] {
        let shown = machine.reader(|reader| shown_resource(reader, &key)).expect("a resource");
        assert_eq!((shown.title.as_str(), shown.note.as_str()), ("Helpline", "Do call them.\nThey are kind.\n"));
        assert_eq!(shown.tags, ["day", "free"]);
    }
    assert_eq!(fields(&crossed), [("title", "Amara"), ("note", "Amara"), ("tags", "Amara")]);
    assert!(crossed.iter().all(|one| !one.mine));
}

#[test]
fn what_somebody_sets_holds_and_what_they_only_saw_does_not() {
    let (mut amara, mut bea) = (Machine::new(AMARA), Machine::new(BEA));
    let new = NewEvent { title: "Circle".to_owned(), starts: "2026-12-01T18:00:00Z".to_owned(), ..NewEvent::default() };
    let entry = amara.say(|_, place, rng| Ok(kinds::event::compose(place, rng, &new)?)).expect("an event");
    let opened = amara.write(vec![entry]);
    let key = opened[0].item.key(&CIRCLE);
    let _report = bea.take(&opened);
    let base = bea.reader(|reader| shown_event(reader, &key)).expect("an event").base;
    let place = |location: &str, title: &str| EditEvent {
        location: Some(location.to_owned()),
        title: Some(title.to_owned()),
        ..EditEvent::default()
    };
    let (entries, _) = save(&mut amara, &key, &EditItem::Event(place("Library", "Evening circle"))).expect("a member");
    let _report = bea.take(&entries);
    let bea_says = EditItem::Event(EditEvent { base: base.clone(), ..place("At the lake", "Circle") });
    let (_, crossed) = save(&mut bea, &key, &bea_says).expect("a member");
    let shown = bea.reader(|reader| shown_event(reader, &key)).expect("an event");
    assert_eq!((shown.location.as_str(), shown.title.as_str()), ("At the lake", "Evening circle"));
    assert_eq!(fields(&crossed), [("title", "Amara"), ("location", "Amara")]);
    // A state that is not known here is refused: nobody can say what was meant.
    for wrong in ["b1-aaaaaaaaaaaaaaaa", "b1-", "x"] {
        let edit = EditItem::Event(EditEvent { base: Some(wrong.to_owned()), ..place("x", "x") });
        assert_eq!(save(&mut bea, &key, &edit).expect_err("not known").code, Code::Usage);
    }
}
