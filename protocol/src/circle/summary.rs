//! A circle's people as lists and names need them: one derived row per circle, see [`super::overview::save`].

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::alike::Crowd;
use super::body::{Retention, Role};
use super::deeds::{Deed, Done};
use super::derived;
use super::membership::Status;
use super::state::{CircleState, OwnStanding};
use super::terms::{self, RetentionTerm};
use crate::control::{self, Code, Error, Hint, MemberStatus};
use crate::id::{CircleId, DeviceId, PersonId};
use crate::limits::NAMED_ALIKE;
use crate::private::Private;
use crate::store::{Read, StoreError};
use crate::time::Millis;
use crate::work;

/// A circle's people, for reading without judging.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Summary {
    #[n(0)]
    version: u8,
    /// The circle.
    #[n(1)]
    pub(crate) id: CircleId,
    /// Its name.
    #[n(2)]
    pub(crate) name: Private<String>,
    /// Me.
    #[n(3)]
    pub(crate) me: Option<PersonId>,
    /// This device.
    #[n(4)]
    pub(crate) device: DeviceId,
    /// Everybody who ever was in.
    #[n(5)]
    pub(crate) people: Vec<PersonRow>,
    /// How long conversation is kept: the last settings, up to the one in force.
    #[n(6)]
    retentions: Vec<RetentionTerm>,
    /// How this machine stands to it.
    #[n(7)]
    pub(crate) standing: OwnStanding,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct PersonRow {
    /// Who.
    #[n(0)]
    pub(crate) id: PersonId,
    /// Their name, or their short id.
    #[n(1)]
    pub(crate) name: Private<String>,
    /// Their role while they are in or suspended.
    #[n(2)]
    pub(crate) role: Option<Role>,
    /// Their devices, those that were theirs included.
    #[n(3)]
    pub(crate) devices: Vec<DeviceRow>,
    /// How they stand to the circle.
    #[n(4)]
    pub(crate) status: Status,
    /// Does somebody else bear a name that looks like theirs: somebody who is in, or who was in before them?
    #[n(5)]
    pub(crate) alike: bool,
    /// Have they told their name? Not before they have seen who is there.
    #[n(6)]
    pub(crate) named: bool,
    /// Who made them a member,
    #[n(7)]
    pub(crate) added: Option<Done>,
    /// who removed them,
    #[n(8)]
    pub(crate) removed: Option<Done>,
    /// and who gave them their role.
    #[n(9)]
    pub(crate) ranked: Option<Done>,
}

/// One of a person's devices.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct DeviceRow {
    /// Which.
    #[n(0)]
    pub(crate) id: DeviceId,
    /// The name that its owner gave it.
    #[n(1)]
    pub(crate) name: Private<String>,
    /// May it write now?
    #[n(2)]
    pub(crate) current: bool,
}

impl PersonRow {
    /// Are they in?
    #[must_use]
    pub(crate) fn is_current(&self) -> bool {
        self.status == Status::Current
    }
}

impl Summary {
    /// A circle's summary.
    #[must_use]
    pub(crate) fn of(circle: &CircleState) -> Self {
        let state = circle.now();
        let names = circle.names();
        let named: BTreeSet<PersonId> = circle.records().filter_map(|record| state.person_of(&record.device)).collect();
        let alike = super::alike::marked(circle, &names);
        let mut devices: BTreeMap<PersonId, Vec<DeviceRow>> = BTreeMap::new();
        for (device, owner) in &state.owners {
            let name = circle.record_of(device).map(|record| record.body.device_name.clone());
            let name = name.unwrap_or_else(|| Private(String::new()));
            devices.entry(*owner).or_default().push(DeviceRow { id: *device, name, current: state.is_current(device) });
        }
        let people = state.people.iter().map(|(id, person)| PersonRow {
            id: *id,
            name: Private(names.get(id).cloned().unwrap_or_default()),
            role: person.role,
            devices: devices.remove(id).unwrap_or_default(),
            status: person.status,
            alike: alike.contains(id),
            named: named.contains(id),
            added: circle.done(Deed::Added(*id)),
            removed: circle.done(Deed::Removed(*id)),
            ranked: person.role.and_then(|role| circle.done(Deed::Ranked(*id, role))),
        });
        Self {
            version: derived::VERSION,
            id: circle.id(),
            name: Private(circle.name()),
            me: circle.me(),
            device: circle.device(),
            people: people.collect(),
            retentions: circle.retention_terms(),
            standing: circle.standing(),
        }
    }

    /// All circles' summaries.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn all(read: &dyn Read) -> Result<Vec<Self>, StoreError> {
        let all: Vec<Self> = derived::all(read, derived::PEOPLE)?;
        work::did(|work| work.people += all.len() as u64);
        Ok(all)
    }

    /// One circle's.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn load(read: &dyn Read, circle: &CircleId) -> Result<Option<Self>, StoreError> {
        work::did(|work| work.people += 1);
        derived::get(read, derived::PEOPLE, circle)
    }

    /// One person's row.
    #[must_use]
    pub(crate) fn row_of(&self, id: &PersonId) -> Option<&PersonRow> {
        self.people.iter().find(|p| p.id == *id)
    }

    /// Does a name look like that of somebody who is in, and of somebody who was?
    #[must_use]
    pub(crate) fn likes(&self, name: &str) -> [bool; 2] {
        [true, false].map(|is_in| {
            let mut crowd = Crowd::default();
            self.people.iter().filter(|p| p.is_current() == is_in).for_each(|p| crowd.add(&p.name.0));
            crowd.like(name) > 0
        })
    }

    /// What people are told of somebody: their name, and their id where the name is not enough.
    #[must_use]
    pub(crate) fn called(&self, id: &PersonId) -> String {
        match self.row_of(id) {
            Some(row) if row.alike => format!("{} (alike: {})", row.name.0, id.text()),
            Some(row) => row.name.0.clone(),
            None => id.text(),
        }
    }

    /// The people as the local API shows them: current ones first, by name.
    #[must_use]
    pub(crate) fn members(&self) -> Vec<control::Member> {
        let mut people: Vec<&PersonRow> = self.people.iter().collect();
        people.sort_by_key(|p| (self.status_of(p), std::cmp::Reverse(p.role), p.name.0.clone(), p.id));
        people.into_iter().map(|person| self.member(person)).collect()
    }

    /// One person as the local API shows them.
    #[must_use]
    pub(crate) fn member(&self, person: &PersonRow) -> control::Member {
        let device =
            |device: &DeviceRow| control::Device { id: device.id.text(), name: device.name.0.clone(), current: device.current };
        control::Member {
            id: person.id.text(),
            name: person.name.0.clone(),
            role: person.role.filter(|_| self.status_of(person) != Status::Removed),
            status: match self.status_of(person) {
                Status::Current => MemberStatus::Current,
                Status::Suspended => MemberStatus::Suspended,
                Status::Removed => MemberStatus::Removed,
                Status::Left => MemberStatus::Left,
            },
            devices: person.devices.iter().map(device).collect(),
            me: self.me == Some(person.id),
            alike: person.alike,
        }
    }

    /// How a person stands. Who was removed is told so, and may never get the act by which they were.
    fn status_of(&self, person: &PersonRow) -> Status {
        let removed = self.me == Some(person.id) && self.standing == OwnStanding::Removed;
        if removed { Status::Removed } else { person.status }
    }

    /// How long what is written now is kept.
    #[must_use]
    pub(crate) fn retention(&self, now: Millis) -> Retention {
        terms::binding(&self.retentions, now)
    }

    /// My role, while I am in.
    #[must_use]
    pub(crate) fn my_role(&self) -> Option<Role> {
        self.row_of(&self.me?).filter(|p| p.is_current())?.role
    }

    /// Current devices of everybody else.
    #[must_use]
    pub(crate) fn other_devices(&self) -> Vec<DeviceId> {
        let current = self.people.iter().flat_map(|p| &p.devices).filter(|device| device.current);
        current.map(|device| device.id).filter(|device| *device != self.device).collect()
    }
}

/// The person that somebody names by id, prefix or name.
///
/// # Errors
/// Not found or ambiguous, with who there is.
pub(crate) fn pick_person<'a>(summary: &'a Summary, text: &str) -> Result<&'a PersonRow, Error> {
    let text = text.trim();
    let lower = text.to_lowercase();
    let live = |p: &&PersonRow| matches!(p.status, Status::Current | Status::Suspended);
    let by_name = |p: &&PersonRow| p.name.0.to_lowercase() == lower;
    let by_id = |p: &&PersonRow| text.len() > 2 && p.id.text().starts_with(&lower);
    let mut found: Vec<&PersonRow> = summary.people.iter().filter(|p| p.id.text() == lower).collect();
    if found.is_empty() {
        found = summary.people.iter().filter(live).filter(by_name).collect();
    }
    for more in [summary.people.iter().filter(by_id).collect::<Vec<_>>(), summary.people.iter().filter(by_name).collect()] {
        if found.is_empty() {
            found = more;
        }
    }
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Error::new(
            Code::NotFound,
            "Nobody in this circle has that name or id.",
            Hint::run("member", "list", &[], "shows who is there"),
        )),
        _ => {
            let ids: Vec<String> = found.iter().take(NAMED_ALIKE).map(|p| format!("{} ({})", p.id.text(), p.name.0)).collect();
            Err(Error::new(Code::Ambiguous, "Several people have that name.", format!("Use an id: {}.", ids.join(", "))))
        }
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};
    use crate::time::Millis;

    fn person(byte: u8, name: &str, role: Option<Role>, status: Status) -> PersonRow {
        let device = |byte, current| DeviceRow { id: DeviceId([byte; 32]), name: Private("laptop".to_owned()), current };
        let devices = vec![device(byte + 1, role.is_some()), device(byte + 2, false)];
        let done = Done { at: Millis(1_795_359_600_000), by: Some(PersonId([2; 32])) };
        PersonRow {
            id: PersonId([byte; 32]),
            name: Private(name.to_owned()),
            role,
            devices,
            status,
            alike: role.is_none(),
            named: role.is_some(),
            added: role.map(|_| done),
            removed: role.is_none().then_some(done),
            ranked: role.map(|_| done),
        }
    }

    fn people() -> Vec<PersonRow> {
        vec![
            person(2, "Amara", Some(Role::Founder), Status::Current),
            person(12, "Bea", Some(Role::Member), Status::Suspended),
            person(22, "Chioma", None, Status::Removed),
            person(32, "Dune", None, Status::Left),
        ]
    }

    fn summary(me: Option<PersonId>, value: Retention) -> Summary {
        let set = Millis(1_795_359_600_000);
        let (id, device, standing) = (CircleId([1; 32]), DeviceId([3; 32]), OwnStanding::In);
        Summary {
            version: derived::VERSION,
            id,
            name: Private("Night shift".to_owned()),
            me,
            device,
            people: people(),
            retentions: vec![RetentionTerm { set, value }],
            standing,
        }
    }

    frozen![Form::new("summary", 5, &[summary(Some(PersonId([2; 32])), Retention::Days(90)), summary(None, Retention::Keep)])];
}
