use proptest::prelude::*;

use super::*;
use crate::control::{EditItem, EditNote, EditResource, NewReaction, NewReply, NewResource};
use crate::io::Filter;
use crate::item::kind::Kind;

#[derive(Clone, Debug)]
enum Deed {
    Note(String),
    Resource(String),
    Reply(usize, String),
    React(usize),
    EditNote(usize, String),
    EditResource(usize, String),
    Remove(usize, bool),
    Restore(usize),
    Mark(usize, bool, bool),
    Sync(usize),
}

fn deed() -> impl Strategy<Value = (usize, Deed)> {
    let words = || "[a-c ]{1,6}";
    let deed = prop_oneof![
        2 => words().prop_map(Deed::Note),
        2 => words().prop_map(Deed::Resource),
        1 => (any::<usize>(), words()).prop_map(|(at, words)| Deed::Reply(at, words)),
        1 => any::<usize>().prop_map(Deed::React),
        2 => (any::<usize>(), words()).prop_map(|(at, words)| Deed::EditNote(at, words)),
        3 => (any::<usize>(), words()).prop_map(|(at, words)| Deed::EditResource(at, words)),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(at, now)| Deed::Remove(at, now)),
        1 => any::<usize>().prop_map(Deed::Restore),
        1 => (any::<usize>(), any::<bool>(), any::<bool>()).prop_map(|(at, pin, on)| Deed::Mark(at, pin, on)),
        3 => (0..3_usize).prop_map(Deed::Sync),
    ];
    (0..3_usize, deed)
}

impl Machine {
    fn key(&self, kind: Kind, at: usize) -> Option<ItemKey> {
        let all = Filter::default();
        let ids: Vec<String> = if kind == Kind::Note {
            self.reader(|reader| kinds::note::list(reader, &all)).into_iter().map(|note| note.id).collect()
        } else {
            self.reader(|reader| kinds::resource::list(reader, &all)).into_iter().map(|resource| resource.id).collect()
        };
        let id = ids.get(at.checked_rem(ids.len())?)?;
        crate::item::resolve(&self.store, &[CIRCLE], &[], id).expect("reads").ok().map(|found| found.2)
    }

    /// An item that is deleted here.
    fn removed(&self, at: usize) -> Option<ItemKey> {
        let rows = self.store.scan(crate::store::Table::Item, &[], &[], 1_000).expect("reads");
        let keys = rows.into_iter().filter_map(|(key, _)| Some(ItemKey(key.try_into().ok()?)));
        let gone: Vec<ItemKey> =
            keys.filter(|key| self.show(key).is_some_and(|note| note.state == control::ItemState::Removed)).collect();
        gone.get(at.checked_rem(gone.len())?).copied()
    }

    fn act(&mut self, deed: &Deed) -> Vec<Opened> {
        let entries = match deed {
            Deed::Note(words) => {
                let new = NewNote { title: words.clone(), body: words.clone(), ..NewNote::default() };
                self.say(|_, place, rng| Ok(vec![kinds::note::compose(place, rng, &new)?]))
            }
            Deed::Resource(words) => {
                let new = NewResource { title: words.clone(), note: words.repeat(2), ..NewResource::default() };
                self.say(|_, place, rng| Ok(vec![kinds::resource::compose(place, rng, &new)?]))
            }
            Deed::Reply(at, words) => {
                let Some(key) = self.key(Kind::Note, *at) else { return Vec::new() };
                let new = NewReply { body: words.clone(), content_warning: None };
                self.say(|reader, place, rng| Ok(vec![kinds::reply::compose(reader, place, rng, &key, &new)?]))
            }
            Deed::React(at) => {
                let Some(key) = self.key(Kind::Note, *at) else { return Vec::new() };
                let new = NewReaction { emoji: "❤".to_owned(), remove: false };
                self.say(|reader, place, rng| kinds::reaction::compose(reader, place, rng, &key, &new))
            }
            Deed::EditNote(at, words) => {
                let Some(key) = self.key(Kind::Note, *at) else { return Vec::new() };
                let wanted = EditItem::Note(EditNote { body: Some(words.clone()), ..EditNote::default() });
                self.say(|reader, place, _| kinds::edit(reader, place, &key, &wanted).map(|(entries, _)| entries))
            }
            Deed::EditResource(at, words) => {
                let Some(key) = self.key(Kind::Resource, *at) else { return Vec::new() };
                let tags = Some(vec![words.trim().to_owned()]);
                let wanted = EditItem::Resource(EditResource { note: Some(words.repeat(2)), tags, ..EditResource::default() });
                self.say(|reader, place, _| kinds::edit(reader, place, &key, &wanted).map(|(entries, _)| entries))
            }
            Deed::Remove(at, now) => {
                let Some(key) = self.key(if *now { Kind::Note } else { Kind::Resource }, *at) else { return Vec::new() };
                self.say(|reader, place, rng| kinds::tombstone::remove(reader, place, rng, &key, false))
            }
            Deed::Restore(at) => {
                let Some(key) = self.removed(*at) else { return Vec::new() };
                self.say(|reader, place, _| kinds::tombstone::restore(reader, place, &key))
            }
            Deed::Mark(at, pin, on) => {
                let Some(key) = self.key(Kind::Note, *at) else { return Vec::new() };
                let kind = if *pin { Kind::Pin } else { Kind::Hide };
                self.say(|reader, place, rng| mark::set(reader, place, rng, kind, &key, *on))
            }
            Deed::Sync(_) => return Vec::new(),
        };
        self.now = self.now.plus(1_000);
        self.write(entries.unwrap_or_default())
    }

    /// What everybody must agree on: no delivery, no marks of this machine.
    fn shown(&self) -> String {
        let mut notes = self.notes();
        for note in &mut notes {
            (note.delivery, note.delivered, note.new, note.changed) = (None, None, false, false);
            for reply in &mut note.replies {
                (reply.delivery, reply.new) = (None, false);
            }
        }
        let mut resources = self.reader(|reader| kinds::resource::list(reader, &Filter::default()));
        for resource in &mut resources {
            (resource.delivery, resource.new, resource.changed) = (None, false, false);
        }
        serde_json::to_string(&(notes, resources)).expect("writes")
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn machines_show_the_same_in_any_order_of_arrival(
        deeds in proptest::collection::vec(deed(), 1..24), shuffle in any::<u64>(), batch in 1..6_usize,
    ) {
        let mut machines = [Machine::new(AMARA), Machine::new(BEA), Machine::new(CHIOMA)];
        let mut all: Vec<Opened> = Vec::new();
        for (who, deed) in &deeds {
            if let Deed::Sync(from) = deed {
                let theirs: Vec<Opened> = machines[*from].log.0.borrow().values().cloned().collect();
                let _report = machines[*who].take(&theirs);
            } else {
                all.extend(machines[*who].act(deed));
            }
        }
        for machine in &mut machines {
            let _report = machine.take(&all);
        }
        let want = (machines[0].shown(), machines[0].indexed());
        for machine in &mut machines {
            prop_assert_eq!(&(machine.shown(), machine.indexed()), &want);
        }
        let mut late = Machine::new(DUNE);
        late.now = START.plus(HOUR);
        all.sort_by_key(|opened| opened.id.0.iter().fold(shuffle, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte))));
        for entries in all.chunks(batch) {
            let _report = late.take(entries);
        }
        prop_assert_eq!((late.shown(), late.indexed()), want);
        machines[0].tick();
        for machine in &machines {
            let health = crate::item::health(&machine.store, &CIRCLE).expect("counts");
            prop_assert_eq!(crate::item::listed(&machine.store, &CIRCLE).expect("counts"), health.items);
        }
    }

    #[test]
    fn hostile_payloads_never_panic_and_never_hurt_others(
        payloads in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..60), 0..12_u8, 1..5_u8, any::<prop::sample::Index>()), 1..20),
    ) {
        let mut bea = Machine::new(BEA);
        let new = NewResource { title: "a".to_owned(), note: "abc".to_owned(), ..NewResource::default() };
        let entry = bea.say(|_, place, rng| Ok(kinds::resource::compose(place, rng, &new)?)).expect("a resource");
        let made = bea.write(vec![entry]).remove(0);
        let key = made.item.key(&CIRCLE);
        let good = made.payload.clone().unwrap_or_default();
        for (seq, (noise, kind, who, at)) in (1..).zip(payloads) {
            let mut payload = good.clone();
            for (offset, byte) in noise.iter().enumerate().take(4) {
                let at = (at.index(payload.len()) + offset * 7) % payload.len();
                payload[at] ^= byte;
            }
            let mut hostile = made.clone();
            hostile.chain.device = DeviceId([who; 32]);
            hostile.kind = kind;
            hostile.at = EntryAt { chain: 50, seq };
            hostile.id = EntryId([seq.to_be_bytes()[7]; 32]);
            hostile.payload = Some(if noise.len() > 30 { noise } else { payload });
            let _report = bea.take(&[hostile]);
        }
        prop_assert!(bea.reader(|reader| shown_resource(reader, &key)).is_some());
    }
}
