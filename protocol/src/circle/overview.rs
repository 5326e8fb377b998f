//! What lists of circles and of invites show, as derived rows beside the [`Summary`]: so that no question about membership reads an
//! act. All rows of a circle are written by [`save`], in the commit that changes what they say.

use minicbor::{Decode, Encode};

use super::body::{Policy, Role};
use super::deeds::{Deed, Done};
use super::derived::{self, CIRCLE, INVITES, PEOPLE, VERSION, key};
use super::membership::{self, Status};
use super::state::{CircleState, OwnStanding};
use super::summary::Summary;
use super::terms::{self, RetentionTerm};
use super::text;
use crate::codec;
use crate::context::InputError;
use crate::control::{self, CircleStatus, Code, Error, Hint, InviteStatus};
use crate::id::{ActId, CircleId, DeviceId, EpochId, PersonId};
use crate::limits::NAMED_ALIKE;
use crate::private::Private;
use crate::store::{self, Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

/// What a list of circles shows of one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Overview {
    #[n(0)]
    version: u8,
    #[n(1)]
    pub(crate) id: CircleId,
    #[n(2)]
    name: Private<String>,
    #[n(3)]
    me: Option<PersonId>,
    /// My role while I am in or suspended.
    #[n(4)]
    role: Option<Role>,
    /// What membership says of me.
    #[n(5)]
    mine: Option<Status>,
    /// How this machine stands to it.
    #[n(6)]
    standing: OwnStanding,
    /// How many members and devices are current.
    #[n(7)]
    members: u64,
    #[n(8)]
    devices: u64,
    #[n(9)]
    pub(super) policies: Vec<Policy>,
    /// The epoch that a writer uses now, and its maker's label.
    #[n(10)]
    epoch: Option<(EpochId, Millis)>,
    /// The heads of membership.
    #[n(11)]
    heads: Vec<ActId>,
    /// See [`roster_hash`].
    #[n(12)]
    roster: String,
    #[n(13)]
    pub(super) frozen: bool,
    /// The retention in force is shorter than what was before: from when on it binds, and what does until then.
    #[n(14)]
    pub(super) shortened: Option<RetentionTerm>,
    /// Who set each of the policies, in their order.
    #[n(15)]
    pub(super) set: Vec<Option<Done>>,
    /// When this machine heard that its member was removed.
    #[n(16)]
    pub(super) ended: Option<Millis>,
    /// Did the member of this machine sign the agreement as it is now?
    #[n(17)]
    signed: bool,
    /// Since when newcomers read as much as the policy says, where it was stricter before.
    #[n(18)]
    pub(super) open_since: Option<Millis>,
}

impl Overview {
    /// A circle's.
    #[must_use]
    pub(crate) fn of(circle: &CircleState) -> Self {
        let state = circle.now();
        let me = circle.me().and_then(|me| state.people.get(&me));
        let current = state.people.values().filter(|person| person.status == Status::Current);
        let setting = |field| circle.done(Deed::Set(state.settings.get(field)?.first()?.0));
        Self {
            version: VERSION,
            id: circle.id(),
            name: Private(circle.name()),
            me: circle.me(),
            role: me.and_then(|person| person.role),
            mine: me.map(|person| person.status),
            standing: circle.standing(),
            members: current.count() as u64,
            devices: state.people.values().map(|person| person.devices.len() as u64).sum(),
            policies: state.policies.values().cloned().collect(),
            epoch: circle.usable_epoch().and_then(|id| Some((id, circle.epoch(&id)?.at))),
            heads: circle.membership().heads(),
            roster: roster_hash(circle),
            frozen: state.frozen,
            shortened: terms::shortened(&circle.retention_terms()),
            set: state.policies.keys().map(setting).collect(),
            ended: circle.own().ended(),
            signed: circle.agrees(),
            open_since: circle.open_since(),
        }
    }

    /// One circle's.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn load(read: &dyn Read, circle: &CircleId) -> Result<Option<Self>, StoreError> {
        derived::get(read, CIRCLE, circle)
    }

    /// Those of all circles that one has said yes to.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn all(read: &dyn Read) -> Result<Vec<Self>, StoreError> {
        let mut all = derived::all::<Self>(read, CIRCLE)?;
        all.retain(|circle| circle.standing != OwnStanding::Admitted);
        Ok(all)
    }

    /// How this machine stands to each circle, those included that one has not said yes to.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn standings(read: &dyn Read) -> Result<Vec<(CircleId, OwnStanding)>, StoreError> {
        Ok(derived::all::<Self>(read, CIRCLE)?.iter().map(|circle| (circle.id, circle.standing)).collect())
    }

    /// The circle that somebody names by id, prefix or name; `-` or nothing: the only one.
    ///
    /// # Errors
    /// Not found or ambiguous, with what there is; [`StoreError`] where the store fails.
    pub(crate) fn named(read: &dyn Read, text: &str) -> Result<Self, InputError> {
        Ok(pick(&Self::all(read)?, text)?.clone())
    }

    /// Does a steward have to approve people who ask to come in?
    pub(crate) fn asks_first(&self) -> bool {
        !self.policies.contains(&Policy::ApprovalRequired(false))
    }

    /// As the local API shows it.
    #[must_use]
    pub(crate) fn shown(&self) -> control::Circle {
        let status = match (self.standing, self.mine) {
            (OwnStanding::Removed, _) | (_, Some(Status::Removed)) => CircleStatus::Removed,
            (OwnStanding::Leaving | OwnStanding::Left, _) | (_, Some(Status::Left)) => CircleStatus::Left,
            (_, Some(Status::Suspended)) => CircleStatus::Suspended,
            (OwnStanding::Admitted, _) => CircleStatus::Admitted,
            (OwnStanding::In, _) => CircleStatus::Current,
        };
        let inside = !matches!(status, CircleStatus::Removed | CircleStatus::Left);
        // Who was removed may never get the act by which they were: they, with their computer, are among those counted.
        let too_many = u64::from(status == CircleStatus::Removed && self.mine == Some(Status::Current));
        let count = |count: u64| usize::try_from(count.saturating_sub(too_many)).unwrap_or(usize::MAX);
        control::Circle {
            id: self.id.text(),
            name: self.name.0.clone(),
            role: self.role.filter(|_| inside),
            status,
            members: count(self.members),
            devices: count(self.devices),
            policies: self.policies.iter().filter_map(text::policy).map(|(k, v)| (k.to_owned(), v)).collect(),
            epoch: self.epoch.map(|(id, at)| control::Epoch { id: id.text(), created_at: control::Time(at) }),
            heads: self.heads.iter().map(ActId::text).collect(),
            roster_hash: self.roster.clone(),
            frozen: self.frozen,
            shortened: self.shortened.map(text::shortened),
            open_since: self.open_since.map(control::Time),
            me: self.me.map(|me| me.text()).unwrap_or_default(),
            agreement_signed: self.signed,
            notice: None,
        }
    }
}

/// The people of the circle that somebody names, and of no other.
///
/// # Errors
/// As [`Overview::named`].
pub(crate) fn named(read: &dyn Read, text: &str) -> Result<Summary, InputError> {
    let id = Overview::named(read, text)?.id;
    Ok(Summary::load(read, &id)?.ok_or_else(|| StoreError::Corrupt("a circle without its derived row".to_owned()))?)
}

/// Which of them somebody names.
fn pick<'a>(all: &'a [Overview], text: &str) -> Result<&'a Overview, Error> {
    let text = text.trim();
    if text.is_empty() || text == "-" {
        let mut live: Vec<&Overview> = all.iter().filter(|s| matches!(s.standing, OwnStanding::In)).collect();
        if live.is_empty() {
            live = all.iter().collect();
        }
        return match live.as_slice() {
            [one] => Ok(one),
            [] => Err(Error::new(
                Code::NotFound,
                "You are in no circle yet.",
                [Hint::run("circle", "new", &["NAME"], "starts one"), Hint::run("", "join", &["LINK"], "joins one")],
            )),
            _ => Err(Error::new(Code::Ambiguous, "You are in several circles.", Hint::which_circle(listed(&live)))),
        };
    }
    let exact: Vec<&Overview> = all.iter().filter(|s| s.id.text() == text || s.name.0 == text).collect();
    let lower = text.to_lowercase();
    let loose = |s: &&Overview| s.name.0.to_lowercase() == lower || text.len() > 2 && s.id.text().starts_with(&lower);
    let found = if exact.is_empty() { all.iter().filter(loose).collect() } else { exact };
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Error::new(Code::NotFound, "No circle has that name or id.", Hint::run("circle", "list", &[], "shows yours"))),
        _ => Err(Error::new(
            Code::Ambiguous,
            "Several circles have that name.",
            format!("Use an id: {}.", listed(&found).join(", ")),
        )),
    }
}

fn listed(all: &[&Overview]) -> Vec<String> {
    all.iter().take(NAMED_ALIKE).map(|s| format!("{} ({})", s.id.text(), s.name.0)).collect()
}

/// Hash of the exact set of current devices, as hex.
#[must_use]
pub(crate) fn roster_hash(circle: &CircleState) -> String {
    let hash = circle.now().roster_hash();
    data_encoding::HEXLOWER.encode(hash.split_at(16).0)
}

/// An invite that stands, closed and used ones included.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct InviteRow {
    /// The act that opened it.
    #[n(0)]
    pub(crate) act: ActId,
    /// The most it gives.
    #[n(1)]
    pub(crate) role: Role,
    /// How many people may come by it,
    #[n(2)]
    pub(crate) uses: u32,
    /// and how many did.
    #[n(3)]
    pub(crate) used: u32,
    /// The ticket's public key.
    #[n(4)]
    pub(crate) key: DeviceId,
    /// When it ends.
    #[n(5)]
    pub(crate) expires: Millis,
    /// Closed by an act, or because its inviter is out.
    #[n(6)]
    pub(crate) closed: bool,
}

impl InviteRow {
    /// An invite of a circle.
    #[must_use]
    pub(crate) fn of(act: &ActId, invite: &membership::OpenInvite) -> Self {
        let used = u32::try_from(invite.used.len()).unwrap_or(u32::MAX);
        let membership::OpenInvite { role, uses, key, expires, closed, .. } = invite;
        Self { act: *act, role: *role, uses: *uses, used, key: *key, expires: *expires, closed: *closed }
    }

    /// May anybody still come by it, whenever?
    const fn is_open(&self) -> bool {
        !self.closed && self.used < self.uses
    }

    /// How it stands.
    #[must_use]
    pub(crate) fn status(&self, now: Millis) -> InviteStatus {
        if self.closed {
            InviteStatus::Revoked
        } else if !self.is_open() {
            InviteStatus::Used
        } else if now > self.expires {
            InviteStatus::Expired
        } else {
            InviteStatus::Open
        }
    }
}

/// All invites of a circle.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct InviteList {
    #[n(0)]
    version: u8,
    #[n(1)]
    pub(crate) all: Vec<InviteRow>,
}

impl InviteList {
    /// A circle's.
    #[must_use]
    pub(crate) fn of(circle: &CircleState) -> Self {
        let all = circle.now().invites.iter().map(|(act, invite)| InviteRow::of(act, invite)).collect();
        Self { version: VERSION, all }
    }

    /// One circle's.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn load(read: &dyn Read, circle: &CircleId) -> Result<Vec<InviteRow>, StoreError> {
        Ok(derived::get::<Self>(read, INVITES, circle)?.map(|row| row.all).unwrap_or_default())
    }
}

/// The invite that a ticket's public key belongs to; of several, one by which somebody may still come.
#[must_use]
pub(crate) fn invite_by<'a>(all: &'a [InviteRow], ticket: &DeviceId) -> Option<&'a InviteRow> {
    let of_ticket = || all.iter().filter(|invite| invite.key == *ticket);
    of_ticket().find(|invite| invite.is_open()).or_else(|| of_ticket().next())
}

// ---- writing ----------------------------------------------------------------------------------------------------------

/// A circle's rows, as they follow from its acts and records.
fn rows_of(circle: &CircleState) -> [(Vec<u8>, Vec<u8>); 3] {
    [
        (key(PEOPLE, &circle.id()), codec::encode(&Summary::of(circle))),
        (key(CIRCLE, &circle.id()), codec::encode(&Overview::of(circle))),
        (key(INVITES, &circle.id()), codec::encode(&InviteList::of(circle))),
    ]
}

/// Writes those of a circle's rows that say something else now.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub(crate) fn save(circle: &CircleState, tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for (key, value) in rows_of(circle) {
        if tx.get(Table::Member, &key)?.as_ref() != Some(&value) {
            tx.put(Table::Member, &key, value);
        }
    }
    Ok(())
}

/// Deletes a circle's rows.
pub(crate) fn forget(tx: &mut Tx<'_>, circle: &CircleId) {
    for kind in [PEOPLE, CIRCLE, INVITES] {
        tx.delete(Table::Member, &key(kind, circle));
    }
}

/// Do a circle's rows say what its acts and records say?
///
/// # Errors
/// [`StoreError`] where the store fails.
pub(crate) fn agrees(circle: &CircleState, read: &dyn Read) -> Result<bool, StoreError> {
    for (key, value) in rows_of(circle) {
        if read.get(Table::Member, &key)? != Some(value) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the rows again that another version of this program wrote.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub(crate) fn refresh<'a>(circles: impl Iterator<Item = &'a CircleState>, tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for (key, value) in store::all(tx, Table::Member, &[])? {
        if !derived::is_of_this_version(&key, &value) {
            tx.delete(Table::Member, &key);
        }
    }
    for circle in circles {
        for (key, value) in rows_of(circle) {
            if tx.get(Table::Member, &key)?.is_none() {
                tx.put(Table::Member, &key, value);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::circle::body::Retention;
    use crate::frozen::{Form, frozen};

    /// With all that may be there or not, or with none of it.
    fn overview(some: bool) -> Overview {
        Overview {
            version: VERSION,
            id: CircleId([1; 32]),
            name: Private("Night shift".to_owned()),
            me: some.then_some(PersonId([2; 32])),
            role: some.then_some(Role::Founder),
            mine: some.then_some(Status::Current),
            standing: OwnStanding::In,
            members: 3,
            devices: 300,
            policies: vec![Policy::MembersInvite(true)],
            epoch: some.then_some((EpochId([5; 32]), Millis(1_795_359_600_000))),
            heads: vec![ActId([4; 32])],
            roster: "0f".repeat(16),
            frozen: !some,
            shortened: some.then_some(RetentionTerm { set: Millis(1_795_359_600_000), value: Retention::Days(90) }),
            set: vec![None, Some(Done { at: Millis(1_795_359_600_000), by: some.then_some(PersonId([2; 32])) })],
            ended: some.then_some(Millis(1_795_359_600_000)),
            signed: some,
            open_since: some.then_some(Millis(1_795_359_600_000)),
        }
    }

    fn invites() -> InviteList {
        let (act, key, expires) = (ActId([4; 32]), DeviceId([3; 32]), Millis(1_795_618_800_000));
        InviteList {
            version: VERSION,
            all: vec![InviteRow { act, role: Role::Member, uses: 300, used: 1, key, expires, closed: true }],
        }
    }

    frozen![Form::new("overview", 5, &[overview(true), overview(false)]), Form::new("invite-list", 5, &[invites()])];
}
