//! What a circle knows of its devices and of people who were removed: public keys, records and farewells.

use std::collections::BTreeMap;
#[cfg(any(test, feature = "switches"))]
use std::fmt::Debug;

use crate::circle::act::{ActBody, Farewell, SealedAct};
use crate::circle::body::Statement;
use crate::circle::record::Record;
use crate::crypto::DeviceKeys;
use crate::id::{DeviceId, PersonId};
use crate::time::Millis;

/// What is here of a circle's devices.
#[derive(Debug, Default)]
pub(super) struct CircleRecords {
    /// The newest record of each device.
    records: BTreeMap<DeviceId, Record>,
    /// Public keys of every device an act ever introduced.
    keys: BTreeMap<DeviceId, DeviceKeys>,
    /// Farewells of removed people, and when they were signed, in the order in which they came.
    farewells: BTreeMap<PersonId, Vec<(Farewell, Millis)>>,
}

impl CircleRecords {
    /// The newest record of a device.
    pub(super) fn of(&self, device: &DeviceId) -> Option<&Record> {
        self.records.get(device)
    }

    /// The newest record of every device that ever had one.
    pub(super) fn all(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// Would a record of a device be its newest? `count`: how many it had written by then.
    pub(super) fn lacks(&self, device: &DeviceId, count: u64) -> bool {
        self.keys.contains_key(device) && self.records.get(device).is_none_or(|held| held.count < count)
    }

    /// The public keys of a device that an act ever introduced.
    pub(super) fn keys_of(&self, device: &DeviceId) -> Option<&DeviceKeys> {
        self.keys.get(device)
    }

    /// Farewells of a removed person, and when they were signed, in the order in which they came.
    pub(super) fn farewells_of(&self, person: &PersonId) -> &[(Farewell, Millis)] {
        self.farewells.get(person).map(Vec::as_slice).unwrap_or_default()
    }

    /// Notes the devices that an act introduces, and the farewell that it holds.
    pub(super) fn note(&mut self, sealed: &SealedAct, body: &ActBody) {
        if let (Statement::Remove { person, .. }, Some(farewell)) = (&body.statement, sealed.farewell(body)) {
            self.farewells.entry(*person).or_default().push((farewell, body.at));
        }
        for keys in introduced(&body.statement) {
            self.keys.entry(keys.sign).or_insert_with(|| keys.clone());
        }
    }

    /// Keeps a record that was verified, in place of an older one.
    pub(super) fn keep(&mut self, record: Record) {
        self.records.insert(record.device, record);
    }

    /// Tells each part by name, for tests.
    #[cfg(any(test, feature = "switches"))]
    pub(super) fn parts(&self, part: &mut dyn FnMut(&str, &dyn Debug)) {
        part("devices", &self.keys.keys().collect::<Vec<_>>());
        part("farewells", &self.farewells.keys().collect::<Vec<_>>());
        part("records", &self.records.values().map(|record| &record.bytes).collect::<Vec<_>>());
    }
}

/// The device keys that a statement introduces.
pub(super) fn introduced(statement: &Statement) -> Vec<&DeviceKeys> {
    match statement {
        Statement::Genesis { devices, .. } | Statement::Admit { devices, .. } => devices.iter().collect(),
        Statement::Device { device, .. } | Statement::Recover { device, .. } | Statement::Revouch { device, .. } => vec![device],
        Statement::Confirm { .. }
        | Statement::Remove { .. }
        | Statement::Leave
        | Statement::Role { .. }
        | Statement::Propose { .. }
        | Statement::Vote { .. }
        | Statement::Policy { .. }
        | Statement::Delegate { .. }
        | Statement::Invite { .. }
        | Statement::Uninvite { .. }
        | Statement::Revoke { .. }
        | Statement::Vouch { .. }
        | Statement::Rotate
        | Statement::Restore { .. } => Vec::new(),
    }
}
