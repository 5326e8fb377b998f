//! What makes a statement unfit whatever the circle looks like: sizes, duplicates, values nobody may write. An unfit act is
//! inadmissible like any other (R3), so that everybody judges alike; it never stops anything.

use std::collections::BTreeSet;

use super::fact::{Fact, introduced};
use crate::circle::body::{History, Motion, Point, Points, Policy, Retention, Statement};
use crate::circle::text;
use crate::crypto::DeviceKeys;
use crate::limits;

/// HPKE public key bytes by suite: X-Wing, X25519.
const HPKE_BYTES: [(u8, usize); 2] = [(1, 1_216), (2, 32)];

/// Is `fact` fit to be judged in a circle whose genesis named `suite`?
pub(super) fn wellformed(fact: &Fact, suite: u8) -> bool {
    let parents: BTreeSet<_> = fact.parents.iter().collect();
    if fact.parents.len() > limits::HEADS || parents.len() != fact.parents.len() {
        return false;
    }
    let (devices, _) = introduced(&fact.statement);
    if devices.len() > limits::DEVICES_PER_ADMISSION || !devices.iter().all(|keys| keys_fit(keys, suite)) {
        return false;
    }
    match &fact.statement {
        Statement::Genesis { devices, policies, .. } => {
            fact.epoch && devices.first().is_some_and(|keys| keys.sign == fact.author) && policies_fit(policies)
        }
        Statement::Admit { devices, .. } => !devices.is_empty(),
        Statement::Remove { points, .. } => fact.epoch && points_fit(points),
        Statement::Role { points, .. } | Statement::Restore { points, .. } => points_fit(points),
        Statement::Revoke { points, keep, .. } => points_fit(points) && keep.len() <= limits::DEVICES,
        Statement::Recover { keep, .. } => keep.len() <= limits::DEVICES,
        Statement::Propose { motion } => motion_fits(motion),
        Statement::Policy { set, .. } => !set.is_empty() && policies_fit(set),
        Statement::Invite { uses, .. } => (1..=limits::INVITE_USES).contains(uses),
        Statement::Revouch { vouch, proposal, .. } => vouch.is_some() != proposal.is_some(),
        Statement::Rotate => fact.epoch,
        Statement::Confirm { .. }
        | Statement::Leave
        | Statement::Vote { .. }
        | Statement::Delegate { .. }
        | Statement::Uninvite { .. }
        | Statement::Device { .. }
        | Statement::Vouch { .. } => true,
    }
}

fn keys_fit(keys: &DeviceKeys, suite: u8) -> bool {
    HPKE_BYTES.iter().any(|(known, bytes)| *known == suite && *bytes == keys.hpke.len())
}

fn points_fit(points: &Points) -> bool {
    let fit = |of_chain: &Vec<_>| {
        (1..=limits::POINTS_PER_CHAIN).contains(&of_chain.len()) && of_chain.is_sorted_by(|a: &Point, b| a < b)
    };
    points.len() <= limits::POINTS && points.values().all(fit)
}

fn motion_fits(motion: &Motion) -> bool {
    match motion {
        Motion::Policy(set) => !set.is_empty() && policies_fit(set),
        Motion::Admit(..) | Motion::Remove(_) | Motion::Role(..) | Motion::Delegate(..) | Motion::Revouch(..) => true,
    }
}

/// Ascending by field, each once, so that equal settings are equal bytes.
fn policies_fit(set: &[Policy]) -> bool {
    set.iter().all(policy_fits) && set.windows(2).all(|pair| matches!(pair, [a, b] if a.field() < b.field()))
}

fn policy_fits(policy: &Policy) -> bool {
    let days = |days: &u32| (1..=limits::POLICY_DAYS).contains(days);
    match policy {
        Policy::Name(name) => !name.0.trim().is_empty() && text::is_name(&name.0),
        Policy::Agreement(text) => text.0.len() <= limits::AGREEMENT_BYTES,
        Policy::History(History::Days(n)) | Policy::Retention(Retention::Days(n)) => days(n),
        Policy::Later(number, value) => *number < limits::POLICY_FIELDS && value.bytes().len() <= limits::AGREEMENT_BYTES,
        Policy::History(History::All | History::SinceJoin)
        | Policy::Retention(Retention::Keep)
        | Policy::MembersInvite(_)
        | Policy::ApprovalRequired(_) => true,
    }
}
