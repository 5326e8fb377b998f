use super::*;
use crate::control::{Code, EventStatus, NewEvent, NewItem, NewReply, NewResource, Want};
use crate::io::Filter;
use crate::item::kind::Kind;
use crate::item::{Reveal, inbox, resolve, search, see, see_all};

fn shared() -> (Machine, Machine, ItemKey) {
    let (mut amara, mut bea) = (Machine::new(AMARA), Machine::new(BEA));
    let new = NewNote {
        title: "On-call".to_owned(),
        body: "Three nights without sleep.".to_owned(),
        content_warning: Some("burnout".to_owned()),
        want: Some(Want::Listen),
        tags: vec!["#night".to_owned()],
        ..NewNote::default()
    };
    let entry = amara.say(|_, place, rng| Ok(kinds::note::compose(place, rng, &new)?)).expect("a note");
    let opened = amara.write(vec![entry]);
    let _report = bea.take(&opened);
    (amara, bea, opened[0].item.key(&CIRCLE))
}

#[test]
fn a_warning_hides_the_body_everywhere_until_asked() {
    let (_, mut bea, key) = shared();
    let reply = NewReply { body: "I know sleep well.".to_owned(), content_warning: None };
    let entry = bea.say(|reader, place, rng| kinds::reply::compose(reader, place, rng, &key, &reply)).expect("a reply");
    bea.write(vec![entry]);
    let listed = bea.notes().remove(0);
    assert_eq!((listed.body, listed.content_warning.as_deref(), listed.title.as_str()), (None, Some("burnout"), "On-call"));
    assert_eq!(listed.replies[0].body, None);
    let revealed = bea.reader(|reader| shown_note(reader, &key, Reveal::All)).expect("a note");
    assert_eq!(revealed.body.as_deref(), Some("Three nights without sleep."));
    assert_eq!(revealed.replies[0].body.as_deref(), Some("I know sleep well."));
    let told = bea.reader(inbox).remove(0);
    assert_eq!((told.title.as_str(), told.content_warning.as_deref(), told.want), ("", Some("burnout"), Some(Want::Listen)));
    assert_eq!(bea.indexed().len(), 2);
    for hit in bea.reader(|reader| search(reader.read, &[*reader], "sleep", 9)) {
        assert_eq!((hit.title.as_str(), hit.excerpt, hit.content_warning.as_deref()), ("", None, Some("burnout")));
    }
    assert_eq!(bea.reader(|reader| search(reader.read, &[*reader], "sleep", 9)).len(), 2);
}

#[test]
fn delivery_is_told_to_the_author_only() {
    let (amara, bea, _) = shared();
    assert_eq!(
        (amara.notes()[0].delivery, amara.notes()[0].delivered),
        (Some(crate::control::DeliveryStatus::Some), Some((1, 3)))
    );
    assert_eq!((bea.notes()[0].delivery, bea.notes()[0].delivered), (None, None));
}

#[test]
fn new_is_what_others_wrote_and_nobody_looked_at_here() {
    let (amara, mut bea, key) = shared();
    assert!(amara.reader(inbox).is_empty() && !amara.notes()[0].new);
    assert!(bea.notes()[0].new);
    let mut chioma = Machine::new(CHIOMA);
    let (_, other) = chioma.note("b", "c");
    let _report = bea.take(&[other]);
    assert_eq!(bea.reader(inbox).len(), 2);
    bea.with_tx(|tx, _| see(tx, &[key]));
    assert_eq!(bea.reader(inbox).iter().map(|told| told.title.as_str()).collect::<Vec<_>>(), ["b"]);
    bea.with_tx(|tx, _| see_all(tx, &CIRCLE));
    assert!(bea.reader(inbox).is_empty());
    let (_, later) = chioma.note("d", "e");
    let _report = bea.take(&[later]);
    let new = Filter { new: true, ..Filter::default() };
    assert_eq!(bea.reader(|reader| kinds::note::list(reader, &new)).len(), 1);
}

#[test]
fn lists_are_oldest_first_and_can_be_narrowed() {
    let mut amara = Machine::new(AMARA);
    for n in 0..5 {
        amara.note(&format!("note {n}"), "x");
    }
    let titles = |filter: Filter| {
        amara.reader(|reader| kinds::note::list(reader, &filter)).into_iter().map(|note| note.title).collect::<Vec<_>>()
    };
    assert_eq!(titles(Filter::default()), ["note 0", "note 1", "note 2", "note 3", "note 4"]);
    assert_eq!(titles(Filter { limit: Some(2), ..Filter::default() }), ["note 3", "note 4"]);
    assert!(titles(Filter { tag: Some("a".to_owned()), ..Filter::default() }).is_empty());
    assert_eq!(titles(Filter { limit: Some(1), unanswered: true, ..Filter::default() }), ["note 4"]);
}

#[test]
fn a_note_is_answered_by_somebody_else() {
    let (mut amara, mut bea, key) = shared();
    let unanswered = Filter { unanswered: true, ..Filter::default() };
    let say = |machine: &mut Machine| {
        let reply = NewReply { body: "Here.".to_owned(), content_warning: None };
        let entry = machine.say(|reader, place, rng| kinds::reply::compose(reader, place, rng, &key, &reply)).expect("a reply");
        machine.write(vec![entry])
    };
    say(&mut amara);
    assert_eq!(amara.reader(|reader| kinds::note::list(reader, &unanswered)).len(), 1);
    let theirs = say(&mut bea);
    let _report = amara.take(&theirs);
    assert!(amara.reader(|reader| kinds::note::list(reader, &unanswered)).is_empty());
    assert_eq!(amara.notes()[0].replies.len(), 2);
}

#[test]
fn a_list_shows_so_many_replies_in_all_and_the_newest_notes_have_theirs() {
    let mut amara = Machine::new(AMARA);
    let keys: Vec<ItemKey> = (0..3).map(|n| amara.note(&format!("note {n}"), "x").0).collect();
    for key in &keys {
        for n in 0..40 {
            let reply = NewReply { body: format!("reply {n}"), content_warning: None };
            let entry = amara.say(|reader, place, rng| kinds::reply::compose(reader, place, rng, key, &reply)).expect("a reply");
            drop(amara.write(vec![entry]));
        }
    }
    let shown = |filter: Filter| {
        let notes = amara.reader(|reader| kinds::note::list(reader, &filter));
        notes.iter().map(|note| (note.replies.len(), note.cut)).collect::<Vec<_>>()
    };
    let limit = |limit| Filter { limit: Some(limit), ..Filter::default() };
    assert_eq!(shown(limit(3)), [(0, true), (24, true), (40, false)], "64 in all, the newest note first");
    assert_eq!(shown(limit(100)), [(40, false); 3], "500 in all");
    assert_eq!(shown(Filter { new: true, ..limit(3) }).len(), 0, "nobody else wrote anything");
    assert_eq!(shown(Filter { full: true, ..limit(3) }), [(40, false); 3]);
}

#[test]
fn events_and_resources_have_all_their_fields() {
    let mut amara = Machine::new(AMARA);
    let weekly = NewEvent {
        title: "Circle".to_owned(),
        starts: "2026-12-01T18:00:00+01:00".to_owned(),
        ends: "2026-12-01T19:00:00+01:00".to_owned(),
        tz: "Europe/Madrid".to_owned(),
        rrule: Some("FREQ=WEEKLY;COUNT=8".to_owned()),
        ..NewEvent::default()
    };
    let past = NewEvent { title: "Past".to_owned(), starts: "2020-01-01T00:00:00Z".to_owned(), ..NewEvent::default() };
    let link = NewResource { title: "EAP hotline".to_owned(), url: "https://example.org".to_owned(), ..NewResource::default() };
    let entries = amara.say(|_, place, rng| {
        Ok(vec![
            kinds::event::compose(place, rng, &weekly)?,
            kinds::event::compose(place, rng, &past)?,
            kinds::resource::compose(place, rng, &link)?,
        ])
    });
    amara.write(entries.expect("items"));
    let all = amara.reader(|reader| kinds::event::list(reader, &Filter::default()));
    assert_eq!(all.len(), 2);
    let upcoming = amara.reader(|reader| kinds::event::list(reader, &Filter { upcoming: true, ..Filter::default() }));
    assert_eq!(upcoming.len(), 1);
    assert_eq!(all.iter().map(|event| event.title.as_str()).collect::<Vec<_>>(), ["Past", "Circle"], "by their start");
    let event = &upcoming[0];
    assert_eq!(
        (event.starts.0.to_string().as_str(), event.starts_local.as_str()),
        ("2026-12-01T17:00:00Z", "2026-12-01T18:00:00")
    );
    assert_eq!(
        (event.status, event.rrule.as_deref(), event.all_day),
        (EventStatus::Confirmed, Some("FREQ=WEEKLY;COUNT=8"), false)
    );
    let link = amara.reader(|reader| kinds::resource::list(reader, &Filter::default())).remove(0);
    assert_eq!((link.kind.as_str(), link.url.as_str(), link.author.name.as_str()), ("link", "https://example.org", "Amara"));
}

#[test]
fn short_ids_and_their_starts_name_an_item() {
    let mut amara = Machine::new(AMARA);
    let keys: Vec<ItemKey> = (0..40).map(|n| amara.note(&format!("{n}"), "x").0).collect();
    let find = |kinds: &[Kind], text: &str| resolve(&amara.store, &[CIRCLE], kinds, text).expect("reads");
    for key in &keys {
        let text = key.text('n');
        assert_eq!(find(&[Kind::Note], &text).map(|found| found.2), Ok(*key));
        assert_eq!(find(&[], &text.to_uppercase()[..10]).map(|found| found.2), Ok(*key));
        assert_eq!(find(&[Kind::Event], &text).map_err(|error| error.code), Err(Code::NotFound));
    }
    let error = find(&[], "n").map_err(|error| error.code);
    assert!(matches!(error, Err(Code::NotFound | Code::Ambiguous)) || error.is_ok());
    let shared = (b'a'..=b'z')
        .map(|c| format!("n-{}", char::from(c)))
        .find_map(|text| find(&[], &text).err().filter(|error| error.code == Code::Ambiguous));
    let error = shared.expect("40 notes share first letters");
    assert!(error.message.contains(" could be n-"), "{}", error.message);
    assert_eq!(find(&[], "x-../../etc").map_err(|error| error.code), Err(Code::NotFound));
    assert_eq!(
        resolve(&amara.store, &[CircleId([8; 32])], &[], &keys[0].text('n')).expect("reads").map_err(|e| e.code),
        Err(Code::NotFound)
    );
}

#[test]
fn a_batch_keeps_its_order_and_costs_three_rows_an_item() {
    let mut amara = Machine::new(AMARA);
    let note = |n: u32| NewItem::Note(NewNote { title: n.to_string(), body: "b".repeat(280), ..NewNote::default() });
    let batch: Vec<NewItem> = (0..50).map(note).collect();
    let entries = amara.say(|_, place, rng| Ok(kinds::batch(place, rng, &batch)?)).expect("notes");
    let opened = amara.write(entries);
    let titles: Vec<String> = amara.notes().into_iter().map(|note| note.title).collect();
    assert_eq!(titles, (0..50).map(|n| n.to_string()).collect::<Vec<_>>());
    let mut bea = Machine::new(BEA);
    let _report = bea.take(&opened);
    let size = |table| -> (usize, usize) {
        let rows = bea.store.scan(table, &[], &[], 1_000).expect("reads");
        (rows.len(), rows.iter().map(|(key, value)| key.len() + value.len()).sum())
    };
    use crate::store::Table::{Item, Local, Search, View};
    assert_eq!((size(Item).0, size(View).0, size(Search).0, size(Local).0), (50, 50, 0, 4));
    assert!((size(Item).1 + size(View).1) / 50 <= 100, "small rows");
    assert_eq!(bea.indexed().len(), 50);
}

#[test]
fn words_of_many_items_at_once_are_indexed_a_little_later() {
    let mut amara = Machine::new(AMARA);
    let note = |n: u32| NewItem::Note(NewNote { title: format!("note{n}"), body: "b".into(), ..NewNote::default() });
    let batch: Vec<NewItem> = (0..600).map(note).collect();
    let entries = amara.say(|_, place, rng| Ok(kinds::batch(place, rng, &batch)?)).expect("notes");
    let _opened = amara.write(entries);
    assert_eq!(amara.notes().len(), 600, "listed at once");
    assert_eq!(amara.words(), []);
    // One is deleted before its words were indexed: they never are.
    let gone = crate::item::resolve(&amara.store, &[CIRCLE], &[], &amara.notes()[7].id).expect("reads").expect("is there").2;
    let _gone = super::change::remove(&mut amara, &gone, false);
    let mut slices = 0;
    while crate::item::unindexed(&amara.store).expect("reads") {
        assert!(amara.with_tx(|tx, ports| crate::item::index(tx, ports, &CIRCLE)));
        slices += 1;
    }
    assert_eq!((slices, amara.words().len()), (3, 599));
    let hits = amara.reader(|reader| crate::item::search(&amara.store, std::slice::from_ref(reader), "note59", 3));
    let titles: Vec<String> = hits.into_iter().map(|hit| hit.title).collect();
    assert_eq!(titles, ["note599", "note598", "note597"], "the newest first");
}
