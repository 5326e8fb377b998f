//! From our outcome back into a vector's ids, and what differs from what it expects in a field marked *must*.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::body::{History, Points, Policy, PolicyField, Retention, Role};
use kith_protocol::circle::membership::{Cut, Fact, Membership, Rule, State, Status};
use kith_protocol::id::ActId;
use serde_json::{Map, Value, json};

use super::build::{Built, Names};
use super::vector::Vector;

/// Feeds facts to a new resolver in the order given.
#[must_use]
pub fn resolve(built: &Built, facts: Vec<Fact>, off: &[Rule]) -> Membership {
    let mut membership = Membership::without(built.circle, off);
    for fact in facts {
        membership.add(fact);
    }
    membership
}

/// The fields in which the outcome differs, each with what was expected and what came.
///
/// # Errors
/// Where what the vector expects cannot be understood.
pub fn differences(vector: &Vector, built: &Built, membership: &Membership) -> Result<Vec<String>, String> {
    let ours = outcome(&built.names, membership, &membership.state());
    let mut out = Vec::new();
    for (field, got) in &ours {
        let want = vector.expect.get(*field).ok_or_else(|| format!("expects no {field}"))?;
        let want = normal(field, want)?;
        if want != *got {
            out.push(format!("{field}: expected {want}, got {got}"));
        }
    }
    Ok(out)
}

/// The fields that must agree, of what a vector expects; order and what may differ left out.
fn normal(field: &str, want: &Value) -> Result<Value, String> {
    Ok(match field {
        "people" => {
            let mut people = Map::new();
            for (name, person) in want.as_object().ok_or("people are no object")? {
                let devices = sorted(person.get("devices").and_then(Value::as_array).into_iter().flatten().cloned());
                people.insert(name.clone(), json!({"status": person["status"], "role": person["role"], "devices": devices}));
            }
            Value::Object(people)
        }
        "cuts" => {
            let mut cuts = Vec::new();
            for cut in want.as_array().ok_or("cuts are no list")? {
                let mut cut = cut.as_object().ok_or("a cut is no object")?.clone();
                for list in ["devices", "restored"] {
                    let entries = cut.get(list).and_then(Value::as_array).into_iter().flatten().cloned();
                    cut.insert(list.to_owned(), sorted(entries));
                }
                for of_chain in cut.get_mut("points").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
                    if let Some(pairs) = of_chain.as_array().filter(|pairs| pairs.iter().all(Value::is_array)) {
                        *of_chain = sorted(pairs.iter().cloned());
                    }
                }
                cuts.push(Value::Object(cut));
            }
            sorted(cuts.into_iter())
        }
        "inadmissible" | "void" | "held" | "delegates" | "late" | "opposed" => {
            sorted(want.as_array().ok_or("not a list")?.iter().cloned())
        }
        _ => want.clone(),
    })
}

fn sorted(values: impl Iterator<Item = Value>) -> Value {
    let mut values: Vec<Value> = values.collect();
    values.sort_by_key(ToString::to_string);
    Value::Array(values)
}

/// Our outcome in the vector's ids.
fn outcome(names: &Names, membership: &Membership, state: &State) -> BTreeMap<&'static str, Value> {
    let acts = |ids: &mut dyn Iterator<Item = ActId>| sorted(ids.map(|id| Value::String(names.act_name(&id))));
    let delegates = state.people.iter().filter(|(_, person)| person.delegate);
    let epoch = state.epochs.iter().map(|id| names.act_name(id)).min();
    BTreeMap::from([
        ("people", people(names, state)),
        ("inadmissible", acts(&mut membership.refused())),
        ("held", acts(&mut membership.held().map(|(id, _)| id))),
        ("void", acts(&mut membership.void().into_iter())),
        ("late", acts(&mut state.late.iter().copied())),
        ("opposed", acts(&mut state.opposed.iter().copied())),
        ("policies", policies(names, state)),
        ("delegates", sorted(delegates.map(|(id, _)| Value::String(names.person_name(id))))),
        ("frozen", Value::Bool(state.frozen)),
        ("cuts", sorted(state.cuts.iter().map(|cut| cut_in_words(names, cut)))),
        ("usable_epoch", epoch.map_or(Value::Null, Value::String)),
    ])
}

fn people(names: &Names, state: &State) -> Value {
    let mut people = Map::new();
    for (id, person) in &state.people {
        let status = match person.status {
            Status::Current => "current",
            Status::Suspended => "suspended",
            Status::Removed => "removed",
            Status::Left => "left",
        };
        let devices: BTreeSet<String> = person.devices.iter().map(|device| names.device_name(device)).collect();
        let devices = sorted(devices.into_iter().map(Value::String));
        people.insert(names.person_name(id), json!({"status": status, "role": person.role.map(role), "devices": devices}));
    }
    Value::Object(people)
}

/// A role's word, as the vectors and the screen have it.
#[must_use]
pub const fn role(role: Role) -> &'static str {
    match role {
        Role::Guest => "guest",
        Role::Member => "member",
        Role::Facilitator => "facilitator",
        Role::Steward => "steward",
        Role::Founder => "founder",
    }
}

/// Of the tied settings, the one with the vector's smallest id.
fn policies(names: &Names, state: &State) -> Value {
    let mut set = Map::new();
    for (field, tied) in &state.settings {
        let chosen = tied.iter().min_by_key(|(id, _)| names.act_name(id));
        let field = match field {
            PolicyField::Name => "name",
            PolicyField::Agreement => "agreement",
            PolicyField::History => "history",
            PolicyField::Retention => "retention",
            PolicyField::MembersInvite => "invite",
            PolicyField::ApprovalRequired => "approval",
            PolicyField::Later(_) => "later",
        };
        set.insert(field.to_owned(), chosen.map_or(Value::Null, |(_, policy)| Value::String(value(policy))));
    }
    Value::Object(set)
}

fn value(policy: &Policy) -> String {
    match policy {
        Policy::Name(words) | Policy::Agreement(words) => words.0.clone(),
        Policy::History(History::All) => "all".to_owned(),
        Policy::History(History::SinceJoin) => "since-join".to_owned(),
        Policy::History(History::Days(days)) | Policy::Retention(Retention::Days(days)) => format!("days:{days}"),
        Policy::Retention(Retention::Keep) => "keep".to_owned(),
        Policy::MembersInvite(members) => if *members { "members" } else { "stewards" }.to_owned(),
        Policy::ApprovalRequired(required) => if *required { "required" } else { "none" }.to_owned(),
        Policy::Later(number, _) => number.to_string(),
    }
}

fn cut_in_words(names: &Names, cut: &Cut) -> Value {
    json!({
        "act": names.act_name(&cut.act),
        "person": names.person_name(&cut.person),
        "devices": sorted(cut.devices.iter().map(|device| Value::String(names.device_name(device)))),
        "keeps_role": cut.keeps_role.map(role),
        "points": points(names, &cut.points),
        "restored": sorted(cut.restored.iter().map(|(id, _)| Value::String(names.act_name(id)))),
    })
}

fn points(names: &Names, points: &Points) -> Value {
    let mut out = Map::new();
    for (chain, of_chain) in points {
        let chain = format!("{}/{}", names.device_name(&chain.device), names.incarnation_name(&chain.incarnation));
        let pairs: Vec<Value> = of_chain.iter().map(|point| json!([point.seq, names.entry_name(&point.entry)])).collect();
        // One is written as a pair; several as a list of pairs, by place and name, as no id decides their order.
        out.insert(chain, if let [pair] = pairs.as_slice() { pair.clone() } else { sorted(pairs.into_iter()) });
    }
    Value::Object(out)
}
