//! Every item that is shown: whose words they are, and how many.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::act::{self, ActBody, SealedAct};
use kith_protocol::circle::body::Statement;
use kith_protocol::circle::epoch::{KeyRing, Ring};
use kith_protocol::control::Kind;
use kith_protocol::id::{ActId, CircleId};
use kith_protocol::limits;
use kith_protocol::node::Query;
use kith_protocol::store::{Read, Table};
use serde_json::Value;

use super::{Found, asker, list};
use crate::sim::hostile::below::FORKED;
use crate::sim::hostile::forge::HOSTILE;
use crate::sim::net::Who;
use crate::sim::workload::{CANARY, my_circle};
use crate::sim::world::World;

/// Looks at every row that a machine shows.
pub(super) fn judge(world: &World, who: Who, circle: &str, noun: Kind, rows: &BTreeMap<String, Value>) -> Option<Found> {
    let people: Vec<String> = (0..world.machines.len()).map(|other| person(world, other, circle)).collect();
    let hostile =
        world.machines.iter().position(|machine| machine.mask.is_some()).and_then(|hostile| people.get(hostile)).cloned();
    rows.iter().find_map(|(id, row)| {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let author = row.get("author").and_then(|author| author.get("member")).and_then(Value::as_str).unwrap_or_default();
        let title = text("title");
        if let Some((field, size)) = beyond_bounds(row) {
            return Some(("bounds/item", format!("machine {who} shows {id} with {size} of {field}")));
        }
        let replies = row.get("replies").and_then(Value::as_array).into_iter().flatten();
        if let Some(found) = replies.into_iter().find_map(|reply| judge_reply(world, who, &people, hostile.as_ref(), reply)) {
            return Some(found);
        }
        if title.contains(FORKED) {
            return forked(world, who, circle, author).then(|| {
                ("membership/forked", format!("machine {who} shows {id}, which {author} signed beside what stood, once removed"))
            });
        }
        if title.contains(HOSTILE) {
            let own = hostile.as_deref() == Some(author) || noun != Kind::Note;
            return (!own)
                .then(|| ("authenticity/author", format!("machine {who} shows words of somebody hostile as {author}'s: {id}")));
        }
        if !title.contains(CANARY) {
            return None;
        }
        match world.workload.said.get(title) {
            None => Some(("authenticity/author", format!("machine {who} shows {id} with words that nobody wrote: {title}"))),
            Some(_) if noun != Kind::Note => None,
            Some(writer) => {
                let original = world.machines.get(*writer).and_then(|machine| machine.copy_of).unwrap_or(*writer);
                let own = people.get(original).is_some_and(|person| person == author || person.is_empty());
                (!own)
                    .then(|| ("authenticity/author", format!("machine {who} shows machine {writer}'s words as {author}'s: {id}")))
            }
        }
    })
}

/// The field of a row of a list that holds more than any may, and how much: characters, or how many.
fn beyond_bounds(row: &Value) -> Option<(&'static str, usize)> {
    let characters = |row: &Value, field: &str| row.get(field).and_then(Value::as_str).map_or(0, |text| text.chars().count());
    let count = |field: &str| row.get(field).and_then(Value::as_array).map_or(0, Vec::len);
    let replies = || row.get("replies").and_then(Value::as_array).into_iter().flatten();
    let reacted = row.get("reacted").and_then(Value::as_object).into_iter().flatten();
    let reacted = reacted.filter_map(|(_, people)| people.as_array()).map(Vec::len).sum();
    let lines = ["title", "content_warning"].map(|field| (field, characters(row, field), limits::TITLE_CHARS));
    let texts = ["body", "note", "description"].map(|field| (field, characters(row, field), limits::LIST_TEXT));
    let of_replies = replies().map(|reply| ("a reply", characters(reply, "body"), limits::LIST_TEXT));
    let lists = [
        ("tags", count("tags"), limits::TAGS),
        ("replies", replies().count(), limits::LIST_CHILDREN),
        ("reactions", reacted, limits::LIST_CHILDREN),
    ];
    let all = lines.into_iter().chain(texts).chain(lists).chain(of_replies);
    all.into_iter().find(|(_, size, most)| size > most).map(|(field, size, _)| (field, size))
}

/// Does a machine count somebody out by a removal that was known before they signed what is shown?
fn forked(world: &World, who: Who, circle: &str, author: &str) -> bool {
    let known = removals_of(world, who, circle, author);
    let of_theirs = world.forked.iter().filter(|forked| forked.by == author);
    counts_out(world, who, circle, author) && of_theirs.flat_map(|forked| &forked.removals).any(|act| known.contains(act))
}

/// Does a machine say that somebody was removed?
pub fn counts_out(world: &World, who: Who, circle: &str, person: &str) -> bool {
    let members = asker(world, who)(Query::Members(circle.to_owned())).map(|answer| list(&answer)).unwrap_or_default();
    let is = |member: &Value, field: &str, what: &str| member.get(field).and_then(Value::as_str) == Some(what);
    members.iter().any(|member| is(member, "id", person) && is(member, "status", "removed"))
}

/// The removals of somebody that a machine holds.
pub fn removals_of(world: &World, who: Who, circle: &str, out: &str) -> Vec<ActId> {
    let removes = |body: &ActBody| matches!(&body.statement, Statement::Remove { person, .. } if person.text() == out);
    opened(world, who, circle).iter().filter(|(_, body)| removes(body)).map(|(act, _)| act.id()).collect()
}

/// A reply: in its author's own words. Somebody hostile may put words of theirs into what they wrote themselves.
fn judge_reply(world: &World, who: Who, people: &[String], hostile: Option<&String>, reply: &Value) -> Option<Found> {
    let body = reply.get("body").and_then(Value::as_str).unwrap_or_default();
    let author = reply.get("author").and_then(|author| author.get("member")).and_then(Value::as_str).unwrap_or_default();
    let by_hostile = hostile.is_some_and(|hostile| hostile == author || hostile.is_empty());
    let owner = |writer: &Who| people.get(world.machines.get(*writer).and_then(|machine| machine.copy_of).unwrap_or(*writer));
    let words = if by_hostile { body.replace(HOSTILE, "") } else { body.to_owned() };
    let theirs = match world.workload.said.get(&words) {
        Some(writer) => owner(writer).is_some_and(|person| person == author || person.is_empty()),
        None => by_hostile && !words.contains(CANARY),
    };
    (!theirs && !body.is_empty()).then(|| ("authenticity/author", format!("machine {who} shows a reply as {author}'s: {body}")))
}

/// Who the owner of a machine is in a circle; empty where they are not in it.
pub fn person(world: &World, who: Who, circle: &str) -> String {
    my_circle(&asker(world, who), circle).map(|circle| circle.me).unwrap_or_default()
}

/// Whom a hostile steward let in behind the founder's back, who had removed that steward: nobody.
pub(super) fn socks(world: &World, who: Who, circle: &str) -> Option<Found> {
    let hostile = world.workload.plans.iter().find(|plan| plan.id.as_deref() == Some(circle))?.hostile?;
    let founder = world.workload.plans.iter().find(|plan| plan.id.as_deref() == Some(circle))?.founder;
    let socks = &world.machines[hostile].mask.as_ref()?.socks;
    if socks.is_empty() {
        return None;
    }
    let (out, acts) = (person(world, hostile, circle), opened(world, who, circle));
    let founders = person(world, founder, circle);
    let parents: BTreeMap<ActId, Vec<ActId>> = acts.iter().map(|(act, _)| (act.id(), act.parents().to_vec())).collect();
    let founder_device = acts.iter().find(|(act, _)| act.is_genesis()).map(|(act, _)| act.author())?;
    let removals: Vec<ActId> = acts
        .iter()
        .filter(|(act, body)| {
            act.author() == founder_device && matches!(&body.statement, Statement::Remove { person, .. } if person.text() == out)
        })
        .map(|(act, _)| act.id())
        .collect();
    let members = asker(world, who)(Query::Members(circle.to_owned())).map(|answer| list(&answer)).unwrap_or_default();
    let current: BTreeSet<&str> = members
        .iter()
        .filter(|member| member.get("status").and_then(Value::as_str) == Some("current"))
        .filter_map(|member| member.get("id").and_then(Value::as_str))
        .collect();
    for (act, body) in &acts {
        let Statement::Admit { person, .. } = &body.statement else { continue };
        let id = person.text();
        if !socks.contains(&id) || !current.contains(id.as_str()) || founders.is_empty() {
            continue;
        }
        let behind = |removal: &ActId| !before(&parents, removal, &act.id()) && !before(&parents, &act.id(), removal);
        if removals.iter().any(behind) {
            return Some((
                "membership/cut",
                format!("machine {who} counts {id} in, whom somebody expelled let in behind their own expulsion"),
            ));
        }
    }
    None
}

/// The acts on a machine's disk that it can open.
pub(super) fn opened(world: &World, who: Who, circle: &str) -> Vec<(SealedAct, ActBody)> {
    let disk = &world.machines[who].disk;
    let rows = disk.scan(Table::Circle, &[], &[], limits::CIRCLES).unwrap_or_default();
    let ids = rows.iter().filter_map(|(key, _)| CircleId::from_slice(key));
    let Some(id) = ids.into_iter().find(|id| id.text() == circle) else { return Vec::new() };
    let ring = Ring::load(disk, &id).unwrap_or_default();
    let acts = act::acts(disk, &id).unwrap_or_default();
    let open = |act: &SealedAct| match act.epoch() {
        Some(epoch) => act.open(&ring.epoch(&epoch)?.roster),
        None => ring.iter().find_map(|(_, row)| act.open(&row.keys.roster)),
    };
    acts.into_iter().filter_map(|act| open(&act).map(|body| (act, body))).collect()
}

/// Does `later` know `earlier`?
pub(super) fn before(parents: &BTreeMap<ActId, Vec<ActId>>, later: &ActId, earlier: &ActId) -> bool {
    let (mut open, mut seen) = (vec![*later], BTreeSet::new());
    while let Some(id) = open.pop() {
        if id == *earlier {
            return true;
        }
        if seen.insert(id) {
            open.extend(parents.get(&id).into_iter().flatten());
        }
    }
    false
}
