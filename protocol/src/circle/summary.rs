//! A circle's people as lists and names need them: one derived row per circle, written whenever membership or a record changed.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::alike::Crowd;
use super::body::{Retention, Role};
use super::membership::Status;
use super::state::{CircleState, OwnStanding};
use super::text;
use crate::codec;
use crate::control::{self, Code, Error};
use crate::id::{CircleId, DeviceId, PersonId};
use crate::private::Private;
use crate::store::{self, Read, StoreError, Table};
use crate::tx::Tx;

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
    /// How long conversation is kept.
    #[n(6)]
    pub(crate) retention: Retention,
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
    /// Her name, or her short id.
    #[n(1)]
    pub(crate) name: Private<String>,
    /// Her role while she is in or suspended.
    #[n(2)]
    pub(crate) role: Option<Role>,
    /// Her current devices.
    #[n(3)]
    pub(crate) devices: Vec<DeviceId>,
    /// 0 current, 1 suspended, 2 removed, 3 left.
    #[n(4)]
    pub(crate) status: u8,
    /// Devices that were hers.
    #[n(5)]
    pub(crate) past: Vec<DeviceId>,
    /// Does somebody else bear a name that looks like hers: somebody who is in, or who was in before her?
    #[n(6)]
    pub(crate) alike: Option<bool>,
}

impl Summary {
    /// A circle's summary.
    #[must_use]
    pub(crate) fn of(circle: &CircleState) -> Self {
        let state = circle.now();
        let names: BTreeMap<PersonId, String> = state.people.keys().map(|id| (*id, circle.name_of(id))).collect();
        let alike = super::alike::marked(circle, &names);
        let people = state.people.iter().zip(names.values()).map(|((id, person), name)| PersonRow {
            id: *id,
            name: Private(name.clone()),
            alike: Some(alike.contains(id)),
            role: person.role,
            devices: person.devices.clone(),
            status: match person.status {
                Status::Current => 0,
                Status::Suspended => 1,
                Status::Removed => 2,
                Status::Left => 3,
            },
            past: state.owners.iter().filter(|(d, owner)| *owner == id && !person.devices.contains(d)).map(|(d, _)| *d).collect(),
        });
        Self {
            version: 1,
            id: circle.id,
            name: Private(circle.name()),
            me: circle.me(),
            device: circle.device(),
            people: people.collect(),
            retention: circle.retention(),
            standing: circle.row.standing,
        }
    }

    /// Writes it.
    pub(crate) fn save(&self, tx: &mut Tx<'_>) {
        tx.put(Table::Member, &self.id.0, codec::encode(self));
    }

    /// All circles' summaries.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn all(read: &dyn Read) -> Result<Vec<Self>, StoreError> {
        let rows = store::all(read, Table::Member, &[])?;
        rows.iter()
            .map(|(_, b)| codec::decode(b, "summary").map_err(|e| StoreError::Corrupt(format!("a circle's summary: {e}"))))
            .collect()
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
            self.people.iter().filter(|p| (p.status == 0) == is_in).for_each(|p| crowd.add(&p.name.0));
            crowd.like(name) > 0
        })
    }

    /// What people are told of somebody: her name, and her id where the name is not enough.
    #[must_use]
    pub(crate) fn called(&self, id: &PersonId) -> String {
        match self.row_of(id) {
            Some(row) if row.alike == Some(true) => format!("{} (alike: {})", row.name.0, id.text()),
            Some(row) => row.name.0.clone(),
            None => id.text(),
        }
    }

    /// My role, while I am in.
    #[must_use]
    pub(crate) fn my_role(&self) -> Option<Role> {
        self.row_of(&self.me?).filter(|p| p.status == 0)?.role
    }

    /// Current devices of everybody else.
    #[must_use]
    pub(crate) fn other_devices(&self) -> Vec<DeviceId> {
        self.people.iter().flat_map(|p| p.devices.iter().copied()).filter(|d| *d != self.device).collect()
    }
}

/// The circle that somebody names by id, prefix or name; `-` or nothing: the only one.
///
/// # Errors
/// Not found or ambiguous, with what there is.
pub(crate) fn pick<'a>(all: &'a [Summary], text: &str) -> Result<&'a Summary, Error> {
    let text = text.trim();
    let open = |s: &&Summary| !matches!(s.standing, OwnStanding::Admitted);
    if text.is_empty() || text == "-" {
        let mut live: Vec<&Summary> = all.iter().filter(|s| matches!(s.standing, OwnStanding::In)).collect();
        if live.is_empty() {
            live = all.iter().filter(open).collect();
        }
        return match live.as_slice() {
            [one] => Ok(one),
            [] => Err(Error::new(Code::NotFound, "you are in no circle yet", "kith circle new NAME, or kith join LINK")),
            _ => Err(Error::new(Code::Ambiguous, "you are in several circles", format!("name one with -c: {}", listed(&live)))),
        };
    }
    let exact: Vec<&Summary> = all.iter().filter(open).filter(|s| s.id.text() == text || s.name.0 == text).collect();
    let lower = text.to_lowercase();
    let loose = |s: &&Summary| s.name.0.to_lowercase() == lower || text.len() > 2 && s.id.text().starts_with(&lower);
    let found = if exact.is_empty() { all.iter().filter(open).filter(loose).collect() } else { exact };
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Error::new(Code::NotFound, "no circle has that name or id", "kith circle list shows yours")),
        _ => Err(Error::new(Code::Ambiguous, "several circles have that name", format!("use an id: {}", listed(&found)))),
    }
}

fn listed(all: &[&Summary]) -> String {
    all.iter().take(8).map(|s| format!("{} ({})", s.id.text(), s.name.0)).collect::<Vec<_>>().join(", ")
}

/// The person that somebody names by id, prefix or name.
///
/// # Errors
/// Not found or ambiguous, with who there is.
pub(crate) fn pick_person<'a>(summary: &'a Summary, text: &str) -> Result<&'a PersonRow, Error> {
    let text = text.trim();
    let lower = text.to_lowercase();
    let live = |p: &&PersonRow| p.status < 2;
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
        [] => Err(Error::new(Code::NotFound, "nobody in this circle has that name or id", "kith member list shows who is there")),
        _ => {
            let ids: Vec<String> = found.iter().take(8).map(|p| format!("{} ({})", p.id.text(), p.name.0)).collect();
            Err(Error::new(Code::Ambiguous, "several people have that name", format!("use an id: {}", ids.join(", "))))
        }
    }
}

/// The circle as the local API shows it.
#[must_use]
pub(crate) fn circle(circle: &CircleState) -> control::Circle {
    let state = circle.now();
    let me = circle.me().and_then(|me| state.people.get(&me));
    let epoch = circle.usable_epoch().and_then(|id| Some((id, circle.epochs.get(&id)?.at)));
    let status = match (circle.row.standing, me.map(|p| p.status)) {
        (OwnStanding::Removed, _) | (_, Some(Status::Removed)) => "removed",
        (OwnStanding::Leaving | OwnStanding::Left, _) | (_, Some(Status::Left)) => "left",
        (_, Some(Status::Suspended)) => "suspended",
        (OwnStanding::Admitted, _) => "admitted",
        (OwnStanding::In, _) => "current",
    };
    let inside = matches!(status, "current" | "suspended" | "admitted");
    control::Circle {
        id: circle.id.text(),
        name: circle.name(),
        role: me.and_then(|p| p.role).filter(|_| inside).map(|role| text::role(role).to_owned()),
        status: status.to_owned(),
        members: state.people.values().filter(|p| p.status == Status::Current).count(),
        devices: state.people.values().map(|p| p.devices.len()).sum(),
        policies: state.policies.values().filter_map(text::policy).map(|(k, v)| (k.to_owned(), v)).collect(),
        epoch: epoch.map(|(id, at)| control::Epoch { id: id.text(), created_at: control::Time(at) }),
        heads: circle.membership.heads().iter().map(crate::id::ActId::text).collect(),
        roster_hash: roster_hash(circle),
        frozen: state.frozen,
        me: circle.me().map(|me| me.text()).unwrap_or_default(),
    }
}

/// Hash of the exact set of current devices, as hex.
#[must_use]
pub(crate) fn roster_hash(circle: &CircleState) -> String {
    let hash = circle.now().roster_hash();
    data_encoding::HEXLOWER.encode(hash.split_at(16).0)
}

/// The people as the local API shows them: current ones first, by name.
#[must_use]
pub(crate) fn members(circle: &CircleState) -> Vec<control::Member> {
    let summary = Summary::of(circle);
    let mut people: Vec<&PersonRow> = summary.people.iter().collect();
    people.sort_by_key(|p| (p.status, std::cmp::Reverse(p.role), p.name.0.clone(), p.id));
    people.into_iter().map(|p| member(circle, &summary, p)).collect()
}

/// One person as the local API shows her.
#[must_use]
pub(crate) fn member(circle: &CircleState, summary: &Summary, person: &PersonRow) -> control::Member {
    let state = circle.now();
    let devices = circle.keys.keys().filter(|d| state.person_of(d) == Some(person.id)).map(|d| control::Device {
        id: d.text(),
        name: circle.records.get(d).map(|r| r.body.device_name.0.clone()).unwrap_or_default(),
        current: person.devices.contains(d),
    });
    control::Member {
        id: person.id.text(),
        name: person.name.0.clone(),
        role: person.role.map(|role| text::role(role).to_owned()),
        status: ["current", "suspended", "removed", "left"]
            .get(usize::from(person.status))
            .copied()
            .unwrap_or("removed")
            .to_owned(),
        devices: devices.collect(),
        me: summary.me == Some(person.id),
        alike: person.alike == Some(true),
    }
}
