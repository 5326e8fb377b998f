//! What the resolver takes: an act whose signatures have been verified, and what its statement says about whom.

use crate::circle::act::{ActBody, SealedAct};
use crate::circle::body::{Motion, Role, Statement};
use crate::crypto::DeviceKeys;
use crate::crypto::{Crypto, Signature, SigningKey};
use crate::id::{ActId, CircleId, DeviceId, PersonId};

/// One act, its signature verified and its payload opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its id.
    pub id: ActId,
    /// The device that signed it; for a recovery, the recovery key.
    pub author: DeviceId,
    /// The heads its author knew.
    pub parents: Vec<ActId>,
    /// What it says.
    pub statement: Statement,
    /// Does it carry a new epoch?
    pub epoch: bool,
    /// For [`Statement::Device`]: is the new device's counter-signature valid? Without meaning for other statements.
    pub countersigned: bool,
}

impl Fact {
    /// The fact that an act states, once its signature has been verified and its body opened.
    #[must_use]
    pub fn read(crypto: &dyn Crypto, act: &SealedAct, body: ActBody) -> Self {
        let mut countersigned = false;
        if let Statement::Device { device, countersignature } = &body.statement {
            let parts: [&[u8]; 2] = [&act.circle().0, &act.author().0];
            countersigned = crypto.verify(&device.sign, COUNTERSIGN, &parts, &Signature(*countersignature));
        }
        let ActBody { statement, epoch, .. } = body;
        let parents = act.parents().to_vec();
        Self { id: act.id(), author: act.author(), parents, statement, epoch: epoch.is_some(), countersigned }
    }
}

const COUNTERSIGN: &str = "kith/v1/device";

/// A new device's word that it belongs with `certifier`, another device of the same person.
#[must_use]
pub fn countersign(crypto: &dyn Crypto, device: &SigningKey, circle: &CircleId, certifier: &DeviceId) -> [u8; 64] {
    crypto.sign(device, COUNTERSIGN, &[&circle.0, &certifier.0]).0
}

/// The founder's id: it follows from their first signing key alone, since the circle's id is not known before the genesis is.
#[must_use]
pub fn founder_id(device: &DeviceId) -> PersonId {
    PersonId(*blake3::Hasher::new_derive_key("kith/v1/founder-id").update(&device.0).finalize().as_bytes())
}

/// A person's id: it follows from the circle and the first signing key they were admitted with, and stays theirs for good.
#[must_use]
pub fn person_id(circle: &CircleId, device: &DeviceId) -> PersonId {
    let mut hasher = blake3::Hasher::new_derive_key("kith/v1/person-id");
    hasher.update(&circle.0).update(&device.0);
    PersonId(*hasher.finalize().as_bytes())
}

/// Whom a statement is about.
pub(super) const fn subject(statement: &Statement) -> Option<PersonId> {
    if let Statement::Admit { person, .. }
    | Statement::Confirm { person, .. }
    | Statement::Remove { person, .. }
    | Statement::Role { person, .. }
    | Statement::Delegate { person, .. }
    | Statement::Vouch { person, .. }
    | Statement::Revouch { person, .. }
    | Statement::Restore { person, .. } = statement
    {
        return Some(*person);
    }
    None
}

/// The proposal that a quorum act enacts.
pub(super) const fn proposal(statement: &Statement) -> Option<ActId> {
    if let Statement::Admit { proposal, .. }
    | Statement::Remove { proposal, .. }
    | Statement::Role { proposal, .. }
    | Statement::Policy { proposal, .. }
    | Statement::Delegate { proposal, .. }
    | Statement::Revouch { proposal, .. } = statement
    {
        return *proposal;
    }
    None
}

/// Does this statement do exactly what `motion` says (R5)?
pub(super) fn enacts(statement: &Statement, motion: &Motion) -> bool {
    match motion {
        Motion::Admit(whom, to) => matches!(statement, Statement::Admit { person, role, .. } if person == whom && role == to),
        Motion::Remove(whom) => matches!(statement, Statement::Remove { person, .. } if person == whom),
        Motion::Role(whom, to) => matches!(statement, Statement::Role { person, role, .. } if person == whom && role == to),
        Motion::Policy(what) => matches!(statement, Statement::Policy { set, .. } if set == what),
        Motion::Delegate(whom, yes) => {
            matches!(statement, Statement::Delegate { person, on, .. } if person == whom && on == yes)
        }
        Motion::Revouch(whom, key) => {
            matches!(statement, Statement::Revouch { person, device, .. } if person == whom && device.sign == *key)
        }
    }
}

/// Whom a motion is about.
pub(super) const fn motion_subject(motion: &Motion) -> Option<PersonId> {
    match motion {
        Motion::Admit(person, _)
        | Motion::Remove(person)
        | Motion::Role(person, _)
        | Motion::Delegate(person, _)
        | Motion::Revouch(person, _) => Some(*person),
        Motion::Policy(_) => None,
    }
}

/// The devices a statement brings, and the recovery key.
pub(super) const fn introduced(statement: &Statement) -> (&[DeviceKeys], Option<DeviceId>) {
    if let Statement::Genesis { devices, recovery, .. } | Statement::Admit { devices, recovery, .. } = statement {
        (devices.as_slice(), *recovery)
    } else if let Statement::Device { device, .. } = statement {
        (std::slice::from_ref(device), None)
    } else if let Statement::Recover { device, recovery, .. } = statement {
        (std::slice::from_ref(device), Some(*recovery))
    } else if let Statement::Revouch { device, recovery, .. } = statement {
        (std::slice::from_ref(device), *recovery)
    } else {
        (&[], None)
    }
}

/// The role that an add or a role act gives.
pub(super) const fn given(statement: &Statement) -> Option<Role> {
    if let Statement::Admit { role, .. } | Statement::Confirm { role, .. } | Statement::Role { role, .. } = statement {
        return Some(*role);
    }
    if let Statement::Genesis { .. } = statement { Some(Role::Founder) } else { None }
}

/// Genesis, admission and confirmation: what makes somebody a member.
pub(super) const fn is_add(statement: &Statement) -> bool {
    matches!(statement, Statement::Genesis { .. } | Statement::Admit { .. } | Statement::Confirm { .. })
}
