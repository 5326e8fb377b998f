//! Frozen examples of what acts say: every statement, motion and policy.

use std::collections::BTreeMap;

use super::ActBody;
use crate::circle::body::{
    ChainId, Commitment, History, KeyClass, Motion, NewEpoch, Point, Points, Policy, Retention, Role, SealedLink, Statement,
};
use crate::crypto::DeviceKeys;
use crate::frozen::{Form, frozen};
use crate::id::{ActId, DeviceId, EntryId, EpochId, Incarnation, PersonId};
use crate::private::Private;
use crate::time::Millis;

const PERSON: PersonId = PersonId([2; 32]);
const DEVICE: DeviceId = DeviceId([3; 32]);
const ACT: ActId = ActId([4; 32]);

fn keys() -> DeviceKeys {
    DeviceKeys { sign: DEVICE, hpke: vec![42; 32], hello: [43; 32] }
}

fn points() -> Points {
    let chain = ChainId { device: DEVICE, incarnation: Incarnation([7; 16]), class: KeyClass::Talk };
    let point = |seq| Point { seq, entry: EntryId([6; 32]) };
    BTreeMap::from([(chain, vec![point(4), point(400)])])
}

fn policies() -> Vec<Policy> {
    vec![
        Policy::Name(Private("Night shift".to_owned())),
        Policy::Agreement(Private("What is said here stays here.".to_owned())),
        Policy::History(History::All),
        Policy::Retention(Retention::Keep),
        Policy::MembersInvite(true),
        Policy::ApprovalRequired(false),
    ]
}

fn motions() -> [Motion; 6] {
    [
        Motion::Admit(PERSON, Role::Guest),
        Motion::Remove(PERSON),
        Motion::Role(PERSON, Role::Facilitator),
        Motion::Policy(policies()),
        Motion::Delegate(PERSON, true),
        Motion::Revouch(PERSON, DEVICE),
    ]
}

/// Every statement; what may be there or not is there (`some`) or not.
fn statements(some: bool) -> Vec<Statement> {
    let (recovery, proposal) = (some.then_some(DeviceId([44; 32])), some.then_some(ActId([45; 32])));
    let (person, role, device) = (PERSON, Role::Member, keys());
    let mut all = vec![
        Statement::Genesis { devices: vec![keys()], policies: policies(), suite: 1, recovery, nonce: [46; 16] },
        Statement::Admit { person, role, devices: vec![keys()], recovery, invite: some.then_some(ACT), proposal },
        Statement::Confirm { person, role: Role::Steward },
        Statement::Remove { person, points: points(), proposal },
        Statement::Leave,
        Statement::Role { person, role: Role::Founder, points: points(), proposal },
        Statement::Vote { proposal: ACT },
        Statement::Policy { set: policies(), proposal },
        Statement::Delegate { person, on: true, proposal },
        Statement::Invite { role, uses: 300, key: DEVICE, expires: Millis(1_795_618_800_000) },
        Statement::Uninvite { invite: ACT },
        Statement::Device { device: device.clone(), countersignature: [47; 64] },
        Statement::Revoke { device: DEVICE, keep: vec![DeviceId([23; 32])], points: points() },
        Statement::Recover { device: device.clone(), recovery: DeviceId([44; 32]), keep: vec![DeviceId([23; 32])] },
        Statement::Vouch { person, device: DEVICE },
        Statement::Revouch { person, device, vouch: some.then_some(ACT), proposal, recovery },
        Statement::Rotate,
        Statement::Restore { person, points: points() },
    ];
    all.extend(motions().map(|motion| Statement::Propose { motion }));
    all
}

fn epoch() -> NewEpoch {
    let commitments = [48, 49, 50].map(|byte| Commitment([byte; 32]));
    NewEpoch { commitments, parents: vec![EpochId([5; 32])], history: History::SinceJoin, links: vec![SealedLink(vec![51; 104])] }
}

fn bodies() -> Vec<ActBody> {
    let with = |some: bool| {
        let body = move |statement| ActBody { at: Millis(1_795_359_600_000), statement, epoch: some.then(epoch) };
        statements(some).into_iter().map(body)
    };
    with(true).chain(with(false)).collect()
}

frozen![Form::new("act-body", 2, &bodies())];
