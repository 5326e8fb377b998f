//! Items of one circle on several machines, with entries carried between them by hand.
#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "a test that fails may panic")]

mod base;
mod built;
mod change;
mod clock_expiry;
mod converge;
mod newer;
mod read;
mod restore;
mod when;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use rand_core::CryptoRng;

use super::compose::{ComposeContext, ComposeError};
use super::kinds;
use super::mark;
use super::port::{DeliveryCounts, People, Ports, Source, Writer};
use super::reader::ItemReader;
use super::{Outcome, Report, Reveal, Sweep, Times, apply, judge_time, look_again, rejudge, show, sweep, waiting};
use crate::circle::body::{ChainId, Retention, Role};
use crate::control::{self, Item, NewNote};
use crate::crypto::Seeded;
use crate::id::{CircleId, DeviceId, EntryId, Incarnation, ItemKey, PersonId};
use crate::log::entry::{EntryAt, NewEntry, Opened};
use crate::store::{MemoryStore, Read, Store, StoreError};
use crate::time::{HOUR, Millis};
use crate::tx::{Turn, Tx};

const CIRCLE: CircleId = CircleId([7; 32]);
const START: Millis = Millis(1_795_359_600_000);

/// People by number; each has one device, named alike.
const AMARA: u8 = 1;
const BEA: u8 = 2;
const CHIOMA: u8 = 3;
const DUNE: u8 = 4;

fn person(n: u8) -> PersonId {
    PersonId([n; 32])
}

fn role(n: u8) -> Role {
    match n {
        AMARA => Role::Founder,
        BEA => Role::Facilitator,
        CHIOMA => Role::Member,
        _ => Role::Guest,
    }
}

struct Names(u8);

impl People for Names {
    fn me(&self) -> PersonId {
        person(self.0)
    }

    fn person(&self, device: &DeviceId) -> Option<PersonId> {
        Some(PersonId(device.0))
    }

    fn name(&self, person: &PersonId) -> Option<String> {
        let names = ["Amara", "Bea", "Chioma", "Dune"];
        names.get(usize::from(person.0[0]) - 1).map(|name| (*name).to_owned())
    }

    fn is_in(&self, _: &PersonId) -> bool {
        true
    }

    fn alike(&self, _: &PersonId) -> bool {
        false
    }
}

impl DeliveryCounts for Names {
    fn of(&self, _: EntryAt) -> Option<(u32, u32)> {
        Some((1, 3))
    }
}

/// What the log of a machine has: entries by place.
#[derive(Default)]
struct Log(RefCell<BTreeMap<EntryAt, Opened>>, std::cell::Cell<usize>);

impl Source for Log {
    fn load(&self, _: &dyn Read, at: EntryAt) -> Result<Option<Opened>, StoreError> {
        self.1.set(self.1.get() + 1);
        Ok(self.0.borrow().get(&at).cloned())
    }

    fn load_many(&self, _: &dyn Read, at: &[EntryAt]) -> Result<Vec<Opened>, StoreError> {
        self.1.set(self.1.get() + at.len());
        Ok(at.iter().filter_map(|at| self.0.borrow().get(at).cloned()).collect())
    }
}

/// One person's machine.
struct Machine {
    me: u8,
    now: Millis,
    retention: Retention,
    store: MemoryStore,
    log: Rc<Log>,
    rng: Seeded,
    written: u64,
}

impl Machine {
    fn new(me: u8) -> Self {
        let (log, store) = (Rc::new(Log::default()), MemoryStore::default());
        Self { me, now: START, retention: Retention::Keep, store, log, rng: Seeded::new(u64::from(me)), written: 0 }
    }

    fn reader<T>(&self, read: impl FnOnce(&ItemReader<'_>) -> Result<T, StoreError>) -> T {
        let names = Names(self.me);
        let log = Rc::clone(&self.log);
        let reader = ItemReader {
            read: &self.store,
            source: &*log,
            people: &names,
            delivery: &names,
            veil: &super::Veil::default(),
            circle: CIRCLE,
            name: "Night shift",
            now: self.now,
        };
        read(&reader).expect("memory never fails")
    }

    fn place(&self) -> ComposeContext {
        ComposeContext { me: person(self.me), role: role(self.me), now: self.now, retention: self.retention }
    }

    /// Writes what was composed as this machine's next entries, and takes it in.
    fn write(&mut self, entries: Vec<NewEntry>) -> Vec<Opened> {
        let opened: Vec<Opened> = entries.into_iter().map(|entry| self.seal(entry)).collect();
        let report = self.take(&opened);
        assert!(!report.outcomes.iter().any(|outcome| matches!(outcome, Outcome::SetAside(_))), "{:?}", report.outcomes);
        opened
    }

    fn seal(&mut self, entry: NewEntry) -> Opened {
        self.written += 1;
        let id = crate::crypto::hash("kith/v1/test", &[&[self.me], &self.written.to_be_bytes(), &entry.payload]);
        Opened {
            id: EntryId(id),
            at: EntryAt {
                chain: u32::from(self.me) * 2 + u32::from(entry.class == crate::circle::body::KeyClass::Talk),
                seq: self.written,
            },
            chain: ChainId { device: DeviceId([self.me; 32]), incarnation: Incarnation([0; 16]), class: entry.class },
            circle: CIRCLE,
            heads: [].into(),
            epoch: crate::id::EpochId([0; 32]),
            kind: entry.kind,
            item: entry.item,
            retention: entry.retention,
            payload: Some(entry.payload),
        }
    }

    fn take(&mut self, entries: &[Opened]) -> Report {
        self.take_as(entries, |n| Some(role(n)), true)
    }

    fn take_as(&mut self, entries: &[Opened], role: impl Fn(u8) -> Option<Role>, standing: bool) -> Report {
        for opened in entries {
            self.log.0.borrow_mut().entry(opened.at).or_insert_with(|| opened.clone());
        }
        let me = self.me;
        let writer = |opened: &Opened| {
            let n = opened.chain.device.0[0];
            Writer { person: person(n), judged: true, role: role(n), me: n == me, standing }
        };
        let entries: Vec<(Writer, &Opened)> = entries.iter().map(|opened| (writer(opened), opened)).collect();
        let report = self.with_tx(|tx, ports| apply(tx, ports, &CIRCLE, &entries));
        self.destroy(&report.destroy);
        report
    }

    fn rejudge(&mut self, entries: &[Opened], standing: bool) -> Report {
        let entries: Vec<(&Opened, bool)> = entries.iter().map(|opened| (opened, standing)).collect();
        let (report, done) = self.with_tx(|tx, ports| rejudge(tx, ports, &CIRCLE, &entries));
        assert_eq!(done, entries.len());
        report
    }

    /// What is due, where everybody's clock says the same.
    fn tick(&mut self) -> Vec<EntryAt> {
        self.tick_with(None, Some(self.now))
    }

    /// The same, where a moment is known to lie before whatever is judged for the first time, and another has passed as others say.
    fn tick_with(&mut self, past: Option<Millis>, passed: Option<Millis>) -> Vec<EntryAt> {
        let destroy = self.with_tx(|tx, ports| {
            let Sweep { mut destroy, over } = sweep(tx, ports.now, 100)?;
            let over: Vec<_> = over.iter().map(|item| (item.key, past)).collect();
            destroy.extend(judge_time(tx, ports, &CIRCLE, &over, Times { passed, back: false })?.destroy);
            let (hidden, back) = waiting(tx, ports.now, 100)?;
            let hidden: Vec<_> = hidden.iter().map(|item| (item.key, None)).collect();
            destroy.extend(judge_time(tx, ports, &CIRCLE, &hidden, Times { passed, back })?.destroy);
            Ok(destroy)
        });
        self.destroy(&destroy);
        destroy
    }

    fn destroy(&self, entries: &[EntryAt]) {
        for at in entries {
            if let Some(opened) = self.log.0.borrow_mut().get_mut(at) {
                opened.payload = None;
            }
        }
    }

    fn with_tx<T>(&mut self, work: impl FnOnce(&mut Tx<'_>, Ports<'_>) -> Result<T, StoreError>) -> T {
        let (names, log) = (Names(self.me), Rc::clone(&self.log));
        let mut batch = Turn::default();
        let mut tx = Tx::new(&self.store, &batch);
        let done = work(&mut tx, Ports { source: &*log, people: &names, now: self.now }).expect("memory never fails");
        tx.finish().join(&mut batch);
        self.store.commit(&batch.writes).expect("memory never fails");
        done
    }

    /// Composes with what this machine shows now.
    fn say<T>(
        &mut self,
        compose: impl FnOnce(&ItemReader<'_>, &ComposeContext, &mut dyn CryptoRng) -> Result<T, ComposeError>,
    ) -> Result<T, control::Error> {
        let place = self.place();
        let mut rng = self.rng.clone();
        let said = self.reader(|reader| match compose(reader, &place, &mut rng) {
            Ok(said) => Ok(Ok(said)),
            Err(ComposeError::Refused(error)) => Ok(Err(*error)),
            Err(ComposeError::Store(error)) => Err(error),
        });
        self.rng = rng;
        said
    }

    fn note(&mut self, title: &str, body: &str) -> (ItemKey, Opened) {
        let new = NewNote { title: title.to_owned(), body: body.to_owned(), ..NewNote::default() };
        let entry = self.say(|_, place, rng| Ok(kinds::note::compose(place, rng, &new)?)).expect("a note");
        let opened = self.write(vec![entry]).remove(0);
        self.now = self.now.plus(HOUR);
        (opened.item.key(&CIRCLE), opened)
    }

    /// What is in the word index, by item, once nothing waits.
    fn indexed(&mut self) -> crate::store::Rows {
        while super::unindexed(&self.store).expect("reads") {
            assert!(self.with_tx(|tx, ports| super::index(tx, ports, &CIRCLE)));
        }
        self.words()
    }

    /// What is in the word index now, by item.
    fn words(&self) -> crate::store::Rows {
        let rows = self.store.scan(crate::store::Table::Search, &[], &[], 10_000).expect("reads");
        let mut rows: crate::store::Rows = rows.into_iter().map(|(key, text)| (key[8..].to_vec(), text)).collect();
        rows.sort();
        rows
    }

    fn notes(&self) -> Vec<control::Note> {
        self.reader(|reader| kinds::note::list(reader, &crate::io::Filter::default()))
    }

    fn show(&self, key: &ItemKey) -> Option<control::Note> {
        self.reader(|reader| shown_note(reader, key, Reveal::Nothing))
    }
}

/// A note, where the key is one's.
fn shown_note(reader: &ItemReader<'_>, key: &ItemKey, reveal: Reveal) -> Result<Option<control::Note>, StoreError> {
    Ok(show(reader, key, reveal)?.and_then(|item| if let Item::Note(note) = item { Some(*note) } else { None }))
}

/// An event, where the key is one's.
fn shown_event(reader: &ItemReader<'_>, key: &ItemKey) -> Result<Option<control::Event>, StoreError> {
    Ok(show(reader, key, Reveal::Nothing)?.and_then(|item| if let Item::Event(event) = item { Some(*event) } else { None }))
}

/// A resource, where the key is one's.
fn shown_resource(reader: &ItemReader<'_>, key: &ItemKey) -> Result<Option<control::Resource>, StoreError> {
    let resource = |item| if let Item::Resource(resource) = item { Some(*resource) } else { None };
    Ok(show(reader, key, Reveal::Nothing)?.and_then(resource))
}
