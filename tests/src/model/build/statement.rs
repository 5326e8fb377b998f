//! What a vector's act says, in our words.

use kith_protocol::circle::body::{ChainId, History, KeyClass, Motion, Point, Points, Policy, Retention, Role, Statement};
use kith_protocol::circle::membership::countersign;
use kith_protocol::crypto::DeviceKeys;
use kith_protocol::crypto::Real;
use kith_protocol::id::{ActId, DeviceId};
use kith_protocol::time::Millis;
use serde_json::Value;

use super::Names;
use crate::model::vector::{Raw, text, texts};

/// The suite of the vectors' circles: X25519, whose keys are small.
const SUITE: u8 = 2;

/// Does the vector say that the new device agreed?
pub(super) fn countersigned(raw: &Raw) -> bool {
    raw.get("countersigned").and_then(Value::as_bool) == Some(true)
}

/// The statement of a vector's act. `certifier`: sign for a new device with its real key.
pub(super) fn statement(raw: &Raw, names: &mut Names, certifier: Option<&DeviceId>) -> Result<Statement, String> {
    let proposal = act(raw, "proposal", names);
    let kind = text(raw, "type").ok_or("an act without type")?;
    if kind == "genesis" {
        person(raw, names)?; // named by their device alone
    }
    Ok(match kind {
        "genesis" => Statement::Genesis {
            devices: devices(raw, names),
            policies: policies(raw.get("policies"))?,
            suite: SUITE,
            recovery: device(raw, "recovery", names),
            nonce: [7; 16],
        },
        "admit" => Statement::Admit {
            person: person(raw, names)?,
            role: role(raw),
            devices: devices(raw, names),
            recovery: device(raw, "recovery", names),
            invite: act(raw, "invite", names),
            proposal,
        },
        "confirm" => Statement::Confirm { person: person(raw, names)?, role: role(raw) },
        "remove" => Statement::Remove { person: person(raw, names)?, points: points(raw, names)?, proposal },
        "leave" => Statement::Leave,
        "role" => Statement::Role { person: person(raw, names)?, role: role(raw), points: points(raw, names)?, proposal },
        "propose" => Statement::Propose { motion: motion(raw, names)? },
        "vote" => Statement::Vote { proposal: proposal.ok_or("a vote on nothing")? },
        "policy" => Statement::Policy { set: policies(raw.get("set"))?, proposal },
        "delegate" => Statement::Delegate { person: person(raw, names)?, on: on(raw), proposal },
        "invite" => Statement::Invite {
            role: role(raw),
            uses: raw.get("uses").and_then(Value::as_u64).and_then(|uses| u32::try_from(uses).ok()).unwrap_or(0),
            key: names.device(text(raw, "id").unwrap_or_default()),
            expires: Millis(0),
        },
        "uninvite" => Statement::Uninvite { invite: act(raw, "invite", names).ok_or("closes no invite")? },
        "device" => certificate(raw, names, certifier)?,
        "revoke" => Statement::Revoke {
            device: device(raw, "device", names).ok_or("revokes nothing")?,
            keep: texts(raw, "keep").into_iter().map(|name| names.device(name)).collect(),
            points: points(raw, names)?,
        },
        "recover" => Statement::Recover {
            device: keys(text(raw, "device").ok_or("recovers nothing")?, names),
            recovery: device(raw, "recovery", names).ok_or("names no next recovery key")?,
            keep: texts(raw, "keep").into_iter().map(|name| names.device(name)).collect(),
        },
        "vouch" => {
            Statement::Vouch { person: person(raw, names)?, device: device(raw, "device", names).ok_or("vouches for nothing")? }
        }
        "revouch" => Statement::Revouch {
            person: person(raw, names)?,
            device: keys(text(raw, "device").ok_or("brings no device")?, names),
            vouch: act(raw, "vouch", names).filter(|_| proposal.is_none()),
            proposal,
            recovery: device(raw, "recovery", names),
        },
        "epoch" => Statement::Rotate,
        "restore" => Statement::Restore { person: person(raw, names)?, points: points(raw, names)? },
        other => return Err(format!("an act of type {other}")),
    })
}

fn certificate(raw: &Raw, names: &mut Names, certifier: Option<&DeviceId>) -> Result<Statement, String> {
    let name = text(raw, "device").ok_or("certifies nothing")?;
    let countersignature = match (certifier, names.circle()) {
        (Some(certifier), Some(circle)) if countersigned(raw) => countersign(&Real, &names.signing_key(name), &circle, certifier),
        _ => [0; 64],
    };
    Ok(Statement::Device { device: keys(name, names), countersignature })
}

fn act(raw: &Raw, field: &str, names: &mut Names) -> Option<ActId> {
    text(raw, field).map(|name| names.act(name))
}

fn device(raw: &Raw, field: &str, names: &mut Names) -> Option<DeviceId> {
    text(raw, field).map(|name| names.device(name))
}

fn person(raw: &Raw, names: &mut Names) -> Result<kith_protocol::id::PersonId, String> {
    Ok(names.person(text(raw, "person").ok_or("an act about nobody")?))
}

fn on(raw: &Raw) -> bool {
    raw.get("on").and_then(Value::as_bool) == Some(true)
}

fn keys(name: &str, names: &mut Names) -> DeviceKeys {
    DeviceKeys { sign: names.device(name), hpke: vec![0; 32], hello: [0; 32] }
}

fn devices(raw: &Raw, names: &mut Names) -> Vec<DeviceKeys> {
    texts(raw, "devices").into_iter().map(|name| keys(name, names)).collect()
}

/// A role that we cannot even write down stands for one that nobody may give.
fn role(raw: &Raw) -> Role {
    match text(raw, "role") {
        Some("guest") => Role::Guest,
        Some("member") => Role::Member,
        Some("facilitator") => Role::Facilitator,
        Some("steward") => Role::Steward,
        _ => Role::Founder,
    }
}

fn motion(raw: &Raw, names: &mut Names) -> Result<Motion, String> {
    let raw = raw.get("motion").and_then(Value::as_object).ok_or("a proposal of nothing")?;
    Ok(match text(raw, "do") {
        Some("admit") => Motion::Admit(person(raw, names)?, role(raw)),
        Some("remove") => Motion::Remove(person(raw, names)?),
        Some("role") => Motion::Role(person(raw, names)?, role(raw)),
        Some("policy") => Motion::Policy(policies(raw.get("set"))?),
        Some("delegate") => Motion::Delegate(person(raw, names)?, on(raw)),
        Some("revouch") => Motion::Revouch(person(raw, names)?, device(raw, "device", names).ok_or("brings no device")?),
        other => return Err(format!("a motion to {other:?}")),
    })
}

/// `{"device/incarnation": [seq, hash]}`, or a list of such pairs; the class that the wire adds is always the same here.
fn points(raw: &Raw, names: &mut Names) -> Result<Points, String> {
    let mut points = Points::new();
    for (chain, point) in raw.get("points").and_then(Value::as_object).into_iter().flatten() {
        let (device, incarnation) = chain.rsplit_once('/').ok_or("a chain without incarnation")?;
        let chain = ChainId { device: names.device(device), incarnation: names.incarnation(incarnation), class: KeyClass::Talk };
        let pairs = match point.get(0) {
            Some(Value::Array(_)) => point.as_array().map(Vec::as_slice).unwrap_or_default(),
            _ => std::slice::from_ref(point),
        };
        let mut of_chain = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let seq = pair.get(0).and_then(Value::as_u64).ok_or("a point without number")?;
            let entry = names.entry(pair.get(1).and_then(Value::as_str).ok_or("a point without hash")?);
            of_chain.push(Point { seq, entry });
        }
        of_chain.sort_unstable();
        points.insert(chain, of_chain);
    }
    Ok(points)
}

fn policies(set: Option<&Value>) -> Result<Vec<Policy>, String> {
    let mut policies = Vec::new();
    for (field, value) in set.and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().ok_or("a policy that is no text")?;
        let days = || value.strip_prefix("days:").and_then(|days| days.parse().ok());
        policies.push(match (field.as_str(), value) {
            ("history", "all") => Policy::History(History::All),
            ("history", "since-join") => Policy::History(History::SinceJoin),
            ("history", _) => Policy::History(History::Days(days().ok_or("an unknown history")?)),
            ("retention", "keep") => Policy::Retention(Retention::Keep),
            ("retention", _) => Policy::Retention(Retention::Days(days().ok_or("an unknown retention")?)),
            ("invite", who) => Policy::MembersInvite(who == "members"),
            ("approval", how) => Policy::ApprovalRequired(how == "required"),
            ("agreement", words) => Policy::Agreement(words.to_owned().into()),
            ("name", name) => Policy::Name(name.to_owned().into()),
            (other, _) => return Err(format!("a policy on {other}")),
        });
    }
    policies.sort_by_key(Policy::field);
    Ok(policies)
}
