//! Commands about members: roles, removing somebody, and what a removal holds.

use super::handover::{Handover, hand_over};
use super::inside::inside;
use crate::circle::body::{Point, Points, Role, Statement};
use crate::circle::membership::Status;
use crate::circle::state::CircleState;
use crate::circle::summary::{self, Summary};
use crate::context::{Cx, InputError};
use crate::control::{self, Hint};
use crate::id::{CircleId, DeviceId, PersonId};
use crate::io::Answer;
use crate::limits::POINT_LOOKS;
use crate::log::chain::{self, Glance};
use crate::log::entry::EntryAt;
use crate::node::NodeState;
use crate::sync::{cuts, delivery};
use std::collections::BTreeMap;

/// Removes somebody, with a new epoch in the same act.
pub(crate) fn remove(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, member: &str) -> Result<Answer, InputError> {
    let (circle, summary) = inside(node, cx, circle)?;
    let person = summary::pick_person(&summary, member)?.id;
    if Some(person) == circle.me() {
        return Err(InputError::usage("That is you.", Hint::run("circle", "leave", &[], "ends your part in it")));
    }
    let points = points(circle, cx, &person)?;
    circle.write(cx, Statement::Remove { person, points, proposal: None }, true)?;
    after_change(node, summary.id, &person)
}

/// Whose writing is meant, and how much of it waits; for stewards.
fn waiting<'a>(
    node: &'a mut NodeState,
    cx: &Cx<'_, '_>,
    circle: &str,
    member: &str,
) -> Result<(&'a mut CircleState, PersonId, cuts::Waiting), InputError> {
    let (circle, summary) = inside(node, cx, circle)?;
    if circle.my_role().is_none_or(|role| role < Role::Steward) {
        return Err(InputError::not_allowed("Only stewards can decide about what a removal set aside."));
    }
    let person = summary::pick_person(&summary, member)?.id;
    let waiting = cuts::waiting(circle, &cx.tx, &person)?;
    if waiting.entries == 0 {
        return Err(InputError::not_found(
            "Nothing of theirs is waiting.",
            Hint::run("", "doctor", &[], "says what is held, and why"),
        ));
    }
    Ok((circle, person, waiting))
}

/// Brings back what waits of somebody's writing for an entry that is not here: up to the place that a removal named, on every
/// branch that is here.
pub(crate) fn restore(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, member: &str) -> Result<Answer, InputError> {
    let (circle, person, waiting) = waiting(node, cx, circle, member)?;
    let mut looks = POINT_LOOKS;
    let mut points = Points::new();
    for (chain, at) in waiting.ends {
        if let Some(point) = point_at(circle, cx, at, &mut looks)? {
            points.entry(chain).or_default().push(point);
        }
    }
    points.values_mut().for_each(|of_chain| of_chain.sort_unstable());
    circle.write(cx, Statement::Restore { person, points }, false)?;
    let id = circle.id();
    after_change(node, id, &person)
}

/// Says no more of what waits of somebody's writing, on this machine, until it is more.
pub(crate) fn leave_aside(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, member: &str) -> Result<Answer, InputError> {
    let (circle, person, waiting) = waiting(node, cx, circle, member)?;
    let id = circle.id();
    cuts::leave_aside(&mut cx.tx, &id, &person, waiting.entries);
    after_change(node, id, &person)
}

/// What stands of somebody's writing: all that is known here. Of each chain the end of every branch, and the last entry that
/// somebody else is known to have: should this machine be lost before it passes the rest on, what others have stays.
fn points(circle: &CircleState, cx: &Cx<'_, '_>, person: &PersonId) -> Result<Points, InputError> {
    let state = circle.now();
    let mut looks = POINT_LOOKS;
    let mut points = Points::new();
    let heads = chain::chains(&cx.tx, &circle.id())?;
    for head in heads.iter().filter(|c| state.person_of(&c.id.device) == Some(*person) && c.seq > 0) {
        let of_chain = points.entry(head.id).or_default();
        of_chain.push(Point { seq: head.seq, entry: head.head });
        if head.parent.is_none() {
            of_chain.extend(acknowledged(circle, cx, head, person, &mut looks)?);
        }
    }
    for of_chain in points.values_mut() {
        of_chain.sort_unstable();
        of_chain.dedup();
    }
    Ok(points)
}

/// The last entry of a chain that a third person's device acknowledged.
fn acknowledged(
    circle: &CircleState,
    cx: &Cx<'_, '_>,
    head: &chain::ChainHead,
    person: &PersonId,
    looks: &mut usize,
) -> Result<Option<Point>, InputError> {
    let state = circle.now();
    let third = |device: &DeviceId| {
        *device != circle.device() && state.is_current(device) && state.person_of(device).is_some_and(|who| who != *person)
    };
    let witnesses = delivery::witnesses(&cx.tx, &circle.id(), &head.id)?;
    let Some(seq) = witnesses.iter().filter(|(device, _)| third(device)).map(|(_, seq)| *seq).max() else { return Ok(None) };
    point_at(circle, cx, EntryAt { chain: head.no, seq: seq.min(head.seq) }, looks)
}

/// An entry as a point, if its id can be said.
fn point_at(circle: &CircleState, cx: &Cx<'_, '_>, at: EntryAt, looks: &mut usize) -> Result<Option<Point>, InputError> {
    let entry = match chain::glance(&cx.tx, at)? {
        Glance::Id(id) => Some(id),
        Glance::Inside if *looks > 0 => {
            *looks -= 1;
            chain::id_of(&cx.tx, circle.ring(), at)?
        }
        Glance::Inside | Glance::Absent => None,
    };
    Ok(entry.map(|entry| Point { seq: at.seq, entry }))
}

fn after_change(node: &mut NodeState, id: CircleId, person: &PersonId) -> Result<Answer, InputError> {
    node.circles.touched(id);
    let Some(circle) = node.circles.all.get(&id) else { return Ok(Answer::Done) };
    let summary = Summary::of(circle);
    Ok(summary.row_of(person).map_or(Answer::Done, |row| Answer::Member(summary.member(row))))
}

/// Sets a role; or steps down.
pub(crate) fn set_role(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    circle: &str,
    member: &str,
    set: &control::SetRole,
) -> Result<Answer, InputError> {
    let role = set.role;
    if role == Role::Founder {
        return Err(InputError::usage("Nobody is made a founder.", "Use guest, member, facilitator or steward."));
    }
    let (circle, summary) = inside(node, cx, circle)?;
    let person = summary::pick_person(&summary, member)?.clone();
    if person.role == Some(role) {
        return after_change(node, summary.id, &person.id);
    }
    if Some(person.id) == circle.me() && role < Role::Steward {
        let named = if person.alike { person.id.text() } else { person.name.0.clone() };
        let args = [named.as_str(), role.word(), "--without-successor", "--confirm", &summary.name.0];
        let again = Hint::run("member", "role", &args, "steps down all the same");
        let handover = Handover { successor: set.successor.as_deref(), nobody: set.without_successor, again };
        hand_over(circle, cx, &summary, handover)?;
    }
    let state = circle.now();
    let suspended = state.people.get(&person.id).is_some_and(|p| p.status == Status::Suspended);
    let lowered = person.role.is_some_and(|old| old > role) && Some(person.id) != circle.me();
    let points = if lowered { points(circle, cx, &person.id)? } else { BTreeMap::new() };
    let statement = if suspended {
        Statement::Confirm { person: person.id, role }
    } else {
        Statement::Role { person: person.id, role, points, proposal: None }
    };
    circle.write(cx, statement, false)?;
    after_change(node, summary.id, &person.id)
}
