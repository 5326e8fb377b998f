//! Edit lists: their check, and what becomes of items when members send any.

use std::cell::RefCell;
use std::collections::BTreeMap;

use kith_protocol::circle::body::{ChainId, KeyClass, Retention, Role};
use kith_protocol::codec;
use kith_protocol::crypto::hash;
use kith_protocol::id::{ActId, CircleId, DeviceId, EntryId, EpochId, Incarnation, ItemId, PersonId};
use kith_protocol::item::edit::{CharacterId, Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use kith_protocol::item::{DeliveryCounts, ItemReader, Outcome, People, Ports, Source, Writer, apply, list};
use kith_protocol::log::entry::{EntryAt, Opened};
use kith_protocol::node::Filter;
use kith_protocol::private::Private;
use kith_protocol::store::{MemoryStore, Read, Store, StoreError};
use kith_protocol::time::Millis;
use kith_protocol::tx::{Turn, Tx};
use serde_json::Value as Json;

use super::super::{Form, Prepared, Target, Tree, Verdict};

/// Edit lists, against every kind.
pub const EDIT: Target = Target { name: "edit", form: Form::Cbor, words: &[], share: 1, prepare: edit };
/// Whole histories of items, by members who send anything.
pub const ITEMS: Target = Target { name: "items", form: Form::Cbor, words: &[], share: 1, prepare: items };

const CIRCLE: CircleId = CircleId([7; 32]);
const AT: Millis = Millis(1_795_359_600_000);

/// Says who, the kind's number, the item's creator and nonce, and the edit. Entry `n` of a history is named `[n; 32]` there.
type Line = (u8, u8, u8, u8, Edit);

fn words(text: &str) -> Private<String> {
    Private(text.to_owned())
}

fn set(field: u8, text: &str) -> Op {
    Op::Set(field, Value::Text(words(text)))
}

fn about(creator: u8, nonce: u8) -> Option<ItemId> {
    Some(ItemId { creator: PersonId([creator; 32]), nonce: [nonce; 16] })
}

fn change(deps: &[u8], names: &[u8], ops: Vec<Op>) -> Edit {
    let ids = |list: &[u8]| list.iter().map(|n| EntryId([*n; 32])).collect();
    Edit { version: 1, at: Millis(AT.0 + 5), about: None, deps: ids(deps), names: ids(names), ops }
}

/// A circle's life in edits: each kind opened, texts edited by two at once, tags, marks, a tombstone.
fn lines() -> Vec<Line> {
    let open = |about, ops| Edit::opening(AT, about, ops);
    let place = |entry, counter| CharacterId { entry, counter };
    let body = |text: &str| Op::Insert(1, None, words(text));
    let tag = |text: &str| Op::Add(5, words(text));
    vec![
        (1, 1, 1, 1, open(None, vec![set(0, "On-call"), set(2, "burnout"), set(3, "listen"), tag("eap"), body("A long night.")])),
        (2, 2, 2, 2, open(about(1, 1), vec![body("I am here, no advice.")])),
        (4, 3, 4, 3, open(about(1, 1), vec![set(0, "❤")])),
        (3, 6, 3, 4, open(None, vec![set(0, "Hotline"), set(6, "https://example.org"), tag("eap"), body("Day and night")])),
        (1, 6, 3, 4, change(&[4], &[4], vec![Op::Insert(1, Some(place(0, 2)), words("s")), Op::Delete(1, place(0, 4), 3)])),
        (2, 6, 3, 4, change(&[4], &[4], vec![Op::Insert(1, Some(place(0, 2)), words("time")), set(0, "Helpline"), tag("phone")])),
        (3, 6, 3, 4, change(&[5, 6], &[4, 6], vec![Op::Delete(1, place(1, 0), 2), Op::Remove(5, words("eap"))])),
        (1, 4, 1, 5, open(None, event())),
        (3, 5, 3, 6, open(about(1, 5), vec![set(0, "yes")])),
        (3, 5, 3, 6, change(&[9], &[], vec![set(0, "no")])),
        (2, 9, 2, 7, open(about(1, 1), vec![Op::Set(0, Value::Flag(true))])),
        (2, 8, 2, 8, open(about(3, 4), vec![Op::Set(0, Value::Flag(true))])),
        (2, 8, 2, 8, change(&[12], &[], vec![Op::Set(0, Value::Flag(false))])),
        (1, 1, 1, 1, change(&[1], &[1], vec![Op::Delete(1, place(0, 0), 7), Op::Insert(1, Some(place(0, 6)), words("short "))])),
        (2, 7, 2, 9, open(about(2, 2), vec![Op::Set(0, Value::Flag(false))])),
    ]
}

fn event() -> Vec<Op> {
    vec![
        set(0, "Circle"),
        Op::Set(6, Value::Moment(AT.0)),
        Op::Set(7, Value::Moment(AT.0 + 3_600_000)),
        set(8, "2026-12-01T18:00:00"),
        set(9, "2026-12-01T19:00:00"),
        set(10, "Europe/Madrid"),
        set(11, "FREQ=WEEKLY;COUNT=8"),
        set(12, "Room 4"),
        set(13, "confirmed"),
    ]
}

fn edit() -> Prepared {
    let samples = lines().iter().map(|(.., edit)| codec::encode(edit)).collect();
    let judge = |bytes: &[u8]| {
        let mut verdict = Verdict::Refused;
        for kind in Kind::ALL {
            if let Ok(edit) = Edit::parse(bytes, kind) {
                assert_eq!(codec::encode(&edit), bytes, "what is read is written again as it was");
                assert!(edit.ops.len() <= kith_protocol::limits::EDIT_OPS);
                verdict = Verdict::Taken;
            }
        }
        verdict
    };
    Prepared { samples, judge: Box::new(judge) }
}

/// What the log of a machine has.
#[derive(Default)]
struct Log(RefCell<BTreeMap<EntryAt, Opened>>);

impl Source for Log {
    fn load(&self, _: &dyn Read, at: EntryAt) -> Result<Option<Opened>, StoreError> {
        Ok(self.0.borrow().get(&at).cloned())
    }

    fn load_many(&self, _: &dyn Read, at: &[EntryAt]) -> Result<Vec<Opened>, StoreError> {
        Ok(at.iter().filter_map(|at| self.0.borrow().get(at).cloned()).collect())
    }
}

/// Each device is a person of the same number; 1 is the founder and the reader.
struct Names;

impl People for Names {
    fn me(&self) -> PersonId {
        PersonId([1; 32])
    }

    fn person(&self, device: &DeviceId) -> Option<PersonId> {
        Some(PersonId(device.0))
    }

    fn name(&self, person: &PersonId) -> Option<String> {
        (person.0[0] < 5).then(|| format!("person {}", person.0[0]))
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
        None
    }
}

fn writer(who: u8) -> Writer {
    let role = match who {
        1 => Some(Role::Founder),
        2 => Some(Role::Facilitator),
        3 => Some(Role::Member),
        4 => Some(Role::Guest),
        _ => None,
    };
    Writer { person: PersonId([who; 32]), judged: true, role, me: who == 1, standing: who != 6 }
}

#[derive(Default)]
struct Machine {
    store: MemoryStore,
    log: Log,
}

impl Machine {
    fn take(&mut self, entries: &[Opened]) -> Vec<Outcome> {
        self.log.0.borrow_mut().extend(entries.iter().map(|entry| (entry.at, entry.clone())));
        let mut batch = Turn::default();
        let mut tx = Tx::new(&self.store, &batch);
        let ports = Ports { source: &self.log, people: &Names, now: AT };
        let judged: Vec<(Writer, &Opened)> = entries.iter().map(|entry| (writer(entry.chain.device.0[0]), entry)).collect();
        let report = apply(&mut tx, ports, &CIRCLE, &judged).expect("memory never fails, and a peer's edits break no row");
        tx.finish().join(&mut batch);
        self.store.commit(&batch.writes).expect("memory never fails");
        report.outcomes
    }

    /// What everybody must agree on.
    fn shown(&self) -> String {
        let reader = ItemReader {
            read: &self.store,
            source: &self.log,
            people: &Names,
            delivery: &Names,
            veil: &kith_protocol::item::Veil::default(),
            circle: CIRCLE,
            name: "Night shift",
            now: AT,
        };
        let filter = Filter { reveal: true, ..Filter::default() };
        let broken = "memory never fails, and a peer's edits break no row";
        let rows = |kind| {
            let items = list(&reader, kind, &filter).expect(broken).expect("it has a list");
            let mut rows = serde_json::to_value(items).expect("writes");
            forget_arrival(&mut rows);
            rows
        };
        Kind::listed().map(rows).collect::<Json>().to_string()
    }
}

/// Takes out what depends on when something came.
fn forget_arrival(value: &mut Json) {
    match value {
        Json::Object(fields) => {
            fields.retain(|name, _| name != "new" && name != "changed");
            fields.values_mut().for_each(forget_arrival);
        }
        Json::Array(rows) => rows.iter_mut().for_each(forget_arrival),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// The entries of a bent history. Ids are hashes, as real ones are: nothing can depend on itself or on what is written later.
fn opened(tree: &Tree) -> Vec<Opened> {
    let mut ids: Vec<EntryId> = Vec::new();
    let mut out = Vec::new();
    for (at, line) in tree.list().iter().enumerate().take(60) {
        let [who, kind, creator, nonce, edit] = line.list() else { continue };
        let small = |tree: &Tree| tree.number().and_then(|n| u8::try_from(n).ok());
        let (Some(who), Some(kind), Some(creator), Some(nonce)) = (small(who), small(kind), small(creator), small(nonce)) else {
            continue;
        };
        let mut edit = edit.clone();
        if let Tree::List(parts) = &mut edit {
            parts.iter_mut().skip(3).take(2).for_each(|list| name(list, &ids));
        }
        let mut now = false;
        edit.visit(&mut |part| now |= *part == Tree::Simple(21));
        if kind == Kind::Tombstone.number() && now {
            // Words that their author has destroyed at once are gone wherever that is heard, whatever else they say of them.
            continue;
        }
        let payload = edit.cbor();
        let id = EntryId(hash("kith/v1/fuzz", &[&[who, kind, creator, nonce], &payload, &(at as u64).to_be_bytes()]));
        ids.push(id);
        let class = Kind::of(kind).and_then(Kind::class).unwrap_or(KeyClass::Talk);
        out.push(Opened {
            id,
            at: EntryAt { chain: u32::from(who), seq: at as u64 + 1 },
            chain: ChainId { device: DeviceId([who; 32]), incarnation: Incarnation([0; 16]), class },
            circle: CIRCLE,
            heads: [ActId(CIRCLE.0)].into(),
            epoch: EpochId([8; 32]),
            kind,
            item: ItemId { creator: PersonId([creator; 32]), nonce: [nonce; 16] },
            retention: Retention::Keep,
            payload: (payload.len() > 1).then_some(payload),
        });
    }
    out
}

/// Puts real ids in the place of `[n; 32]`.
fn name(list: &mut Tree, ids: &[EntryId]) {
    let Tree::List(names) = list else { return };
    let sorted = names.is_sorted_by(|a, b| a.bytes() < b.bytes());
    for name in &mut *names {
        let entry = name.array::<32>().and_then(|bytes| ids.get(usize::from(bytes[0]).checked_sub(1)?));
        if let Some(id) = entry {
            *name = Tree::Bytes(id.0.to_vec());
        }
    }
    if sorted {
        names.sort_by_key(Tree::bytes);
    }
}

fn items() -> Prepared {
    let line = |(who, kind, creator, nonce, edit): &Line| {
        let numbers = [who, kind, creator, nonce].map(|n| Tree::Uint(u64::from(*n)));
        let edit = Tree::from_cbor(&codec::encode(edit)).expect("an edit is CBOR");
        Tree::List(numbers.into_iter().chain([edit]).collect())
    };
    let all: Vec<Tree> = lines().iter().map(line).collect();
    // The whole life, and less of it, so that what fails is soon small: a note with what is said of it, one that is deleted, a text
    // that two edit, an event, marks that change.
    let parts: [&[usize]; 6] = [
        &[0, 1, 2],
        &[0, 1, 14],
        &[3, 4, 5, 6],
        &[7, 8, 9],
        &[3, 11, 12, 0, 10],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
    ];
    let samples = parts.map(|part| Tree::List(part.iter().map(|n| all[*n].clone()).collect()).cbor()).to_vec();
    let judge = |bytes: &[u8]| {
        let Some(tree) = Tree::from_cbor(bytes) else { return Verdict::Refused };
        let entries = opened(&tree);
        let (mut once, mut apart) = (Machine::default(), Machine::default());
        let outcomes = once.take(&entries);
        for entry in entries.iter().rev() {
            drop(apart.take(std::slice::from_ref(entry)));
        }
        let shown = once.shown();
        assert_eq!(apart.shown(), shown, "the order of arrival decides nothing");
        let again = once.take(&entries);
        assert!(!again.iter().any(|outcome| matches!(outcome, Outcome::Applied(_))), "applying twice changes nothing");
        assert_eq!(once.shown(), shown);
        Verdict::taken(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::SetAside(_))).count() * 2 < outcomes.len())
    };
    Prepared { samples, judge: Box::new(judge) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_opened_in_the_history_that_is_bent() {
        let opened = |kind: &Kind| lines().iter().any(|(_, number, _, _, edit)| *number == kind.number() && edit.opens());
        let missing: Vec<&str> = Kind::ALL.into_iter().filter(|kind| !opened(kind)).map(Kind::noun).collect();
        assert!(missing.is_empty(), "no history has a {}", missing.join(", a "));
    }
}
