//! Once all is well: everybody shows the same, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::act::ActBody;
use kith_protocol::circle::body::Statement;
use kith_protocol::circle::epoch::KeyRing as _;
use kith_protocol::circle::record::{self, Record};
use kith_protocol::control::{self, Kind};
use kith_protocol::node::{Filter, Query};
use serde_json::Value;

use super::{Found, asker, common, items, keys, ledger, rows, shared, time};
use crate::alike::strip;
use crate::sim::net::Who;
use crate::sim::workload::{known, my_circle};
use crate::sim::world::World;

/// Once all is well: anyone who is in sees the same, byte for byte, and all that was acknowledged; anyone who is out knows it.
pub fn converged(world: &mut World) {
    for number in 0..world.workload.plans.len() {
        if let Err((promise, what)) = circle_converged(world, number) {
            world.breaks(promise, format!("circle {number}: {what}"));
        }
    }
}

type Verdict = Result<(), Found>;

fn circle_converged(world: &World, number: usize) -> Verdict {
    let plan = &world.workload.plans[number];
    let Some(id) = plan.id.clone() else { return Ok(()) };
    let mine = |who: Who| my_circle(&asker(world, who), &id);
    let mut circles: Vec<(Who, control::Circle)> = world.sound().into_iter().filter_map(|who| Some((who, mine(who)?))).collect();
    circles.retain(|(who, circle)| {
        circle.status != control::CircleStatus::Current || !knows_copies_only(world, *who, &id, &circle.me)
    });
    let together = together(world, &circles, &id);
    circles.retain(|(who, circle)| circle.status != control::CircleStatus::Current || together.contains(who));
    let current: Vec<&(Who, control::Circle)> =
        circles.iter().filter(|(_, circle)| circle.status == control::CircleStatus::Current).collect();
    let Some((first, reference)) = current.first() else { return Ok(()) };
    let roster = known(&asker(world, *first), &id);
    for (who, circle) in &circles {
        let listed = roster.current.contains(&circle.me);
        // A hostile steward may hand somebody a valid farewell and keep the removal itself from everybody else.
        if circle.status == control::CircleStatus::Removed && world.machines.iter().any(|machine| machine.mask.is_some()) {
            continue;
        }
        if circle.status == control::CircleStatus::Removed && dismissed_in_vain(world, &id, &circle.me) {
            continue;
        }
        if (circle.status == control::CircleStatus::Current) != listed {
            return Err((
                "honesty/standing",
                format!("machine {who} says {}, machine {first}'s list says otherwise", circle.status),
            ));
        }
    }
    // The name of somebody who is out is known to those who met them: it is their record's, and records travel while one is in.
    let gone = !roster.out.is_empty();
    for (who, circle) in current.iter().skip(1) {
        same("convergence/circle", "circle", *first, &shared(reference), *who, &shared(circle))?;
        let members = |who: Who| {
            let mut list = asker(world, who)(Query::Members(id.clone())).map(|answer| common(&answer)).unwrap_or_default();
            unname(&mut list, &roster.current, gone);
            // They come by name, and of those who are out not everybody knows the names.
            let id = |member: &Value| member.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Value::Array(members) = &mut list {
                members.sort_by_key(id);
            }
            list
        };
        same("convergence/members", "members", *first, &members(*first), *who, &members(*who))?;
        for noun in Kind::listed() {
            let whole = noun != Kind::Note || plan.whole;
            let ends = |item: &String| world.ledger.written.get(item).is_some_and(|item| item.is_ending(world.now()));
            let rows = |who: Who| {
                let mut rows = rows(world, who, &id, noun, true);
                rows.retain(|item, _| !cut_off_too_late(world, item, &current) && !ends(item));
                rows.values_mut().for_each(|row| {
                    strip(row);
                    forget_hostile_out(world, &roster.out, &id, row);
                    unname(row, &roster.current, gone);
                });
                rows
            };
            let (mut ours, mut theirs) = (rows(*first), rows(*who));
            // What somebody hostile had destroyed before they were put out may be here and not there.
            let elsewhere = |other: &BTreeMap<String, Value>, item: &str| other.contains_key(item);
            let before = ours.clone();
            ours.retain(|item, row| elsewhere(&theirs, item) || !by_hostile_out(world, &roster.out, &id, row));
            theirs.retain(|item, row| elsewhere(&before, item) || !by_hostile_out(world, &roster.out, &id, row));
            same_rows(noun, *first, &ours, *who, &theirs, whole)?;
        }
    }
    delivered(world, number, &id, &current)?;
    time::destroyed_at_once(world, number, &id, &current).map_or(Ok(()), Err)?;
    for (who, _) in &current {
        keys::healed(world, *who, &id).map_or(Ok(()), Err)?;
    }
    time::invites(world, *first, &id).map_or(Ok(()), Err)?;
    items::socks(world, *first, &id).map_or(Ok(()), Err)
}

/// Was somebody who is in handed a farewell that they had to believe? Either a copy of a machine removed them and is gone for
/// good before anybody else heard of it, as where a hostile steward keeps a removal back. Or a steward did whom somebody had
/// demoted meanwhile, which neither of the two knew: their removal is void, and anyone who was told goes by what they knew.
/// (Somebody who was let in again is not meant: they have been told.)
fn dismissed_in_vain(world: &World, circle: &str, person: &str) -> bool {
    let admits = |body: &ActBody| matches!(&body.statement, Statement::Admit { person: whom, .. } if whom.text() == person);
    let adds = |who| items::opened(world, who, circle).iter().filter(|(_, body)| admits(body)).count();
    let copies = (0..world.machines.len()).filter(|who| world.machines[*who].copy_of.is_some());
    copies.chain(world.sound()).any(|who| !items::removals_of(world, who, circle, person).is_empty() && adds(who) < 2)
}

/// Somebody is out and was not told: do they call all who could tell them where a copy of that machine was, which is gone for
/// good? (Nobody calls anyone who is out.)
fn knows_copies_only(world: &World, who: Who, id: &str, person: &str) -> bool {
    let copied = |other: &Who| world.machines.iter().any(|machine| machine.copy_of == Some(*other));
    let tell: Vec<Who> = world.sound().into_iter().filter(|other| items::counts_out(world, *other, id, person)).collect();
    !tell.is_empty() && tell.iter().any(copied) && !tell.iter().any(|other| knows_the_way(world, who, *other, id))
}

/// Does a machine hold a record in a circle that says where another is?
fn knows_the_way(world: &World, who: Who, other: Who, id: &str) -> bool {
    let Some((circle, _)) = keys::own(world, who, id) else { return false };
    let ring = keys::ring(world, who, &circle);
    let read = |bytes: &Vec<u8>| {
        let (_, _, epoch) = Record::peek(bytes).ok()?;
        Record::read(world.crypto(), &circle, &ring.epoch(&epoch)?.roster, bytes)
    };
    let stored = record::stored(&world.machines[who].disk, &circle).unwrap_or_default();
    let other = &world.machines[other];
    stored.iter().filter_map(read).any(|record| record.body.peer == other.peer && record.body.addresses.contains(&other.addr))
}

/// Those who can find each other, the most of them: where somebody hostile was all that two others knew of each other's
/// whereabouts, or a copy of a machine that is gone for good is what one's record names, they stay apart.
fn together(world: &World, circles: &[(Who, control::Circle)], id: &str) -> Vec<Who> {
    let mut open: Vec<Who> =
        circles.iter().filter(|(_, circle)| circle.status == control::CircleStatus::Current).map(|(who, _)| *who).collect();
    if world.machines.iter().all(|machine| machine.mask.is_none() && machine.copy_of.is_none()) {
        return open;
    }
    let mut most = Vec::new();
    while let Some(one) = open.pop() {
        let mut found = vec![one];
        let mut at = 0;
        while let Some(one) = found.get(at).copied() {
            let (near, far) = open
                .into_iter()
                .partition(|other| knows_the_way(world, one, *other, id) || knows_the_way(world, *other, one, id));
            open = far;
            found.extend::<Vec<Who>>(near);
            at += 1;
        }
        if found.len() > most.len() {
            most = found;
        }
    }
    most
}

/// Does anybody believe to be out whom the others count in, so that they are called in vain?
#[must_use]
pub fn anybody_dismissed(world: &World) -> bool {
    let circles = || world.workload.plans.iter().filter_map(|plan| plan.id.as_deref());
    let removed =
        |who: Who, id: &str| my_circle(&asker(world, who), id).filter(|circle| circle.status == control::CircleStatus::Removed);
    let told = |who: Who| circles().any(|id| removed(who, id).is_some_and(|circle| dismissed_in_vain(world, id, &circle.me)));
    world.sound().into_iter().any(told)
}

/// Did its author, who is out, have it destroyed at once? Where the removal does not leave that word standing, the item is shown
/// again wherever its bytes still are; machines that had destroyed them by then cannot undo it.
fn cut_off_too_late(world: &World, item: &str, current: &[&(Who, control::Circle)]) -> bool {
    let written = world.ledger.written.get(item);
    written.is_some_and(|written| written.gone_at_once() && !current.iter().any(|(who, _)| *who == written.author))
}

/// Did somebody hostile write it who is out by now?
fn by_hostile_out(world: &World, out: &BTreeSet<String>, id: &str, row: &Value) -> bool {
    let author = row.get("author").and_then(|author| author.get("member")).and_then(Value::as_str);
    let hostile = (0..world.machines.len()).filter(|who| world.machines[*who].mask.is_some());
    let mut people = hostile.map(|who| items::person(world, who, id));
    author.is_some_and(|author| out.contains(author) && people.any(|person| person == author))
}

/// Leaves out what somebody hostile added to others' items who is out by now. Anyone who wrote under keys that some members do
/// not hold left a gap in their own chain there; what lies before it is held aside by those members, and counts with everybody
/// else.
fn forget_hostile_out(world: &World, out: &BTreeSet<String>, id: &str, row: &mut Value) {
    if let Some(replies) = row.get_mut("replies").and_then(Value::as_array_mut) {
        replies.retain(|reply| !by_hostile_out(world, out, id, reply));
    }
    let Some(reacted) = row.get_mut("reacted").and_then(Value::as_object_mut) else { return };
    for people in reacted.values_mut().filter_map(Value::as_array_mut) {
        people.retain(|person| !by_hostile_out(world, out, id, &serde_json::json!({ "author": person })));
    }
    reacted.retain(|_, people| people.as_array().is_some_and(|people| !people.is_empty()));
    let counts = reacted.iter().map(|(emoji, people)| (emoji.clone(), people.as_array().map_or(0, Vec::len).into())).collect();
    if let Some(reactions) = row.get_mut("reactions") {
        *reactions = Value::Object(counts);
    }
}

/// What a current member wrote is with every current member who was in, as the writer knew.
fn delivered(world: &World, number: usize, id: &str, current: &[&(Who, control::Circle)]) -> Verdict {
    for (who, circle) in current {
        for noun in Kind::listed() {
            let rows = rows(world, *who, id, noun, false);
            for (item, written) in &world.ledger.written {
                let author_in = current.iter().any(|(other, _)| *other == written.author);
                let stays = !written.deleting && written.stays(world.machines[*who].local(world.now()));
                let due = written.circle == number && written.noun == noun && author_in && stays;
                let lacks = due && written.readers.contains(&circle.me) && !rows.contains_key(item);
                if lacks && !ledger::gone_by_founder(world, *who, (number, id), item) {
                    return Err(("convergence/delivered", format!("machine {who} lacks {item} by machine {}", written.author)));
                }
            }
        }
    }
    Ok(())
}

/// Everything that a machine shows, asked again, to compare a moment with a later one.
#[must_use]
pub fn everything(world: &World, who: Who) -> String {
    let mut out = String::new();
    let ask = |query| world.machines[who].ask(world.now(), world.crypto(), query);
    for plan in &world.workload.plans {
        let Some(id) = plan.id.as_deref() else { continue };
        out.push_str(&my_circle(&ask, id).map(|circle| shared(&circle).to_string()).unwrap_or_default());
        let lists = Kind::listed().map(|noun| {
            let filter = Filter { reveal: true, ..Filter::default() };
            Query::List { circle: Some(id.to_owned()), kind: noun, filter }
        });
        for query in [Query::Members(id.to_owned()), Query::Joins].into_iter().chain(lists) {
            out.push_str(&ask(query).map(|answer| common(&answer).to_string()).unwrap_or_default());
        }
    }
    out
}

/// Takes out the names of those who are out, and what follows from them.
fn unname(value: &mut Value, current: &BTreeSet<String>, gone: bool) {
    match value {
        Value::Object(fields) => {
            let id = ["member", "id"].iter().find_map(|name| fields.get(*name)).and_then(Value::as_str).unwrap_or_default();
            if fields.contains_key("name") && !current.contains(id) {
                fields.remove("name");
            }
            if gone {
                // Whose name looks like theirs is seen only where theirs is known.
                fields.remove("alike");
            }
            if let Some(Value::Object(reactions)) = fields.get_mut("reactions").filter(|_| gone) {
                reactions.values_mut().for_each(|names| *names = Value::from(names.as_array().map_or(0, Vec::len)));
            }
            fields.values_mut().for_each(|value| unname(value, current, gone));
        }
        Value::Array(rows) => rows.iter_mut().for_each(|value| unname(value, current, gone)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn same(check: &'static str, what: &str, first: Who, a: &Value, second: Who, b: &Value) -> Verdict {
    if a == b {
        return Ok(());
    }
    Err((check, format!("machines {first} and {second} differ in {what}:\n  {a}\n  {b}")))
}

fn same_rows(
    noun: Kind,
    first: Who,
    a: &BTreeMap<String, Value>,
    second: Who,
    b: &BTreeMap<String, Value>,
    whole: bool,
) -> Verdict {
    let ids: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for id in ids {
        match (a.get(id), b.get(id)) {
            // Where the history rule became stricter, a newcomer may read how a note began and not how it was changed.
            (Some(a), Some(b)) if !whole && a.get("version") != b.get("version") => {}
            (Some(a), Some(b)) => same("convergence/item", &format!("{noun:?} {id}"), first, a, second, b)?,
            _ if !whole => {}
            (Some(_), None) => {
                return Err(("convergence/missing", format!("{noun:?} {id} is on machine {first}, not on {second}")));
            }
            _ => return Err(("convergence/missing", format!("{noun:?} {id} is on machine {second}, not on {first}"))),
        }
    }
    Ok(())
}
