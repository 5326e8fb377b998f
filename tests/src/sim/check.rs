//! The promises: what must hold at every step, after every restart, and once all is well again.

mod healed;
mod items;
mod keys;
mod ledger;
mod sent;
mod time;

use std::collections::BTreeMap;

use kith_protocol::control::{self, Kind};
use kith_protocol::node::{Answer, Filter, Query};
use serde_json::Value;

use super::net::Who;
use super::workload::{CANARY, my_circle};
use super::world::World;
use crate::alike::strip;

pub use healed::{anybody_dismissed, converged, everything};
pub use items::{counts_out, person, removals_of};
pub use keys::Before;
pub use ledger::{Ledger, about_to, replied};
pub use sent::sent;
pub use time::{destroyed, kept_too_long};

/// What a check found: its name, and how it showed.
type Found = (&'static str, String);

/// Do people's words stand in these bytes?
#[must_use]
pub fn holds_canary(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

/// An input was refused: memory is what the store says, as if it had never come.
pub fn nothing_left(world: &mut World, who: Who) {
    if !world.is_sound(who) {
        return;
    }
    if world.machines[who].left_a_trace {
        world.breaks("durability/refused", format!("machine {who} writes what a refused input wanted written"));
    }
    match world.machines[who].astray(world.crypto()) {
        Ok(None) => {}
        Ok(Some(part)) => {
            world.breaks("durability/memory", format!("machine {who} remembers what its store does not say: the {part}"));
        }
        Err(why) => world.breaks("durability/start", format!("machine {who} would not start again: {why}")),
    }
}

/// After a restart all that was acknowledged here is here.
pub fn after_restart(world: &mut World, who: Who) {
    at_any_time(world, who);
}

/// What holds at any time on any machine that is on: acknowledged writes are there, acknowledged deletions hold, and nothing that was
/// written after its writer knew of a removal is readable by the removed.
pub fn at_any_time(world: &mut World, who: Who) {
    if !world.is_sound(who) {
        return;
    }
    let mut broken = None;
    for (number, plan) in world.workload.plans.iter().enumerate() {
        let Some(id) = plan.id.as_deref() else { continue };
        let Some(circle) = my_circle(&asker(world, who), id) else { continue };
        for noun in Kind::listed() {
            let rows = rows(world, who, id, noun, true);
            broken = broken.or_else(|| items::judge(world, who, id, noun, &rows));
            broken = broken.or_else(|| ledger::judge(world, who, (number, &circle), noun, &rows));
        }
        broken = broken.or_else(|| keys::at_any_time(world, who, number, id));
    }
    if let Some((promise, what)) = broken {
        world.breaks(promise, what);
    }
    keys::note(world, who);
}

/// The rows of a list by id, as the machine's owner sees them.
fn rows(world: &World, who: Who, circle: &str, noun: Kind, reveal: bool) -> BTreeMap<String, Value> {
    let filter = Filter { reveal, ..Filter::default() };
    let query = Query::List { circle: Some(circle.to_owned()), kind: noun, filter };
    let Ok(answer) = asker(world, who)(query) else { return BTreeMap::new() };
    let id = |row: &Value| row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    list(&answer).into_iter().map(|row| (id(&row), row)).collect()
}

fn list(answer: &Answer) -> Vec<Value> {
    let value = match answer {
        // Under the name of what they are.
        Answer::Items(items) => serde_json::to_value(items).map(|items| match items {
            Value::Object(named) => named.into_iter().next().map(|(_, rows)| rows).unwrap_or_default(),
            other => other,
        }),
        Answer::Members(list) => serde_json::to_value(list),
        Answer::Joins(list) => serde_json::to_value(list),
        _ => Ok(Value::Array(Vec::new())),
    };
    match value {
        Ok(Value::Array(rows)) => rows,
        Ok(_) | Err(_) => Vec::new(),
    }
}

/// A list without what is each member's own.
fn common(answer: &Answer) -> Value {
    let mut rows = list(answer);
    rows.iter_mut().for_each(strip);
    Value::from(rows)
}

fn shared(circle: &control::Circle) -> Value {
    let mut value = serde_json::to_value(circle).unwrap_or_default();
    strip(&mut value);
    if let Value::Object(fields) = &mut value {
        fields.retain(|name, _| !matches!(name.as_str(), "role" | "status" | "me"));
    }
    value
}

fn circle_id(world: &World, number: usize) -> String {
    world.workload.plans.get(number).and_then(|plan| plan.id.clone()).unwrap_or_default()
}

fn asker(world: &World, who: Who) -> impl Fn(Query) -> Result<Answer, control::Error> + '_ {
    move |query| world.machines[who].recall(world.now(), world.crypto(), query)
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
