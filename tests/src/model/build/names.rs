//! Which of our ids stands for which of a vector's.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::membership::{founder_id, person_id};
use kith_protocol::crypto::{SigningKey, hash};
use kith_protocol::id::{ActId, CircleId, DeviceId, EntryId, Incarnation, PersonId};

use crate::model::vector::{Raw, Vector, text, texts};

/// Both ways between a vector's ids and ours, all of them made from a seed.
#[derive(Clone, Debug)]
pub struct Names {
    seed: u64,
    genesis: String,
    circle: Option<CircleId>,
    acts: BTreeMap<String, ActId>,
    made: BTreeSet<String>,
    act_names: BTreeMap<ActId, String>,
    devices: BTreeMap<DeviceId, String>,
    incarnations: BTreeMap<Incarnation, String>,
    entries: BTreeMap<EntryId, String>,
    people: BTreeMap<PersonId, String>,
    /// The first device of each person, from which their id follows.
    first: BTreeMap<String, String>,
    founder: Option<String>,
}

impl Names {
    pub(super) fn new(vector: &Vector, seed: u64) -> Self {
        let founder = vector.acts.iter().find(|raw| text(raw, "id") == Some(&vector.circle));
        Self {
            seed,
            genesis: vector.circle.clone(),
            circle: None,
            acts: BTreeMap::new(),
            made: BTreeSet::new(),
            act_names: BTreeMap::new(),
            devices: BTreeMap::new(),
            incarnations: BTreeMap::new(),
            entries: BTreeMap::new(),
            people: BTreeMap::new(),
            first: first_devices(vector),
            founder: founder.and_then(|raw| text(raw, "person")).map(ToOwned::to_owned),
        }
    }

    fn bytes(&self, what: &'static str, name: &str) -> [u8; 32] {
        hash("kith/v1/test-names", &[&self.seed.to_le_bytes(), what.as_bytes(), name.as_bytes()])
    }

    pub(super) const fn circle(&self) -> Option<CircleId> {
        self.circle
    }

    pub(super) fn has_act(&self, name: &str) -> bool {
        self.made.contains(name)
    }

    /// The id of an act; made up where the act is not made (yet).
    pub(super) fn act(&mut self, name: &str) -> ActId {
        self.acts.get(name).copied().unwrap_or_else(|| ActId(self.bytes("act", name)))
    }

    pub(super) fn act_is(&mut self, name: &str, id: ActId) {
        self.acts.insert(name.to_owned(), id);
        self.act_names.insert(id, name.to_owned());
        self.made.insert(name.to_owned());
        if name == self.genesis {
            self.circle = Some(CircleId(id.0));
        }
    }

    pub(super) fn signing_key(&self, name: &str) -> SigningKey {
        SigningKey::from_seed(self.bytes("device", name))
    }

    pub(super) fn device(&mut self, name: &str) -> DeviceId {
        let id = self.signing_key(name).id();
        self.devices.insert(id, name.to_owned());
        id
    }

    pub(super) fn incarnation(&mut self, name: &str) -> Incarnation {
        let mut id = Incarnation([0; 16]);
        id.0.copy_from_slice(self.bytes("incarnation", name).split_at(16).0);
        self.incarnations.insert(id, name.to_owned());
        id
    }

    pub(super) fn entry(&mut self, name: &str) -> EntryId {
        let id = EntryId(self.bytes("entry", name));
        self.entries.insert(id, name.to_owned());
        id
    }

    /// A person's id, as their first device makes it.
    pub(super) fn person(&mut self, name: &str) -> PersonId {
        let id = match (self.first.get(name).cloned(), self.circle) {
            (Some(device), _) if self.founder.as_deref() == Some(name) => founder_id(&self.device(&device)),
            (Some(device), Some(circle)) => person_id(&circle, &self.device(&device)),
            _ => PersonId(self.bytes("person", name)),
        };
        self.people.insert(id, name.to_owned());
        id
    }

    /// The vector's name of an act.
    #[must_use]
    pub fn act_name(&self, id: &ActId) -> String {
        self.act_names.get(id).cloned().unwrap_or_else(|| id.text())
    }

    /// The vector's name of a person.
    #[must_use]
    pub fn person_name(&self, id: &PersonId) -> String {
        self.people.get(id).cloned().unwrap_or_else(|| id.text())
    }

    /// The vector's name of a device.
    #[must_use]
    pub fn device_name(&self, id: &DeviceId) -> String {
        self.devices.get(id).cloned().unwrap_or_else(|| id.text())
    }

    /// The vector's name of an incarnation.
    #[must_use]
    pub fn incarnation_name(&self, id: &Incarnation) -> String {
        self.incarnations.get(id).cloned().unwrap_or_else(|| id.text())
    }

    /// The vector's name of an entry.
    #[must_use]
    pub fn entry_name(&self, id: &EntryId) -> String {
        self.entries.get(id).cloned().unwrap_or_else(|| id.text())
    }
}

/// With which device each person came first, by the admissions that the vector calls admissible.
fn first_devices(vector: &Vector) -> BTreeMap<String, String> {
    let refused: BTreeSet<&str> =
        texts(&vector.expect, "inadmissible").into_iter().chain(texts(&vector.expect, "held")).collect();
    let adds = |raw: &&Raw| matches!(text(raw, "type"), Some("genesis" | "admit"));
    let mut adds: Vec<&Raw> = vector.acts.iter().filter(adds).collect();
    adds.sort_by_key(|raw| {
        let id = text(raw, "id").unwrap_or_default();
        (refused.contains(id), ancestors(vector, id).len())
    });
    let mut first = BTreeMap::new();
    for raw in adds {
        if let (Some(person), Some(device)) = (text(raw, "person"), texts(raw, "devices").first()) {
            first.entry(person.to_owned()).or_insert_with(|| (*device).to_owned());
        }
    }
    first
}

fn ancestors<'a>(vector: &'a Vector, id: &'a str) -> BTreeSet<&'a str> {
    let parents: BTreeMap<&str, Vec<&str>> =
        vector.acts.iter().filter_map(|raw| Some((text(raw, "id")?, texts(raw, "parents")))).collect();
    let (mut seen, mut next) = (BTreeSet::new(), vec![id]);
    while let Some(id) = next.pop() {
        for parent in parents.get(id).into_iter().flatten() {
            if seen.insert(*parent) {
                next.push(parent);
            }
        }
    }
    seen
}
