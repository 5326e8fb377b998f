//! What acts did to people and rules, and who did it last: for people who were away.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::body::{Role, Statement};
use crate::id::{ActId, DeviceId, PersonId};
use crate::time::Millis;

/// What an act did that somebody may want to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    /// It made somebody a member.
    Added(PersonId),
    /// It removed them.
    Removed(PersonId),
    /// It gave them a role.
    Ranked(PersonId, Role),
    /// It set policies.
    Set(ActId),
}

/// When an act was written, by its author's clock, which act, and by which device.
type Doing = (Millis, ActId, DeviceId);

/// Of everything that acts did, which did it last.
#[derive(Debug, Default)]
pub(crate) struct Deeds(BTreeMap<Deed, Doing>);

impl Deeds {
    /// Notes what an act did.
    pub(crate) fn note(&mut self, statement: &Statement, doing: Doing) {
        let deeds = match statement {
            Statement::Genesis { .. } | Statement::Policy { .. } => vec![Deed::Set(doing.1)],
            Statement::Admit { person, role, .. } | Statement::Confirm { person, role, .. } => {
                vec![Deed::Added(*person), Deed::Ranked(*person, *role)]
            }
            Statement::Role { person, role, .. } => vec![Deed::Ranked(*person, *role)],
            Statement::Remove { person, .. } => vec![Deed::Removed(*person)],
            Statement::Leave
            | Statement::Propose { .. }
            | Statement::Vote { .. }
            | Statement::Delegate { .. }
            | Statement::Invite { .. }
            | Statement::Uninvite { .. }
            | Statement::Device { .. }
            | Statement::Recover { .. }
            | Statement::Revoke { .. }
            | Statement::Vouch { .. }
            | Statement::Revouch { .. }
            | Statement::Rotate
            | Statement::Restore { .. } => Vec::new(),
        };
        for deed in deeds {
            let last = self.0.entry(deed).or_insert(doing);
            *last = doing.max(*last);
        }
    }

    /// When something was done last, and by which device.
    pub(super) fn last(&self, deed: Deed) -> Option<(Millis, DeviceId)> {
        self.0.get(&deed).map(|(at, _, author)| (*at, *author))
    }
}

/// Who did something, and when, by their clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Done {
    /// When.
    #[n(0)]
    pub(crate) at: Millis,
    /// Who, if it is known whose device that was.
    #[n(1)]
    pub(crate) by: Option<PersonId>,
}
