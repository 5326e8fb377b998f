//! The promises: what must hold at every step, after every restart, and once all is well again.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::control;
use kith_protocol::node::{Answer, Filter, Noun, Query};
use serde_json::Value;

use super::net::Who;
use super::workload::{CANARY, Intent, known, my_circle};
use super::world::World;

/// The nouns of lists.
pub const NOUNS: [Noun; 3] = [Noun::Note, Noun::Event, Noun::Resource];

/// Something that was written and acknowledged.
#[derive(Debug)]
struct Written {
    circle: usize,
    noun: Noun,
    author: Who,
    /// Members who were in, as the writer knew before and after.
    readers: BTreeSet<String>,
    /// Members who were out, as the writer knew before.
    strangers: BTreeSet<String>,
    /// Somebody asked for its deletion.
    deleting: bool,
    /// Her machine acknowledged the deletion.
    deleted_at: BTreeSet<Who>,
}

/// What was acknowledged.
#[derive(Debug, Default)]
pub struct Ledger {
    written: BTreeMap<String, Written>,
    versions: BTreeMap<(Who, String), u64>,
}

impl Ledger {
    /// How many items were acknowledged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.written.len()
    }

    /// None?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }
}

/// Do people's words stand in these bytes?
#[must_use]
pub fn holds_canary(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

/// Before a command is given: a deletion may happen without ever being acknowledged.
pub fn about_to(world: &mut World, _who: Who, intent: &Intent) {
    if let Intent::Remove { id, .. } = intent
        && let Some(item) = world.ledger.written.get_mut(id)
    {
        item.deleting = true;
    }
}

/// A command is answered: what is acknowledged must stay.
pub fn replied(world: &mut World, who: Who, intent: &Intent, answer: &Result<Answer, control::Error>) {
    let Ok(answer) = answer else { return };
    match intent {
        Intent::Write { circle, noun, known: before } => {
            let after = known(&asker(world, who), &circle_id(world, *circle));
            let readers = before.current.intersection(&after.current).cloned().collect();
            let written = Written {
                circle: *circle,
                noun: *noun,
                author: who,
                readers,
                strangers: before.out.clone(),
                deleting: false,
                deleted_at: BTreeSet::new(),
            };
            match made(answer) {
                Some(id) => drop(world.ledger.written.insert(id, written)),
                None => world.breaks("contract", format!("{noun:?} new answers {}", kind(answer))),
            }
        }
        Intent::Edit { noun: Noun::Note, id, version, .. } => {
            let key = (who, id.clone());
            let newest = world.ledger.versions.get(&key).copied().unwrap_or(0).max(version + 1);
            world.ledger.versions.insert(key, newest);
        }
        Intent::Remove { id, .. } => {
            if let Some(item) = world.ledger.written.get_mut(id) {
                item.deleted_at.insert(who);
            }
        }
        _ => {}
    }
}

/// After a restart all that was acknowledged here is here.
pub fn after_restart(world: &mut World, who: Who) {
    at_any_time(world, who);
}

/// What holds at any time on any machine that is on: acknowledged writes are there, acknowledged deletions hold, and nothing that was
/// written after its writer knew of a removal is readable by the removed.
pub fn at_any_time(world: &mut World, who: Who) {
    let mut broken = None;
    for (number, plan) in world.workload.plans.iter().enumerate() {
        let Some(id) = plan.id.as_deref() else { continue };
        let Some(circle) = my_circle(&asker(world, who), id) else { continue };
        for noun in NOUNS {
            let rows = rows(world, who, id, noun, false);
            let of = |item: &&Written| item.circle == number && item.noun == noun;
            for (item, written) in world.ledger.written.iter().filter(|(_, written)| of(written)) {
                broken = broken.or(judge(&circle, who, item, written, rows.get(item), &world.ledger.versions));
            }
        }
    }
    if let Some((promise, what)) = broken {
        world.breaks(promise, what);
    }
}

fn judge(
    circle: &control::Circle,
    who: Who,
    item: &str,
    written: &Written,
    row: Option<&Value>,
    versions: &BTreeMap<(Who, String), u64>,
) -> Option<(&'static str, String)> {
    let visible = row.is_some_and(|row| row.get("state").and_then(Value::as_str) == Some("visible"));
    if written.author == who && circle.status == "current" && !written.deleting && row.is_none() {
        return Some(("durability", format!("machine {who} acknowledged {item} and has it no more")));
    }
    if written.deleted_at.contains(&who) && visible {
        return Some(("durability", format!("machine {who} acknowledged the deletion of {item} and shows it")));
    }
    if written.strangers.contains(&circle.me) && row.is_some() && circle.status != "current" {
        return Some(("confidentiality", format!("machine {who} reads {item}, written after its writer knew of its removal")));
    }
    let version = row.and_then(|row| row.get("version")).and_then(Value::as_u64);
    let expected = versions.get(&(who, item.to_owned())).copied();
    if let (Some(version), Some(expected)) = (version, expected)
        && visible
        && version < expected
    {
        return Some(("durability", format!("machine {who} acknowledged version {expected} of {item} and has {version}")));
    }
    None
}

/// Once all is well: whoever is in sees the same, byte for byte, and all that was acknowledged; whoever is out knows it.
pub fn converged(world: &mut World) {
    for number in 0..world.workload.plans.len() {
        if let Err((promise, what)) = circle_converged(world, number) {
            world.breaks(promise, format!("circle {number}: {what}"));
        }
    }
}

type Verdict = Result<(), (&'static str, String)>;

fn circle_converged(world: &World, number: usize) -> Verdict {
    let plan = &world.workload.plans[number];
    let Some(id) = plan.id.clone() else { return Ok(()) };
    let mine = |who: Who| my_circle(&asker(world, who), &id);
    let circles: Vec<(Who, control::Circle)> = (0..world.machines.len()).filter_map(|who| Some((who, mine(who)?))).collect();
    let current: Vec<&(Who, control::Circle)> = circles.iter().filter(|(_, circle)| circle.status == "current").collect();
    let Some((first, reference)) = current.first() else { return Ok(()) };
    let roster = known(&asker(world, *first), &id);
    for (who, circle) in &circles {
        let listed = roster.current.contains(&circle.me);
        if (circle.status == "current") != listed {
            return Err(("honesty", format!("machine {who} says {}, machine {first}'s list says otherwise", circle.status)));
        }
    }
    for (who, circle) in current.iter().skip(1) {
        same("circle", *first, &shared(reference), *who, &shared(circle))?;
        let members = |who: Who| asker(world, who)(Query::Members(id.clone())).ok().map(|answer| list(&answer));
        same("members", *first, &Value::from(members(*first)), *who, &Value::from(members(*who)))?;
        for noun in NOUNS {
            let whole = noun != Noun::Note || plan.policies.history == "all";
            same_rows(noun, *first, &rows(world, *first, &id, noun, true), *who, &rows(world, *who, &id, noun, true), whole)?;
        }
    }
    delivered(world, number, &id, &current)
}

/// What a current member wrote is with every current member who was in, as the writer knew.
fn delivered(world: &World, number: usize, id: &str, current: &[&(Who, control::Circle)]) -> Verdict {
    for (who, circle) in current {
        for noun in NOUNS {
            let rows = rows(world, *who, id, noun, false);
            for (item, written) in &world.ledger.written {
                let author_in = current.iter().any(|(other, _)| *other == written.author);
                let due = written.circle == number && written.noun == noun && author_in && !written.deleting;
                if due && written.readers.contains(&circle.me) && !rows.contains_key(item) {
                    return Err(("convergence", format!("machine {who} lacks {item} by machine {}", written.author)));
                }
            }
        }
    }
    Ok(())
}

/// Everything that a machine shows, to compare a moment with a later one.
#[must_use]
pub fn everything(world: &World, who: Who) -> String {
    let mut out = String::new();
    for plan in &world.workload.plans {
        let Some(id) = plan.id.as_deref() else { continue };
        let ask = asker(world, who);
        out.push_str(&my_circle(&ask, id).map(|circle| shared(&circle).to_string()).unwrap_or_default());
        for query in [Query::Members(id.to_owned()), Query::Joins] {
            out.push_str(&ask(query).map(|answer| Value::from(list(&answer)).to_string()).unwrap_or_default());
        }
        for noun in NOUNS {
            out.push_str(&Value::from_iter(rows(world, who, id, noun, true)).to_string());
        }
    }
    out
}

fn same(what: &str, first: Who, a: &Value, second: Who, b: &Value) -> Verdict {
    if a == b {
        return Ok(());
    }
    Err(("convergence", format!("machines {first} and {second} differ in {what}:\n  {a}\n  {b}")))
}

fn same_rows(
    noun: Noun,
    first: Who,
    a: &BTreeMap<String, Value>,
    second: Who,
    b: &BTreeMap<String, Value>,
    whole: bool,
) -> Verdict {
    let ids: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for id in ids {
        match (a.get(id), b.get(id)) {
            (Some(a), Some(b)) => same(&format!("{noun:?} {id}"), first, a, second, b)?,
            _ if !whole => {}
            (Some(_), None) => return Err(("convergence", format!("{noun:?} {id} is on machine {first}, not on {second}"))),
            _ => return Err(("convergence", format!("{noun:?} {id} is on machine {second}, not on {first}"))),
        }
    }
    Ok(())
}

/// The rows of a list by id, without what is each member's own.
fn rows(world: &World, who: Who, circle: &str, noun: Noun, reveal: bool) -> BTreeMap<String, Value> {
    let filter = Filter { reveal, ..Filter::default() };
    let query = Query::List { circle: Some(circle.to_owned()), noun, filter };
    let Ok(answer) = asker(world, who)(query) else { return BTreeMap::new() };
    let id = |row: &Value| row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    list(&answer).into_iter().map(|row| (id(&row), row)).collect()
}

fn list(answer: &Answer) -> Vec<Value> {
    let value = match answer {
        Answer::Notes(list) => serde_json::to_value(list),
        Answer::Events(list) => serde_json::to_value(list),
        Answer::Resources(list) => serde_json::to_value(list),
        Answer::Members(list) => serde_json::to_value(list),
        Answer::Joins(list) => serde_json::to_value(list),
        _ => Ok(Value::Array(Vec::new())),
    };
    let mut rows = match value {
        Ok(Value::Array(rows)) => rows,
        Ok(_) | Err(_) => Vec::new(),
    };
    rows.iter_mut().for_each(strip);
    rows
}

fn shared(circle: &control::Circle) -> Value {
    let mut value = serde_json::to_value(circle).unwrap_or_default();
    strip(&mut value);
    if let Value::Object(fields) = &mut value {
        fields.retain(|name, _| !matches!(name.as_str(), "role" | "status" | "me"));
    }
    value
}

/// Takes out what is each member's own: marks, delivery, one's own answer, and what depends on one's own clock.
fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let own = ["new", "delivery", "delivered", "mine", "me", "clock_skewed"];
            fields.retain(|name, _| !own.contains(&name.as_str()));
            fields.values_mut().for_each(strip);
        }
        Value::Array(rows) => rows.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn made(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Note(note) => Some(note.id.clone()),
        Answer::Event(event) => Some(event.id.clone()),
        Answer::Resource(resource) => Some(resource.id.clone()),
        Answer::Made(ids) => ids.first().cloned(),
        _ => None,
    }
}

fn kind(answer: &Answer) -> String {
    format!("{answer:?}").chars().take(12).collect()
}

fn circle_id(world: &World, number: usize) -> String {
    world.workload.plans.get(number).and_then(|plan| plan.id.clone()).unwrap_or_default()
}

fn asker(world: &World, who: Who) -> impl Fn(Query) -> Result<Answer, control::Error> + '_ {
    move |query| world.machines[who].ask(world.now(), world.crypto(), query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canary_is_found_where_it_is() {
        assert!(holds_canary(format!("..{CANARY}..").as_bytes()));
        assert!(!holds_canary(b"kanarienvoge"));
    }
}
