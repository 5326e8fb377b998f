//! What a set of acts means, in the ids of the world outside: plain data, made once per frontier and shared.

use std::collections::{BTreeMap, BTreeSet};

use super::cuts::Cut;
use super::graph::{ActGraph, Ancestry};
use super::judgement::Judgement;
use super::people::{Standing, Status};
use crate::circle::body::{History, Policy, PolicyField, Retention, Role, Statement};
use crate::id::{ActId, CircleId, DeviceId, PersonId};
use crate::time::Millis;

/// A person in one circle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// In, waiting or out.
    pub status: Status,
    /// Their role; `None` once they are out.
    pub role: Option<Role>,
    /// Their current devices, ascending; empty unless they are current.
    pub devices: Vec<DeviceId>,
    /// Devices with which they may still leave and care for their devices.
    pub dormant: Vec<DeviceId>,
    /// May they carry things between circles?
    pub delegate: bool,
    /// The adds that make them a member now, ascending.
    pub since: Vec<ActId>,
}

impl Person {
    /// Are they in?
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.status == Status::Current
    }
}

/// An invite that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenInvite {
    /// Who opened it.
    pub by: PersonId,
    /// The most it gives.
    pub role: Role,
    /// How many people may come by it.
    pub uses: u32,
    /// Who came by it (D-17: people, not acts).
    pub used: BTreeSet<PersonId>,
    /// The ticket's public key.
    pub key: DeviceId,
    /// When it ends, by the admitting steward's clock.
    pub expires: Millis,
    /// Closed by an act, or by its inviter's removal or leave.
    pub closed: bool,
}

impl OpenInvite {
    /// How many more people may come by it.
    #[must_use]
    pub fn left(&self) -> u32 {
        let used = u32::try_from(self.used.len()).unwrap_or(u32::MAX);
        if self.closed { 0 } else { self.uses.saturating_sub(used) }
    }
}

/// The membership of one circle at one frontier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Which circle.
    pub circle: CircleId,
    /// The maximal acts it was judged from, plain rotations included, ascending.
    pub frontier: Vec<ActId>,
    /// Everybody who was ever admissibly added.
    pub people: BTreeMap<PersonId, Person>,
    /// Whose each device is, past ones included; one that was introduced for two persons is nobody's (D-18).
    pub owners: BTreeMap<DeviceId, PersonId>,
    /// The policies in force, with defaults: since-join, keep, stewards invite, approval required.
    pub policies: BTreeMap<PolicyField, Policy>,
    /// Per field that was ever set: the settings between which only the id decides, the one in force first.
    pub settings: BTreeMap<PolicyField, Vec<(ActId, Policy)>>,
    /// The maximal usable epochs' acts; the first has the smallest id and is the one to write under. Empty: rotate first.
    pub epochs: Vec<ActId>,
    /// R10: neither steward nor founder is left.
    pub frozen: bool,
    /// Content cuts in effect, by act.
    pub cuts: Vec<Cut>,
    /// Invites that stand, closed and used ones included.
    pub invites: BTreeMap<ActId, OpenInvite>,
    /// Downs that apply but cut nothing.
    pub late: BTreeSet<ActId>,
    /// Downs and identity acts that cut each other.
    pub opposed: BTreeSet<ActId>,
}

impl State {
    /// Whose device it is or was.
    #[must_use]
    pub fn person_of(&self, device: &DeviceId) -> Option<PersonId> {
        self.owners.get(device).copied()
    }

    /// Is the device in the roster?
    #[must_use]
    pub fn is_current(&self, device: &DeviceId) -> bool {
        let person = self.person_of(device).and_then(|person| self.people.get(&person));
        person.is_some_and(|person| person.devices.binary_search(device).is_ok())
    }

    /// The role of the person whose current device it is.
    #[must_use]
    pub(crate) fn role_of(&self, device: &DeviceId) -> Option<Role> {
        let person = self.person_of(device).filter(|_| self.is_current(device))?;
        self.people.get(&person)?.role
    }

    /// The current members.
    pub fn members(&self) -> impl Iterator<Item = (&PersonId, &Person)> {
        self.people.iter().filter(|(_, person)| person.is_current())
    }

    /// The roster: every current device.
    #[must_use]
    pub fn roster(&self) -> BTreeSet<DeviceId> {
        self.members().flat_map(|(_, person)| person.devices.iter().copied()).collect()
    }

    /// A hash of the exact set of current devices; equal among members who agree.
    #[must_use]
    pub fn roster_hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("kith/v1/roster-hash");
        hasher.update(&self.circle.0);
        for device in self.roster() {
            hasher.update(&device.0);
        }
        *hasher.finalize().as_bytes()
    }

    /// The act whose epoch a writer uses who knows all this; `None`: rotate first.
    #[must_use]
    pub fn epoch(&self) -> Option<ActId> {
        self.epochs.first().copied()
    }

    /// What newcomers may read of conversation.
    #[must_use]
    pub fn history(&self) -> History {
        match self.policies.get(&PolicyField::History) {
            Some(Policy::History(history)) => *history,
            _ => History::SinceJoin,
        }
    }

    /// How long conversation is kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        match self.policies.get(&PolicyField::Retention) {
            Some(Policy::Retention(retention)) => *retention,
            _ => Retention::Keep,
        }
    }

    /// May every member invite?
    #[must_use]
    pub fn members_invite(&self) -> bool {
        matches!(self.policies.get(&PolicyField::MembersInvite), Some(Policy::MembersInvite(true)))
    }

    /// Must a steward approve a request?
    #[must_use]
    pub(crate) fn approval_required(&self) -> bool {
        !matches!(self.policies.get(&PolicyField::ApprovalRequired), Some(Policy::ApprovalRequired(false)))
    }

    /// R4: the cuts that cover a device's writing.
    pub(crate) fn cuts_of(&self, device: &DeviceId) -> impl Iterator<Item = &Cut> {
        self.cuts.iter().filter(|cut| cut.devices.contains(device))
    }

    /// The judgement `j` of `place` in the ids of the world outside.
    pub(super) fn of(g: &ActGraph, j: &Judgement, place: &Ancestry) -> Self {
        let ids = |acts: Vec<usize>| acts.into_iter().map(|x| g.act(x).id);
        let mut frontier: Vec<ActId> = ids(place.tips.clone()).collect();
        frontier.sort_unstable();
        let settings = settings(g, j);
        let mut policies: BTreeMap<PolicyField, Policy> = [
            Policy::History(History::SinceJoin),
            Policy::Retention(Retention::Keep),
            Policy::MembersInvite(false),
            Policy::ApprovalRequired(true),
        ]
        .into_iter()
        .map(|policy| (policy.field(), policy))
        .collect();
        policies.extend(settings.iter().filter_map(|(field, set)| Some((*field, set.first()?.1.clone()))));
        Self {
            circle: g.circle,
            frontier,
            people: j.everybody().map(|(p, standing)| (g.person_id(p), person(g, standing))).collect(),
            owners: owners(g, j),
            policies,
            settings,
            epochs: ids(j.usable(g, &place.past)).collect(),
            frozen: j.frozen(),
            cuts: j.cuts(g),
            invites: invites(g, j),
            late: ids(j.labels.late.list()).filter(|id| g.find(id).is_some_and(|x| j.eff.get(x))).collect(),
            opposed: ids(j.opposed()).collect(),
        }
    }
}

fn person(g: &ActGraph, standing: &Standing) -> Person {
    let devices = |keys: &[usize]| {
        let mut devices: Vec<DeviceId> = keys.iter().map(|key| g.key_id(*key)).collect();
        devices.sort_unstable();
        devices
    };
    let mut since: Vec<ActId> = standing.live.iter().map(|x| g.act(*x).id).collect();
    since.sort_unstable();
    Person {
        status: standing.status,
        role: matches!(standing.status, Status::Current | Status::Suspended).then_some(standing.rank),
        devices: devices(&standing.devices),
        dormant: devices(&standing.dormant),
        delegate: standing.delegate,
        since,
    }
}

fn owners(g: &ActGraph, j: &Judgement) -> BTreeMap<DeviceId, PersonId> {
    let view = j.view(g);
    let mut owners = BTreeMap::new();
    for (p, _) in j.everybody() {
        for act in g.dossier(p).intros.iter().filter(|x| j.ids.get(**x)).map(|x| g.act(*x)) {
            for key in act.keys.iter().filter(|key| Some(**key) != act.recovery && view.claims(**key) == 1) {
                owners.insert(g.key_id(*key), g.person_id(p));
            }
        }
    }
    owners
}

fn settings(g: &ActGraph, j: &Judgement) -> BTreeMap<PolicyField, Vec<(ActId, Policy)>> {
    let fields = j.settings.keys().map(|field| {
        let chosen = j.chosen(g, *field).into_iter().map(|(x, policy)| (g.act(x).id, policy.clone()));
        (*field, chosen.collect())
    });
    fields.collect()
}

fn invites(g: &ActGraph, j: &Judgement) -> BTreeMap<ActId, OpenInvite> {
    let all = j.everybody().flat_map(|(p, _)| &g.dossier(p).invites).filter(|x| j.eff.get(**x));
    let found = all.filter_map(|x| {
        let act = g.act(*x);
        let Statement::Invite { role, uses, key, expires } = &act.statement else { return None };
        let invite = OpenInvite {
            by: g.person_id(act.ruling.who),
            role: *role,
            uses: *uses,
            used: j.people_by(g, *x).into_iter().map(|p| g.person_id(p)).collect(),
            key: *key,
            expires: *expires,
            closed: j.closed.get(*x),
        };
        Some((act.id, invite))
    });
    found.collect()
}
