//! What has changed about a circle's people and rules since the member of this machine last looked.
//!
//! What they saw is kept as one row of `Local`; what is new is the difference between it and the circle's derived rows. So a role that
//! was given and taken back is no news, a question reads no act, and what it costs grows with the people and never with the past.
//! Leaving is silent: that somebody left is no news either, unless nobody is left who can let people in.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::body::{Policy, PolicyField, Role};
use super::deeds::Done;
use super::membership::Status;
use super::overview::Overview;
use super::state::{CircleState, OwnStanding};
use super::summary::{PersonRow, Summary};
use super::text;
use crate::codec;
use crate::control::{Author, FieldChange, Happening, Hint, Hints, InboxEntry, Subject, Time};
use crate::id::{CircleId, PersonId};
use crate::store::{Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

const VERSION: u8 = 1;

/// What somebody saw of a circle.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Looked {
    #[n(0)]
    version: u8,
    #[n(1)]
    standing: OwnStanding,
    #[n(2)]
    frozen: bool,
    #[n(3)]
    policies: Vec<Policy>,
    #[n(4)]
    people: Vec<SeenPerson>,
}

/// What they saw of one person.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct SeenPerson {
    #[n(0)]
    id: PersonId,
    #[n(1)]
    status: Status,
    #[n(2)]
    role: Option<Role>,
    /// Had they said yes, and so told their name?
    #[n(3)]
    named: bool,
}

fn key(circle: &CircleId) -> Vec<u8> {
    [b"looked", &circle.0[..]].concat()
}

impl Looked {
    fn of(summary: &Summary, overview: &Overview) -> Self {
        let known =
            |person: &PersonRow| SeenPerson { id: person.id, status: person.status, role: person.role, named: person.named };
        Self {
            version: VERSION,
            standing: summary.standing,
            frozen: overview.frozen,
            policies: overview.policies.clone(),
            people: summary.people.iter().map(known).collect(),
        }
    }

    fn get(read: &dyn Read, circle: &CircleId) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = read.get(Table::Local, &key(circle))? else { return Ok(None) };
        let row: Self =
            codec::decode(&bytes, "what was seen of a circle").map_err(|error| StoreError::Corrupt(error.to_string()))?;
        if row.version == VERSION {
            Ok(Some(row))
        } else {
            Err(StoreError::Corrupt("what was seen of a circle, of a newer form".to_owned()))
        }
    }

    fn put(&self, tx: &mut Tx<'_>, circle: &CircleId) {
        tx.put(Table::Local, &key(circle), codec::encode(self));
    }
}

/// People know a circle as it is when they found or join it.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub(crate) fn begin(circle: &CircleState, tx: &mut Tx<'_>) -> Result<(), StoreError> {
    if circle.is_in() && tx.get(Table::Local, &key(&circle.id()))?.is_none() {
        Looked::of(&Summary::of(circle), &Overview::of(circle)).put(tx, &circle.id());
    }
    Ok(())
}

/// Deletes what they saw.
pub(crate) fn forget(tx: &mut Tx<'_>, circle: &CircleId) {
    tx.delete(Table::Local, &key(circle));
}

/// They have looked: nothing of it is news after that.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub(crate) fn see(tx: &mut Tx<'_>, summary: &Summary) -> Result<(), StoreError> {
    if let Some(overview) = Overview::load(tx, &summary.id)? {
        Looked::of(summary, &overview).put(tx, &summary.id);
    }
    Ok(())
}

/// What is new about a circle's people and rules; what one did oneself is not.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub(crate) fn news(read: &dyn Read, summary: &Summary, now: Millis) -> Result<Vec<InboxEntry>, StoreError> {
    let (Some(looked), Some(overview)) = (Looked::get(read, &summary.id)?, Overview::load(read, &summary.id)?) else {
        return Ok(Vec::new());
    };
    let teller = Teller { summary, overview: &overview, now };
    let mut told = Vec::new();
    match (looked.standing, summary.standing) {
        (OwnStanding::In, OwnStanding::Removed) => told.extend(teller.own_removal()),
        (_, OwnStanding::In) => {
            let known: BTreeMap<&PersonId, &SeenPerson> = looked.people.iter().map(|known| (&known.id, known)).collect();
            told.extend(summary.people.iter().filter_map(|person| teller.person(known.get(&person.id).copied(), person)));
            told.extend(teller.rules(&looked.policies));
            if overview.frozen && !looked.frozen {
                told.push(teller.about_circle(Happening::Frozen, None, Vec::new()));
            }
        }
        _ => {}
    }
    Ok(told)
}

struct Teller<'a> {
    summary: &'a Summary,
    overview: &'a Overview,
    now: Millis,
}

impl Teller<'_> {
    fn person(&self, before: Option<&SeenPerson>, now: &PersonRow) -> Option<InboxEntry> {
        let is_in = |status: Status| matches!(status, Status::Current | Status::Suspended);
        let was = before.filter(|known| is_in(known.status) && known.named);
        let change = |before: Option<Role>, after: Option<Role>| {
            let word = |role: Option<Role>| role.map(|role| role.word().to_owned());
            vec![FieldChange::new("role", word(before), word(after))]
        };
        let (what, done, changes) = match was {
            // Nobody is told of before they have said yes.
            None if is_in(now.status) && now.named => (Happening::Joined, now.added, change(None, now.role)),
            Some(_) if now.status == Status::Removed => (Happening::Removed, now.removed, Vec::new()),
            Some(known) if is_in(now.status) && known.status != now.status && now.status == Status::Suspended => {
                (Happening::Suspended, None, Vec::new())
            }
            Some(known) if is_in(now.status) && known.role != now.role => {
                (Happening::Role, now.ranked, change(known.role, now.role))
            }
            Some(_) | None => return None,
        };
        // A steward's machine lets people in by itself where nobody has to approve: that is news to the steward, too.
        let by_itself = what == Happening::Joined && !self.overview.asks_first();
        let mine = done.and_then(|done| done.by).is_some_and(|by| self.summary.me == Some(by));
        (!mine || by_itself).then(|| self.about_person(what, &now.id, done, changes))
    }

    fn rules(&self, before: &[Policy]) -> Vec<InboxEntry> {
        let set = self.overview.policies.iter().zip(&self.overview.set);
        let changed = set.filter_map(|(policy, done)| {
            let old = before.iter().find(|old| old.field() == policy.field());
            let mine = done.and_then(|done| done.by).is_some_and(|by| self.summary.me == Some(by));
            if old == Some(policy) || mine {
                return None;
            }
            let what = match policy.field() {
                PolicyField::Name => Happening::Name,
                PolicyField::Agreement => Happening::Agreement,
                PolicyField::History => Happening::History,
                PolicyField::Retention => Happening::Retention,
                PolicyField::MembersInvite => Happening::Invite,
                PolicyField::ApprovalRequired => Happening::Approval,
                PolicyField::Later(_) => return None,
            };
            let change = FieldChange::new(what.word(), old.and_then(short), short(policy));
            let from = match policy.field() {
                PolicyField::Retention => self.overview.shortened.map(|term| term.set),
                PolicyField::History => self.overview.open_since,
                PolicyField::Name
                | PolicyField::Agreement
                | PolicyField::MembersInvite
                | PolicyField::ApprovalRequired
                | PolicyField::Later(_) => None,
            };
            Some(InboxEntry { from: from.map(Time), ..self.about_circle(what, *done, vec![change]) })
        });
        changed.collect()
    }

    /// The member of this machine was removed.
    fn own_removal(&self) -> Option<InboxEntry> {
        // A farewell may be in the name of another steward than of the one who decided it.
        let done = self.overview.ended.map(|at| Done { at, by: None });
        Some(self.about_person(Happening::Removed, &self.summary.me?, done, Vec::new()))
    }

    fn about_person(&self, what: Happening, id: &PersonId, done: Option<Done>, changes: Vec<FieldChange>) -> InboxEntry {
        let member = self.named(id);
        let entry = self.entry((Subject::Member, id.text()), what, done, changes);
        InboxEntry { title: member.name.clone(), member: Some(member), me: self.summary.me == Some(*id), ..entry }
    }

    fn about_circle(&self, what: Happening, done: Option<Done>, changes: Vec<FieldChange>) -> InboxEntry {
        let hints = if what == Happening::Agreement {
            let id = self.summary.id.text();
            let [show, sign] = [(&["-c", &id][..], "shows it"), (&["--sign", "-c", &id][..], "says that you agree")]
                .map(|(args, brings)| Hint::run("circle", "agreement", args, brings));
            [show, sign].into()
        } else {
            Hints::default()
        };
        let entry = self.entry((Subject::Circle, self.summary.id.text()), what, done, changes);
        InboxEntry { title: self.summary.name.0.clone(), hints, ..entry }
    }

    fn entry(&self, (kind, id): (Subject, String), what: Happening, done: Option<Done>, changes: Vec<FieldChange>) -> InboxEntry {
        let circle = (self.summary.id.text(), self.summary.name.0.clone());
        let author = done.and_then(|done| done.by).map(|by| self.named(&by)).unwrap_or_default();
        let at = Time(done.map_or(self.now, |done| done.at));
        InboxEntry { what: Some(what), changes, ..InboxEntry::new(kind, id, circle, author, at) }
    }

    fn named(&self, id: &PersonId) -> Author {
        let row = self.summary.row_of(id);
        let name = row.map_or_else(|| id.text(), |row| row.name.0.clone());
        Author { member: id.text(), name, alike: row.is_some_and(|row| row.alike), alike_former: false }
    }
}

/// What a policy says, where that is not a long text.
fn short(policy: &Policy) -> Option<String> {
    match policy {
        Policy::Name(name) => Some(name.0.clone()),
        Policy::Agreement(_) | Policy::Later(..) => None,
        Policy::History(_) | Policy::Retention(_) | Policy::MembersInvite(_) | Policy::ApprovalRequired(_) => {
            text::policy(policy).map(|(_, value)| value)
        }
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};
    use crate::private::Private;

    fn looked() -> Looked {
        let known =
            |byte, role: Option<Role>, status| SeenPerson { id: PersonId([byte; 32]), status, role, named: role.is_some() };
        Looked {
            version: VERSION,
            standing: OwnStanding::In,
            frozen: true,
            policies: vec![Policy::Name(Private("Night shift".to_owned()))],
            people: vec![known(2, Some(Role::Founder), Status::Current), known(12, None, Status::Removed)],
        }
    }

    frozen![Form::new("looked", 1, &[looked()])];
}
